import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.arch.architecture import EnergyChoice
from archsim.cost.arithmetic import Operator, OperatorKind, WidthCurve
from archsim.cost.energy_table import load_energy_table
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats

TABLE = load_energy_table(EnergyChoice())


@pytest.mark.parametrize("row", range(5))
def test_a_mac_costs_its_published_multiplication_and_addition(row, golden, formats):
    entry = golden("energy_macs_45nm.csv")[row]
    macs = formats(entry["operand_format"], psum=entry["psum_format"])
    assert TABLE.mac_pj(macs) == pytest.approx(float(entry["mac_pj"]), rel=1e-12)


@pytest.mark.parametrize(
    ("ifmap", "weight", "psum", "expected_pj"),
    [
        # fixed point is an integer of its width: 0.2 + 0.1
        ("fx<8,4>", "fx<8,4>", "fx<32,16>", 0.3),
        ("int8", "fx<8,4>", "int32", 0.3),
        # 12 bit: 144 lies at 80/192 between 8 x 8 and 16 x 16: 0.2 + 0.6 * 80 / 192 = 0.45, + 0.1
        ("int12", "int12", "int32", 0.55),
        # 4 bit: a quarter of 8 bit: 0.05; 24-bit add: half way from 0.05 to 0.1: 0.075
        ("int4", "int4", "int24", 0.125),
        # 64 bit: four times 32 bit: 12.4; 64-bit add: twice 32 bit: 0.2
        ("int64", "int64", "int64", 12.6),
        # 8 x 32 bit is as large as 16 x 16: 0.8, + 0.1
        ("int8", "int32", "int32", 0.9),
        # 8-bit float, by the model: significands of 4 bit 0.05, exponents of 5 bit 0.0165, + 0.9
        ("fp8_e4m3", "fp8_e4m3", "fp32", 0.9665),
        # bf16 is as wide as fp16
        ("bf16", "bf16", "fp32", 2.0),
        # an integer by a float is a float product of the wider: 1.1 + 0.9
        ("int8", "fp16", "fp32", 2.0),
        # logarithms into an integer psum, by the model: add 0.0264, table 0.005, shift 0.1152, add 0.1056
        ("lns8", "lns8", "int32", 0.2522),
        # all logarithms: add 0.03, LNS add = 3 x 0.05
        ("lns8", "lns8", "lns16", 0.18),
        # one logarithm is converted, then multiplied: 0.158 + 0.2 + 0.1
        ("lns8", "int8", "int32", 0.458),
        # both ways: 0.158 + 0.2 + 0.158 + 3 x 0.05
        ("lns8", "int8", "lns16", 0.666),
    ],
)
def test_a_mac_of_any_formats_is_the_sum_of_its_operators(ifmap, weight, psum, expected_pj, formats):
    assert TABLE.mac_pj(formats(ifmap, weight, psum)) == pytest.approx(expected_pj, rel=1e-12)


@given(width=st.integers(1, 127), kind=st.sampled_from(["int{}", "lns{}", "fx<{},1>"]))
def test_a_wider_mac_never_costs_less(width, kind):
    costs = []
    for bits in (width, width + 1):
        fmt = parse_format(kind.format(bits))
        costs.append(TABLE.mac_pj(OperandFormats(ifmap=fmt, weight=fmt, psum=fmt, ofmap=fmt)))
    assert 0 < costs[0] <= costs[1]


def test_a_curve_gives_listed_numbers_exactly_and_says_which_are_listed():
    curve = WidthCurve(points=((8, 0.2), (16, 0.8)), power=2)
    assert curve.at(8) == 0.2
    assert curve.at(16) == 0.8
    assert curve.lists(16)
    assert not curve.lists(12)


def test_a_logarithmic_add_is_listed_where_its_integer_add_is():
    operator = Operator(kind=OperatorKind.LOGARITHMIC_ADD, width_bits=16)
    assert TABLE.energies.lists(operator)
    assert TABLE.energies.cost(operator, operator) == pytest.approx(0.3)  # 2 x 3 x 0.05
