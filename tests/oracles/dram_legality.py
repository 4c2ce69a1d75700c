"""Is a stream of DRAM commands legal? The JEDEC-style rules as a table, held against every pair of commands.

Knows nothing of any kernel: a rule is (first command, second command, where the second goes relative to the
first, least clocks between them). Slow and obvious.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from archsim.arch.dram_device import DramDevice
from archsim.engine.dram_run import COMMANDS, CommandLog

ACTIVATE, READ, WRITE, PRECHARGE, REFRESH = "activate", "read", "write", "precharge", "refresh"
READ_PRECHARGE, WRITE_PRECHARGE = "read_precharge", "write_precharge"
COLUMN_KINDS = {READ: READ, WRITE: WRITE, READ_PRECHARGE: READ, WRITE_PRECHARGE: WRITE}
POSTPONED = 8
"""Refreshes that may be owed at a time (JEDEC, DDR4)."""
REFRESH_TOO_EARLY = "tRAS + tRP from activate to the refresh behind an auto-precharge"


class Command(NamedTuple):
    clock: int
    kind: str
    channel: int = 0
    rank: int = 0
    group: int = 0
    bank: int = 0
    row: int = 0
    column: int = 0


class Rule(NamedTuple):
    name: str
    first: str
    second: str
    where: str
    clocks: int


class Violation(NamedTuple):
    rule: str
    command: Command


@dataclass
class Verdict:
    """What broke which rule, and how often a rule was met with no clock to spare."""

    violations: list[Violation] = field(default_factory=list)
    met_exactly: Counter[str] = field(default_factory=Counter)

    @property
    def broken(self) -> set[str]:
        return {violation.rule for violation in self.violations}

    def judge(self, rule: str, command: Command, earliest: int) -> None:
        if command.clock < earliest:
            self.violations.append(Violation(rule, command))
        self.met_exactly[rule] += command.clock == earliest

    def demand(self, rule: str, command: Command, *, holds: bool) -> None:
        if not holds:
            self.violations.append(Violation(rule, command))


def logged_commands(log: CommandLog) -> list[Command]:
    """What a run logged, in the checker's own words."""
    columns = (log.channel, log.rank, log.bankgroup, log.bank, log.row, log.column)
    places = np.stack(columns, axis=1).tolist()
    return [
        Command(clock, COMMANDS[kind], *place)
        for clock, kind, place in zip(log.cycle.tolist(), log.kind.tolist(), places, strict=True)
    ]


def rules(device: DramDevice) -> list[Rule]:
    """All rules that speak of two commands; tFAW and auto-precharge need more and stand below."""
    t, burst = device.timing, device.burst_cycles
    write_end = t.cwl + burst
    return [
        Rule("tRC", ACTIVATE, ACTIVATE, "same bank", t.tras + t.trp),
        Rule("tRRD_L", ACTIVATE, ACTIVATE, "other bank of the group", t.trrd_l),
        Rule("tRRD_S", ACTIVATE, ACTIVATE, "other group", t.trrd_s),
        Rule("tRCD to read", ACTIVATE, READ, "same bank", t.trcd_rd),
        Rule("tRCD to write", ACTIVATE, WRITE, "same bank", t.trcd_wr),
        Rule("tRAS", ACTIVATE, PRECHARGE, "same bank", t.tras),
        Rule("tRTP", READ, PRECHARGE, "same bank", t.trtp),
        Rule("tWR", WRITE, PRECHARGE, "same bank", write_end + t.twr),
        Rule("tCCD_L of reads", READ, READ, "same group", max(burst, t.tccd_l)),
        Rule("tCCD_S of reads", READ, READ, "other group", max(burst, t.tccd_s)),
        Rule("tRTRS of reads", READ, READ, "other rank", burst + t.trtrs),
        Rule("read to write", READ, WRITE, "channel", t.cl + burst + t.trtrs - t.cwl),
        Rule("tCCD_L of writes", WRITE, WRITE, "same group", max(burst, t.tccd_l)),
        Rule("tCCD_S of writes", WRITE, WRITE, "other group", max(burst, t.tccd_s)),
        Rule("burst of writes", WRITE, WRITE, "other rank", burst),
        Rule("tWTR_L", WRITE, READ, "same group", write_end + t.twtr_l),
        Rule("tWTR_S", WRITE, READ, "other group", write_end + t.twtr_s),
        Rule("write to read of another rank", WRITE, READ, "other rank", write_end + t.trtrs - t.cl),
        Rule("tRP to activate", PRECHARGE, ACTIVATE, "same bank", t.trp),
        Rule("tRP to refresh", PRECHARGE, REFRESH, "same rank", t.trp),
        Rule("tPPD", PRECHARGE, PRECHARGE, "same rank", t.tppd),
        Rule("tRFC to activate", REFRESH, ACTIVATE, "same rank", t.trfc),
        Rule("tRFC to refresh", REFRESH, REFRESH, "same rank", t.trfc),
    ]


def goes(where: str, first: Command, second: Command) -> bool:
    """Whether the second command goes to this place, seen from the first."""
    rank = first.rank == second.rank
    group = rank and first.group == second.group
    bank = group and first.bank == second.bank
    return {
        "same bank": bank,
        "other bank of the group": group and not bank,
        "same group": group,
        "other group": rank and not group,
        "same rank": rank,
        "other rank": not rank,
        "channel": True,
    }[where]


