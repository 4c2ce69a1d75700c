"""Parts A to C of the webinar: accuracy of mnist_webinar in fixed point, converted and retrained, bit for bit.

Called by `reproduce_webinar.py`. Every format here is fixed point or has its scales given, so the sweeps need no
calibration: one conversion is written anew in each format.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from archsim.catalog import find_model
from archsim.conversion import CALIBRATION_IMAGES
from archsim.convert.calibrate import best_exponent
from archsim.convert.evaluate import coded_accuracy, float_accuracy
from archsim.convert.fine_tune import FineTuneSettings, fine_tune
from archsim.convert.float_network import FloatNetwork
from archsim.convert.format_plan import FormatPlan
from archsim.convert.gradients import Part, StraightThrough
from archsim.convert.image_files import ImageSet, read_images
from archsim.convert.measured import Calibrated, measure_network
from archsim.convert.pipeline import Conversion, Images, convert_model
from archsim.convert.pipeline import in_format as recipe_in_format
from archsim.convert.projection import Projection, Quantisers, rounded_weights
from archsim.convert.quantise import coded_in, quantise
from archsim.convert.recipe import Recipe
from archsim.convert.stages import cut_into_stages
from archsim.convert.window_cuts import Array
from archsim.errors import ConfigError
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.study.conversion import Accuracy
from archsim.terms import CalibrationMethod
from archsim.workload.coded_network import CodedNetwork

MODEL = "mnist_webinar"
GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "numerics"
"""Where the reference of every row lies: measured elsewhere, on another implementation and another training."""
TEST_IMAGES = 10_000
ONE_EPOCH = FineTuneSettings(epochs=1.0)
BLANK = ImageSet(images=np.zeros((1, 1, 28, 28), np.uint8), labels=None, name="one blank image", scale=255.0)
"""Calibrates fixed point, which has no scale to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """One format of parts A and B.

    Parameters
    ----------
    experiment
        As the reference calls it: ``a_overflow``, ``b_ptq``.
    integer_bits, fraction_bits
        The sign counts as an integer bit. [b]
    overflow
        ``WRAP`` or ``SAT``.
    format
        The type of every value: weights, ifmaps, ofmaps and logits; sums are exact.
    reference
        Share of 10,000 test images that the reference found right, 0..1.
    measured
        Ours.
    """

    experiment: str
    integer_bits: int
    fraction_bits: int
    overflow: str
    format: str
    reference: float
    measured: Accuracy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainedRow:
    """One pair of formats of part C.

    Parameters
    ----------
    weights, ifmaps
        Names of the formats; integers have a scale per channel and per tensor, powers of two.
    reference_weights, reference_ifmaps
        The pair as the reference calls it.
    """

    weights: str
    ifmaps: str
    reference_weights: str
    reference_ifmaps: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What one epoch made of a pair of formats: ours beside the reference, shares 0..1."""

    row: RetrainedRow
    before: Accuracy
    after: Accuracy
    reference_before: float
    reference_after: float


RETRAINED_ROWS = (
    RetrainedRow(weights="fx<4,2>", ifmaps="fx<4,2>",
                 reference_weights="ac_fixed<4,2>", reference_ifmaps="ac_fixed<4,2> signed"),
    RetrainedRow(weights="fx<6,3>", ifmaps="fx<6,3>",
                 reference_weights="ac_fixed<6,3>", reference_ifmaps="ac_fixed<6,3> signed"),
    RetrainedRow(weights="fx<8,4>", ifmaps="fx<8,4>",
                 reference_weights="ac_fixed<8,4>", reference_ifmaps="ac_fixed<8,4> signed"),
    RetrainedRow(weights="int4", ifmaps="uint4",
                 reference_weights="quantized_bits(4) auto_po2 per-ch", reference_ifmaps="u4 per-layer po2 [1, 1, 2]"),
    RetrainedRow(weights="int3", ifmaps="uint3",
                 reference_weights="quantized_bits(3) auto_po2 per-ch", reference_ifmaps="u3 per-layer po2 [1, 1, 2]"),
    RetrainedRow(weights="int3", ifmaps="fp32",
                 reference_weights="quantized_bits(3) auto_po2 per-ch", reference_ifmaps="float"),
    RetrainedRow(weights="ternary", ifmaps="uint4",
                 reference_weights="ternary po2 scale per-ch", reference_ifmaps="u4 per-layer po2 [1, 1, 2]"),
)  # fmt: skip


def mnist_test(count: int, say: Callable[[str], None]) -> ImageSet | None:
    """Return the first test images of MNIST; where it is not here say why, and return None."""
    try:
        return read_images(f"mnist:test:{count}")
    except ConfigError as problem:
        say(str(problem))
        return None


def blank_conversion(fmt: str) -> Conversion:
    """Return mnist_webinar in a fixed-point type: no image is needed for it."""
    recipe = Recipe(weight_format=parse_format(fmt), ifmap_format=parse_format(fmt))
    return convert_model(find_model(MODEL), recipe, Images(calibration=BLANK))


def in_format(conversion: Conversion, fmt: str) -> CodedNetwork:
    """Return the converted network in another fixed-point type."""
    found = conversion.calibrated
    recipe = recipe_in_format(found.recipe, parse_format(fmt))
    return coded_in(found.measured, recipe)


def sweep_rows(experiment: str) -> Iterator[SweepRow]:
    """Yield the rows of the reference that one of the parts repeats, not measured yet."""
    for row in _golden("webinar_ab.csv"):
        if row["experiment"] == experiment:
            integer, fraction = int(row["int_bits_incl_sign"]), int(row["frac_bits"])
            modes = "" if row["overflow"] == "SAT" else f",1,{row['quant']},{row['overflow']}"
            yield SweepRow(
                experiment=experiment, integer_bits=integer, fraction_bits=fraction, overflow=row["overflow"],
                format=f"fx<{integer + fraction},{integer}{modes}>", reference=float(row["accuracy"]),
            )  # fmt: skip


def measure(rows: Iterable[SweepRow], images: ImageSet, say: Callable[[str], None]) -> tuple[SweepRow, ...]:
    """Classify the images with each row's network, bit for bit."""
    conversion = blank_conversion("fx<8,4>")
    found = []
    for row in rows:
        measured = coded_accuracy(in_format(conversion, row.format), images)
        say(f"{row.format}: {100 * measured.share:.2f} %")
        found.append(replace(row, measured=measured))
    return tuple(found)


