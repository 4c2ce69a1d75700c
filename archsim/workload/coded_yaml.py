"""The text of a converted workload's YAML: one key per line, the same bytes for the same network.

Called by `coded_store.py`. `layer_forms.py` and `converted_forms.py` name the keys.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from archsim.numerics.accumulator import LinearSum
from archsim.numerics.accumulator_grammar import accumulator_name
from archsim.numerics.number_format import NumberFormat
from archsim.workload.coded_network import (
    CodedAdd,
    CodedFlatten,
    CodedLayer,
    CodedNetwork,
    CodedOutput,
    CodedPool,
    CodedProduct,
)  # fmt: skip
from archsim.workload.coded_shapes import Shape, ofmap_shapes
from archsim.workload.golden import Golden
from archsim.workload.psum_format import psum_format

Item = tuple[str, str]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_WORDS_OF_YAML = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a file says of a converted network besides the network.

    Parameters
    ----------
    source
        Where it came from.
    notes
        Sentences that a report must show.
    calibration
        Setting -> text: how scales were found, images and seeds.
    ifmap_zeros
        Product layer -> share of zeros of its ifmap over the calibration images, 0..1.
    """

    source: str = ""
    notes: Sequence[str] = ()
    calibration: Mapping[str, str] = field(default_factory=dict)
    ifmap_zeros: Mapping[str, float] = field(default_factory=dict)


def converted_yaml(network: CodedNetwork, tensors: str, golden: Golden | None, origin: Origin) -> str:
    """Return the file's text; ``tensors`` is the name of the .npz beside it."""
    shapes = ofmap_shapes(network)
    lines = ["# Written by archsim convert; the arrays lie in the .npz beside it.", "schema: archsim/workload/v1"]
    lines += [f"name: {quoted(network.name)}", f"tensors: {quoted(tensors)}"]
    lines += [f"source: {quoted(origin.source)}"] if origin.source else []
    lines += ["notes:", *(f"  - {quoted(note)}" for note in origin.notes)] if origin.notes else []
    ifmap = {"shape": _list(network.ifmap_shape), "format": _format(network.ifmap.format),
             "exponent": str(network.ifmap.exponent)}  # fmt: skip
    lines.append(f"ifmap: {_flow(ifmap)}")
    if origin.calibration:
        lines += ["calibration:", *(f"  {quoted(key)}: {quoted(text)}" for key, text in origin.calibration.items())]
    if golden is not None:
        lines += ["golden:", f"  images: {len(golden.ifmap)}", "  checksums:"]
        lines += [f"    {quoted(name)}: {quoted(value)}" for name, value in golden.checksums.items()]
    lines.append("layers:")
    outputs = network.outputs
    previous = ""
    for layer in network.layers:
        read = outputs[next(filter(None, layer.sources), "")]  # of an addition, its first operand with a name
        items = [("name", quoted(layer.name)), *_keys(layer, shapes, read, origin), *_inputs(layer, previous)]
        lines += [f"  {'-' if place == 0 else ' '} {key}: {text}" for place, (key, text) in enumerate(items)]
        previous = layer.name
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a YAML scalar that reads back as the text: bare where it is a plain word."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _keys(layer: CodedLayer, shapes: Mapping[str, Shape], read: CodedOutput, origin: Origin) -> Iterator[Item]:
    ifmap = shapes[layer.sources[0]]
    if isinstance(layer, CodedProduct):
        yield from _product(layer, ifmap, read)
        if layer.name in origin.ifmap_zeros:
            yield "zero_fractions", _flow({"ifmap": repr(float(origin.ifmap_zeros[layer.name]))})
    elif isinstance(layer, CodedPool):
        yield from _pool(layer, ifmap, read)
    else:
        yield "op", "add" if isinstance(layer, CodedAdd) else "reshape" if isinstance(layer, CodedFlatten) else "relu"
        yield "elements", str(prod(ifmap))
        output = layer.output if isinstance(layer, CodedAdd) else read
        yield "formats", _flow({"ifmap": _format(read.format), "ofmap": _format(output.format)})
        if isinstance(layer, CodedAdd):
            yield "arithmetic", _flow(_output(output))


def _product(layer: CodedProduct, ifmap: Shape, read: CodedOutput) -> Iterator[Item]:
    filters, window = layer.weight.codes.shape, layer.window
    if window is None:
        yield from (("op", "fc"), ("inner", str(filters[1])), ("columns", str(filters[0])))
    else:
        yield from (("op", "conv"), ("in_channels", str(ifmap[0])), ("ifmap", _list(ifmap[1:])))
        yield from (("kernel", _list(filters[2:])), ("out_channels", str(filters[0])))
        yield from (("stride", _list(window.stride)), ("padding", _pads(window.padding)))
        if window.dilation != (1, 1):
            yield "dilation", _list(window.dilation)
        if window.groups > 1:
            yield "groups", str(window.groups)
    assert read.format is not None, "ofmap_shapes and the engine refuse sums as operands"
    psum = psum_format(layer, read.format, read.exponent)
    ofmap = layer.output.format or psum
    yield "formats", _flow({"ifmap": _format(read.format), "weight": _format(layer.weight.format),
                            "psum": _format(psum), "ofmap": _format(ofmap)})  # fmt: skip
    if layer.clusters is not None:
        yield "clusters", _flow({"codebook": quoted(layer.clusters.codebook), "entries": str(layer.clusters.entries)})
    how = {"accumulator": quoted(accumulator_name(layer.accumulator)), "ifmap_exponent": str(read.exponent)}
    if isinstance(layer.accumulator, LinearSum):
        how["accumulator_exponent"] = str(layer.accumulator_exponent)
    raw = {"raw_sums": "true"} if layer.output.format is None else {}
    yield "arithmetic", _flow(how | _output(layer.output) | raw)


def _pool(layer: CodedPool, ifmap: Shape, read: CodedOutput) -> Iterator[Item]:
    yield from (("op", f"{layer.kind}_pool"), ("channels", str(ifmap[0])), ("ifmap", _list(ifmap[1:])))
    yield from (("kernel", _list(layer.kernel)), ("stride", _list(layer.stride)), ("padding", _pads(layer.padding)))
    yield "formats", _flow({"ifmap": _format(read.format), "ofmap": _format(layer.output.format)})
    padding = {"counts_padding": "true"} if layer.counts_padding else {}
    yield "arithmetic", _flow({"ifmap_exponent": str(read.exponent)} | _output(layer.output) | padding)


def _inputs(layer: CodedLayer, previous: str) -> Iterator[Item]:
    """Name what is read; the network's input has no name: an addition that reads it names its other operand alone."""
    named = [source for source in layer.sources if source]
    if named != ([previous] if previous else []):
        yield "inputs", "[" + ", ".join(map(quoted, named)) + "]"


def _output(output: CodedOutput) -> dict[str, str]:
    return {"ofmap_exponent": str(output.exponent)} | ({"relu": "true"} if output.relu else {})


def _format(fmt: NumberFormat | None) -> str:
    assert fmt is not None, "only a product may leave its sums as they are"
    return quoted(fmt.name)


def _list(sizes: Sequence[int]) -> str:
    return "[" + ", ".join(str(size) for size in sizes) + "]"


def _pads(padding: Sequence[tuple[int, int]]) -> str:
    return "[" + ", ".join(_list(pair) for pair in padding) + "]"


def _flow(items: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {text}" for key, text in items.items()) + "}"
