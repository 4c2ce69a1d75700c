"""Which formats a network can be converted to, and in which registers their products can be added.

Called by `request.py` before any work is done, and by `sums.py` for each layer.
"""

from collections.abc import Iterator

from archsim.convert.bit_search import narrower
from archsim.convert.recipe import Recipe
from archsim.numerics.accumulator import Accumulator, CastSum, ExactSum, FloatSum, FloatSumKind, LinearSum, LogSum
from archsim.numerics.accumulator_grammar import accumulator_name, default_accumulator
from archsim.numerics.coded_tensor import INTEGER_KINDS
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.logarithmic import Logarithmic
from archsim.numerics.minifloat import Minifloat
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.products import WIDEST_SATURATING_BITS
from archsim.numerics.sign_levels import SignLevels

LEAST_INTEGER_BITS = 2
"""Of an integer with a scale: its sign and one bit. [b]"""
MOST_INTEGER_BITS = 32
"""Of an integer or fixed-point operand: sums of the products of wider ones leave an int64. [b]"""


def weight_fault(fmt: NumberFormat) -> str | None:
    """Say why weights cannot be converted to a format; None = they can.

    Notes
    -----
    Integers are always given a sign (`format_plan.py`). A fixed-point type without one is taken at its word: it writes
    negative weights as its overflow mode says. Logarithms without a sign are refused.
    """
    if isinstance(fmt, SignLevels):
        return None
    if fmt.kind not in INTEGER_KINDS and not fmt.is_signed:
        return f"{fmt.name} has no sign, which weights need"
    return _fault_of(fmt)


def ifmap_fault(fmt: NumberFormat) -> str | None:
    """Say why ifmaps and ofmaps cannot be converted to a format; None = they can."""
    if isinstance(fmt, SignLevels):
        return f"{fmt.name} is a format of weights. Ifmaps can be integers, fixed point, floats or logarithms"
    return _fault_of(fmt)


def sum_fault(ifmap: NumberFormat, weight: NumberFormat, accumulator: Accumulator | None) -> str | None:
    """Say why products of two formats cannot be added up in a register (None = the natural one); None = they can."""
    register = accumulator or default_accumulator(ifmap, weight)
    name = f"{accumulator_name(register)} does not add up products of {ifmap.name} and {weight.name}"
    if isinstance(ifmap, Logarithmic) and isinstance(weight, Logarithmic):
        why = _logarithmic_fault(ifmap, weight, register)
    elif {ifmap.kind, weight.kind} <= INTEGER_KINDS:
        why = _integer_fault(weight, register)
    else:
        why = None if isinstance(register, FloatSum) else "Floats take fp32, fp64 or kulisch"
        if register == FloatSum(kind=FloatSumKind.KULISCH) and NumberKind.LOGARITHMIC in {ifmap.kind, weight.kind}:
            why = "Logarithms beside other formats take fp32 or fp64"
    return None if why is None else f"{name}. {why}"


def recipe_faults(recipe: Recipe) -> Iterator[str]:
    """Yield what of a recipe cannot be, or does not go together."""
    weight, ifmap = recipe.weight_format, recipe.ifmap_format
    of_weights, of_ifmaps = weight_fault(weight), ifmap_fault(ifmap)
    if of_weights == of_ifmaps and of_weights:
        yield f"weights and ifmaps: {of_weights}"
        return
    if of_weights:
        yield f"weights: {of_weights}"
    if of_ifmaps:
        yield f"ifmaps: {of_ifmaps}"
    if of_weights or of_ifmaps:
        return
    if fault := sum_fault(ifmap, weight, recipe.accumulator):
        yield f"{'--accumulator' if recipe.accumulator else 'weights and ifmaps'}: {fault}"
    if recipe.accuracy_budget is not None and narrower(weight) is None:
        yield f"--accuracy-budget: bits can be searched for weights of intN or sx<b> above 2 bits, not of {weight.name}"


def _fault_of(fmt: NumberFormat) -> str | None:
    if not isinstance(fmt, FixedPoint | Minifloat | Logarithmic):
        return f"{fmt.name} is known by its width only: values cannot be converted to it"
    if not isinstance(fmt, FixedPoint):
        return None
    least = LEAST_INTEGER_BITS if fmt.kind is NumberKind.INTEGER else 1
    if least <= fmt.width_bits <= MOST_INTEGER_BITS:
        return None
    bits = "1 bit" if fmt.width_bits == 1 else f"{fmt.width_bits} bits"
    return f"{fmt.name} takes {bits}; a conversion takes {least} to {MOST_INTEGER_BITS}"


def _integer_fault(weight: NumberFormat, register: Accumulator) -> str | None:
    if isinstance(weight, SignLevels) and not weight.scale_is_power_of_two:
        is_float = isinstance(register, FloatSum) and register.kind is not FloatSumKind.KULISCH
        return None if is_float or register == ExactSum() else "Weights of exact scales take exact, fp32 or fp64"
    if isinstance(register, FloatSum | LinearSum | LogSum):
        return "Integers take exact, exact<W>, wrap<W>, sat<W,F> or a fixed-point type"
    if isinstance(register, CastSum) and register.format.width_bits > WIDEST_SATURATING_BITS:
        return f"A sum that is cast takes at most {WIDEST_SATURATING_BITS} bits"
    return None


def _logarithmic_fault(ifmap: Logarithmic, weight: Logarithmic, register: Accumulator) -> str | None:
    if isinstance(register, FloatSum):
        return None if register.kind is not FloatSumKind.KULISCH else "Logarithms are no sums of powers of two"
    if isinstance(register, LinearSum | LogSum):
        return _logarithm_bits_fault(ifmap, weight, register)
    return None if register == ExactSum() else "Logarithms take linear<A>, log<fa>, exact, fp32 or fp64"


def _logarithm_bits_fault(ifmap: Logarithmic, weight: Logarithmic, register: LinearSum | LogSum) -> str | None:
    if ifmap.fraction_bits != weight.fraction_bits:
        return f"They have {ifmap.fraction_bits} and {weight.fraction_bits} fraction bits: their logarithms do not add"
    if isinstance(register, LogSum) and register.fraction_bits < ifmap.fraction_bits:
        return f"Its logarithms need {ifmap.fraction_bits} fraction bits or more, as the operands have"
    if isinstance(register, LinearSum) and register.width_bits > WIDEST_SATURATING_BITS:
        return f"A saturating register takes at most {WIDEST_SATURATING_BITS} bits"
    return None