def float_share(images: ImageSet) -> Accuracy:
    """Accuracy of the network as it came."""
    return float_accuracy(blank_conversion("fx<8,4>").original, images)


def retrain(row: RetrainedRow, images: ImageSet) -> Retrained:
    """Train one epoch with weights and ifmaps rounded on the way forwards, and run what comes of it bit for bit.

    The logits keep their sums, before and after.
    """
    network = blank_conversion("fx<8,4>").original
    recipe = Recipe(weight_format=parse_format(row.weights), ifmap_format=parse_format(row.ifmaps))
    calibrated, plan = _calibrated(network, recipe)
    before = coded_accuracy(quantise(calibrated, plan), images)
    trained = fine_tune(network, read_images("mnist:train"), ONE_EPOCH,
                        Projection(quantisers=weight_rounding(network, recipe.weight_format)),
                        written=_ifmap_rounding(calibrated, plan))  # fmt: skip
    learnt = replace(
        calibrated, measured=replace(calibrated.measured, network=trained, stages=cut_into_stages(trained))
    )
    after = coded_accuracy(quantise(learnt, plan), images)
    reference = _reference(row)
    return Retrained(row=row, before=before, after=after, reference_before=float(reference["ptq_acc_10k"]),
                     reference_after=float(reference["qat_acc_10k_1epoch_finetune"]))  # fmt: skip


def weight_rounding(network: FloatNetwork, fmt: NumberFormat) -> Quantisers:
    """Round weights as the conversion will: integers with a scale per output channel, the others as they do."""
    if fmt.kind is not NumberKind.INTEGER:
        return rounded_weights(network, fmt)
    rounding = StraightThrough(function=lambda weight: _round_channels(weight, fmt))
    return {(Part.WEIGHT, node.name): rounding for node in network.weighted}


def _round_channels(weight: Array, fmt: NumberFormat) -> Array:
    exact = weight.astype(np.float64)
    exponents = np.array([best_exponent(channel, fmt, CalibrationMethod.MSE) for channel in exact])
    spread = exponents.reshape(-1, *(1,) * (exact.ndim - 1))
    rounded: Array = np.ldexp(fmt.decode(fmt.encode(exact, spread)), spread).astype(np.float32)
    return rounded


def _calibrated(network: FloatNetwork, recipe: Recipe) -> tuple[Calibrated, FormatPlan]:
    """Choose scales on the first training images; leave the logits as sums."""
    measured = measure_network(network, read_images(f"mnist:train:{CALIBRATION_IMAGES}").values)
    last = measured.stages[-1].name
    calibrated, plan = measured.plan(recipe)
    return calibrated, replace(plan, ofmaps={**plan.ofmaps, last: None})


def _ifmap_rounding(calibrated: Calibrated, plan: FormatPlan) -> Mapping[str, StraightThrough]:
    """Round every tensor that is written in fixed point; floats stay as they are."""
    return {
        name: _rounding(fmt, calibrated.exponents[name, fmt])
        for name, fmt in plan.tensors(calibrated.measured.stages)
        if isinstance(fmt, FixedPoint)
    }


def _rounding(fmt: FixedPoint, exponent: int) -> StraightThrough:
    """Round half up and saturate, in float32: quicker than codes, and a tie an ulp below one half may go up."""
    step = np.float32(np.ldexp(fmt.smallest, exponent))
    lowest, highest = fmt.lowest_code * step, fmt.highest_code * step

    def written(values: Array) -> Array:
        rounded = np.floor(values / step + np.float32(0.5)) * step
        clipped: Array = np.clip(rounded, lowest, highest)
        return clipped

    return StraightThrough(function=written, lowest=float(lowest), highest=float(highest))


def _reference(row: RetrainedRow) -> dict[str, str]:
    wanted = (row.reference_weights, row.reference_ifmaps)
    (found,) = (each for each in _golden("webinar_qat.csv") if (each["weights"], each["activations"]) == wanted)
    return found


def _golden(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
