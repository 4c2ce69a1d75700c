"""What is told of the zeros that a layer was run with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.numerics.link_code import count_zeros
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.mask_statistics import MaskStatistics, count_mask_zeros, statistics_of
from tests.oracles.mask_statistics import slow_statistics

MATRIX = MatmulLayer(name="m", rows=3, inner=20, columns=5)


def conv(*shape: int) -> ConvLayer:
    axes = len(shape) - 2
    return ConvLayer(
        name="c", batch=shape[0], in_channels=shape[1], out_channels=1, ifmap=shape[2:], kernel=(1,) * axes,
        stride=(1,) * axes, padding=((0, 0),) * axes, dilation=(1,) * axes,
    )  # fmt: skip


def hold(found: MaskStatistics, mask: np.ndarray) -> None:
    for name, value in slow_statistics(mask).items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-12), name
    assert (found.images, found.words) == (len(mask), mask.size)


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 35), st.integers(1, 3), st.integers(1, 18)),
    share=st.sampled_from([0.0, 0.1, 0.6, 0.9, 1.0]), seed=st.integers(0, 2**16),
)  # fmt: skip
def test_every_number_is_the_slow_one(shape: tuple[int, ...], share: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random(shape) >= share
    hold(statistics_of(mask, conv(*shape)), mask)


def test_a_channel_that_is_zero_empties_no_brick_but_a_pixel_does() -> None:
    mask = np.ones((1, 20, 1, 9), dtype=bool)
    mask[0, 3] = False  # a channel: 9 of 180 values, a whole row
    mask[0, 16:, 0, :2] = False  # two pixels of the last, small brick: 8 values
    found = statistics_of(mask, conv(1, 20, 1, 9))
    assert found.zero_fraction == pytest.approx(17 / 180)
    assert found.empty_brick_fraction == pytest.approx(2 / 18)
    assert found.empty_channel_group_fraction == 0.0  # two whole groups, 4 channels left out
    assert found.empty_column_group_fraction == pytest.approx(1 / 20)
    assert (found.channel_zero_fraction_min, found.channel_zero_fraction_max) == (0.0, 1.0)
    # runs: 9 of channel 3, then 2 in each of the last four
    assert found.mean_zero_run == pytest.approx(17 / 5)


def test_rows_of_a_matrix_are_its_images_and_columns_of_its_weights_the_filters() -> None:
    rng = np.random.default_rng(0)
    ifmap, weight = rng.random((1, 3, 20)) > 0.4, rng.random((1, 20, 5)) > 0.4
    hold(statistics_of(ifmap, MATRIX), ifmap.reshape(3, 20))
    hold(statistics_of(weight, MATRIX, Operand.WEIGHT), weight[0].T)


def test_a_mask_without_zeros_and_one_of_zeros_divide_by_nothing() -> None:
    for value, run in ((True, 0.0), (False, 48.0)):
        found = statistics_of(np.full((2, 3, 2, 4), value), conv(2, 3, 2, 4))
        assert found.zero_fraction == found.empty_brick_fraction == 1.0 - value
        assert found.mean_zero_run == run


@given(words=st.integers(0, 300), share=st.sampled_from([0.0, 0.5, 0.97, 1.0]), seed=st.integers(0, 2**16))
def test_a_mask_is_counted_as_its_values_are(words: int, share: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random(words) >= share
    assert count_mask_zeros(mask) == count_zeros(mask)
