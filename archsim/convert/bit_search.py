"""Bits per layer against an accuracy budget: greedy, one bit of one tensor at a time.

Called by `pipeline.py` after the calibration. Imagination's conversion tools search the same space ("variable bit
depth", mostly 5 to 12 bits per layer); the order of steps here is our own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from archsim.convert.format_plan import FormatPlan
from archsim.convert.stages import Stage
from archsim.errors import WorkloadError
from archsim.numerics.fixed_point import FixedPoint, integer_type
from archsim.numerics.number_format import NumberFormat, NumberKind

LEAST_BITS = 2
"""Of a tensor. [b]"""
Score = Callable[[FormatPlan], int]
"""Images of the search set that a plan classifies rightly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """What may become narrower.

    Parameters
    ----------
    stages
        Of the network.
    weight_words, ofmap_words
        Stage -> words; the ofmap of "" is the network's input. [words]
    images
        Of the search set.
    budget
        Share of them that may be lost against the plan that the search starts from, 0..1.
    """

    stages: tuple[Stage, ...]
    weight_words: Mapping[str, int]
    ofmap_words: Mapping[str, int]
    images: int
    budget: float


def narrower(fmt: NumberFormat) -> NumberFormat | None:
    """Return the integer format with one bit less; None at two bits, or where it is no integer with a free scale."""
    if not isinstance(fmt, FixedPoint) or fmt.kind is not NumberKind.INTEGER or fmt.width_bits <= LEAST_BITS:
        return None
    return integer_type(fmt.width_bits - 1, signed=fmt.signed)


def widths_below(fmt: NumberFormat) -> Iterator[NumberFormat]:
    """Yield the format and every narrower one."""
    step: NumberFormat | None = fmt
    while step is not None:
        yield step
        step = narrower(step)


def search_bits(plan: FormatPlan, space: SearchSpace, score: Score) -> FormatPlan:
    """Lower bits while the accuracy allows it.

    Each round tries every tensor with one bit less and keeps the one that loses the fewest images per bit of
    storage saved; among those that lose none, the one that saves most.

    Raises
    ------
    WorkloadError
        The formats are not integers with scales of their own.
    """
    if not any(narrower(fmt) for fmt in plan.weights.values()):
        raise WorkloadError("only integer formats (intN, sx<b>) of more than 2 bits can be searched for bits per layer")
    now = score(plan)
    least = now - int(space.budget * space.images)
    while True:
        tried = [(score(candidate), saved, candidate) for saved, candidate in _candidates(plan, space)]
        allowed = [each for each in tried if each[0] >= least]
        if not allowed:
            return plan
        costs = [(max(0, now - correct) / saved, -saved) for correct, saved, _ in allowed]
        now, _, plan = allowed[costs.index(min(costs))]


def _candidates(plan: FormatPlan, space: SearchSpace) -> Iterator[tuple[int, FormatPlan]]:
    """Yield (bits of storage saved, plan) for each tensor with one bit less."""
    for stage, weight in plan.weights.items():
        less = narrower(weight)
        if less is not None:
            yield space.weight_words[stage], plan.with_weight(stage, less)
    for stage, ofmap in (("", plan.ifmap), *plan.ofmaps.items()):
        less = None if ofmap is None else narrower(ofmap)
        if less is not None:
            yield space.ofmap_words[stage], plan.with_ofmap(stage, less)
