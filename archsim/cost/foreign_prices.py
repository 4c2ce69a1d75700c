"""A chip's price list from another tool's table; called by `price_source.py`.

archsim's own list says what the chip does and in which units; each price is then looked up in the table
by component and action, and brought to that unit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import fsum

from archsim.arch.architecture import Architecture
from archsim.config_file import did_you_mean
from archsim.cost.foreign_table import OPERAND, ForeignAction, ForeignComponent, ForeignTable
from archsim.cost.price_list import MAC, SPAD, VECTOR, AreaPart, Price, PriceList
from archsim.cost.price_places import LEAK, place_of
from archsim.errors import ConfigError
from archsim.terms import HELD_OPERANDS, Operand

PJ_PER_MW_US = 1e3
SYNONYMS = {"compute": ("compute", "mac", "mac_random")}
"""Names that other tools give an action."""
SOURCE = "table"


def foreign_prices(table: ForeignTable, own: PriceList, arch: Architecture) -> PriceList:
    """Replace a price list's numbers by those of a table; overrides of the arch keep their place.

    Parameters
    ----------
    table
        As read.
    own
        The chip's list from archsim's own table: what it does, in which units.
    arch
        The chip.

    Raises
    ------
    ConfigError
        Every component or action that the chip needs and the table lacks.

    Notes
    -----
    What a table of another tool seldom has (wires, networks of the array, clock, leakage, DRAM beyond its bursts)
    is 0 where it is not there, and said so; areas that are not there stay archsim's own.
    """
    finder = _Finder(table=table, arch=arch)
    prices = tuple(price for each in own.prices if (price := finder.priced(each)) is not None)
    if finder.faults:
        raise ConfigError("\n".join(dict.fromkeys(finder.faults)))
    areas = tuple(
        part for name in dict.fromkeys(each.component for each in own.areas) for part in finder.areas(name, own)
    )
    device = own.dram_device
    used = {price.source for price in prices} | {part.source for part in areas}
    sources = {SOURCE: f"{table.kind} {table.path}", **dict(own.sources)}
    return replace(
        own,
        name=table.path,
        prices=prices,
        areas=areas,
        sources=tuple((key, text) for key, text in sources.items() if key in used),
        assumptions=(
            f"energies and areas: {table.kind} {table.path}",
            *finder.sentences(),
            *((f"DRAM actions are counted in bursts and commands of {device.name}",) if device else ()),
            *(text for text in own.assumptions if text.startswith(("energy.overrides.", "level "))),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finder:
    """Looks prices up and remembers what it had to assume, and what was missing."""

    table: ForeignTable
    arch: Architecture
    faults: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unsized: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    own_areas: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def priced(self, price: Price) -> Price | None:
        """Return the price as the table has it; None where it lacks what never occurs."""
        if price.source.startswith("overrides."):
            return price
        component, action = place_of(price)
        if action == LEAK:
            return self._leakage(price, component)
        names = {component.lower(), f"{component}_{price.operand}".lower()}
        found = [each for each in self.table.components if each.name.lower() in names]
        self.used.update(each.path for each in found)
        variants = [each for part in found for each in part.actions if each.name in SYNONYMS.get(action, (action,))]
        variants = [each for each in variants if dict(each.arguments).get(OPERAND, price.operand) == price.operand]
        if not variants:
            return self._missing(price, found)
        return replace(price, pj=self._scaled(self._plainest(variants, price), price), source=SOURCE)

    def areas(self, component: str, own: PriceList) -> Iterable[AreaPart]:
        """Return the pieces of a component as the table has them, or archsim's own."""
        found = [
            each
            for each in self.table.components
            if each.area_mm2 is not None and self._belongs(each.name, component) and each.area_mm2 > 0
        ]
        if not found:
            mine = tuple(part for part in own.areas if part.component == component)
            self.own_areas.extend([component] if fsum(part.area_mm2 for part in mine) else [])
            return mine
        self.used.update(each.path for each in found)
        return tuple(
            AreaPart(component=component, count=each.instances, unit_mm2=each.area_mm2 or 0.0, source=SOURCE)
            for each in found
        )

    def sentences(self) -> Iterable[str]:
        """Return what a report must say of the look-up."""
        name = self.table.path
        ignored = [each.path for each in self.table.components if each.path not in self.used]
        for items, text in (
            (self.absent, f"{name} has no price of {{}}: counted as 0"),
            (self.unsized, f"{name} does not say what an action moves; taken as {{}}"),
            (self.chosen, f"{name}: of several variants of an action the plainest was taken: {{}}"),
            (self.own_areas, f"{name} has no area of {{}}: archsim's own table gives it"),
            (ignored, f"{name}: components that the chip does not have were let be: {{}}"),
        ):
            if items:
                yield text.format(", ".join(dict.fromkeys(items)))

    def _belongs(self, name: str, component: str) -> bool:
        names = (component, *(f"{component}_{operand}" for operand in HELD_OPERANDS))
        return name.lower() in {each.lower() for each in names}

    def _leakage(self, price: Price, component: str) -> Price:
        found = [each for each in self.table.components if self._belongs(each.name, component)]
        parts = [
            *(each.pj * part.instances for part in found for each in part.actions if each.name == LEAK),
            *(part.leak_mw * part.instances / self.arch.clock_mhz * PJ_PER_MW_US for part in found if part.leak_mw is not None),
        ]  # fmt: skip
        if not parts and price.pj:
            self.absent.append(f"leakage of {component}")
        return replace(price, pj=fsum(parts), source=SOURCE)

    def _missing(self, price: Price, found: list[ForeignComponent]) -> Price | None:
        component, action = place_of(price)
        if price.operand == Operand.OFMAP and component == SPAD:
            return None
        if not self._is_needed(price):
            self.absent.append(price.name)
            return replace(price, pj=0.0, source=SOURCE)
        known = sorted({each.name for each in self.table.components if each.name})
        if not found:
            hint = did_you_mean(component, known) or f" It has: {', '.join(known)}"
            self.faults.append(
                f"{self.table.path}: no component {component!r}, which the chip {self.arch.name!r} has.{hint}"
            )
        else:
            actions = ", ".join(sorted({each.name for part in found for each in part.actions})) or "none"
            operand = f" for operand {price.operand}" if price.operand else ""
            self.faults.append(
                f"{self.table.path}: component {found[0].path!r} has no action {action!r}{operand}; it has: {actions}"
            )
        return None

    def _is_needed(self, price: Price) -> bool:
        levels = (*(level.name for level in self.arch.srams), self.arch.dram.name)
        return price.component in (MAC, SPAD, *levels) or (
            price.component == VECTOR and self.arch.vector_unit is not None
        )

    def _plainest(self, variants: list[ForeignAction], price: Price) -> ForeignAction:
        """Take the operand's own, else the one whose arguments are largest: an access to new data at a new address."""
        own = [each for each in variants if dict(each.arguments).get(OPERAND) == price.operand and price.operand]
        best = max(own or variants, key=lambda each: (_size(each), each.pj))
        if len(own or variants) > 1:
            pairs = ", ".join(f"{name} {value}" for name, value in best.arguments) or "no arguments"
            self.chosen.append(f"{'.'.join(place_of(price))} ({pairs})")
        return best

    def _scaled(self, action: ForeignAction, price: Price) -> float:
        bits = action.bits or self.table.default_bits
        if not price.bits:
            return action.pj
        if bits is None:
            self.unsized.append(f"{'.'.join(place_of(price))}: {price.unit}")
            return action.pj
        return action.pj * price.bits / bits


def _size(action: ForeignAction) -> float:
    values = [value for name, value in action.arguments if name != OPERAND]
    return fsum(float(value) for value in values if value.replace(".", "", 1).isdecimal())
