"""Names of accumulators: what each means, that names come back, and what is said of wrong ones, word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.numerics.accumulator import (
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
from archsim.numerics.accumulator_grammar import accumulator_name, default_accumulator, parse_accumulator
from archsim.numerics.fixed_point import fixed_point_type, integer_type
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.rounding import OverflowMode, RoundingMode

MITCHELL = Antilog(kind=AntilogKind.MITCHELL)
HYBRID = Antilog(kind=AntilogKind.HYBRID, fraction_bits=6, high_bits=2)
WRAPPING = fixed_point_type(10, 5, rounding=RoundingMode.TRN, overflow=OverflowMode.WRAP)
CASES = {
    "exact": ExactSum(),
    "exact<32>": ExactSum(width_bits=32),
    "wrap<20>": WrappedSum(width_bits=20),
    "sat<20,8>": CastSum(format=fixed_point_type(20, 12)),
    "sat<20,-8>": CastSum(format=fixed_point_type(20, 28)),
    "fx<10,5,1,TRN,WRAP>": CastSum(format=WRAPPING),
    "fx<10,5,0>": CastSum(format=fixed_point_type(10, 5, signed=False)),
    "linear<32>": LinearSum(),
    "linear<16,6>": LinearSum(width_bits=16, antilog=Antilog(fraction_bits=6)),
    "linear<32,8,mitchell>": LinearSum(antilog=MITCHELL),
    "linear<24,6,hyb2>": LinearSum(width_bits=24, antilog=HYBRID),
    "log<8>": LogSum(),
    "log<6,64>": LogSum(fraction_bits=6, entries=64, reach_octaves=10),
    "log<8,16,5>": LogSum(entries=16, reach_octaves=5),
    "log<8,mitchell>": LogSum(kind=LogAdderKind.MITCHELL),
    "log<4,bitshift>": LogSum(fraction_bits=4, kind=LogAdderKind.BIT_SHIFT),
    "fp32": FloatSum(),
    "fp64": FloatSum(kind=FloatSumKind.FP64),
    "kulisch": FloatSum(kind=FloatSumKind.KULISCH),
}


@pytest.mark.parametrize("name", CASES)
def test_a_name_is_read_and_comes_back(name):
    assert parse_accumulator(name) == CASES[name]
    assert accumulator_name(CASES[name]) == name
    assert parse_accumulator(f" {name.upper()} ") == CASES[name]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("fx<20,12>", "sat<20,8>"),
        ("fx<20,12,1,RND,SAT>", "sat<20,8>"),
        ("ac_fixed<10,5,true>", "fx<10,5,1,TRN,WRAP>"),
        ("linear<32,8>", "linear<32>"),
        ("linear<32,8,lut>", "linear<32>"),
        ("log<8,16,10>", "log<8,16>"),
    ],
)
def test_what_means_the_same_has_the_shortest_name(written, name):
    assert accumulator_name(parse_accumulator(written)) == name


def test_a_full_table_of_less_reach_is_named_by_its_entries():
    assert accumulator_name(LogSum(fraction_bits=4, reach_octaves=5)) == "log<4,80,5>"
    assert accumulator_name(LogSum(fraction_bits=4, reach_octaves=10)) == "log<4,160>"


@given(
    fraction=st.integers(0, 10), reach=st.integers(1, 16), power=st.integers(0, 10),
    width=st.integers(2, 63), behind=st.integers(-100, 100),
)  # fmt: skip
def test_any_sizes_come_back(fraction, reach, power, width, behind):
    table = LogSum(fraction_bits=fraction, entries=reach << min(power, fraction), reach_octaves=reach)
    cast = CastSum(format=fixed_point_type(width, width - behind))
    for accumulator in (table, cast):
        assert parse_accumulator(accumulator_name(accumulator)) == accumulator


@pytest.mark.parametrize(
    ("written", "caret"),
    [
        ("exat", "^ no such accumulator, did you mean 'exact'?"),
        (
            "int32",
            "^ no such accumulator; known: exact, wrap, sat, linear, log, fp32, fp64, kulisch, fx, ac_fixed or quantized_bits",
        ),
        ("", "^ expected an accumulator, e.g. exact, wrap<20>, sat<20,8>, linear<32>, log<8>, fp32"),
        ("wrap", "    ^ expected '<'"),
        ("wrap<1>", "     ^ expected bits of the register, 2 to 63"),
        ("wrap<20,3>", "       ^ expected '>'"),
        ("exact<64>", "      ^ expected bits of the register, 2 to 63"),
        ("sat<20>", "      ^ expected ','"),
        ("sat<20,513>", "       ^ expected bits behind the point, -492 to 512"),
        ("linear<32,8,hyb0>", "            ^ expected lut, mitchell or hyb1 to hyb15"),
        ("linear<32,31>", "          ^ expected fraction bits of a significand, 0 to 30"),
        ("log<17>", "    ^ expected fraction bits of the sum, 0 to 16"),
        ("log<8,7>", "      ^ 7 entries do not divide the 2560 differences of 10 octaves"),
        ("log<8,mitchel>", "      ^ expected mitchell or bitshift, did you mean 'mitchell'?"),
        ("log<8,>", "      ^ expected entries of a table (or mitchell, or bitshift), 1 to 4194304"),
        ("fx<8;4>", "    ^ expected ','"),
        ("fx<96,3>", "^ a MAC casts to a type of at most 63 bits, not to fx<96,3>"),
        ("fp32<3>", "    ^ expected the end of the name"),
    ],
)
def test_a_wrong_name_is_shown_with_a_caret_under_what_is_wrong(written, caret):
    with pytest.raises(ValueError, match="is not an accumulator") as caught:
        parse_accumulator(written)
    assert str(caught.value) == f"{written!r} is not an accumulator:\n  {written}\n  {caret}"


@given(text=st.from_regex(r"(exact|wrap|sat|linear|log|fx)<[0-9,a-z\-]{0,12}>?", fullmatch=True))
def test_any_text_is_read_or_refused_with_a_caret(text):
    try:
        accumulator = parse_accumulator(text)
    except ValueError as problem:
        refused = str(problem)
    else:
        refused = "  ^"
        assert parse_accumulator(accumulator_name(accumulator)) == accumulator
    assert refused.splitlines()[-1].lstrip().startswith("^")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: WrappedSum(width_bits=1), r"^a register of sums takes 2 to 63 bits, not 1$"),
        (lambda: LinearSum(width_bits=64), r"^a register of sums takes 2 to 63 bits, not 64$"),
        (lambda: ExactSum(width_bits=-1), r"^a register of sums takes 2 to 63 bits, not -1$"),
        (lambda: CastSum(format=integer_type(64)), r"^a MAC casts to a type of at most 63 bits, not to int64$"),
        (lambda: Antilog(fraction_bits=-1), r"^a significand has 0 or more fraction bits, not -1$"),
        (lambda: Antilog(high_bits=1), r"^high bits belong to a hybrid, at least 1: lut with 1$"),
        (lambda: Antilog(kind=AntilogKind.HYBRID), r"^high bits belong to a hybrid, at least 1: hybrid with 0$"),
        (lambda: LogSum(fraction_bits=-1), r"^a logarithm has 0 or more fraction bits, not -1$"),
        (lambda: LogSum(entries=3, reach_octaves=1), r"^3 entries do not divide the 256 differences of 1 octaves$"),
        (lambda: LogSum(reach_octaves=-1), r"^0 entries do not divide the 0 differences of -1 octaves$"),
        (lambda: LogSum(entries=16), r"^16 entries do not divide the 0 differences of 0 octaves$"),
        (
            lambda: LogSum(kind=LogAdderKind.MITCHELL, entries=1, reach_octaves=1),
            r"^entries and reach belong to tables, not to mitchell$",
        ),
    ],
)
def test_what_no_hardware_could_be_is_refused_at_birth(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("ifmap", "weight", "name"),
    [
        ("uint8", "int8", "exact"),
        ("fx<8,4>", "int8", "exact"),
        ("int8", "ternary", "exact"),
        ("lns8", "ulns8", "linear<32>"),
        ("fp8_e4m3", "fp8_e5m2", "fp32"),
        ("lns8", "int8", "fp32"),
        ("fp32", "binary", "fp32"),
    ],
)
def test_operands_have_a_natural_accumulator(ifmap, weight, name):
    assert accumulator_name(default_accumulator(parse_format(ifmap), parse_format(weight))) == name
