"""Reports of conversions that never happened: weights are drawn, everything else follows from them.

A layer's weights are normal, its codes int8, int4 or ternary; sizes follow from the widths.
"""

import numpy as np

from archsim.study.conversion import Accuracy, ConversionReport, FormatRow, LayerRecord, PassRecord

LEVELS = {"int8": 127, "int4": 7, "ternary": 1}
BITS = {"int8": 8, "int4": 4, "ternary": 2}
BIAS_BITS = 32


def make_layer(name: str, weights: int, fmt: str = "int8", *, seed: int = 0, pruned: float = 0.0) -> LayerRecord:
    random = np.random.default_rng(seed)
    before = random.normal(0.0, weights**-0.5, weights)
    kept = np.where(random.random(weights) < pruned, 0.0, before)
    reach = 1.5 * np.abs(before).mean() if fmt == "ternary" else np.abs(before).max()
    step = 2.0 ** np.ceil(np.log2(reach / LEVELS[fmt]))
    after = np.clip(np.round(kept / step), -LEVELS[fmt], LEVELS[fmt]) * step
    return LayerRecord(
        name=name, weights=weights, ifmap_format="uint8", weight_format=fmt, ofmap_format="uint8",
        accumulator="exact", accumulator_bits=16 + int(np.ceil(np.log2(weights))),
        weight_bits=weights * BITS[fmt] + 16 * BIAS_BITS, zero_weights=float((after == 0).mean()), zero_ifmaps=0.4371,
        values_before=before, values_after=after,
    )  # fmt: skip


def make_report(
    layers: tuple[LayerRecord, ...] | None = None,
    *,
    network: str = "digits_cnn",
    images: int = 500,
    is_costed: bool = True,
) -> ConversionReport:
    """No accuracy with 0 images, no energy if not costed."""
    chosen = layers if layers is not None else (
        make_layer("conv1", 144, seed=1),
        make_layer("conv2", 4608, seed=2),
        make_layer("conv3", 9216, "int4", seed=3),
        make_layer("fc", 5120, "ternary", seed=4, pruned=0.6),
    )  # fmt: skip
    floats = sum(32 * (each.weights + 16) for each in chosen)
    coded = sum(each.weight_bits for each in chosen)
    found = [Accuracy(correct=correct, images=images) if images else None for correct in (498, 498, 497, 495)]
    return ConversionReport(
        model=f"workloads/{network}.onnx", network=network,
        recipe=(("prune", "no"), ("weights", "int8, scales per channel"), ("accumulator", "natural to the formats"),
                ("calibration", "mse"), ("seed", "0")),
        passes=(
            PassRecord(name="fold_batchnorm", invariant="the logits of the float network do not change",
                       measured="largest relative change 3.1e-16 over 100 images", accuracy=found[1], weight_bits=floats,
                       seconds=0.0123),
            PassRecord(name="calibrate", invariant="no scale clips more than 0.1 % of a tensor",
                       measured="0.02 % clipped at most, in conv3", accuracy=found[2], weight_bits=floats, seconds=1.9),
            PassRecord(name="quantise", invariant="every code decodes to the nearest level",
                       measured="largest error 0.5 steps", accuracy=found[3], weight_bits=coded,
                       seconds=0.31),
        ),
        layers=chosen, float_accuracy=found[0], accuracy=found[3], float_weight_bits=floats,
        rows=tuple(_rows(floats, coded, images, is_costed=is_costed)), arch="tpu_like" if is_costed else "",
        assumptions=("the images are pixels / 16, in the order of the file",
                     "energy of a PE with ternary weights is that of an adder of the accumulator's width: an estimate"),
    )  # fmt: skip


def _rows(floats: int, coded: int, images: int, *, is_costed: bool) -> list[FormatRow]:
    """Energy and time in proportion to the bits, from 25 nJ and 12,000 cycles of fp32."""
    sizes = {"fp32": (floats, 498), "int8": (floats // 4, 497), "int4": (floats // 8, 489), "lns8": (floats // 4, 496),
             "fp8_e4m3": (floats // 4, 497), "mixed": (coded, 495)}  # fmt: skip
    return [
        FormatRow(
            format=name, accuracy=Accuracy(correct=correct, images=images) if images else None, weight_bytes=bits // 8,
            dram_bytes=bits // 8 + 4096 if is_costed else None,
            energy_pj=25e3 * bits / floats if is_costed else None,
            total_cycles=3000 + 9000 * bits // floats if is_costed else None,
        )
        for name, (bits, correct) in sizes.items()
    ]  # fmt: skip


NASTY = "<script>alert('&')</script>/[bold]$x_1^2$\\" + "very_long_block_name/" * 4
"""A name that HTML, rich, and matplotlib would each take for something else; over 100 characters."""


def make_deep_report() -> ConversionReport:
    """Sixty layers, one of them with a nasty name."""
    formats = ("int8", "int4", "ternary")
    layers = [make_layer(f"block{index // 4}.conv{index % 4}", 100 + 90 * index, formats[index % 3], seed=index)
              for index in range(59)]  # fmt: skip
    return make_report((*layers, make_layer(NASTY, 9000, seed=60)), network=NASTY)
