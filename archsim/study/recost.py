"""A run priced again with another energy table, the simulation left as it was.

Called by `cli.py`, and by users who sweep technology, not cycles.
"""

from dataclasses import replace

from archsim.cost.chip_prices import chip_prices
from archsim.cost.energy import price_layer
from archsim.cost.energy_table import EnergyTable
from archsim.cost.price_list import PriceList
from archsim.cost.price_source import load_prices, with_energy_table
from archsim.study.result import RunResult


def recost(run: RunResult, table: EnergyTable) -> RunResult:
    """Return the run with the energy and area that ``table`` gives; cycles and traffic unchanged.

    Notes
    -----
    ``arch.energy`` keeps naming the table of the simulation, as ``table`` does not know its file; the
    assumptions name the new one.
    """
    return _priced(run, chip_prices(run.arch, table))


def recost_with_table(run: RunResult, table: str) -> RunResult:
    """Return the run priced with the energy table of that name or file, at the arch's node, overrides kept.

    The arch of the result names the new table.

    Raises
    ------
    ConfigError
        No such table, a fault in it, or one that lacks what the chip does.
    """
    arch = with_energy_table(run.arch, table)
    return _priced(replace(run, arch=arch), load_prices(arch))


def _priced(run: RunResult, prices: PriceList) -> RunResult:
    layers = tuple(replace(layer, energy=price_layer(layer.run, run.arch, prices)) for layer in run.layers)
    return replace(run, layers=layers, prices=prices)
