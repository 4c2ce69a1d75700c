"""What a builder of float nodes is told of one ONNX node.

Made by `float_reader.py`; read by `float_nodes.py`, `float_products.py` and `float_pools.py`.
"""

from dataclasses import dataclass

from archsim.convert.float_constants import Constants
from archsim.convert.float_network import AnyFloatNode, FloatArray
from archsim.convert.layer_facts import LayerFacts
from archsim.convert.node import Node
from archsim.convert.value import Shape
from archsim.errors import WorkloadError

Nodes = tuple[AnyFloatNode, ...]

SUPPORTED = (
    "It takes Conv (2-D), Gemm and MatMul with stored weights, BatchNormalization, Relu, MaxPool, AveragePool, "
    "GlobalAveragePool, Add and Flatten. Replace the operator, or cut the model in front of it, and export it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatFacts:
    """What a builder is told of one node.

    Parameters
    ----------
    facts
        The node, its name, and what is known of its tensors with a batch of 1.
    makers
        For each input the float node that makes it, ``""`` = the network's input, None = a constant or omitted.
    constants
        Numbers of what depends on no image.
    is_final
        Whether nothing but its result leaves the network.
    """

    facts: LayerFacts
    makers: tuple[str | None, ...]
    constants: Constants
    is_final: bool

    @property
    def node(self) -> Node:
        """The operator."""
        return self.facts.node

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.facts.name

    @property
    def sources(self) -> tuple[str, ...]:
        """The float nodes it reads, in its order."""
        return tuple(maker for maker in self.makers if maker is not None)

    @property
    def ifmap(self) -> Shape:
        """Shape of the first input, batch axis included."""
        return self.facts.shape(0)

    @property
    def ofmap(self) -> Shape:
        """Shape of the output, batch axis included."""
        shape = self.facts.outputs[0].shape
        if shape is None:
            raise self.refuse("the shape of its output is not known")
        return shape

    def numbers(self, position: int) -> FloatArray | None:
        """Constant at an input; None where it is omitted."""
        if position >= len(self.node.inputs) or not self.node.inputs[position]:
            return None
        if self.makers[position] is not None:
            raise self.refuse(f"its input {position} is computed from the image, not stored")
        return self.constants.numbers(self.node, self.node.inputs[position])

    def stored(self, position: int) -> FloatArray:
        """Constant at an input that the operator cannot do without."""
        numbers = self.numbers(position)
        if numbers is None:
            raise self.node.error(f"input {position} is missing. Export the model again.")
        return numbers

    def refuse(self, because: str = "") -> WorkloadError:
        """Return the error that names the node, says why, and what the converter takes."""
        here = f" here: {because}" if because else ""
        return self.node.error(f"the converter cannot quantise this operator{here}. {SUPPORTED}")


def real(node: Node, key: str, default: float) -> float:
    """Value of a float attribute."""
    found = node.attributes.get(key)
    return default if found is None else float(found.f)


def pair(sizes: Shape) -> tuple[int, int]:
    """Two sizes as a pair, for the type checker."""
    return (sizes[0], sizes[1])
