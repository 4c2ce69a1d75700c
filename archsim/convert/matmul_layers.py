"""Matrix products: Gemm and MatMul into MatmulLayer.

Called by `onnx_reader.py` through `array_ops.py`.
"""

from dataclasses import dataclass
from math import prod

from archsim.convert.layer_facts import LayerFacts
from archsim.convert.value import Shape
from archsim.workload.layer import MatmulLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One of the two matrices: its batch axes, and which input it is."""

    position: int
    batch: Shape
    is_constant: bool


def make_gemm(facts: LayerFacts) -> tuple[MatmulLayer]:
    """Gemm: Y = A B + C with either matrix transposed; C is not costed.

    Raises
    ------
    WorkloadError
        A shape is not known, or A and B do not fit.
    """
    first, second = facts.shape(0), facts.shape(1)
    if len(first) != 2 or len(second) != 2:
        raise facts.node.error(f"needs two matrices, got shapes {list(first)} and {list(second)}. Export it again.")
    rows, inner = first[::-1] if facts.node.integer("transA", 0) else first
    held, columns = second[::-1] if facts.node.integer("transB", 0) else second
    return _product(facts, 1, (), (), (rows, inner, held, columns))


def make_matmul(facts: LayerFacts) -> tuple[MatmulLayer]:
    """MatMul and MatMulInteger: inputs A, B, ... Raises as `make_gemm`."""
    return _matmul(facts, 1)


def make_quantised_matmul(facts: LayerFacts) -> tuple[MatmulLayer]:
    """QLinearMatMul: B is its fourth input. Raises as `make_gemm`."""
    return _matmul(facts, 3)


def _matmul(facts: LayerFacts, second_input: int) -> tuple[MatmulLayer]:
    first, second = facts.shape(0), facts.shape(second_input)
    if not first or not second:
        raise facts.node.error("needs matrices or vectors, got a single number. Export the model again.")
    # a vector is a matrix of one row (left) or one column (right)
    first = (1, *first) if len(first) == 1 else first
    second = (*second, 1) if len(second) == 1 else second
    sizes = (first[-2], first[-1], second[-2], second[-1])
    return _product(facts, second_input, first[:-2], second[:-2], sizes)


def _product(
    facts: LayerFacts, second_input: int, first_batch: Shape, second_batch: Shape, sizes: tuple[int, int, int, int]
) -> tuple[MatmulLayer]:
    rows, inner, held, columns = sizes
    if inner != held:
        raise facts.node.error(
            f"the first matrix has {inner} columns, the second {held} rows. Export the model again, "
            "or run it with the batch it was exported for."
        )
    first = _Side(position=0, batch=first_batch, is_constant=facts.required(0).is_constant)
    second = _Side(
        position=second_input, batch=second_batch, is_constant=facts.required(second_input).is_constant
    )  # fmt: skip
    if _is_weight(first, second):
        # (A B) transposed is B' A': the stored or shared matrix becomes the weights
        first, second, rows, columns = second, first, columns, rows
    batches = prod(second.batch)
    all_batches = prod(_broadcast(facts, first.batch, second.batch))
    is_fc = second.is_constant and len(facts.shape(second.position)) <= 2
    layer = MatmulLayer(
        name=facts.name,
        op="fc" if is_fc else "matmul",
        batches=batches,
        rows=rows * all_batches // max(batches, 1),
        inner=inner,
        columns=columns,
        sources=facts.sources,
        weight_source=facts.input_sources[second.position],
    )
    return (layer,)


def _is_weight(first: _Side, second: _Side) -> bool:
    """Whether the first matrix plays the weights: stored against computed, or shared by all batches."""
    if first.is_constant != second.is_constant:
        return first.is_constant
    return prod(first.batch) == 1 and prod(second.batch) > 1


def _broadcast(facts: LayerFacts, first: Shape, second: Shape) -> Shape:
    axes = max(len(first), len(second))
    pairs = list(zip((1,) * (axes - len(first)) + first, (1,) * (axes - len(second)) + second, strict=True))
    if any(one != other and 1 not in (one, other) for one, other in pairs):
        raise facts.node.error(
            f"batch axes {list(first)} and {list(second)} do not broadcast. Export the model again, "
            "or run it with the batch it was exported for."
        )
    return tuple(max(pair) for pair in pairs)
