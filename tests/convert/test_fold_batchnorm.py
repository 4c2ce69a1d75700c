"""No batch norm is left, and no logit moves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.convert.float_network import (
    AnyFloatNode,
    FloatAdd,
    FloatBatchNorm,
    FloatConv,
    FloatDense,
    FloatNetwork,
    FloatPool,
    FloatRelu,
)
from archsim.convert.fold_batchnorm import fold_batchnorm, largest_logit_difference
from archsim.errors import WorkloadError
from archsim.terms import PoolKind

RNG = np.random.default_rng(5)


def norm(name: str, source: str, channels: int = 2) -> FloatBatchNorm:
    return FloatBatchNorm(
        name=name, sources=(source,), scale=RNG.normal(size=channels), shift=RNG.normal(size=channels),
        mean=RNG.normal(size=channels), variance=RNG.uniform(0.1, 2, channels), epsilon=1e-3,
    )  # fmt: skip


def conv(name: str, source: str, *, bias: bool = True) -> FloatConv:
    return FloatConv(
        name=name, sources=(source,), weight=RNG.normal(size=(2, 2, 3, 3)), bias=RNG.normal(size=2) if bias else None,
        padding=((1, 1), (1, 1)),
    )  # fmt: skip


def dense(name: str, source: str) -> FloatDense:
    return FloatDense(name=name, sources=(source,), weight=RNG.normal(size=(2, 2)), bias=None)


def relu(name: str, source: str) -> FloatRelu:
    return FloatRelu(name=name, sources=(source,))


def pool(name: str, source: str) -> FloatPool:
    return FloatPool(name=name, sources=(source,), kind=PoolKind.AVERAGE, kernel=(2, 2), stride=(1, 1))


def network(*nodes: AnyFloatNode, shape: tuple[int, ...] = (2, 5, 4)) -> FloatNetwork:
    return FloatNetwork(name="net", ifmap_shape=shape, nodes=nodes)


IMAGES = [
    ("behind a conv", network(conv("c", ""), norm("n", "c"), relu("r", "n")), ["c", "r"]),
    ("no bias", network(conv("c", "", bias=False), norm("n", "c")), ["c"]),
    ("two in a row", network(conv("c", ""), norm("n", "c"), norm("m", "n"), relu("r", "m")), ["c", "r"]),
    ("before a padded conv", network(norm("n", ""), conv("c", "n")), ["n", "c"]),
    ("behind a relu", network(conv("c", ""), relu("r", "c"), norm("n", "r")), ["c", "r", "n"]),
    ("behind a pool", network(pool("p", ""), norm("n", "p")), ["p", "n"]),
    (
        "conv read twice",
        network(conv("c", ""), norm("n", "c"), FloatAdd(name="a", sources=("n", "c"))),
        ["c", "n", "a"],
    ),
    (
        "behind a sum",
        network(conv("c", ""), FloatAdd(name="a", sources=("c", "")), norm("n", "a"), norm("m", "n")),
        ["c", "a", "n", "m"],
    ),
]
VECTORS = [
    ("behind a dense layer", network(dense("d", ""), norm("n", "d"), shape=(2,)), ["d"]),
    ("in front of one", network(norm("n", ""), dense("d", "n"), shape=(2,)), ["d"]),
    ("two in front", network(relu("r", ""), norm("n", "r"), norm("m", "n"), dense("d", "m"), shape=(2,)), ["r", "d"]),
]


@pytest.mark.parametrize(("before", "left"), [case[1:] for case in IMAGES + VECTORS],
                         ids=[case[0] for case in IMAGES + VECTORS])  # fmt: skip
def test_no_batch_norm_is_left_and_no_logit_moves(before: FloatNetwork, left: list[str]) -> None:
    after = fold_batchnorm(before)
    assert [node.name for node in after.nodes] == left
    assert not any(isinstance(node, FloatBatchNorm) for node in after.nodes)
    assert largest_logit_difference(before, after, RNG.normal(size=(3, *before.ifmap_shape))) < 1e-12


def test_one_that_stands_alone_becomes_a_depthwise_convolution_of_its_name() -> None:
    alone = FloatBatchNorm(
        name="n", sources=("",), scale=np.array([3.0, 1.0]), shift=np.array([1.0, 0.0]), mean=np.array([2.0, 0.0]),
        variance=np.array([4.0, 1.0]), epsilon=0.0,
    )  # fmt: skip
    (made,) = fold_batchnorm(network(alone)).nodes
    assert isinstance(made, FloatConv)
    assert (made.groups, made.weight.shape) == (2, (2, 1, 1, 1))
    assert made.weight.ravel().tolist() == [1.5, 1.0]  # 3 / sqrt(4)
    assert made.bias is not None
    assert made.bias.tolist() == [-2.0, 0.0]  # 1 - 2 * 1.5


def test_one_on_a_vector_that_a_relu_reads_is_refused() -> None:
    with pytest.raises(WorkloadError) as caught:
        fold_batchnorm(network(relu("r", ""), norm("n", "r"), relu("s", "n"), shape=(2,)))
    assert str(caught.value) == (
        "node 'n' (BatchNormalization): it follows no conv or dense layer that it could be folded into, and not only "
        "dense layers read it. Move it directly behind a conv or dense layer, and export the model again."
    )


@given(st.floats(0.5, 4), st.floats(-4, 4))
def test_the_difference_is_that_of_the_logit_that_moved_most(gain: float, bias: float) -> None:
    before = network(FloatDense(name="d", sources=("",), weight=np.eye(2), bias=None), shape=(2,))
    after = network(
        FloatDense(name="d", sources=("",), weight=np.diag([1, gain]), bias=np.array([0, bias])), shape=(2,)
    )
    wanted = abs((gain - 1) * 2 + bias)
    assert largest_logit_difference(before, after, np.array([[1.0, 2.0]])) == pytest.approx(wanted, abs=1e-12)
