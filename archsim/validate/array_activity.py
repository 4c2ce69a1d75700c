"""Shares of a run in the words of a counter in the array: active, useful, waiting for weights, shifting them in.

Called by `quantities.py`, for chips that publish such counters (Jouppi et al., ISCA 2017, table 3).
"""

from collections.abc import Sequence

from archsim.study.layer_result import LayerResult


def active_cycles(layers: Sequence[LayerResult]) -> float:
    """Return the cycles in which the array takes a word of a stream: folds times words streamed past each. [cycles]

    From the columns of layers.csv: occupied MACs / (multipliers x mapping efficiency), as every fold has every cycle
    of its stream in common.
    """
    with_folds = [layer for layer in layers if layer.folds]
    return sum(layer.occupied_macs / (layer.multipliers * layer.mapping_efficiency) for layer in with_folds)


def useful_cycles(layers: Sequence[LayerResult]) -> float:
    """Return the cycles in which all multipliers together would do the MACs that took one. [cycles]"""
    return sum(layer.occupied_macs / layer.multipliers for layer in layers)


def weight_wait_cycles(layers: Sequence[LayerResult]) -> float:
    """Return the DRAM stalls that wait for weights. [cycles]"""
    return sum(layer.wait_cycles("weight") for layer in layers)


def shift_cycles(layers: Sequence[LayerResult]) -> float:
    """Return what the array's own time has beyond its active cycles: loads, fill, drain, on-chip stalls. [cycles]"""
    own = sum(layer.compute_cycles + layer.onchip_stall_cycles for layer in layers if layer.folds)
    return own - active_cycles(layers)
