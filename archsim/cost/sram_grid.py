"""What an SRAM macro of a given capacity and width costs: a grid of CACTI points, read log-log.

Called by `energy_table.py` with macros from `sram_macros.py`. The power-law fits of the same points
are off by 45 % at the ninetieth percentile, so the grid itself is the model.
"""

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite, log
from pathlib import Path

from archsim.config_file import read_text
from archsim.errors import ConfigError

COLUMNS = ("capacity_bytes", "width_bits", "read_pj", "write_pj", "leak_mw_total", "area_mm2")


@dataclass(frozen=True, slots=True, kw_only=True)
class SramPoint:
    """One macro, one port.

    Parameters
    ----------
    capacity_bytes, width_bits
        Its size; bits that one access moves. [B], [b]
    read_pj, write_pj
        Of one access of the full width. [pJ]
    leakage_mw, area_mm2
        Of the macro. [mW], [mm2]
    is_in_grid
        False = beyond the grid's edge, see `SramGrid.point`.
    """

    capacity_bytes: float
    width_bits: float
    read_pj: float
    write_pj: float
    leakage_mw: float
    area_mm2: float
    is_in_grid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SramGrid:
    """Points by width, each column in rising order of capacity.

    Parameters
    ----------
    columns
        Points keyed by width. [b]

    Notes
    -----
    CACTI jumps between array organisations, so neighbouring points are about 10 % rough: at a width
    of 8 bit a 32 KB macro reads for less than one of 16 KB. Against CACTI's own points between the
    grid's capacities, 90 % of read energies are within 15 %.
    """

    columns: Mapping[float, tuple[SramPoint, ...]]

    def point(self, capacity_bytes: float, width_bits: float) -> SramPoint:
        """Interpolate, linear in the logarithms of capacity, width and cost.

        Beyond the grid's capacities the access energy is that of the nearest point, and area and
        leakage keep its density. A word wider than the grid's widest is that many macros side by side;
        one narrower than its narrowest costs as much as that.
        """
        widths = sorted(self.columns)
        width = min(max(width_bits, widths[0]), widths[-1])
        right = min(bisect_right(widths, width), len(widths) - 1)
        share = _share(width, widths[right - 1], widths[right]) if right else 0.0
        low = _along_capacity(self.columns[widths[max(right - 1, 0)]], capacity_bytes)
        point = _between(low, _along_capacity(self.columns[widths[right]], capacity_bytes), share)
        words = max(width_bits / widths[-1], 1.0)
        return SramPoint(
            capacity_bytes=capacity_bytes, width_bits=width_bits,
            read_pj=point.read_pj * words, write_pj=point.write_pj * words,
            leakage_mw=point.leakage_mw, area_mm2=point.area_mm2,
            is_in_grid=point.is_in_grid and width == width_bits,
        )  # fmt: skip

    def extent(self) -> str:
        """Return the grid's edges, for a sentence."""
        capacities = [point.capacity_bytes for column in self.columns.values() for point in column]
        return f"{min(capacities):.10g} to {max(capacities):.10g} bytes by {min(self.columns):g} to {max(self.columns):g} bit"


def read_sram_grid(path: Path) -> SramGrid:
    """Read a grid from a .csv file with the columns of `COLUMNS`.

    Raises
    ------
    ConfigError
        Not readable, a column missing, no rows, the same point twice, or a value that is no positive number.
    """
    rows = csv.DictReader(read_text(path, ConfigError).splitlines())
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise ConfigError(
            f"{path}:1: an SRAM grid needs the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}"
        )
    columns: dict[float, dict[float, SramPoint]] = defaultdict(dict)
    for row in rows:
        values = [_positive(row[column], column, f"{path}:{rows.line_num}") for column in COLUMNS]
        capacity, width, read, write, leakage, area = values
        if capacity in columns[width]:
            raise ConfigError(f"{path}:{rows.line_num}: {capacity:g} bytes by {width:g} bit appears twice")
        columns[width][capacity] = SramPoint(
            capacity_bytes=capacity, width_bits=width, read_pj=read, write_pj=write, leakage_mw=leakage, area_mm2=area
        )
    if not columns:
        raise ConfigError(f"{path}: an SRAM grid needs at least one row")
    return SramGrid(columns={width: tuple(column[c] for c in sorted(column)) for width, column in columns.items()})


def _positive(text: str | None, column: str, where: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise ConfigError(f"{where}: {column} (={text!r}) must be a positive number")
    return value


def _along_capacity(column: tuple[SramPoint, ...], capacity_bytes: float) -> SramPoint:
    for low, high in pairwise(column):
        if low.capacity_bytes <= capacity_bytes <= high.capacity_bytes:
            return _between(low, high, _share(capacity_bytes, low.capacity_bytes, high.capacity_bytes))
    nearest = column[0] if capacity_bytes <= column[0].capacity_bytes else column[-1]
    density = capacity_bytes / nearest.capacity_bytes
    return SramPoint(
        capacity_bytes=capacity_bytes, width_bits=nearest.width_bits,
        read_pj=nearest.read_pj, write_pj=nearest.write_pj,
        leakage_mw=nearest.leakage_mw * density, area_mm2=nearest.area_mm2 * density,
        is_in_grid=density == 1.0,
    )  # fmt: skip


def _share(x: float, low: float, high: float) -> float:
    return log(x / low) / log(high / low)


def _between(low: SramPoint, high: SramPoint, share: float) -> SramPoint:
    if share in (0.0, 1.0):
        return high if share else low
    costs = {
        name: exp((1 - share) * log(getattr(low, name)) + share * log(getattr(high, name)))
        for name in ("capacity_bytes", "width_bits", "read_pj", "write_pj", "leakage_mw", "area_mm2")
    }
    return SramPoint(**costs, is_in_grid=low.is_in_grid and high.is_in_grid)
