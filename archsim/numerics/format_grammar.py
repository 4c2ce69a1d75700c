"""Names of number formats, as users write them in YAML and on the command line -> formats.

Called by `arch/schema.py`, by `convert/` and by the readers of converted workloads. The families are listed by
``archsim list formats``.
"""

import re
from collections.abc import Callable

from archsim.numerics.fixed_point import FARTHEST_POINT_BITS, FixedPoint, fixed_point_type, integer_type
from archsim.numerics.logarithmic import WIDEST_LOG_BITS, Logarithmic, logarithmic_type
from archsim.numerics.minifloat import FLOAT_NAMES, float_type
from archsim.numerics.name_scanner import NameScanner, nearest
from archsim.numerics.number_format import WIDEST_FORMAT_BITS, NumberFormat, NumberKind
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.numerics.sign_levels import SIGN_NAMES, sign_type

_STORED_FLOATS = {"tf32": 19}
_NUMBERED = re.compile(r"(u?int|sx|u?lns)([0-9]+)")
_ALIASES = {
    "e4m3": "fp8_e4m3",
    "e5m2": "fp8_e5m2",
    "bfloat16": "bf16",
    "float16": "fp16",
    "float32": "fp32",
    "float64": "fp64",
}
SHARED_BITS = (2, 16)
"""Least and most bits of ``sx<b>``. [b]"""


def parse_format(name: str) -> NumberFormat:
    """Read a format name.

    Parameters
    ----------
    name
        In any case, with or without blanks:

        - ``intN``, ``uintN``, ``sxN``, ``sx<N>``, ``sx<N,1>``, ``sx<N,0>``: integers with a power of two as scale;
          ``sx`` (2 to 16 bits) is another word for ``int``, and ``sx<N,0>`` for ``uint``.
        - ``fx<W,I>``, ``fx<W,I,S>``, ``fx<W,I,Q,O>``, ``fx<W,I,S,Q,O>``: fixed point of W bits, I of them before the
          point, the sign (S = 1) included. Without S signed, without Q (rounding) RND, without O (overflow) SAT.
        - ``ac_fixed<W,I>``, ``ac_fixed<W,I,S,Q,O>``: the same with the defaults of ``ac_fixed``, TRN and WRAP;
          words with or without ``AC_``.
        - ``quantized_bits(b,i)`` of QKeras (with ``alpha=1``): ``fx<b,i+1,1,RND_CONV,SAT>``.
        - ``lnsW``, ``lns<W,f>``, ``lns<W,f,1>``, ``lns<W,f,0>``, ``ulnsW``, ``ulns<W,f>``: logarithms of W bits, f of
          them a fraction; without f max(0, W - 5). ``lnsW`` of 1 bit or more than 16 is storage only.
        - ``fp4_e2m1``, ``fp8_e4m3``, ``fp8_e5m2``, ``fp8_e3m4``, ``bf16``, ``fp16``, ``fp32``, ``fp64``, and the
          names of ml_dtypes; ``tf32`` is storage only.
        - ``binary``, ``ternary``, ``binary_exact``, ``ternary_exact``: weights only.

    Returns
    -------
    NumberFormat
        Under its shortest name: formats that mean the same are equal.

    Raises
    ------
    ValueError
        The name is none of these. The message has three lines: the last two are the name and a caret.
    """
    scan = NameScanner(name, "a number format")
    fmt = read_format(scan)
    scan.end()
    return fmt


def states_sign(name: str) -> bool:
    """Whether the name of an integer format says if it has a sign: ``uint8`` and ``sx<8,1>`` do, ``int8`` and ``sx<8>`` leave it open."""
    plain = "".join(name.lower().split())
    return plain.startswith("uint") or (plain.startswith("sx<") and "," in plain)


def read_format(scan: NameScanner) -> NumberFormat:
    """Read a format name where the scanner stands.

    Raises
    ------
    ValueError
        As `parse_format`.
    """
    start = scan.place
    word = scan.word("expected a format, e.g. int8, fx<16,8>, fp8_e4m3, lns8")
    word = _ALIASES.get(word, word)
    if scan.is_at("<(") and word in _FAMILIES:
        return _FAMILIES[word](scan)
    if word in FLOAT_NAMES:
        return float_type(word)
    if word in SIGN_NAMES:
        return sign_type(word)
    if word in _STORED_FLOATS:
        return NumberFormat(name=word, kind=NumberKind.FLOAT, width_bits=_STORED_FLOATS[word])
    numbered = _NUMBERED.fullmatch(word)
    if numbered:
        return _numbered(scan, start, numbered.group(1), numbered.group(2))
    if word in _FAMILIES:
        raise scan.fault(f"expected {'(' if word == 'quantized_bits' else '<'!r}")
    raise scan.fault(f"no such format{nearest(word, _WORDS) or f'; known: {_KNOWN}'}", start)


