"""Codes that shorten zeros on the DRAM channel: exact encoders and decoders, and sizes in bits.

``rlc5`` is Eyeriss' run-length code: pairs of a 5-bit run of zeros and the level behind it, as many
in a 64-bit word as leave one bit to mark the last word (three at 16 bit). A run ends at 31: a longer one
costs a pair whose level is itself zero. ``bitmask`` is one bit per value, then the nonzero values.

The size of either code depends on a tensor through three counts only (`ZeroCounts`), which come from the
values or are expected from a share of zeros.

The format of ``rlc5`` and what is coded by it (ifmaps in, ofmaps out; neither weights nor psums) are those
of the Eyeriss chip (Y.-H. Chen et al., JSSC 52(1), 2017), recalled rather than read from the paper; the order
of bits in a word is chosen here.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.terms import Compression, Operand

IntArray = NDArray[np.int64]
LINK_WORD_BITS = 64
RUN_BITS = 5
LONGEST_RUN = 2**RUN_BITS - 1
WIDEST_LEVEL_BITS = LINK_WORD_BITS - 1 - RUN_BITS
"""Widest value that a pair of ``rlc5`` holds. [b]"""
CODED_BY_EYERISS = (Operand.IFMAP, Operand.OFMAP)
"""What a code applies to where the arch names no operands: what the published chip codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCounts:
    """What the size of a coded tensor depends on.

    Parameters
    ----------
    words
        Values. [words]
    nonzero_words
        Those that are not zero. [words]
    run_pairs
        Pairs of `encode_rlc5`, those for runs beyond 31 and for zeros at the end included.
    """

    words: int
    nonzero_words: int
    run_pairs: int

    def __post_init__(self) -> None:
        if not 0 <= self.nonzero_words <= self.run_pairs <= self.words:
            raise ValueError(f"no tensor has {self}")

    @property
    def zero_fraction(self) -> float:
        """Share of zeros, 0..1; 0 for an empty tensor."""
        return 1.0 - self.nonzero_words / self.words if self.words else 0.0

    def over(self, words: int) -> "ZeroCounts":
        """Return the counts of a tensor of another length, alike in every part."""
        if words == self.words or not self.words:
            return self if words == self.words else expect_zeros(words, 0.0)
        nonzero = (2 * self.nonzero_words * words + self.words) // (2 * self.words)
        return ZeroCounts(
            words=words, nonzero_words=nonzero, run_pairs=max(nonzero, -(-self.run_pairs * words // self.words))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedSize:
    """A tensor on the channel. [b]

    Parameters
    ----------
    payload_bits
        The nonzero values; all of them where nothing is coded.
    metadata_bits
        All the rest: runs, levels that are zero, end marks, masks, padding.
    """

    payload_bits: int
    metadata_bits: int

    @property
    def bits(self) -> int:
        """What crosses the channel. [b]"""
        return self.payload_bits + self.metadata_bits


def count_zeros(values: NDArray[np.generic]) -> ZeroCounts:
    """Count a real tensor, in the order in which it lies in memory (C order)."""
    flat = values.ravel()
    gaps, trailing = _zero_runs(flat)
    pairs = len(gaps) + int((gaps // (LONGEST_RUN + 1)).sum()) - (-trailing // (LONGEST_RUN + 1))
    return ZeroCounts(words=len(flat), nonzero_words=len(gaps), run_pairs=pairs)


def expect_zeros(words: int, zero_fraction: float) -> ZeroCounts:
    """Expect the counts from a share of zeros that fall independently of each other.

    A pair covers k values with probability z^(k-1) (1 - z) for k < 32, and 32 with probability z^31:
    1 + z + ... + z^31 = (1 - z^32) / (1 - z) values on average, so that by Wald's identity the mean number
    of pairs over ``words`` values lies between ``words`` / that mean and one pair more. The lower bound is
    returned, rounded up to a whole pair: exact for z = 0 and z = 1.

    Notes
    -----
    Not modelled: zeros that cluster, as those of real ifmaps do; longer runs make the true code shorter
    where runs stay below 32.
    """
    mean_length = math.fsum(zero_fraction**k for k in range(LONGEST_RUN + 1))
    nonzero = words - round(words * zero_fraction)
    return ZeroCounts(
        words=words, nonzero_words=nonzero, run_pairs=min(words, max(nonzero, math.ceil(words / mean_length)))
    )


def pairs_per_word(width_bits: int) -> int:
    """Return the pairs of ``rlc5`` in a 64-bit word, one bit kept to mark the last word.

    Raises
    ------
    ValueError
        A value is wider than 58 bits: no pair fits.
    """
    if not 1 <= width_bits <= WIDEST_LEVEL_BITS:
        raise ValueError(f"rlc5 codes values of 1 to {WIDEST_LEVEL_BITS} bits, not {width_bits}")
    return (LINK_WORD_BITS - 1) // (RUN_BITS + width_bits)


def coded_size(counts: ZeroCounts, code: Compression, width_bits: int) -> CodedSize:
    """Return the size of a tensor under a code; it may exceed the plain one, and is never traded for it.

    ``rlc5`` fills whole 64-bit words, ``bitmask`` whole bytes. [b]
    """
    payload = counts.nonzero_words * width_bits
    if code is Compression.RLC5:
        total = -(-counts.run_pairs // pairs_per_word(width_bits)) * LINK_WORD_BITS
    elif code is Compression.BITMASK:
        total = -(-(counts.words + payload) // 8) * 8
    else:
        payload = total = counts.words * width_bits
    return CodedSize(payload_bits=payload, metadata_bits=total - payload)


def encode_rlc5(values: IntArray, width_bits: int) -> NDArray[np.uint64]:
    """Encode bit patterns; the first pair lies in the lowest bits of a word, run below level.

    Parameters
    ----------
    values
        0 .. 2**width_bits - 1 each, in stream order.
    width_bits
        Of a value. [b]

    Returns
    -------
    uint64 array
        The last word has its top bit set; pairs left over in it are 0.

    Raises
    ------
    ValueError
        A value does not fit its width, or the width does not fit a word.
    """
    per_word = pairs_per_word(width_bits)
    flat = _checked(values, width_bits)
    runs, levels = _pairs(flat)
    words = -(-len(runs) // per_word)
    packed = np.zeros(words * per_word, dtype=np.uint64)
    packed[: len(runs)] = runs.astype(np.uint64) | (levels.astype(np.uint64) << np.uint64(RUN_BITS))
    shifts = np.arange(per_word, dtype=np.uint64) * np.uint64(RUN_BITS + width_bits)
    code: NDArray[np.uint64] = np.bitwise_or.reduce(packed.reshape(words, per_word) << shifts, axis=1, initial=0)
    if words:
        code[-1] |= np.uint64(1 << (LINK_WORD_BITS - 1))
    return code


def decode_rlc5(code: NDArray[np.uint64], words: int, width_bits: int) -> IntArray:
    """Return the first ``words`` values of a code: what `encode_rlc5` was given."""
    per_word = pairs_per_word(width_bits)
    shifts = np.arange(per_word, dtype=np.uint64) * np.uint64(RUN_BITS + width_bits)
    pairs = (code[:, None] >> shifts).ravel() & np.uint64((1 << (RUN_BITS + width_bits)) - 1)
    runs = (pairs & np.uint64(LONGEST_RUN)).astype(np.int64)
    values = np.zeros(int(runs.sum()) + len(runs), dtype=np.int64)
    values[np.cumsum(runs + 1) - 1] = (pairs >> np.uint64(RUN_BITS)).astype(np.int64)
    return values[:words]


def encode_bitmask(values: IntArray, width_bits: int) -> NDArray[np.uint8]:
    """Encode bit patterns: a bit per value (1 = not zero), then the nonzero ones, lowest bit first.

    Parameters, result (as bytes, the last one padded with 0) and errors as in `encode_rlc5`; up to 62 bits.
    """
    flat = _checked(values, width_bits)
    kept = flat[flat != 0]
    bits = (kept[:, None] >> np.arange(width_bits, dtype=np.int64)) & 1
    return np.packbits(np.concatenate([flat != 0, bits.ravel().astype(np.bool_)]), bitorder="little")


def decode_bitmask(code: NDArray[np.uint8], words: int, width_bits: int) -> IntArray:
    """Return the ``words`` values of a code: what `encode_bitmask` was given."""
    bits = np.unpackbits(code, bitorder="little")
    mask = bits[:words].astype(np.bool_)
    levels = bits[words : words + int(mask.sum()) * width_bits].reshape(-1, width_bits).astype(np.int64)
    values = np.zeros(words, dtype=np.int64)
    values[mask] = levels @ (np.int64(1) << np.arange(width_bits, dtype=np.int64))
    return values


def _zero_runs(flat: NDArray[np.generic]) -> tuple[IntArray, int]:
    """Return the zeros before each nonzero value, and zeros behind the last."""
    places = np.flatnonzero(flat)
    gaps: IntArray = np.diff(places, prepend=-1) - 1
    return gaps, len(flat) - (int(places[-1]) + 1 if len(places) else 0)


def _pairs(flat: IntArray) -> tuple[IntArray, IntArray]:
    """Return runs and levels: (31, 0) stands for 32 zeros, and zeros at the end close with (run, 0)."""
    gaps, trailing = _zero_runs(flat)
    levels = flat[flat != 0]
    if trailing:  # the last zero is a level
        gaps, levels = np.append(gaps, trailing - 1), np.append(levels, 0)
    extra = gaps // (LONGEST_RUN + 1)
    last = np.cumsum(extra + 1) - 1
    runs = np.full(int(extra.sum()) + len(gaps), LONGEST_RUN, dtype=np.int64)
    runs[last] = gaps % (LONGEST_RUN + 1)
    coded = np.zeros_like(runs)
    coded[last] = levels
    return runs, coded


def _checked(values: IntArray, width_bits: int) -> IntArray:
    flat = np.asarray(values, dtype=np.int64).ravel()
    if not 1 <= width_bits <= 62:
        raise ValueError(f"values of 1 to 62 bits are encoded, not {width_bits}")
    if len(flat) and not 0 <= int(flat.min()) <= int(flat.max()) < 1 << width_bits:
        raise ValueError(f"a value lies outside 0 .. 2**{width_bits} - 1; give bit patterns (value & mask)")
    return flat
