"""Channel parallel, atoms of zeros left out: against a loop over pixels and channels, never slower than taking all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.catalog import load_arch, load_workload
from archsim.engine.measure import measure_plan
from archsim.engine.simulate import run_layer, run_network
from archsim.mapping.channel_parallel import plan_channel_layer
from archsim.mapping.channel_shape import channel_shape
from archsim.mapping.effectual_macs import effectual_macs, issued_macs
from archsim.terms import Direction, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks, mask_shape
from tests.mapping.channel_chips import ATOMS, IFMAP, WEIGHT, chip, chips, layers, make_array
from tests.mapping.hand_made import conv, matmul
from tests.masks import GivenMask
from tests.oracles import channel_skip as oracle
from tests.oracles.row_skip import random_mask

MOST_PRODUCTS = 60_000
"""Multiplications of one filter that the oracle goes through."""


def with_skip(arch, skip: ZeroSkip, *, winograd: bool = False):
    array = arch.pe_array
    return replace(
        arch, pe_array=replace(array, zero_skip=skip, atoms=replace(array.require_atoms(), winograd=winograd))
    )


def masked(layer, ifmap, weight=None):
    given_masks = LayerMasks(ifmap=GivenMask.of(ifmap), weight=None if weight is None else GivenMask.of(weight))
    return replace(zeros_by_itself(layer), masks=given_masks)


def plans_of(layer, arch, zeros):
    return list(plan_channel_layer(layer, arch, frozenset(), zeros, loads_table=True))


def drawn(layer, seed: int) -> np.ndarray:
    """A mask; atoms of zeros too, which single zeros seldom make."""
    mask = random_mask(mask_shape(layer, IFMAP), seed)
    if seed % 2:
        return mask
    runs = np.random.default_rng(seed).random(mask.shape[:2] if isinstance(layer, ConvLayer) else mask.shape[:1]) < 0.5
    return mask & runs.reshape(runs.shape + (1,) * (mask.ndim - runs.ndim))


@settings(deadline=None, max_examples=250)
@given(layer=layers, arch=chips(), seed=st.integers(0, 2**32 - 1))
def test_a_layer_takes_the_slots_of_its_live_atoms_counted_channel_by_channel(layer, arch, seed) -> None:
    assume(layer.macs // layer.gemm.filters <= MOST_PRODUCTS)
    arch, nonzero = with_skip(arch, ZeroSkip.SKIP), drawn(layer, seed)
    array, atoms = arch.pe_array, arch.pe_array.require_atoms()
    shape = channel_shape(layer, atoms)
    slots, macs = oracle.slots_left(layer, nonzero, atoms.channel_atom)
    rate = array.rows * shape.width(atoms, array.columns)
    wanted = oracle.cycles(slots, shape.padded_filters, rate) + array.pipeline_cycles
    for plan in plans_of(layer, arch, masked(layer, nonzero)):
        assert plan.compute_cycles == wanted
        assert plan.array_macs == macs


@settings(deadline=None, max_examples=150)
@given(layer=layers, arch=chips(), seed=st.integers(0, 2**32 - 1), winograd=st.booleans())
def test_leaving_out_is_never_slower_and_says_what_it_lost(layer, arch, seed, winograd) -> None:
    draw = np.random.default_rng(seed)
    nonzero, weight = drawn(layer, seed), draw.random(mask_shape(layer, WEIGHT)) < 0.5
    zeros = masked(layer, nonzero, weight)
    skipping, taking = (with_skip(arch, skip, winograd=winograd) for skip in (ZeroSkip.SKIP, ZeroSkip.NONE))
    for plan, dense in zip(plans_of(layer, skipping, zeros), plans_of(layer, taking, zeros), strict=True):
        assert (plan.steps.advance_cycles <= dense.steps.advance_cycles).all()
        assert (plan.steps.advance_cycles >= 0).all()
        assert int(plan.steps.advance_cycles.sum()) + arch.pe_array.pipeline_cycles == plan.compute_cycles
        assert plan.skip is not None
        assert (plan.skip.dense_cycles, plan.skip.compute_cycles) == (dense.compute_cycles, plan.compute_cycles)
        assert issued_macs(layer, nonzero) <= plan.array_macs or plan.array_macs == dense.array_macs
        assert plan.array_macs <= dense.array_macs
        assert plan.array_macs <= arch.pe_array.multipliers * plan.compute_cycles
        assert plan.effectual_macs == effectual_macs(layer, nonzero, weight)
        assert (
            plan.words("spad", IFMAP, Direction.READ) == plan.words("spad", WEIGHT, Direction.READ) == plan.array_macs
        )
        times, dense_times = measure_plan(plan, arch.dram), measure_plan(dense, arch.dram)
        assert sum_of(times) <= sum_of(dense_times)
    assert run_layer(layer, skipping, zeros=zeros).total_cycles <= run_layer(layer, taking, zeros=zeros).total_cycles


def sum_of(times) -> int:
    return times.compute_cycles + times.onchip_stall_cycles + times.dram_stall_cycles


@settings(deadline=None, max_examples=80)
@given(layer=layers, arch=chips(), seed=st.integers(0, 2**32 - 1))
def test_more_zeros_never_take_longer(layer, arch, seed) -> None:
    nonzero = drawn(layer, seed)
    sparser = nonzero & (np.random.default_rng(seed + 1).random(nonzero.shape) < 0.7)
    cycles = [
        plans_of(layer, with_skip(arch, ZeroSkip.SKIP), masked(layer, mask))[0].compute_cycles
        for mask in (sparser, nonzero)
    ]
    assert cycles[0] <= cycles[1]


def test_one_value_keeps_its_atom_and_an_empty_window_takes_one_all_the_same() -> None:
    """8 channels in atoms of 4, 8 filters on 4 x 8 multipliers: each atom that is left takes a cycle for its pixel."""
    layer = conv(8, 8, 2, 1)
    nonzero = np.zeros((1, 8, 2, 2), dtype=bool)
    nonzero[0, :, 0, 0] = True  # both atoms: 2 cycles
    nonzero[0, 5, 0, 1] = True  # the second one: 1 cycle, for one value
    (plan,) = {each.compute_cycles: each for each in plans_of(layer, skipping_chip(), masked(layer, nonzero))}.values()
    assert plan.compute_cycles == 2 + 1 + 1 + 1
    assert plan.array_macs == 8 * (8 + 4)
    assert plan.skip is not None
    assert (plan.skip.dense_cycles, plan.skip.ideal_cycles, plan.skip.fragmentation_cycles) == (
        8,
        3,
        2,
    )  # 9 of 32 values


def skipping_chip(**atoms):
    return chip(array=make_array(zero_skip=ZeroSkip.SKIP, atoms=replace(ATOMS, **atoms)))


def test_padding_is_left_out() -> None:
    """A window of 3 x 3 in a corner has 4 taps inside: 4 corners, 8 sides of 6 and 4 of 9, in atoms of all 4 channels."""
    layer = replace(conv(4, 8, 4, 3), padding=((1, 1), (1, 1)))
    ones = np.ones(mask_shape(layer, IFMAP))
    plan = plans_of(layer, skipping_chip(), masked(layer, ones))[0]
    assert plan.compute_cycles == 4 * 4 + 8 * 6 + 4 * 9
    assert plan.array_macs == 8 * 4 * plan.compute_cycles


@pytest.mark.parametrize("layer", [conv(3, 4, 13, 7, stride=(2, 2)), conv(8, 5, 12, 3), matmul(16, 10, 5)])
def test_without_zeros_the_cycles_are_those_of_the_dense_array(layer) -> None:
    ones = np.ones(mask_shape(layer, IFMAP))
    plan, dense = (plans_of(layer, each, masked(layer, ones))[0] for each in (skipping_chip(), chip()))
    assert plan.compute_cycles == dense.compute_cycles
    assert plan.array_macs == dense.array_macs == layer.macs


def test_an_ifmap_of_zeros_takes_an_atom_for_each_window() -> None:
    layer = conv(8, 8, 6, 3)
    zeros = masked(layer, np.zeros(mask_shape(layer, IFMAP)))
    run = run_layer(layer, skipping_chip(), zeros=zeros)
    assert (run.compute_cycles, run.occupied_macs, run.effectual_macs) == (16, 0, 0)
    assert run.skip is not None
    assert run.skip.ideal_cycles == 0


def test_winograds_transforms_leave_no_zeros() -> None:
    layer = conv(8, 8, 12, 3)
    zeros = masked(layer, np.zeros(mask_shape(layer, IFMAP)))
    plan = plans_of(layer, skipping_chip(winograd=True), zeros)[0]
    assert plan.skip is not None
    assert plan.compute_cycles == plan.skip.dense_cycles
    assert plan.mapping[-1] == "# in Winograd's domain: no zeros are left, every value is taken"


def test_a_chip_that_skips_is_faster_by_the_atoms_of_its_network() -> None:
    """AlexNet's own shares of zeros, drawn one by one: an atom of 8 channels is seldom all zero, so that little is won."""
    arch, workload = load_arch("nvdla_small"), load_workload("alexnet")
    skipped, taken = (run_network(with_skip(arch, skip), workload) for skip in (ZeroSkip.SKIP, ZeroSkip.NONE))
    for mine, dense in zip(skipped, taken, strict=True):
        assert mine.total_cycles <= dense.total_cycles
        if mine.layer == "conv4":
            assert mine.skip is not None
            assert mine.skip.ideal_cycles < mine.compute_cycles < dense.compute_cycles
    assert Operand.METADATA not in {row.operand for run in skipped for row in run.traffic}
