"""How energy and area change from one technology node to another.

Called by `energy_table.py`. The factors stand in the table file; the default ones are Stillmaker and
Baas's at 0.8 V.
"""

from bisect import bisect_left
from dataclasses import dataclass

from archsim.errors import ConfigError

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeScaling:
    """Factors per node, both in rising order of node.

    Parameters
    ----------
    energy, area
        (node, factor) pairs; only ratios of factors are used. [nm, 1]

    Notes
    -----
    Not modelled: supply voltage (one voltage for all nodes), leakage (the published factors are of
    switching energy), SRAM cells and wires, which shrink otherwise than logic.
    """

    energy: Points
    area: Points

    def energy_factor(self, *, from_nm: float, to_nm: float) -> float:
        """Multiply an energy at one node by this to get it at the other. Raises ConfigError outside the table."""
        return _factor_at(self.energy, to_nm) / _factor_at(self.energy, from_nm)

    def area_factor(self, *, from_nm: float, to_nm: float) -> float:
        """Multiply an area at one node by this to get it at the other. Raises ConfigError outside the table."""
        return _factor_at(self.area, to_nm) / _factor_at(self.area, from_nm)


def _factor_at(points: Points, node_nm: float) -> float:
    nodes = [node for node, _ in points]
    if not nodes[0] <= node_nm <= nodes[-1]:
        raise ConfigError(
            f"energy.node_nm (={node_nm:g}): the table scales from {nodes[0]:g} to {nodes[-1]:g} nm. "
            "Choose a node in that range, or extend scaling in a table file of your own"
        )
    right = bisect_left(nodes, node_nm)
    if nodes[right] == node_nm:
        return points[right][1]
    (left_nm, left), (right_nm, last) = points[right - 1], points[right]
    return left + (last - left) * (node_nm - left_nm) / (right_nm - left_nm)
