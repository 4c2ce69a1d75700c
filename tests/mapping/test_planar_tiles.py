"""Plans of planar tiles: zeros save cycles and words, steps add up, the ifmap crosses once, losses add up to the cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.dram_devices import load_device
from archsim.arch.planar_pe import HASHED_BANKS, Barrier, PlanarPe, Products
from archsim.catalog import load_arch, load_workload
from archsim.cost.energy import price_layer
from archsim.cost.price_source import load_prices
from archsim.engine.measure import measure_plan
from archsim.engine.simulate import run_layer
from archsim.errors import ConfigError, MappingError
from archsim.mapping.effectual_macs import effectual_macs
from archsim.mapping.planar_shape import planar_shape
from archsim.mapping.planar_steps import Crossing, planar_steps
from archsim.mapping.planar_work import planar_work
from archsim.terms import Direction, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import mask_shape
from tests.mapping.hand_made import conv
from tests.mapping.planar_chips import (
    CODED,
    DRAM,
    IFMAP,
    OFMAP,
    WEIGHT,
    chip,
    chips,
    dram_words,
    make_array,
    masks_of,
    plan_of,
    zeros_of,
)
from tests.strategies import conv_layers, matmul_layers

SAME = ((1, 1), (1, 1))
layers = st.one_of(conv_layers(), matmul_layers())
shares = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])


def planned(layer, arch, ifmap=1.0, weight=1.0, seed=0):
    """The plan of drawn masks, or None where the layer honestly does not fit."""
    masks = masks_of(layer, ifmap, weight, seed)
    try:
        return masks, plan_of(layer, arch, zeros=zeros_of(layer, *masks))
    except MappingError:
        return masks, None


@settings(max_examples=150)
@given(layer=layers, arch=chips(), ifmap=shares, weight=shares, seed=st.integers(0, 9))
def test_steps_losses_and_words_of_any_layer_add_up(layer, arch, ifmap, weight, seed) -> None:
    masks, plan = planned(layer, arch, ifmap, weight, seed)
    if plan is None:
        return
    times = measure_plan(plan, arch.dram)
    assert (
        int(plan.steps.advance_cycles.sum()) + arch.pe_array.pipeline_cycles
        == plan.compute_cycles
        == times.compute_cycles
    )
    assert plan.array_macs <= arch.pe_array.multipliers * plan.compute_cycles
    assert 0 <= plan.mapping_efficiency <= 1
    if arch.pe_array.skips:
        assert plan.skip.compute_cycles == plan.compute_cycles
        assert plan.array_macs == plan.effectual_macs == effectual_macs(layer, *masks)
    else:
        assert plan.skip is None
    coded = arch.pe_array.skips and bool(arch.dram.compression)
    counts = (layer.ifmap_words, masks[0]), (layer.weight_words, masks[1])
    for (words, mask), operand in zip(counts, (IFMAP, WEIGHT), strict=True):
        least = int(mask.sum()) if coded or arch.dram.compression else words
        assert dram_words(plan, operand) >= least
    assert dram_words(plan, OFMAP) == layer.ofmap_words
    reads = plan.transfers.length_bytes[~plan.transfers.is_write].sum()
    assert reads == sum(row.bytes for row in plan.traffic if row.level == "dram" and row.direction is Direction.READ)


@settings(max_examples=100)
@given(layer=layers, ifmap=shares, weight=shares, barrier=st.sampled_from([*Barrier]), seed=st.integers(0, 9))
def test_skipping_never_adds_a_cycle_and_saves_none_without_zeros(layer, ifmap, weight, barrier, seed) -> None:
    skipping = chip(make_array(2, 3, barrier=barrier))
    dense = chip(make_array(2, 3, ZeroSkip.NONE, barrier=barrier))
    _, taken = planned(layer, dense)
    _, sparse = planned(layer, skipping, ifmap, weight, seed)
    _, full = planned(layer, skipping)
    if taken is None:
        return
    assert sparse.compute_cycles <= full.compute_cycles == taken.compute_cycles == sparse.skip.dense_cycles
    assert full.skip.ideal_cycles == full.compute_cycles


def test_gating_takes_the_dense_cycles_and_less_energy() -> None:
    layer = conv(16, 24, 14, 3, padding=SAME)
    zeros = zeros_of(layer, *masks_of(layer, 0.5, 0.4))
    for products in Products:
        energies = []
        for zero_skip in (ZeroSkip.NONE, ZeroSkip.GATE):
            arch = chip(make_array(4, 4, zero_skip, products=products))
            run = run_layer(layer, arch, zeros=zeros)
            energies.append((run.compute_cycles, price_layer(run, arch, load_prices(arch)).total_pj))
        assert energies[0][0] == energies[1][0]
        assert energies[0][1] > energies[1][1]
        assert run.gated_macs == pytest.approx(run.occupied_macs * 0.8, rel=0.02)


def test_skipping_takes_fewer_cycles_and_less_energy() -> None:
    layer = conv(32, 48, 14, 3, padding=SAME)
    zeros = zeros_of(layer, *masks_of(layer, 0.4, 0.4))
    found = []
    for zero_skip in (ZeroSkip.NONE, ZeroSkip.SKIP):
        arch = chip(make_array(4, 4, zero_skip), dram=replace(DRAM, compression=CODED))
        run = run_layer(layer, arch, zeros=zeros)
        found.append((run.compute_cycles, run.total_cycles, price_layer(run, arch, load_prices(arch)).total_pj))
    assert all(dense > sparse for dense, sparse in zip(*found, strict=True))


def test_a_layer_of_zeros_takes_what_the_scheme_gives() -> None:
    layer = conv(4, 4, 8, 3)
    _, plan = planned(layer, chip(dram=replace(DRAM, compression=CODED)), 0.0, 0.0)
    assert (plan.compute_cycles, plan.array_macs, plan.effectual_macs, plan.mapping_efficiency) == (0, 0, 0, 0.0)
    assert measure_plan(plan, DRAM).dram_stall_cycles > 0  # the ofmap crosses all the same
    assert plan.skip.ideal_cycles == 0


def test_an_ifmap_that_fits_crosses_once_and_one_that_does_not_brings_all_weights_again_for_every_part() -> None:
    layer = conv(8, 64, 32, 3, padding=SAME)
    dense = make_array(zero_skip=ZeroSkip.NONE, accumulator_entries=64)
    large, small = (plan_of(layer, chip(dense, size)) for size in (50_000, 3_000))
    for plan in (large, small):
        assert (dram_words(plan, IFMAP), dram_words(plan, OFMAP)) == (layer.ifmap_words, layer.ofmap_words)
    assert dram_words(large, WEIGHT) == layer.weight_words
    parts, left = divmod(dram_words(small, WEIGHT), layer.weight_words)
    assert parts > 2
    assert not left
    assert any("part of the plane" in line for line in small.mapping)
    passing = plan_of(layer, chip(dense, 100))
    assert (dram_words(passing, IFMAP), dram_words(passing, WEIGHT)) == (64 * layer.ifmap_words, layer.weight_words)


@settings(max_examples=100)
@given(layer=layers, capacity=st.integers(60, 4_000), doubled=st.booleans())
def test_parts_of_the_ifmap_on_the_chip_at_a_time_have_room_beside_what_passes(layer, capacity, doubled) -> None:
    """A part is asked for when the one that it replaces is done: so many neighbours are on the chip together."""
    arch = chip(make_array(2, 2, ZeroSkip.NONE), capacity, double_buffered=doubled)
    try:
        shape = planar_shape(layer, arch.pe_array)
    except MappingError:
        return
    work = planar_work(layer, arch.pe_array, shape, zeros_by_itself(layer))
    nothing = np.zeros((shape.images, shape.groups, shape.filter_groups), dtype=np.int64)
    crossing = Crossing(ifmap=work.ifmap_words, weight=work.weight_words, ofmap=nothing)
    steps = planar_steps(layer.name, shape, work, crossing, arch=arch, kept=frozenset())
    assert steps.ifmap_fetches.sum() >= layer.ifmap_words
    if steps.loads_ahead:
        loads = np.bincount(steps.load, weights=steps.ifmap_fetches)
        assert np.convolve(loads, np.ones(steps.loads_ahead + 1)).max() <= capacity
        first = np.unique(steps.load, return_index=True)[1]
        for load in range(steps.loads_ahead + 1, len(first)):
            released = steps.ifmap_release[first[load]]
            assert steps.load[released] == load - steps.loads_ahead - 1
            assert steps.load[released + 1] == load - steps.loads_ahead


def test_zeros_make_room_for_an_ifmap() -> None:
    """512 x 256 values of 8 bits: 131 KB, or with one in eight not zero 16 Ki values and at most 7 Ki long runs of 12 bits: 36 KB."""
    layer = conv(512, 4, 16, 1)
    zeros = zeros_of(layer, *masks_of(layer, 0.125, 1.0))
    skipping, dense = (
        plan_of(layer, chip(make_array(zero_skip=each), 60_000), zeros=zeros) for each in (ZeroSkip.SKIP, ZeroSkip.GATE)
    )
    assert dram_words(skipping, WEIGHT) == layer.weight_words < dram_words(dense, WEIGHT)


def test_kept_operands_do_not_cross() -> None:
    layer = conv(8, 8, 16, 3)
    plan = plan_of(layer, chip(), kept=frozenset({IFMAP, OFMAP}))
    assert (dram_words(plan, IFMAP), dram_words(plan, OFMAP)) == (0, 0)
    assert dram_words(plan, WEIGHT) == layer.weight_words


def test_weights_with_a_level_of_their_own_cross_once_for_all_images() -> None:
    layer = conv(8, 8, 16, 3, batch=3)
    streamed = plan_of(layer, chip())
    held = plan_of(layer, chip(holds=frozenset({OFMAP, WEIGHT})))
    assert dram_words(streamed, WEIGHT) == 3 * layer.weight_words
    assert dram_words(held, WEIGHT) == layer.weight_words


def test_coded_tensors_of_a_skipping_array_move_their_nonzero_values() -> None:
    layer = conv(8, 16, 16, 3)
    (ifmap, weight), plan = planned(layer, chip(dram=replace(DRAM, compression=CODED)), 0.3, 0.3)
    assert (dram_words(plan, IFMAP), dram_words(plan, WEIGHT)) == (ifmap.sum(), weight.sum())
    assert plan.words("ram", IFMAP, Direction.WRITE) == ifmap.sum()
    assert dram_words(plan, Operand.METADATA) > 0


def test_a_dram_with_banks_runs_a_layer() -> None:
    dram = replace(DRAM, device=load_device("DDR4_2400"))
    run = run_layer(conv(8, 16, 16, 3), chip(dram=dram))
    assert run.dram is not None
    assert run.total_cycles > run.compute_cycles


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"products": Products.DOT}, "planar.products .=dot. is dense"),
     ({"ifmap_vector": 3}, r"must be planar.ifmap_vector x planar.weight_vector \(=12\)"),
     ({"banks": 8}, "needs bank_queue"), ({"banks": 64, "bank_queue": 1}, f"at most {HASHED_BANKS}")],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(change, rule) -> None:
    with pytest.raises(ConfigError, match=rule):
        replace(make_array(), planar=PlanarPe(**change))


def test_what_only_skipping_or_only_cartesian_products_have_is_refused_elsewhere() -> None:
    with pytest.raises(ConfigError, match=r"bank_queue \(=2\) needs zero_skip = skip"):
        make_array(zero_skip=ZeroSkip.NONE, bank_queue=2)
    with pytest.raises(ConfigError, match=r"barrier \(=channel\) needs products = cartesian"):
        make_array(zero_skip=ZeroSkip.NONE, products=Products.DOT, barrier=Barrier.CHANNEL)


@pytest.mark.parametrize("network", ["lenet5", "alexnet", "mobilenet_v1"])
@pytest.mark.parametrize("name", ["scnn", "dcnn"])
def test_presets_run_every_layer_of_a_network_and_never_beat_their_multipliers(name, network) -> None:
    arch = load_arch(name)
    for layer in load_workload(network).layers:
        if isinstance(layer, ConvLayer):
            run = run_layer(layer, arch)
            assert run.occupied_macs <= arch.pe_array.multipliers * run.compute_cycles
            assert run.total_cycles >= run.compute_cycles > 0


def test_masks_of_another_dtype_count_alike() -> None:
    layer = conv(3, 5, 9, 3)
    _, weight = masks_of(layer, 0.5, 0.5)
    values = np.random.default_rng(0).integers(0, 2, mask_shape(layer, IFMAP))
    assert plan_of(layer, chip(), zeros=zeros_of(layer, values, weight)).compute_cycles > 0
