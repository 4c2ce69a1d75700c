"""An ONNX graph with everything known of its tensors for one batch.

Called by the readers of ONNX models. Running order comes from `graph_order`, shapes and small constants from
`propagation`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.convert.array_ops import ARRAY_OPS
from archsim.convert.graph_inputs import BatchDim, read_inputs, real_inputs
from archsim.convert.graph_order import order_nodes
from archsim.convert.initialisers import read_initialisers
from archsim.convert.model_file import ModelFile
from archsim.convert.node import Node
from archsim.convert.propagation import Propagation
from archsim.convert.value import Value, static_shape
from archsim.convert.vector_ops import VECTOR_OPS, VIEWS


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedGraph:
    """Nodes in running order and the values of all tensors for one batch.

    Parameters
    ----------
    nodes
        Each behind those it reads.
    values
        By tensor name.
    read_names
        Tensors that some node reads, or that the graph gives out.
    """

    nodes: list[Node]
    values: Mapping[str, Value]
    read_names: frozenset[str]

    @property
    def live(self) -> list[Node]:
        """Nodes that depend on a graph input: those that `name_layers` names."""
        return [node for node in self.nodes if not all(self.values[key].is_constant for key in node.outputs if key)]


def resolve_graph(file: ModelFile, found: BatchDim, images: int) -> ResolvedGraph:
    """Order the nodes and find their shapes for ``images`` images.

    Raises
    ------
    WorkloadError
        The graph cannot be ordered, or shapes contradict each other.
    """
    graph = file.model.graph
    nodes = order_nodes(graph, file.opset)
    stored = read_initialisers(graph, file.folder)
    inputs = real_inputs(graph)
    as_exported = Propagation(
        folder=file.folder,
        ir_version=file.model.ir_version,
        costed_ops=frozenset((*ARRAY_OPS, *VECTOR_OPS, *VIEWS)),
        declared=_declared(file) if images == found.images else {},
    )
    given = stored | read_inputs(inputs, found, found.images if found.images > 0 else images)
    values = as_exported.values(nodes, given)
    if images != found.images and found.images > 0:
        rebatched = Propagation(
            folder=file.folder,
            ir_version=file.model.ir_version,
            costed_ops=as_exported.costed_ops,
            baseline=values,
        )
        values = rebatched.values(nodes, stored | read_inputs(inputs, found, images))
    read_names = frozenset(name for node in nodes for name in node.reads)
    return ResolvedGraph(nodes=nodes, values=values, read_names=read_names | {item.name for item in graph.output})


def _declared(file: ModelFile) -> dict[str, Value]:
    items = (*file.model.graph.value_info, *file.model.graph.output)
    shapes = {item.name: (static_shape(item.type.tensor_type), item.type.tensor_type.elem_type) for item in items}
    return {
        name: Value(shape=shape, elem_type=elem_type)
        for name, (shape, elem_type) in shapes.items()
        if shape is not None and (not shape or min(shape) >= 0)
    }
