"""One operator of the graph, with typed access to its attributes.

Made by `graph_order.py`; read by every other file of this package.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import onnx

from archsim.errors import WorkloadError

STANDARD_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True, kw_only=True)
class Node:
    """A NodeProto, its opset, and the outer tensors that its subgraphs read.

    Parameters
    ----------
    proto
        As in the file.
    opset
        Version of the standard operators.
    captured
        Names that its subgraphs take from outside.
    """

    proto: onnx.NodeProto
    opset: int
    captured: tuple[str, ...] = ()

    @cached_property
    def op(self) -> str:
        """ONNX operator type, e.g. ``MaxPool``."""
        return as_text(self.proto.op_type)

    @cached_property
    def name(self) -> str:
        """Name in the file; may be empty."""
        return as_text(self.proto.name)

    @cached_property
    def domain(self) -> str:
        """Who defines the operator; empty for the ONNX standard."""
        return as_text(self.proto.domain)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input tensors; an empty name is an omitted input."""
        return tuple(map(as_text, self.proto.input))

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output tensors."""
        return tuple(map(as_text, self.proto.output))

    @property
    def reads(self) -> tuple[str, ...]:
        """Every tensor the node depends on."""
        return tuple(name for name in (*self.inputs, *self.captured) if name)

    @property
    def is_standard(self) -> bool:
        """Whether the ONNX standard defines the operator."""
        return self.domain in STANDARD_DOMAINS

    @property
    def label(self) -> str:
        """How an error message calls the node."""
        name = self.name or next((output for output in self.outputs if output), "")
        return f"node {name!r} ({self.op})"

    @property
    def snake_op(self) -> str:
        """The operator in the words of archsim, e.g. ``max_pool``."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.op).lower()

    @cached_property
    def attributes(self) -> dict[str, onnx.AttributeProto]:
        """Attributes by name."""
        return {attribute.name: attribute for attribute in self.proto.attribute}

    def integer(self, key: str, default: int) -> int:
        """Value of an integer attribute."""
        found = self._attribute(key, onnx.AttributeProto.INT)
        return default if found is None else found.i

    def integers(self, key: str) -> tuple[int, ...] | None:
        """Values of an attribute that lists integers; None where it is absent."""
        found = self._attribute(key, onnx.AttributeProto.INTS)
        return None if found is None else tuple(found.ints)

    def text(self, key: str, default: str) -> str:
        """Value of a text attribute."""
        found = self._attribute(key, onnx.AttributeProto.STRING)
        return default if found is None else found.s.decode(errors="replace")

    def error(self, what: str) -> WorkloadError:
        """Return the error that names this node; ``what`` ends in a full stop."""
        return WorkloadError(f"{self.label}: {what}")

    def _attribute(self, key: str, kind: int) -> onnx.AttributeProto | None:
        found = self.attributes.get(key)
        # IR 1 files leave the type out
        if found is not None and found.type not in (kind, onnx.AttributeProto.UNDEFINED):
            wanted = onnx.AttributeProto.AttributeType.Name(kind)
            raise self.error(f"attribute {key!r} must be of type {wanted}. Export the model again.")
        return found


def as_text(found: str | bytes) -> str:
    """Return a text field of a message; protobuf gives bytes where it is not UTF-8.

    Raises
    ------
    WorkloadError
        It is not UTF-8.
    """
    if isinstance(found, bytes):
        raise WorkloadError(f"a name in it, {found!r}, is not UTF-8 text. Export the model again.")
    return found


def captured_names(proto: onnx.NodeProto) -> tuple[str, ...]:
    """Names that the subgraphs of a node read but do not define."""
    graphs = [graph for attribute in proto.attribute for graph in _graphs(attribute)]
    used: dict[str, None] = {}
    defined: set[str] = set()
    while graphs:
        graph = graphs.pop()
        defined.update(item.name for item in (*graph.input, *graph.initializer))
        used.update((item.name, None) for item in graph.output)
        for node in graph.node:
            used.update((name, None) for name in node.input if name)
            defined.update(node.output)
            graphs.extend(inner for attribute in node.attribute for inner in _graphs(attribute))
    return tuple(as_text(name) for name in used if name not in defined)


def _graphs(attribute: onnx.AttributeProto) -> Sequence[onnx.GraphProto]:
    return (attribute.g, *attribute.graphs) if attribute.HasField("g") else tuple(attribute.graphs)
