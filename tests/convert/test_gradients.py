from dataclasses import replace

import numpy as np
import pytest

from archsim.convert.float_network import FloatAdd, FloatBatchNorm, FloatFlatten, FloatPool, FloatRelu
from archsim.convert.float_run import run_float
from archsim.convert.gradients import Part, StraightThrough, run_backwards, run_forwards
from archsim.errors import WorkloadError
from archsim.terms import PoolKind
from tests.convert.small_networks import conv, dense, network, normal, residual_network

STEP = 1e-6


def head(source, inputs):
    return FloatFlatten(name="flat", sources=(source,)), dense("classes", "flat", 3, inputs)


def pooled(**how):
    """A pool between two layers, 5x5 to 3x3."""
    pool = FloatPool(name="pool", sources=("c",), kernel=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1)), **how)
    return network((2, 5, 5), conv("c", "", (3, 2, 3, 3)), pool, *head("pool", 27))


CASES = {
    "dense": network((7,), dense("a", "", 5, 7), dense("classes", "a", 3, 5)),
    "conv": network((2, 5, 5), conv("c", "", (3, 2, 3, 3)), conv("d", "c", (2, 3, 3, 3)), *head("d", 50)),
    "conv without bias": network((2, 5, 5), conv("c", "", (3, 2, 3, 3), has_bias=False), *head("c", 75)),
    "conv with stride, dilation, uneven padding, groups": network(
        (2, 7, 8),
        conv("c", "", (4, 2, 3, 3)),
        conv("d", "c", (6, 2, 2, 3), stride=(2, 1), dilation=(2, 2), padding=((0, 1), (2, 1)), groups=2),
        *head("d", 6 * 3 * 7),
    ),
    "depthwise": network((3, 4, 4), conv("c", "", (3, 3, 1, 1)), conv("d", "c", (3, 1, 3, 3), groups=3), *head("d", 108)),
    "relu": network((2, 4, 4), conv("c", "", (3, 2, 3, 3)), FloatRelu(name="r", sources=("c",)), *head("r", 48)),
    "max pool": pooled(kind=PoolKind.MAX),
    "average pool": pooled(kind=PoolKind.AVERAGE),
    "average pool that counts its padding": pooled(kind=PoolKind.AVERAGE, counts_padding=True),
    "add": network(
        (2, 4, 4), conv("c", "", (2, 2, 3, 3)), conv("d", "c", (2, 2, 3, 3)), FloatAdd(name="s", sources=("c", "d")),
        *head("s", 32),
    ),
    "add to itself": network((2, 4, 4), conv("c", "", (2, 2, 3, 3)), FloatAdd(name="s", sources=("c", "c")), *head("s", 32)),
    "residual": residual_network(),
}  # fmt: skip


def arrays_of(net):
    weights = {(Part.WEIGHT, node.name): node.weight.astype(np.float32) for node in net.weighted}
    return weights | {
        (Part.BIAS, node.name): node.bias.astype(np.float32) for node in net.weighted if node.bias is not None
    }


def images_of(net, count=3):
    return normal(count, *net.ifmap_shape, seed=5)


@pytest.mark.parametrize("case", CASES)
def test_the_way_forwards_gives_what_the_float_network_gives(case):
    net = CASES[case]
    trace = run_forwards(net, arrays_of(net), images_of(net))
    for name, expected in run_float(net, images_of(net)).items():
        np.testing.assert_allclose(np.moveaxis(trace.ofmaps[name], -1, 0), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_differences_of_the_float_network(case):
    net = CASES[case]
    images, last = images_of(net), net.nodes[-1].name
    pull = normal(3, len(images), seed=9) if case != "residual" else normal(4, len(images), seed=9)
    trace = run_forwards(net, arrays_of(net), images)
    found = run_backwards(net, trace, pull.astype(np.float32))
    assert found.keys() == arrays_of(net).keys()
    for node in net.weighted:
        for part, array in ((Part.WEIGHT, node.weight), (Part.BIAS, node.bias)):
            if array is None:
                continue
            for place in np.random.default_rng(0).choice(array.size, min(12, array.size), replace=False):
                sides = []
                for step in (STEP, -STEP):
                    moved = array.copy()
                    moved.flat[place] += step
                    other = net.with_nodes({node.name: replace(node, **{part.value: moved})})
                    sides.append((run_float(other, images)[last].T * pull).sum())
                expected = (sides[0] - sides[1]) / (2 * STEP)
                assert found[part, node.name].flat[place] == pytest.approx(expected, rel=2e-3, abs=2e-4)


def test_of_equal_maxima_only_one_takes_the_gradient():
    pool = FloatPool(name="pool", sources=("c",), kind=PoolKind.MAX, kernel=(2, 2), stride=(2, 2))
    net = network((1, 2, 2), conv("c", "", (1, 1, 1, 1), padding=((0, 0), (0, 0))), pool)
    trace = run_forwards(net, arrays_of(net), np.ones((1, 1, 2, 2)))
    found = run_backwards(net, trace, np.ones((1, 1, 1, 1), np.float32))
    assert found[Part.WEIGHT, "c"].tolist() == [[[[1.0]]]]


def test_a_rounded_ofmap_is_what_readers_see_and_its_gradient_passes_between_the_limits_only():
    net = network((2,), dense("a", "", 3, 2), dense("b", "a", 1, 3))
    arrays = {
        (Part.WEIGHT, "a"): np.eye(3, 2, dtype=np.float32) * 0 + np.array([[0.3, 0], [1.4, 0], [9, 0]], np.float32),
        (Part.BIAS, "a"): np.zeros(3, np.float32),
        (Part.WEIGHT, "b"): np.array([[1, 10, 100]], np.float32),
        (Part.BIAS, "b"): np.zeros(1, np.float32),
    }
    written = {"a": StraightThrough(function=lambda values: np.clip(np.rint(values), 0, 3), lowest=0, highest=3)}
    trace = run_forwards(net, arrays, np.array([[1.0, 0.0]]), written)
    assert trace.ofmaps["a"][:, 0].tolist() == [0, 1, 3]
    assert trace.ofmaps["b"][0, 0] == 310
    found = run_backwards(net, trace, np.ones((1, 1), np.float32), written)
    assert found[Part.BIAS, "a"].tolist() == [1, 10, 0]  # 9 lies outside
    assert found[Part.WEIGHT, "b"].tolist() == [[0, 1, 3]]


def test_the_images_can_be_rounded_too():
    net = network((2,), dense("a", "", 1, 2))
    trace = run_forwards(net, arrays_of(net), np.array([[0.4, 0.6]]), {"": StraightThrough(function=np.rint)})
    assert trace.ofmaps[""][:, 0].tolist() == [0, 1]


def test_a_batch_norm_is_refused_by_name():
    ones = np.ones(2)
    norm = FloatBatchNorm(name="bn", sources=("",), scale=ones, shift=ones, mean=ones, variance=ones, epsilon=1e-5)
    with pytest.raises(WorkloadError, match="node 'bn': a batch norm cannot be trained here"):
        run_forwards(network((2,), norm), {}, np.ones((1, 2)))
