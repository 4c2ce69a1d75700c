"""Whether a row-stationary mapping fits an array and its buffers, and if not, what is missing.

`row_stationary.py` asks `misfits` of a mapping that the user fixed, `row_search.py` of the smallest one when nothing
fits; the search itself asks `room_left` of all candidates at once.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import LETTERS, RowMapping
from archsim.mapping.row_shape import RowShape
from archsim.terms import Operand

IntArray = NDArray[np.int64]
HELD = (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)


def sets_that_fit(filter_rows: int, set_width: int, array: PeArray) -> int:
    """Return how many PE sets lie on the array at one time; one that is wider than the array is folded.

    Parameters
    ----------
    filter_rows
        Height of a set.
    set_width
        Ofmap rows of a set.
    array
        Its rows and columns.
    """
    in_height = array.rows // filter_rows
    if set_width <= array.columns:
        return in_height * (array.columns // set_width)
    return in_height // -(-set_width // array.columns)


def tile_bytes(operand: Operand, words: IntArray, arch: Architecture) -> IntArray:
    """Return the room that a tile of an operand takes in its level, copies loaded ahead and whole banks included. [B]"""
    level, size = arch.sram_of(operand), _copies_bytes(operand, words, arch)
    bank = _bank_bytes(level) if level else 1
    return -(-size // bank) * bank


def _copies_bytes(operand: Operand, words: IntArray, arch: Architecture) -> IntArray:
    """Return the bytes of a tile's values, copies loaded ahead included. [B]"""
    level = arch.sram_of(operand)
    return 0 * words if level is None else level.tile_copies * arch.group(level.name, operand).bytes_of(words)


def _bank_bytes(level: SramLevel) -> int:
    """Return what one operand takes or leaves of a level: a bank, where operands share several. [B]"""
    shares_banks = level.partition_bytes is None and level.banks > 1
    return max(1, level.capacity_bytes // level.banks) if shares_banks else 1


def room_left(words: dict[Operand, IntArray], arch: Architecture) -> NDArray[np.bool_]:
    """Return which sets of tiles fit every level."""
    fits = np.ones_like(words[Operand.IFMAP], dtype=np.bool_)
    for level in arch.srams:
        here = [operand for operand in HELD if arch.sram_of(operand) is level]
        if level.partition_bytes is not None:
            for operand in here:
                fits &= tile_bytes(operand, words[operand], arch) <= level.room_for(operand)
        elif here:
            fits &= sum(tile_bytes(operand, words[operand], arch) for operand in here) <= level.room_bytes
    return fits


def weights_stay(mappings: IntArray, shape: RowShape, arch: Architecture) -> NDArray[np.bool_]:
    """Return for which mappings, shape (mappings, 7), the weights of a whole group fit a level beside the tiles."""
    has_level = arch.sram_of(Operand.WEIGHT) is not None
    return room_left(shape.tiles_of(mappings, whole_weights=True), arch) & has_level


def misfits(mapping: RowMapping, shape: RowShape, arch: Architecture) -> Iterator[str]:
    """Yield every capacity that a mapping exceeds, by how much, and what it would take."""
    array = arch.pe_array
    yield from _too_many_sets(mapping, shape, array)
    yield from _too_small_spads(mapping, shape, array)
    tiles = shape.tiles_of(np.array([mapping.letters], dtype=np.int64))
    words = {operand: int(count[0]) for operand, count in tiles.items()}
    smaller = max(mapping.letters) > 1
    for level in arch.srams:
        yield from _too_small_level(level, words, arch, smaller=smaller)


def _too_many_sets(mapping: RowMapping, shape: RowShape, array: PeArray) -> Iterator[str]:
    tallest = max(shape.row_parts)
    wanted, fitting = mapping.r * mapping.t, sets_that_fit(tallest, mapping.e, array)
    if wanted > fitting:
        yield (
            f"r x t = {wanted} PE sets of {tallest} x {mapping.e} PEs; {fitting} fit {array.rows} x {array.columns} PEs: "
            "choose a smaller e, r or t"
        )


def _too_small_spads(mapping: RowMapping, shape: RowShape, array: PeArray) -> Iterator[str]:
    spads, widest = array.require_spads(), max(shape.column_parts)
    wanted = {
        "ifmap_words": (mapping.q * widest, f"q x {widest} filter columns"),
        "weight_words": (mapping.p * mapping.q * widest, f"p x q x {widest} filter columns"),
        "psum_words": (mapping.p, "p"),
    }
    for name, (words, product) in wanted.items():
        held = getattr(spads, name)
        if words > held:
            yield f"{product} = {words} words; pe_array.spads.{name} is {held}: give it {words}, or choose a smaller p or q"


def _too_small_level(
    level: SramLevel, words: dict[Operand, int], arch: Architecture, *, smaller: bool
) -> Iterator[str]:
    needs = {
        operand: int(tile_bytes(operand, np.array(words[operand]), arch))
        for operand in HELD
        if arch.sram_of(operand) is level
    }
    if level.partition_bytes is not None:
        for operand, need in needs.items():
            if need > level.room_for(operand):
                yield (
                    f"{operand} takes {need:,} B of {level.name}, whose part for it is {level.room_for(operand):,} B: "
                    f"give it {need - level.room_for(operand):,} B more"
                )
    elif sum(needs.values()) > level.room_bytes:
        parts = " + ".join(f"{operand} {need:,} B" for operand, need in needs.items())
        whole = f", each in whole banks of {_bank_bytes(level):,} B," if _bank_bytes(level) > 1 else ""
        sizes = [int(_copies_bytes(operand, np.array(words[operand]), arch)) for operand in needs]
        yield (
            f"{parts}{whole} exceed {level.name} ({level.room_bytes:,} B) by {sum(needs.values()) - level.room_bytes:,} B: "
            f"give it {_enough_bytes(sizes, level):,} B{_or_smaller(smaller, _letters(needs))}"
        )


def _enough_bytes(sizes: list[int], level: SramLevel) -> int:
    """Return the least capacity in which tiles of these sizes fit, each in whole banks of it. [B]"""
    if _bank_bytes(level) == 1 and level.banks == 1:
        return sum(sizes) + level.keep_bytes
    bank = -(-(sum(sizes) + level.keep_bytes) // level.banks)
    while sum(-(-size // bank) for size in sizes) * bank + level.keep_bytes > bank * level.banks:
        bank += 1
    return bank * level.banks


def _or_smaller(can_be: bool, letters: str) -> str:
    """Name the letters to lower; nothing where they are all 1."""
    return f", or choose a smaller {letters}" if can_be else ""


def _letters(operands: Iterable[Operand]) -> str:
    """Name the letters that the tiles of some operands grow with."""
    grows = {Operand.IFMAP: "neqr", Operand.PSUM: "mne", Operand.WEIGHT: "pqrt"}
    found = [letter for letter in LETTERS if any(letter in grows[operand] for operand in operands)]
    return f"{', '.join(found[:-1])} or {found[-1]}"
