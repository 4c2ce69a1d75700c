"""What a PE of planar tiles has: what it multiplies in a cycle, banked accumulators, and when PEs wait for each other.

Part of `pe_array.py`; `mapping/planar_shape.py`, `mapping/planar_counts.py` and `kernels/planar_tiles.py` read it.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum

from archsim.arch.lowest import check_lowest
from archsim.arch.row_pe import Spads

HASHED_BANKS = 32
"""Banks that the address hash tells apart; with fewer, what it gives is taken modulo their number."""


class Products(StrEnum):
    """What the multipliers of a PE do with the two vectors of a cycle."""

    CARTESIAN = "cartesian"
    """Each ifmap value meets each weight; products go to the psums they belong to (SCNN)."""
    DOT = "dot"
    """Value by value, all of one window, into one psum (DCNN). Dense only."""


class Barrier(StrEnum):
    """What PEs have to finish before any of them goes on."""

    GROUP = "group"
    """All channels of a group of filters; inside it, PEs drift apart."""
    CHANNEL = "channel"
    """Every channel of a group: what DNNsim counts."""


class FilterGroup(StrEnum):
    """How many filters a PE works on together."""

    POWER_OF_TWO = "power_of_two"
    """The largest power of two whose psums, those of the halo included, fit the accumulators."""
    OFMAP_TILE = "ofmap_tile"
    """As many as the accumulators hold tiles of the ofmap, without a halo: DNNsim's rule."""


class Halo(StrEnum):
    """What it takes to hand psums that belong to neighbours over to them, at the end of a group of filters."""

    HIDDEN = "hidden"
    """No time: the accumulators are doubled."""
    ONE_PORT = "one_port"
    """A cycle for each psum of the halo."""
    LINKS = "links"
    """A link to each of eight neighbours: a cycle for each psum of the widest part, which is DNNsim's rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanarPe:
    """What moves the cycles of planar tiles.

    Parameters
    ----------
    ifmap_vector, weight_vector
        Nonzero values of each operand that a PE multiplies in a cycle, each with each.
    accumulator_entries
        Psums of one half of a PE's accumulator buffer; the other half is drained meanwhile. [words]
    products
        What is multiplied with what; ``dot`` is a dense array of the same multipliers.
    barrier
        When PEs wait for each other.
    filter_group
        How many filters share a pass over the ifmap.
    banks
        Of a PE's accumulators, chosen by a hash of filter, row and column; each adds one product per cycle.
    bank_queue
        Products that wait at a bank, the one that is added included: 1 = no queue, a cycle lasts until the fullest bank has
        added all of its products. None = conflicts are not counted. Zero skipping only.
    weight_fifo_words
        Weights that a PE keeps of those broadcast to it: a matter of energy and area, not of cycles. [words]
    drain_cycles
        From the last product of a filter group to the start of the next one: an RTL takes 15 for its crossbar. [cycles]
    halo
        How psums of a tile's halo reach the PEs that they belong to, at the end of a filter group.
    even_tiles
        The plane is cut as evenly as it can be, so that every PE has a part of it, as a peer simulator does; False = in tiles
        of ceil(side / PEs), the last PEs with smaller ones or none.
    tiles_padding
        The plane is cut with its padding, as DNNsim does; padding is not multiplied in either case.
    """

    ifmap_vector: int = 4
    weight_vector: int = 4
    accumulator_entries: int = 1024
    products: Products = Products.CARTESIAN
    barrier: Barrier = Barrier.GROUP
    filter_group: FilterGroup = FilterGroup.POWER_OF_TWO
    banks: int = HASHED_BANKS
    bank_queue: int | None = None
    weight_fifo_words: int = 200
    drain_cycles: int = 0
    halo: Halo = Halo.HIDDEN
    even_tiles: bool = False
    tiles_padding: bool = False

    def __post_init__(self) -> None:
        counts = ["ifmap_vector", "weight_vector", "accumulator_entries", "banks", "weight_fifo_words"]
        check_lowest(
            self, [*counts, *(["bank_queue"] if self.bank_queue is not None else [])], place="pe_array.planar."
        )
        check_lowest(self, ("drain_cycles",), place="pe_array.planar.", lowest=0)

    @property
    def is_dot(self) -> bool:
        """Whether the PE takes dot products."""
        return self.products is Products.DOT

    @property
    def dense(self) -> "PlanarPe":
        """The same PE taking every value: vectors in step with the banks, free of conflicts."""
        return replace(self, bank_queue=None, banks=HASHED_BANKS)

    @property
    def stores(self) -> Spads:
        """What a PE keeps its words in: an ifmap vector, the weights broadcast to it, both halves of the accumulators."""
        return Spads(ifmap_words=self.ifmap_vector, weight_words=self.weight_fifo_words,
                     psum_words=2 * self.accumulator_entries)  # fmt: skip

    def misfits(self, multipliers_per_pe: int, *, skips: bool) -> list[str]:
        """Say what does not go together, with the PE's multipliers and with zero skipping."""
        found = []
        if self.ifmap_vector * self.weight_vector != multipliers_per_pe:
            found.append(
                f"multipliers_per_pe (={multipliers_per_pe}) must be planar.ifmap_vector x planar.weight_vector "
                f"(={self.ifmap_vector * self.weight_vector})"
            )
        if self.is_dot and skips:
            found.append("planar.products (=dot) is dense: with zero_skip = skip a PE has to meet each value with each")
        if self.is_dot:
            found += [
                f"planar.{name} (={getattr(self, name)!s}) needs products = cartesian: a dot product has one psum of its own"
                for name in _CARTESIAN_ONLY
                if getattr(self, name) != _DEFAULTS[name]
            ]
        if self.bank_queue is not None and not skips and not self.is_dot:
            found.append(
                f"planar.bank_queue (={self.bank_queue}) needs zero_skip = skip: conflicts are counted there only"
            )
        if self.banks != HASHED_BANKS and self.bank_queue is None and not self.is_dot:
            found.append(f"planar.banks (={self.banks}) needs bank_queue: without it conflicts are not counted")
        if self.banks > HASHED_BANKS:
            found.append(f"planar.banks (={self.banks}) must be at most {HASHED_BANKS}: the hash tells no more apart")
        return found


_CARTESIAN_ONLY = ("accumulator_entries", "barrier", "filter_group", "banks", "bank_queue", "drain_cycles",
                   "halo", "even_tiles", "tiles_padding")  # fmt: skip
_DEFAULTS = {field.name: field.default for field in fields(PlanarPe)}
