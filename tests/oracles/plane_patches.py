"""Slow patches: every ofmap pixel put into its patch, every window's ifmap positions collected one by one."""

from dataclasses import dataclass, field
from itertools import product


@dataclass
class Patch:
    pixels: list = field(default_factory=list)
    touched: set = field(default_factory=set)


def walk_patches(layer, size):
    """Patches of all planes of one filter, in running order: planes, bands of lines, from left to right."""
    *leading, lines, columns = (1, 1, *layer.ofmap)[-max(2, len(layer.ofmap)) :]
    patches = {}
    planes = [(image, *place) for image in range(layer.batch) for place in product(*map(range, leading))]
    for plane in planes:
        for line, column in product(range(lines), range(columns)):
            key = (*plane, line // size[0], column // size[1])
            patch = patches.setdefault(key, Patch())
            patch.pixels.append((line, column))
            patch.touched |= set(product(_touched(layer, -2, line), _touched(layer, -1, column)))
    return [patches[key] for key in sorted(patches)]


def _touched(layer, axis, place):
    if len(layer.ofmap) < -axis:
        return [0]
    before, _ = layer.padding[axis]
    found = [place * layer.stride[axis] + tap * layer.dilation[axis] - before for tap in range(layer.kernel[axis])]
    return [position for position in found if 0 <= position < layer.ifmap[axis]]
