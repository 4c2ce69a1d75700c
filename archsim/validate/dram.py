"""DRAM channels against DRAMsim3 and Ramulator 2.1, tier by tier; called by `archsim validate dram`.

Tier A: policy ``bank_rr`` is DRAMsim3's own scheduler, equal to the cycle. B: the default policy against
Ramulator's. C: the default policy with DRAMsim3's queue settings against DRAMsim3, which schedules otherwise.
D: energy. E: what no channel can do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from archsim.cost.dram_energy import DramEnergy, price_dram
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import DramController, DramRun
from archsim.errors import ConfigError
from archsim.terms import DramPolicy, PagePolicy
from archsim.validate.dram_reference import DRAMSIM3, RAMULATOR, SHIPPED, Reference, read_reference
from archsim.validate.suite import Bound, Row, Statistic, SuiteResult, Tier

LIKE_DRAMSIM3 = DramController(hit_cap=4, return_cycles=1, write_high=32, write_low=8, idle_drain=8)
"""Tier C: DRAMsim3's queue lengths and its limit of row hits, under the default policy."""
EXACT = (Bound(statistic=Statistic.MAX, limit=0.0),)
ENERGY_NAMES = ("activate", "read", "write", "refresh", "background")

Limit = Callable[["Pair"], tuple[float, float]]
"""A run -> the most that its device allows, and what it reached."""


class Measure(NamedTuple):
    """What a tier compares, and in what."""

    quantity: str
    unit: str


CYCLES = Measure("cycles", "tCK")
ACTIVATES = Measure("activates", "commands")
PER_REQUEST = Measure("cycles per request", "tCK")
LATENCY = Measure("mean read latency", "tCK")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """A published run and ours of the same trace."""

    reference: Reference
    run: DramRun


def dram_suite(reference: Path | None = None) -> SuiteResult:
    """Run every published case and compare.

    Parameters
    ----------
    reference
        A .csv file with the columns of the shipped one; None = the shipped runs.

    Raises
    ------
    ConfigError
        A fault in the file: column or value named with its line; or no row that can be compared.
    """
    rows = read_reference(reference or SHIPPED)
    theirs = [row for row in rows if row.simulator == DRAMSIM3]
    ramulator = [row for row in rows if row.simulator == RAMULATOR]
    if not theirs and not ramulator:
        raise ConfigError(f"{reference}: none of its rows is of {DRAMSIM3} or {RAMULATOR}: nothing to compare")
    bank_rr = [_run(row, DramPolicy.BANK_RR) for row in theirs]
    default = [_run(row, DramPolicy.FRFCFS) for row in ramulator]
    capped = [_run(row, DramPolicy.FRFCFS, LIKE_DRAMSIM3) for row in theirs if _is_plain(row)]
    others = len(rows) - len(theirs) - len(ramulator)
    tiers = (*_exact_tiers(bank_rr), *_default_tiers(default, others), *_capped_tiers(capped), *_energy_tiers(bank_rr),
             *_limit_tiers([*bank_rr, *default, *capped]))  # fmt: skip
    return SuiteResult(
        name="dram",
        reference="DRAMsim3 29817593 and Ramulator 2.1 c5b1c3a4 on identical timings"
        if reference is None
        else str(reference),
        tiers=tuple(tier for tier in tiers if tier.rows),
    )


def _run(row: Reference, policy: DramPolicy, controller: DramController | None = None) -> Pair:
    run = run_dram_trace(row.device, row.trace(), policy=policy, controller=controller, outstanding=row.outstanding)
    return Pair(reference=row, run=run)


