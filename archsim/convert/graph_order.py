"""Nodes of a graph in running order, each input made before it is read.

Called by `onnx_reader.py`. The file's own order is kept where it is a running order.
"""

import heapq
from collections import defaultdict

import onnx

from archsim.convert.node import Node, captured_names


def order_nodes(graph: onnx.GraphProto, opset: int) -> list[Node]:
    """Sort the nodes so that each tensor is made before it is read.

    Raises
    ------
    WorkloadError
        A tensor is made twice or by nobody, or nodes form a cycle.
    """
    nodes = [Node(proto=proto, opset=opset, captured=captured_names(proto)) for proto in graph.node]
    producers = _producers(nodes)
    given = _given(graph)
    readers: dict[int, list[int]] = defaultdict(list)
    open_inputs = [0] * len(nodes)
    for index, node in enumerate(nodes):
        for name in set(node.reads):
            if name in producers:
                readers[producers[name]].append(index)
                open_inputs[index] += 1
            elif name not in given:
                raise node.error(f"reads the tensor {name!r}, which nothing makes. Export the model again.")
    order = _kahn(open_inputs, readers)
    if len(order) < len(nodes):
        stuck = min(set(range(len(nodes))) - set(order))
        raise nodes[stuck].error("waits for its own result: the graph has a cycle. Export the model again.")
    return [nodes[index] for index in order]


def _given(graph: onnx.GraphProto) -> set[str]:
    sparse = (tensor.values.name for tensor in graph.sparse_initializer)
    return {item.name for item in (*graph.input, *graph.initializer)} | set(sparse)


def _producers(nodes: list[Node]) -> dict[str, int]:
    producers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in filter(None, node.outputs):
            if name in producers:
                raise node.error(f"makes the tensor {name!r}, which an earlier node makes too. Export the model again.")
            producers[name] = index
    return producers


def _kahn(open_inputs: list[int], readers: dict[int, list[int]]) -> list[int]:
    ready = [index for index, count in enumerate(open_inputs) if not count]
    order = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for reader in readers[index]:
            open_inputs[reader] -= 1
            if not open_inputs[reader]:
                heapq.heappush(ready, reader)
    return order
