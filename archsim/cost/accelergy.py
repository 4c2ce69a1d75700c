"""Accelergy's reference tables: ERT (pJ per action) and ART (um2), read and written.

`price_source.py` reads them, `study/result.py` writes them beside a run. Version 0.4 of Accelergy.
"""

from pathlib import Path

from archsim.config_file import ConfigText, read_tagged_yaml, validate
from archsim.cost.area import MM2_PER_UM2
from archsim.cost.foreign_schema import Art, ArtFile, ErtAction, ErtFile
from archsim.cost.foreign_table import BITS, OPERAND, ForeignAction, ForeignComponent, ForeignTable
from archsim.cost.price_list import Price, PriceList
from archsim.cost.price_places import LEAK, instances, place_of, quoted, six_digits, table_name
from archsim.errors import ConfigError

VERSION = "0.4"


def read_accelergy(text: ConfigText) -> ForeignTable:
    """Read an ERT, and the ART in the same file or beside it (``ERT`` in the file's name made ``ART``).

    Raises
    ------
    ConfigError
        Every fault of a file, with line and key.
    """
    file = validate(text, ErtFile, ConfigError)
    place = areas_beside(Path(text.path))
    beside = validate(read_tagged_yaml(place, ConfigError), ArtFile, ConfigError).ART if place else None
    areas = _areas(file.ART or beside)
    energies = tuple(
        ForeignComponent(
            path=table.name, actions=tuple(map(_action, table.actions)), area_mm2=areas.pop(table.name, None)
        )
        for table in file.ERT.tables
    )
    only_areas = tuple(ForeignComponent(path=name, actions=(), area_mm2=area) for name, area in areas.items())
    return ForeignTable(path=text.path, kind="Accelergy ERT", components=(*energies, *only_areas), default_bits=None)


def areas_beside(path: Path) -> Path | None:
    """Return the ART that lies beside an ERT: ``ART.yaml`` for ``ERT.yaml``, ``my_art.yaml`` for ``my_ert.yaml``."""
    place = path.with_name(path.name.replace("ERT", "ART").replace("ert", "art"))
    return place if place != path and place.is_file() else None


def ert_text(prices: PriceList, chip: str) -> str:
    """Return ERT.yaml: what every action on the chip costs. [pJ]"""
    lines = ["ERT:", f"  version: {VERSION}", "  tables:"]
    for component in dict.fromkeys(place_of(each)[0] for each in prices.prices):
        lines += [f"  - name: {quoted(_path(prices, chip, component))}", "    actions:"]
        lines += [f"    - {_row(each, prices)}" for each in prices.prices if place_of(each)[0] == component]
    return "\n".join(lines) + "\n"


def art_text(prices: PriceList, chip: str) -> str:
    """Return ART.yaml: the area of one piece of every component, or of all where they differ. [um2]"""
    lines = ["ART:", f"  version: {VERSION}", "  tables:"]
    for component in dict.fromkeys(part.component for part in prices.areas):
        total = sum(part.area_mm2 for part in prices.areas if part.component == component)
        area = six_digits(total / instances(prices, component) / MM2_PER_UM2)
        lines.append(f"  - {{name: {quoted(_path(prices, chip, component))}, area: {area}}}")
    return "\n".join(lines) + "\n"


def _path(prices: PriceList, chip: str, component: str) -> str:
    count = instances(prices, component)
    return f"{table_name(chip)}.{component}" + (f"[0..{count - 1}]" if count > 1 else "")


def _row(price: Price, prices: PriceList) -> str:
    component, action = place_of(price)
    pj = price.pj / instances(prices, component) if action == LEAK else price.pj
    pairs = [f"{OPERAND}: {price.operand}"] if price.operand else []
    pairs += [f"{BITS}: {six_digits(price.bits)}"] if price.bits else []
    return f"{{name: {action}, arguments: {{{', '.join(pairs)}}}, energy: {six_digits(pj)}}}"


def _areas(art: Art | None) -> dict[str, float]:
    return {table.name: table.area * MM2_PER_UM2 for table in (art.tables if art else ())}


def _action(action: ErtAction) -> ForeignAction:
    extra = action.arguments.model_extra if action.arguments else None
    arguments = tuple((name, str(value)) for name, value in (extra or {}).items())
    return ForeignAction(name=action.name, arguments=arguments, pj=action.energy, bits=action.bits)
