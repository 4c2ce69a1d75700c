from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.arch.memory_level import SramCell
from archsim.cost.area import logic_areas
from archsim.cost.chip_prices import chip_prices
from archsim.cost.energy import price_layer
from archsim.cost.energy_table import load_energy_table
from archsim.cost.wires import wire_cell, wire_lengths
from archsim.mapping.fold_plan import TrafficCount
from archsim.terms import Dataflow, Direction, Operand

TABLE = load_energy_table(EnergyChoice())


def count(level, operand, direction, words, size=None):
    return TrafficCount(level=level, operand=operand, direction=direction, words=words, bytes=size or words)


def bits_by_wire(run, arch, *traffic):
    energy = price_layer(run(traffic=traffic), arch, chip_prices(arch, TABLE))
    return {action.action: action.count for action in energy.actions if action.component == "wires"}


def test_a_hop_is_a_pe_and_a_span_the_side_of_the_array(chip):
    logic = logic_areas(chip(), TABLE)
    lengths = wire_lengths(chip(), TABLE)
    assert lengths.hop**2 * 16 == pytest.approx(logic["mac"] + logic["spad"])
    assert lengths.span == pytest.approx(4 * lengths.hop)


def test_a_bit_costs_a_quarter_of_a_swing_over_its_length(chip):
    # CACTI at 45 nm, 20 % delay overhead: 0.404 (lstp), 0.264 (hp) pJ per swing and mm
    price = chip_prices(chip(), TABLE).by_name()["wires", "span", ""]
    assert price.pj == pytest.approx(0.25 * 0.404 * wire_lengths(chip(), TABLE).span)
    assert TABLE.wire_pj_per_bit_mm[SramCell.HP] == pytest.approx(0.25 * 0.264)


@pytest.mark.parametrize(
    ("node", "swing"), [(22, 0.208), (27, 0.259), (65, 0.521), (90, 0.663), (7, 0.208), (130, 0.663)]
)
def test_wires_are_linear_in_the_node_and_level_beyond_cactis(node, swing):
    table = load_energy_table(EnergyChoice(node_nm=node))
    assert table.wire_pj_per_bit_mm[SramCell.LSTP] == pytest.approx(0.25 * swing)


def test_wires_follow_the_cells_of_the_level_next_to_the_array(chip, glb):
    assert wire_cell(chip()) is SramCell.LSTP
    assert wire_cell(chip(srams=(replace(glb, cell=SramCell.HP),))) is SramCell.HP


def test_moving_operands_hop_and_the_one_that_stays_comes_over_half_the_side(run, chip):
    traffic = (
        count("spad", Operand.IFMAP, Direction.WRITE, 10),  # 80 bit
        count("spad", Operand.WEIGHT, Direction.WRITE, 3),  # 24 bit
        count("spad", Operand.PSUM, Direction.WRITE, 10, 40),  # 320 bit
        count("spad", Operand.PSUM, Direction.READ, 10, 40),  # read where it lies
        count("glb", Operand.IFMAP, Direction.READ, 5),  # 40 bit
    )
    ws = chip()
    assert bits_by_wire(run, ws, *traffic) == {"hop": 400, "half_span": 24, "span": 40}
    out = replace(ws, pe_array=replace(ws.pe_array, dataflow=Dataflow.OUTPUT_STATIONARY))
    assert bits_by_wire(run, out, *traffic) == {"hop": 104, "span": 40}  # psums stay


def test_an_operand_without_a_buffer_travels_from_dram_to_the_array(run, chip, glb):
    arch = chip(srams=(replace(glb, holds=frozenset({Operand.IFMAP})),))
    rows = [
        count("dram", operand, Direction.READ, 100) for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.METADATA)
    ]
    assert bits_by_wire(run, arch, *rows) == {"span": 800}
