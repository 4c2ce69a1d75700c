"""The same network on more images at once; called for ``--batch`` before anything is planned."""

from dataclasses import replace

from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, VectorLayer
from archsim.workload.network import Workload


def with_batch(workload: Workload, images: int) -> Workload:
    """Run ``images`` inputs through the network together.

    Parameters
    ----------
    workload
        The network on one input (or on the batch its file gives, which is multiplied).
    images
        Inputs at once; 1 changes nothing.

    Returns
    -------
    Workload
        The ifmap and ofmap of every layer grow; stored weights do not.

    Raises
    ------
    WorkloadError
        ``images`` is below 1.
    """
    if images < 1:
        raise WorkloadError(f"batch (={images!r}) must be 1 or more images")
    layers = tuple(_batch_layer(layer, images) for layer in workload.layers)
    return replace(workload, layers=layers, images=workload.images * images)


def _batch_layer(layer: Layer, images: int) -> Layer:
    if isinstance(layer, ConvLayer):
        return replace(layer, batch=layer.batch * images)
    if isinstance(layer, MatmulLayer):
        return _batch_matmul(layer, images)
    if isinstance(layer, VectorLayer):
        return replace(
            layer,
            lane_ops=layer.lane_ops * images,
            ifmap_words=layer.ifmap_words * images,
            ofmap_words=layer.ofmap_words * images,
        )
    return replace(layer, ofmap_words=layer.ofmap_words * images)


def _batch_matmul(layer: MatmulLayer, images: int) -> MatmulLayer:
    if layer.weight_source:  # attention: each image brings a second matrix of its own
        return replace(layer, batches=layer.batches * images)
    return replace(layer, rows=layer.rows * images)
