"""A chip's own prices for the search for mappings of least energy, put in before it runs; called by `simulate.py` and `zero_saving.py`."""

from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.cost.access_prices import access_prices
from archsim.cost.price_source import load_prices
from archsim.terms import Dataflow, MapObjective


def with_own_prices(arch: Architecture) -> Architecture:
    """Return the arch with its own prices in the search for mappings of least energy, where there is one."""
    if arch.pe_array.dataflow is not Dataflow.ROW_STATIONARY or arch.mapping.objective is MapObjective.TIME:
        return arch
    return replace(arch, mapping=replace(arch.mapping, prices=access_prices(arch, load_prices(arch))))