def check(device: DramDevice, commands: Iterable[Command]) -> Verdict:
    """Hold a stream of commands, all channels together, against every rule."""
    verdict = Verdict()
    by_channel: dict[int, list[Command]] = defaultdict(list)
    for command in sorted(commands, key=lambda command: command.clock):  # stable: the order of issue stays
        by_channel[command.channel].append(command)
    for stream in by_channel.values():
        _check_pairs(device, stream, verdict)
        _check_activate_windows(device, stream, verdict)
        _check_rows(device, stream, verdict)
        _check_command_bus(device, stream, verdict)
        _check_data_bus(device, stream, verdict)
        _check_refresh_rate(device, stream, verdict)
    return verdict


def _check_pairs(device: DramDevice, stream: list[Command], verdict: Verdict) -> None:
    table: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    reach: dict[str, int] = defaultdict(int)
    for rule in rules(device):
        if rule.clocks > 0:
            table[rule.first, rule.second].append(rule)
            reach[rule.first] = max(reach[rule.first], rule.clocks)
    past: dict[str, list[Command]] = defaultdict(list)
    for second in stream:
        kind = COLUMN_KINDS.get(second.kind, second.kind)
        for first_kind, history in past.items():
            for first in _recent(history, second.clock - reach[first_kind]):
                for rule in table[first_kind, kind]:
                    if goes(rule.where, first, second) and second.clock <= first.clock + rule.clocks:
                        verdict.judge(rule.name, second, first.clock + rule.clocks)
        past[kind].append(second)


def _recent(history: list[Command], since: int) -> Iterator[Command]:
    for command in reversed(history):
        if command.clock < since:
            return
        yield command


def _check_activate_windows(device: DramDevice, stream: list[Command], verdict: Verdict) -> None:
    activates: dict[int, list[int]] = defaultdict(list)
    for command in stream:
        if command.kind == ACTIVATE:
            before = activates[command.rank]
            if len(before) >= 4:
                verdict.judge("tFAW", command, before[-4] + device.timing.tfaw)
            before.append(command.clock)


@dataclass
class _Bank:
    open_row: int | None = None
    activated: int = 0
    closed_by_itself: int | None = None  # clock from which an auto-precharge may begin, tRAS left aside


def _check_rows(device: DramDevice, stream: list[Command], verdict: Verdict) -> None:
    t = device.timing
    banks: dict[tuple[int, int, int], _Bank] = defaultdict(_Bank)
    for command in stream:
        bank = banks[command.rank, command.group, command.bank]
        if command.kind == ACTIVATE:
            verdict.demand("an open bank is not activated", command, holds=bank.open_row is None)
            if bank.closed_by_itself is not None:
                verdict.judge("tRP behind an auto-precharge", command, bank.closed_by_itself + t.trp)
            bank.open_row, bank.activated, bank.closed_by_itself = command.row, command.clock, None
        elif command.kind in COLUMN_KINDS:
            verdict.demand("the row is open", command, holds=bank.open_row == command.row)
            if command.kind != COLUMN_KINDS[command.kind]:
                wait = t.trtp if command.kind == READ_PRECHARGE else t.cwl + device.burst_cycles + t.twr
                bank.open_row, bank.closed_by_itself = None, command.clock + wait
        elif command.kind == PRECHARGE:
            verdict.demand("a bank that is closed is not precharged", command, holds=bank.open_row is not None)
            bank.open_row = None
        elif command.kind == REFRESH:
            rank = [bank for (rank, _, _), bank in banks.items() if rank == command.rank]
            closed = all(bank.open_row is None for bank in rank)
            verdict.demand("a refresh finds all banks closed", command, holds=closed)
            for bank in rank:
                if bank.closed_by_itself is not None:
                    verdict.judge("tRP behind an auto-precharge", command, bank.closed_by_itself + t.trp)
                    verdict.judge(REFRESH_TOO_EARLY, command, bank.activated + t.tras + t.trp)


def _check_command_bus(device: DramDevice, stream: list[Command], verdict: Verdict) -> None:
    """One command a clock; HBM has a bus for row commands and one for column commands."""
    taken: set[tuple[int, bool]] = set()
    for command in stream:
        slot = (command.clock, device.protocol == "HBM" and command.kind in COLUMN_KINDS)
        verdict.demand("one command a clock", command, holds=slot not in taken)
        taken.add(slot)


def _check_data_bus(device: DramDevice, stream: list[Command], verdict: Verdict) -> None:
    delay = {READ: device.timing.cl, WRITE: device.timing.cwl}
    bursts = sorted(
        (
            (command.clock + delay[COLUMN_KINDS[command.kind]], command)
            for command in stream
            if command.kind in COLUMN_KINDS
        ),
        key=lambda burst: burst[0],
    )
    for (start, _), (following, command) in pairwise(bursts):
        verdict.demand("one burst at a time", command, holds=following >= start + device.burst_cycles)


def _check_refresh_rate(device: DramDevice, stream: list[Command], verdict: Verdict) -> None:
    if not device.has_refresh:
        verdict.demand("no refresh", stream[0], holds=all(command.kind != REFRESH for command in stream))
        return
    done = dict.fromkeys(range(device.ranks), 0)
    for command in stream:
        for count in done.values():
            owed = command.clock // device.timing.trefi - count
            verdict.demand("at most eight refreshes are owed", command, holds=owed <= POSTPONED + 1)
        done[command.rank] += command.kind == REFRESH
