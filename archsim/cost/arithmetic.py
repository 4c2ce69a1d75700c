"""What a multiplication or an addition costs in a number format: energy and area by the same rules.

`mac_operators` says which operators a MAC is made of; an `Arithmetic` prices them. Called by
`energy_table.py` (pJ), `area.py` (um2) and `assumptions.py`. Published numbers exist for a few widths
only; a multiplier grows with the product of its widths, an adder with its width.
"""

from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from math import fsum, sqrt

from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.operand_formats import OperandFormats


class OperatorKind(StrEnum):
    """An operator, by its key in a table file."""

    INTEGER_MULTIPLY = "integer_multiply"
    INTEGER_ADD = "integer_add"
    FLOAT_MULTIPLY = "float_multiply"
    FLOAT_ADD = "float_add"
    LOGARITHMIC_CONVERT = "logarithmic_convert"
    LOGARITHMIC_ADD = "logarithmic_add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator of one width. [b]"""

    kind: OperatorKind
    width_bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthCurve:
    """A cost over word width: straight lines in ``width ** power`` between the listed widths.

    Parameters
    ----------
    points
        (width, cost) pairs in rising order of width. [b, cost]
    power
        2 for multipliers, 1 for adders.

    Notes
    -----
    Outside the listed widths the cost is proportional to ``width ** power``.
    """

    points: tuple[tuple[int, float], ...]
    power: int

    def at(self, width_bits: float) -> float:
        """Cost at a width; the listed number itself where there is one."""
        widths = [width for width, _ in self.points]
        right = bisect_left(widths, width_bits)
        if self.lists(width_bits):
            return self.points[right][1]
        if right in (0, len(widths)):
            nearest, cost = self.points[min(right, len(widths) - 1)]
            return float(cost * (width_bits / nearest) ** self.power)
        (low_width, low), (high_width, high) = self.points[right - 1], self.points[right]
        x, x_low, x_high = (float(width) ** self.power for width in (width_bits, low_width, high_width))
        return low + (high - low) * (x - x_low) / (x_high - x_low)

    def lists(self, width_bits: float) -> bool:
        """Whether the width is one of the listed ones."""
        return any(width == width_bits for width, _ in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Costs of the operators that a PE or a lane is made of.

    Parameters
    ----------
    curves
        Cost over width of every kind but `OperatorKind.LOGARITHMIC_ADD`.
    adds_per_logarithmic_add
        A sum of two LNS values, in integer adds of the same width.
    """

    curves: dict[OperatorKind, WidthCurve]
    adds_per_logarithmic_add: float

    def cost(self, *operators: Operator) -> float:
        """Sum over operators."""
        return fsum(self._cost_of_one(operator) for operator in operators)

    def lists(self, operator: Operator) -> bool:
        """Whether the operator's width is listed, not interpolated."""
        return self._curve(operator).lists(operator.width_bits)

    def _cost_of_one(self, operator: Operator) -> float:
        cost = self._curve(operator).at(operator.width_bits)
        return cost * self.adds_per_logarithmic_add if operator.kind is OperatorKind.LOGARITHMIC_ADD else cost

    def _curve(self, operator: Operator) -> WidthCurve:
        is_log_add = operator.kind is OperatorKind.LOGARITHMIC_ADD
        return self.curves[OperatorKind.INTEGER_ADD if is_log_add else operator.kind]


def mac_operators(formats: OperandFormats) -> tuple[Operator, ...]:
    """Return what one MAC is made of: a multiplier, conversions to and from logarithms, an adder.

    Notes
    -----
    Fixed point is an integer of its width, an LNS product an integer add. Not modelled: how a float's
    bits are split (bf16 costs as fp16), the shift between fixed-point formats, rounding, saturation.
    """
    return (_multiplier(formats.ifmap, formats.weight), *_converters(formats), adder(formats.psum))


def adder(fmt: NumberFormat) -> Operator:
    """Return the operator that adds two values of a format."""
    kinds = {NumberKind.FLOAT: OperatorKind.FLOAT_ADD, NumberKind.LOGARITHMIC: OperatorKind.LOGARITHMIC_ADD}
    return Operator(kind=kinds.get(fmt.kind, OperatorKind.INTEGER_ADD), width_bits=fmt.width_bits)


def _multiplier(ifmap: NumberFormat, weight: NumberFormat) -> Operator:
    """Take a square multiplier of the geometric mean width; of the wider one where two kinds of number meet."""
    kinds = {ifmap.kind, weight.kind}
    mean, wider = sqrt(ifmap.width_bits * weight.width_bits), max(ifmap.width_bits, weight.width_bits)
    if kinds == {NumberKind.LOGARITHMIC}:
        return Operator(kind=OperatorKind.INTEGER_ADD, width_bits=wider)
    if NumberKind.FLOAT in kinds:
        return Operator(kind=OperatorKind.FLOAT_MULTIPLY, width_bits=mean if len(kinds) == 1 else wider)
    is_mixed = NumberKind.LOGARITHMIC in kinds
    return Operator(kind=OperatorKind.INTEGER_MULTIPLY, width_bits=wider if is_mixed else mean)


def _converters(formats: OperandFormats) -> tuple[Operator, ...]:
    """One per value that turns from a logarithm to a linear number or back on its way through a MAC."""
    operands = (formats.ifmap, formats.weight)
    logarithmic = [fmt.width_bits for fmt in operands if fmt.kind is NumberKind.LOGARITHMIC]
    is_log_product = len(logarithmic) == 2
    widths = [] if is_log_product else logarithmic
    if is_log_product != (formats.psum.kind is NumberKind.LOGARITHMIC):
        widths = [*widths, max(fmt.width_bits for fmt in operands)]
    return tuple(Operator(kind=OperatorKind.LOGARITHMIC_CONVERT, width_bits=width) for width in widths)
