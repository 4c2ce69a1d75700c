"""How products are added up: one frozen value per kind of adder, and the names users give them.

A layer of a converted network has one; `numerics/products.py` computes with it, `cost/` prices it, and the
arch's psum format must be able to hold it.
"""

from dataclasses import dataclass
from enum import StrEnum

from archsim.numerics.fixed_point import WIDEST_CODE_BITS, FixedPoint

WIDEST_SUM_BITS = 63
"""Of an integer register: sums are int64. [b]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactSum:
    """Integers of as many bits as it takes: no rounding, no overflow; the order has no meaning.

    For logarithmic operands: the sum of the decoded products in float64.

    Parameters
    ----------
    width_bits
        Of the register, ``exact<32>``: a layer whose sums need more is refused; 0 = as many as it takes. [b]
    """

    width_bits: int = 0

    def __post_init__(self) -> None:
        if self.width_bits:
            _check_width(self.width_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedSum:
    """Integers modulo ``2**width_bits``, two's complement; the order has no meaning. [b]"""

    width_bits: int

    def __post_init__(self) -> None:
        _check_width(self.width_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class CastSum:
    """Every MAC casts its sum to a fixed-point type: its rounding, its overflow. The order matters.

    Written ``sat<Wa,Fa>`` (saturating, RND, Fa fraction bits) or as the type, ``fx<10,5,1,TRN,WRAP>``.
    """

    format: FixedPoint

    def __post_init__(self) -> None:
        if self.format.width_bits > WIDEST_CODE_BITS:
            raise ValueError(f"a MAC casts to a type of at most {WIDEST_CODE_BITS} bits, not to {self.format.name}")


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

    def __post_init__(self) -> None:
        if self.fraction_bits < 0:
            raise ValueError(f"a significand has 0 or more fraction bits, not {self.fraction_bits}")
        if (self.kind is AntilogKind.HYBRID) != (self.high_bits > 0):
            raise ValueError(f"high bits belong to a hybrid, at least 1: {self.kind.value} with {self.high_bits}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSum:
    """Logarithmic products, made linear and added in a saturating integer of ``width_bits``. [b]

    Written ``linear<A>``, ``linear<A,m>``, ``linear<A,m,mitchell>``, ``linear<A,m,hyb1>``.
    """

    width_bits: int = 32
    antilog: Antilog = Antilog()

    def __post_init__(self) -> None:
        _check_width(self.width_bits)


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
        Of each of the two tables, a divisor of ``reach_octaves * 2**fraction_bits``; 0 = full tables, one entry for
        every difference within reach, and for the other kinds.
    reach_octaves
        Differences beyond it add nothing; 0 = fa + 2, of full tables alone. [octaves]
    """

    fraction_bits: int = 8
    kind: LogAdderKind = LogAdderKind.TABLE
    entries: int = 0
    reach_octaves: int = 0

    def __post_init__(self) -> None:
        if self.fraction_bits < 0:
            raise ValueError(f"a logarithm has 0 or more fraction bits, not {self.fraction_bits}")
        if (self.entries, self.reach_octaves) == (0, 0):
            return
        if self.kind is not LogAdderKind.TABLE:
            raise ValueError(f"entries and reach belong to tables, not to {self.kind.value}")
        differences = max(0, self.reach_octaves) << self.fraction_bits
        if not differences or self.entries < 0 or (self.entries and differences % self.entries):
            raise ValueError(
                f"{self.entries} entries do not divide the {differences} differences of {self.reach_octaves} octaves"
            )


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


def _check_width(width_bits: int) -> None:
    if not 2 <= width_bits <= WIDEST_SUM_BITS:
        raise ValueError(f"a register of sums takes 2 to {WIDEST_SUM_BITS} bits, not {width_bits}")
