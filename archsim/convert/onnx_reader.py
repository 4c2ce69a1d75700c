"""Read an ONNX model into a Workload: the main path of this package.

Called by the command line and by `archsim.load_workload`. A file goes through `model_file` (bytes),
`graph_order` (running order), `propagation` (shapes) and the layer builders, in that order.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from archsim.config_file import legible
from archsim.convert.array_ops import ARRAY_OPS
from archsim.convert.assumptions import state_assumptions
from archsim.convert.graph_inputs import BatchDim, find_batch, real_inputs
from archsim.convert.layer_facts import LayerFacts
from archsim.convert.layer_names import name_layers
from archsim.convert.model_file import ModelFile, read_model
from archsim.convert.node import Node, as_text
from archsim.convert.resolved_graph import ResolvedGraph, resolve_graph
from archsim.convert.vector_layers import make_vector_layer
from archsim.convert.vector_ops import VIEWS
from archsim.errors import WorkloadError
from archsim.workload.layer import Layer
from archsim.workload.network import Workload


def read_onnx(path: Path, batch: int | None = None) -> Workload:
    """Read an ONNX model as archsim runs it.

    Convolutions and matrix products become array layers, other known operators vector layers, views
    layers without words; nodes that depend on no graph input are computed ahead and make no layer.

    Parameters
    ----------
    path
        An ``.onnx`` file of opset 7 to the newest that the installed onnx knows; external weights
        need not be there.
    batch
        Images per run, in place of the file's; None = the file's, or 1 where it leaves the batch open.

    Returns
    -------
    Workload
        Named as the file, with every assumption that a report must show.

    Raises
    ------
    WorkloadError
        No readable ONNX model, or one whose shapes contradict each other or are not known where an
        array layer needs them: ``path: node 'name' (Op): what is wrong. What to do.``

    Notes
    -----
    Not modelled: biases, requantisation inside quantised operators, the branches and bodies of control
    flow, and the values of weights.
    """
    path = Path(path)
    try:
        return _read_workload(path, batch)
    except WorkloadError as problem:
        raise WorkloadError(f"{path}: {problem}") from problem
    except UnicodeDecodeError as problem:  # what protobuf before 5 makes of such a name
        raise WorkloadError(f"{path}: a name in it is not UTF-8 text. Export the model again.") from problem


def _read_workload(path: Path, batch: int | None) -> Workload:
    file = read_model(path)
    found = find_batch(real_inputs(file.model.graph))
    images = _check_batch(batch, found)
    graph = resolve_graph(file, found, images)
    layers = tuple(_layers(graph))
    if not layers:
        raise WorkloadError("no node depends on a graph input, so there is nothing to run. Export the model again.")
    return Workload(
        name=legible(path).stem,
        layers=layers,
        source=_describe(file),
        assumptions=(*file.assumptions, *state_assumptions(layers, graph.nodes, found, images)),
        images=images,
        content_hash=file.content_hash,
    )


def _check_batch(batch: int | None, found: BatchDim) -> int:
    if batch is None:
        return found.images
    if batch < 1:
        raise WorkloadError(f"batch (={batch!r}) must be 1 or more.")
    return batch


def _layers(graph: ResolvedGraph) -> Iterator[Layer]:
    live = graph.live
    makers: dict[str, str] = {}
    for node, name in zip(live, name_layers(live), strict=True):
        layers = _make_layers(_facts(node, name, graph, makers))
        yield from layers
        is_view = node.is_standard and node.op in VIEWS
        maker = makers.get(node.inputs[0], "") if is_view else layers[-1].name
        makers.update((output, maker) for output in node.outputs if output)


def _facts(node: Node, name: str, graph: ResolvedGraph, makers: Mapping[str, str]) -> LayerFacts:
    return LayerFacts(
        name=name,
        node=node,
        inputs=tuple(graph.values[key] if key else None for key in node.inputs),
        outputs=tuple(graph.values[key] for key in node.outputs),
        written=tuple(not position or key in graph.read_names for position, key in enumerate(node.outputs)),
        input_sources=tuple(makers.get(key, "") for key in node.inputs),
        captured_sources=tuple(makers.get(key, "") for key in node.captured),
    )


def _make_layers(facts: LayerFacts) -> tuple[Layer, ...]:
    make = ARRAY_OPS.get(facts.node.op) if facts.node.is_standard else None
    if make is None:
        return (make_vector_layer(facts),)
    try:
        return make(facts)
    except WorkloadError as problem:
        if str(problem).startswith(facts.node.label):
            raise
        raise facts.node.error(f"{problem}. Check the model's shapes.") from problem


def _describe(file: ModelFile) -> str:
    model = file.model
    producer = " ".join(filter(None, map(as_text, (model.producer_name, model.producer_version))))
    return f"ONNX model {as_text(model.graph.name) or 'without a name'} ({producer or 'producer not stated'}, opset {file.opset})"
