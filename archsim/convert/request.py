"""What the command line asks of a conversion, as texts, and the recipe and images that they mean.

Called by `conversion.py`. Every text that cannot be read is reported with the option it stood behind.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from archsim.convert.arithmetic import recipe_faults, weight_fault
from archsim.convert.cluster import ClusterRequest, CodebookScope
from archsim.convert.prune import parse_prune
from archsim.convert.recipe import Recipe, natural_ifmap
from archsim.errors import ConfigError
from archsim.numerics.accumulator_grammar import parse_accumulator
from archsim.numerics.format_grammar import parse_format, states_sign
from archsim.terms import CalibrationMethod, WeightScales

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of `archsim convert`, as they were typed; None = not given."""

    model: str
    format: str = "int8"
    weight_format: str | None = None
    ifmap_format: str | None = None
    accumulator: str | None = None
    calibration: str | None = None
    calibration_method: CalibrationMethod | None = None
    weight_scales: WeightScales = WeightScales.CHANNEL
    prune: str | None = None
    clusters: str | None = None
    fine_tune_epochs: float = 0.0
    accuracy_budget_points: float | None = None
    evaluate: str | None = None
    golden: str | None = None
    beside: str | None = None
    arch: str | None = None
    out: Path | None = None
    report: Path | None = None
    seed: int = 0

    def recipe(self) -> Recipe:
        """Return the passes and formats that are asked for.

        Raises
        ------
        ConfigError
            A text cannot be read, or formats and accumulator do not go together; all faults at once, each with its
            option.
        """
        faults: list[str] = []
        family = _read("--format", self.format, parse_format, faults)
        weight = _read("--weight-format", self.weight_format, parse_format, faults) or family
        ifmap = _read("--ifmap-format", self.ifmap_format, parse_format, faults)
        accumulator = _read("--accumulator", self.accumulator, parse_accumulator, faults)
        prune = _read("--prune", self.prune, parse_prune, faults)
        clusters = _read("--clusters", self.clusters, self._clusters, faults)
        _, method = self._calibration(faults)
        for name in self.formats_beside():
            beside = _read("--beside", name, parse_format, faults)
            if beside is not None and (fault := weight_fault(beside)):
                faults.append(f"--beside: {fault}")
        faults += self._number_faults()
        if faults or family is None or weight is None:
            raise ConfigError("\n".join(faults))
        budget = self.accuracy_budget_points
        recipe = Recipe(
            weight_format=weight,
            ifmap_format=ifmap or natural_ifmap(family),
            ifmap_sign_is_free=self.ifmap_format is None or not states_sign(self.ifmap_format),
            accumulator=accumulator,
            calibration=method,
            weight_scales=self.weight_scales,
            prune=prune,
            clusters=clusters,
            fine_tune_epochs=self.fine_tune_epochs,
            accuracy_budget=None if budget is None else budget / 100,
            seed=self.seed,
        )
        if unfit := list(recipe_faults(recipe)):
            raise ConfigError("\n".join(unfit))
        return recipe

    def _number_faults(self) -> Iterator[str]:
        """Yield the numbers that no random generator or training takes."""
        if self.seed < 0:
            yield f"--seed: {self.seed} must be 0 or more"
        if not math.isfinite(self.fine_tune_epochs):
            yield f"--fine-tune: {self.fine_tune_epochs} epochs never end"
        elif self.fine_tune_epochs < 0:
            yield f"--fine-tune: {self.fine_tune_epochs} epochs must be 0 or more"
        if self.accuracy_budget_points is not None and not 0 <= self.accuracy_budget_points <= 100:
            yield f"--accuracy-budget: {self.accuracy_budget_points} must be 0 to 100 points"

    def calibration_images(self) -> str | None:
        """Return the images to calibrate on: what is named, else the training part of what is evaluated on."""
        return self._calibration([])[0] or self.evaluate

    def calibration_names_images(self) -> bool:
        """Whether the calibration names images of its own, which are then meant to the letter."""
        return self._calibration([])[0] is not None

    def formats_beside(self) -> tuple[str, ...]:
        """Return the formats to show beside the one converted to."""
        if self.beside is None:
            return ("int8", "fp8_e4m3") if self.report is not None or self.arch is not None else ()
        return _split(self.beside)

    def _clusters(self, text: str) -> ClusterRequest:
        """Read ``ENTRIES`` or ``ENTRIES:SCOPE``."""
        entries, _, scope = text.partition(":")
        if not entries.strip().isdecimal() or scope not in ("", *CodebookScope):
            raise ValueError(
                f"{text!r} is no codebook; write the kernels in it and who shares it, as in 256:network or 128:layer"
            )
        return ClusterRequest(entries=int(entries), scope=CodebookScope(scope or CodebookScope.NETWORK), seed=self.seed)

    def _calibration(self, faults: list[str]) -> tuple[str | None, CalibrationMethod | None]:
        """Read ``IMAGES``, ``METHOD`` or both with a comma."""
        images, method = None, self.calibration_method
        for part in _split(self.calibration or ""):
            if part in list(CalibrationMethod):
                if method is not None and method != part:
                    faults.append(f"--calibration: {part!r} and {method.value!r} cannot both be the method")
                method = CalibrationMethod(part)
            elif images is not None:
                faults.append(f"--calibration: {images!r} and {part!r} cannot both be the images")
            else:
                images = part
        return images, method


def _read(option: str, text: str | None, parse: Callable[[str], Read], faults: list[str]) -> Read | None:
    """Return what a text means, or note why it means nothing."""
    if text is None:
        return None
    try:
        return parse(text)
    except (ValueError, ConfigError) as problem:
        faults.append(f"{option}: {problem}")
        return None


def _split(text: str) -> tuple[str, ...]:
    """Split at commas that stand outside of angle brackets and parentheses."""
    parts, depth = [""], 0
    for mark in text:
        depth += (mark in "<(") - (mark in ">)")
        if mark == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += mark
    return tuple(part.strip() for part in parts if part.strip())
