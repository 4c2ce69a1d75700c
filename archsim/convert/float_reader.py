"""Read an ONNX model into a FloatNetwork: the first pass of a conversion.

Called by the conversion pipeline. Constants are folded on the way, and a stored sum or factor behind a conv or dense
layer goes into that layer. Nodes bear the names that `onnx_reader.py` gives their layers.
"""

from collections.abc import Iterator
from pathlib import Path

from archsim.config_file import legible
from archsim.convert.float_constants import Constants
from archsim.convert.float_facts import FloatFacts
from archsim.convert.float_network import AnyFloatNode, FloatBatchNorm, FloatNetwork
from archsim.convert.float_nodes import build_nodes
from archsim.convert.float_shapes import ofmap_shapes
from archsim.convert.fold_batchnorm import merge_into_layers
from archsim.convert.graph_inputs import find_batch, real_inputs
from archsim.convert.layer_facts import LayerFacts
from archsim.convert.layer_names import name_layers
from archsim.convert.model_file import ModelFile, read_model
from archsim.convert.node import Node, as_text
from archsim.convert.resolved_graph import ResolvedGraph, resolve_graph
from archsim.errors import WorkloadError

_AFFINE_OPS = frozenset({"Add", "Sum", "Sub", "Mul", "Div"})
_TAIL_OPS = frozenset({"Softmax", "LogSoftmax", "Identity", "Dropout", "Cast"})


def read_float_network(path: Path) -> FloatNetwork:
    """Read an ONNX model with its weights.

    Parameters
    ----------
    path
        An ``.onnx`` file of opset 7 or later with its weights inside or beside it; one input of images
        (N, C, H, W) or vectors (N, C), the batch fixed or open; one output, the logits.

    Returns
    -------
    FloatNetwork
        Weights in float64. A final softmax is left out and named in ``source``. A bias of zeros is no bias.

    Raises
    ------
    WorkloadError
        No readable ONNX model, weights that are not there, or operators that the converter cannot quantise, all of
        them at once, a line each: ``path: node 'name' (Op): what is wrong. What to do.``

    Notes
    -----
    Not modelled: more than one input or output, rows before channels (NHWC), 1-D and 3-D convolutions, recurrent
    layers, attention.
    """
    path = Path(path)
    try:
        return _read(path)
    except WorkloadError as problem:
        lines = str(problem).splitlines()
        raise WorkloadError("\n".join(f"{path}: {line}" for line in lines)) from problem
    except UnicodeDecodeError as problem:  # what protobuf before 5 makes of such a name
        raise WorkloadError(f"{path}: a name in it is not UTF-8 text. Export the model again.") from problem


def _read(path: Path) -> FloatNetwork:
    file = read_model(path)
    graph = resolve_graph(file, find_batch(real_inputs(file.model.graph)), 1)
    name, shape = _only_input(file, graph)
    result = _only_output(file)
    needed = _needed(graph, result)
    tail = list(_tail(graph, result))
    builder = _Builder(graph, Constants(file, graph), tail, name)
    for node, layer in zip(graph.live, name_layers(graph.live), strict=True):
        if needed.intersection(node.outputs):
            builder.take(node, layer)
    if builder.problems:
        raise WorkloadError("\n".join(builder.problems))
    if not builder.nodes:
        raise WorkloadError("holds no operator that the converter quantises. Export the whole network.")
    network = FloatNetwork(
        name=legible(path).stem,
        ifmap_shape=shape,
        nodes=tuple(builder.nodes),
        source=_describe(file, tail),
        content_hash=file.content_hash,
    )
    network = merge_into_layers(network, frozenset(builder.affine))
    ofmap_shapes(network)
    return network


class _Builder:
    """Float nodes as they are made, one graph node after the other."""

    def __init__(self, graph: ResolvedGraph, constants: Constants, tail: list[Node], ifmap: str) -> None:
        self.nodes: list[AnyFloatNode] = []
        self.problems: list[str] = []
        self.affine: set[str] = set()
        self._graph = graph
        self._constants = constants
        self._tail = tail
        self._makers = {ifmap: ""}

    def take(self, node: Node, layer: str) -> None:
        """Make the float nodes of a graph node, or note why there are none."""
        if all(key in self._constants for key in node.outputs if key):
            return
        told = self._facts(node, layer)
        made: tuple[AnyFloatNode, ...] = ()
        if all(value is None or value.shape is not None for value in told.facts.inputs):
            made = self._build(told)
        self.nodes.extend(made)
        if node.op in _AFFINE_OPS and made and isinstance(made[0], FloatBatchNorm):
            self.affine.add(layer)
        maker = made[-1].name if made else next(iter(told.sources), "")
        self._makers.update((key, maker) for key in node.outputs if key)

    def _build(self, told: FloatFacts) -> tuple[AnyFloatNode, ...]:
        try:
            return build_nodes(told)
        except WorkloadError as problem:
            self.problems.append(str(problem))
            return ()

    def _facts(self, node: Node, layer: str) -> FloatFacts:
        graph = self._graph
        facts = LayerFacts(
            name=layer,
            node=node,
            inputs=tuple(graph.values[key] if key else None for key in node.inputs),
            outputs=tuple(graph.values[key] for key in node.outputs),
            written=tuple(not position or key in graph.read_names for position, key in enumerate(node.outputs)),
            input_sources=tuple(self._makers.get(key, "") for key in node.inputs),
        )
        return FloatFacts(
            facts=facts,
            makers=tuple(self._makers.get(key) for key in node.inputs),
            constants=self._constants,
            is_final=any(node is last for last in self._tail),
        )


def _only_input(file: ModelFile, graph: ResolvedGraph) -> tuple[str, tuple[int, ...]]:
    inputs = real_inputs(file.model.graph)
    if len(inputs) != 1:
        names = [item.name for item in inputs]
        raise WorkloadError(f"has the inputs {names}; the converter takes networks of one. Export the model with one.")
    value = graph.values[inputs[0].name]
    if value.shape is None:
        raise WorkloadError(f"{value.unknown_because}. The converter needs every size but the batch.")
    if len(value.shape) not in (2, 4):
        raise WorkloadError(
            f"input {inputs[0].name!r} is {list(value.shape)}; the converter takes images (N, C, H, W) or "
            "vectors (N, C). Export the model with such an input."
        )
    return inputs[0].name, value.shape[1:]


def _only_output(file: ModelFile) -> str:
    names = [as_text(item.name) for item in file.model.graph.output]
    if len(names) != 1:
        raise WorkloadError(f"has the outputs {names}; the converter takes networks of one. Export only the logits.")
    return names[0]


def _needed(graph: ResolvedGraph, result: str) -> set[str]:
    """Tensors that the logits depend on."""
    needed = {result}
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            needed.update(node.reads)
    return needed


def _tail(graph: ResolvedGraph, result: str) -> Iterator[Node]:
    """Nodes behind the logits that move no maximum, last first."""
    makers = {name: node for node in graph.nodes for name in node.outputs}
    node = makers.get(result)
    while node is not None and node.is_standard and node.op in _TAIL_OPS:
        yield node
        node = makers.get(node.inputs[0])


def _describe(file: ModelFile, tail: list[Node]) -> str:
    model = file.model
    producer = " ".join(filter(None, map(as_text, (model.producer_name, model.producer_version))))
    graph = as_text(model.graph.name) or "without a name"
    left_out = "".join(f"; final {node.op} left out" for node in tail if "Softmax" in node.op)
    return f"ONNX model {graph} ({producer or 'producer not stated'}, opset {file.opset}){left_out}"
