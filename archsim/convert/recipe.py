"""What a conversion is asked to do: one frozen value, read from the command line and kept in the workload's manifest.

Made by `request.py`; `pipeline.py` follows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archsim.convert.cluster import ClusterRequest
from archsim.convert.counted import counted
from archsim.convert.prune import PruneRequest
from archsim.numerics.accumulator import Accumulator
from archsim.numerics.accumulator_grammar import accumulator_name
from archsim.numerics.minifloat import float_type
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.terms import CalibrationMethod, WeightScales

SCALED_FLOAT_BITS = 8
"""Floats of more bits reach far beyond what tensors hold: a scale would only make larger values saturate. [b]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Passes and formats.

    Parameters
    ----------
    weight_format, ifmap_format
        Of all weights; of the network's input and every ofmap between layers. Integers without a stated sign
        become unsigned where nothing is negative, if ``ifmap_sign_is_free``.
    ifmap_sign_is_free
        The name of the integer format leaves its sign open (``int8``, ``sx<8>``); False = it says it (``uint8``, ``sx<8,1>``).
    accumulator
        None = the natural one of the formats: see `default_accumulator`.
    calibration
        None = the natural one: mse for integers, max for logarithms and floats of up to 8 bits, none for fixed point
        and wider floats, whose range is not scarce.
    weight_scales
        Of integer formats; clustered layers have one scale per codebook. Others have one per tensor.
    prune, clusters
        None = the pass is left out.
    fine_tune_epochs
        Of the centroids (or of the pruned weights); 0 = no fine-tuning. [epochs]
    accuracy_budget
        Accuracy that the search for the bits of each layer may give away, 0..1; None = no search.
    seed
        Of every random choice.
    """

    weight_format: NumberFormat
    ifmap_format: NumberFormat
    ifmap_sign_is_free: bool = True
    accumulator: Accumulator | None = None
    calibration: CalibrationMethod | None = None
    weight_scales: WeightScales = WeightScales.CHANNEL
    prune: PruneRequest | None = None
    clusters: ClusterRequest | None = None
    fine_tune_epochs: float = 0.0
    accuracy_budget: float | None = None
    seed: int = 0

    def method_for(self, fmt: NumberFormat) -> CalibrationMethod:
        """Return how the scale of a tensor of this format is chosen."""
        if fmt.kind is NumberKind.FIXED_POINT:
            return CalibrationMethod.NONE
        if self.calibration is not None:
            return self.calibration
        if fmt.kind is NumberKind.FLOAT and fmt.width_bits > SCALED_FLOAT_BITS:
            return CalibrationMethod.NONE
        return CalibrationMethod.MSE if fmt.kind is NumberKind.INTEGER else CalibrationMethod.MAX

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield (setting, value) in words, in the order of the passes."""
        yield "prune", self.prune.text if self.prune else "no"
        yield "clusters", self.clusters.text if self.clusters else "no"
        yield "fine-tuning", counted(self.fine_tune_epochs, "epoch") if self.fine_tune_epochs else "no"
        yield "weights", f"{self.weight_format.name}, {self._weight_scale()}"
        yield "ifmaps and ofmaps", self.ifmap_format.name
        yield "accumulator", accumulator_name(self.accumulator) if self.accumulator else "natural to the formats"
        methods = {self.method_for(fmt).value for fmt in (self.weight_format, self.ifmap_format)}
        yield "calibration", " and ".join(sorted(methods))
        budget = self.accuracy_budget
        yield (
            "bits per layer",
            "as given" if budget is None else f"searched, {100 * budget:g} points of accuracy allowed",
        )
        yield "seed", str(self.seed)

    def _weight_scale(self) -> str:
        """Say what shares a scale of the weights."""
        if self.weight_format.kind is NumberKind.SIGN:
            return "one scale per channel"
        if self.method_for(self.weight_format) is CalibrationMethod.NONE:
            return "no scale"
        is_integer = self.weight_format.kind is NumberKind.INTEGER
        shared = f"one scale per {self.weight_scales if is_integer else WeightScales.TENSOR}"
        return shared if self.clusters is None else f"{shared}, a codebook has one"


def natural_ifmap(family: NumberFormat) -> NumberFormat:
    """Return the format of ifmaps where one format is named: the same, but fp32 beside binary and ternary weights."""
    return float_type("fp32") if family.kind is NumberKind.SIGN else family