def _exact_tiers(pairs: Sequence[Pair]) -> list[Tier]:
    plain = [pair for pair in pairs if _is_plain(pair.reference)]
    several = [pair for pair in pairs if pair.reference.device.channels > 1]
    closed = [pair for pair in pairs if pair not in several and pair not in plain]
    claim = "policy bank_rr = DRAMsim3"
    return [
        _tier("A cycles", claim, CYCLES, _cycles(plain), bounds=EXACT),
        _tier("A activates", claim, ACTIVATES, _activates(plain), bounds=EXACT),
        _tier(
            "A closed page",
            "policy bank_rr ~ DRAMsim3",
            CYCLES,
            _cycles(closed),
            bounds=_bounds(largest=0.01),
            notes=("DRAMsim3 refreshes before tRAS has passed, bank_rr does not",),
        ),
        _tier("A several channels", claim, CYCLES, _cycles(several), bounds=EXACT),
    ]


def _default_tiers(pairs: Sequence[Pair], others: int) -> list[Tier]:
    claim = "policy frfcfs ~ Ramulator 2.1, FRFCFS-RowHit"
    notes = (f"{others} rows of Ramulator's plain FRFCFS are not compared",) if others else ()
    return [
        _tier("B cycles", claim, PER_REQUEST, _per_request(pairs), bounds=_bounds(0.003, 0.02, 0.08), notes=notes),
        _tier("B read latency", claim, LATENCY, _latencies(pairs), bounds=_bounds(p90=0.03)),
    ]


def _capped_tiers(pairs: Sequence[Pair]) -> list[Tier]:
    apart = [pair for pair in pairs if _is_apart(pair.reference)]
    gated = [pair for pair in pairs if pair not in apart]
    claim = "policy frfcfs, DRAMsim3's queue settings ~ DRAMsim3"
    notes = ("reads and writes mixed with one read outstanding, and mappings with the bank group lowest",)
    return [
        _tier("C cycles", claim, PER_REQUEST, _per_request(gated), bounds=_bounds(0.005, 0.06)),
        _tier("C reported", claim, PER_REQUEST, _per_request(apart), notes=notes),
    ]


def _energy_tiers(pairs: Sequence[Pair]) -> list[Tier]:
    """Energies of runs that are equal to DRAMsim3's in cycles and commands."""
    equal = [pair for pair in pairs if _is_equal(pair)]
    claim = "commands of bank_rr x IDD = DRAMsim3 (runs equal in cycles)"
    bounds = (_bounds(largest=1e-4),) * 4 + (_bounds(largest=0.01),)
    parts = [
        _tier(f"D {name}", claim, Measure(f"{name} energy", "nJ"), _energies(equal, index), bounds=bound)
        for index, (name, bound) in enumerate(zip(ENERGY_NAMES, bounds, strict=True))
    ]
    total = [_row(pair, sum(pair.reference.energies_nj), price_dram(pair.run.counts, pair.run.device).total_pj / 1e3)
             for pair in equal if isfinite(sum(pair.reference.energies_nj))]  # fmt: skip
    return [*parts, _tier("D total", claim, Measure("energy", "nJ"), total, bounds=_bounds(largest=0.01))]


def _limit_tiers(pairs: Sequence[Pair]) -> list[Tier]:
    """Return what the device allows at most, against the default policy's runs."""
    claim = "every run < the most that its device allows"
    single = [pair for pair in pairs if pair.run.device.ranks == pair.run.device.channels == 1]
    limits: tuple[tuple[Measure, Sequence[Pair], Limit], ...] = (
        (Measure("bandwidth", "GB/s"), pairs, _bandwidth_limit),
        (ACTIVATES, pairs, _activate_limit),
        (Measure("data clocks", "tCK"), single, _refresh_limit),
    )
    return [
        _tier(f"E {measure.quantity}", claim, measure,
              [_row(pair, *limit(pair), is_ceiling=True) for pair in chosen], bounds=EXACT)
        for measure, chosen, limit in limits
    ]  # fmt: skip


def _bandwidth_limit(pair: Pair) -> tuple[float, float]:
    return pair.run.device.peak_bytes_per_second / 1e9, pair.run.bytes_per_second / 1e9


