"""The main path: layers of every kind by hand, and laws of whole small networks."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture, VectorUnit
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.engine import simulate
from archsim.engine.layer_run import LayerRun
from archsim.engine.simulate import run_layer, run_network
from archsim.errors import MappingError
from archsim.terms import Bottleneck, Dataflow, Direction, Operand
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, UncostedLayer, VectorLayer, ZeroFractions
from archsim.workload.network import Workload
from tests.strategies import HELD, architecture, architectures, array_layers

READ, WRITE = Direction.READ, Direction.WRITE
ARRAY = PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY)
KEEPS_IFMAP, KEEPS_OFMAP = frozenset({Operand.IFMAP}), frozenset({Operand.OFMAP})


def chip(
    array: PeArray = ARRAY, *, bandwidth: float = 4.0, latency: int = 0, capacity_bytes: int = 10**6
) -> Architecture:
    """8 lanes, 8-bit operands, 32-bit psums, one shared buffer without port limits."""
    glb = SramLevel(name="glb", capacity_bytes=capacity_bytes, holds=HELD)
    return architecture(
        array, (glb,), DramLevel(name="dram", bandwidth_bytes_per_cycle=bandwidth, latency_cycles=latency)
    )


def words(one: LayerRun) -> dict[tuple[str, str, str], int]:
    return {(t.level, t.operand.value, t.direction.value): t.words for t in one.traffic}


def vector(name: str = "v", *, lane_ops: int, read: int, written: int, weight: int = 0) -> VectorLayer:
    return VectorLayer(
        name=name, op="add", lane_ops=lane_ops, ifmap_words=read, ofmap_words=written, weight_words=weight
    )


@pytest.mark.parametrize(
    ("lane_ops", "ofmap_words", "ops_per_cycle", "cycles"),
    [
        (80, 80, 1, 10),  # 80 ops on 8 lanes
        (81, 81, 1, 11),  # one more begins another cycle
        (160, 80, 1, 20),  # 2 ops per value
        (160, 80, 2, 10),  # a lane that starts 2 per cycle
        (160, 80, 4, 10),  # 5 cycles of ops, but 80 values leave 8 lanes in 10
        (0, 100, 1, 13),  # moves 100 words: 12.5 cycles
        (720, 80, 1, 90),  # a 3x3 pool: 9 ops per value
    ],
)
def test_a_vector_layer_takes_its_operations_or_its_values(lane_ops, ofmap_words, ops_per_cycle, cycles) -> None:
    arch = replace(chip(), vector_unit=VectorUnit(lanes=8, ops_per_cycle=ops_per_cycle)).with_ideal_dram()
    one = run_layer(vector(lane_ops=lane_ops, read=50, written=ofmap_words), arch)
    assert (one.compute_cycles, one.total_cycles, one.lane_ops, one.macs) == (cycles, cycles, lane_ops, 0)


def test_a_vector_layers_words_go_through_the_buffer_once() -> None:
    one = run_layer(vector(lane_ops=100, read=200, written=100, weight=7), chip())
    assert words(one) == {
        ("dram", "ifmap", "read"): 200, ("glb", "ifmap", "write"): 200, ("glb", "ifmap", "read"): 200,
        ("dram", "weight", "read"): 7, ("glb", "weight", "write"): 7, ("glb", "weight", "read"): 7,
        ("glb", "ofmap", "write"): 100, ("glb", "ofmap", "read"): 100, ("dram", "ofmap", "write"): 100,
    }  # fmt: skip


def test_kept_tensors_of_a_vector_layer_stay_in_the_buffer() -> None:
    one = run_layer(vector(lane_ops=100, read=200, written=100), chip(), KEEPS_IFMAP | KEEPS_OFMAP)
    assert words(one) == {("glb", "ifmap", "read"): 200, ("glb", "ofmap", "write"): 100}
    assert one.total_cycles == one.compute_cycles == 13


def test_a_vector_layer_bound_by_dram_takes_its_bytes_time_and_the_ends() -> None:
    # 1600 B in and 1600 B out at 4 B/cycle = 800 cycles; 200 of work. 16 steps: the last step's 100 B out follow its work of 13.
    one = run_layer(vector(lane_ops=1600, read=1600, written=1600), chip())
    assert one.compute_cycles == 200
    assert 800 <= one.total_cycles <= 800 + 25 + 13
    assert one.bottleneck is Bottleneck.DRAM_BANDWIDTH


def test_an_array_layers_kept_operands_cost_no_dram() -> None:
    layer = MatmulLayer(name="fc", rows=8, inner=4, columns=4)
    bare, kept = run_layer(layer, chip()), run_layer(layer, chip(), KEEPS_IFMAP | KEEPS_OFMAP)
    assert {key for key in words(bare) if key[0] == "dram"} == {
        ("dram", "ifmap", "read"), ("dram", "weight", "read"), ("dram", "ofmap", "write"),
    }  # fmt: skip
    assert {key: count for key, count in words(kept).items() if key[0] == "dram"} == {("dram", "weight", "read"): 16}
    assert words(kept)["glb", "ifmap", "read"] == words(bare)["glb", "ifmap", "read"] == 32
    assert ("glb", "ifmap", "write") not in words(kept)
    assert ("glb", "ofmap", "read") not in words(kept)


def test_a_hand_worked_layer_with_real_dram() -> None:
    # 4x4 array, 8 pixels, one fold: load 4 + 8 + 3 + 3 = 18 cycles. DRAM 4 B/cycle, latency 10: at least 16 + 32 + 32 B = 20.
    one = run_layer(MatmulLayer(name="fc", rows=8, inner=4, columns=4), chip(latency=10))
    assert (one.compute_cycles, one.folds, one.mapping_efficiency) == (18, 1, 1.0)
    assert one.macs == one.occupied_macs == 128
    # Weights (4 cycles) and the first pixel line (1) precede step 0, 10 latency; the last line's 1 cycle and 10 follow the end.
    assert one.total_cycles >= 4 + 1 + 10 + 18 + 1 + 10
    assert one.dram_latency_stall_cycles >= 20
    assert one.onchip_stall_cycles == 0


def test_structured_sparsity_skips_what_the_workload_drops() -> None:
    # 2:4 of a window of 10: 2 * 2 + min(2, 2) = 6 of 10 rows stay. MACs asked for are the dense ones.
    layer = MatmulLayer(name="fc", rows=5, inner=10, columns=3, kept_of=(2, 4))
    dense = run_layer(layer, chip())
    sparse = run_layer(layer, chip(replace(ARRAY, structured_sparsity=True)))
    assert dense.macs == sparse.macs == 150
    assert (dense.occupied_macs, sparse.occupied_macs) == (150, 90)
    # Per fold 5 + 8 + 4 - 2 = 15 cycles; window 10 = 3 folds of 4 rows, 6 = 2.
    assert (dense.compute_cycles, sparse.compute_cycles) == (45, 30)
    assert words(sparse)["dram", "weight", "read"] == 18


@pytest.mark.parametrize(
    ("zeros", "effectual"),
    [((None, None), 120), ((0.5, None), 60), ((None, 0.25), 90), ((0.5, 0.5), 30), ((1.0, 0.0), 0)],
)
def test_effectual_macs_take_zeros_as_independent(zeros, effectual) -> None:
    fractions = ZeroFractions(ifmap=zeros[0], weight=zeros[1])
    layer = MatmulLayer(name="fc", rows=4, inner=5, columns=6, zero_fractions=fractions)
    assert run_layer(layer, chip()).effectual_macs == effectual


def test_a_view_costs_nothing_and_is_costed() -> None:
    view = VectorLayer(name="v", op="reshape", lane_ops=0, ifmap_words=0, ofmap_words=0)
    one = run_layer(view, chip())
    assert (one.total_cycles, one.traffic, one.is_costed) == (0, (), True)
    assert "view" in one.note


def test_what_cannot_be_run_is_named_and_not_costed() -> None:
    no_unit = run_layer(vector(lane_ops=8, read=8, written=8), replace(chip(), vector_unit=None))
    assert (no_unit.is_costed, no_unit.total_cycles, no_unit.note) == (False, 0, "random has no vector_unit")
    unknown = run_layer(UncostedLayer(name="l", op="loop", reason="its trip count is not known"), chip())
    assert (unknown.is_costed, unknown.total_cycles, unknown.note) == (False, 0, "its trip count is not known")


def test_a_layer_that_does_not_fit_is_named() -> None:
    arch = chip(capacity_bytes=8)
    with pytest.raises(MappingError, match="layer 'fc' does not fit 'random'"):
        run_layer(MatmulLayer(name="fc", rows=9, inner=9, columns=9), arch)


def test_equal_layers_are_planned_once_and_keep_their_names(monkeypatch) -> None:
    planned = []
    original = simulate.run_layer

    def noted(layer, *rest, **named):
        planned.append(layer.name)
        return original(layer, *rest, **named)

    monkeypatch.setattr(simulate, "run_layer", noted)
    layers = tuple(MatmulLayer(name=name, rows=3, inner=4, columns=5) for name in "abc")
    other = MatmulLayer(name="d", rows=3, inner=4, columns=6)
    runs = run_network(chip(), Workload(name="net", layers=(*layers, other)))
    assert [one.layer for one in runs] == ["a", "b", "c", "d"]
    assert planned == ["a", "d"]
    assert replace(runs[2], layer="a") == runs[0]


def test_progress_is_told_before_each_layer() -> None:
    seen: list[tuple[int, int, str]] = []
    layers = tuple(MatmulLayer(name=name, rows=3, inner=4, columns=5) for name in "ab")
    run_network(chip(), Workload(name="net", layers=layers), on_layer=lambda *told: seen.append(told))
    assert seen == [(0, 2, "a"), (1, 2, "b")]


@st.composite
def networks(draw: st.DrawFn) -> Workload:
    """Two to four layers of any kind, each reading some earlier ones."""
    layers: list[Layer] = []
    for index in range(draw(st.integers(2, 4))):
        names = [layer.name for layer in layers]
        sources = tuple(draw(st.lists(st.sampled_from(names), max_size=2, unique=True))) if names else ()
        kind = draw(st.sampled_from(["array", "array", "vector", "uncosted"]))
        if kind == "array":
            layers.append(replace(draw(array_layers), name=f"l{index}", sources=sources))
        elif kind == "vector":
            size = draw(st.integers(0, 300))
            layers.append(replace(vector(lane_ops=draw(st.integers(1, 500)), read=size, written=draw(st.integers(0, 300))),
                                  name=f"l{index}", sources=sources))  # fmt: skip
        else:
            layers.append(UncostedLayer(name=f"l{index}", op="loop", reason="unknown", ofmap_words=10, sources=sources))
    return Workload(name="net", layers=tuple(layers))


def run_or_none(arch: Architecture, network: Workload) -> tuple[LayerRun, ...] | None:
    try:
        return run_network(arch, network)
    except MappingError:
        return None


@settings(max_examples=40)
@given(network=networks(), arch=architectures())
def test_a_network_is_its_layers_one_after_another(network: Workload, arch: Architecture) -> None:
    # The chips drawn here set no room aside, so no layer knows of the others.
    runs = run_or_none(arch, network)
    if runs is None:
        return
    assert [one.layer for one in runs] == [layer.name for layer in network.layers]
    assert runs == tuple(run_layer(layer, arch) for layer in network.layers)
    assert sum(one.macs for one in runs) == network.macs


@settings(max_examples=40)
@given(network=networks(), arch=architectures())
def test_columns_of_a_network_are_whole_and_never_negative(network: Workload, arch: Architecture) -> None:
    for one in run_or_none(arch, network) or ():
        for name in ("macs", "effectual_macs", "occupied_macs", "lane_ops", "folds", "compute_cycles",
                     "onchip_stall_cycles", "dram_stall_cycles", "total_cycles"):  # fmt: skip
            value = getattr(one, name)
            assert type(value) is int, name
            assert value >= 0, name
        assert 0 <= one.utilization <= 1
        assert one.effectual_macs <= one.macs
        assert (one.total_cycles == 0) == (one.bottleneck is Bottleneck.NONE)


@settings(max_examples=40)
@given(network=networks(), arch=architectures())
def test_ideal_dram_takes_away_the_dram_stall_and_nothing_of_the_compute(network: Workload, arch: Architecture) -> None:
    real, ideal = run_or_none(arch, network), run_or_none(arch.with_ideal_dram(), network)
    for one, bare in zip(real or (), ideal or (), strict=True):
        assert bare.dram_stall_cycles == 0
        assert bare.compute_cycles == one.compute_cycles
        assert bare.total_cycles <= one.total_cycles


def test_a_batched_conv_of_groups_has_the_macs_of_its_parts() -> None:
    # 2 images, 4x4 ofmap, 2 groups of (2 in, 3 out), 3x3: 2 * 16 * 6 * 18 = 3456.
    layer = ConvLayer(name="c", in_channels=4, out_channels=6, ifmap=(4, 4), kernel=(3, 3), stride=(1, 1),
                      padding=((1, 1), (1, 1)), dilation=(1, 1), batch=2, groups=2)  # fmt: skip
    one = run_layer(layer, chip())
    assert one.macs == one.occupied_macs == 3456
    # Each group: window 18 = 5 row folds, 3 filters = 1 column fold.
    assert one.folds == 2 * 5
    assert one.compute_cycles == 10 * (32 + 8 + 4 - 2)
