"""What every action on one chip costs, every part's area, and whence each number comes.

Made by `chip_prices.py` from archsim's own table and by `foreign_prices.py` from a table of another tool;
`energy.py` multiplies it with a layer's counts, `accelergy.py` and `accelforge.py` write it in the formats of the field.
"""

from dataclasses import dataclass

from archsim.arch.dram_device import DramDevice

MAC, SPAD, VECTOR, WIRES, LEAKAGE = "mac", "spad", "vector", "wires", "leakage"
NOC, CLOCK = "noc", "clock"
"""Components beside the memory levels, which go by their names; the last two only where the chip has them."""
DRAM_PARTS = ("activate", "refresh", "background", "io")
"""What DRAM costs beyond its bursts; the components are the level's name, an underscore and one of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one action costs.

    Parameters
    ----------
    component
        ``mac``, a level's name...
    action
        ``compute``, ``read``...
    operand
        Whose action it is where operands differ; empty = any.
    unit
        What is counted: ``MAC``, ``access of 8 B``, ``cycle``...
    pj
        Of one. [pJ]
    source
        Key of `PriceList.sources`.
    bits
        That one action moves; 0 = it moves none. [b]
    """

    component: str
    action: str
    operand: str = ""
    unit: str
    pj: float
    source: str
    bits: float = 0.0

    @property
    def name(self) -> str:
        """``component.action``, the operand behind it, for messages."""
        return f"{self.component}.{self.action}" + (f" of {self.operand}" if self.operand else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPart:
    """Equal pieces of one component: PEs, lanes, banks.

    Parameters
    ----------
    component
        As in `Price`.
    count
        Pieces.
    unit_mm2
        Area of one. [mm2]
    source
        Key of `PriceList.sources`.
    """

    component: str
    count: int
    unit_mm2: float
    source: str

    @property
    def area_mm2(self) -> float:
        """Area of all pieces. [mm2]"""
        return self.count * self.unit_mm2


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices and areas of one chip.

    Parameters
    ----------
    name
        Of the table they come from.
    components
        In the order in which results show them.
    prices
        Each component, action and operand once.
    areas
        Pieces of the chip.
    dram_device
        Whose commands DRAM is priced by; None = a flat price per bit.
    sources
        (key, sentence) pairs.
    assumptions
        Sentences that a report must show.
    """

    name: str
    components: tuple[str, ...]
    prices: tuple[Price, ...]
    areas: tuple[AreaPart, ...]
    dram_device: DramDevice | None
    sources: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]

    def by_name(self) -> dict[tuple[str, str, str], Price]:
        """Return the prices by component, action and operand."""
        return {(each.component, each.action, each.operand): each for each in self.prices}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEnergy:
    """How often a layer did something, and what that cost: a row of actions.csv.

    Parameters
    ----------
    component, action, operand, unit, source
        As in `Price`.
    count
        Of units; a share of an access where bytes do not fill one.
    unit_pj
        Of one. [pJ]
    """

    component: str
    action: str
    operand: str
    unit: str
    count: int | float
    unit_pj: float
    source: str

    @property
    def energy_pj(self) -> float:
        """Count x price. [pJ]"""
        return self.count * self.unit_pj
