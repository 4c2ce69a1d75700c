"""One product layer of a converted workload: its keys and arrays -> CodedProduct. Called by `coded_read.py`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.accumulator import LinearSum, LogSum
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat
from archsim.numerics.window import Window
from archsim.workload.coded_arrays import (
    PRUNES_OTHERS,
    ArrayFile,
    Shape,
    check_codes,
    check_pointers,
    codebook_array,
    prunes_others,
)
from archsim.workload.coded_network import ClusterCode, CodedOutput, CodedProduct, IntArray
from archsim.workload.converted_forms import FormatsForm, ProductArithmeticForm
from archsim.workload.layer_forms import ConvForm, MatmulForm, spread, spread_padding
from archsim.workload.npz_file import WrongArrayError
from archsim.workload.psum_format import product_exponents, psum_format

ProductForm = ConvForm | MatmulForm


class ProductReader:
    """Takes the arrays of one layer; a fault does not stop the others from being looked at.

    Parameters
    ----------
    arrays
        The open file.
    fault
        Takes a sentence about the layer.
    """

    __slots__ = ("_arrays", "_fault")

    def __init__(self, arrays: ArrayFile, fault: Callable[[str], None]) -> None:
        self._arrays = arrays
        self._fault = fault

    def read(self, form: ProductForm, source: str, ifmap: CodedOutput) -> CodedProduct | None:
        """Return the layer, or None where its weights cannot be read."""
        formats, how = form.formats, form.arithmetic
        assert formats is not None, "checked before"
        assert how is not None, "checked before"
        shape = weight_shape(form)
        clusters, codes = self._weights(form, shape)
        weight = self._tensor(form.name, codes, parse_format(formats.weight), shape[0])
        bias, bias_exponents, bias_values = (
            self._optional(f"{form.name}.{kind}", (shape[0],), kinds)
            for kind, kinds in (("bias", "iu"), ("bias_exponents", "iu"), ("bias_values", "f"))
        )
        if weight is None:
            return None
        layer = CodedProduct(
            name=form.name, sources=(source,), window=_window(form), weight=weight, bias=bias,
            bias_exponents=bias_exponents, bias_values=bias_values, accumulator=how.sums,
            accumulator_exponent=how.accumulator_exponent, output=_output(formats, how), clusters=clusters,
        )  # fmt: skip
        layer = replace(layer, accumulator_exponent=_register_exponent(layer, ifmap))
        return self._checked(layer, formats, how, ifmap)

    def mask(self, form: ProductForm, layer: CodedProduct | None) -> NDArray[np.bool_] | None:
        """Return which weights are kept, if the file says so."""
        mask: NDArray[np.bool_] | None = self._optional(f"{form.name}.mask", weight_shape(form), "b")
        if mask is not None and layer is not None and prunes_others(mask, layer.weight):
            self._fault(f"{form.name}.mask: {PRUNES_OTHERS}")
        return mask

    def _weights(self, form: ProductForm, shape: Shape) -> tuple[ClusterCode | None, IntArray | None]:
        """Return codes as stored, or as their pointers fetch them; both must agree where both are there."""
        if form.clusters is None:
            return None, self._required(f"{form.name}.weight", shape)
        book, entries = form.clusters.codebook, form.clusters.entries
        pointers = self._required(
            f"{form.name}.pointers", shape[:2], check=lambda found: check_pointers(found, entries)
        )
        table = self._required(codebook_array(book), (entries, *shape[2:]))
        stored = self._optional(f"{form.name}.weight", shape, "iu")
        if pointers is None or table is None:
            return None, None
        codes: IntArray = table[pointers]
        if stored is not None and (stored != codes).any():
            self._fault(f"{form.name}.weight is not what the pointers fetch from codebook {book!r}")
        return ClusterCode(codebook=book, pointers=pointers, entries=entries), codes

    def _tensor(self, name: str, codes: IntArray | None, fmt: NumberFormat, channels: int) -> CodedTensor | None:
        exponents = self._required(f"{name}.weight_exponents", (), (channels,))
        scales = self._optional(f"{name}.weight_scales", (channels,), "f")
        if codes is None or exponents is None:
            return None
        try:
            check_codes(codes, fmt)
        except WrongArrayError as problem:
            self._fault(f"{name}.weight: {problem}")
            return None
        return CodedTensor(codes=codes, format=fmt, exponents=exponents, scales=scales)

    def _checked(
        self, layer: CodedProduct, formats: FormatsForm, how: ProductArithmeticForm, ifmap: CodedOutput
    ) -> CodedProduct:
        """Find what the keys say of the sums that the codes do not bear out."""
        assert ifmap.format is not None, "sums are not read"
        if how.accumulator_exponent and not isinstance(how.sums, LinearSum):
            self._fault(f"arithmetic.accumulator_exponent is of linear<A> sums, these are {how.accumulator}")
        if how.raw_sums and formats.ofmap != formats.psum:
            self._fault(
                f"formats.ofmap (={formats.ofmap!r}) must be formats.psum (={formats.psum!r}) where raw_sums is true"
            )
        try:
            needed = psum_format(layer, ifmap.format, ifmap.exponent)
        except ValueError as problem:
            self._fault(str(problem))
            return layer
        if parse_format(formats.psum).width_bits < needed.width_bits:
            self._fault(f"formats.psum (={formats.psum!r}) cannot hold its sums, which take {needed.name}")
        return layer

    def _required(self, name: str, *shapes: Shape, check: Callable[[IntArray], None] | None = None) -> IntArray | None:
        try:
            found: IntArray = self._arrays.take(name, *shapes)
            if check is not None:
                check(found)
        except WrongArrayError as problem:
            self._fault(f"{name}: {problem}")
            return None
        return found

    def _optional(self, name: str, shape: Shape, kinds: str) -> Any:
        try:
            return self._arrays.take_if_there(name, shape, kinds=kinds)
        except WrongArrayError as problem:
            self._fault(f"{name}: {problem}")
            return None


def weight_shape(form: ProductForm) -> Shape:
    """Return (K, C/groups, R, S) or (K, C)."""
    if isinstance(form, MatmulForm):
        return (form.columns, form.inner)
    return (form.out_channels, form.in_channels // form.groups, *spread(form.kernel, len(form.ifmap)))


def _window(form: ProductForm) -> Window | None:
    if isinstance(form, MatmulForm):
        return None
    (first, second), (rows, columns) = spread_padding(form.padding, 2), spread(form.stride, 2)
    dilation = spread(form.dilation, 2)
    return Window(
        stride=(rows, columns), padding=(first, second), dilation=(dilation[0], dilation[1]), groups=form.groups
    )


def _register_exponent(layer: CodedProduct, ifmap: CodedOutput) -> int:
    """Return the exponent of the register's finest last bit: only that of linear sums is free."""
    if isinstance(layer.accumulator, LinearSum):
        return layer.accumulator_exponent
    if isinstance(layer.accumulator, LogSum):
        return int(np.min(layer.weight.exponents)) + ifmap.exponent
    if not isinstance(ifmap.format, FixedPoint) or not layer.weight.has_integer_scale:
        return 0
    given = layer.bias_exponents
    return int((product_exponents(layer.weight, ifmap.format, ifmap.exponent) if given is None else given).min())


def _output(formats: FormatsForm, how: ProductArithmeticForm) -> CodedOutput:
    fmt = None if how.raw_sums else parse_format(formats.ofmap)
    return CodedOutput(format=fmt, exponent=how.ofmap_exponent, relu=how.relu)
