"""The chip's price list, whichever table it comes from; called by `study/`.

``energy.table`` names archsim's own table, the shipped one or a user's, or a table in a format of the field:
an Accelergy ERT, or an AccelForge architecture.
"""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from archsim.arch.architecture import Architecture
from archsim.config_file import read_tagged_yaml
from archsim.cost.accelergy import areas_beside, read_accelergy
from archsim.cost.accelforge import read_accelforge
from archsim.cost.chip_prices import chip_prices
from archsim.cost.energy_table import SHIPPED_TABLES, EnergyTable, load_energy_table, table_path
from archsim.cost.foreign_prices import foreign_prices
from archsim.cost.foreign_table import ForeignTable
from archsim.cost.price_list import PriceList
from archsim.errors import ConfigError


def load_prices(arch: Architecture) -> PriceList:
    """Price a chip with the table that its ``energy`` names.

    Raises
    ------
    ConfigError
        No such table, a fault in it, or one that lacks what the chip does.
    """
    choice = arch.energy
    if choice.table in SHIPPED_TABLES:
        return chip_prices(arch, load_energy_table(choice))
    path = table_path(choice.table)
    foreign = _foreign_table(path, _stamps(path))
    if foreign is None:
        return chip_prices(arch, load_energy_table(choice))
    own = chip_prices(arch, load_energy_table(replace(choice, table="default")))
    return foreign_prices(foreign, own, arch)


def own_table(arch: Architecture) -> EnergyTable:
    """Return archsim's own table at a chip's node: the one that its ``energy`` names, or else the shipped one."""
    choice = arch.energy
    if choice.table not in SHIPPED_TABLES:
        path = table_path(choice.table)
        if _foreign_table(path, _stamps(path)) is not None:
            choice = replace(choice, table="default")
    return load_energy_table(choice)


def with_energy_table(arch: Architecture, table: str) -> Architecture:
    """Return the chip priced by another table, at its node, overrides kept."""
    return replace(arch, energy=replace(arch.energy, table=table))


def _stamps(path: Path) -> tuple[int, ...]:
    """Return when a table and the areas beside it last changed."""
    return tuple(place.stat().st_mtime_ns for place in (path, areas_beside(path)) if place is not None)


@lru_cache(maxsize=8)
def _foreign_table(path: Path, _stamps: tuple[int, ...]) -> ForeignTable | None:
    """Return a table in a format of the field, read once per change; None where the file is archsim's own."""
    text = read_tagged_yaml(path, ConfigError)
    if "ERT" in text.data:
        return read_accelergy(text)
    if isinstance(text.data.get("arch"), dict):
        return read_accelforge(text)
    if "ART" in text.data:
        raise ConfigError(f"{path}: an ART has areas alone; name the ERT, and {path.name} is read beside it")
    return None
