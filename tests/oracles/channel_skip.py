"""A channel-parallel array that leaves out atoms of zeros, told pixel by pixel, atom by atom, channel by channel.

Written from the description in `archsim/mapping/channel_skip.py`.
"""

from fractions import Fraction
from itertools import product
from math import ceil, prod

from archsim.workload.layer import ConvLayer


def slots_left(layer, nonzero, atom: int) -> tuple[list[Fraction], int]:
    """Slots of each ofmap pixel of all groups and images, one filter; MACs in atoms that are taken, all filters."""
    is_conv = isinstance(layer, ConvLayer)
    groups = layer.groups if is_conv else layer.batches
    images, ofmap = (layer.batch, layer.ofmap) if is_conv else (layer.rows, ())
    filters = layer.out_channels // groups if is_conv else layer.columns
    slots, macs = [], 0
    for group in range(groups):
        for image in range(images):
            for pixel in product(*map(range, ofmap)):
                mine, taken = Fraction(0), 0
                for block in kernel_blocks(layer):
                    block_slots, block_taken = one_block(layer, nonzero, atom, block, (group, image, pixel))
                    mine, taken = mine + block_slots, taken + block_taken
                slots.append(max(mine, min(Fraction(atom), dense_slots(layer, atom))))
                macs += taken * filters
    return slots, macs


def kernel_blocks(layer):
    """First tap of each stride x stride block of the kernel."""
    if not isinstance(layer, ConvLayer):
        return [()]
    return list(product(*(range(0, size, step) for size, step in zip(layer.kernel, layer.stride, strict=True))))


def one_block(layer, nonzero, atom, block, place) -> tuple[Fraction, int]:
    """Slots and MACs that a block of the kernel takes for one pixel."""
    stride = layer.stride if isinstance(layer, ConvLayer) else ()
    channels = layer.in_channels // layer.groups if isinstance(layer, ConvLayer) else layer.inner
    stored = []  # channels of the block as they are stored: None = of no tap, else whether the value is nonzero
    real_taps = 0
    for neighbour in product(*map(range, stride)):
        tap = tuple(first + beside for first, beside in zip(block, neighbour, strict=True))
        is_real = all(at < size for at, size in zip(tap, getattr(layer, "kernel", ()), strict=True))
        real_taps += is_real
        for channel in range(channels):
            stored.append(value_at(layer, nonzero, place, tap, channel) if is_real else None)  # noqa: PERF401
    atoms = [stored[start : start + atom] for start in range(0, len(stored), atom)]
    having = [[value for value in values if value is not None] for values in atoms]
    having = [values for values in having if values]
    live = [values for values in having if any(values)]
    whole = Fraction(real_taps * len(atoms) * atom, prod(stride))
    return whole * Fraction(len(live), len(having)), sum(map(len, live))


def value_at(layer, nonzero, place, tap, channel) -> bool:
    group, image, pixel = place
    if not isinstance(layer, ConvLayer):
        return bool(nonzero[group, image, channel])
    at = [
        where * step + each * apart - pad[0]
        for where, step, each, apart, pad in zip(pixel, layer.stride, tap, layer.dilation, layer.padding, strict=True)
    ]
    if any(not 0 <= where < size for where, size in zip(at, layer.ifmap, strict=True)):
        return False
    return bool(nonzero[(image, group * (layer.in_channels // layer.groups) + channel, *at)])


def dense_slots(layer, atom: int) -> Fraction:
    """Slots of an ofmap value with every atom taken."""
    if not isinstance(layer, ConvLayer):
        return Fraction(-(-layer.inner // atom) * atom)
    steps = prod(layer.stride)
    channels = layer.in_channels // layer.groups * steps
    return Fraction(prod(layer.kernel) * -(-channels // atom) * atom, steps)


def cycles(slots: list[Fraction], padded_filters: int, multipliers: int) -> int:
    """All slots dealt to the multipliers, without the pipeline behind them."""
    return ceil(sum(slots) * padded_filters / multipliers)
