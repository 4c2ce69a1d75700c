"""A network as it was on real images, and all that then decides its codes: formats, ranges, scales.

Made by `pipeline.py`, by `validate/` and by scripts, wherever a network is written in a format; `quantise.py` follows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.convert.bit_search import widths_below
from archsim.convert.calibrate import TensorRange, choose_exponents, measure_ranges
from archsim.convert.cluster import ClusteredNetwork
from archsim.convert.float_network import FloatArray, FloatNetwork
from archsim.convert.format_plan import FormatPlan, plan_formats
from archsim.convert.recipe import Recipe
from archsim.convert.stages import Stage, cut_into_stages
from archsim.numerics.number_format import NumberFormat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """A network and its calibration.

    Parameters
    ----------
    network
        Batch norm folded.
    stages
        Of it.
    images
        Of the calibration, shape (N, *ifmap_shape).
    ranges
        Of every tensor over them.
    clustering
        Codebooks; None = none.
    """

    network: FloatNetwork
    stages: tuple[Stage, ...]
    images: FloatArray
    ranges: Mapping[str, TensorRange]
    clustering: ClusteredNetwork | None = None

    def plan(self, recipe: Recipe, *, with_narrower: bool = False) -> "tuple[Calibrated, FormatPlan]":
        """Give every tensor the recipe's format and its scale; ``with_narrower``: and those of all fewer bits."""
        plan = plan_formats(recipe, self.stages, self.ranges)
        wanted = list(plan.tensors(self.stages))
        if with_narrower:
            wanted = [(name, narrow) for name, fmt in wanted for narrow in widths_below(fmt)]
        asked = [(name, fmt, recipe.method_for(fmt)) for name, fmt in wanted]
        exponents = choose_exponents(self.network, self.images, self.ranges, asked)
        return Calibrated(measured=self, recipe=recipe, exponents=exponents), plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibrated:
    """All that decides the codes of a network.

    Parameters
    ----------
    measured
        The network, its stages, ranges and codebooks.
    recipe
        As asked.
    exponents
        (float node, format) -> scale of the tensor.
    """

    measured: Measured
    recipe: Recipe
    exponents: Mapping[tuple[str, NumberFormat], int]


def measure_network(network: FloatNetwork, images: FloatArray, clustering: ClusteredNetwork | None = None) -> Measured:
    """Run the calibration images and note the range of every tensor."""
    return Measured(
        network=network, stages=cut_into_stages(network), images=images, ranges=measure_ranges(network, images),
        clustering=clustering,
    )  # fmt: skip
