"""How often a word is used at each level, and what that costs: the splits a, b, c, d of Chen, Emer and Sze, ISCA 2016.

Made by the dataflows of this folder for all their mappings at once, priced by `search.py`. Every count is an array over
mappings; the arrays of one mapping space broadcast against each other.
"""

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError

Counts = NDArray[np.float64]


class ReuseLevel(StrEnum):
    """Where a word is accessed, from far to near; the ALU counts MACs."""

    DRAM = "dram"
    GLB = "glb"
    ARRAY = "array"
    """A word that travels to a PE, or a psum from one PE to the next."""
    SPAD = "spad"
    """The register file of a PE."""
    ALU = "alu"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCosts:
    """Energy of one access of a 16-bit word. [MACs]

    Parameters
    ----------
    dram, glb, array, spad
        Of an access at the level.
    alu
        Of a MAC.
    searched_psum_hop
        How often the search for a mapping counts a psum's hop in the array; energies that are reported count it once.
        2, a send and a receive, is inferred from the published figures: with it the mappings behind all of figure 10
        are found, with 1 others that take up to 0.9 % less energy.

    References
    ----------
    .. [1] Y.-H. Chen, J. Emer, V. Sze, Eyeriss: a spatial architecture for energy-efficient dataflow for convolutional
       neural networks, ISCA 2016, table IV.
    """

    dram: float = 200.0
    glb: float = 6.0
    array: float = 2.0
    spad: float = 1.0
    alu: float = 1.0
    searched_psum_hop: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise ConfigError(f"{field.name} (={getattr(self, field.name)!r}) must not be negative")

    def of(self, level: ReuseLevel) -> float:
        """Return the price of an access at the level. [MACs]"""
        return float(getattr(self, level.value))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputReuse:
    """How often each word of the ifmap or of the weights is read from each level, on average.

    With the paper's split of a word's reuse into a, b, c and d these are a, ab, abc and abcd; a level that the word
    passes by, or that does not exist, has 0 and costs nothing.

    Parameters
    ----------
    words
        Of the whole tensor. [words]
    dram, glb, array, spad
        Reads of each word.
    """

    words: int
    dram: Counts
    glb: Counts
    array: Counts
    spad: Counts

    def accesses(self, level: ReuseLevel) -> Counts:
        """Return the accesses of all words. [words]"""
        reads: Counts = getattr(self, level.value)
        return self.words * reads


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PsumReuse:
    """Into how many pieces the sum behind each ofmap value is cut at each level.

    Each value is written to DRAM once (a = 1). Of b pieces that meet in the GLB all but the first find a psum to read
    there and all but the last leave one; of c that meet in the array all but one hop; of d in the spad as in the GLB.

    Parameters
    ----------
    words
        Ofmap values of the batch. [words]
    glb, array, spad
        b, bc and bcd; bcd = the products behind a value where the spad keeps psums, else bc.
    """

    words: int
    glb: Counts
    array: Counts
    spad: Counts

    def accesses(self, level: ReuseLevel) -> Counts:
        """Return the accesses of all psums. [words]"""
        if level is ReuseLevel.DRAM:
            return np.full(1, float(self.words))
        pieces = {
            ReuseLevel.GLB: 2 * (self.glb - 1),
            ReuseLevel.ARRAY: self.array - self.glb,
            ReuseLevel.SPAD: 2 * (self.spad - self.array),
        }[level]
        return self.words * pieces
