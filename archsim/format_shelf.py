"""What `archsim list formats` shows: every family of number formats, its bits and range, and what a MAC of it costs.

Called by `catalog.py`.
"""

from archsim.cost.mac_cost import MAC_MODEL, MODEL_NODE_NM, mac_cost
from archsim.errors import ConfigError
from archsim.glossary import explain
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.rounding import OverflowMode, RoundingMode

FORMAT_NAMES = {
    "intN": ("int8", "integer times a power of two, per tensor or channel; also sxN, sx<N>, sx<N,1>"),
    "uintN": ("uint8", "the same from 0 up; also sx<N,0>"),
    "fx<W,I>": ("fx<16,8>", "fixed point, I bits before the point with the sign; RND, SAT; also fx<W,I,0>, unsigned"),
    "fx<W,I,S,Q,O>": ("fx<10,5,1,TRN,WRAP>", "the same, S = 1 signed or 0, Q and O as below; also fx<W,I,Q,O>"),
    "ac_fixed<W,I,S,Q,O>": (
        "ac_fixed<10,5,true,AC_RND,AC_SAT>",
        "the same in the words of ac_fixed: without Q and O TRN, WRAP",
    ),
    "quantized_bits(b,i)": ("quantized_bits(4,1)", "QKeras: fx<b,i+1,1,RND_CONV,SAT>; also with alpha=1"),
    "lnsW": ("lns8", "sign and base-2 logarithm, max(0, W-5) bits of it a fraction, times a power of two"),
    "lns<W,f>": ("lns<8,4>", "the same, f bits a fraction; 2 to 16 bits, a wider lnsW is stored only"),
    "ulns<W,f>": ("ulns<8,3>", "the same without a sign: negative values become 0; also ulnsW, lns<W,f,0>"),
    "fp4_e2m1": ("fp4_e2m1", "float, saturating as all here, times a power of two; also float4_e2m1fn"),
    "fp8_e4m3": ("fp8_e4m3", "float without infinities; also float8_e4m3fn"),
    "fp8_e5m2": ("fp8_e5m2", "float; also float8_e5m2"),
    "fp8_e3m4": ("fp8_e3m4", "float; also float8_e3m4"),
    "float8_e4m3": ("float8_e4m3", "float as in IEEE 754"),
    "bf16": ("bf16", "float"),
    "fp16": ("fp16", "float"),
    "tf32": ("tf32", "float, stored only: values are not converted to it"),
    "fp32": ("fp32", "float"),
    "fp64": ("fp64", "float"),
    "binary": ("binary", "weights -1 and 1 times a power of two per channel; binary_exact: times their mean magnitude"),
    "ternary": ("ternary", "weights -1, 0 and 1, 0 up to 0.7 of the mean magnitude; ternary_exact likewise"),
}
"""Family of names that `parse_format` reads -> one of it, and what it is."""

MODE_WORDS = {
    "Q": ("rounding", RoundingMode),
    "O": ("overflow", OverflowMode),
}
"""Letter in a fixed-point name -> what it chooses, and its words."""


def format_rows() -> list[tuple[str, str]]:
    """Return (name, what it is): families of formats, the words of rounding and overflow, whence the MAC costs."""
    families = [
        (name, f"{_format_in_brief(one)}; {_mac_in_brief(parse_format(one))}; {meaning}")
        for name, (one, meaning) in FORMAT_NAMES.items()
    ]
    modes = [(letter, f"{choice}: {', '.join(words)}") for letter, (choice, words) in MODE_WORDS.items()]
    return [*families, *modes, ("MAC", f"at {MODEL_NODE_NM:g} nm; {MAC_MODEL}")]


def _format_in_brief(name: str) -> str:
    fmt = parse_format(name)
    bits = f"{fmt.width_bits} bit{'s' if fmt.width_bits > 1 else ''}"
    if type(fmt) is NumberFormat:
        return f"{name}: {bits}"
    steps = "" if fmt.largest == fmt.smallest else f"{fmt.smallest:.3g} to "
    sign = "+-" if fmt.is_signed else ""
    return f"{name}: {bits}, {sign}{steps}{fmt.largest:.6g}"


def _mac_in_brief(fmt: NumberFormat) -> str:
    """Say what a MAC costs with this format on both sides; signs meet an 8-bit ifmap, small floats two registers."""
    ifmap = parse_format("int8") if fmt.kind is NumberKind.SIGN else fmt
    psums = ["fp32"] if fmt.kind is NumberKind.FLOAT else []
    psums += ["int32"] if fmt.kind is not NumberKind.FLOAT or fmt.width_bits <= 8 else []
    costs = [(psum, mac_cost(ifmap, fmt, parse_format(psum))) for psum in psums]
    beside = f" with {ifmap.name}" if ifmap is not fmt else ""
    return f"MAC{beside} " + ", ".join(f"into {psum} {cost.pj:.3f} pJ, {cost.um2:,.0f} um2" for psum, cost in costs)


def explain_term(term: str) -> str:
    """Return what a word of the glossary means, or what a number format is.

    Raises
    ------
    ConfigError
        It is neither; the message names the nearest word.
    """
    try:
        return explain(term)
    except ConfigError:
        if not _is_format(term):
            raise
    fmt = parse_format(term)
    return f"{_format_in_brief(fmt.name)}; {_mac_in_brief(fmt)} (model). A number format: see archsim list formats."


def _is_format(text: str) -> bool:
    try:
        parse_format(text)
    except ValueError:
        return False
    return True
