from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.cost.energy_table import load_energy_table
from archsim.cost.layer_prices import price_layers
from archsim.cost.price_source import load_prices
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.workload.layer import MatmulLayer
from archsim.workload.network import Workload

TABLE = load_energy_table(EnergyChoice())


def fc(name: str, *formats: str) -> MatmulLayer:
    given = zip(("ifmap", "weight", "psum", "ofmap"), map(parse_format, formats), strict=True)
    return MatmulLayer(
        name=name, rows=1, inner=8, columns=8, formats=OperandFormats(**dict(given)) if formats else None
    )


NET = Workload(
    name="net",
    layers=(
        fc("plain"),
        fc("narrow", "int8", "int4", "int20", "int8"),
        fc("same", "int8", "int4", "int20", "int8"),
        fc("logarithmic", "lns8", "lns8", "int24", "lns8"),
    ),
)


def priced(arch, run):
    runs = [run(layer=layer.name, occupied_macs=10) for layer in NET.layers]
    return price_layers(runs, NET, arch, load_prices, table=TABLE)


def mac_pj(energy) -> float:
    return dict(energy.components)["mac"] / 10


def test_each_layer_pays_for_the_formats_it_ran_in(chip, run, formats):
    found = priced(chip(follows_workload=True), run)
    assert [mac_pj(each) for each in found.energies] == pytest.approx([
        TABLE.mac_pj(formats()), TABLE.mac_pj(formats("int8", "int4", "int20")), TABLE.mac_pj(formats("int8", "int4", "int20")),
        TABLE.mac_pj(formats("lns8", "lns8", "int24")),
    ])  # fmt: skip


def test_the_list_of_prices_stays_that_of_the_archs_own_formats(chip, run):
    arch = chip(follows_workload=True)
    own, found = load_prices(arch), priced(arch, run).prices
    assert (found.prices, found.areas, found.components) == (own.prices, own.areas, own.components)


def test_what_layers_pay_is_said_once_per_set_of_formats(chip, run):
    said = priced(chip(follows_workload=True), run).prices.assumptions
    assert sum(text.startswith("MAC of int8 x int4 into int20, first in layer 'narrow'") for text in said) == 1
    assert sum(text.endswith("(model)") for text in said) == 1
    assert any(text.startswith("formats follow the workload") for text in said)


def test_every_action_of_a_layer_names_a_source_that_is_told(chip, run):
    found = priced(chip(follows_workload=True), run)
    keys = {key for key, _ in found.prices.sources}
    assert {action.source for energy in found.energies for action in energy.actions} <= keys


def test_a_chip_of_its_own_formats_prices_every_layer_alike(chip, run):
    fitting = replace(NET, layers=NET.layers[:3])
    runs = [run(layer=layer.name, occupied_macs=10) for layer in fitting.layers]
    found = price_layers(runs, fitting, chip(), load_prices, table=TABLE)
    assert found.prices == load_prices(chip())
    assert len({mac_pj(each) for each in found.energies}) == 1
