"""Tensors that stay on chip between layers: who is admitted, until when, and what DRAM is spared."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.engine.layer_run import LayerRun
from archsim.engine.residency import sources_of, tensors_kept
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
    return VectorLayer(
        name=name, op="op", lane_ops=words_out, ifmap_words=words_in, ofmap_words=words_out, sources=sources
    )


def matmul(name: str, rows: int, inner: int, columns: int, *sources: str, weight_source: str = "") -> MatmulLayer:
    return MatmulLayer(name=name, rows=rows, inner=inner, columns=columns, sources=sources, weight_source=weight_source)


def run(layers: list[Layer], keep_bytes: int) -> dict[str, LayerRun]:
    runs = run_network(chip(keep_bytes), Workload(name="net", layers=tuple(layers)))
    return {one.layer: one for one in runs}


def dram(one: LayerRun, operand: Operand, direction: Direction) -> int:
    return sum(t.bytes for t in one.traffic if (t.level, t.operand, t.direction) == ("dram", operand, direction))


def dram_bytes(runs: dict[str, LayerRun]) -> int:
    return sum(t.bytes for one in runs.values() for t in one.traffic if t.level == "dram")


def kept(layers: list[Layer] | tuple[Layer, ...], keep_bytes: int) -> frozenset[str]:
    return tensors_kept(chip(keep_bytes), Workload(name="net", layers=tuple(layers)))


def view(name: str, *sources: str) -> VectorLayer:
    return VectorLayer(name=name, op="reshape", lane_ops=0, ifmap_words=0, ofmap_words=0, sources=sources)


def test_views_are_replaced_by_what_they_rename() -> None:
    layers = (vector("a", 9, 9), vector("b", 9, 9), view("v", "a", "b"), view("w", "a"),
              matmul("c", 3, 3, 3, "v", weight_source="w"))  # fmt: skip
    assert sources_of(Workload(name="net", layers=layers))["c"] == (("b",), "a")


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
    layers = [
        vector("trunk", 50, 50),
        vector("a", 50, 50, "trunk"),
        vector("b", 50, 50, "a"),
        vector("add", 100, 50, "b", "trunk"),
    ]
    assert dram_bytes(run(layers, 150)) == 50 + 50
    assert kept(layers, 150) == {"trunk", "a", "b"}
    assert kept(layers, 149) == {"a", "b"}  # read soonest first: trunk no longer fits beside both


def test_a_tensor_that_nobody_reads_goes_to_dram() -> None:
    assert dram(run([vector("only", 50, 50)], 1000)["only"], Operand.OFMAP, WRITE) == 50


def test_tensors_are_kept_only_where_ifmap_and_ofmap_share_a_level() -> None:
    layers = (vector("a", 50, 50), vector("b", 50, 50, "a"))
    array = PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY)
    levels = (SramLevel(name="in", capacity_bytes=ROOMY, keep_bytes=500, holds=frozenset({Operand.IFMAP, Operand.WEIGHT})),
              SramLevel(name="out", capacity_bytes=ROOMY, keep_bytes=500, holds=frozenset({Operand.PSUM})))  # fmt: skip
    apart = architecture(array, levels, DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0))
    assert tensors_kept(apart, Workload(name="net", layers=layers)) == frozenset()


def test_an_operator_that_is_not_costed_takes_no_room() -> None:
    layers = (UncostedLayer(name="loop", op="loop", reason="unknown", ofmap_words=50), vector("b", 50, 50, "loop"))
    assert kept(layers, 1000) == frozenset()


def test_size_counts_in_the_ofmaps_format() -> None:
    # 50 words of 8 bits fit 50 B, not 49.
    layers = (vector("a", 50, 50), vector("b", 50, 50, "a"))
    assert kept(layers, 50) == {"a"}
    assert kept(layers, 49) == frozenset()


def test_tensors_that_an_array_layer_reads_side_by_side_stay_together_or_not_at_all() -> None:
    layers = [vector("a", 100, 100), vector("big", 900, 900), matmul("fc", 1, 1000, 5, "a", "big")]
    assert kept(layers, 999) == frozenset()
    assert kept(layers, 1000) == {"a", "big"}


def test_a_second_matrix_stays_only_where_weights_live_in_the_same_level() -> None:
    layers = [vector("a", 100, 100), vector("b", 100, 100), matmul("mm", 10, 10, 10, "a", weight_source="b")]
    assert kept(layers, 1000) == {"a", "b"}
    inputs = chip(1000, holds=frozenset({Operand.IFMAP, Operand.PSUM}))
    weights = SramLevel(name="weights", capacity_bytes=ROOMY, holds=frozenset({Operand.WEIGHT}))
    apart = replace(inputs, srams=(*inputs.srams, weights))
    assert tensors_kept(apart, Workload(name="net", layers=tuple(layers))) == {"a"}


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
    stays = tensors_kept(chip(keep_bytes), network)
    sources = sources_of(network)
    waiting: dict[str, int] = {}
    for index, layer in enumerate(network.layers):
        if layer.name in stays:
            waiting[layer.name] = layer.ofmap_words
        assert sum(waiting.values()) <= keep_bytes
        later = {name for other in network.layers[index + 1 :] for name in sources[other.name][0]}
        waiting = {name: words for name, words in waiting.items() if name in later}
    assert waiting == {}


@settings(max_examples=150)
@given(network=networks(), keep_bytes=st.integers(0, 40), more=st.integers(1, 40))
def test_more_room_never_saves_less(network: Workload, keep_bytes: int, more: int) -> None:
    assert saved_bytes(network, keep_bytes + more) >= saved_bytes(network, keep_bytes)


def saved_bytes(network: Workload, keep_bytes: int) -> int:
    stays = tensors_kept(chip(keep_bytes), network)
    reads = [name for sources, _ in sources_of(network).values() for name in sources]
    return sum(layer.ofmap_words * (1 + reads.count(layer.name)) for layer in network.layers if layer.name in stays)


@settings(max_examples=60)
@given(network=networks(), keep_bytes=st.integers(0, 40))
def test_room_for_tensors_never_costs_dram_bytes_or_macs(network: Workload, keep_bytes: int) -> None:
    # Compared with no room at all, on a chip whose tiles have as much room.
    without = run_network(chip(0), network)
    with_room = run_network(chip(keep_bytes), network)
    for bare, one in zip(without, with_room, strict=True):
        assert one.macs == bare.macs
        assert one.total_cycles <= bare.total_cycles
        for operand, direction in ((Operand.IFMAP, READ), (Operand.OFMAP, WRITE)):
            assert dram(one, operand, direction) <= dram(bare, operand, direction)


@settings(max_examples=60)
@given(
    chain=st.lists(st.integers(1, 60), min_size=2, max_size=8), keep_bytes=st.integers(0, 120), more=st.integers(0, 60)
)
def test_more_room_never_moves_more_bytes_of_a_chain_of_equal_tensors(
    chain: list[int], keep_bytes: int, more: int
) -> None:
    size = chain[0]
    layers: list[Layer] = [vector("v0", size, size)]
    layers += [vector(f"v{i}", size, size, f"v{i - 1}") for i in range(1, len(chain))]
    assert dram_bytes(run(layers, keep_bytes + more)) <= dram_bytes(run(layers, keep_bytes))


def test_more_room_never_moves_more_bytes() -> None:
    # First come, first kept would give 200 B to 'big', which waits for the end, and shut out s0, s2, s4, s6.
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


def test_a_view_of_a_kept_tensor_is_not_read_from_dram() -> None:
    assert read_and_never_written([vector("a", 100, 100), view("view", "a"), vector("b", 100, 100, "view")], 1000) == 0


def test_a_kept_source_is_not_read_from_dram_beside_one_that_is_not_kept() -> None:
    layers = [vector("a", 100, 100), vector("big", 900, 900), vector("concat", 1000, 1000, "a", "big")]
    assert read_and_never_written(layers, 500) == 0


def test_a_kept_second_matrix_is_not_read_from_dram() -> None:
    layers = [vector("a", 100, 100), vector("b", 100, 100), matmul("mm", 10, 10, 10, "a", weight_source="b")]
    assert read_and_never_written(layers, 1000) == 0


@pytest.mark.parametrize("last", [view("v", "a"), UncostedLayer(name="v", op="loop", reason="unknown", sources=("a",))])
def test_a_result_that_no_costed_layer_reads_goes_to_dram(last: Layer) -> None:
    # The 100 B are the network's result (or go to another processor): somebody will read them there.
    assert dram(run([vector("a", 100, 100), last], 1000)["a"], Operand.OFMAP, WRITE) == 100


def test_layers_alike_but_for_what_is_kept_are_not_taken_for_one_another() -> None:
    # Three equal layers: the first reads DRAM, the middle one does not, the last writes it.
    layers = [vector("v0", 50, 50), vector("v1", 50, 50, "v0"), vector("v2", 50, 50, "v1")]
    assert [dram_bytes({"one": one}) for one in run(layers, 100).values()] == [50, 0, 50]


def test_keep_bytes_are_taken_from_the_room_for_tiles() -> None:
    level = chip(300).srams[0]
    assert level.room_bytes == ROOMY
    assert replace(level, capacity_bytes=ROOMY).room_bytes == ROOMY - 300
