"""How energy and area of logic change from one technology node to another: Stillmaker and Baas.

Called by `table_scaling.py`. Energy is a polynomial of the supply voltage per node, area a table with a row
per source node; both lie in `tables/scaling_stillmaker_*.csv` as published.
"""

import csv
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from archsim.errors import ConfigError

DEFAULT_VOLTS = 0.8
FITS = {
    180: "180", 130: "130", 90: "90", 65: "65", 45: "LP45", 32: "LP32", 20: "HP20", 16: "HP16", 14: "HP14",
    10: "HP10", 7: "HP7",
}  # fmt: skip
"""Node -> row of the energy polynomials: low power at 45 and 32 nm, high performance below, as hwcomponents has it."""
LEAST_VOLTS = {180: 0.9}
"""Below it the node's straight line falls under the curve of 130 nm: it is not used there (chosen here). [V]"""
SOURCE = "A. Stillmaker, B. Baas, Integration 58 (2017) 74-81"

_TABLES = Path(__file__).parent / "tables"
Points = tuple[tuple[float, float], ...]


@lru_cache(maxsize=1024)
def switching_energy(node_nm: float, volts: float = DEFAULT_VOLTS) -> float:
    """Return the published polynomial of a node at a supply voltage; only ratios of it mean anything.

    Between two nodes the value is linear in the node.

    Raises
    ------
    ConfigError
        The node is not between the published ones, or the voltage gives no energy above 0 there.

    References
    ----------
    .. [1] A. Stillmaker, B. Baas, "Scaling equations for the accurate prediction of CMOS device performance
       from 180 nm to 7 nm", Integration 58 (2017) 74-81; coefficients as shipped in nodeScale.
    """
    value = _between(tuple((node, _polynomial(node, volts)) for node in _usable_nodes(volts)), node_nm)
    if value <= 0:
        raise ConfigError(f"scaling: no switching energy above 0 at {node_nm:g} nm and {volts:g} V; raise the voltage")
    return value


def energy_factor(
    *, from_nm: float, to_nm: float, from_volts: float = DEFAULT_VOLTS, to_volts: float = DEFAULT_VOLTS
) -> float:
    """Multiply a switching energy at one node and voltage by this to get it at the other.

    Notes
    -----
    Not modelled: leakage, SRAM cells and wires, which scale otherwise than logic.
    """
    if (from_nm, from_volts) == (to_nm, to_volts):
        return 1.0
    return switching_energy(to_nm, to_volts) / switching_energy(from_nm, from_volts)


def area_factor(*, from_nm: float, to_nm: float) -> float:
    """Multiply an area of logic at one node by this to get it at the other.

    The published row of the source node is read at the wanted node, linear in the node between two
    columns; a source node without a row of its own takes the nearest one's, as a ratio.
    """
    rows = _area_rows()
    source = min(rows, key=lambda node: abs(node - from_nm))
    return _between(rows[source], to_nm) / _between(rows[source], from_nm)


def _usable_nodes(volts: float) -> tuple[int, ...]:
    return tuple(node for node in sorted(FITS) if volts >= LEAST_VOLTS.get(node, 0.0))


def _between(points: Points, node_nm: float) -> float:
    first, last = points[0][0], points[-1][0]
    for (low_nm, low), (high_nm, high) in pairwise(points):
        if low_nm <= node_nm <= high_nm:
            share = (node_nm - low_nm) / (high_nm - low_nm)
            return high if share == 1 else low + (high - low) * share
    raise ConfigError(
        f"energy.node_nm (={node_nm:g}): energy and area of logic are known from {first:g} to {last:g} nm ({SOURCE}). "
        "Choose a node in that range"
    )


def _polynomial(node: int, volts: float) -> float:
    a2, a1, a0 = _coefficients()[FITS[node]]
    return a2 * volts**2 + a1 * volts + a0


@cache
def _coefficients() -> dict[str, tuple[float, float, float]]:
    return {
        row["node"]: (float(row["energy_a2"]), float(row["energy_a1"]), float(row["energy_a0"]))
        for row in _rows("scaling_stillmaker_coeffs.csv")
    }


@cache
def _area_rows() -> dict[int, Points]:
    """Return (target node, factor) pairs in rising order of node, by source node."""
    return {
        int(row["from_to"]): tuple(sorted((float(node), float(row[str(node)])) for node in FITS))
        for row in _rows("scaling_stillmaker_area.csv")
    }


def _rows(name: str) -> list[dict[str, str]]:
    with (_TABLES / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
