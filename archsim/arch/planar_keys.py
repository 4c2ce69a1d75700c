"""The keys of ``pe_array.planar`` in an arch file; part of `pe_array_keys.py`."""

from pydantic import StrictBool

from archsim.arch.keys import Keys
from archsim.arch.planar_pe import HASHED_BANKS, Barrier, FilterGroup, Halo, PlanarPe, Products
from archsim.arch.value_types import Count, Cycles


class PlanarKeys(Keys):
    """``pe_array.planar``: the fields of `PlanarPe`, under the same names."""

    ifmap_vector: Count = 4
    weight_vector: Count = 4
    accumulator_entries: Count = 1024
    products: Products = Products.CARTESIAN
    barrier: Barrier = Barrier.GROUP
    filter_group: FilterGroup = FilterGroup.POWER_OF_TWO
    banks: Count = HASHED_BANKS
    bank_queue: Count | None = None
    weight_fifo_words: Count = 200
    drain_cycles: Cycles = 0
    halo: Halo = Halo.HIDDEN
    even_tiles: StrictBool = False
    tiles_padding: StrictBool = False

    def build(self) -> PlanarPe:
        """Return the settings."""
        return PlanarPe(**dict(self))
