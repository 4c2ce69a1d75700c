"""Row stationary, stepping over zeros: against a loop over PEs and MACs, never slower than taking every value."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.row_mapping import FixedMapping, MappingChoice, RowMapping
from archsim.catalog import load_arch, load_workload
from archsim.engine.simulate import run_layer
from archsim.mapping.effectual_macs import effectual_macs
from archsim.mapping.planner import plan_array_layer
from archsim.mapping.row_passes import list_passes, mac_cycles
from archsim.mapping.row_search import legal_mappings
from archsim.mapping.row_skip import row_zeros, skipped_passes
from archsim.mapping.row_stationary import row_work
from archsim.terms import Direction, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks, mask_shape
from tests.mapping.hand_made import conv
from tests.masks import GivenMask
from tests.oracles.row_skip import busiest_pe_cycles, random_mask
from tests.strategies import array_layers, row_architectures

MOST_MACS = 60_000
"""Of a layer that the oracle goes through."""


def with_skip(arch, skip: ZeroSkip):
    return replace(arch, pe_array=replace(arch.pe_array, zero_skip=skip))


def masked(layer, ifmap, weight=None):
    given_masks = LayerMasks(ifmap=GivenMask.of(ifmap), weight=None if weight is None else GivenMask.of(weight))
    return replace(zeros_by_itself(layer), masks=given_masks)


@st.composite
def skipping_layers(draw: st.DrawFn):
    """A layer with a mask on a chip that skips, with any mapping that fits it."""
    layer, arch = draw(array_layers), with_skip(draw(row_architectures()), ZeroSkip.SKIP)
    legal = legal_mappings(row_work(layer, arch))
    assume(len(legal))
    letters = legal[draw(st.integers(0, len(legal) - 1))]
    mapping = RowMapping(**dict(zip("mnepqrt", map(int, letters), strict=True)))
    arch = replace(arch, mapping=MappingChoice(fixed=(FixedMapping(workload="*", layer="*", mapping=mapping),)))
    return layer, arch, mapping, random_mask(mask_shape(layer, Operand.IFMAP), draw(st.integers(0, 2**32 - 1)))


@settings(max_examples=200, deadline=None)
@given(case=skipping_layers())
def test_every_pass_takes_the_cycles_of_its_busiest_pe_counted_mac_by_mac(case) -> None:
    layer, arch, mapping, nonzero = case
    assume(layer.macs <= MOST_MACS)
    work = row_work(layer, arch)
    passes, zeros = list_passes(work.shape, mapping), row_zeros(layer, work.shape, masked(layer, nonzero))
    found, dense = skipped_passes(passes, zeros, arch.pe_array), mac_cycles(passes, arch.pe_array)
    slowest, issued = busiest_pe_cycles(layer, nonzero, work, mapping)
    assert found.busiest.tolist() == slowest
    assert zeros.issued_macs == sum(issued)
    assert (found.even <= found.busiest).all()
    assert (found.busiest <= dense).all()


@settings(max_examples=150, deadline=None)
@given(case=skipping_layers(), seed=st.integers(0, 2**32 - 1))
def test_skipping_is_never_slower_and_says_where_its_cycles_went(case, seed) -> None:
    layer, arch, _, nonzero = case
    weight = np.random.default_rng(seed).random(mask_shape(layer, Operand.WEIGHT)) < 0.5
    zeros = masked(layer, nonzero, weight)
    (plan,) = plan_array_layer(layer, arch, zeros=zeros)
    (dense,) = plan_array_layer(layer, with_skip(arch, ZeroSkip.NONE), zeros=zeros)
    skipped, taken = (run_layer(layer, each, zeros=zeros) for each in (arch, with_skip(arch, ZeroSkip.NONE)))
    assert skipped.total_cycles <= taken.total_cycles
    assert skipped.compute_cycles + skipped.onchip_stall_cycles <= taken.compute_cycles + taken.onchip_stall_cycles
    assert plan.skip is not None
    assert plan.skip.dense_cycles == dense.compute_cycles
    assert plan.skip.compute_cycles == plan.compute_cycles == plan.steps.ideal_end_cycles <= dense.compute_cycles
    assert plan.effectual_macs == effectual_macs(layer, nonzero, weight)
    spad = {operand: plan.words("spad", operand, Direction.READ) for operand in (Operand.IFMAP, Operand.WEIGHT)}
    assert set(spad.values()) == {plan.array_macs}
    assert [row for row in plan.traffic if row.level != "spad"] == [row for row in dense.traffic if row.level != "spad"]


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=row_architectures(), seed=st.integers(0, 2**32 - 1))
def test_a_searched_mapping_is_never_slower_either(layer, arch, seed) -> None:
    assume(len(legal_mappings(row_work(layer, arch))))
    zeros = masked(layer, random_mask(mask_shape(layer, Operand.IFMAP), seed))
    runs = [run_layer(layer, with_skip(arch, skip), zeros=zeros) for skip in (ZeroSkip.SKIP, ZeroSkip.NONE)]
    assert runs[0].total_cycles <= runs[1].total_cycles


@settings(max_examples=60, deadline=None)
@given(case=skipping_layers(), seed=st.integers(0, 2**32 - 1))
def test_more_zeros_never_take_longer(case, seed) -> None:
    layer, arch, _, nonzero = case
    sparser = nonzero & (np.random.default_rng(seed).random(nonzero.shape) < 0.7)
    plans = [next(plan_array_layer(layer, arch, zeros=masked(layer, mask))) for mask in (sparser, nonzero)]
    assert plans[0].compute_cycles <= plans[1].compute_cycles
    assert (plans[0].steps.advance_cycles <= plans[1].steps.advance_cycles).all()


def one_pe(multipliers: int = 1, accumulate: int = 0):
    loop = f"pe_array.row_pe={{accumulate_cycles: {accumulate}}}"
    arch = load_arch("eyeriss_v1", settings=("pe_array.zero_skip=skip", "energy.gated_share=null", loop,
                                             f"pe_array.multipliers_per_pe={multipliers}"))  # fmt: skip
    return replace(arch, mapping=MappingChoice())


@pytest.mark.parametrize(("multipliers", "accumulate", "cycles"), [(1, 0, 2 + 3 + 2 + 2 + 1 + 1), (2, 0, 1 + 2 + 1 + 1 + 1 + 1),
                                                                   (1, 1, 3 + 4 + 3 + 3 + 2 + 1)])  # fmt: skip
def test_a_row_by_hand(multipliers, accumulate, cycles) -> None:
    """A window of 4 over 0 2 0 3 4 0 0 0 0 meets 2, 3, 2, 2, 1 and 0 values; that without any takes a cycle all the same."""
    layer = ConvLayer(name="row", in_channels=1, out_channels=1, ifmap=(1, 9), kernel=(1, 4), stride=(1, 1),
                      padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    row = np.array([[[[0, 2, 0, 3, 4, 0, 0, 0, 0]]]])
    arch = one_pe(multipliers, accumulate)
    work = row_work(layer, arch)
    passes = list_passes(work.shape, RowMapping(m=1, n=1, e=1, p=1, q=1, r=1, t=1))
    found = skipped_passes(passes, row_zeros(layer, work.shape, masked(layer, row)), arch.pe_array)
    assert found.busiest.tolist() == [cycles]


def test_pes_wait_for_the_row_with_the_most_values() -> None:
    """3 x 3 filter rows on a 3 x 3 ifmap, one ofmap value: PEs meet 3, 1 and 0 values; spread alike they would meet 2."""
    layer = conv(1, 1, 3, 3)
    mask = np.array([[1, 1, 1], [0, 1, 0], [0, 0, 0]])
    (plan,) = plan_array_layer(layer, one_pe(), zeros=masked(layer, mask.reshape(1, 1, 3, 3)))
    assert plan.array_macs == 4
    assert plan.skip is not None
    assert plan.skip.imbalance_cycles == 3 - 2
    assert plan.compute_cycles == plan.skip.dense_cycles


def test_an_ifmap_of_zeros_takes_a_cycle_for_each_psum_of_a_pe() -> None:
    layer = conv(4, 8, 6, 3)
    plan = next(plan_array_layer(layer, one_pe(), zeros=masked(layer, np.zeros(mask_shape(layer, Operand.IFMAP)))))
    assert (plan.array_macs, plan.effectual_macs) == (0, 0)
    assert plan.skip is not None
    assert plan.skip.ideal_cycles == 0 < plan.compute_cycles < plan.skip.dense_cycles
    run = run_layer(layer, one_pe(), zeros=masked(layer, np.zeros(mask_shape(layer, Operand.IFMAP))))
    assert (run.occupied_macs, run.utilization) == (0, 0.0)


def test_without_zeros_nothing_changes_but_what_padding_saves() -> None:
    arch = one_pe()
    for layer in load_workload("alexnet").layers:
        if not isinstance(layer, ConvLayer):
            continue
        full = replace(layer, zero_fractions=replace(layer.zero_fractions, ifmap=None))
        skipped, taken = (run_layer(full, with_skip(arch, skip)) for skip in (ZeroSkip.SKIP, ZeroSkip.NONE))
        padded = any(any(pads) for pads in layer.padding)
        assert (skipped.compute_cycles < taken.compute_cycles) == padded or skipped.occupied_macs < skipped.macs
        if skipped.occupied_macs == skipped.macs:
            assert skipped.compute_cycles == taken.compute_cycles
