"""What one output value goes through in two formats, and what sums, biases and clusters cost: the blocks of docs/conversion.md.

    .venv/bin/python scripts/conversion_page.py            # prints the page's blocks
    .venv/bin/python scripts/conversion_page.py --plot     # draws .readme/conversion.png too

The values are of the shipped digits_cnn in int8 and LNS8, on their first golden image, worked out in Python integers;
the counts are of scikit-learn's 500 test digits, bit for bit.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from archsim.catalog import find_model
from archsim.conversion import CALIBRATION_IMAGES, convert
from archsim.convert.bit_search import LEAST_BITS
from archsim.convert.calibrate import MSE_STEPS
from archsim.convert.cluster_size import TARGET_RATIO, compression_table
from archsim.convert.evaluate import coded_accuracy
from archsim.convert.float_reader import read_float_network
from archsim.convert.float_run import run_float
from archsim.convert.fold_batchnorm import fold_batchnorm
from archsim.convert.image_files import ImageSet, read_images
from archsim.convert.pipeline import LARGEST_LOGIT_DIFFERENCE, Conversion
from archsim.convert.quantise import quantise
from archsim.convert.request import Request
from archsim.convert.sums import REGISTER_BITS
from archsim.cost.mac_cost import mac_cost
from archsim.engine.bit_true import run_bit_true
from archsim.numerics.accumulator import LinearSum
from archsim.numerics.accumulator_grammar import parse_accumulator
from archsim.numerics.antilog import antilog_table
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.logarithmic import THRESHOLD_BITS, Logarithmic, rounding_thresholds
from archsim.numerics.number_format import NumberKind
from archsim.report.conversion_page import conversion_files
from archsim.workload.coded_network import CodedNetwork, CodedProduct
from archsim.workload.coded_store import ConvertedWorkload, read_converted
from archsim.workload.psum_format import guard_bits

TOP = Path(__file__).parents[1]
PICTURE = TOP / ".readme" / "conversion.png"
MODEL, IMAGES = "digits_cnn", "digits"
LAYER, CHANNEL, ROW, COLUMN = "conv1", 2, 2, 1
"""The value that is taken apart: few of its nine ifmap values are not zero."""

FORMATS = (
    ("`intN`, `sx<N>`", "int8", "int32", "to the nearest, a tie up; saturates"),
    ("`fx<W,I,S,Q,O>`", "fx<10,5>", "int32", "Q and O: eight roundings, four overflows"),
    ("`lns<W,f>`", "lns8", "int32", "the logarithm, to the nearest by thresholds; saturates, the smallest become 0"),
    ("", "lns8", "int24", ""),
    ("", "lns8", "int16", ""),
    ("`fp8_e4m3`", "fp8_e4m3", "fp32", "to the nearest, a tie to even; saturates"),
    ("", "fp8_e4m3", "int32", ""),
    ("`bf16`", "bf16", "fp32", "the same"),
    ("`ternary`", "ternary", "int32", "weights alone: 0 up to 0.7 of the mean magnitude"),
    ("`binary`", "binary", "int32", "weights alone: the sign, that of 0 is +"),
)
"""Grammar, one of it, a register for its sums, what is rounded how."""

SUMS = (
    ("int8", "exact"),
    ("int8", "wrap<20>"),
    ("int8", "wrap<16>"),
    ("fx<10,5>", "exact"),
    ("fx<10,5>", "sat<16,10>"),
    ("fx<10,5>", "fx<10,5,1,TRN,WRAP>"),
    ("lns8", "exact"),
    ("lns8", "linear<32>"),
    ("lns8", "linear<16>"),
    ("lns8", "linear<12>"),
    ("lns8", "log<8,20>"),
    ("lns8", "log<8,bitshift>"),
    ("lns8", "log<8,mitchell>"),
)
GUARDED = ("int8", "sx<4>", "sx<3>")
"""Formats whose bias is rounded to the scale of the products once, to see what guard bits are worth."""


def formats_table() -> str:
    """Return the formats with the price of a MAC by the model of `cost/mac_cost.py`, 45 nm."""
    rows = ["| format | e.g. | bits | values | rounded | MAC into | pJ | um2 |",
            "| --- | --- | ---: | --- | --- | --- | ---: | ---: |"]  # fmt: skip
    for grammar, name, psum, rule in FORMATS:
        fmt = parse_format(name)
        ifmap = parse_format("int8") if fmt.kind is NumberKind.SIGN else fmt
        cost = mac_cost(ifmap, fmt, parse_format(psum))
        span = f"{fmt.smallest:.3g} to {fmt.largest:.6g}" if fmt.largest != fmt.smallest else f"{fmt.largest:g}"
        rows.append(f"| {grammar} | `{name}` | {fmt.width_bits} | {span} | {rule} | {psum} | "
                    f"{cost.pj:.3f} | {cost.um2:,.0f} |")  # fmt: skip
    return "\n".join(rows)


def shipped(fmt: str) -> ConvertedWorkload:
    """Read a shipped conversion of the page's network."""
    return read_converted(TOP / "workloads" / f"{MODEL}_{fmt}.yaml")


