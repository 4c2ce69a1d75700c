"""Names of accumulators, as users write them -> accumulators, and back.

Called by `convert/` and by the readers and writers of converted workloads.
"""

from collections.abc import Callable
from typing import TypeVar

from archsim.numerics.accumulator import (
    WIDEST_SUM_BITS,
    Accumulator,
    Antilog,
    AntilogKind,
    CastSum,
    ExactSum,
    FloatSum,
    FloatSumKind,
    LinearSum,
    LogAdderKind,
    LogSum,
    WrappedSum,
)
from archsim.numerics.coded_tensor import INTEGER_KINDS
from archsim.numerics.fixed_point import FARTHEST_POINT_BITS, FixedPoint, fixed_point_type
from archsim.numerics.format_grammar import read_format
from archsim.numerics.name_scanner import NameScanner, nearest, one_of
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.rounding import OverflowMode, RoundingMode

_DEFAULT_REACH = 10
"""Octaves of a table whose reach is not said."""
_FLOAT_SUMS = [kind.value for kind in FloatSumKind]
_T = TypeVar("_T")
_TYPES = ("fx", "ac_fixed", "quantized_bits")


def parse_accumulator(text: str) -> Accumulator:
    """Read the name of an accumulator.

    Parameters
    ----------
    text
        In any case, with or without blanks:

        - ``exact``, ``exact<W>``: integers that never overflow; of at most W bits.
        - ``wrap<W>``: integers modulo 2**W.
        - ``sat<W,F>``: W bits, F of them behind the point; every MAC rounds (RND) and saturates.
        - a fixed-point type, ``fx<20,12,1,TRN,WRAP>``: every MAC casts to it.
        - ``linear<A>``, ``linear<A,m>``, ``linear<A,m,mitchell>``, ``linear<A,m,hyb1>``: logarithms, made linear with m
          fraction bits (8 where m is not said), in A saturating bits.
        - ``log<fa>``, ``log<fa,T>``, ``log<fa,T,reach>``, ``log<fa,mitchell>``, ``log<fa,bitshift>``: logarithms of fa
          fraction bits; tables of T entries over ``reach`` octaves (10 where it is not said), or full ones.
        - ``fp32``, ``fp64``, ``kulisch``: floats.

    Raises
    ------
    ValueError
        The name is none of these. The message has three lines: the last two are the name and a caret.
    """
    scan = NameScanner(text, "an accumulator")
    read = _read(scan)
    scan.end()
    return read


def accumulator_name(accumulator: Accumulator) -> str:
    """Return the shortest name that `parse_accumulator` reads as this accumulator."""
    match accumulator:
        case ExactSum():
            return f"exact<{accumulator.width_bits}>" if accumulator.width_bits else "exact"
        case WrappedSum():
            return f"wrap<{accumulator.width_bits}>"
        case CastSum():
            return _cast_name(accumulator.format)
        case LinearSum():
            return _linear_name(accumulator)
        case LogSum():
            return _log_name(accumulator)
        case FloatSum():
            return accumulator.kind.value


def default_accumulator(ifmap: NumberFormat, weight: NumberFormat) -> Accumulator:
    """Return the natural accumulator of two operands.

    Returns
    -------
    Accumulator
        Integers and signs: exact. Logarithms: linear, 32 bits. Floats, and kinds that do not go together: float32.
    """
    kinds = {ifmap.kind, weight.kind}
    if kinds <= INTEGER_KINDS:
        return ExactSum()
    return LinearSum() if kinds == {NumberKind.LOGARITHMIC} else FloatSum()


def _read(scan: NameScanner) -> Accumulator:
    start = scan.place
    if scan.next_word() in _TYPES:
        return _cast_sum(scan, start)
    word = scan.word("expected an accumulator, e.g. exact, wrap<20>, sat<20,8>, linear<32>, log<8>, fp32")
    if word == "exact":
        return _exact_sum(scan)
    if word in _FLOAT_SUMS:
        return FloatSum(kind=FloatSumKind(word))
    if word in _FAMILIES:
        scan.expect("<")
        return _FAMILIES[word](scan)
    known = ("exact", *_FAMILIES, *_FLOAT_SUMS, *_TYPES)
    raise scan.fault(f"no such accumulator{nearest(word, known) or f'; known: {one_of(known)}'}", start)


def _cast_sum(scan: NameScanner, start: int) -> CastSum:
    fmt = read_format(scan)
    assert isinstance(fmt, FixedPoint), "the families of _TYPES are fixed point"
    return _checked(scan, start, lambda: CastSum(format=fmt))


