"""A table file brought to one technology node; called by `energy_table.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from archsim.cost.arithmetic import Arithmetic, OperatorKind, WidthCurve
from archsim.cost.node_scaling import NodeScaling
from archsim.cost.table_schema import Number, OperatorAreas, OperatorEnergies, ScalingFactors, TableFile

_POWERS = {
    OperatorKind.INTEGER_MULTIPLY: 2, OperatorKind.FLOAT_MULTIPLY: 2,
    OperatorKind.INTEGER_ADD: 1, OperatorKind.FLOAT_ADD: 1, OperatorKind.LOGARITHMIC_CONVERT: 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledTable:
    """A file's numbers as they are at a node.

    Parameters
    ----------
    file
        The table as written.
    node_nm
        Wanted node. [nm]
    """

    file: TableFile
    node_nm: float

    @property
    def scaling(self) -> NodeScaling:
        """The file's factors."""
        factors = self.file.scaling
        return NodeScaling(energy=ScalingFactors.points(factors.energy), area=ScalingFactors.points(factors.area))

    def energy_factor(self, from_nm: float | None) -> float:
        """From a number's node, or the table's, to the wanted one."""
        return self.scaling.energy_factor(from_nm=from_nm or self.file.node_nm, to_nm=self.node_nm)

    def area_factor(self, from_nm: float | None) -> float:
        """From a number's node, or the table's, to the wanted one."""
        return self.scaling.area_factor(from_nm=from_nm or self.file.node_nm, to_nm=self.node_nm)

    def energies(self) -> Arithmetic:
        """Energy of every operator. [pJ]"""
        return self._arithmetic(self.file.energy, lambda number: number.value * self.energy_factor(number.node_nm))

    def areas(self) -> Arithmetic:
        """Area of every operator. [um2]"""
        return self._arithmetic(self.file.area, lambda number: number.value * self.area_factor(number.node_nm))

    def _arithmetic(self, operators: OperatorEnergies | OperatorAreas, scaled: Callable[[Number], float]) -> Arithmetic:
        curves = {
            kind: WidthCurve(
                points=tuple((entry.width_bits, scaled(entry)) for entry in getattr(operators, kind.value)), power=power
            )
            for kind, power in _POWERS.items()
        }
        return Arithmetic(curves=curves, adds_per_logarithmic_add=self.file.logarithmic_add.value)
