"""Tensors that stay on chip between layers: who is admitted, until when, and what DRAM is spared."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.engine.layer_run import LayerRun
from archsim.engine.residency import KeepRoom, readers
from archsim.engine.simulate import run_network
from archsim.terms import Dataflow, Direction, Operand
from archsim.workload.layer import Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.network import Workload
from tests.strategies import HELD, architecture

READ, WRITE = Direction.READ, Direction.WRITE
ROOMY = 100_000


def chip(keep_bytes: int, holds: frozenset[Operand] = HELD) -> Architecture:
    """8-bit words, 32-bit psums; one buffer with room to spare for any tile here."""
    array = PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY)
    glb = SramLevel(name="glb", capacity_bytes=ROOMY + keep_bytes, keep_bytes=keep_bytes, holds=holds)
    return architecture(array, (glb,), DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0))


def vector(name: str, words_in: int, words_out: int, *sources: str) -> VectorLayer:
    return VectorLayer(name=name, op="op", lane_ops=words_out, ifmap_words=words_in, ofmap_words=words_out, sources=sources)


def matmul(name: str, rows: int, inner: int, columns: int, *sources: str, weight_source: str = "") -> MatmulLayer:
    return MatmulLayer(name=name, rows=rows, inner=inner, columns=columns, sources=sources, weight_source=weight_source)


def run(layers: list[Layer], keep_bytes: int) -> dict[str, LayerRun]:
    runs = run_network(chip(keep_bytes), Workload(name="net", layers=tuple(layers)))
    return {one.layer: one for one in runs}


def dram(one: LayerRun, operand: Operand, direction: Direction) -> int:
    return sum(t.bytes for t in one.traffic if (t.level, t.operand, t.direction) == ("dram", operand, direction))


def dram_bytes(runs: dict[str, LayerRun]) -> int:
    return sum(t.bytes for one in runs.values() for t in one.traffic if t.level == "dram")


def test_the_last_reader_of_a_tensor_is_the_last_layer_that_names_it() -> None:
    layers = (vector("a", 9, 9), vector("b", 9, 9, "a"), matmul("c", 3, 3, 3, "b", weight_source="a"), vector("d", 9, 9, "b"))
    assert readers(Workload(name="net", layers=layers)) == {"a": 2, "b": 3}


@pytest.mark.parametrize("keep_bytes", [79, 80, 160])
def test_a_chain_that_fits_moves_no_bytes_in_between(keep_bytes: int) -> None:
    # fc1 (8x10)(10x10) -> 80 B -> relu -> 80 B -> fc2 (8x10)(10x5) -> 40 B. While relu runs, both tensors are there: 160 B.
    layers = [matmul("fc1", 8, 10, 10), vector("relu", 80, 80, "fc1"), matmul("fc2", 8, 10, 5, "relu")]
    runs = run(layers, keep_bytes)
    assert dram(runs["fc1"], Operand.IFMAP, READ) == 80
    assert dram(runs["fc1"], Operand.WEIGHT, READ) == 100
    assert dram(runs["fc2"], Operand.OFMAP, WRITE) == 40
    first, second = {79: (80, 80), 80: (0, 80), 160: (0, 0)}[keep_bytes]
    assert dram(runs["fc1"], Operand.OFMAP, WRITE) == dram(runs["relu"], Operand.IFMAP, READ) == first
    assert dram(runs["relu"], Operand.OFMAP, WRITE) == dram(runs["fc2"], Operand.IFMAP, READ) == second


def test_room_is_given_back_after_the_last_reader_so_that_a_long_chain_needs_two_tensors() -> None:
    layers: list[Layer] = [vector("v0", 50, 50)]
    layers += [vector(f"v{i}", 50, 50, f"v{i - 1}") for i in range(1, 9)]
    # Only the first ifmap and the last ofmap cross: 50 + 50 B; without room 9 * 100 B.
    assert dram_bytes(run(layers, 100)) == 100
    assert dram_bytes(run(layers, 0)) == 900


def test_a_residual_keeps_its_tensor_until_its_last_reader() -> None:
    # trunk 50 B is read by a and by the add; at most trunk, a and b wait at one time: 150 B. add writes 50 B out.
    layers = [vector("trunk", 50, 50), vector("a", 50, 50, "trunk"), vector("b", 50, 50, "a"), vector("add", 100, 50, "b", "trunk")]
    assert dram_bytes(run(layers, 150)) == 50 + 50
    room = KeepRoom(arch=chip(150), last_reader=readers(Workload(name="net", layers=tuple(layers))))
    held = []
    for index, layer in enumerate(layers):
        room.admit(index, layer)
        held.append(set(room.held))
        room.release(index)
    assert held == [{"trunk"}, {"trunk", "a"}, {"trunk", "a", "b"}, {"trunk", "b"}]
    assert room.held == {}


def test_a_tensor_that_nobody_reads_goes_to_dram() -> None:
    assert dram(run([vector("only", 50, 50)], 1000)["only"], Operand.OFMAP, WRITE) == 50


def test_tensors_are_kept_only_where_ifmap_and_ofmap_share_a_level() -> None:
    layers = (vector("a", 50, 50), vector("b", 50, 50, "a"))
    array = PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY)
    levels = (SramLevel(name="in", capacity_bytes=ROOMY, keep_bytes=500, holds=frozenset({Operand.IFMAP, Operand.WEIGHT})),
              SramLevel(name="out", capacity_bytes=ROOMY, keep_bytes=500, holds=frozenset({Operand.PSUM})))  # fmt: skip
    apart = architecture(array, levels, DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0))
    room = KeepRoom(arch=apart, last_reader=readers(Workload(name="net", layers=layers)))
    assert not room.admit(0, layers[0])


def test_an_operator_that_is_not_costed_takes_no_room() -> None:
    layers = (UncostedLayer(name="loop", op="loop", reason="unknown", ofmap_words=50), vector("b", 50, 50, "loop"))
    room = KeepRoom(arch=chip(1000), last_reader=readers(Workload(name="net", layers=layers)))
    assert not room.admit(0, layers[0])


def test_size_counts_in_the_ofmaps_format() -> None:
    # 50 words of 8 bits fit 50 B, not 49.
    layers = (vector("a", 50, 50), vector("b", 50, 50, "a"))
    for keep_bytes, fits in ((50, True), (49, False)):
        room = KeepRoom(arch=chip(keep_bytes), last_reader=readers(Workload(name="net", layers=layers)))
        assert room.admit(0, layers[0]) is fits


@st.composite
def networks(draw: st.DrawFn) -> Workload:
    """Layers of every kind that read any earlier ones; a vector layer reads all words of its sources."""
    layers: list[Layer] = []
    sizes: dict[str, int] = {}
    for index in range(draw(st.integers(1, 8))):
        name = f"l{index}"
        sources = tuple(draw(st.lists(st.sampled_from(sorted(sizes)), max_size=2, unique=True))) if sizes else ()
        words = sum(sizes[source] for source in sources) or draw(st.integers(1, 60))
        columns = draw(st.integers(1, 9))
        if draw(st.booleans()):
            layers.append(vector(name, words, columns, *sources))
            sizes[name] = columns
        else:
            layers.append(matmul(name, 1, words, columns, *sources))
            sizes[name] = columns
    return Workload(name="net", layers=tuple(layers))


@settings(max_examples=150)
@given(network=networks(), keep_bytes=st.integers(0, 40))
def test_what_is_kept_never_exceeds_the_room(network: Workload, keep_bytes: int) -> None:
    room = KeepRoom(arch=chip(keep_bytes), last_reader=readers(network))
    for index, layer in enumerate(network.layers):
        was_there = {name for name in room.held if room.last_reader[name] >= index}
        stays = room.admit(index, layer)
        assert sum(room.held.values()) <= keep_bytes
        assert set(room.held) == was_there | ({layer.name} if stays else set())
        room.release(index)
        assert all(room.last_reader[name] > index for name in room.held)
    assert room.held == {}


@settings(max_examples=60)
@given(network=networks(), keep_bytes=st.integers(0, 40))
def test_room_for_tensors_never_costs_dram_bytes_or_macs(network: Workload, keep_bytes: int) -> None:
    # Compared with no room at all, on a chip whose tiles have as much room.
    without = run_network(chip(0), network)
    kept = run_network(chip(keep_bytes), network)
    for bare, one in zip(without, kept, strict=True):
        assert one.macs == bare.macs
        assert one.total_cycles <= bare.total_cycles
        for operand, direction in ((Operand.IFMAP, READ), (Operand.OFMAP, WRITE)):
            assert dram(one, operand, direction) in {0, dram(bare, operand, direction)}


@settings(max_examples=60)
@given(chain=st.lists(st.integers(1, 60), min_size=2, max_size=8), keep_bytes=st.integers(0, 120), more=st.integers(0, 60))
def test_more_room_never_moves_more_bytes_of_a_chain_of_equal_tensors(chain: list[int], keep_bytes: int, more: int) -> None:
    size = chain[0]
    layers: list[Layer] = [vector("v0", size, size)]
    layers += [vector(f"v{i}", size, size, f"v{i - 1}") for i in range(1, len(chain))]
    assert dram_bytes(run(layers, keep_bytes + more)) <= dram_bytes(run(layers, keep_bytes))


@pytest.mark.xfail(strict=True, reason="first come, first kept: a long-lived tensor shuts out many short-lived ones")
def test_more_room_never_moves_more_bytes() -> None:
    # 100 B of room keep s0, s2, s4, s6 in turn; 200 B keep 'big' instead, which waits for the end, and none of them.
    layers: list[Layer] = [vector("big", 200, 200), vector("s0", 100, 100)]
    layers += [vector(f"s{i}", 100, 100, f"s{i - 1}") for i in range(1, 8)]
    layers.append(vector("end", 300, 300, "big", "s7"))
    moved = [dram_bytes(run(layers, keep_bytes)) for keep_bytes in (0, 100, 200, 300, 400)]
    assert moved == sorted(moved, reverse=True)


def read_and_never_written(layers: list[Layer], keep_bytes: int) -> int:
    """Bytes that readers of earlier layers fetch from DRAM beyond what those layers have written there."""
    runs = run(layers, keep_bytes)
    written = sum(dram(runs[layer.name], Operand.OFMAP, WRITE) for layer in layers[:-1])
    last = runs[layers[-1].name]
    return max(0, dram(last, Operand.IFMAP, READ) + dram(last, Operand.WEIGHT, READ) - written)


@pytest.mark.xfail(strict=True, reason="a view is not followed to the tensor that it renames")
def test_a_view_of_a_kept_tensor_is_not_read_from_dram() -> None:
    view = VectorLayer(name="view", op="reshape", lane_ops=0, ifmap_words=0, ofmap_words=0, sources=("a",))
    assert read_and_never_written([vector("a", 100, 100), view, vector("b", 100, 100, "view")], 1000) == 0


@pytest.mark.xfail(strict=True, reason="one source in DRAM makes all of them be read from there")
def test_a_kept_source_is_not_read_from_dram_beside_one_that_is_not_kept() -> None:
    layers = [vector("a", 100, 100), vector("big", 900, 900), vector("concat", 1000, 1000, "a", "big")]
    assert read_and_never_written(layers, 500) == 0


@pytest.mark.xfail(strict=True, reason="weight_source is kept by its maker but not looked up by its reader")
def test_a_kept_second_matrix_is_not_read_from_dram() -> None:
    layers = [vector("a", 100, 100), vector("b", 100, 100), matmul("mm", 10, 10, 10, "a", weight_source="b")]
    assert read_and_never_written(layers, 1000) == 0


def test_layers_alike_but_for_what_is_kept_are_not_taken_for_one_another() -> None:
    # Three equal layers: the first reads DRAM, the middle one does not, the last writes it.
    layers = [vector("v0", 50, 50), vector("v1", 50, 50, "v0"), vector("v2", 50, 50, "v1")]
    assert [dram_bytes({"one": one}) for one in run(layers, 100).values()] == [50, 0, 50]


def test_keep_bytes_are_taken_from_the_room_for_tiles() -> None:
    level = chip(300).srams[0]
    assert level.room_bytes == ROOMY
    assert replace(level, capacity_bytes=ROOMY).room_bytes == ROOMY - 300
