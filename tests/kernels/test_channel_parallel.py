"""The clocked channel-parallel array: against numpy, against a slow reference, against the plan's closed form."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.channel_atoms import ChannelAtoms
from archsim.arch.pe_array import PeArray
from archsim.engine.clocked_channels import run_clocked_channels
from archsim.errors import SimulationError
from archsim.kernels import channel_parallel as kernel
from archsim.mapping.channel_parallel import compute_cycles
from archsim.mapping.channel_shape import channel_shape
from archsim.terms import Dataflow
from archsim.workload.layer import ConvLayer
from tests.mapping.hand_made import chip
from tests.oracles import channel_parallel as oracle
from tests.strategies import conv_layers, matmul_layers

MOST_SLOTS = 200_000
small_layers = st.one_of(conv_layers(), matmul_layers())


def make_array(rows=4, columns=4, latency=1, **atoms) -> PeArray:
    chosen = ChannelAtoms(**({"channel_atom": 2, "filter_atom": 2} | atoms))
    return PeArray(rows=rows, columns=columns, dataflow=Dataflow.CHANNEL_PARALLEL, pe_latency=latency, atoms=chosen)


@st.composite
def arrays(draw: st.DrawFn) -> PeArray:
    channel, filters = draw(st.sampled_from([1, 2, 3, 4])), draw(st.sampled_from([1, 2, 4]))
    return make_array(
        rows=channel * draw(st.integers(1, 3)), columns=filters * draw(st.integers(1, 4)), latency=draw(st.integers(1, 3)),
        channel_atom=channel, filter_atom=filters, pixels_across=draw(st.booleans()),
    )  # fmt: skip


def matrices(pixels: int, window: int, filters: int, seed: int = 0):
    random = np.random.default_rng(seed)
    return random.integers(-128, 128, (pixels, window)), random.integers(-128, 128, (window, filters))


@settings(deadline=None, max_examples=60)
@given(layer=small_layers, array=arrays(), seed=st.integers(0, 99))
def test_every_shape_clocks_to_numpys_values_in_the_plans_cycles(layer, array, seed) -> None:
    gemm, shape = layer.gemm, channel_shape(layer, array.require_atoms())
    if shape.groups * shape.pixels * shape.padded_filters * shape.slots > MOST_SLOTS:
        return
    ifmap, weight = matrices(gemm.pixels, gemm.window, gemm.filters, seed)
    run = run_clocked_channels(ifmap, weight, array, slots=shape.slots, filters=shape.padded_filters)
    np.testing.assert_array_equal(run.ofmap, ifmap @ weight)
    assert run.products == gemm.pixels * gemm.window * gemm.filters
    if shape.groups == 1:
        assert run.total_cycles == compute_cycles(shape, chip(array))
        assert run.products <= array.multipliers * run.total_cycles


@settings(deadline=None, max_examples=40)
@given(array=arrays(), pixels=st.integers(1, 5), window=st.integers(1, 9), filters=st.integers(1, 5),
       extra=st.fractions(0, 4, max_denominator=4))  # fmt: skip
def test_the_kernel_equals_a_list_of_slots_dealt_out_edge_by_edge(array, pixels, window, filters, extra) -> None:
    ifmap, weight = matrices(pixels, window, filters)
    slots, taken = window + extra, filters + 1
    run = run_clocked_channels(ifmap, weight, array, slots=slots, filters=taken)
    atoms = array.require_atoms()
    columns = array.columns if atoms.pixels_across else min(array.columns, taken)
    ofmap, final, edges, psums = oracle.run(
        ifmap.tolist(), weight.tolist(), lanes=array.rows * columns, atom=atoms.channel_atom, filters=taken, slots=slots,
        latency=array.pe_latency,
    )  # fmt: skip
    assert run.ofmap.tolist() == ofmap
    assert run.output_cycles.tolist() == final
    assert (run.total_cycles, run.psums) == (edges, psums)


def test_a_strided_image_takes_its_neighbours_as_channels() -> None:
    """7 x 7 over 3 channels at stride 2: 12 channels of a tap pad to 16, so 49 taps take 196 slots for 147 products."""
    layer = ConvLayer(name="conv1", in_channels=3, out_channels=4, ifmap=(13, 13), kernel=(7, 7), stride=(2, 2),
                      padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    array = make_array(rows=16, columns=4, channel_atom=16, filter_atom=4)
    shape = channel_shape(layer, array.require_atoms())
    ifmap, weight = matrices(16, 147, 4)
    run = run_clocked_channels(ifmap, weight, array, slots=shape.slots, filters=4)
    assert (shape.slots, run.products, run.total_cycles) == (196, 16 * 4 * 147, 16 * 4 * 196 // 64)


def test_columns_without_a_filter_idle_unless_they_take_other_pixels() -> None:
    ifmap, weight = matrices(8, 4, 2)
    across, apart = (make_array(pixels_across=each) for each in (True, False))
    assert run_clocked_channels(ifmap, weight, across, slots=Fraction(4), filters=2).total_cycles == 4
    assert run_clocked_channels(ifmap, weight, apart, slots=Fraction(4), filters=2).total_cycles == 8


def test_the_plain_python_source_says_the_same(uncompiled) -> None:
    plain = uncompiled(kernel)
    ifmap, weight = matrices(3, 5, 3)
    taken = np.array([4, 2, 2, 4, 17, 3, 2])
    for found, expected in zip(plain.step_channel_parallel_array(ifmap, weight, taken),
                               kernel.step_channel_parallel_array(ifmap, weight, taken), strict=True):  # fmt: skip
        np.testing.assert_array_equal(found, expected)


def test_what_the_clocked_array_cannot_be_is_refused() -> None:
    ifmap, weight = matrices(3, 5, 3)
    with pytest.raises(SimulationError, match="without winograd"):
        run_clocked_channels(ifmap, weight, make_array(winograd=True), slots=Fraction(6), filters=4)
    systolic = replace(make_array(), dataflow=Dataflow.OUTPUT_STATIONARY, atoms=None)
    with pytest.raises(SimulationError, match="needs a channel_parallel array"):
        run_clocked_channels(ifmap, weight, systolic, slots=Fraction(6), filters=4)
    with pytest.raises(SimulationError, match="do not fit each other"):
        run_clocked_channels(ifmap, weight, make_array(), slots=Fraction(4), filters=4)
    with pytest.raises(SimulationError, match="weight is float64; it must be integers"):
        run_clocked_channels(ifmap, weight.astype(float), make_array(), slots=Fraction(6), filters=4)
    with pytest.raises(SimulationError, match="psums may need more than int64"):
        run_clocked_channels(ifmap << 40, weight << 40, make_array(), slots=Fraction(6), filters=4)
