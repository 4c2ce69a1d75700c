"""Row stationary: plan, event engine and clocked array give the same cycles, words and, the last one, numpy's values."""

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.row_mapping import FixedMapping, MappingChoice, RowMapping
from archsim.engine.clocked_rows import run_clocked_rows
from archsim.engine.measure import measure_plan
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.planner import plan_array_layer
from archsim.mapping.row_passes import list_passes
from archsim.mapping.row_search import legal_mappings
from archsim.mapping.row_stationary import row_work
from archsim.numerics.window import Window
from archsim.terms import Direction, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks
from tests.masks import GivenMask
from tests.strategies import HELD, architecture, row_arrays

WIDE = 1 << 16
FREE = DramLevel(name="dram", bandwidth_bytes_per_cycle=1e9, is_ideal=True)
BOUNDLESS = SramLevel(name="glb", capacity_bytes=1 << 30, holds=HELD)


@st.composite
def mapped_convs(draw: st.DrawFn, skips=(ZeroSkip.NONE, ZeroSkip.GATE)):
    """One group of a conv whose filters need no cutting, on an array with ideal memories and any mapping that fits."""
    array = replace(draw(row_arrays()), zero_skip=draw(st.sampled_from(skips)))
    networks = replace(array.networks, ifmap_bits=WIDE, psum_bits=WIDE)
    array = replace(array, networks=networks, row_pe=replace(array.row_pe, pass_overhead=0.0))
    kernel = draw(st.integers(1, min(4, array.rows))), draw(st.integers(1, min(4, array.spads.ifmap_words)))
    pad = draw(st.integers(0, 1))
    layer = ConvLayer(
        name="conv", in_channels=draw(st.integers(1, 5)), out_channels=draw(st.integers(1, 6)),
        ifmap=tuple(draw(st.integers(side, 9)) for side in kernel), kernel=kernel,
        stride=(draw(st.integers(1, 3)), draw(st.integers(1, 3))), padding=((pad, pad), (0, pad)), dilation=(1, 1),
        batch=draw(st.integers(1, 3)),
    )  # fmt: skip
    arch = architecture(array, (BOUNDLESS,), FREE)
    legal = legal_mappings(row_work(layer, arch))
    assume(len(legal))
    letters = legal[draw(st.integers(0, len(legal) - 1))]
    mapping = RowMapping(**dict(zip("mnepqrt", map(int, letters), strict=True)))
    fixed = FixedMapping(workload="*", layer="*", mapping=mapping)
    return layer, replace(arch, mapping=MappingChoice(fixed=(fixed,))), mapping, draw(st.integers(0, 2**32 - 1))


@settings(max_examples=120, deadline=None)
@given(case=mapped_convs())
def test_plan_event_and_clocked_array_agree(case) -> None:
    layer, arch, mapping, seed = case
    random = np.random.default_rng(seed)
    ifmap = random.integers(-9, 10, (layer.batch, layer.in_channels, *layer.ifmap))
    weight = random.integers(-9, 10, (layer.out_channels, layer.in_channels, *layer.kernel))
    window = Window(stride=layer.stride, padding=layer.padding)
    clocked = run_clocked_rows(ifmap, weight, window, mapping, pe_array=arch.pe_array, weight_bits=8)
    (plan,) = plan_array_layer(layer, arch)
    assert plan.compute_cycles + clocked.waited_cycles == clocked.output_cycles.max()
    assert measure_plan(plan, arch.dram).compute_cycles == plan.compute_cycles
    if not clocked.waited_cycles:  # the plan has no term for a pass that catches up with its own psums: see its Notes
        assert clocked.pass_starts.tolist() == starts_of(plan).tolist()
    assert clocked.counts.macs == plan.array_macs == layer.macs
    assert clocked.ofmap.tolist() == convolved(ifmap, weight, layer).tolist()


