"""Costs of an SRAM over node, capacity and word width: CACTI's points, read log-log.

Called by `sram_model.py`. Power laws through the same points are three times as far off
(reads: 45 % at the ninetieth percentile), and monotone cubics or local fits no nearer, so the points
themselves are the model.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

from archsim.config_file import read_text
from archsim.cost.log_log import along, neighbours
from archsim.errors import ConfigError

AXES = ("capacity_bytes", "width_bits")
COSTS = ("read_pj", "write_pj", "leak_mw_total", "area_mm2")
TIMES = ("access_ns", "cycle_ns")

Costs = tuple[float, ...]
"""One number per name in `COSTS`, and per name in `TIMES` where the points have times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SramColumn:
    """The points of one node and width, in rising order of capacity.

    Parameters
    ----------
    capacities
        Where they lie. [B]
    costs
        What CACTI gives there.
    """

    capacities: tuple[float, ...]
    costs: tuple[Costs, ...]

    def at(self, capacity_bytes: float) -> Costs:
        """Interpolate; beyond the ends as at the end."""
        return along(self.capacities, capacity_bytes, self.costs.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SramSurface:
    """Points of one kind of SRAM.

    Parameters
    ----------
    columns
        Keyed by node, then by width. [nm], [b]
    has_times
        Whether the points have access and cycle times.

    Notes
    -----
    CACTI jumps between organisations of the array: neighbouring points are about 10 % rough, and at
    8 bit a 32 KB macro reads for less than one of 16 KB. Some small macros of wide words have no
    organisation at all; there the smallest one of that width stands in.
    """

    columns: Mapping[float, Mapping[float, SramColumn]]
    has_times: bool

    @property
    def nodes(self) -> tuple[float, ...]:
        """Nodes of the points. [nm]"""
        return tuple(sorted(self.columns))

    def extent(self, node_nm: float, width_bits: float) -> tuple[float, float, float, float]:
        """Return the edges around a node and a width: capacities, then widths. [B], [b]"""
        low, high = 0.0, inf
        for node in neighbours(self.nodes, node_nm):
            widths = sorted(self.columns[node])
            for width in neighbours(widths, width_bits):
                capacities = self.columns[node][width].capacities
                low, high = max(low, capacities[0]), min(high, capacities[-1])
        return low, high, widths[0], widths[-1]

    def at(self, node_nm: float, capacity_bytes: float, width_bits: float) -> Costs:
        """Interpolate, linear in the logarithms of node, width, capacity and cost.

        Beyond an edge the costs are those at the edge.
        """

        def at_node(index: int) -> Costs:
            by_width = self.columns[self.nodes[index]]
            widths = sorted(by_width)
            return along(widths, width_bits, lambda place: by_width[widths[place]].at(capacity_bytes))

        return along(self.nodes, node_nm, at_node)

    def over(self, other: "SramSurface") -> "SramSurface":
        """Return the ratio of each point's costs to the other surface's at the same place."""
        columns = {
            node: {
                width: SramColumn(
                    capacities=column.capacities,
                    costs=tuple(
                        tuple(a / b for a, b in zip(costs, other.at(node, capacity, width), strict=True))
                        for capacity, costs in zip(column.capacities, column.costs, strict=True)
                    ),
                )
                for width, column in by_width.items()
            }
            for node, by_width in self.columns.items()
        }
        return SramSurface(columns=columns, has_times=self.has_times and other.has_times)


def read_sram_surface(path: Path, node_nm: float | None = None) -> SramSurface:
    """Read points from a .csv file.

    Parameters
    ----------
    path
        A file with the columns of `AXES` and `COSTS`; ``node_nm`` and those of `TIMES` may be there too.
    node_nm
        Node of a file without such a column. [nm]

    Raises
    ------
    ConfigError
        Not readable, a column missing, no rows, the same point twice, or a value that is no positive number.
    """
    rows = csv.DictReader(read_text(path, ConfigError).splitlines())
    names = rows.fieldnames or ()
    _check_columns(path, names, needs_node=node_nm is None)
    costs = (*COSTS, *TIMES) if set(TIMES) <= set(names) else COSTS
    points: dict[float, dict[float, dict[float, Costs]]] = {}
    for row in rows:
        where = f"{path}:{rows.line_num}"
        node = _positive(row["node_nm"], "node_nm", where) if "node_nm" in names else node_nm or 0.0
        capacity, width, *values = (_positive(row[name], name, where) for name in (*AXES, *costs))
        column = points.setdefault(node, {}).setdefault(width, {})
        if capacity in column:
            raise ConfigError(f"{where}: {capacity:g} bytes by {width:g} bit appears twice")
        column[capacity] = tuple(values)
    if not points:
        raise ConfigError(f"{path}: an SRAM grid needs at least one row")
    columns = {node: {width: _column(column) for width, column in by.items()} for node, by in points.items()}
    return SramSurface(columns=columns, has_times=costs != COSTS)


def _check_columns(path: Path, names: Sequence[str], *, needs_node: bool) -> None:
    needed = (*AXES, *COSTS, *(("node_nm",) if needs_node else ()))
    missing = [name for name in needed if name not in names]
    if missing:
        wanted = ", ".join(needed)
        raise ConfigError(f"{path}:1: an SRAM grid needs the columns {wanted}; missing: {', '.join(missing)}")


def _column(points: Mapping[float, Costs]) -> SramColumn:
    capacities = tuple(sorted(points))
    return SramColumn(capacities=capacities, costs=tuple(points[capacity] for capacity in capacities))


def _positive(text: str | None, column: str, where: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise ConfigError(f"{where}: {column} (={text!r}) must be a positive number")
    return value
