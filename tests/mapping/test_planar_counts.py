"""Planar tiles counted from masks: by hand, against a slow reference, and by what SCNN's description says."""

from dataclasses import replace
from math import ceil

import numpy as np
import pytest

from archsim.arch.planar_pe import Barrier, FilterGroup, Halo
from archsim.catalog import load_workload
from archsim.errors import MappingError
from archsim.mapping.planar_counts import count_dense, count_layer, dot_cycles
from archsim.mapping.planar_shape import planar_shape
from archsim.terms import Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.zero_masks import mask_shape
from tests.mapping.hand_made import conv, matmul
from tests.mapping.planar_chips import make_array, masks_of
from tests.oracles import planar_tiles as oracle

SAME = ((1, 1), (1, 1))


def layer_of(name: str, network: str):
    return next(layer for layer in load_workload(network).layers if layer.name == name)


def test_a_pe_pass_takes_its_vectors_of_values_times_its_vectors_of_weights() -> None:
    """219 values and 50 weights: ceil(219 / 4) x ceil(50 / 4) = 55 x 13 = 715, where 219 x 50 / 16 is 684."""
    layer = ConvLayer(name="pass", in_channels=1, out_channels=2, ifmap=(27, 27), kernel=(11, 11), stride=(1, 1),
                      padding=((0, 0),) * 2, dilation=(1, 1))  # fmt: skip
    ifmap, weight = np.zeros(27 * 27, dtype=bool), np.zeros(2 * 121, dtype=bool)
    ifmap[:219], weight[-50:] = True, True
    counts = count_layer(
        layer, make_array(1, 1, accumulator_entries=4096), ifmap.reshape(1, 1, 27, 27), weight.reshape(2, 1, 11, 11)
    )
    assert (counts.cycles, counts.products, counts.vector_pairs) == (715, 219 * 50, 715)


@pytest.mark.parametrize(
    ("network", "name", "filters"),
    # 28 x 28 tiles and 30 x 30 psums; 14 and 16 x 16; 2 x 2 and 4 x 4; of a stride of 4 a tile of 29 reaches ceil(39 / 4) = 10
    [("vgg16", "conv1_2", 1), ("vgg16", "conv2_1", 4), ("vgg16", "conv5_1", 64), ("alexnet", "conv1", 8)],
)
def test_a_filter_group_is_the_largest_power_of_two_that_fits_the_accumulators(network, name, filters) -> None:
    assert planar_shape(layer_of(name, network), make_array()).group_filters == filters


def test_dnnsims_rule_takes_as_many_filters_as_there_are_ofmap_tiles() -> None:
    """56 x 56 over 8 x 8 PEs: tiles of 49, and floor(1024 / 49) = 20."""
    array = make_array(filter_group=FilterGroup.OFMAP_TILE)
    assert planar_shape(layer_of("conv3_2", "vgg16"), array).group_filters == 20


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_products_are_nonzero_values_times_nonzero_weights_of_each_channel_and_phase(stride: int) -> None:
    layer = conv(5, 9, 11, 3, stride=(stride, stride), padding=SAME, batch=2)
    ifmap, weight = masks_of(layer, 0.4, 0.3)
    expected = 0
    for image in ifmap:
        for values, taps in zip(image, weight.swapaxes(0, 1), strict=True):
            for row in range(stride):
                for column in range(stride):
                    met = values[
                        (row - 1) % stride :: stride, (column - 1) % stride :: stride
                    ]  # the padding shifts phases
                    expected += int(met.sum()) * int(taps[:, row::stride, column::stride].sum())
    assert count_layer(layer, make_array(2, 2), ifmap, weight).products == expected


def axes_of(layer):
    return tuple(
        zip(
            layer.ifmap,
            layer.ofmap,
            layer.kernel,
            layer.stride,
            layer.dilation,
            (p[0] for p in layer.padding),
            strict=True,
        )
    )


@pytest.mark.parametrize("seed", range(40))
def test_counts_are_those_of_the_slow_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stride, dilation = (int(rng.integers(1, 4)) for _ in range(2))
    layer = ConvLayer(
        name="conv", in_channels=3, out_channels=11, ifmap=tuple(map(int, rng.integers(5, 12, 2))), kernel=(3, int(rng.integers(1, 4))),
        stride=(stride, int(rng.integers(1, 3))), padding=((2, 1), (1, 2)), dilation=(dilation, 1),
    )  # fmt: skip
    ifmap, weight = masks_of(layer, *rng.choice([0.2, 0.6, 1.0], 2), seed=seed)
    queue, by_channel, cut, even = rng.choice([0, 0, 1, 2, 4]), *(bool(rng.integers(2)) for _ in range(3))
    given = {"barrier": Barrier.CHANNEL if by_channel else Barrier.GROUP, "accumulator_entries": 150, "tiles_padding": cut, "even_tiles": even,
             "bank_queue": int(queue) or None, "banks": 16 if queue else 32}  # fmt: skip
    counts = count_layer(layer, make_array(2, 3, **given), ifmap, weight)
    cycles, products = oracle.run(
        ifmap[0], weight, axes_of(layer), pes=(2, 3), entries=150, queue=int(queue) or None, banks=16, by_channel=by_channel,
        cut_padding=layer.padding if cut else ((0, 0), (0, 0)), even=even,
    )  # fmt: skip
    assert counts.group_cycles.ravel().tolist() == cycles
    assert counts.products == products
    assert counts.conflict_cycles >= 0


