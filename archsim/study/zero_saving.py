"""What zeros saved: every layer beside itself on the same array taking every value. Called by `simulate.py`.

An array that skips is run a second time without skipping, memories and all. One that gates takes the same cycles, so its
run is priced a second time with every MAC at work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from archsim.arch.architecture import Architecture
from archsim.cost.ungated import ungated
from archsim.engine.layer_run import LayerRun
from archsim.engine.simulate import run_network
from archsim.study.own_prices import with_own_prices
from archsim.workload.network import Workload

Price = Callable[[Sequence[LayerRun]], Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseLayer:
    """A layer on the same chip with every value taken.

    Parameters
    ----------
    total_cycles
        Stalls included. [cycles]
    energy_pj
        None = not known: the run was priced anew. [pJ]
    """

    total_cycles: int
    energy_pj: float | None


def dense_layers(
    arch: Architecture, workload: Workload, runs: Sequence[LayerRun], price: Price
) -> tuple[DenseLayer | None, ...]:
    """Return each layer as it would be without skipping or gating; None where zeros are not looked at.

    Parameters
    ----------
    arch, workload, runs
        The chip, what ran on it, and how.
    price
        Gives the energies of runs on the chip. [pJ]
    """
    if arch.pe_array.skips:
        dense: Sequence[LayerRun] = run_network(with_own_prices(replace(arch, pe_array=arch.pe_array.dense)), workload)
    elif arch.pe_array.gates:
        dense = [ungated(run, arch) for run in runs]
    else:
        return tuple(None for _ in runs)
    pairs = zip(runs, dense, price(dense), strict=True)
    return tuple(
        DenseLayer(total_cycles=other.total_cycles, energy_pj=energy_pj) if run.occupied_macs or run.skip else None
        for run, other, energy_pj in pairs
    )
