"""RTL of third parties, cycle by cycle: archsim's plans and clocked arrays against it; `archsim validate rtl`.

The rows were measured in simulation, with benches of this project, on designs that nobody in it wrote: systolic arrays,
a row-stationary PE and a row-stationary array. A cycle is the number of the rising edge after which an output is in its
register, counted from the one that samples the first operand word (OpenTPU: the first activation; UT-LCA and CONV_ACC:
the start signal; pe.v: a word offered to its spads).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.engine.clocked import run_clocked
from archsim.engine.clocked_row_pe import LonePeRun, run_clocked_row_pe
from archsim.engine.clocked_run import ClockedRun
from archsim.engine.simulate import run_layer
from archsim.validate.rtl_bench import bench_of
from archsim.validate.rtl_cases import ArrayCase, LeftOut, PeCase
from archsim.validate.rtl_conv import ConvCase, conv_tiers
from archsim.validate.rtl_rows import read_rtl_rows
from archsim.validate.suite import EQUAL, Row, SuiteResult, Tier
from archsim.workload.layer import MatmulLayer

SHIPPED = Path(__file__).parent / "golden" / "rtl_cycles.csv"
LARGEST_WORD = 127
"""Operands are random integers of up to this magnitude: what they are moves no cycle."""


def rtl_suite(reference: Path | None = None) -> SuiteResult:
    """Compare with RTL.

    Parameters
    ----------
    reference
        A .csv in one of three forms (`rtl_rows.py`); None = the shipped rows.

    Raises
    ------
    ConfigError
        Faults in the file, each with its line.
    """
    rows = read_rtl_rows(reference or SHIPPED)
    arrays = [_RunArray.of(row) for row in rows if isinstance(row, ArrayCase)]
    pes = [_RunPe.of(row) for row in rows if isinstance(row, PeCase)]
    left_out = [row for row in rows if isinstance(row, LeftOut)]
    convs = [row for row in rows if isinstance(row, ConvCase)]
    tiers = (*_array_tiers(arrays), *_pe_tiers(pes), *conv_tiers(convs))
    source = "third-party RTL in simulation" if reference is None else str(reference)
    return SuiteResult(
        name="rtl", reference=source, tiers=(*(tier for tier in tiers if tier.rows), *_left_out_tiers(left_out))
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _RunArray:
    """A case with what archsim's plan and its clocked array made of it."""

    case: ArrayCase
    planned_cycles: int
    clocked: ClockedRun

    @classmethod
    def of(cls, case: ArrayCase) -> "_RunArray":
        layer = MatmulLayer(name=case.name, rows=case.pixels, inner=case.window, columns=case.filters)
        rng = np.random.default_rng(0)
        ifmap = rng.integers(-LARGEST_WORD, LARGEST_WORD, (case.pixels, case.window), endpoint=True)
        weight = rng.integers(-LARGEST_WORD, LARGEST_WORD, (case.window, case.filters), endpoint=True)
        run = run_layer(layer, bench_of(case.array))
        return cls(case=case, planned_cycles=run.total_cycles, clocked=run_clocked(ifmap, weight, case.array))


def _array_tiers(runs: Sequence[_RunArray]) -> Iterable[Tier]:
    firsts = [run for run in runs if run.case.measured.first_output is not None]
    yield Tier(
        name="arrays, planned", claim="closed forms and events of a matrix layer, memories ideal, against the last output",
        quantity="last output", unit="cycles", bounds=EQUAL, lists_rows=True,
        rows=tuple(_array_row(run.case, run.case.measured.last_output, run.planned_cycles) for run in runs),
    )  # fmt: skip
    yield Tier(
        name="arrays, clocked", claim="every register of the array at every edge, values included, against the last output",
        quantity="last output", unit="cycles", bounds=EQUAL,
        rows=tuple(_array_row(run.case, run.case.measured.last_output, run.clocked.total_cycles) for run in runs),
    )  # fmt: skip
    yield Tier(
        name="arrays, clocked, first", claim="the first output of the same clocked runs",
        quantity="first output", unit="cycles", bounds=EQUAL, rows=tuple(_first_rows(firsts)),
        notes=tuple(dict.fromkeys(f"not gated: {run.case.first_output}" for run in firsts if run.case.first_output)),
    )  # fmt: skip