def _exact_sum(scan: NameScanner) -> ExactSum:
    if not scan.is_at("<"):
        return ExactSum()
    scan.expect("<")
    width = _width(scan)
    scan.expect(">")
    return ExactSum(width_bits=width)


def _wrapped_sum(scan: NameScanner) -> WrappedSum:
    width = _width(scan)
    scan.expect(">")
    return WrappedSum(width_bits=width)


def _saturating_sum(scan: NameScanner) -> CastSum:
    width = _width(scan)
    scan.expect(",")
    behind = scan.integer("bits behind the point", width - FARTHEST_POINT_BITS, FARTHEST_POINT_BITS)
    scan.expect(">")
    return CastSum(format=fixed_point_type(width, width - behind))


def _linear_sum(scan: NameScanner) -> LinearSum:
    width = _width(scan)
    if not scan.more(">"):
        return LinearSum(width_bits=width)
    fraction = scan.integer("fraction bits of a significand", 0, 30)
    kind, high = AntilogKind.LUT, 0
    if scan.more(">"):
        kind, high = _antilog_kind(scan)
        scan.expect(">")
    return LinearSum(width_bits=width, antilog=Antilog(kind=kind, fraction_bits=fraction, high_bits=high))


def _antilog_kind(scan: NameScanner) -> tuple[AntilogKind, int]:
    start = scan.place
    expected = "expected lut, mitchell or hyb1 to hyb15"
    word = scan.word(expected)
    if word in {AntilogKind.LUT.value, AntilogKind.MITCHELL.value}:
        return AntilogKind(word), 0
    digits = word.removeprefix("hyb")
    if digits == word or not digits.isdecimal() or not 1 <= int(digits[:9]) <= 15:
        raise scan.fault(expected, start)
    return AntilogKind.HYBRID, int(digits)


def _log_sum(scan: NameScanner) -> LogSum:
    fraction = scan.integer("fraction bits of the sum", 0, 16)
    if not scan.more(">"):
        return LogSum(fraction_bits=fraction)
    start = scan.place
    if scan.next_word():
        kind = scan.choice([LogAdderKind.MITCHELL, LogAdderKind.BIT_SHIFT])
        scan.expect(">")
        return LogSum(fraction_bits=fraction, kind=LogAdderKind(kind))
    entries = scan.integer("entries of a table (or mitchell, or bitshift)", 1, 1 << 22)
    reach = _DEFAULT_REACH
    if scan.more(">"):
        reach = scan.integer("octaves within reach", 1, 64)
        scan.expect(">")
    return _checked(scan, start, lambda: LogSum(fraction_bits=fraction, entries=entries, reach_octaves=reach))


def _width(scan: NameScanner) -> int:
    return scan.integer("bits of the register", 2, WIDEST_SUM_BITS)


def _checked(scan: NameScanner, start: int, make: Callable[[], _T]) -> _T:
    """Make an accumulator; what it refuses is told with the caret at its first number."""
    try:
        return make()
    except ValueError as error:
        raise scan.fault(str(error), start) from None


def _cast_name(fmt: FixedPoint) -> str:
    is_sat = fmt.signed and (fmt.rounding, fmt.overflow) == (RoundingMode.RND, OverflowMode.SAT)
    return f"sat<{fmt.width_bits},{fmt.fraction_bits}>" if is_sat else fmt.name


def _linear_name(accumulator: LinearSum) -> str:
    antilog = accumulator.antilog
    if antilog == Antilog():
        return f"linear<{accumulator.width_bits}>"
    kind = {
        AntilogKind.LUT: "",
        AntilogKind.MITCHELL: ",mitchell",
        AntilogKind.HYBRID: f",hyb{antilog.high_bits}",
    }[antilog.kind]
    return f"linear<{accumulator.width_bits},{antilog.fraction_bits}{kind}>"


def _log_name(accumulator: LogSum) -> str:
    if accumulator.kind is not LogAdderKind.TABLE:
        return f"log<{accumulator.fraction_bits},{accumulator.kind.value}>"
    fraction, reach = accumulator.fraction_bits, accumulator.reach_octaves
    if not reach:
        return f"log<{fraction}>"
    entries = accumulator.entries or reach << fraction
    return f"log<{fraction},{entries}>" if reach == _DEFAULT_REACH else f"log<{fraction},{entries},{reach}>"


_FAMILIES: dict[str, Callable[[NameScanner], Accumulator]] = {
    "wrap": _wrapped_sum,
    "sat": _saturating_sum,
    "linear": _linear_sum,
    "log": _log_sum,
}
"""Word before ``<`` -> what reads the rest."""
