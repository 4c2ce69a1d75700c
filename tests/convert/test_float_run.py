"""The float interpreter against onnxruntime on all test images, and against sums made by hand."""

import numpy as np
import pytest

from archsim.convert.float_network import FloatConv, FloatDense, FloatNetwork, FloatPool, FloatRelu
from archsim.convert.float_reader import read_float_network
from archsim.convert.float_run import logits, run_float
from archsim.convert.float_shapes import ofmap_shapes
from archsim.convert.fold_batchnorm import fold_batchnorm
from archsim.convert.image_files import check_fits, read_images
from archsim.errors import WorkloadError
from archsim.terms import PoolKind
from tests.convert.float_models import ROOT, mnist_folder, run_onnxruntime


@pytest.mark.parametrize(("name", "right"), [("mnist_webinar", 9817), ("mnist_big_bn", 9908)])
def test_ten_thousand_images_give_onnxruntimes_logits_and_classes_folded_too(name: str, right: int) -> None:
    path = ROOT / "workloads" / f"{name}.onnx"
    images = read_images(f"{mnist_folder()}:test")
    network = read_float_network(path)
    check_fits(images, network, needs_labels=True)
    values = images.values
    wanted = np.concatenate([run_onnxruntime(path, values[at : at + 1000]) for at in range(0, len(values), 1000)])
    found = logits(fold_batchnorm(network), values)
    assert np.abs(found - wanted).max() <= 1e-4
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()
    assert (found.argmax(axis=1) == images.labels).sum() == right  # spec.md: 98.17 % and 99.08 %
    unfolded = logits(network, values[:500])
    assert np.abs(unfolded - wanted[:500]).max() <= 1e-4


def one_node(node: FloatConv | FloatPool | FloatDense | FloatRelu, *shape: int) -> FloatNetwork:
    return FloatNetwork(name="one", ifmap_shape=shape, nodes=(node,))


def test_padding_counts_in_an_average_only_where_it_is_told_to() -> None:
    image = np.array([[[[4.0, 8.0]]]])
    for counts, first in ((True, 2.0), (False, 4.0)):  # (0 + 4) / 2 or 4 / 1
        pool = FloatPool(
            name="p", sources=("",), kind=PoolKind.AVERAGE, kernel=(1, 2), stride=(1, 1),
            padding=((0, 0), (1, 0)), counts_padding=counts,
        )  # fmt: skip
        assert run_float(one_node(pool, 1, 1, 2), image)["p"].tolist() == [[[[first, 6.0]]]]


def test_padding_never_wins_a_maximum() -> None:
    pool = FloatPool(name="p", sources=("",), kind=PoolKind.MAX, kernel=(1, 2), stride=(1, 2), padding=((0, 0), (1, 1)))
    assert run_float(one_node(pool, 1, 1, 2), np.array([[[[-3.0, -5.0]]]]))["p"].tolist() == [[[[-3.0, -5.0]]]]


def test_batches_change_nothing() -> None:
    rng = np.random.default_rng(0)
    dense = one_node(FloatDense(name="d", sources=("",), weight=rng.normal(size=(2, 3)), bias=np.ones(2)), 3)
    images = rng.normal(size=(7, 3))
    assert np.allclose(logits(dense, images, batch=3), images @ dense.weighted[0].weight.T + 1, rtol=0, atol=1e-12)


def test_images_of_another_shape_are_refused_with_both_shapes() -> None:
    with pytest.raises(WorkloadError) as caught:
        run_float(one_node(FloatRelu(name="r", sources=("",)), 1, 2, 2), np.zeros((1, 3, 2, 2)))
    assert str(caught.value) == "images of 3x2x2 do not fit the network 'one', which takes 1x2x2."


def test_a_node_that_does_not_fit_what_it_reads_is_named() -> None:
    conv = FloatConv(name="c", sources=("",), weight=np.zeros((1, 2, 3, 3)), bias=None)
    with pytest.raises(WorkloadError) as caught:
        ofmap_shapes(one_node(conv, 1, 5, 5))
    assert str(caught.value) == "node 'c': does not fit what it reads, 1x5x5. Export the model again."
