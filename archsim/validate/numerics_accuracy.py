"""Published accuracies against bit-true ones, on MNIST's test images. Called by `numerics.py`.

A network is read, folded and measured once; each row then writes its codes in its own formats, as `archsim convert`
would, and classifies as many images as the row names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from archsim.catalog import find_model
from archsim.conversion import CALIBRATION_IMAGES
from archsim.convert.evaluate import coded_accuracy, float_accuracy
from archsim.convert.float_reader import read_float_network
from archsim.convert.fold_batchnorm import fold_batchnorm
from archsim.convert.image_files import ImageSet, read_images
from archsim.convert.measured import Measured, measure_network
from archsim.convert.quantise import coded_in
from archsim.validate.numerics_cases import AccuracyCase, Family
from archsim.validate.suite import EQUAL, Bound, Row, Statistic, Tier

FLOAT_SUM_IMAGES = 2
"""Images that may fall otherwise where the sums are floats, whose order is not published. [images]"""
WITHIN = (Bound(statistic=Statistic.MAX, limit=FLOAT_SUM_IMAGES, is_distance=True),)
WITHIN_ONE = (Bound(statistic=Statistic.MAX, limit=1, is_distance=True),)
CLAIMS = {
    Family.FIXED_POINT: ("one fixed-point type for all values: the same images right", EQUAL),
    Family.SHARED_EXPONENT: ("integers times powers of two: the same images right", EQUAL),
    Family.SHARED_EXPONENT_BIAS: ("the same with float biases, which the reference added in float32", WITHIN_ONE),
    Family.FLOAT_SUMS: ("float networks, FP8, decoded logarithms, signs times scales: sums are floats", WITHIN),
    Family.LINEAR_LOGARITHMS: ("logarithms, made linear and added as integers: the same images right", EQUAL),
    Family.LOG_SUMS: ("logarithms, added by tables or shifts in their own domain: the same images right", EQUAL),
    Family.MITCHELL_SUMS: ("logarithms, added by Mitchell's approximation on both sides", ()),
}
"""Family -> what is compared, and its bounds."""
MITCHELL_NOTE = (
    "not gated: where this adder rounds inside is not published, and sums of up to 2352 terms follow every choice; archsim "
    "computes 2^-D and 1 - 2^-D exactly, rounds both logarithms down, and adds nothing beyond the reach of a full table"
)
BIAS_NOTE = (
    "sums of integers and float biases, added in float32 as the reference did, give its counts on all rows tried; archsim "
    "adds integers exactly, its biases finer than the products, and differs by one image on two rows (7 bits)"
)
OWN_NOTES = {Family.MITCHELL_SUMS: MITCHELL_NOTE, Family.SHARED_EXPONENT_BIAS: BIAS_NOTE}


@dataclass(frozen=True, eq=False)
class Mnist:
    """The images of all rows, and the networks that were measured on them.

    Parameters
    ----------
    calibration
        The first training images: scales are chosen on them.
    test
        All test images.
    """

    calibration: ImageSet
    test: ImageSet

    @cached_property
    def _networks(self) -> dict[str, Measured]:
        return {}

    def network(self, name: str) -> Measured:
        """Return a shipped network, read and measured once."""
        if name not in self._networks:
            network = fold_batchnorm(read_float_network(find_model(name)))
            self._networks[name] = measure_network(network, self.calibration.values)
        return self._networks[name]

    def correct(self, case: AccuracyCase) -> int:
        """Return how many of the row's images archsim gets right. [images]"""
        network, images = self.network(case.network), self.test.first(case.images)
        if case.recipe is None:
            return float_accuracy(network.network, images).correct
        return coded_accuracy(coded_in(network, case.recipe), images).correct


def read_mnist() -> Mnist:
    """Read the images.

    Raises
    ------
    ConfigError
        They are not where they are looked for, or broken: the sentence says how to name their folder.
    """
    return Mnist(calibration=read_images(f"mnist:train:{CALIBRATION_IMAGES}"), test=read_images("mnist:test"))


def accuracy_tiers(cases: Sequence[AccuracyCase], mnist: Mnist, notes: tuple[str, ...] = ()) -> list[Tier]:
    """Run published rows, a tier for each family among them.

    Raises
    ------
    WorkloadError
        The formats of a row do not go together.
    """
    return [
        _tier(family, [_row(case, mnist) for case in cases if case.family is family], notes=notes)
        for family in Family
        if any(case.family is family for case in cases)
    ]


def skipped_accuracy_tiers(cases: Iterable[AccuracyCase], reason: str) -> list[Tier]:
    """Return the same tiers where the images are missing."""
    present = {case.family for case in cases}
    return [_tier(family, [], reason=reason) for family in Family if family in present]


def _tier(family: Family, rows: list[Row], *, notes: tuple[str, ...] = (), reason: str = "") -> Tier:
    claim, bounds = CLAIMS[family]
    own = (OWN_NOTES[family],) if family in OWN_NOTES else ()
    return Tier(name=family.value, claim=claim, quantity="images classified rightly", unit="images", rows=tuple(rows),
                bounds=bounds, notes=(*own, *notes), skipped=reason)  # fmt: skip


def _row(case: AccuracyCase, mnist: Mnist) -> Row:
    return Row(group=case.network, case=case.text, published=case.correct, simulated=mnist.correct(case))
