"""A run priced again with another energy table, the simulation left as it was.

Called by `cli.py`, and by users who sweep technology, not cycles.
"""

from dataclasses import replace

from archsim.cost.area import chip_area
from archsim.cost.assumptions import pricing_assumptions
from archsim.cost.energy import price_layer
from archsim.cost.energy_table import EnergyTable, load_energy_table
from archsim.study.result import RunResult


def recost(run: RunResult, table: EnergyTable) -> RunResult:
    """Return the run with the energy and area that ``table`` gives; cycles and traffic unchanged.

    Notes
    -----
    ``arch.energy`` keeps naming the table of the simulation, as ``table`` does not know its file; the
    assumptions name the new one.
    """
    layers = tuple(replace(layer, energy=price_layer(layer.run, run.arch, table)) for layer in run.layers)
    return replace(
        run, layers=layers, area=chip_area(run.arch, table), energy_assumptions=pricing_assumptions(run.arch, table)
    )


def recost_with_table(run: RunResult, table: str) -> RunResult:
    """Return the run priced with the energy table of that name or file, at the arch's node, overrides kept.

    The arch of the result names the new table.

    Raises
    ------
    ConfigError
        No such table, or a fault in it.
    """
    arch = replace(run.arch, energy=replace(run.arch.energy, table=table))
    return recost(replace(run, arch=arch), load_energy_table(arch.energy))
