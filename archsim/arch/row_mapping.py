"""A row-stationary mapping of one layer, in the letters of its paper, and what an arch says of mappings.

The letters are those of Y.-H. Chen et al., JSSC 52(1), 2017, table III.
"""

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from archsim.arch.access_prices import AccessPrices
from archsim.arch.lowest import check_lowest
from archsim.terms import MapObjective

LETTERS = ("m", "n", "e", "p", "q", "r", "t")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMapping:
    """How one layer lies on a row-stationary array.

    Parameters
    ----------
    m
        Filters whose psums live in the GLB at one time.
    n
        Images of a pass.
    e
        Ofmap rows of a pass: the width of a PE set.
    p, q
        Filters and channels that one PE interleaves.
    r, t
        PE sets on different channels, and on different filters.
    """

    m: int
    n: int
    e: int
    p: int
    q: int
    r: int
    t: int

    def __post_init__(self) -> None:
        check_lowest(self, LETTERS, place="mapping: ")

    @property
    def letters(self) -> tuple[int, ...]:
        """The numbers in the order of `LETTERS`."""
        return tuple(getattr(self, letter) for letter in LETTERS)

    def __str__(self) -> str:
        return " ".join(f"{letter}={getattr(self, letter)}" for letter in LETTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedMapping:
    """A mapping that the arch file gives for a layer.

    Parameters
    ----------
    workload, layer
        Names, or patterns of names (``conv*``).
    mapping
        As given.
    source
        Where it comes from; shown in the report.
    """

    workload: str
    layer: str
    mapping: RowMapping
    source: str = "given by the user"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingChoice:
    """What an arch says of mappings.

    Parameters
    ----------
    objective
        What layers without a fixed mapping are searched for.
    fixed
        In the order of the file; the first that names a layer holds.
    prices
        What energy is counted by in the search.
    """

    objective: MapObjective = MapObjective.TIME
    fixed: tuple[FixedMapping, ...] = ()
    prices: AccessPrices = field(default_factory=AccessPrices)

    def for_layer(self, workload: str, layer: str) -> "MappingChoice":
        """Return the choice with only what holds for one layer left."""
        found = (each for each in self.fixed if fnmatchcase(workload, each.workload) and fnmatchcase(layer, each.layer))
        return replace(self, fixed=tuple(found)[:1])
