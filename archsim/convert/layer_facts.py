"""What a layer builder is told of one node.

Made by `onnx_reader.py`; read by `conv_layers.py`, `matmul_layers.py` and `vector_layers.py`.
"""

from dataclasses import dataclass

from archsim.convert.node import Node
from archsim.convert.value import Shape, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """A node with its tensors and the layers it reads.

    Parameters
    ----------
    name
        The layer's name.
    node
        The operator.
    inputs
        Values in the node's order; None = omitted.
    outputs
        Values in the node's order.
    written
        Which outputs somebody reads; the first counts always.
    input_sources
        For each input the layer that makes it, views looked through; empty = from outside, or stored.
    captured_sources
        Layers that the node's subgraphs read.
    """

    name: str
    node: Node
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value, ...]
    written: tuple[bool, ...]
    input_sources: tuple[str, ...]
    captured_sources: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Layers whose ofmaps the node reads, each once."""
        return tuple(dict.fromkeys(filter(None, (*self.input_sources, *self.captured_sources))))

    @property
    def ofmap_words(self) -> int:
        """Values of all outputs that somebody reads. [words]"""
        return sum(output.words for output, is_written in zip(self.outputs, self.written, strict=True) if is_written)

    def required(self, position: int) -> Value:
        """Value of an input that the operator cannot do without."""
        value = self.inputs[position] if position < len(self.inputs) else None
        if value is None:
            raise self.node.error(f"input {position} is missing. Export the model again.")
        return value

    def shape(self, position: int) -> Shape:
        """Shape of a required input.

        Raises
        ------
        WorkloadError
            It is not known.
        """
        value = self.required(position)
        if value.shape is None:
            raise self.node.error(
                f"needs the shape of {self.node.inputs[position]!r}, which is not known: {value.unknown_because}. "
                "Export the model with fixed sizes and standard operators."
            )
        return value.shape
