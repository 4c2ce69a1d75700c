"""The number format of each operand: of a chip's registers and multipliers, or of one layer of a converted workload."""

from dataclasses import dataclass

from archsim.numerics.number_format import NumberFormat
from archsim.terms import Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class OperandFormats:
    """One format per operand that a level can hold."""

    ifmap: NumberFormat
    weight: NumberFormat
    psum: NumberFormat
    ofmap: NumberFormat

    def of(self, operand: Operand) -> NumberFormat:
        """Return the format of an operand."""
        fmt: NumberFormat = getattr(self, operand.value)
        return fmt
