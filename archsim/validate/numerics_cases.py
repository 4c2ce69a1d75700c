"""What a row of a published accuracy table asks for: a network, a recipe, so many test images, so many of them right.

Called by `numerics_tables.py`, which reads the rows. The words are those of the tables: ``s8 shared-exp``,
``LNS8 f=3``, ``MSE po2``; a format may be written in archsim's own words too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from archsim.convert.recipe import Recipe
from archsim.numerics.accumulator import Accumulator, CastSum, ExactSum
from archsim.numerics.accumulator_grammar import accumulator_name, parse_accumulator
from archsim.numerics.fixed_point import FixedPoint, fixed_point_type
from archsim.numerics.logarithmic import logarithmic_type
from archsim.numerics.minifloat import float_type
from archsim.numerics.number_format import NumberKind
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.validate.numerics_cells import METHODS, SCALES, first_line, known, read_format, share, whole

TEST_IMAGES = 10_000
"""Of MNIST. [images]"""
NETWORKS = {"web": "mnist_webinar", "big": "mnist_big_bn"}
"""Name in the tables -> shipped network."""
DEFAULT_REACH, SHORT_REACH = 10, 5
"""Of a table of Gaussian logarithms, where no column says it: the second is that of a row that repeats an earlier one's
cells, as in the published order. [octaves]"""


class Family(StrEnum):
    """Rows that are held to one bound; the tiers of the report."""

    FIXED_POINT = "4 fixed point"
    SHARED_EXPONENT = "4 shared exponents"
    SHARED_EXPONENT_BIAS = "4 shared exponents, biases"
    FLOAT_SUMS = "4 float sums"
    LINEAR_LOGARITHMS = "4 logarithms, linear sums"
    LOG_SUMS = "4 logarithms, log sums"
    MITCHELL_SUMS = "4 two-sided Mitchell adder"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyCase:
    """One published accuracy.

    Parameters
    ----------
    family
        Its tier.
    network
        A shipped float network.
    recipe
        None = the float network itself.
    images
        The first so many test images. [images]
    correct
        So many of them are right. [images]
    is_sample
        Whether it runs where no file is named.
    """

    family: Family
    network: str
    recipe: Recipe | None
    images: int
    correct: int
    is_sample: bool = False

    @property
    def text(self) -> str:
        """What ran, within the network."""
        if self.recipe is None:
            return f"fp32, {self.images:,} images"
        recipe = self.recipe
        parts = [recipe.weight_format.name]
        parts += [f"ifmap {recipe.ifmap_format.name}"] if recipe.ifmap_format != recipe.weight_format else []
        if recipe.weight_format.kind is NumberKind.INTEGER:
            parts.append(f"per {recipe.weight_scales}")
        parts += [recipe.calibration.value] if recipe.calibration else []
        parts += [accumulator_name(recipe.accumulator)] if recipe.accumulator else []
        return f"{', '.join(parts)}, {self.images:,} images"


BIASED = ("mnist_big_bn",)
"""Networks with biases, which batch norms leave when they are folded."""


def fixed_point_case(row: Mapping[str, str], _repeats: int = 0) -> AccuracyCase:
    """Read a row of the single-type table: one fixed-point type for all values of the network.

    Raises
    ------
    ValueError
        A word or number of the row means nothing.
    """
    images = whole(row, "images", 1, TEST_IMAGES)
    make = partial(_case, row, "mnist_webinar", images, share(row, "accuracy"))
    if row["accumulator"] == "fp32":
        return make(Family.FLOAT_SUMS, None)
    integer, fraction = whole(row, "int_bits_incl_sign", -64, 64), whole(row, "frac_bits", -64, 64)
    fmt = fixed_point_type(
        integer + fraction,
        integer,
        rounding=known(row, "quant", {mode.value: mode for mode in RoundingMode}),
        overflow=known(row, "overflow", {mode.value: mode for mode in OverflowMode}),
    )
    accumulators: dict[str, Callable[[FixedPoint], Accumulator]] = {
        "exact-wide": lambda _: ExactSum(),
        "per-MAC same type": lambda fmt: CastSum(format=fmt),
    }
    accumulator = known(row, "accumulator", accumulators)(fmt)
    return make(Family.FIXED_POINT, Recipe(weight_format=fmt, ifmap_format=fmt, accumulator=accumulator))


def format_case(row: Mapping[str, str], _repeats: int = 0) -> AccuracyCase:
    """Read a row of the table of formats.

    Raises
    ------
    ValueError
        As `fixed_point_case`.
    """
    network = known(row, "net", NETWORKS)
    make = partial(_case, row, network, TEST_IMAGES, share(row, "accuracy_10k"))
    scales, method = known(row, "granularity", SCALES), known(row, "calibration", METHODS)
    weight, ifmap = read_format(row, "weight_format"), read_format(row, "act_format")
    if {weight, ifmap} == {float_type("fp32")}:
        return make(Family.FLOAT_SUMS, None)
    kinds = {weight.kind, ifmap.kind}
    recipe = Recipe(
        weight_format=weight, ifmap_format=ifmap, ifmap_sign_is_free=False, calibration=method, weight_scales=scales,
        accumulator=ExactSum() if kinds == {NumberKind.LOGARITHMIC} else None,
    )  # fmt: skip
    if kinds <= {NumberKind.INTEGER}:
        return make(Family.SHARED_EXPONENT_BIAS if network in BIASED else Family.SHARED_EXPONENT, recipe)
    return make(Family.FIXED_POINT if kinds == {NumberKind.FIXED_POINT} else Family.FLOAT_SUMS, recipe)


def logarithmic_case(row: Mapping[str, str], repeats: int = 0) -> AccuracyCase:
    """Read a row of the table of logarithms.

    Parameters
    ----------
    row
        Column -> cell.
    repeats
        Rows before it with the same cells, the accuracy apart: tables of Gaussian logarithms of a shorter reach.

    Raises
    ------
    ValueError
        As `fixed_point_case`.
    """
    images = whole(row, "images", 1, TEST_IMAGES)
    width, fraction = whole(row, "width", 2, 16), whole(row, "frac_bits", 0, 15)
    is_unsigned = known(row, "act_unsigned", {"0": False, "1": True})
    make = known(row, "accumulation", {"lin": _linear, "log": _log})
    family, accumulator = make(row, repeats)
    recipe = Recipe(
        weight_format=logarithmic_type(width, fraction),
        ifmap_format=logarithmic_type(width, fraction, signed=not is_unsigned),
        accumulator=accumulator,
    )
    return _case(row, "mnist_webinar", images, share(row, "accuracy"), family, recipe)


def _case(  # noqa: PLR0917 - the callers fix the first four
    row: Mapping[str, str], network: str, images: int, accuracy: float, family: Family, recipe: Recipe | None
) -> AccuracyCase:
    return AccuracyCase(
        family=family, network=network, recipe=recipe, images=images, correct=round(accuracy * images),
        is_sample=row.get("sample") == "1",
    )  # fmt: skip


def _linear(row: Mapping[str, str], _repeats: int) -> tuple[Family, Accumulator]:
    """Read how logarithms are made linear and added up."""
    if row["antilog"] == "exact":
        return Family.FLOAT_SUMS, ExactSum()
    width, fraction = whole(row, "acc_bits_or_fa", 2, 63), whole(row, "lut_frac_bits", 0, 30)
    try:
        return Family.LINEAR_LOGARITHMS, parse_accumulator(f"linear<{width},{fraction},{row['antilog']}>")
    except ValueError as problem:
        raise ValueError(
            f"antilog must be exact, lut, mitchell or hyb1 to hyb15 (found {row['antilog']!r}): {first_line(problem)}"
        ) from problem


def _log(row: Mapping[str, str], repeats: int) -> tuple[Family, Accumulator]:
    """Read how logarithms are added without leaving their domain."""
    fraction = whole(row, "acc_bits_or_fa", 0, 16)
    kind = known(row, "antilog", {word: word for word in ("table", "mitchell", "bitshift")})
    if kind != "table":
        family = Family.MITCHELL_SUMS if kind == "mitchell" else Family.LOG_SUMS
        return family, parse_accumulator(f"log<{fraction},{kind}>")
    entries = whole(row, "table_entries", 1, 1 << 22)
    if entries == (fraction + 2) << fraction:
        return Family.LOG_SUMS, parse_accumulator(f"log<{fraction}>")
    reach = SHORT_REACH if repeats else DEFAULT_REACH
    if row.get("reach_octaves"):
        reach = whole(row, "reach_octaves", 1, 64)
    return Family.LOG_SUMS, parse_accumulator(f"log<{fraction},{entries},{reach}>")