@settings(max_examples=250, deadline=None)
@given(case=mapped_convs(skips=(ZeroSkip.SKIP,)), density=st.sampled_from([0.0, 0.1, 0.4, 0.8, 1.0]))
def test_plan_event_and_clocked_array_agree_where_pes_step_over_zeros(case, density) -> None:
    layer, arch, mapping, seed = case
    random = np.random.default_rng(seed)
    ifmap = random.integers(1, 10, (layer.batch, layer.in_channels, *layer.ifmap))
    ifmap *= random.random(ifmap.shape) < density
    weight = random.integers(-9, 10, (layer.out_channels, layer.in_channels, *layer.kernel))
    window = Window(stride=layer.stride, padding=layer.padding)
    zeros = replace(zeros_by_itself(layer), masks=LayerMasks(ifmap=GivenMask.of(ifmap), weight=GivenMask.of(weight)))
    (plan,) = plan_array_layer(layer, arch, zeros=zeros)
    clocked = run_clocked_rows(ifmap, weight, window, mapping, pe_array=arch.pe_array, weight_bits=8)
    assert clocked.ofmap.tolist() == convolved(ifmap, weight, layer).tolist()
    assert clocked.pass_starts.tolist() == starts_of(plan).tolist()
    assert plan.compute_cycles <= clocked.total_cycles <= plan.compute_cycles + clocked.waited_cycles
    assert measure_plan(plan, arch.dram).compute_cycles == plan.compute_cycles
    assert clocked.counts.macs == plan.array_macs
    ways = {name: (Operand(name), Direction.READ, Direction.WRITE) for name in ("ifmap", "weight", "psum")}
    for name, (operand, read, write) in ways.items() if arch.pe_array.multipliers_per_pe == 1 else ():
        assert plan.words("spad", operand, read) == getattr(clocked.counts, f"{name}_spad_reads")
        assert plan.words("spad", operand, write) == getattr(clocked.counts, f"{name}_spad_writes")
    assert plan.words("noc", Operand.PSUM, Direction.WRITE) == clocked.counts.psum_hops
    dense = replace(arch.pe_array, zero_skip=ZeroSkip.NONE)
    taken = run_clocked_rows(ifmap, weight, window, mapping, pe_array=dense, weight_bits=8)
    assert taken.ofmap.tolist() == clocked.ofmap.tolist()
    assert clocked.total_cycles <= taken.total_cycles
    assert (clocked.counts.ifmap_words, clocked.counts.weight_words) == (
        taken.counts.ifmap_words,
        taken.counts.weight_words,
    )


@settings(max_examples=120, deadline=None)
@given(case=mapped_convs())
def test_words_of_the_plan_are_those_of_the_clocked_array(case) -> None:
    layer, arch, mapping, seed = case
    ifmap = np.random.default_rng(seed).integers(1, 10, (layer.batch, layer.in_channels, *layer.ifmap))
    weight = np.ones((layer.out_channels, layer.in_channels, *layer.kernel), dtype=np.int64)
    window = Window(stride=layer.stride, padding=layer.padding)
    array = replace(arch.pe_array, zero_skip="none", multipliers_per_pe=1)
    arch = replace(arch, pe_array=array)
    counts = run_clocked_rows(ifmap, weight, window, mapping, pe_array=array, weight_bits=8).counts
    (plan,) = plan_array_layer(layer, arch)
    passes = list_passes(row_work(layer, arch).shape, mapping)
    ways = {name: (Operand(name), Direction.READ, Direction.WRITE) for name in ("ifmap", "weight", "psum")}
    for name, (operand, read, write) in ways.items():
        assert plan.words("spad", operand, read) == getattr(counts, f"{name}_spad_reads")
        assert plan.words("spad", operand, write) == getattr(counts, f"{name}_spad_writes")
    assert plan.words("noc", Operand.PSUM, Direction.WRITE) == counts.psum_hops
    assert passes.weights.sum() == counts.weight_words
    assert passes.ifmap_words.sum() == counts.ifmap_words
    assert np.where(passes.is_first_sum, 0, passes.psums).sum() == counts.psum_words_in
    assert passes.psums.sum() == counts.psum_words_out


def starts_of(plan: FoldPlan) -> np.ndarray:
    """Start of every pass, memories ideal."""
    return plan.steps.first_start_cycles + np.cumsum(plan.steps.advance_cycles) - plan.steps.advance_cycles


def convolved(ifmap: np.ndarray, weight: np.ndarray, layer: ConvLayer) -> np.ndarray:
    """The convolution by plain numpy."""
    padded = np.pad(ifmap, ((0, 0), (0, 0), *layer.padding))
    rows, columns = layer.ofmap
    found = np.zeros((layer.batch, layer.out_channels, rows, columns), dtype=np.int64)
    for row in range(rows):
        for column in range(columns):
            top, left = row * layer.stride[0], column * layer.stride[1]
            patch = padded[:, :, top : top + layer.kernel[0], left : left + layer.kernel[1]]
            found[:, :, row, column] = np.tensordot(patch, weight, axes=([1, 2, 3], [1, 2, 3]))
    return found
