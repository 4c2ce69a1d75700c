"""A converted network: integer codes of every weight, and what is done with every code on the way.

`convert/quantise.py` makes one, `coded_store.py` writes and reads it, `engine/bit_true.py` runs it bit for bit.
No float is needed to say what comes out, but for formats that are floats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.accumulator import Accumulator
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.number_format import NumberFormat
from archsim.numerics.window import Window
from archsim.terms import PoolKind
from archsim.workload.layer_formats import pointer_bits

IntArray = NDArray[np.int64]
PadPair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedOutput:
    """How a layer's results are written.

    Parameters
    ----------
    format
        Of the ofmap; None = the sums leave as they are (the logits of a network): integers of exponent
        ``exponent`` for integer and linear sums, floats else.
    exponent
        Power of two of the whole tensor.
    relu
        Negative results become zero, after the results are written in the format.
    """

    format: NumberFormat | None
    exponent: int
    relu: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterCode:
    """Which layers share a codebook of kernels, and where each kernel points.

    Parameters
    ----------
    codebook
        Name of the codebook: the layer's own, or one of the network.
    pointers
        Entry of the codebook of each kernel, shape (K, C/groups); entry 0 may be reserved for pruned kernels.
    entries
        Of the codebook.
    """

    codebook: str
    pointers: IntArray
    entries: int

    @property
    def pointer_bits(self) -> int:
        """Bits of one pointer. [b]"""
        return pointer_bits(self.entries)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedProduct:
    """A convolution or dense layer.

    Parameters
    ----------
    name, sources
        As everywhere; source "" = the network's input.
    window
        None = dense.
    weight
        Codes (K, C/groups, R, S) or (K, C).
    bias
        Integers at ``2**bias_exponents[k]`` (the product's scale, or finer by the accumulator's guard bits); None =
        no bias. For float and logarithmic sums see `bias_values`.
    bias_exponents
        (K,) exponents of the bias codes and of the accumulator; None without integer bias: product scale.
    bias_values
        Float bias of float sums, (K,).
    accumulator
        How products add up.
    accumulator_exponent
        For linear and logarithmic sums: exponent of the accumulator's least bit (`LinearSum`), so that a sum ``a``
        stands for ``a * 2**accumulator_exponent``.
    output
        How results are written.
    clusters
        Where kernels come from a codebook.
    """

    name: str
    sources: tuple[str, ...]
    window: Window | None
    weight: CodedTensor
    bias: IntArray | None
    bias_exponents: IntArray | None
    bias_values: NDArray[np.float64] | None
    accumulator: Accumulator
    accumulator_exponent: int
    output: CodedOutput
    clusters: ClusterCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedPool:
    """A pooling window over codes; an average is an integer sum, then `output`."""

    name: str
    sources: tuple[str, ...]
    kind: PoolKind
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[PadPair, PadPair]
    output: CodedOutput
    counts_padding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedAdd:
    """The sum of two tensors, aligned to the finer exponent, then written as `output` says."""

    name: str
    sources: tuple[str, ...]
    output: CodedOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedRelu:
    """A relu that stands alone: negative codes become zero."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedFlatten:
    """(C, H, W) to one axis: only renames the words."""

    name: str
    sources: tuple[str, ...]


CodedLayer = CodedProduct | CodedPool | CodedAdd | CodedRelu | CodedFlatten


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedNetwork:
    """Layers in running order, and how the input is written.

    Parameters
    ----------
    name
        As the workload's.
    ifmap_shape
        Of one input, without the batch.
    ifmap
        Format and exponent of the input's codes (relu unused).
    layers
        The last one makes the logits.
    """

    name: str
    ifmap_shape: tuple[int, ...]
    ifmap: CodedOutput
    layers: tuple[CodedLayer, ...]

    @property
    def products(self) -> tuple[CodedProduct, ...]:
        """The layers that the PE array runs."""
        return tuple(layer for layer in self.layers if isinstance(layer, CodedProduct))

    @property
    def outputs(self) -> dict[str, CodedOutput]:
        """How every tensor is written: layer -> its ofmap, "" -> the network's input."""
        found = {"": self.ifmap}
        for layer in self.layers:
            if isinstance(layer, CodedFlatten | CodedRelu):
                found[layer.name] = found[layer.sources[0]]
            else:
                found[layer.name] = layer.output
        return found
