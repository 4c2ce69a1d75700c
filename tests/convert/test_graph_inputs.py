from typing import Any

import pytest
from onnx import helper

from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer

CONV = helper.make_node("Conv", ["x", "w"], ["y"])
FILTERS = {"w": [4, 3, 3, 3]}


@pytest.mark.parametrize("leading", [1, 8, "n", None])
def test_batch_overrides_a_static_and_an_open_leading_axis(models: Any, leading: int | str | None) -> None:
    layer = models.read([CONV], {"x": [leading, 3, 8, 8]}, FILTERS, batch=5).layers[0]
    assert isinstance(layer, ConvLayer)
    assert layer.batch == 5


def test_batch_of_the_file_stays_without_an_override(models: Any) -> None:
    workload = models.read([CONV], {"x": [8, 3, 8, 8]}, FILTERS)
    assert workload.macs == 8 * 36 * 4 * 27
    assert not any("batch" in sentence for sentence in workload.assumptions)


def test_stored_tensors_keep_their_leading_axis(models: Any) -> None:
    # the filters are listed as an input too, as IR 3 demands, and their leading axis equals the batch
    layer = models.read([CONV], {"x": [4, 3, 8, 8], "w": [4, 3, 3, 3]}, FILTERS, batch=2).layers[0]
    assert isinstance(layer, ConvLayer)
    assert (layer.batch, layer.out_channels) == (2, 4)


def test_filters_given_as_a_real_input_keep_their_leading_axis(models: Any) -> None:
    layer = models.read([CONV], {"x": [1, 3, 8, 8], "w": [4, 3, 3, 3]}, batch=2).layers[0]
    assert isinstance(layer, ConvLayer)
    assert (layer.batch, layer.out_channels) == (2, 4)


def test_axis_that_bears_the_batchs_name_follows_it(models: Any) -> None:
    node = helper.make_node("MatMul", ["x", "h"], ["y"])
    assert models.read([node], {"x": ["n", 7], "h": [7, "n"]}, batch=3).macs == 63


def test_open_size_other_than_the_batch_is_named_where_it_is_needed(models: Any) -> None:
    with pytest.raises(WorkloadError, match=r"\(Conv\): needs the shape of 'x'.*input 'x' is \[1, 3, 'h', 'w'\]"):
        models.read([CONV], {"x": ["n", 3, "h", "w"]}, FILTERS)


@pytest.mark.parametrize("batch", [0, -1])
def test_batch_must_be_positive(models: Any, batch: int) -> None:
    with pytest.raises(WorkloadError, match=rf"batch \(={batch}\) must be 1 or more"):
        models.read([CONV], {"x": [1, 3, 8, 8]}, FILTERS, batch=batch)


@pytest.mark.parametrize(
    "shape", [[0, 3, 8, 8], [-1, 3, 8, 8], [1, 3, 0, 8], [1, 3, -8, 8], [1, 3, 2**40, 8], [2**40, 3, 8, 8]]
)
def test_impossible_sizes_name_the_input(models: Any, shape: list[int]) -> None:
    with pytest.raises(WorkloadError, match=r"by_hand.onnx: input 'x' has the shape"):
        models.read([CONV], {"x": shape}, FILTERS)


@pytest.mark.parametrize("leading", [0, -1])
def test_batch_heals_a_leading_axis_that_is_not_positive(models: Any, leading: int) -> None:
    assert models.read([CONV], {"x": [leading, 3, 8, 8]}, FILTERS, batch=2).macs == 2 * 36 * 4 * 27
