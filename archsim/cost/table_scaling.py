"""A table file brought to one technology node; called by `energy_table.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from archsim.cost import node_scaling
from archsim.cost.arithmetic import Arithmetic, OperatorKind, WidthCurve
from archsim.cost.table_schema import Number, OperatorAreas, OperatorEnergies, TableFile, WireEnergy

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

    def energy_factor(self, from_nm: float | None) -> float:
        """From a number's node, or the table's, to the wanted one, at the table's voltages."""
        return self.energy_between(from_nm or self.file.node_nm, self.node_nm)

    def area_factor(self, from_nm: float | None) -> float:
        """From a number's node, or the table's, to the wanted one."""
        return self.area_between(from_nm or self.file.node_nm, self.node_nm)

    def energy_between(self, from_nm: float, to_nm: float) -> float:
        """From one node to another, at the table's voltages."""
        scaling = self.file.scaling
        return node_scaling.energy_factor(
            from_nm=from_nm,
            to_nm=to_nm,
            from_volts=scaling.table_supply.value,
            to_volts=scaling.chip_supply.value,
        )

    def area_between(self, from_nm: float, to_nm: float) -> float:
        """From one node to another."""
        return node_scaling.area_factor(from_nm=from_nm, to_nm=to_nm)

    def energies(self) -> Arithmetic:
        """Energy of every operator. [pJ]"""
        return self._arithmetic(self.file.energy, lambda number: number.value * self.energy_factor(number.node_nm))

    def areas(self) -> Arithmetic:
        """Area of every operator. [um2]"""
        return self._arithmetic(self.file.area, lambda number: number.value * self.area_factor(number.node_nm))

    def wire_pj_per_mm(self, entries: tuple[WireEnergy, ...]) -> float:
        """Full swing of a wire, linear in the node; beyond the listed nodes that of the nearest one. [pJ/mm]"""
        points = [(entry.node_nm, entry.value) for entry in entries]
        node = min(max(self.node_nm, points[0][0]), points[-1][0])
        right = next(index for index, point in enumerate(points) if point[0] >= node)
        (low_nm, low), (high_nm, high) = points[max(right - 1, 0)], points[right]
        return high if low_nm == high_nm else low + (high - low) * (node - low_nm) / (high_nm - low_nm)

    def _arithmetic(self, operators: OperatorEnergies | OperatorAreas, scaled: Callable[[Number], float]) -> Arithmetic:
        curves = {
            kind: WidthCurve(
                points=tuple((entry.width_bits, scaled(entry)) for entry in getattr(operators, kind.value)), power=power
            )
            for kind, power in _POWERS.items()
        }
        return Arithmetic(curves=curves, adds_per_logarithmic_add=self.file.logarithmic_add.value)
