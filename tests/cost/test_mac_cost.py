import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.arch.architecture import EnergyChoice
from archsim.arch.log_adder import LogAdder
from archsim.cost.energy_table import load_energy_table
from archsim.cost.mac_cost import mac_cost
from archsim.numerics.accumulator import LogAdderKind
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.log_adder import table_bits

TABLE = load_energy_table(EnergyChoice())
GOLDEN = Path(__file__).parents[1] / "golden" / "mac_cost_model.csv"
with GOLDEN.open(newline="", encoding="utf-8") as file:
    ROWS = list(csv.DictReader(line for line in file if not line.startswith("#")))


def cost(ifmap: str, weight: str, psum: str, adder: LogAdder | None = None):
    return mac_cost(parse_format(ifmap), parse_format(weight), parse_format(psum), adder)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['ifmap']}-{row['psum']}")
def test_the_model_gives_the_table_of_the_specification_to_its_digits(row):
    found, base = cost(row["ifmap"], row["weight"], row["psum"]), cost("int8", "int8", "int32")
    assert f"{found.pj:.3f}" == row["pj"]
    assert abs(found.um2 - float(row["um2"])) <= 0.5 + 1e-9  # 470.5 is printed as 470
    assert f"{found.pj / base.pj:.2f}" == row["energy_ratio"]
    assert f"{found.um2 / base.um2:.2f}" == row["area_ratio"]


def test_a_mac_is_the_sum_of_its_named_parts():
    found = cost("lns8", "lns8", "int24")
    assert [name for name, _, _ in found.parts] == ["exponent add", "antilog table", "shift into place", "add"]
    assert found.pj == pytest.approx(sum(pj for _, pj, _ in found.parts))


@given(width=st.integers(2, 40), psum=st.integers(16, 64), family=st.sampled_from(["int{}", "lns{}", "fx<{},1>"]))
def test_a_wider_factor_or_psum_never_costs_less(width, psum, family):
    def of(factor: int, total: int):
        return cost(family.format(min(factor, 16)), family.format(min(factor, 16)), f"int{total}")

    for found in (of(width + 1, psum), of(width, psum + 1)):
        assert found.pj >= of(width, psum).pj > 0
        assert found.um2 >= of(width, psum).um2 > 0


def test_signs_need_no_multiplier():
    parts = {name for name, _, _ in cost("int8", "ternary", "int16").parts}
    assert parts == {"negate or drop", "add"}
    assert cost("int8", "ternary", "int16").pj < cost("int8", "int2", "int16").pj


@pytest.mark.parametrize("kind", LogAdderKind)
def test_psums_that_stay_logarithms_pay_for_their_adder(kind):
    entries = 64 if kind is LogAdderKind.TABLE else None
    found = cost("lns8", "lns8", "lns16", LogAdder(kind=kind, fraction_bits=8, entries=entries))
    names = [name for name, _, _ in found.parts]
    assert names == ["exponent add", "subtract", "table look-up" if entries else "shift", "add"]


def test_the_tables_of_an_adder_are_charged_by_their_bits():
    # 20 um2 per 72 bits
    small, large = (LogAdder(kind=LogAdderKind.TABLE, fraction_bits=8, entries=entries) for entries in (16, 64))
    areas = [cost("lns8", "lns8", "lns16", adder).um2 for adder in (small, large)]
    bits = table_bits(large.log_sum) - table_bits(small.log_sum)
    assert areas[1] - areas[0] == pytest.approx(20 * bits / 72)


@pytest.mark.parametrize(
    ("names", "is_model"),
    [
        (("int8", "int8", "int32"), False),
        (("int5", "int7", "int20"), False),
        (("bf16", "bf16", "fp32"), False),
        (("lns8", "int8", "int32"), False),
        (("lns8", "lns8", "lns16"), False),  # without an adder of its own: the table's logarithmic_add
        (("lns8", "lns8", "int32"), True),
        (("fp8_e4m3", "fp8_e5m2", "fp32"), True),
        (("int8", "binary", "int16"), True),
    ],
)
def test_only_pairs_without_published_points_are_priced_by_the_model(names, is_model, formats):
    model = cost(*names).pj
    assert (TABLE.mac_pj(formats(*names)) == pytest.approx(model, rel=1e-12)) is is_model


def test_the_model_is_scaled_to_the_chip_s_node(formats):
    at_7 = load_energy_table(EnergyChoice(node_nm=7))
    lns, integer = formats("lns8", "lns8", "int24"), formats("int8", "int8", "int32")
    assert at_7.mac_pj(lns) / TABLE.mac_pj(lns) == pytest.approx(at_7.mac_pj(integer) / TABLE.mac_pj(integer))
    assert at_7.mac_um2(lns) / TABLE.mac_um2(lns) == pytest.approx(at_7.mac_um2(integer) / TABLE.mac_um2(integer))
