"""A run priced again with another energy table, the simulation left as it was.

Called by `cli.py`, and by users who sweep technology, not cycles.
"""

from collections.abc import Callable
from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.cost.chip_prices import chip_prices
from archsim.cost.energy_table import EnergyTable
from archsim.cost.layer_prices import price_layers
from archsim.cost.price_list import PriceList
from archsim.cost.price_source import load_prices, own_table, with_energy_table
from archsim.study.result import RunResult
from archsim.study.weights_load import priced_load


def recost(run: RunResult, table: EnergyTable) -> RunResult:
    """Return the run with the energy and area that ``table`` gives; cycles and traffic unchanged.

    Notes
    -----
    ``arch.energy`` keeps naming the table of the simulation, as ``table`` does not know its file; the
    assumptions name the new one. What zeros saved of the energy is then not known: the run without skipping is not kept.
    """
    return _priced(run, lambda arch: chip_prices(arch, table), table)


def recost_with_table(run: RunResult, table: str) -> RunResult:
    """Return the run priced with the energy table of that name or file, at the arch's node, overrides kept.

    The arch of the result names the new table.

    Raises
    ------
    ConfigError
        No such table, a fault in it, or one that lacks what the chip does.
    """
    arch = with_energy_table(run.arch, table)
    return _priced(replace(run, arch=arch), load_prices, own_table(arch))


def _priced(run: RunResult, price_list: Callable[[Architecture], PriceList], table: EnergyTable) -> RunResult:
    runs = [layer.run for layer in run.layers]
    priced = price_layers(runs, run.workload, run.arch, price_list, table=table)
    pairs = zip(run.layers, priced.energies, strict=True)
    layers = tuple(
        replace(layer, energy=energy, dense=replace(layer.dense, energy_pj=None) if layer.dense else None)
        for layer, energy in pairs
    )
    load = priced_load(run.weights_load, run.arch, priced.prices)
    return replace(run, layers=layers, prices=priced.prices, weights_load=load)
