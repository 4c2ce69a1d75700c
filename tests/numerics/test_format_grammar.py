"""Names of formats: what each means, that names come back, and what is said of wrong ones, word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.numerics.fixed_point import FixedPoint, fixed_point_type, integer_type
from archsim.numerics.format_grammar import parse_format, states_sign
from archsim.numerics.logarithmic import Logarithmic
from archsim.numerics.minifloat import FLOAT_NAMES, Minifloat
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.numerics.sign_levels import SIGN_NAMES, SignLevels

KNOWN = (
    "intN, uintN, sxN, fx<W,I>, fx<W,I,S,Q,O>, ac_fixed<...>, quantized_bits(b,i), lnsW, lns<W,f>, ulns<W,f>, "
    "fp4_e2m1, fp8_e4m3, fp8_e5m2, fp8_e3m4, fp16, bf16, tf32, fp32, fp64, binary, ternary"
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("int8", "int8"),
        ("UINT4", "uint4"),
        ("sx8", "int8"),
        ("sx<8>", "int8"),
        ("sx<8,1>", "int8"),
        ("sx< 8 , 0 >", "uint8"),
        ("fx<16,8>", "fx<16,8>"),
        ("fx<16,-3>", "fx<16,-3>"),
        ("fx<8,4,0>", "fx<8,4,0>"),
        ("FX<8,4,1,rnd,sat>", "fx<8,4>"),
        ("fx<8,4,RND_CONV>", "fx<8,4,1,RND_CONV,SAT>"),
        ("fx<8,4,TRN,WRAP>", "fx<8,4,1,TRN,WRAP>"),
        ("fx<8,4,0,AC_TRN,AC_SAT_SYM>", "fx<8,4,0,TRN,SAT_SYM>"),
        ("ac_fixed<8,4>", "fx<8,4,1,TRN,WRAP>"),
        ("ac_fixed<8,4,false>", "fx<8,4,0,TRN,WRAP>"),
        ("ac_fixed<8,4,true,AC_RND,AC_SAT>", "fx<8,4>"),
        ("ac_fixed<8,4,0,AC_RND>", "fx<8,4,0,RND,WRAP>"),
        ("quantized_bits(3,2)", "fx<3,3,1,RND_CONV,SAT>"),
        ("quantized_bits(3,0,alpha=1)", "fx<3,1,1,RND_CONV,SAT>"),
        ("quantized_bits(3)", "fx<3,1,1,RND_CONV,SAT>"),
        ("lns8", "lns8"),
        ("lns<8,3>", "lns8"),
        ("lns<8,4>", "lns<8,4>"),
        ("lns<8,4,0>", "ulns<8,4>"),
        ("ulns<8,3,1>", "ulns8"),
        ("lns32", "lns32"),
        ("float8_e4m3fn", "fp8_e4m3"),
        ("float8_e4m3", "float8_e4m3"),
        ("TF32", "tf32"),
        ("ternary_exact", "ternary_exact"),
    ],
)
def test_a_name_is_read_and_shortened(written, name):
    assert parse_format(written).name == name
    assert parse_format(name) == parse_format(written)


@given(
    width=st.integers(1, 128), integer=st.integers(-512, 512), signed=st.booleans(),
    rounding=st.sampled_from(RoundingMode), overflow=st.sampled_from(OverflowMode),
)  # fmt: skip
def test_every_fixed_point_type_comes_back_from_its_name(width, integer, signed, rounding, overflow):
    fmt = fixed_point_type(width, integer, signed=signed, rounding=rounding, overflow=overflow)
    assert parse_format(fmt.name) == fmt
    long = f"fx<{width},{integer},{int(signed)},{rounding},{overflow}>"
    assert parse_format(long) == parse_format(long.replace("fx", "ac_fixed")) == fmt


@given(width=st.integers(1, 128), family=st.sampled_from(["int", "uint", "lns", "ulns"]))
def test_every_numbered_name_comes_back(width, family):
    fmt = parse_format(f"{family}{width}")
    assert (fmt.name, fmt.width_bits) == (f"{family}{width}", width)
    assert parse_format(fmt.name) == fmt


def test_every_name_has_its_class_and_kind():
    assert parse_format("int8") == integer_type(8)
    assert type(parse_format("fx<8,4>")) is FixedPoint
    assert {type(parse_format(name)) for name in FLOAT_NAMES} == {Minifloat}
    assert {type(parse_format(name)) for name in SIGN_NAMES} == {SignLevels}
    assert [type(parse_format(f"lns{width}")) for width in (1, 2, 16, 17)] == [
        NumberFormat, Logarithmic, Logarithmic, NumberFormat,
    ]  # fmt: skip
    kinds = {name: parse_format(name).kind for name in ("int8", "fx<8,4>", "bf16", "tf32", "lns8", "lns64", "binary")}
    assert list(kinds.values()) == [
        NumberKind.INTEGER, NumberKind.FIXED_POINT, NumberKind.FLOAT, NumberKind.FLOAT,
        NumberKind.LOGARITHMIC, NumberKind.LOGARITHMIC, NumberKind.SIGN,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "name"),
    [(4, "fp4_e2m1"), (8, "fp8_e3m4"), (16, "bf16"), (16, "fp16"), (19, "tf32"), (32, "fp32"), (64, "fp64")],
)
def test_floats_have_their_widths(width, name):
    assert parse_format(name).width_bits == width


@pytest.mark.parametrize("name", ["tf32", "lns32"])
def test_a_format_that_is_only_stored_says_that_it_has_no_codes(name):
    fmt = parse_format(name)
    sentence = rf"^{name} has no codes: archsim knows its width, values are not converted to it$"
    for ask in (lambda: fmt.encode(None), lambda: fmt.decode(None), lambda: fmt.largest, lambda: fmt.smallest):
        with pytest.raises(ValueError, match=sentence):
            ask()
    assert (fmt.is_signed, fmt.zero_code, fmt.bytes_of(8)) == (True, 0, fmt.width_bits)


@pytest.mark.parametrize(
    ("written", "shown", "caret"),
    [
        ("fx<8;4>", "fx<8;4>", "    ^ expected ','"),
        ("fx<8,4;", "fx<8,4;", "      ^ expected ',' or '>'"),
        ("fx<8,4", "fx<8,4", "      ^ expected ',' or '>'"),
        ("fx<8, 4, 2>", "fx<8,4,2>", "       ^ expected 0 (unsigned), 1 (signed) or a rounding mode"),
        (
            "fx<8,4,1,RMD>",
            "fx<8,4,1,RMD>",
            "         ^ expected TRN, TRN_ZERO, RND, RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV or RND_CONV_ODD, "
            "did you mean 'RND'?",
        ),
        (
            "fx<8,4,1,RND,SATT>",
            "fx<8,4,1,RND,SATT>",
            "             ^ expected WRAP, SAT, SAT_ZERO or SAT_SYM, did you mean 'SAT'?",
        ),
        ("fx<8,4,1,RND,SAT,3>", "fx<8,4,1,RND,SAT,3>", "                ^ expected '>'"),
        ("fx<0,4>", "fx<0,4>", "   ^ expected bits in all, 1 to 128"),
        ("fx<8,513>", "fx<8,513>", "     ^ expected bits before the point, -512 to 512"),
        ("fx<8,4>x", "fx<8,4>x", "       ^ expected the end of the name"),
        ("fx", "fx", "  ^ expected '<'"),
        ("quantized_bits", "quantized_bits", "              ^ expected '('"),
        ("quantized_bits(3,2,beta=1)", "quantized_bits(3,2,beta=1)", "                   ^ expected alpha=1"),
        (
            "quantized_bits(3,2,alpha=2)",
            "quantized_bits(3,2,alpha=2)",
            "                         ^ expected the scale of a fixed-point type, 1",
        ),
        ("int0", "int0", "   ^ expected 1 to 128 bits"),
        ("uint129", "uint129", "    ^ expected 1 to 128 bits"),
        ("int8<3>", "int8<3>", "    ^ expected the end of the name"),
        ("sx<8,2>", "sx<8,2>", "     ^ expected 0 (unsigned) or 1 (signed)"),
        ("lns<8,9>", "lns<8,9>", "      ^ expected bits of the logarithm's fraction, 0 to 7"),
        ("lns<17,9>", "lns<17,9>", "    ^ expected bits in all, 2 to 16"),
        (
            "lns<16,2>",
            "lns<16,2>",
            "       ^ 'lns<16,2>' reaches beyond 512 octaves: it takes more fraction bits",
        ),
        ("fp8_e4m4", "fp8_e4m4", "^ no such format, did you mean 'fp8_e4m3'?"),
        ("in8", "in8", "^ no such format, did you mean 'int8'?"),
        ("foo", "foo", f"^ no such format; known: {KNOWN}"),
        ("8", "8", "^ expected a format, e.g. int8, fx<16,8>, fp8_e4m3, lns8"),
        ("", "", "^ expected a format, e.g. int8, fx<16,8>, fp8_e4m3, lns8"),
    ],
)
def test_a_wrong_name_is_shown_with_a_caret_under_what_is_wrong(written, shown, caret):
    with pytest.raises(ValueError, match="is not a number format") as caught:
        parse_format(written)
    assert str(caught.value) == f"{written!r} is not a number format:\n  {shown}\n  {caret}"


def test_a_very_long_name_is_shown_in_part():
    with pytest.raises(ValueError, match="is not a number format") as caught:
        parse_format("fx<" + "9" * 10_000)
    first, shown, caret = str(caught.value).splitlines()
    assert max(map(len, (first, shown))) < 120
    assert caret == "     ^ expected bits in all, 1 to 128"


@given(text=st.text(max_size=30) | st.from_regex(r"(fx|lns|sx|ac_fixed)<[0-9,\-A-Z_]{0,15}>?", fullmatch=True))
def test_any_text_is_read_or_refused_with_a_caret(text):
    try:
        fmt = parse_format(text)
    except ValueError as problem:
        refused = str(problem)
    else:
        refused = "  ^"
        assert parse_format(fmt.name) == fmt
    assert refused.splitlines()[-1].lstrip().startswith("^")


@pytest.mark.parametrize(("alias", "name"), [("E4M3", "fp8_e4m3"), ("e5m2", "fp8_e5m2"), ("bfloat16", "bf16"),
                                             ("float32", "fp32"), ("sx<5,signed>", "int5"), ("sx<5,unsigned>", "uint5")])  # fmt: skip
def test_other_names_in_use_are_read(alias: str, name: str) -> None:
    assert parse_format(alias).name == name


@pytest.mark.parametrize(("text", "caret"), [("fx<1 0,4>", 4), ("fx<8 4>", 4), ("fx<\uff18,4>", 3), ("sx<1>", 3), ("sx<17>", 3),
                                             ("sx20", 2)])  # fmt: skip
def test_a_number_is_not_guessed_from_pieces(text: str, caret: int) -> None:
    with pytest.raises(ValueError, match="is not a number format") as problem:
        parse_format(text)
    shown, pointed = str(problem.value).splitlines()[1:]
    assert shown == f"  {text}"
    assert pointed.index("^") == caret + 2


@pytest.mark.parametrize(("name", "is_stated"), [("int8", False), ("sx8", False), ("sx<8>", False), ("SX< 8 , 1 >", True),
                                                 ("uint8", True)])  # fmt: skip
def test_an_integer_says_its_sign_or_leaves_it_open(name: str, *, is_stated: bool) -> None:
    assert states_sign(name) is is_stated