def _array_row(case: ArrayCase, published: int, simulated: int) -> Row:
    measured = case.measured
    return Row(group=measured.design, case=case.name, published=published, simulated=simulated, source=measured.source,
               note=measured.note)  # fmt: skip


def _first_rows(runs: Iterable[_RunArray]) -> Iterable[Row]:
    for run in runs:
        case = run.case
        assert case.measured.first_output is not None, "only such runs are asked for"
        yield Row(
            group=case.measured.design, case=case.name, published=case.measured.first_output,
            simulated=int(run.clocked.output_cycles.min()), source=case.measured.source,
            note=case.first_output or case.measured.note, is_gated=not case.first_output,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _RunPe:
    """A case with what archsim's clocked PE made of it."""

    case: PeCase
    clocked: LonePeRun

    @classmethod
    def of(cls, case: PeCase) -> "_RunPe":
        rng = np.random.default_rng(0)
        rows = rng.integers(1, LARGEST_WORD, (case.images, case.row_words, case.channels), endpoint=True)
        rows.reshape(-1)[: case.zero_words] = 0
        weights = rng.integers(-LARGEST_WORD, LARGEST_WORD, (case.taps, case.channels, case.filters), endpoint=True)
        return cls(case=case, clocked=run_clocked_row_pe(rows, weights, case.pe, stride=case.stride))

    def row(self, published: int, simulated: int) -> Row:
        measured = self.case.measured
        return Row(group=measured.design, case=self.case.name, published=published, simulated=simulated,
                   source=measured.source, note=measured.note)  # fmt: skip


def _pe_tiers(runs: Sequence[_RunPe]) -> Iterable[Tier]:
    claim = "one row-stationary PE, every register at every edge; zeros stop its multiplier and save no cycle"
    outputs: dict[str, list[tuple[_RunPe, int | None, int]]] = {
        "last": [(run, run.case.measured.last_output, int(run.clocked.output_cycles.max())) for run in runs],
        "first": [(run, run.case.measured.first_output, int(run.clocked.output_cycles.min())) for run in runs],
    }
    for which, found in outputs.items():
        rows = tuple(run.row(published, simulated) for run, published, simulated in found if published is not None)
        yield Tier(name=f"PE, {which} psum", claim=claim, quantity=f"{which} psum", unit="cycles", rows=rows, bounds=EQUAL,
                   lists_rows=True)  # fmt: skip
    counted = tuple(run.row(run.case.macs, run.clocked.macs) for run in runs if run.case.macs is not None)
    yield Tier(name="PE, MACs", claim=claim, quantity="MACs", unit="MACs", rows=counted, bounds=EQUAL)


def _left_out_tiers(rows: Sequence[LeftOut]) -> Iterable[Tier]:
    """Give every design that has rows that are not run a tier that says which and why."""
    for design in dict.fromkeys(row.design for row in rows):
        mine = [row for row in rows if row.design == design]
        reasons = dict.fromkeys(row.reason for row in mine)
        said = (f"{_lines([row.line for row in mine if row.reason == reason])}: {reason}" for reason in reasons)
        yield Tier(
            name=f"not run: {design}", claim="rows of the table that archsim does not run", quantity="last output",
            unit="cycles", rows=(), skipped="; ".join(said),
        )  # fmt: skip


def _lines(numbers: Sequence[int]) -> str:
    """Say how many rows, and where: ``3 rows (lines 4, 7-8)``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    said = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)
    return f"{len(numbers)} row{'s' * (len(numbers) > 1)} (line{'s' * (len(numbers) > 1)} {said})"