def test_a_barrier_behind_every_channel_never_takes_less() -> None:
    layer = conv(8, 16, 12, 3, padding=SAME)
    masks = masks_of(layer, 0.4, 0.4)
    by_group, by_channel = (
        count_layer(layer, make_array(4, 4, barrier=barrier), *masks) for barrier in (Barrier.GROUP, Barrier.CHANNEL)
    )
    assert by_group.cycles < by_channel.cycles
    assert (by_group.pe_cycles == by_channel.pe_cycles).all()


def test_a_longer_queue_never_takes_more_and_the_shortest_takes_every_cycle_of_the_fullest_bank() -> None:
    layer = conv(6, 12, 10, 3, padding=SAME)
    masks = masks_of(layer, 0.5, 0.5)
    cycles = [count_layer(layer, make_array(2, 2, bank_queue=queue), *masks).cycles for queue in (1, 2, 4, 64)]
    free = count_layer(layer, make_array(2, 2), *masks).cycles
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[0] > cycles[-1] >= free


def test_dense_counts_are_those_of_masks_without_zeros() -> None:
    for layer in (conv(6, 20, 11, 3, stride=(2, 1), padding=SAME, groups=2, batch=2), matmul(13, 6, 20, batches=2)):
        array = make_array(3, 2, accumulator_entries=200, halo=Halo.LINKS)
        ones = (np.ones(mask_shape(layer, operand), dtype=bool) for operand in (Operand.IFMAP, Operand.WEIGHT))
        counts = count_layer(layer, array, *ones)
        dense = count_dense(layer, planar_shape(layer, array), array.require_planar())
        for name in ("products", "vector_pairs", "weight_reads", "cycles"):
            assert getattr(counts, name) == getattr(dense, name), name
        for name in ("group_cycles", "ifmap_words", "weight_words", "pe_cycles"):
            assert (getattr(counts, name) == getattr(dense, name)).all(), name


def test_a_dense_dot_product_takes_the_window_16_values_at_a_time_in_every_pe() -> None:
    """13 x 13 over 8 x 8 PEs: 2 x 2 values each; a window of 192 x 9 is 108 vectors: 4 x 108 x 384 filters."""
    layer = conv(192, 384, 13, 3, padding=SAME)
    array = replace(make_array(zero_skip=ZeroSkip.NONE))
    assert dot_cycles(layer, planar_shape(layer, array), array.require_planar()) == 4 * 108 * 384


def test_the_halo_takes_its_psums_one_by_one_or_those_of_the_widest_part() -> None:
    """27 x 27 with 5 x 5 kernels and padding 2 over 8 x 8 PEs: tiles of 4, a halo of 2 on each side: 64 - 16 psums, the widest part 2 x 4."""
    layer = layer_of("conv2", "alexnet")
    shape = planar_shape(layer, make_array())
    assert [shape.halo_psums(halo) for halo in Halo] == [0, 64 - 16, 8]
    masks = masks_of(layer, 0.1, 0.1)
    cycles = [count_layer(layer, make_array(halo=halo, drain_cycles=15), *masks).cycles for halo in Halo]
    turns = layer.groups * ceil(128 / 16)
    assert [each - cycles[0] for each in cycles] == [0, 48 * 16 * turns, 8 * 16 * turns]
    assert cycles[0] - count_layer(layer, make_array(), *masks).cycles == 15 * turns


def test_rows_of_a_matrix_are_spread_over_all_pes() -> None:
    """130 rows over 64 PEs: 3 in the fullest, one vector; 8 filters are two: 2 cycles for each of 5 channels."""
    layer = matmul(130, 5, 8)
    ones = (np.ones(mask_shape(layer, operand), dtype=bool) for operand in (Operand.IFMAP, Operand.WEIGHT))
    assert count_layer(layer, make_array(), *ones).cycles == 2 * 5


def test_what_planar_tiles_do_not_take_is_refused_with_the_rule() -> None:
    cube = ConvLayer(name="cube", in_channels=2, out_channels=2, ifmap=(6,) * 3, kernel=(3,) * 3, stride=(1,) * 3,
                     padding=((0, 0),) * 3, dilation=(1,) * 3)  # fmt: skip
    with pytest.raises(MappingError, match="'cube': its planes have 3 axes; planar tiles cut planes of two"):
        planar_shape(cube, make_array())
    with pytest.raises(MappingError, match=r"54 x 54 = 2916\) exceed planar.accumulator_entries \(=1024\)"):
        planar_shape(conv(3, 16, 416, 3, padding=SAME), make_array())
