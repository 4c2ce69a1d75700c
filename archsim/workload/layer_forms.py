"""The keys of one layer of a workload YAML, per operator, and the layer each becomes.

`store.py` picks the form by `op`, checks it with pydantic and calls ``build``. Shapes that
contradict each other are found by `layer.py`; what a layer reads from its inputs, by `store.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from archsim.workload.converted_forms import (
    AddArithmeticForm,
    ClustersForm,
    FormatsForm,
    GoldenForm,
    IfmapForm,
    PoolArithmeticForm,
    ProductArithmeticForm,
    VectorFormatsForm,
)  # fmt: skip
from archsim.workload.layer import ConvLayer, MatmulLayer, Rounding, VectorLayer
from archsim.workload.vector_ops import ELEMENTWISE_OPS, POOL_OPS
from archsim.workload.zero_forms import ZeroFractionsForm, ZeroPatternForm

MAX_SIZE = 2**31 - 1
"""Largest value of one size key."""

PadPair = tuple[int, int]


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_SIZE


def _read_per_axis(value: Any) -> int | tuple[int, ...]:
    if _is_whole(value, 1):
        return int(value)
    if isinstance(value, list) and value and all(_is_whole(part, 1) for part in value):
        return tuple(value)
    raise ValueError(f"must be a whole number from 1 to {MAX_SIZE}, or a list of one per axis")


def _read_padding(value: Any) -> int | tuple[PadPair, ...]:
    if _is_whole(value, 0):
        return int(value)
    if isinstance(value, list) and value:
        pairs = [[part, part] if _is_whole(part, 0) else part for part in value]
        if all(isinstance(pair, list) and len(pair) == 2 and all(_is_whole(p, 0) for p in pair) for pair in pairs):
            return tuple((pair[0], pair[1]) for pair in pairs)
    raise ValueError("must be a whole number from 0, or a list per axis of a number or a pair [before, after]")


def _read_ifmap(value: Any) -> tuple[int, ...]:
    if isinstance(value, list) and 1 <= len(value) <= 3 and all(_is_whole(part, 1) for part in value):
        return tuple(value)
    raise ValueError(f"must be a list of 1 to 3 whole numbers from 1 to {MAX_SIZE}, one per spatial axis")


Name = Annotated[str, Field(min_length=1)]
Size = Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)]
Words = Annotated[int, Field(strict=True, ge=0, le=MAX_SIZE)]
Axes = Annotated[tuple[int, ...], PlainValidator(_read_ifmap)]
PerAxis = Annotated[int | tuple[int, ...], PlainValidator(_read_per_axis)]
Padding = Annotated[int | tuple[PadPair, ...], PlainValidator(_read_padding)]


def spread(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """Return one value per axis: a bare number holds for all."""
    return (value,) * axes if isinstance(value, int) else value


def spread_padding(value: int | tuple[PadPair, ...], axes: int) -> tuple[PadPair, ...]:
    """Return (before, after) per axis: a bare number holds for all sides."""
    return ((value, value),) * axes if isinstance(value, int) else value


class LayerForm(BaseModel):
    """Keys that every layer has. ``inputs`` absent = the layer before; empty = from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Name
    op: str
    inputs: tuple[Name, ...] | None = None


class ConvForm(LayerForm):
    """Keys of a convolution; a bare kernel, stride, padding or dilation holds for every axis."""

    in_channels: Size
    out_channels: Size
    ifmap: Axes
    kernel: PerAxis
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    groups: Size = 1
    batch: Size = 1
    ofmap_rounding: Rounding = Rounding.FLOOR
    zero_fractions: ZeroFractionsForm = ZeroFractionsForm()
    zero_pattern: ZeroPatternForm = ZeroPatternForm()
    formats: FormatsForm | None = None
    clusters: ClustersForm | None = None
    arithmetic: ProductArithmeticForm | None = None

    @property
    def ifmap_shape(self) -> tuple[int, ...]:
        """Sizes whose product is the ifmap's words."""
        return _image_shape(self.batch, self.in_channels, self.ifmap)

    def build(self, sources: tuple[str, ...], source_words: Sequence[int]) -> ConvLayer:
        """Return the layer. Raises WorkloadError where its sizes contradict each other."""
        axes = len(self.ifmap)
        kernel, zeros = spread(self.kernel, axes), self.zero_fractions.build()
        return ConvLayer(
            name=self.name, op=self.op, sources=sources, in_channels=self.in_channels,
            out_channels=self.out_channels, ifmap=self.ifmap, kernel=kernel,
            stride=spread(self.stride, axes), padding=spread_padding(self.padding, axes),
            dilation=spread(self.dilation, axes), groups=self.groups, batch=self.batch,
            ofmap_rounding=self.ofmap_rounding, zero_fractions=zeros, zero_patterns=self.zero_pattern.build(self.name, zeros),
            formats=self.formats.build() if self.formats else None,
            clusters=self.clusters.build(prod(kernel)) if self.clusters else None,
        )  # fmt: skip


