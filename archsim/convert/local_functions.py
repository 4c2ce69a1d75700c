"""Model-local functions, as torch exporters write them, replaced by their bodies.

Called by `model_file.py`. onnx does the inlining; this file first makes sure that it ends.
"""

import onnx
import onnx.inliner

from archsim.errors import WorkloadError

MAX_INLINED_NODES = 1_000_000

FunctionKey = tuple[str, str, str]


def inline_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model without calls of its own functions.

    Raises
    ------
    WorkloadError
        Functions call each other in a circle, grow beyond a million nodes, or onnx cannot inline them.
    """
    if not model.functions:
        return model
    calls = {
        (function.domain, function.name, function.overload): _called(list(function.node))
        for function in model.functions
    }
    sizes = _inlined_sizes(calls)
    total = sum(sizes.get(key, 1) for key in _called(list(model.graph.node)))
    if total > MAX_INLINED_NODES:
        raise WorkloadError(f"its functions unfold to {total} nodes; beyond {MAX_INLINED_NODES} is refused.")
    try:
        return onnx.inliner.inline_local_functions(model)
    except (RuntimeError, ValueError) as problem:
        reason = str(problem).splitlines()[0]
        raise WorkloadError(f"its local functions cannot be inlined: {reason}. Export without functions.") from problem


def _called(nodes: list[onnx.NodeProto]) -> list[FunctionKey]:
    """Every operator that the nodes call, those in their subgraphs too."""
    keys = []
    while nodes:
        node = nodes.pop()
        keys.append((node.domain, node.op_type, node.overload))
        for attribute in node.attribute:
            nodes.extend(inner for graph in (attribute.g, *attribute.graphs) for inner in graph.node)
    return keys


def _inlined_sizes(calls: dict[FunctionKey, list[FunctionKey]]) -> dict[FunctionKey, int]:
    """Nodes of each function once all its calls are unfolded."""
    sizes: dict[FunctionKey, int] = {}
    while len(sizes) < len(calls):
        ready = [
            key
            for key, called in calls.items()
            if key not in sizes and all(inner in sizes or inner not in calls for inner in called)
        ]
        if not ready:
            stuck = next(key for key in calls if key not in sizes)
            raise WorkloadError(f"its function {stuck[1]!r} calls itself. Export the model without functions.")
        for key in ready:
            sizes[key] = sum(sizes.get(inner, 1) for inner in calls[key]) or 1
    return sizes
