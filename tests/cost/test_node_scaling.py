import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.cost.energy_table import load_energy_table
from archsim.cost.node_scaling import FITS, area_factor, energy_factor
from archsim.errors import ConfigError


def test_factors_are_the_published_ones_at_every_node(golden, formats):
    for row in golden("energy_node_factors.csv"):
        node = float(row["node_nm"])
        # the published factors have three significant digits
        assert energy_factor(from_nm=45, to_nm=node) == pytest.approx(float(row["energy_factor"]), rel=4e-3)
        assert area_factor(from_nm=45, to_nm=node) == pytest.approx(float(row["area_factor"]), rel=1e-12)
        mac_pj = load_energy_table(EnergyChoice(node_nm=node)).mac_pj(formats())
        assert mac_pj == pytest.approx(0.3 * energy_factor(from_nm=45, to_nm=node), rel=1e-12)


def test_the_polynomial_of_45_nm_by_hand():
    # LP45 at 0.8 V: 1.103 * 0.64 - 0.362 * 0.8 + 0.2767 = 0.69302; LP32: 0.9559 * 0.64 - 0.7823 * 0.8 + 0.471 = 0.456936
    assert energy_factor(from_nm=45, to_nm=32) == pytest.approx(0.456936 / 0.69302, rel=1e-9)


def test_between_nodes_the_factor_is_linear_in_the_node():
    # 28 nm lies 8/12 of the way from 20 to 32: 0.221 + 0.438 * 8 / 12 = 0.513
    assert energy_factor(from_nm=45, to_nm=28) == pytest.approx(0.513, rel=1e-3)
    # 0.21 + 0.25 * 8 / 12 = 0.376667
    assert area_factor(from_nm=45, to_nm=28) == pytest.approx(0.3766667)


def test_area_is_read_in_the_row_of_the_source_node():
    assert area_factor(from_nm=65, to_nm=45) == 0.66  # the row of 45 nm would give 1 / 1.5
    assert area_factor(from_nm=180, to_nm=65) == 0.08


def test_nominal_voltages_make_the_step_from_65_to_45_nm_larger():
    # 3.755 * 1.21 - 4.398 * 1.1 + 1.975 = 1.68075; 1.103 * 0.81 - 0.362 * 0.9 + 0.2767 = 0.84433
    factor = energy_factor(from_nm=45, to_nm=65, from_volts=0.9, to_volts=1.1)
    assert factor == pytest.approx(1.99, rel=1e-3)
    assert factor > 1.5 * energy_factor(from_nm=45, to_nm=65)


@pytest.mark.parametrize("node", [130, 45, 40, 28, 7])
def test_a_node_to_itself_is_one(node):
    assert energy_factor(from_nm=node, to_nm=node) == 1
    assert area_factor(from_nm=node, to_nm=node) == pytest.approx(1, rel=1e-12)


def test_a_smaller_node_never_costs_more():
    nodes = sorted(node for node in FITS if node != 180)
    energies = [energy_factor(from_nm=45, to_nm=node) for node in nodes]
    areas = [area_factor(from_nm=45, to_nm=node) for node in nodes]
    assert energies == sorted(energies)
    assert areas == sorted(areas)


@pytest.mark.parametrize("node", [6.9, 130.1, 180])
def test_a_node_beyond_the_published_ones_is_refused(node):
    with pytest.raises(ConfigError) as caught:
        load_energy_table(EnergyChoice(node_nm=node))
    assert str(caught.value) == (
        f"energy.node_nm (={node:g}): energy and area of logic are known from 7 to 130 nm (A. Stillmaker, B. Baas, "
        "Integration 58 (2017) 74-81). Choose a node in that range"
    )


def test_180_nm_is_known_where_its_fit_holds():
    assert energy_factor(from_nm=130, to_nm=180, from_volts=1.3, to_volts=1.8) > 1
    with pytest.raises(ConfigError, match="known from 7 to 130 nm"):
        energy_factor(from_nm=130, to_nm=180, to_volts=0.8)


def test_a_voltage_that_gives_no_energy_is_refused():
    with pytest.raises(ConfigError, match=r"no switching energy above 0 at 180 nm and 0\.72 V|known from 7 to 130"):
        energy_factor(from_nm=45, to_nm=180, to_volts=0.72)
