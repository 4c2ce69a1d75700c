"""A converted network of integers, one value at a time, in fractions: slow and obvious.

Rounding here is "to the nearest, a tie up" and saturating, the only mode that the tests run through it.
"""

from fractions import Fraction
from itertools import product as places
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.workload.coded_network import CodedAdd, CodedFlatten, CodedNetwork, CodedOutput, CodedPool, CodedProduct

Array = NDArray[Any]


def two_to(exponent: int) -> Fraction:
    return Fraction(2) ** int(exponent)


def write(value: Fraction, output: CodedOutput) -> int:
    """The code of an exact value."""
    if output.format is None:
        code = value / two_to(output.exponent)
        assert code.denominator == 1
        return int(code)
    signed, bits = not output.format.name.startswith("u"), output.format.width_bits
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    code = min(max(floor(value / two_to(output.exponent) + Fraction(1, 2)), low), high)
    return max(code, 0) if output.relu else code


def convolve(layer: CodedProduct, codes: Array, exponent: int) -> Array:
    weight, window = layer.weight.codes, layer.window
    if window is None:
        codes, weight = codes[:, :, None, None], weight[:, :, None, None]
    stride = window.stride if window else (1, 1)
    dilation = window.dilation if window else (1, 1)
    pads = window.padding if window else ((0, 0), (0, 0))
    groups = window.groups if window else 1
    images, _, height, width = codes.shape
    filters, channels, rows, columns = weight.shape
    sizes = [(size + sum(pads[a]) - dilation[a] * (weight.shape[2 + a] - 1) - 1) // stride[a] + 1
             for a, size in enumerate((height, width))]  # fmt: skip
    out = np.zeros((images, filters, *sizes), dtype=np.int64)
    exponents = np.broadcast_to(layer.weight.exponents, filters)
    for n, k, i, j in places(range(images), range(filters), range(sizes[0]), range(sizes[1])):
        total = Fraction(0)
        for c, r, s in places(range(channels), range(rows), range(columns)):
            y = i * stride[0] + r * dilation[0] - pads[0][0]
            x = j * stride[1] + s * dilation[1] - pads[1][0]
            if 0 <= y < height and 0 <= x < width:
                channel = k // (filters // groups) * channels + c
                total += int(codes[n, channel, y, x]) * int(weight[k, c, r, s])
        total *= two_to(exponent + int(exponents[k]))
        if layer.bias is not None:
            assert layer.bias_exponents is not None
            total += int(layer.bias[k]) * two_to(layer.bias_exponents[k])
        out[n, k, i, j] = write(total, layer.output)
    return out if window else out[:, :, 0, 0]


def pool(layer: CodedPool, codes: Array, exponent: int) -> Array:
    images, channels, height, width = codes.shape
    sizes = [
        (size + sum(layer.padding[a]) - layer.kernel[a]) // layer.stride[a] + 1
        for a, size in enumerate((height, width))
    ]
    out = np.zeros((images, channels, *sizes), dtype=np.int64)
    for n, c, i, j in places(range(images), range(channels), range(sizes[0]), range(sizes[1])):
        seen = []
        for r, s in places(range(layer.kernel[0]), range(layer.kernel[1])):
            y, x = i * layer.stride[0] + r - layer.padding[0][0], j * layer.stride[1] + s - layer.padding[1][0]
            if 0 <= y < height and 0 <= x < width:
                seen.append(int(codes[n, c, y, x]))
        if layer.kind == "max":
            out[n, c, i, j] = max(seen)
            continue
        count = layer.kernel[0] * layer.kernel[1] if layer.counts_padding else len(seen)
        bits = 16 + (count - 1).bit_length()
        reciprocal = floor(Fraction(2**bits, count) + Fraction(1, 2)) * two_to(-bits)
        out[n, c, i, j] = write(sum(seen) * reciprocal * two_to(exponent), layer.output)
    return out


def run(network: CodedNetwork, codes: Array) -> dict[str, Array]:
    """Every layer's codes of a network of ``intN`` and ``uintN`` formats."""
    found, exponents = {"": codes}, {"": network.ifmap.exponent}
    for layer in network.layers:
        read = [found[source] for source in layer.sources]
        exponent = exponents[layer.sources[0]]
        if isinstance(layer, CodedProduct):
            made = convolve(layer, read[0], exponent)
        elif isinstance(layer, CodedPool):
            made = pool(layer, read[0], exponent)
        elif isinstance(layer, CodedAdd):
            scales = [two_to(exponents[source]) for source in layer.sources]
            sums = [
                write(int(a) * scales[0] + int(b) * scales[1], layer.output)
                for a, b in zip(read[0].flat, read[1].flat, strict=True)
            ]
            made = np.array(sums).reshape(read[0].shape)
        elif isinstance(layer, CodedFlatten):
            made = read[0].reshape(len(codes), -1)
        else:
            made = np.array([max(int(code), 0) for code in read[0].flat]).reshape(read[0].shape)
        found[layer.name] = made
        exponents[layer.name] = (
            layer.output.exponent if isinstance(layer, CodedProduct | CodedPool | CodedAdd) else exponent
        )
    del found[""]
    return found