def _activate_limit(pair: Pair) -> tuple[float, float]:
    """Four activates of a rank in tFAW, one of a bank in tRC."""
    device, cycles = pair.run.device, pair.run.cycles
    of_rank = min(4 * (cycles / device.timing.tfaw + 1), device.banks_per_rank * (cycles / device.timing.trc + 1))
    return device.channels * device.ranks * of_rank, pair.run.counts.activates


def _refresh_limit(pair: Pair) -> tuple[float, float]:
    """No burst begins in a refresh; the last reads before it may still be on their way."""
    device, counts = pair.run.device, pair.run.counts
    shut = device.timing.trfc - device.timing.cl - device.burst_cycles
    return pair.run.cycles - counts.refreshes * shut, counts.columns * device.burst_cycles


def _is_plain(row: Reference) -> bool:
    """One channel, open page: what tiers A, C and D hold."""
    return row.device.channels == 1 and row.device.page_policy is PagePolicy.OPEN


def _is_apart(row: Reference) -> bool:
    """Whether tier C only reports it: the schedulers differ most there."""
    return (row.outstanding == 1 and row.reads > 0 and row.writes > 0) or row.device.mapping.text.endswith("bg")


def _is_equal(pair: Pair) -> bool:
    ours, theirs = pair.run, pair.reference
    found = (ours.cycles, ours.counts.activates, ours.counts.reads, ours.counts.writes)
    return found == (theirs.cycles, theirs.activates, theirs.reads, theirs.writes)


def _cycles(pairs: Iterable[Pair]) -> list[Row]:
    return [_row(pair, pair.reference.cycles, pair.run.cycles) for pair in pairs]


def _activates(pairs: Iterable[Pair]) -> list[Row]:
    return [_row(pair, pair.reference.activates, pair.run.counts.activates) for pair in pairs]


def _per_request(pairs: Iterable[Pair]) -> list[Row]:
    """Cycles per burst moved: DRAMsim3 leaves a few writes waiting at the end."""
    return [
        _row(pair, pair.reference.cycles / (pair.reference.reads + pair.reference.writes or 1),
             pair.run.cycles / (pair.run.counts.columns or 1))
        for pair in pairs
    ]  # fmt: skip


def _latencies(pairs: Iterable[Pair]) -> list[Row]:
    return [
        _row(pair, pair.reference.read_latency_cycles, pair.run.mean_read_latency_cycles)
        for pair in pairs
        if pair.reference.reads
    ]


def _energies(pairs: Iterable[Pair], index: int) -> list[Row]:
    return [
        _row(pair, pair.reference.energies_nj[index], _parts_nj(price_dram(pair.run.counts, pair.run.device))[index])
        for pair in pairs
        if isfinite(pair.reference.energies_nj[index])
    ]


def _parts_nj(energy: DramEnergy) -> tuple[float, ...]:
    parts = (energy.activate_pj, energy.read_pj, energy.write_pj, energy.refresh_pj, energy.background_pj)
    return tuple(part / 1e3 for part in parts)


def _row(pair: Pair, published: float, simulated: float, *, is_ceiling: bool = False) -> Row:
    reference = pair.reference
    return Row(group=reference.device.name, case=reference.case, published=published, simulated=simulated,
               is_ceiling=is_ceiling)  # fmt: skip


def _bounds(median: float | None = None, p90: float | None = None, largest: float | None = None) -> tuple[Bound, ...]:
    limits = ((Statistic.MEDIAN, median), (Statistic.P90, p90), (Statistic.MAX, largest))
    return tuple(Bound(statistic=statistic, limit=limit) for statistic, limit in limits if limit is not None)


def _tier(
    name: str, claim: str, measure: Measure, rows: Sequence[Row], *, bounds: tuple[Bound, ...] = (),
    notes: tuple[str, ...] = (),
) -> Tier:  # fmt: skip
    return Tier(
        name=name, claim=claim, quantity=measure.quantity, unit=measure.unit, rows=tuple(rows), bounds=bounds, notes=notes
    )  # fmt: skip
