"""Layers of a converted workload that need no array, from their keys; and what none of its layers may have.

Called by `coded_read.py`.
"""

from archsim.terms import PoolKind
from archsim.workload.coded_network import CodedAdd, CodedFlatten, CodedOutput, CodedPool, CodedRelu
from archsim.workload.coded_shapes import Shape
from archsim.workload.converted_forms import AddArithmeticForm, PoolArithmeticForm, VectorFormatsForm
from archsim.workload.layer import Rounding
from archsim.workload.layer_forms import (
    AnyForm,
    ConvForm,
    ElementwiseForm,
    GlobalPoolForm,
    MatmulForm,
    PoolForm,
    spread,
    spread_padding,
)  # fmt: skip

AXES = 2


def vector_layer(
    form: GlobalPoolForm | ElementwiseForm, sources: tuple[str, ...]
) -> CodedPool | CodedAdd | CodedRelu | CodedFlatten:
    """Return the layer of keys that were checked."""
    if isinstance(form, GlobalPoolForm):
        return _pool(form, sources)
    if form.op == "add":
        return CodedAdd(name=form.name, sources=sources, output=_output(form.formats, form.arithmetic))
    kind = CodedRelu if form.op == "relu" else CodedFlatten
    return kind(name=form.name, sources=sources)


def read_shape(form: AnyForm) -> Shape:
    """Return the shape of one input as a layer reads it: (C, H, W), (C,), or all elements in a row."""
    if isinstance(form, MatmulForm):
        return (form.inner,)
    return form.ifmap_shape


def odd_sizes(form: AnyForm) -> list[str]:
    """Return the keys whose values only a plain workload may have."""
    if isinstance(form, MatmulForm):
        others = {"rows": form.rows > 1, "batches": form.batches > 1, "weight_input": form.weight_input is not None}
        return [key for key, is_odd in others.items() if is_odd]
    if isinstance(form, ElementwiseForm):
        return ["weight_words"] if form.weight_words else []
    keys = ["batch"] if form.batch > 1 else []
    keys += ["ifmap"] if len(form.ifmap) != AXES else []
    is_ceil = isinstance(form, ConvForm | PoolForm) and form.ofmap_rounding is Rounding.CEIL
    return keys + (["ofmap_rounding"] if is_ceil else [])


def _pool(form: GlobalPoolForm, sources: tuple[str, ...]) -> CodedPool:
    """Read a pool; a global one has a window that is all of its ifmap."""
    assert isinstance(form.arithmetic, PoolArithmeticForm), "checked before"
    if isinstance(form, PoolForm):
        kernel, stride = spread(form.kernel, AXES), spread(form.stride, AXES)
        first, second = spread_padding(form.padding, AXES)
    else:
        kernel, stride, first, second = form.ifmap, (1, 1), (0, 0), (0, 0)
    return CodedPool(
        name=form.name, sources=sources, kind=PoolKind.MAX if form.op == "max_pool" else PoolKind.AVERAGE,
        kernel=(kernel[0], kernel[1]), stride=(stride[0], stride[1]), padding=(first, second),
        output=_output(form.formats, form.arithmetic), counts_padding=form.arithmetic.counts_padding,
    )  # fmt: skip


def _output(formats: VectorFormatsForm | None, how: AddArithmeticForm | None) -> CodedOutput:
    assert formats is not None, "checked before"
    assert how is not None, "checked before"
    return CodedOutput(format=formats.build().ofmap, exponent=how.ofmap_exponent, relu=how.relu)
