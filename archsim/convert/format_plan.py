"""Which format each tensor of a network is written in, before any value is: one frozen value.

`plan_formats` gives all layers the recipe's formats; `bit_search.py` lowers the bits of some. `quantise.py` follows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from archsim.convert.calibrate import TensorRange
from archsim.convert.recipe import Recipe
from archsim.convert.stages import Stage
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.number_format import NumberFormat, NumberKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatPlan:
    """Formats by name.

    Parameters
    ----------
    ifmap
        Of the network's input.
    weights
        Product stage -> format.
    ofmaps
        Stage that computes new values -> format; None = its sums leave as they are (logits).
    """

    ifmap: NumberFormat
    weights: Mapping[str, NumberFormat]
    ofmaps: Mapping[str, NumberFormat | None]

    def with_weight(self, stage: str, fmt: NumberFormat) -> "FormatPlan":
        """Return the plan with the weights of one stage in another format."""
        return replace(self, weights={**self.weights, stage: fmt})

    def with_ofmap(self, stage: str, fmt: NumberFormat) -> "FormatPlan":
        """Return the plan with the ofmap of one stage ("" = the network's input) in another format."""
        if not stage:
            return replace(self, ifmap=fmt)
        return replace(self, ofmaps={**self.ofmaps, stage: fmt})

    def tensors(self, stages: tuple[Stage, ...]) -> Iterator[tuple[str, NumberFormat]]:
        """Yield (float node whose values decide, format) for each tensor that needs a scale."""
        yield "", self.ifmap
        for stage in stages:
            fmt = self.ofmaps.get(stage.name)
            if fmt is not None:
                yield stage.measured, fmt


def plan_formats(recipe: Recipe, stages: tuple[Stage, ...], ranges: Mapping[str, TensorRange]) -> FormatPlan:
    """Give every tensor the recipe's format; integers lose their sign where nothing is negative.

    The logits keep their sums, unless the format is fixed point: there one type holds every value of the chip.
    """
    keeps_sums = recipe.ifmap_format.kind is not NumberKind.FIXED_POINT
    return FormatPlan(
        ifmap=_signed_as_needed(recipe, ranges[""]),
        weights={stage.name: _signed(recipe.weight_format) for stage in stages if stage.is_product},
        ofmaps={
            stage.name: None
            if stage.is_last and keeps_sums and stage.is_product
            else _signed_as_needed(recipe, ranges[stage.measured])
            for stage in stages
            if stage.makes_codes
        },
    )


def _signed_as_needed(recipe: Recipe, found: TensorRange) -> NumberFormat:
    fmt = recipe.ifmap_format
    if isinstance(fmt, FixedPoint) and fmt.kind is NumberKind.INTEGER and recipe.ifmap_sign_is_free:
        return fmt.as_unsigned() if found.lowest >= 0 else fmt.as_signed()
    return fmt


def _signed(fmt: NumberFormat) -> NumberFormat:
    """Return an integer format with a sign: weights have both."""
    if isinstance(fmt, FixedPoint) and fmt.kind is NumberKind.INTEGER:
        return fmt.as_signed()
    return fmt