def integer_value(found: ConvertedWorkload) -> tuple[list[str], int]:
    """Return the way of one value in integers, line by line, and its code."""
    layer, image = found.network.products[0], found.network.ifmap
    codes, weights = _operands(found, layer)
    products = [x * w for x, w in zip(codes, weights, strict=True)]
    assert layer.bias is not None
    assert layer.bias_exponents is not None
    assert image.format is not None
    fmt = layer.output.format
    assert isinstance(fmt, FixedPoint)
    bias, last = int(layer.bias[CHANNEL]), int(layer.bias_exponents[CHANNEL])
    guard = int(guard_bits(layer, image.format, image.exponent)[CHANNEL])
    total, shift = (sum(products) << guard) + bias, layer.output.exponent - last
    rounded = (total + (1 << (shift - 1))) >> shift
    code = max(min(max(rounded, fmt.lowest_code), fmt.highest_code), 0)
    lines = [
        f"ifmap codes     {_row(codes)}   {image.format.name}, times 2^{image.exponent}",
        f"weight codes    {_row(weights)}   {layer.weight.format.name}, times 2^{int(layer.weight.exponents[CHANNEL])}",
        f"products        {_row(products)}   times 2^{last + guard}",
        f"their sum       {sum(products)} << {guard} guard bits = {sum(products) << guard}, times 2^{last}",
        f"bias            {bias}, times 2^{last}",
        f"accumulator     {total}, needs {total.bit_length() + 1} bits here",
        f"shifted         {total} / 2^{shift} = {total / 2**shift:.3f}, RND: {rounded}",
        f"clipped, relu   {code}, {fmt.name}, times 2^{layer.output.exponent}: {code * 2.0**layer.output.exponent:.4f}",
    ]
    return lines, code


