"""The shape of every tensor of a converted network, from its layers alone.

Called by `coded_yaml.py` and `coded_read.py`.
"""

from math import prod

from archsim.errors import WorkloadError
from archsim.numerics.window import Window
from archsim.workload.coded_network import CodedFlatten, CodedLayer, CodedNetwork, CodedPool, CodedProduct
from archsim.workload.shape_rules import window_count

Shape = tuple[int, ...]


def ofmap_shapes(network: CodedNetwork) -> dict[str, Shape]:
    """Return the shape of one input's tensors, batch left out: ``""`` is the network's input, a layer its ofmap.

    Raises
    ------
    WorkloadError
        A layer reads what no earlier one makes, or a shape that it cannot read.
    """
    shapes: dict[str, Shape] = {"": network.ifmap_shape}
    for layer in network.layers:
        unknown = [source for source in layer.sources if source not in shapes]
        if unknown or not layer.sources:
            raise WorkloadError(f"layer {layer.name!r}: source {(*unknown, '')[0]!r} is not an earlier layer")
        if layer.name in shapes:
            raise WorkloadError(f"layer {layer.name!r}: every layer needs a name of its own")
        shapes[layer.name] = ofmap_shape(layer, shapes[layer.sources[0]])
    return shapes


def ofmap_shape(layer: CodedLayer, ifmap: Shape) -> Shape:
    """Return the shape of a layer's ofmap for one of its ifmap. Raises WorkloadError where it cannot read that."""
    if isinstance(layer, CodedProduct):
        return _product_shape(layer, ifmap)
    if isinstance(layer, CodedPool):
        _need_image(layer.name, ifmap)
        window = Window(stride=layer.stride, padding=layer.padding)
        return (ifmap[0], *_windows(layer.name, ifmap, layer.kernel, window))
    return (prod(ifmap),) if isinstance(layer, CodedFlatten) else ifmap


def _product_shape(layer: CodedProduct, ifmap: Shape) -> Shape:
    filters, window = layer.weight.codes.shape, layer.window
    if window is None:
        if ifmap != filters[1:]:
            raise WorkloadError(f"layer {layer.name!r}: reads {ifmap}, its weights are {filters}")
        return filters[:1]
    _need_image(layer.name, ifmap)
    if len(filters) != 4 or ifmap[0] != filters[1] * window.groups or filters[0] % window.groups:
        raise WorkloadError(f"layer {layer.name!r}: reads {ifmap}, its weights are {filters} in {window.groups} groups")
    return (filters[0], *_windows(layer.name, ifmap, (filters[2], filters[3]), window))


def _windows(name: str, ifmap: Shape, kernel: Shape, window: Window) -> Shape:
    sides = tuple(
        window_count(
            ifmap[1 + axis] + sum(window.padding[axis]),
            kernel[axis],
            window.stride[axis],
            window.dilation[axis],
            keep_partial=False,
        )
        for axis in range(2)
    )
    if min(sides) < 1:
        raise WorkloadError(f"layer {name!r}: window {kernel} does not fit {ifmap} with padding {window.padding}")
    return sides


def _need_image(name: str, ifmap: Shape) -> None:
    if len(ifmap) != 3:
        raise WorkloadError(f"layer {name!r}: reads {ifmap}, must be (channels, rows, columns)")
