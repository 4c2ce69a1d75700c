"""Planar tiles, clocked: what is planned is what happens, cycle by cycle, and every product finds its psum."""

from dataclasses import replace

import numpy as np
import pytest

from archsim.arch.pe_array import PeArray
from archsim.arch.planar_pe import Barrier, FilterGroup, Halo, PlanarPe
from archsim.engine.clocked_planar import run_clocked_planar
from archsim.errors import MappingError, SimulationError
from archsim.mapping.effectual_macs import effectual_macs
from archsim.mapping.planar_counts import count_layer
from archsim.terms import Dataflow, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.zero_masks import mask_shape
from tests.mapping.hand_made import conv, matmul
from tests.oracles.convolution import convolve

CASES = 200


def array_of(rows: int = 2, columns: int = 2, *, vectors: tuple[int, int] = (4, 4), **given) -> PeArray:
    planar = PlanarPe(ifmap_vector=vectors[0], weight_vector=vectors[1], **given)
    return PeArray(rows=rows, columns=columns, dataflow=Dataflow.PLANAR_TILES, zero_skip=ZeroSkip.SKIP,
                   multipliers_per_pe=vectors[0] * vectors[1], planar=planar)  # fmt: skip


def draw_case(seed: int) -> tuple[ConvLayer | MatmulLayer, PeArray]:
    """A small layer and array by chance, odd shapes among them."""
    rng = np.random.default_rng(seed)

    def one_of(*values):
        return values[rng.integers(len(values))]

    vectors = one_of((4, 4), (4, 4), (2, 3), (1, 1), (3, 5))
    array = array_of(
        int(rng.integers(1, 4)), int(rng.integers(1, 4)), vectors=vectors, accumulator_entries=one_of(24, 64, 150, 1024),
        barrier=one_of(*Barrier), filter_group=one_of(*FilterGroup), bank_queue=one_of(None, None, 1, 2, 5),
        drain_cycles=one_of(0, 15), halo=one_of(*Halo), tiles_padding=one_of(False, True), even_tiles=one_of(False, True),
    )  # fmt: skip
    if array.planar.bank_queue:
        array = replace(array, planar=replace(array.planar, banks=one_of(32, 32, 8, 5)), pe_latency=one_of(1, 3))
    if rng.random() < 0.15:
        return MatmulLayer(name="fc", rows=one_of(1, 3, 10), inner=7, columns=9, batches=one_of(1, 2)), array
    axes = one_of(1, 2, 2, 2)
    groups = one_of(1, 1, 2)
    sides = {"ifmap": rng.integers(3, 10, axes), "kernel": rng.integers(1, 4, axes), "stride": rng.integers(1, 4, axes),
             "dilation": [one_of(1, 1, 2) for _ in range(axes)]}  # fmt: skip
    layer = ConvLayer(
        name="conv", in_channels=groups * one_of(1, 2, 3), out_channels=groups * one_of(1, 3, 7), groups=groups,
        batch=one_of(1, 2), padding=tuple((int(a), int(b)) for a, b in rng.integers(2, 4, (axes, 2))),
        **{name: tuple(int(each) for each in values) for name, values in sides.items()},
    )  # fmt: skip
    return replace(layer, padding=tuple((one_of(0, 1, 2, 3), after) for _, after in layer.padding)), array


def draw_values(layer: ConvLayer | MatmulLayer, operand: Operand, rng: np.random.Generator) -> np.ndarray:
    values = rng.integers(-9, 10, mask_shape(layer, operand))
    share = (0.0, 0.3, 0.7, 1.0)[rng.integers(4)]
    return np.where(rng.random(values.shape) < share, 0, values)


def cases():
    """Cases that the array takes: about one in eight drawn has a tile too large for its accumulators."""
    seed = found = 0
    while found < CASES:
        layer, array = draw_case(seed)
        rng = np.random.default_rng([seed, 1])
        operands = [draw_values(layer, operand, rng) for operand in (Operand.IFMAP, Operand.WEIGHT)]
        seed += 1
        try:
            yield layer, array, *operands, run_clocked_planar(layer, array, *operands)
        except MappingError:
            continue
        found += 1


def test_plan_and_clock_agree_to_the_cycle_and_outputs_are_the_convolution() -> None:
    with_conflicts = stalls = 0
    for layer, array, ifmap, weight, clocked in cases():
        masks = ifmap != 0, weight != 0
        counts = count_layer(layer, array, *masks)
        assert (clocked.ofmap == convolve(layer, ifmap, weight)).all(), (layer, array)
        assert (clocked.group_cycles == counts.group_cycles).all(), (layer, array)
        assert clocked.total_cycles == counts.cycles + array.pipeline_cycles
        assert (clocked.issued, clocked.busy) == (counts.products, counts.vector_pairs)
        assert clocked.landed == effectual_macs(layer, *masks)
        with_conflicts += array.planar.bank_queue is not None
        stalls += clocked.stalled > 0
    assert with_conflicts > CASES / 4
    assert stalls > CASES / 20


def test_an_all_zero_operand_takes_no_cycle_but_the_barriers() -> None:
    layer, array = conv(3, 5, 6, 3), array_of(drain_cycles=15)
    ones, zeros = (np.ones(mask_shape(layer, operand), dtype=np.int64) for operand in (Operand.IFMAP, Operand.WEIGHT))
    zeros[:] = 0
    clocked = run_clocked_planar(layer, array, ones, zeros)
    assert (clocked.total_cycles, clocked.issued) == (15, 0)
    assert not clocked.ofmap.any()


def test_products_wait_for_a_bank_that_all_of_them_want() -> None:
    """One value and a 1 x 1 kernel of 4 filters, k = 0, 8, 16, 24: hash bits 0, 1, 4 of all are 0, so one bank adds all four."""
    layer = conv(1, 32, 1, 1)
    weight = np.zeros((32, 1, 1, 1), dtype=np.int64)
    weight[::8] = 1
    one = np.ones((1, 1, 1, 1), dtype=np.int64)
    assert run_clocked_planar(layer, array_of(bank_queue=1), one, weight).total_cycles == 4
    assert run_clocked_planar(layer, array_of(), one, weight).total_cycles == 1


def test_another_array_or_shape_is_refused() -> None:
    one = np.ones((1, 1, 1, 1), dtype=np.int64)
    dense = replace(array_of(), zero_skip=ZeroSkip.NONE)
    with pytest.raises(SimulationError, match="needs a planar_tiles array with zero_skip = skip"):
        run_clocked_planar(conv(1, 1, 1, 1), dense, one, one)
    with pytest.raises(SimulationError, match=r"ifmap must be integers of shape \(1, 1, 2, 2\)"):
        run_clocked_planar(conv(1, 1, 2, 1), array_of(), one, one)
    with pytest.raises(SimulationError, match="weight must be integers"):
        run_clocked_planar(matmul(1, 1, 1), array_of(), one[0], one[0] * 0.5)
