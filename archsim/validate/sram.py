"""SRAM: archsim's interpolation against CACTI's own points that are not in its grid; called by `archsim validate sram`."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.arch.memory_level import SramCell, SramPorts
from archsim.config_file import read_text
from archsim.cost.node_scaling import area_factor, energy_factor
from archsim.cost.sram_model import SramModel, SramPoint, load_sram_model
from archsim.errors import ConfigError
from archsim.validate.suite import Bound, Row, Statistic, SuiteResult, Tier

HELD_OUT = Path(__file__).parent / "golden" / "sram_heldout.csv"
NEEDED = ("node_nm", "capacity_bytes", "width_bits")
OPTIONAL = {"cell": "lstp", "ports": "1rw", "banks": "1", "status": "ok"}
"""Columns that a reference may leave out, and what is then taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    name: str
    unit: str
    column: str
    field: str
    p90: float | None = None
    has_tree: bool = True


QUANTITIES = (
    _Quantity(name="read energy", unit="pJ", column="read_pj", field="read_pj", p90=0.15),
    _Quantity(name="write energy", unit="pJ", column="write_pj", field="write_pj"),
    _Quantity(name="leakage", unit="mW", column="leak_mw_total", field="leakage_mw", has_tree=False),
    _Quantity(name="area", unit="mm2", column="area_mm2", field="area_mm2", p90=0.11),
    _Quantity(name="access time", unit="ns", column="access_ns", field="access_ns"),
    _Quantity(name="cycle time", unit="ns", column="cycle_ns", field="cycle_ns", has_tree=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """One row of a reference."""

    cell: SramCell
    node_nm: float
    capacity_bytes: float
    width_bits: float
    ports: SramPorts
    banks: int
    published: dict[str, float]

    @property
    def group(self) -> str:
        return f"{self.node_nm:g} nm"

    @property
    def case(self) -> str:
        extras = [str(self.ports)] if self.ports != SramPorts() else []
        extras += [f"{self.banks} banks"] if self.banks > 1 else []
        extras += [str(self.cell)] if self.cell is not SramCell.LSTP else []
        return " ".join([f"{self.capacity_bytes:.10g} B x {self.width_bits:g} bit", *extras])

    def model(self) -> SramModel:
        return load_sram_model(
            node_nm=self.node_nm, cell=self.cell,
            energy_factor=lambda start, end: energy_factor(from_nm=start, to_nm=end),
            area_factor=lambda start, end: area_factor(from_nm=start, to_nm=end),
        )  # fmt: skip

    def simulated(self) -> SramPoint:
        return self.model().banked(bank_bytes=self.capacity_bytes / self.banks, access_bits=self.width_bits,
                                   ports=self.ports, banks=self.banks)  # fmt: skip


def sram_suite(reference: Path | None = None) -> SuiteResult:
    """Compare with CACTI points.

    Parameters
    ----------
    reference
        A .csv file with the columns of the shipped one (``cell``, ``ports``, ``banks`` and ``status`` may be
        missing); None = the shipped points, none of which is in the grid.

    Raises
    ------
    ConfigError
        A fault in the file: column or value named with its line.
    """
    path = reference or HELD_OUT
    memories = _read(path)
    new = [memory for memory in memories if not _is_in_grid(memory)]
    plain = [memory for memory in new if memory.banks == 1 and memory.ports == SramPorts()]
    several = [memory for memory in new if memory not in plain]
    left_out = len(memories) - len(new)
    notes = (f"{left_out} rows are points of archsim's own grid and left out",) if left_out else ()
    single = tuple(_tier(quantity, plain, notes) for quantity in QUANTITIES)
    banked = tuple(_tier_of_several(quantity, several) for quantity in QUANTITIES if several and quantity.has_tree)
    source = "CACTI 7 points outside the shipped grid" if reference is None else str(reference)
    return SuiteResult(name="sram", reference=source, tiers=(*single, *banked))


def _tier(quantity: _Quantity, memories: Sequence[_Memory], notes: tuple[str, ...]) -> Tier:
    return Tier(
        name=quantity.name,
        claim="one bank, one port, between the grid's capacities and widths: interpolation against CACTI",
        quantity=quantity.name,
        unit=quantity.unit,
        rows=_rows(quantity, memories),
        bounds=() if quantity.p90 is None else (Bound(statistic=Statistic.P90, limit=quantity.p90),),
        notes=notes,
    )


def _tier_of_several(quantity: _Quantity, memories: Sequence[_Memory]) -> Tier:
    return Tier(
        name=f"banked {quantity.name}",
        claim="banks and a tree of wires, and ports by CACTI's ratios, against CACTI's own banked memories",
        quantity=quantity.name,
        unit=quantity.unit,
        rows=_rows(quantity, memories),
        notes=("the tree's three constants are medians over the shipped rows: not held out",),
    )


def _rows(quantity: _Quantity, memories: Iterable[_Memory]) -> tuple[Row, ...]:
    return tuple(
        Row(group=memory.group, case=memory.case, published=memory.published[quantity.column],
            simulated=getattr(memory.simulated(), quantity.field))
        for memory in memories
    )  # fmt: skip


def _is_in_grid(memory: _Memory) -> bool:
    """Whether the row is one of the points that the grid is made of."""
    if memory.banks > 1:
        return False
    return memory.model().lists(capacity_bytes=memory.capacity_bytes, width_bits=memory.width_bits, ports=memory.ports)


def _read(path: Path) -> list[_Memory]:
    rows = csv.DictReader(read_text(path, ConfigError).splitlines())
    needed = (*NEEDED, *(quantity.column for quantity in QUANTITIES))
    missing = [name for name in needed if name not in (rows.fieldnames or ())]
    if missing:
        raise ConfigError(f"{path}:1: SRAM points need the columns {', '.join(needed)}; missing: {', '.join(missing)}")
    kept = []
    for row in rows:
        given = OPTIONAL | {name: text for name, text in row.items() if text}
        if given["status"] == "ok":
            kept.append(_memory(given, f"{path}:{rows.line_num}"))
    if not kept:
        raise ConfigError(f"{path}: no SRAM points in it")
    return kept


def _memory(row: dict[str, str], where: str) -> _Memory:
    try:
        return _Memory(
            cell=SramCell(row["cell"].removeprefix("itrs-")),
            node_nm=float(row["node_nm"]),
            capacity_bytes=float(row["capacity_bytes"]),
            width_bits=float(row["width_bits"]),
            ports=_ports(row["ports"]),
            banks=int(row["banks"]),
            published={quantity.column: float(row[quantity.column]) for quantity in QUANTITIES},
        )
    except (KeyError, ValueError) as problem:
        raise ConfigError(f"{where}: not an SRAM point: {problem}") from problem


def _ports(name: str) -> SramPorts:
    """Read our names and CACTI's counts, e.g. ``0rw1r1w``."""
    return SramPorts.named(re.sub(r"^0rw(?=\d)|(?<=rw)0r0w$", "", name))
