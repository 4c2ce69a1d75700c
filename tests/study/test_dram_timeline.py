"""A stretch of a command log: hand-made logs, each picture element by hand."""

from dataclasses import replace

import numpy as np
import pytest

from archsim.arch.dram_devices import load_device
from archsim.engine.dram_run import COMMANDS, CommandLog, DramCounts, DramRun
from archsim.errors import ConfigError
from archsim.study.dram_timeline import BankPlace, Burst, Mark, OpenRow, Refresh, dram_timeline, telling_stretch
from archsim.terms import DramPolicy

DEVICE = load_device("DDR4_2400")  # CL 17, CWL 12, burst 4, tRTP 9, tWR 18, tRFC 420
COUNTS = DramCounts(activates=0, precharges=0, reads=0, writes=0, refreshes=0, missed_refreshes=0, open_cycles=0, closed_cycles=0)  # fmt: skip
BANK, OTHER = BankPlace(0, 0, 0), BankPlace(0, 2, 1)


def run_of(*commands: tuple[int, str, BankPlace | None, int], channel: int = 0, cycles: int = 1000) -> DramRun:
    """(clock, command, bank, row) each; a refresh has no bank."""
    places = [bank or BankPlace(0, -1, -1) for _, _, bank, _ in commands]
    columns = {
        "cycle": [each[0] for each in commands],
        "kind": [COMMANDS.index(each[1]) for each in commands],
        "channel": [channel] * len(commands),
        "rank": [place.rank for place in places],
        "bankgroup": [place.bankgroup for place in places],
        "bank": [place.bank for place in places],
        "row": [each[3] for each in commands],
        "column": [-1] * len(commands),
    }
    log = CommandLog(**{name: np.array(values, dtype=np.int64) for name, values in columns.items()})
    return DramRun(
        device=DEVICE, policy=DramPolicy.FRFCFS, outstanding=32, cycles=cycles, counts=COUNTS, requests=(0, 0), read_latency_sum=0,
        read_latency_max=0, bus_use=(), log=log,
    )  # fmt: skip


COPY = run_of(
    (10, "activate", BANK, 5), (27, "read", BANK, 5), (31, "read", BANK, 5), (40, "activate", OTHER, 9),
    (60, "write", OTHER, 9), (80, "precharge", BANK, 5), (97, "activate", BANK, 6), (200, "refresh", None, -1),
)  # fmt: skip


def test_a_row_is_open_from_its_activate_to_its_precharge() -> None:
    found = dram_timeline(COPY, start=0, end=1000).open_rows
    assert found == (OpenRow(BANK, 5, 10, 80), OpenRow(OTHER, 9, 40, 1000), OpenRow(BANK, 6, 97, 1000))


def test_data_follows_its_command_by_the_latency() -> None:
    # 27 + 17, 31 + 17, 60 + 12; four clocks each
    found = dram_timeline(COPY, start=0, end=1000)
    assert found.bursts == (Burst(44, 48, False), Burst(48, 52, False), Burst(72, 76, True))
    assert found.turnarounds == ((52, 72),)


def test_a_refresh_lasts_trfc_and_is_no_mark_of_a_bank() -> None:
    found = dram_timeline(COPY, start=0, end=1000)
    assert found.refreshes == (Refresh(0, 200, 620),)
    assert Mark(BANK, COMMANDS.index("precharge"), 80) in found.marks
    assert len(found.marks) == 7


def test_what_overlaps_the_stretch_is_in_it_and_nothing_else() -> None:
    found = dram_timeline(COPY, start=50, end=90)
    assert [row.row for row in found.open_rows] == [5, 9]
    assert [burst.start for burst in found.bursts] == [48, 72]
    assert [mark.cycle for mark in found.marks] == [60, 80]
    assert found.refreshes == ()
    assert found.banks == (BANK, OTHER)


def test_the_gap_of_a_turnaround_is_one_between_opposite_directions() -> None:
    reads = run_of((10, "read", BANK, 5), (40, "read", BANK, 5))
    assert dram_timeline(reads, start=0, end=100).turnarounds == ()


@pytest.mark.parametrize(("command", "end"), [("read_precharge", 50 + 9), ("write_precharge", 50 + 12 + 4 + 18)])
def test_a_column_command_may_close_the_row_behind_it(command: str, end: int) -> None:
    run = run_of((10, "activate", BANK, 5), (50, command, BANK, 5))
    assert dram_timeline(run, start=0, end=100).open_rows == (OpenRow(BANK, 5, 10, end),)


def test_other_channels_are_left_out() -> None:
    run = run_of((10, "activate", BANK, 5), channel=3)
    assert dram_timeline(run, start=0, end=100).banks == ()
    assert dram_timeline(run, start=0, end=100, channel=3).banks == (BANK,)


def test_the_telling_stretch_is_the_one_with_most_kinds_of_command() -> None:
    assert telling_stretch(COPY, 200) == (0, 200)
    late = run_of((10, "read", BANK, 5), (710, "read", BANK, 5), (720, "write", BANK, 5))
    assert telling_stretch(late, 100) == (650, 750)


def test_a_run_shorter_than_the_stretch_is_shown_from_its_start() -> None:
    assert telling_stretch(run_of((1, "activate", BANK, 0), cycles=30), 400) == (0, 400)


def test_a_run_without_log_is_refused() -> None:
    with pytest.raises(ConfigError, match="this run kept no command log"):
        dram_timeline(replace(COPY, log=None), start=0, end=9)
