"""Row-stationary PEs that step over zeros, told MAC by MAC: every PE of every pass looks at every tap of every window.

Written from the description in `archsim/mapping/row_skip.py`; passes are those of `oracles/row_passes.py`.
"""

import numpy as np

from archsim.workload.layer import ConvLayer
from tests.oracles.row_passes import blocks, passes_of


def busiest_pe_cycles(layer, nonzero, work, mapping) -> tuple[list[int], list[int]]:
    """Cycles of the slowest PE of each pass, and MACs that all its PEs issue."""
    array, shape = work.arch.pe_array, work.shape
    slowest, issued = [], []
    for made in passes_of(shape, mapping):
        tall_starts, wide_starts = starts(shape.row_parts), starts(shape.column_parts)
        top = tall_starts[made.kernel_part // len(wide_starts)]
        left = wide_starts[made.kernel_part % len(wide_starts)]
        deal = lambda items, sets: blocks(items, -(-len(items) // sets))  # noqa: E731
        channel_sets, filter_sets = deal(made.channels, mapping.r), deal(made.filters, mapping.t)
        q = max(map(len, channel_sets))
        most, macs = 0, 0
        for channels in channel_sets:
            for filters in filter_sets:
                for filter_row in range(top, top + made.taps[0]):
                    for ofmap_row in made.rows:
                        cycles = array.row_pe.restart_cycles
                        for image in made.images:
                            cycles += array.row_pe.line_fill * (made.taps[1] - 1) * shape.layer.dilation[1] * q
                            for column in range(shape.ofmap_columns):
                                if column:
                                    cycles += array.row_pe.shift_cycles * q * shape.layer.stride[1]
                                met = sum(
                                    bool(value_at(layer, nonzero, shape, image=image, group=made.group, channel=channel,
                                                  ofmap=(ofmap_row, column), taps=(filter_row, tap)))
                                    for tap in range(left, left + made.taps[1])
                                    for channel in channels
                                )  # fmt: skip
                                macs += met * len(filters)
                                for _ in filters:
                                    multiplying = 0
                                    for _ in range(0, met, array.multipliers_per_pe):
                                        multiplying += 1
                                    cycles += max(1, multiplying + array.row_pe.accumulate_cycles)
                        most = max(most, cycles)
        slowest.append(most)
        issued.append(macs)
    return slowest, issued


def starts(parts: tuple[int, ...]) -> list[int]:
    return [sum(parts[:index]) for index in range(len(parts))]


def value_at(layer, nonzero, shape, *, image, group, channel, ofmap, taps) -> bool:
    """Whether the ifmap value under a tap of a window is there and not zero; the plane's image and channel told apart again."""
    if not isinstance(layer, ConvLayer):
        return nonzero[group, image, channel]
    axes = len(layer.ifmap)
    at, tap = list(ofmap), list(taps)
    if axes == 1:
        at, tap = at[1:], tap[1:]
    if axes == 3:
        image, deep = divmod(image, layer.ofmap[0])
        channel, tap_deep = divmod(channel, layer.kernel[0])
        at, tap = [deep, *at], [tap_deep, *tap]
    place = [
        at[axis] * layer.stride[axis] + tap[axis] * layer.dilation[axis] - layer.padding[axis][0]
        for axis in range(axes)
    ]
    if any(not 0 <= where < size for where, size in zip(place, layer.ifmap, strict=True)):
        return False
    return bool(nonzero[(image, group * (layer.in_channels // layer.groups) + channel, *place)])


def random_mask(shape, seed) -> np.ndarray:
    """Zeros here and there, rows and channels of nothing else, sometimes nothing but zeros or none."""
    draw = np.random.default_rng(seed)
    mask = draw.random(shape) < draw.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    if draw.random() < 0.3:
        mask[:, draw.random(shape[1]) < 0.5] = False
    return mask
