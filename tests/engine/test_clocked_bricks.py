"""What the clocked brick lanes refuse, and that integer products of any network come out of them right."""

import numpy as np
import pytest

from archsim.arch.pe_array import PeArray
from archsim.engine.clocked_bricks import run_clocked_bricks
from archsim.engine.exact_arrays import multiply_on_array
from archsim.errors import SimulationError
from archsim.terms import Dataflow, ZeroSkip
from tests.mapping.brick_chips import make_array, values_of
from tests.mapping.hand_made import conv, matmul


@pytest.mark.parametrize("skip", list(ZeroSkip))
def test_a_matrix_product_is_numpys_whatever_is_done_with_zeros(skip) -> None:
    random = np.random.default_rng(0)
    ifmap, weight = random.integers(-3, 4, (7, 33)), random.integers(-9, 9, (33, 10))
    np.testing.assert_array_equal(
        multiply_on_array(ifmap, weight, make_array(rows=4, columns=3, skip=skip)), ifmap @ weight
    )


def test_groups_images_and_padding_keep_apart() -> None:
    """One nonzero value in the second group's second image reaches that group's filters of that image alone."""
    layer = conv(4, 6, 3, 3, groups=2, batch=2, padding=((1, 1), (1, 1)))
    ifmap, weight = np.zeros((2, 4, 3, 3), dtype=int), np.ones((6, 2, 3, 3), dtype=int)
    ifmap[1, 3, 1, 1] = 5
    run = run_clocked_bricks(layer, ifmap, weight, make_array(), encoded=True)
    assert run.ofmap[1, 3:].tolist() == [[[5] * 3] * 3] * 3
    assert not run.ofmap[0].any()
    assert not run.ofmap[1, :3].any()
    assert (run.products, run.zero_products) == (9 * 3, 0)


def test_a_deeper_pipeline_is_paid_once() -> None:
    layer = conv(5, 3, 6, 3)
    ifmap, weight = values_of(layer, 1, 0.5)
    for encoded in (True, False):
        runs = [
            run_clocked_bricks(layer, ifmap, weight, make_array(latency=depth), encoded=encoded) for depth in (1, 4)
        ]
        assert runs[1].total_cycles == runs[0].total_cycles + 3
        np.testing.assert_array_equal(runs[0].ofmap, runs[1].ofmap)


def test_what_the_lanes_cannot_take_is_refused() -> None:
    layer = matmul(2, 3, 4)
    ifmap, weight = np.ones((1, 2, 3), dtype=int), np.ones((1, 3, 4), dtype=int)
    take = lambda *operands, array=None: run_clocked_bricks(layer, *operands, array or make_array(), encoded=True)  # noqa: E731
    with pytest.raises(SimulationError, match=r"ifmap has shape \(1, 3, 2\); layer 'fc' has \(1, 2, 3\)"):
        take(ifmap.swapaxes(1, 2), weight)
    with pytest.raises(SimulationError, match=r"weight is float64; it must be integers that fit int64"):
        take(ifmap, weight * 1.0)
    with pytest.raises(SimulationError, match="psums may need more than int64"):
        take(ifmap << 40, weight << 40)
    other = PeArray(rows=2, columns=2, dataflow=Dataflow.OUTPUT_STATIONARY)
    with pytest.raises(SimulationError, match="needs a brick_lanes array, this one is output_stationary"):
        take(ifmap, weight, array=other)
