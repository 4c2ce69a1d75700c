"""Zeros that are drawn: how many, how they fall, and always the same."""

import zlib
from dataclasses import replace

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.mask_statistics import MaskStatistics, statistics_of
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import DrawnMask
from archsim.workload.zero_pattern import ZeroFractions, ZeroKind, ZeroPattern, ZeroPatterns

LAYER = ConvLayer(
    name="c", batch=50, in_channels=16, out_channels=1, ifmap=(40, 40), kernel=(1, 1), stride=(1, 1),
    padding=((0, 0), (0, 0)), dilation=(1, 1),
)  # fmt: skip
SHAPE = (50, 16, 40, 40)


def runs(length: float, std: float = 0.0) -> ZeroPattern:
    return ZeroPattern(kind=ZeroKind.RUNS, mean_run=length, images_std=std)


def channels(spread: float, std: float = 0.0) -> ZeroPattern:
    return ZeroPattern(kind=ZeroKind.CHANNELS, spread=spread, images_std=std)


def drawn(fraction: float, pattern: ZeroPattern, **more: int | str) -> MaskStatistics:
    mask = DrawnMask(name="c", operand=Operand.IFMAP, shape=SHAPE, zero_fraction=fraction, pattern=pattern)
    return statistics_of(replace(mask, **more).nonzero(), LAYER)


@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.85])
@pytest.mark.parametrize(
    "pattern", [ZeroPattern(), runs(8), runs(40), channels(0.1), runs(8, 0.02), channels(0.1, 0.02)]
)
def test_over_many_draws_the_share_of_zeros_is_the_given_one(fraction: float, pattern: ZeroPattern) -> None:
    shares = [drawn(fraction, pattern, seed=seed).zero_fraction for seed in range(8)]
    # 10.2 M values; in runs of up to 40 zeros as few as 10.2 M / 80 independent ones; 400 images
    spread = 4 * (0.6 / (10.2e6 / 80) ** 0.5 + pattern.images_std / 400**0.5)
    assert np.mean(shares) == pytest.approx(fraction, abs=spread)


@pytest.mark.parametrize(("fraction", "length"), [(0.3, 8.0), (0.3, 1.0), (0.8, 25.0), (0.8, 4.1), (0.5, 2.0)])
def test_runs_are_as_long_as_asked(fraction: float, length: float) -> None:
    assert drawn(fraction, runs(length)).mean_zero_run == pytest.approx(length, rel=0.02)
    assert drawn(fraction, runs(max(length, 4.5), 0.04)).mean_zero_run == pytest.approx(max(length, 4.5), rel=0.05)


def test_runs_are_as_long_where_images_differ_much() -> None:
    # shares of images from 0.1 to 0.9: zeros of an image with many lie in longer runs than those of one with few
    layer = replace(LAYER, batch=1500, in_channels=8, ifmap=(20, 20))
    mask = DrawnMask(name="c", operand=Operand.IFMAP, shape=(1500, 8, 20, 20), zero_fraction=0.5, pattern=runs(8, 0.2))
    assert statistics_of(mask.nonzero(), layer).mean_zero_run == pytest.approx(8.0, rel=0.05)


def test_zeros_by_themselves_come_in_runs_of_one_over_the_share_of_the_rest() -> None:
    assert drawn(0.75, ZeroPattern()).mean_zero_run == pytest.approx(4.0, rel=0.01)
    assert drawn(0.75, runs(4.0)).mean_zero_run == pytest.approx(4.0, rel=0.02)


def test_channels_spread_from_end_to_end_and_keep_their_share_from_seed_to_seed() -> None:
    found = drawn(0.6, channels(0.5))
    assert found.channel_zero_fraction_min == pytest.approx(0.35, abs=0.01)
    assert found.channel_zero_fraction_max == pytest.approx(0.85, abs=0.01)
    assert found.zero_fraction == pytest.approx(0.6, abs=0.002)


@pytest.mark.parametrize("pattern", [ZeroPattern(images_std=0.08), runs(6, 0.08), channels(0.2, 0.08)])
def test_fractions_of_images_have_the_given_mean_and_deviation(pattern: ZeroPattern) -> None:
    layer = replace(LAYER, batch=2000, in_channels=8, ifmap=(10, 20))
    mask = DrawnMask(name="c", operand=Operand.IFMAP, shape=(2000, 8, 10, 20), zero_fraction=0.7, pattern=pattern)
    found = statistics_of(mask.nonzero(), layer)
    assert found.zero_fraction == pytest.approx(0.7, abs=0.008)
    assert found.zero_fraction_std == pytest.approx(0.08, rel=0.1)


def test_a_draw_is_the_same_on_every_machine_and_in_every_order() -> None:
    def digest(pattern: ZeroPattern, **more: int | str) -> str:
        mask = DrawnMask(name="conv1", operand=Operand.IFMAP, shape=(2, 3, 5, 7), zero_fraction=0.4, pattern=pattern)
        return f"{zlib.crc32(np.packbits(replace(mask, **more).nonzero()).tobytes()):08x}"

    first = [digest(pattern) for pattern in (ZeroPattern(), runs(3), channels(0.4))]
    assert first == ["e3361c3f", "9cabe8f4", "0fd9eda9"]
    assert [digest(pattern) for pattern in (channels(0.4), runs(3), ZeroPattern())] == first[::-1]
    others = [digest(ZeroPattern(), **more) for more in ({"seed": 1}, {"name": "conv2"})]
    assert len({first[0], *others, digest(ZeroPattern(), operand=Operand.WEIGHT)}) == 4


def test_nothing_all_and_one_value_can_be_drawn() -> None:
    for fraction, kept in ((0.0, 1.0), (1.0, 0.0)):
        for pattern in (ZeroPattern(), runs(5), channels(0.0)):
            assert drawn(fraction, pattern).zero_fraction == 1.0 - kept
    one = DrawnMask(name="c", operand=Operand.WEIGHT, shape=(1, 1, 1, 1), zero_fraction=0.5, pattern=runs(5))
    assert one.nonzero().shape == (1, 1, 1, 1)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(WorkloadError, match=r"seed of zeros that are drawn \(=-1\) must be 0 or more"):
        DrawnMask(name="c", operand=Operand.IFMAP, shape=SHAPE, zero_fraction=0.5, seed=-1)


def test_a_layer_draws_its_own_share_to_the_last_digit_and_its_pattern_by_channel() -> None:
    layer = MatmulLayer(
        name="m", rows=3000, inner=10, columns=4, zero_fractions=ZeroFractions(ifmap=0.25, weight=0.3),
        zero_patterns=ZeroPatterns(ifmap=channels(0.5), weight=runs(2)),
    )  # fmt: skip
    zeros = zeros_by_itself(layer)
    assert zeros.mask(layer, Operand.WEIGHT).zero_fraction == 0.3
    shares = 1 - zeros.nonzero(layer, Operand.IFMAP).mean(axis=(0, 1))
    # 10 inputs of the matrix product are its channels
    assert sorted(shares) == pytest.approx(np.linspace(0.0, 0.5, 10), abs=0.03)
