"""The sentences that a report must show about a network read from ONNX.

Called by `onnx_reader.py`.
"""

from collections.abc import Iterator, Sequence

from archsim.convert.graph_inputs import BatchDim
from archsim.convert.node import Node
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, VectorLayer

QUANTISED_OPS = frozenset({"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"})


def state_assumptions(
    layers: Sequence[Layer], nodes: Sequence[Node], found: BatchDim, images: int
) -> tuple[str, ...]:  # fmt: skip
    """Sentences that hold for these layers, in a fixed order."""
    return tuple(_sentences(layers, nodes, found, images))


def _sentences(layers: Sequence[Layer], nodes: Sequence[Node], found: BatchDim, images: int) -> Iterator[str]:
    ops = {node.op for node in nodes if node.is_standard}
    yield from _batch_sentences(ops, found, images)
    if any(isinstance(layer, ConvLayer | MatmulLayer) for layer in layers):
        yield "biases of conv and matrix layers are not costed"
    vectors = [layer for layer in layers if isinstance(layer, VectorLayer)]
    if any(not layer.is_view for layer in vectors):
        yield (
            "vector operation counts are estimates: one operation per add, multiply, compare or elementary function, "
            "as listed in convert/vector_ops.py"
        )
    views = sorted({layer.op for layer in vectors if layer.is_view})
    if views:
        yield f"views are free, as they only rename words: {', '.join(views)}"
    if any(layer.op == "batch_normalization" for layer in vectors):
        yield "batch normalisation is inference: its mean and variance are folded into a scale and a shift per channel"
    if "ConvTranspose" in ops:
        yield "a transposed convolution is a matrix product of every ifmap value, then a scatter-add of the products"
    if ops & QUANTISED_OPS:
        yield "zero points and requantisation inside quantised conv and matrix operators are not costed"


def _batch_sentences(ops: set[str], found: BatchDim, images: int) -> Iterator[str]:
    if not found.is_static and images == found.images:
        yield f"the model leaves the batch open: {images} is assumed"
    if images != found.images:
        stated = f"the file's {found.images}" if found.is_static else "the open batch of the file"
        yield f"batch {images} in place of {stated}"
        if "Reshape" in ops:
            yield "Reshape targets that are fixed in the file are scaled to the batch so that the value counts fit"
