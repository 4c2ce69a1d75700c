"""The keys of a layer's ``zero_fractions`` and ``zero_pattern``, which `layer_forms.py` hangs on its forms."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from archsim.errors import WorkloadError
from archsim.workload.zero_pattern import ZeroFractions, ZeroKind, ZeroPattern, ZeroPatterns

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class ZeroFractionsForm(BaseModel):
    """Keys of ``zero_fractions``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ifmap: Share | None = None
    weight: Share | None = None
    ofmap: Share | None = None

    def build(self) -> ZeroFractions:
        """Return the checked fractions."""
        return ZeroFractions(ifmap=self.ifmap, weight=self.weight, ofmap=self.ofmap)


class PatternForm(BaseModel):
    """Keys of one operand's pattern."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ZeroKind = ZeroKind.IID
    mean_run: Annotated[float, Field(ge=1.0, allow_inf_nan=False)] | None = None
    spread: Share | None = None
    images_std: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0

    @model_validator(mode="after")
    def _keys_go_together(self) -> "PatternForm":
        try:
            self.build()
        except WorkloadError as problem:
            raise ValueError(str(problem)) from None
        return self

    def build(self) -> ZeroPattern:
        """Return the checked pattern."""
        return ZeroPattern(kind=self.kind, mean_run=self.mean_run, spread=self.spread, images_std=self.images_std)


class ZeroPatternForm(BaseModel):
    """Keys of ``zero_pattern``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ifmap: PatternForm | None = None
    weight: PatternForm | None = None

    def build(self, name: str, fractions: ZeroFractions) -> ZeroPatterns:
        """Return the patterns of the layer of this name.

        Raises
        ------
        WorkloadError
            The layer does not say how many zeros there are, or no tensor with that share has the pattern.
        """
        try:
            plain = ZeroPattern()
            patterns = ZeroPatterns(
                ifmap=self.ifmap.build() if self.ifmap else plain, weight=self.weight.build() if self.weight else plain
            )
        except WorkloadError as problem:
            raise WorkloadError(f"layer {name!r}: zero_pattern: {problem}") from problem
        given = (
            ("ifmap", self.ifmap, patterns.ifmap, fractions.ifmap),
            ("weight", self.weight, patterns.weight, fractions.weight),
        )  # fmt: skip
        for operand, form, pattern, share in given:
            needs = f"needs zero_fractions.{operand}: how many zeros there are"
            fault = "" if form is None else needs if share is None else pattern.fault(share)
            if fault:
                raise WorkloadError(f"layer {name!r}: zero_pattern.{operand}: {fault}")
        return patterns
