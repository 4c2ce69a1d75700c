"""One operator with every shape resolved.

Made by `workload/store.py`, `workload/topology_csv.py` and `convert/`; read by `mapping/`, which
asks an array layer only for its `gemm` and how its ifmap words overlap.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import prod

from archsim.errors import WorkloadError
from archsim.numerics.operand_formats import OperandFormats
from archsim.workload.gemm import Gemm
from archsim.workload.layer_formats import WeightClusters
from archsim.workload.shape_rules import check_kept_of, check_positive, window_count
from archsim.workload.zero_pattern import ZeroFractions, ZeroPatterns


class Rounding(StrEnum):
    """What becomes of a last window that only partly fits."""

    FLOOR = "floor"
    CEIL = "ceil"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvLayer:
    """A convolution over 1 to 3 spatial axes, bias ignored.

    Parameters
    ----------
    name
        Unique in its network.
    in_channels, out_channels
        Channels over all groups.
    ifmap
        Size of each spatial axis, before padding.
    kernel, stride, dilation
        One value per spatial axis.
    padding
        (before, after) per spatial axis.
    batch, groups
        Images; independent channel groups.
    ofmap_rounding
        CEIL keeps a last partial window, as SCALE-Sim does.
    op
        What the network calls it: ``conv``, ``conv_transpose``...
    sources
        Names of the layers whose ofmaps this reads; empty = from outside the network.
    zero_fractions, zero_patterns
        Of the values of each operand, and how zeros fall where they are drawn.
    kept_of
        (N, M) structured weight sparsity of the workload: N of every M weights kept; None = dense.
    formats, clusters
        Of a converted workload: see `layer_formats.py`; None = the arch's formats, weights one by one.

    Raises
    ------
    WorkloadError
        A size is not positive, or the kernel does not fit the padded ifmap.
    """

    name: str
    in_channels: int
    out_channels: int
    ifmap: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    batch: int = 1
    groups: int = 1
    ofmap_rounding: Rounding = Rounding.FLOOR
    op: str = "conv"
    sources: tuple[str, ...] = ()
    zero_fractions: ZeroFractions = field(default_factory=ZeroFractions)
    zero_patterns: ZeroPatterns = field(default_factory=ZeroPatterns)
    kept_of: tuple[int, int] | None = None
    formats: OperandFormats | None = None
    clusters: WeightClusters | None = None

    def __post_init__(self) -> None:
        axes = len(self.ifmap)
        if not 1 <= axes <= 3:
            raise WorkloadError(f"layer {self.name!r}: {axes} spatial axes; 1 to 3 are supported")
        for label in ("kernel", "stride", "padding", "dilation"):
            if len(getattr(self, label)) != axes:
                raise WorkloadError(
                    f"layer {self.name!r}: {label} has {len(getattr(self, label))} axes, ifmap has {axes}"
                )
        check_positive(self.name, in_channels=self.in_channels, out_channels=self.out_channels, batch=self.batch,
                       groups=self.groups, ifmap=self.ifmap, kernel=self.kernel, stride=self.stride,
                       dilation=self.dilation)  # fmt: skip
        if any(pad < 0 for pads in self.padding for pad in pads):
            raise WorkloadError(f"layer {self.name!r}: padding (={self.padding!r}) must not be negative")
        for label in ("in_channels", "out_channels"):
            if getattr(self, label) % self.groups:
                raise WorkloadError(
                    f"layer {self.name!r}: {label} (={getattr(self, label)}) is no multiple of groups (={self.groups})"
                )
        if min(self.ofmap) < 1:
            raise WorkloadError(
                f"layer {self.name!r}: kernel {self.kernel} does not fit ifmap {self.ifmap} with padding {self.padding}"
            )
        check_kept_of(self.name, self.kept_of)

    @property
    def ofmap(self) -> tuple[int, ...]:
        """Size of each spatial axis of the ofmap."""
        return tuple(
            window_count(size + sum(pads), kernel, stride, dilation, keep_partial=self.ofmap_rounding is Rounding.CEIL)
            for size, pads, kernel, stride, dilation in zip(
                self.ifmap, self.padding, self.kernel, self.stride, self.dilation, strict=True
            )
        )

    @property
    def gemm(self) -> Gemm:
        """The layer as ``groups`` equal matrix products."""
        return Gemm(
            groups=self.groups,
            pixels=self.batch * prod(self.ofmap),
            window=prod(self.kernel) * self.in_channels // self.groups,
            filters=self.out_channels // self.groups,
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates, padding included, zeros included."""
        return self.gemm.macs

    @property
    def ifmap_words(self) -> int:
        """Values of the whole ifmap, padding not stored. [words]"""
        return self.batch * self.in_channels * prod(self.ifmap)

    @property
    def weight_words(self) -> int:
        """Values of all filters. [words]"""
        return self.out_channels * prod(self.kernel) * self.in_channels // self.groups

    @property
    def ofmap_words(self) -> int:
        """Values of the whole ofmap. [words]"""
        return self.batch * self.out_channels * prod(self.ofmap)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatmulLayer:
    """``batches`` independent products of (rows x inner) by (inner x columns).

    The first matrix is the ifmap, the second the weights. A second matrix that all batches share is
    written as one product with more rows, so ``batches`` > 1 means that weights differ.

    Parameters
    ----------
    name
        Unique in its network.
    rows, inner, columns
        M, K and N of the product.
    batches
        Products with weights of their own.
    op
        ``fc``, ``gemm`` or ``matmul``.
    weight_source
        Name of the layer that makes the second matrix (attention); empty = stored weights.
    sources, zero_fractions, zero_patterns, kept_of, formats, clusters
        As in `ConvLayer`.
    """

    name: str
    rows: int
    inner: int
    columns: int
    batches: int = 1
    op: str = "matmul"
    sources: tuple[str, ...] = ()
    weight_source: str = ""
    zero_fractions: ZeroFractions = field(default_factory=ZeroFractions)
    zero_patterns: ZeroPatterns = field(default_factory=ZeroPatterns)
    kept_of: tuple[int, int] | None = None
    formats: OperandFormats | None = None
    clusters: WeightClusters | None = None

    def __post_init__(self) -> None:
        check_positive(self.name, rows=self.rows, inner=self.inner, columns=self.columns, batches=self.batches)
        check_kept_of(self.name, self.kept_of)

    @property
    def gemm(self) -> Gemm:
        """The layer as ``batches`` equal matrix products."""
        return Gemm(groups=self.batches, pixels=self.rows, window=self.inner, filters=self.columns)

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.gemm.macs

    @property
    def ifmap_words(self) -> int:
        """Values of the first matrix. [words]"""
        return self.batches * self.rows * self.inner

    @property
    def weight_words(self) -> int:
        """Values of the second matrix. [words]"""
        return self.batches * self.inner * self.columns

    @property
    def ofmap_words(self) -> int:
        """Values of the product. [words]"""
        return self.batches * self.rows * self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorLayer:
    """An operator that the vector unit runs: pool, add, activation, normalisation, data movement.

    Parameters
    ----------
    name
        Unique in its network.
    op
        The operator in lower case: ``max_pool``, ``add``, ``relu``, ``softmax``, ``reshape``...
    lane_ops
        Operations over all lanes; 0 = only moves its words (or nothing, when it has no words).
    ifmap_words, weight_words, ofmap_words
        Values read, parameters read, values written; all 0 for a pure view such as reshape. [words]
    sources, formats
        As in `ConvLayer`.
    """

    name: str
    op: str
    lane_ops: int
    ifmap_words: int
    ofmap_words: int
    weight_words: int = 0
    sources: tuple[str, ...] = ()
    formats: OperandFormats | None = None

    def __post_init__(self) -> None:
        for label in ("lane_ops", "ifmap_words", "ofmap_words", "weight_words"):
            if getattr(self, label) < 0:
                raise WorkloadError(f"layer {self.name!r}: {label} (={getattr(self, label)!r}) must not be negative")

    @property
    def macs(self) -> int:
        """Always 0: vector operations are not MACs."""
        return 0

    @property
    def is_view(self) -> bool:
        """Whether it only renames the words, as reshape does."""
        return self.lane_ops == self.ifmap_words == self.ofmap_words == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UncostedLayer:
    """An operator that archsim does not cost; it keeps its row and is named in every report.

    Parameters
    ----------
    name, op
        As in `VectorLayer`.
    reason
        Why it is not costed, for the reader.
    ofmap_words
        Values it writes where the shape is known, else 0. [words]
    sources
        As in `ConvLayer`.
    """

    name: str
    op: str
    reason: str
    ofmap_words: int = 0
    sources: tuple[str, ...] = ()

    @property
    def macs(self) -> int:
        """Always 0, as nothing is known."""
        return 0


ArrayLayer = ConvLayer | MatmulLayer
Layer = ConvLayer | MatmulLayer | VectorLayer | UncostedLayer
