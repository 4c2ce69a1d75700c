"""Policy ``bank_rr`` is DRAMsim3: cycles, commands, latencies and background time of its runs, to the clock."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import archsim.validate
from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_devices import device_names, load_device
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import COMMANDS, BusUse, DramRun, DramTrace
from archsim.errors import ConfigError
from archsim.terms import DramPolicy, PagePolicy
from archsim.validate.dram_traces import MIB, TRACES, scattered, scattered_mix, sequential, side_by_side, strided

REFERENCE = Path(archsim.validate.__file__).parent / "golden" / "dram_reference.csv"
GOLDEN = Path(__file__).parents[1] / "golden" / "dram_commands.csv"
LETTERS = dict(zip("ARWPF", COMMANDS, strict=False))
GOLDEN_TRACES: dict[str, Callable[[], DramTrace]] = {
    "g_seq_rd": lambda: sequential(96),
    "g_seq_wr": lambda: sequential(96, writes=True),
    "g_stride8192_rd": lambda: strided(64, 8192),
    "g_stride65536_rd": lambda: strided(32, 65536),
    "g_rand_rd": lambda: scattered(64, 101),
    "g_rand_mix": lambda: scattered_mix(96, 102, 3),
    "g_copy": lambda: side_by_side(96, (0, 64 * MIB + 5 * 8192), (False, True)),
}


def published(name: str) -> list[dict[str, str]]:
    with REFERENCE.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return [row for row in rows if row["simulator"] == "dramsim3" and row["device"] == name]


def rerun(row: dict[str, str]) -> DramRun:
    return run(load_device(row["device"]), TRACES[row["pattern"]](), int(row["outstanding"]))


def run(device: DramDevice, trace: DramTrace, outstanding: int = 32, *, log: bool = False) -> DramRun:
    return run_dram_trace(device, trace, policy=DramPolicy.BANK_RR, outstanding=outstanding, log=log)


def trace_of(blocks: list[int], writes: list[bool], arrivals: list[int] | None = None) -> DramTrace:
    arrival = np.array(arrivals or [0] * len(blocks))
    return DramTrace(address=64 * np.array(blocks), is_write=np.array(writes), arrival=arrival)


def rank_clock_pj(device: DramDevice) -> tuple[float, float]:
    """Standby energy of a rank in a clock, a bank open and all closed: V x IDD x tCK x chips. [pJ]"""
    amps = device.currents
    scale = amps.vdd * device.tck_ns * device.devices_per_rank
    return scale * amps.idd3n, scale * amps.idd2n


OPEN_PAGE = [name for name in device_names() if load_device(name).page_policy is PagePolicy.OPEN]


def test_closed_pages_differ_by_what_a_legal_refresh_takes() -> None:
    """DRAMsim3 refreshes tRTP + tRP after a read with auto-precharge, were the row open for less than tRAS or not."""
    for row in published("DDR4_2400_closed"):
        ours, theirs = rerun(row), int(row["cycles"])
        assert ours.cycles == pytest.approx(theirs, rel=0.004), row
        assert ours.counts.activates == pytest.approx(int(row["acts"]), rel=0.01), row
        assert (ours.counts.reads, ours.counts.writes) == (int(row["col_rd"]), int(row["col_wr"])), row


@pytest.mark.parametrize("name", OPEN_PAGE)
def test_every_run_of_dramsim3_is_met_to_the_clock(name: str) -> None:
    rows = published(name)
    assert rows
    for row in rows:
        ours = rerun(row)
        found = (ours.cycles, ours.counts.activates, ours.counts.reads, ours.counts.writes)
        assert found == tuple(int(row[key]) for key in ("cycles", "acts", "col_rd", "col_wr")), row
        reads = np.count_nonzero(~TRACES[row["pattern"]]().is_write)
        latency = ours.read_latency_sum / reads if reads else 0.0
        assert latency == pytest.approx(float(row["avg_read_lat_cyc"]), abs=5.1e-4), row
        opened, closed = rank_clock_pj(ours.device)
        background = (ours.counts.open_cycles * opened + ours.counts.closed_cycles * closed) / 1000
        # DRAMsim3 runs one clock beyond the last data: each rank has one more, open or closed
        missing = float(row["e_bg_nj"]) - background
        ranks = ours.device.ranks * ours.device.channels
        assert (
            0.99 * ranks * closed / 1000 - 0.01 <= missing <= 1.01 * ranks * opened / 1000 + 2e-7 * background + 0.01
        ), row


def test_every_golden_command_is_issued_at_its_clock() -> None:
    with GOLDEN.open() as file:
        lines = list(csv.DictReader(line for line in file if not line.startswith("#")))
    starts = [index for index, line in enumerate(lines) if line["device"]]
    assert len(starts) == 70
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        head, theirs = lines[start], [_theirs(line) for line in lines[start:end]]
        device, trace = load_device(head["device"]), GOLDEN_TRACES[head["pattern"]]()
        ours = _ours(run(device, trace, int(head["outstanding"]), log=True))
        assert ours == theirs, (head["device"], head["pattern"], head["outstanding"])


def _theirs(line: dict[str, str]) -> tuple[int | str, ...]:
    kind = LETTERS[line["command"]]
    return _told(kind, *(int(line[key]) for key in ("clock", "rank", "bankgroup", "bank", "row", "column")))


def _ours(run: DramRun) -> list[tuple[int | str, ...]]:
    log = run.log
    assert log is not None
    columns = (log.cycle, log.rank, log.bankgroup, log.bank, log.row, log.column)
    places = np.stack(columns, axis=1).tolist()
    return [_told(COMMANDS[kind], *place) for kind, place in zip(log.kind.tolist(), places, strict=True)]


def _told(kind: str, *numbers: int) -> tuple[int | str, ...]:
    """Keep what a command means: a refresh has no bank, a precharge no row, an activate no column."""
    said = {"refresh": 2, "precharge": 4, "activate": 5}.get(kind, 6)
    return (kind, *numbers[:said])


def test_a_write_whose_burst_already_waits_to_be_written_joins_it() -> None:
    device = load_device("DDR4_2400")
    assert run(device, trace_of([7] * 40, [True] * 40)).counts.writes == 0  # one waiting write, never drained
    assert run(device, trace_of([*range(9), 3], [True] * 10)).counts.writes == 9


def test_up_to_eight_writes_stay_undrained() -> None:
    device = load_device("DDR4_2400")
    assert run(device, trace_of(list(range(8)), [True] * 8)).counts.writes == 0
    assert run(device, trace_of(list(range(9)), [True] * 9)).counts.writes == 9


def test_a_read_of_a_burst_that_waits_to_be_written_takes_one_clock_and_no_command() -> None:
    found = run(load_device("DDR4_2400"), trace_of([5, 5], [True, False]))
    assert (found.counts.columns, found.read_latency_sum, found.read_latency_max) == (0, 1, 1)


def test_reads_of_one_burst_share_its_command() -> None:
    found = run(load_device("DDR4_2400"), trace_of([5, 5, 5], [False] * 3))
    # accepted at 0, 1, 2; activate at 1, read at 18, data at 18 + 17 + 4 = 39
    assert (found.counts.reads, found.read_latency_max, found.read_latency_sum) == (1, 39, 39 + 38 + 37)


def test_writes_that_wait_for_a_read_let_it_go_first() -> None:
    # Nine rows of a bank are read: the ninth read waits outside the bank's full queue. Then a full list of writes to
    # the bank, the first to the burst of that read.
    row_of_bank_0 = 128 * 16
    blocks = [row_of_bank_0 * row for row in [*range(9), *range(8, 44)]]
    found = run(load_device("DDR4_2400"), trace_of(blocks, [False] * 9 + [True] * 36), outstanding=64)
    assert (found.counts.reads, found.counts.writes) == (9, 32)  # four writes came too late to be drained


@pytest.mark.parametrize("name", ["DDR4_2400", "DDR4_2400_2rank", "LPDDR4_3200", "HBM2_8ch", "DDR4_2400_closed"])
def test_every_clock_of_the_data_buses_has_one_use_and_of_the_ranks_one_state(name: str) -> None:
    device = load_device(name)
    for trace in (TRACES["rand_mix21_s1"](), scattered(500, 5, interval=40)):
        found = run(device, trace)
        assert sum(clocks for _, clocks in found.bus_use) == device.channels * found.cycles
        assert dict(found.bus_use)[BusUse.DATA] == found.counts.columns * device.burst_cycles
        assert all(clocks >= 0 for _, clocks in found.bus_use)
        rank_clocks = device.channels * device.ranks * found.cycles
        assert found.counts.open_cycles + found.counts.closed_cycles == rank_clocks


def test_a_log_has_every_command_also_where_pauses_make_room_for_many_refreshes() -> None:
    found = run(load_device("DDR4_2400"), trace_of([0, 1], [False] * 2, [0, 100 * 9360]), log=True)
    assert found.log is not None
    assert found.counts.refreshes == np.count_nonzero(found.log.kind == COMMANDS.index("refresh")) == 100


def test_an_address_beyond_the_device_is_refused() -> None:
    with pytest.raises(ConfigError, match="request 0: address 0x200000000 is beyond the device"):
        run(load_device("DDR4_2400"), trace_of([2**27], [False]))


def test_a_read_served_by_a_waiting_write_frees_its_place_a_clock_later() -> None:
    # Accepted at 0 (write), 1, 2; the first place is free again from 3: activate at 4, read at 21, data till 21 + 17 + 4
    found = run(load_device("DDR4_2400"), trace_of([5, 5, 5, 9], [True, False, False, False]), outstanding=2)
    assert (found.cycles, found.counts.reads) == (42, 1)
