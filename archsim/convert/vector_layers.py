"""Nodes that the vector unit runs, views, and what is left uncosted.

Called by `onnx_reader.py` for every node that makes no array layer. The costs are in `vector_ops.py`.
"""

from math import prod

from archsim.convert.layer_facts import LayerFacts
from archsim.convert.value import Value
from archsim.convert.vector_ops import INTERPOLATION_OPS, UNCOSTED_REASONS, VECTOR_OPS, VIEWS, Per, VectorOp
from archsim.workload.layer import UncostedLayer, VectorLayer


def make_vector_layer(facts: LayerFacts) -> VectorLayer | UncostedLayer:
    """Cost a vector operator, or say why it is not costed.

    Notes
    -----
    Not modelled: broadcast values that are read more than once, and windows of a pool that overlap;
    each input is counted as read once.
    """
    node = facts.node
    if not node.is_standard:
        return _uncosted(facts, f"operator of the domain {node.domain!r}, which the ONNX standard does not define")
    if node.op in VIEWS:
        return VectorLayer(
            name=facts.name, op=node.snake_op, lane_ops=0, ifmap_words=0, ofmap_words=0, sources=facts.sources
        )
    cost = VECTOR_OPS.get(node.op)
    if cost is None:
        return _uncosted(facts, UNCOSTED_REASONS.get(node.op, "archsim has no cost for this operator"))
    operands = _operands(facts, cost)
    unknown = next((value for value in (*operands, facts.outputs[0]) if value.shape is None), None)
    if unknown is not None:
        return _uncosted(facts, f"its shape is not known: {unknown.unknown_because}")
    return VectorLayer(
        name=facts.name,
        op=node.snake_op,
        lane_ops=_lane_ops(facts, cost, operands),
        ifmap_words=_read_words(facts, cost, operands, is_constant=False),
        weight_words=_read_words(facts, cost, operands, is_constant=True),
        ofmap_words=facts.ofmap_words,
        sources=facts.sources,
    )


def _uncosted(facts: LayerFacts, reason: str) -> UncostedLayer:
    return UncostedLayer(
        name=facts.name,
        op=facts.node.snake_op,
        reason=reason,
        ofmap_words=facts.ofmap_words,
        sources=facts.sources,
    )


def _operands(facts: LayerFacts, cost: VectorOp) -> tuple[Value, ...]:
    return tuple(value for value in facts.inputs[: cost.operands] if value is not None)


def _read_words(facts: LayerFacts, cost: VectorOp, operands: tuple[Value, ...], *, is_constant: bool) -> int:
    words = [value.words for value in operands]
    if cost.reads_selection:
        words[0] = min(words[0], facts.outputs[0].words) if facts.node.op == "Slice" else facts.outputs[0].words
    return sum(count for count, value in zip(words, operands, strict=True) if value.is_constant is is_constant)


def _lane_ops(facts: LayerFacts, cost: VectorOp, operands: tuple[Value, ...]) -> int:
    written = facts.outputs[0].words
    if facts.node.op in ("Resize", "Upsample"):
        return INTERPOLATION_OPS.get(facts.node.text("mode", "nearest"), INTERPOLATION_OPS["cubic"]) * written
    if cost.per is Per.OPERAND:
        return (cost.ops * (len(operands) - 1) + cost.extra) * written
    if cost.per is Per.WINDOW:
        return (cost.ops * _window(facts, operands[0]) + cost.extra) * written
    return cost.ops * written


def _window(facts: LayerFacts, ifmap: Value) -> int:
    """Values behind each value written: the kernel, LRN's size, or what a reduction folds."""
    if facts.node.op == "LRN":
        return facts.node.integer("size", 1)
    kernel = facts.node.integers("kernel_shape")
    if kernel:
        return prod(kernel)
    return ifmap.words // max(facts.outputs[0].words, 1)