def _numbered(scan: NameScanner, start: int, family: str, digits: str) -> NumberFormat:
    is_logarithm = family.endswith("lns")
    width = int(digits) if len(digits) <= 3 else 0
    least, most = SHARED_BITS if family == "sx" else (1, WIDEST_FORMAT_BITS)
    if not least <= width <= most:
        raise scan.fault(f"expected {least} to {most} bits", start + len(family))
    if not is_logarithm:
        return integer_type(width, signed=family != "uint")
    if not 2 <= width <= WIDEST_LOG_BITS:
        return NumberFormat(name=f"{family}{width}", kind=NumberKind.LOGARITHMIC, width_bits=width)
    return logarithmic_type(width, signed=family == "lns")


def _shared_exponent(scan: NameScanner) -> FixedPoint:
    scan.expect("<")
    width = scan.integer("bits", *SHARED_BITS)
    signed = _sign_if_more(scan)
    return integer_type(width, signed=signed)


def _fixed_point(scan: NameScanner) -> FixedPoint:
    return _point_type(scan, RoundingMode.RND, OverflowMode.SAT)


def _ac_fixed(scan: NameScanner) -> FixedPoint:
    return _point_type(scan, RoundingMode.TRN, OverflowMode.WRAP)


def _point_type(scan: NameScanner, rounding: RoundingMode, overflow: OverflowMode) -> FixedPoint:
    scan.expect("<")
    width = scan.integer("bits in all", 1, WIDEST_FORMAT_BITS)
    scan.expect(",")
    integer = scan.integer("bits before the point", -FARTHEST_POINT_BITS, FARTHEST_POINT_BITS)
    signed = True
    is_more = scan.more(">")
    if is_more:
        flag = scan.flag()
        if flag is None and not scan.next_word():
            raise scan.fault("expected 0 (unsigned), 1 (signed) or a rounding mode")
        if flag is not None:
            signed, is_more = flag, scan.more(">")
    if is_more:
        rounding = RoundingMode(scan.choice(RoundingMode, prefix="ac_"))
        is_more = scan.more(">")
    if is_more:
        overflow = OverflowMode(scan.choice(OverflowMode, prefix="ac_"))
        scan.expect(">")
    return fixed_point_type(width, integer, signed=signed, rounding=rounding, overflow=overflow)


def _quantized_bits(scan: NameScanner) -> FixedPoint:
    scan.expect("(")
    width = scan.integer("bits in all", 1, WIDEST_FORMAT_BITS)
    integer = 0
    is_more = scan.more(")")
    if is_more and not scan.next_word():
        integer = scan.integer("bits before the point, without the sign", -FARTHEST_POINT_BITS, FARTHEST_POINT_BITS - 1)
        is_more = scan.more(")")
    if is_more:
        _alpha_of_one(scan)
        scan.expect(")")
    return fixed_point_type(width, integer + 1, rounding=RoundingMode.RND_CONV)


def _alpha_of_one(scan: NameScanner) -> None:
    """Read ``alpha=1``: a scale of its own would be no fixed-point type."""
    start = scan.place
    if scan.word("expected alpha=1") != "alpha":
        raise scan.fault("expected alpha=1", start)
    scan.expect("=")
    scan.integer("the scale of a fixed-point type", 1, 1)


def _logarithmic(scan: NameScanner) -> Logarithmic:
    return _logarithm_type(scan, signed=True)


def _unsigned_logarithmic(scan: NameScanner) -> Logarithmic:
    return _logarithm_type(scan, signed=False)


def _logarithm_type(scan: NameScanner, *, signed: bool) -> Logarithmic:
    scan.expect("<")
    width = scan.integer("bits in all", 2, WIDEST_LOG_BITS)
    scan.expect(",")
    start = scan.place
    fraction = scan.integer("bits of the logarithm's fraction", 0, width - 1)
    signed = _sign_if_more(scan) and signed
    try:
        return logarithmic_type(width, fraction, signed=signed)
    except ValueError as error:
        raise scan.fault(str(error), start) from None


def _sign_if_more(scan: NameScanner) -> bool:
    """Read ``>``, or a comma, a sign flag and ``>``."""
    if not scan.more(">"):
        return True
    flag = scan.flag()
    if flag is None:
        raise scan.fault("expected 0 (unsigned) or 1 (signed)")
    scan.expect(">")
    return flag


_FAMILIES: dict[str, Callable[[NameScanner], NumberFormat]] = {
    "fx": _fixed_point,
    "ac_fixed": _ac_fixed,
    "quantized_bits": _quantized_bits,
    "sx": _shared_exponent,
    "lns": _logarithmic,
    "ulns": _unsigned_logarithmic,
}
"""Word before a bracket -> what reads the rest."""

_WORDS = ("int8", "uint8", "sx8", "lns8", "ulns8", *_FAMILIES, *FLOAT_NAMES, *_STORED_FLOATS, *SIGN_NAMES)
_KNOWN = (
    "intN, uintN, sxN, fx<W,I>, fx<W,I,S,Q,O>, ac_fixed<...>, quantized_bits(b,i), lnsW, lns<W,f>, ulns<W,f>, "
    "fp4_e2m1, fp8_e4m3, fp8_e5m2, fp8_e3m4, fp16, bf16, tf32, fp32, fp64, binary, ternary"
)
