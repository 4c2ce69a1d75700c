import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.cost.energy_table import load_energy_table
from archsim.cost.node_scaling import NodeScaling
from archsim.errors import ConfigError

SCALING = NodeScaling(energy=((20, 0.221), (32, 0.659), (45, 1.0)), area=((20, 0.21), (32, 0.46), (45, 1.0)))


def test_factors_of_the_default_table_are_the_published_ones_at_every_node(golden, formats):
    for row in golden("energy_node_factors.csv"):
        table = load_energy_table(EnergyChoice(node_nm=float(row["node_nm"])))
        assert table.sram_energy_factor == pytest.approx(float(row["energy_factor"]), rel=1e-12)
        assert table.sram_area_factor == pytest.approx(float(row["area_factor"]), rel=1e-12)
        assert table.mac_pj(formats()) == pytest.approx(0.3 * float(row["energy_factor"]), rel=1e-12)


def test_between_nodes_the_factor_is_linear_in_the_node():
    # 28 nm lies 8/12 of the way from 20 to 32: 0.221 + 0.438 * 8 / 12 = 0.513
    assert SCALING.energy_factor(from_nm=45, to_nm=28) == pytest.approx(0.513)
    # 0.21 + 0.25 * 8 / 12 = 0.376667
    assert SCALING.area_factor(from_nm=45, to_nm=28) == pytest.approx(0.3766667)


def test_there_and_back_is_one():
    assert SCALING.energy_factor(from_nm=32, to_nm=20) * SCALING.energy_factor(from_nm=20, to_nm=32) == pytest.approx(1)


@pytest.mark.parametrize("node", [6.9, 130.1])
def test_a_node_beyond_the_factors_is_refused(node):
    with pytest.raises(ConfigError) as caught:
        load_energy_table(EnergyChoice(node_nm=node))
    assert str(caught.value) == (
        f"energy.node_nm (={node:g}): the table scales from 7 to 130 nm. "
        "Choose a node in that range, or extend scaling in a table file of your own"
    )
