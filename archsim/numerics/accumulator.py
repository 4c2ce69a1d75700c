"""How products are added up: one frozen value per kind of adder, and the names users give them.

A layer of a converted network has one; `numerics/products.py` computes with it, `cost/` prices it, and the
arch's psum format must be able to hold it.
"""

from dataclasses import dataclass
from enum import StrEnum

from archsim.numerics.fixed_point import FixedPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactSum:
    """Integers of as many bits as it takes: no rounding, no overflow; the order has no meaning.

    For logarithmic operands: the sum of the decoded products in float64.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedSum:
    """Integers modulo ``2**width_bits``, two's complement; the order has no meaning. [b]"""

    width_bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CastSum:
    """Every MAC casts its sum to a fixed-point type: its rounding, its overflow. The order matters.

    Written ``sat<Wa,Fa>`` (saturating, RND, Fa fraction bits) or as the type, ``fx<10,5,1,TRN,WRAP>``.
    """

    format: FixedPoint


class AntilogKind(StrEnum):
    """How a logarithm's fraction becomes a linear significand."""

    LUT = "lut"
    MITCHELL = "mitchell"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Antilog:
    """Log to linear.

    Parameters
    ----------
    kind
        A table of all fractions; 1 + r; or a table of the high bits times 1 + the low ones.
    fraction_bits
        Of a significand: ``m``. [b]
    high_bits
        Bits of the fraction that address the table of a hybrid: ``h``. [b]
    """

    kind: AntilogKind = AntilogKind.LUT
    fraction_bits: int = 8
    high_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSum:
    """Logarithmic products, made linear and added in a saturating integer of ``width_bits``. [b]

    Written ``linear<A>``, ``linear<A,m>``, ``linear<A,m,mitchell>``, ``linear<A,m,hyb1>``.
    """

    width_bits: int = 32
    antilog: Antilog = Antilog()


class LogAdderKind(StrEnum):
    """How the Gaussian logarithms log2(1 + 2^-D) and log2(1 - 2^-D) are found."""

    TABLE = "table"
    MITCHELL = "mitchell"
    BIT_SHIFT = "bitshift"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSum:
    """Logarithmic products added without leaving the log domain. The order matters.

    Written ``log<fa>`` (full table), ``log<fa,T>``, ``log<fa,T,reach>``, ``log<fa,mitchell>``, ``log<fa,bitshift>``.

    Parameters
    ----------
    fraction_bits
        Of the running logarithm: ``fa``. [b]
    kind
        Of the adder.
    entries
        Of each of the two tables; 0 for the other kinds.
    reach_octaves
        Differences beyond it add nothing; a full table reaches fa + 2. [octaves]
    """

    fraction_bits: int = 8
    kind: LogAdderKind = LogAdderKind.TABLE
    entries: int = 0
    reach_octaves: int = 0


class FloatSumKind(StrEnum):
    """The register in which floating-point products add up."""

    FP32 = "fp32"
    """Sequential, every sum rounded to float32. The order matters."""
    FP64 = "fp64"
    KULISCH = "kulisch"
    """A fixed-point register wide enough for every product: exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatSum:
    """Floating-point products in a floating-point or wide fixed-point register."""

    kind: FloatSumKind = FloatSumKind.FP32


Accumulator = ExactSum | WrappedSum | CastSum | LinearSum | LogSum | FloatSum
