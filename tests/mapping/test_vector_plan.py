import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import VectorUnit
from archsim.mapping.vector_plan import CHUNKS, plan_vector_layer
from archsim.terms import Direction, Operand
from archsim.workload.layer import VectorLayer
from tests.mapping.hand_made import WS, array_of, chip, moves

LANES = VectorUnit(lanes=8)


def vector(lane_ops: int, read: int, written: int, weight: int = 0) -> VectorLayer:
    return VectorLayer(
        name="v", op="add", lane_ops=lane_ops, ifmap_words=read, ofmap_words=written, weight_words=weight
    )


def made(layer: VectorLayer, *, on_chip: int = 0, stays: bool = False, unit: VectorUnit = LANES, **level):
    return plan_vector_layer(layer, chip(array_of(WS), **level), unit, on_chip, stays)


def test_a_long_operator_works_in_chunks_that_share_its_words() -> None:
    # 1600 ops on 8 lanes = 200 cycles in 16 chunks of 12 or 13; 320 words in, 20 a chunk; 160 out, 10 a chunk.
    one = made(vector(1600, 320, 160))
    assert len(one.steps) == CHUNKS == 16
    assert set(one.steps.advance_cycles.tolist()) == {12, 13}
    assert one.steps.advance_cycles.sum() == one.compute_cycles == 200
    assert [size for *_, size in moves(one, is_write=False)["ifmap"]] == [20] * 16
    assert [size for *_, size in moves(one, is_write=True)["ofmap"]] == [10] * 16


def test_a_chunk_may_be_fetched_while_the_one_before_is_worked_on() -> None:
    reads = moves(made(vector(1600, 320, 160)), is_write=False)["ifmap"]
    assert [after for _, after, _ in reads] == [-1, -1, *range(14)]


def test_a_chunk_waits_for_the_write_back_of_the_one_before_the_last() -> None:
    one = made(vector(1600, 320, 160))
    held = [int(one.transfers.step[hold]) if hold >= 0 else None for hold in one.steps.hold_transfer]
    assert held == [None, None, *range(14)]


@pytest.mark.parametrize(("lane_ops", "chunks"), [(8, 1), (16, 2), (17, 3), (1000, 16)])
def test_no_chunk_is_shorter_than_a_cycle(lane_ops, chunks) -> None:
    one = made(vector(lane_ops, 8, 8))
    assert len(one.steps) == chunks
    assert one.steps.advance_cycles.min() >= 1


def test_parameters_come_before_the_first_chunk() -> None:
    assert moves(made(vector(1600, 320, 160, weight=30)), is_write=False)["weight"] == [(0, -1, 30)]


def test_words_on_chip_and_words_that_stay_cross_no_channel() -> None:
    part = made(vector(1600, 320, 160), on_chip=300, stays=True)
    assert part.words("dram", Operand.IFMAP, Direction.READ) == 20
    assert part.words("dram", Operand.OFMAP, Direction.WRITE) == 0
    assert part.words("glb", Operand.IFMAP, Direction.READ) == 320
    assert part.words("glb", Operand.OFMAP, Direction.WRITE) == 160
    assert (part.steps.hold_transfer == -1).all()


def test_ports_move_each_chunks_words_in_and_out() -> None:
    # Per chunk: ifmap 20 in + 20 out, ofmap 10 + 10 = 60 B at 4 B/cycle = 15; work 12 or 13.
    assert set(made(vector(1600, 320, 160), width_bytes=4).steps.port_cycles.tolist()) == {15}
    # Kept both ways: 20 + 10 = 30 B, 7.5.
    assert set(made(vector(1600, 320, 160), on_chip=320, stays=True, width_bytes=4).steps.port_cycles.tolist()) == {8}


def test_it_is_no_array_work() -> None:
    one = made(vector(80, 80, 80))
    assert (one.kind, one.folds, one.array_macs, one.nest) == ("vector", 0, 0, None)


layers = st.builds(vector, st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 100))
units = st.builds(VectorUnit, lanes=st.integers(1, 64), ops_per_cycle=st.integers(1, 4))


@settings(max_examples=150)
@given(layer=layers, unit=units, share=st.floats(0, 1), stays=st.booleans())
def test_words_and_cycles_are_conserved_over_the_chunks(layer, unit, share, stays) -> None:
    on_chip = int(layer.ifmap_words * share)
    one = made(layer, on_chip=on_chip, stays=stays, unit=unit)
    read, written = layer.ifmap_words - on_chip, 0 if stays else layer.ofmap_words
    assert one.steps.advance_cycles.sum() == one.compute_cycles
    assert one.compute_cycles * unit.lanes * unit.ops_per_cycle >= layer.lane_ops
    assert one.compute_cycles * unit.lanes >= layer.ofmap_words
    assert one.words("dram", Operand.IFMAP, Direction.READ) == read
    assert one.words("dram", Operand.OFMAP, Direction.WRITE) == written
    t = one.transfers
    assert t.length_bytes[~t.is_write].sum() == read + layer.weight_words
    assert t.length_bytes[t.is_write].sum() == written
    assert np.array_equal(one.steps.tail_cycles, one.steps.advance_cycles)
