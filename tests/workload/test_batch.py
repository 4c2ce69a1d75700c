"""What a batch multiplies, and what it does not."""

import pytest

from archsim.errors import WorkloadError
from archsim.workload.batch import with_batch
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.network import Workload

CONV = ConvLayer(
    name="conv", in_channels=3, out_channels=4, ifmap=(8, 8), kernel=(3, 3), stride=(1, 1),
    padding=((0, 0), (0, 0)), dilation=(1, 1), batch=2,
)  # fmt: skip
FC = MatmulLayer(name="fc", rows=1, inner=10, columns=5)
SCORES = MatmulLayer(name="scores", rows=4, inner=3, columns=4, batches=2, weight_source="conv", sources=("fc",))
NORM = VectorLayer(name="norm", op="layer_norm", lane_ops=70, ifmap_words=10, ofmap_words=10, weight_words=6)
TOP_K = UncostedLayer(name="top_k", op="TopK", reason="sorting", ofmap_words=7)


def _batched(layer: Layer, images: int) -> Layer:
    workload = with_batch(Workload(name="net", layers=(CONV, FC, SCORES, NORM, TOP_K), assumptions=("said",)), images)
    assert (workload.name, workload.assumptions) == ("net", ("said",))
    return next(batched for batched in workload.layers if batched.name == layer.name)


def test_a_convolution_multiplies_its_own_batch_and_keeps_its_weights() -> None:
    layer = _batched(CONV, 3)
    assert isinstance(layer, ConvLayer)
    assert layer.batch == 6
    assert layer.macs == 3 * CONV.macs
    assert layer.weight_words == CONV.weight_words
    assert layer.ifmap_words == 3 * CONV.ifmap_words


def test_stored_weights_serve_all_images_by_more_rows() -> None:
    layer = _batched(FC, 3)
    assert isinstance(layer, MatmulLayer)
    assert (layer.rows, layer.batches, layer.weight_words) == (3, 1, 50)


def test_attention_gets_a_second_matrix_per_image() -> None:
    layer = _batched(SCORES, 3)
    assert isinstance(layer, MatmulLayer)
    assert (layer.rows, layer.batches, layer.weight_words) == (4, 6, 3 * SCORES.weight_words)
    assert layer.sources == ("fc",)


def test_a_vector_layer_grows_but_its_parameters_do_not() -> None:
    layer = _batched(NORM, 3)
    assert isinstance(layer, VectorLayer)
    assert (layer.lane_ops, layer.ifmap_words, layer.ofmap_words, layer.weight_words) == (210, 30, 30, 6)


def test_an_uncosted_layer_writes_more_words() -> None:
    layer = _batched(TOP_K, 3)
    assert isinstance(layer, UncostedLayer)
    assert layer.ofmap_words == 21


def test_a_batch_of_one_changes_nothing() -> None:
    workload = Workload(name="net", layers=(CONV, FC, SCORES, NORM, TOP_K))
    assert with_batch(workload, 1) == workload


@pytest.mark.parametrize("images", [0, -1])
def test_a_batch_below_one_is_refused(images: int) -> None:
    with pytest.raises(WorkloadError, match=rf"batch \(={images}\) must be 1 or more images"):
        with_batch(Workload(name="net", layers=(FC,)), images)
