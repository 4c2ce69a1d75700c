"""The FEIE example of the McGill tutorial, cell by cell on the clocked array; called by `archsim validate feie`.

References
----------
.. [1] W. Gross, B. Meyer, Optimizing machine learning for hardware, tutorial at EPEPS, 2019.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.catalog import load_arch, load_workload
from archsim.engine.clocked_broadcast import ClockedBroadcast, run_clocked_broadcast
from archsim.validate.row_reading import read_rows
from archsim.validate.suite import EQUAL, Row, SuiteResult, Tier
from archsim.workload.layer import ConvLayer

SHIPPED = Path(__file__).parent / "golden" / "feie.csv"
COLUMNS = ("case", "cycle", "pe", "tap", "pixel", "psum", "source")
CELLS = {"cycle": r"[1-9]\d*", "pe": r"\d+", "tap": r"(W[1-9]\d*)?", "pixel": r"(X[1-9]\d*)?", "psum": r"(P[1-9]\d*)?"}
"""What the cells of a table look like; tap, pixel and psum of an idle PE are empty."""
Cell = tuple[str, str, str]
IDLE: Cell = ("", "", "")
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A published table: cells by (cycle, PE), and its source."""

    name: str
    cells: Mapping[tuple[int, int], Cell]
    source: str

    @property
    def cycles(self) -> int:
        """Its last cycle. [cycles]"""
        return max(cycle for cycle, _ in self.cells)

    @property
    def pixels(self) -> frozenset[int]:
        """Pixels that are streamed, counted from 0: all others are zero."""
        return frozenset(int(pixel[1:]) - 1 for _, pixel, _ in self.cells.values() if pixel)


def feie_suite(reference: Path | None = None) -> SuiteResult:
    """Compare the clocked array with the table, the shipped one or a reference of the same columns.

    Raises
    ------
    ConfigError
        The reference cannot be read or is wrong: a line per fault.
    """
    cases = read_cases(reference or SHIPPED)
    layer, array = load_workload("feie_example").layers[0], load_arch("feie_tutorial").pe_array
    assert isinstance(layer, ConvLayer), "the example is a convolution"
    values = np.arange(1, layer.ifmap_words + 1)
    weight = np.arange(2, layer.weight_words + 2).reshape(layer.out_channels, layer.in_channels, *layer.kernel)
    runs, dense = {}, {}
    for case in cases:
        ifmap = np.where(np.isin(values - 1, list(case.pixels)), values, 0).reshape(1, layer.in_channels, *layer.ifmap)
        runs[case.name] = run_clocked_broadcast(layer, ifmap, weight, array)
        dense[case.name] = run_clocked_broadcast(layer, ifmap, weight, array.dense)
    return SuiteResult(
        name="feie",
        reference="McGill tutorial, EPEPS 2019" if reference is None else str(reference),
        tiers=(_cycles(cases, runs), _table(cases, runs), _psums(cases, runs, dense)),
    )


def read_cases(path: Path) -> list[Case]:
    """Read tables; all faults at once, each with its line. Raises ConfigError."""
    cases: dict[str, list[Mapping[str, str]]] = {}
    for row in read_rows(path, COLUMNS, _faults, dict, what="tables of the example"):
        cases.setdefault(row["case"], []).append(row)
    return [
        Case(name=name, source=rows[0]["source"],
             cells={(int(row["cycle"]), int(row["pe"])): (row["tap"], row["pixel"], row["psum"]) for row in rows})
        for name, rows in cases.items()
    ]  # fmt: skip


def _faults(row: Mapping[str, str]) -> Iterator[str]:
    for name, rule in CELLS.items():
        if not re.fullmatch(rule, row[name]):
            yield f"{name} (={row[name]!r}) must look like {rule}"


def cells_of(run: ClockedBroadcast) -> dict[tuple[int, int], Cell]:
    """Return the table that a clocked run gives, counted from 1 as the tutorial does."""
    return {
        (cycle + 1, pe): (f"W{tap + 1}", f"X{run.pixels[cycle, pe] + 1}", f"P{run.psums[cycle, pe] + 1}")
        if tap >= 0
        else IDLE
        for (cycle, pe), tap in np.ndenumerate(run.taps)
    }


def _cycles(cases: Sequence[Case], runs: Mapping[str, ClockedBroadcast]) -> Tier:
    rows = tuple(
        Row(
            group="feie",
            case=case.name,
            published=case.cycles,
            simulated=runs[case.name].total_cycles,
            source=case.source,
        )
        for case in cases
    )
    return Tier(name="cycles", claim="clock cycles of the example; pixels that the table does not name are zero",
                quantity="cycles", unit="cycles", rows=rows, bounds=EQUAL, lists_rows=True)  # fmt: skip


def _table(cases: Sequence[Case], runs: Mapping[str, ClockedBroadcast]) -> Tier:
    rows = []
    for case in cases:
        ours = cells_of(runs[case.name])
        for cycle in sorted({cycle for cycle, _ in case.cells.keys() | ours.keys()}):
            pes = [pe for at, pe in case.cells.keys() | ours.keys() if at == cycle]
            equal = sum(case.cells.get((cycle, pe)) == ours.get((cycle, pe)) for pe in pes)
            rows.append(
                Row(group=case.name, case=f"cycle {cycle}", published=len(pes), simulated=equal, source=case.source)
            )
    return Tier(name="table", claim="PEs whose tap, pixel and psum are those of the table in each cycle, idle ones included",
                quantity="cells", unit="PEs", rows=tuple(rows), bounds=EQUAL)  # fmt: skip


def _psums(cases: Sequence[Case], runs: Mapping[str, ClockedBroadcast], dense: Mapping[str, ClockedBroadcast]) -> Tier:
    rows = tuple(
        Row(group="feie", case=case.name, published=runs[case.name].ofmap.size,
            simulated=int((runs[case.name].ofmap == dense[case.name].ofmap).sum()), source=case.source)
        for case in cases
    )  # fmt: skip
    return Tier(name="psums", claim="psums that equal those of the array taking every pixel",
                quantity="psums", unit="psums", rows=rows, bounds=EQUAL, lists_rows=True)  # fmt: skip
