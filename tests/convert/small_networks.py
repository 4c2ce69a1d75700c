"""Float networks of a few nodes with random weights, for the passes that change weights."""

from zlib import crc32

import numpy as np

from archsim.convert.float_network import (
    FloatAdd,
    FloatConv,
    FloatDense,
    FloatFlatten,
    FloatNetwork,
    FloatPool,
    FloatRelu,
)
from archsim.terms import PoolKind


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def conv(name, source, shape, *, has_bias=True, **how):
    bias = normal(shape[0], seed=len(name)) if has_bias else None
    how.setdefault("padding", ((1, 1), (1, 1)))
    return FloatConv(
        name=name,
        sources=(source,),
        weight=normal(*shape, seed=crc32(name.encode())) / np.sqrt(shape[1] * 9),
        bias=bias,
        **how,
    )


def dense(name, source, outputs, inputs):
    weight = normal(outputs, inputs) / np.sqrt(inputs)
    return FloatDense(name=name, sources=(source,), weight=weight, bias=normal(outputs))


def network(shape, *nodes):
    return FloatNetwork(name="small", ifmap_shape=shape, nodes=nodes)


def residual_network():
    """6x6 images: three 3x3 convolutions, the last added to its input, a pool, a dense layer."""
    return network(
        (1, 6, 6),
        conv("first", "", (4, 1, 3, 3)),
        FloatRelu(name="relu", sources=("first",)),
        conv("second", "relu", (4, 4, 3, 3)),
        FloatRelu(name="relu2", sources=("second",)),
        conv("third", "relu2", (4, 4, 3, 3), has_bias=False),
        FloatAdd(name="add", sources=("relu", "third")),
        FloatPool(name="pool", sources=("add",), kind=PoolKind.MAX, kernel=(2, 2), stride=(2, 2)),
        FloatFlatten(name="flat", sources=("pool",)),
        dense("classes", "flat", 4, 36),
    )