class MatmulForm(LayerForm):
    """Keys of a matrix product (batches x rows x inner) by (batches x inner x columns)."""

    rows: Size = 1
    inner: Size
    columns: Size
    batches: Size = 1
    weight_input: Name | None = None
    zero_fractions: ZeroFractionsForm = ZeroFractionsForm()
    zero_pattern: ZeroPatternForm = ZeroPatternForm()
    formats: FormatsForm | None = None
    clusters: ClustersForm | None = None
    arithmetic: ProductArithmeticForm | None = None

    @property
    def ifmap_shape(self) -> tuple[int, ...]:
        """Sizes whose product is the first matrix's words."""
        shape = (self.rows, self.inner)
        return (self.batches, *shape) if self.batches > 1 else shape

    def build(self, sources: tuple[str, ...], source_words: Sequence[int]) -> MatmulLayer:
        """Return the layer. Raises WorkloadError where its zeros cannot fall as it says."""
        zeros = self.zero_fractions.build()
        return MatmulLayer(
            name=self.name, op=self.op, sources=sources, rows=self.rows, inner=self.inner, columns=self.columns,
            batches=self.batches, weight_source=self.weight_input or "",
            zero_fractions=zeros, zero_patterns=self.zero_pattern.build(self.name, zeros),
            formats=self.formats.build() if self.formats else None,
            clusters=self.clusters.build(1) if self.clusters else None,
        )  # fmt: skip


class GlobalPoolForm(LayerForm):
    """Keys of a pool whose window is the whole ifmap."""

    channels: Size
    ifmap: Axes
    batch: Size = 1
    formats: VectorFormatsForm | None = None
    arithmetic: PoolArithmeticForm | None = None

    @property
    def ifmap_shape(self) -> tuple[int, ...]:
        """Sizes whose product is the ifmap's words."""
        return _image_shape(self.batch, self.channels, self.ifmap)

    def build(self, sources: tuple[str, ...], source_words: Sequence[int]) -> VectorLayer:
        """Return the layer, one ofmap value per channel."""
        return _build_pool(self, sources, prod(self.ifmap), self.batch * self.channels)


class PoolForm(GlobalPoolForm):
    """Keys of a pool over a window; ``stride`` has no default, as frameworks differ in it."""

    kernel: PerAxis
    stride: PerAxis
    padding: Padding = 0
    ofmap_rounding: Rounding = Rounding.FLOOR

    def build(self, sources: tuple[str, ...], source_words: Sequence[int]) -> VectorLayer:
        """Return the layer. Raises WorkloadError where its sizes contradict each other."""
        axes = len(self.ifmap)
        windows = ConvLayer(  # a pool's windows are those of a depthwise convolution
            name=self.name, in_channels=self.channels, out_channels=self.channels, groups=self.channels,
            ifmap=self.ifmap, kernel=spread(self.kernel, axes), stride=spread(self.stride, axes),
            padding=spread_padding(self.padding, axes), dilation=(1,) * axes, batch=self.batch,
            ofmap_rounding=self.ofmap_rounding,
        )  # fmt: skip
        return _build_pool(self, sources, windows.gemm.window, windows.ofmap_words)


class ElementwiseForm(LayerForm):
    """Keys of every other vector operator; ``elements`` counts ofmap values."""

    elements: Size
    weight_words: Words = 0
    formats: VectorFormatsForm | None = None
    arithmetic: AddArithmeticForm | None = None

    @property
    def operands(self) -> int:
        """The ifmap values read per ofmap value; 0 for a view."""
        return ELEMENTWISE_OPS[self.op].operands

    @property
    def ifmap_shape(self) -> tuple[int, ...]:
        """Sizes whose product is the words of one operand."""
        return (self.elements,)

    def build(self, sources: tuple[str, ...], source_words: Sequence[int]) -> VectorLayer:
        """Return the layer; an operand that no source makes has as many words as the ofmap."""
        outside = max(0, self.operands - len(source_words)) * self.elements
        return VectorLayer(
            name=self.name, op=self.op, sources=sources, weight_words=self.weight_words,
            lane_ops=ELEMENTWISE_OPS[self.op].lane_ops * self.elements,
            ifmap_words=sum(source_words) + outside if self.operands else 0,
            ofmap_words=self.elements if self.operands else 0,
            formats=self.formats.build() if self.formats else None,
        )  # fmt: skip


AnyForm = ConvForm | MatmulForm | GlobalPoolForm | PoolForm | ElementwiseForm


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedForm:
    """A layer of a file: its keys, the names it reads (none = from outside), and its place among the layers."""

    form: AnyForm
    inputs: tuple[str, ...]
    index: int


FORMS: dict[str, type[AnyForm]] = {
    "conv": ConvForm,
    "fc": MatmulForm,
    "gemm": MatmulForm,
    "matmul": MatmulForm,
    "max_pool": PoolForm,
    "average_pool": PoolForm,
    "global_average_pool": GlobalPoolForm,
    **dict.fromkeys(ELEMENTWISE_OPS, ElementwiseForm),
}
"""YAML op -> its keys."""


class WorkloadForm(BaseModel):
    """Top level of a workload YAML; each entry of ``layers`` is checked by its own form."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_name: Literal["archsim/workload/v1"] = Field(alias="schema")
    name: Name
    source: str = ""
    notes: tuple[str, ...] = ()
    tensors: Name | None = None
    ifmap: IfmapForm | None = None
    golden: GoldenForm | None = None
    calibration: dict[Name, str] | None = None
    layers: tuple[Any, ...] = Field(min_length=1)


def _image_shape(batch: int, channels: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    return (batch, channels, *axes) if batch > 1 else (channels, *axes)


def _build_pool(form: GlobalPoolForm, sources: tuple[str, ...], window: int, ofmap_words: int) -> VectorLayer:
    cost = POOL_OPS[form.op]
    return VectorLayer(
        name=form.name, op=form.op, sources=sources, ifmap_words=prod(form.ifmap_shape), ofmap_words=ofmap_words,
        lane_ops=ofmap_words * (window * cost.lane_ops_per_position + cost.lane_ops_per_value),
        formats=form.formats.build() if form.formats else None,
    )  # fmt: skip