def logarithmic_value(found: ConvertedWorkload) -> tuple[list[str], int]:
    """Return the way of the same value in logarithms, line by line, and its code."""
    layer, image = found.network.products[0], found.network.ifmap
    fmt, register = layer.output.format, layer.accumulator
    assert isinstance(fmt, Logarithmic)
    assert isinstance(register, LinearSum)
    assert layer.bias is not None
    (logs, signs), (weight_logs, weight_signs) = (_split(fmt, codes) for codes in _operands(found, layer))
    used = [place for place, sign in enumerate(signs) if sign * weight_signs[place]]
    sums = [logs[place] + weight_logs[place] for place in used]
    table = antilog_table(register.antilog, fmt.fraction_bits).tolist()
    steps, m = 1 << fmt.fraction_bits, register.antilog.fraction_bits
    scale = image.exponent + int(layer.weight.exponents)
    up = scale - layer.accumulator_exponent - m
    terms = [weight_signs[place] * _shifted(table[e % steps], e // steps + up)
             for place, e in zip(used, sums, strict=True)]  # fmt: skip
    total = sum(terms) + int(layer.bias[CHANNEL])
    octave = total.bit_length() - 1
    leading = total >> (octave - THRESHOLD_BITS)
    passed = sum(1 for threshold in rounding_thresholds(fmt.fraction_bits).tolist() if leading >= threshold)
    logarithm = (octave + layer.accumulator_exponent - layer.output.exponent) * steps + passed
    last = layer.accumulator_exponent
    lines = [
        f"ifmap logs      {_row([logs[place] for place in used])}   in 1/{steps} octaves, times 2^{image.exponent}; "
        f"{len(logs) - len(used)} of {len(logs)} are zero and skipped",
        f"weight logs     {_row([weight_logs[place] for place in used])}   times 2^{int(layer.weight.exponents)}, signs "
        + " ".join("+" if weight_signs[place] > 0 else "-" for place in used),
        f"added           {_row(sums)}   times 2^{scale}: this is the multiplication",
        f"octave e >> {fmt.fraction_bits}     {_row([e // steps for e in sums])}",
        f"fraction e & {steps - 1}    {_row([e % steps for e in sums])}",
        f"antilog table   {_row([table[e % steps] for e in sums])}   of {' '.join(map(str, table))}, {m} fraction bits",
        f"shifted         {' '.join(map(str, terms))}, times 2^{last}: left by octave + {up}",
        f"bias            {total - sum(terms)}, times 2^{last}",
        f"accumulator     {total}, {register.width_bits} bits, saturating",
        f"encoder         leading one at bit {octave}; {leading} passes {passed} of {steps} thresholds: log "
        f"({octave} - {layer.output.exponent - last}) x {steps} + {passed} = {logarithm}",
        f"ofmap           code {logarithm}, {fmt.name}, 2^({logarithm}/{steps} - {-layer.output.exponent}): "
        f"{2.0 ** (logarithm / steps + layer.output.exponent):.4f}",
    ]
    return lines, int(fmt.join(np.array(logarithm), np.array(1, dtype=np.int8)))


def float_value(found: ConvertedWorkload) -> float:
    """Return what the float network has there, batch norm folded, on the same image."""
    assert found.golden is not None
    image = found.network.ifmap
    assert image.format is not None
    network = fold_batchnorm(read_float_network(find_model(MODEL)))
    values = np.ldexp(image.format.decode(found.golden.ifmap[:1]), image.exponent)
    return max(0.0, float(run_float(network, values)[network.weighted[0].name][0, CHANNEL, ROW, COLUMN]))


def bit_true_code(found: ConvertedWorkload) -> int:
    """Return the code that the engine gives there."""
    assert found.golden is not None
    return int(run_bit_true(found.network, found.golden.ifmap[:1])[LAYER][0, CHANNEL, ROW, COLUMN])


def values_text() -> str:
    """Return both ways, and the float."""
    place = f"{LAYER}, channel {CHANNEL}, row {ROW}, column {COLUMN}, golden image 0"
    return "\n".join(
        [f"{place}: {float_value(shipped('int8')):.4f} in floats", "int8", *integer_value(shipped("int8"))[0],
         "LNS8", *logarithmic_value(shipped("lns8"))[0]]
    )  # fmt: skip


def sums_table(test: ImageSet) -> str:
    """Return how many test digits are right by format and accumulator."""
    rows = ["| format | accumulator | correct of 500 |", "| --- | --- | ---: |"]
    for fmt, sums in SUMS:
        found = _converted(fmt)
        recipe = replace(found.calibrated.recipe, accumulator=parse_accumulator(sums))
        coded = quantise(replace(found.calibrated, recipe=recipe), found.plan)
        rows.append(f"| `{fmt}` | `{sums}` | {coded_accuracy(coded, test).correct} |")
    return "\n".join(rows)


def guard_table(test: ImageSet) -> str:
    """Return what the guard bits of the biases are worth."""
    rows = ["| format | guard bits by layer | correct of 500 | without |", "| --- | --- | ---: | ---: |"]
    for fmt in GUARDED:
        coded = _converted(fmt).coded
        bare, guards = without_guard_bits(coded)
        rows.append(f"| `{fmt}` | {', '.join(map(str, guards))} | {coded_accuracy(coded, test).correct} | "
                    f"{coded_accuracy(bare, test).correct} |")  # fmt: skip
    return "\n".join(rows)


def without_guard_bits(network: CodedNetwork) -> tuple[CodedNetwork, list[int]]:
    """Return the network with biases rounded to the scale of their products, and the guard bits that it had."""
    guards: list[int] = []
    layers = []
    for layer in network.layers:
        if not isinstance(layer, CodedProduct) or layer.bias is None:
            layers.append(layer)
            continue
        read = network.outputs[layer.sources[0]]
        assert read.format is not None
        guard = int(guard_bits(layer, read.format, read.exponent).max())
        guards.append(guard)
        output = layer.output if layer.output.format else replace(layer.output, exponent=layer.output.exponent + guard)
        layers.append(
            replace(layer, bias=(layer.bias + (1 << guard >> 1)) >> guard, bias_exponents=None, output=output)
        )
    return replace(network, layers=tuple(layers)), guards


def clusters_table() -> str:
    """Return which codebooks explain the claim."""
    rows = [
        "| kernels | codebooks | bits per weight | MB of 240 | times smaller |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    rows += [f"| {row.entries} | {row.codebooks} | {row.bits_per_weight:.3f} | {row.megabytes:.2f} | {row.ratio:.1f} |"
             for row in compression_table()]  # fmt: skip
    return "\n".join(rows)


def facts() -> str:
    """Return the constants that the page's sentences speak of."""
    return (
        f"{CALIBRATION_IMAGES} images, {MSE_STEPS} scales tried; a logit may move by {LARGEST_LOGIT_DIFFERENCE}; "
        f"{REGISTER_BITS} bits; {LEAST_BITS} bits or more; {TARGET_RATIO:.0f} times smaller than {TARGET_RATIO * 8.2:.0f} MB"
    )


def blocks() -> Iterator[str]:
    """Yield every block of the page, in its order."""
    yield formats_table()
    yield values_text()
    test = read_images(IMAGES)
    yield sums_table(test)
    yield guard_table(test)
    yield clusters_table()


@cache
def _converted(fmt: str) -> Conversion:
    return convert(Request(model=MODEL, format=fmt, calibration=IMAGES))[0]


def _operands(found: ConvertedWorkload, layer: CodedProduct) -> tuple[list[int], list[int]]:
    """Return the nine ifmap codes of the value's window, which lies within the image, and the nine weight codes."""
    assert found.golden is not None
    window = found.golden.ifmap[0, 0, ROW - 1 : ROW + 2, COLUMN - 1 : COLUMN + 2]
    return window.ravel().tolist(), layer.weight.codes[CHANNEL, 0].ravel().tolist()


def _split(fmt: Logarithmic, codes: list[int]) -> tuple[list[int], list[int]]:
    logs, signs = fmt.split(np.array(codes))
    return logs.tolist(), signs.tolist()


def _shifted(significand: int, places: int) -> int:
    return significand << places if places >= 0 else (significand + (1 << (-places - 1))) >> -places


def _row(values: list[int]) -> str:
    return " ".join(f"{value:5}" for value in values)


if __name__ == "__main__":
    print("\n\n".join([*blocks(), facts()]))
    if "--plot" in sys.argv[1:]:
        request = Request(model=MODEL, format="lns8", calibration=IMAGES)
        PICTURE.write_bytes(conversion_files(convert(request)[1])["histograms.png"])
