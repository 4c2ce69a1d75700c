"""Policy frfcfs: hand-worked clocks, no clock lost by skipping, streams that can be stopped and fed."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_devices import load_device
from archsim.engine.dram_channel import Setting, run_dram_trace, run_frfcfs
from archsim.engine.dram_outcome import count_bus_use, count_commands
from archsim.engine.dram_run import COMMANDS, BusUse, DramController, DramRun, DramTrace
from archsim.engine.dram_state import StateSizes, make_state
from archsim.errors import ConfigError
from archsim.kernels.dram_frfcfs import HORIZON, NOTHING_LEFT, SLOT_EMPTY, TAG_ENDED, advance, take_ended
from archsim.kernels.dram_queues import CLOCK, REMAINING, DramState
from archsim.kernels.dram_record import LAST_DATA, LOGGED
from archsim.kernels.dram_rules import NEVER
from archsim.kernels.dram_streams import END, ORDER, POSITION, load_slot
from tests.dram_cases import DEVICES, controllers, devices, mixed_trace, remapped, retimed, trace_of, traces

DDR4 = "DDR4_2400"  # CL 17, CWL 12, tRCD 17, tRP 17, tRAS 39, tRTP 9, tCCD_L 6, tWTR_L 9, burst 4
ROW = 128  # bursts of a row; the next 128 lie in the next bank group, 16 rows on is the same bank
BANK = 16 * ROW


def log_of(run: DramRun) -> list[tuple[int, str]]:
    assert run.log is not None
    return [(int(clock), COMMANDS[kind]) for clock, kind in zip(run.log.cycle, run.log.kind, strict=True)]


def use_of(run: DramRun) -> dict[BusUse, int]:
    return dict(run.bus_use)


def test_a_read_of_a_closed_bank_takes_activate_trcd_cl_and_its_burst() -> None:
    run = run_dram_trace(load_device(DDR4), trace_of([0]), log=True)
    assert log_of(run) == [(1, "activate"), (18, "read")]  # accepted at 0; 1 + 17
    assert run.cycles == 39  # 18 + 17 + 4
    assert run.read_latency_max == 38  # from clock 1, the first in which a command could go


def test_a_row_conflict_waits_for_tras_and_precharges() -> None:
    run = run_dram_trace(load_device(DDR4), trace_of([0, BANK]), log=True)
    # precharge at 1 + tRAS 39 = 40 (read 18 + tRTP 9 = 27 is earlier), + tRP 17, + tRCD 17
    assert log_of(run) == [(1, "activate"), (18, "read"), (40, "precharge"), (57, "activate"), (74, "read")]


def test_a_younger_row_hit_goes_before_an_older_conflict() -> None:
    run = run_dram_trace(load_device(DDR4), trace_of([0, BANK, 1]), log=True)
    assert log_of(run)[:3] == [(1, "activate"), (18, "read"), (24, "read")]  # tCCD_L 6
    assert run.counts.activates == 2


def test_a_hit_cap_lets_the_older_conflict_close_the_row() -> None:
    blocks = [0, BANK, 4 * ROW]  # hits of two banks in turn: between two of a bank, tRTP has passed
    blocks += [first + column for column in range(1, 14) for first in (0, 4 * ROW)]
    run = run_dram_trace(load_device(DDR4), trace_of(blocks), controller=DramController(hit_cap=4), log=True)
    free = run_dram_trace(load_device(DDR4), trace_of(blocks), log=True)
    assert run.counts.activates > free.counts.activates == 3


def test_closed_pages_precharge_themselves_but_not_before_tras() -> None:
    run = run_dram_trace(load_device("DDR4_2400_closed"), trace_of([0, 1]), log=True)
    # read at 18 closes at max(18 + tRTP 9, 1 + tRAS 39) = 40; + tRP 17 = 57
    assert log_of(run) == [(1, "activate"), (18, "read_precharge"), (57, "activate"), (74, "read_precharge")]
    assert run.counts.precharges == 2


def test_hbm_issues_a_row_and_a_column_command_in_one_clock() -> None:
    run = run_dram_trace(load_device("HBM2_1ch"), trace_of([*range(8), *range(32, 500, 32)]), log=True)
    clocks = [clock for clock, _ in log_of(run)]
    both = [clock for clock in clocks if clocks.count(clock) == 2]
    kinds = {clock: {kind for at, kind in log_of(run) if at == clock} for clock in both}
    assert both
    assert all(len({"activate", "precharge"} & pair) == 1 and "read" in pair for pair in kinds.values())


def test_an_idle_rank_is_refreshed_every_trefi() -> None:
    run = run_dram_trace(load_device(DDR4), trace_of([0, 0], arrivals=[0, 30_000]), log=True)  # tREFI 9360
    assert [clock for clock, kind in log_of(run) if kind == "refresh"] == [9360 + 17, 18720, 28080]  # first: + tRP
    assert run.counts.missed_refreshes == 0


def test_the_ranks_of_a_channel_are_refreshed_in_turn() -> None:
    run = run_dram_trace(load_device("DDR4_2400_2rank"), trace_of([0], arrivals=[20_000]), log=True)
    refreshes = [clock for clock, kind in log_of(run) if kind == "refresh"]
    assert refreshes == [4680, 9360, 14_040, 18_720]


def test_a_refresh_that_finds_another_still_owed_is_counted_and_made_up() -> None:
    # a refresh takes 420: due every 200 clocks, two in three come after the next is due
    state = fresh(retimed(load_device(DDR4), trefi=200))
    assert advance(state, 42_000) == HORIZON
    counts = count_commands(state.times, 42_000)
    assert counts.refreshes == 100  # one every 420 clocks, the first at 200: all the time there is
    assert counts.missed_refreshes == 209 - 2  # due 209 times; the first two found none owed


def test_a_trace_without_rows_to_open_is_bound_by_its_data_bus() -> None:
    run = run_dram_trace(replace(load_device("DDR4_2400_bgint"), has_refresh=False), trace_of(range(400)))
    # mapping with the bank group lowest: bursts back to back after the four rows are open (1 + tRCD, CL; 4th at + 3 tRRD)
    assert run.cycles - 400 * 4 <= 35 + 16
    assert use_of(run)[BusUse.BANK_GROUP] == 0


def test_bursts_of_one_bank_group_are_bound_by_tccd_l() -> None:
    run = run_dram_trace(replace(load_device(DDR4), has_refresh=False), trace_of(range(ROW)))
    assert use_of(run) == {
        BusUse.DATA: 4 * ROW, BusUse.BANK_GROUP: 2 * (ROW - 1),  # tCCD_L 6 - 4
        BusUse.ROW: 17, BusUse.IDLE: 18,  # activate to read; CL before the first command, and clock 0
        BusUse.TURNAROUND: 0, BusUse.REFRESH: 0, BusUse.OTHER: 0,
    }  # fmt: skip


def test_turning_from_writes_to_reads_and_back_shows_as_turnaround() -> None:
    blocks, writes = [*range(40), *range(40)], [True] * 40 + [False] * 40
    run = run_dram_trace(replace(load_device(DDR4), has_refresh=False), trace_of(blocks, writes))
    assert use_of(run)[BusUse.TURNAROUND] >= 9 + 17 - 4  # tWTR_L + CL between write data and read data, once at least


def test_requests_far_apart_leave_the_bus_idle() -> None:
    run = run_dram_trace(load_device(DDR4), trace_of([0, 1], arrivals=[0, 5000]))
    assert use_of(run)[BusUse.IDLE] > 4900


def test_an_address_beyond_the_device_is_refused() -> None:
    with pytest.raises(ConfigError, match="request 1: address 0x200000000 is beyond the device"):
        run_dram_trace(load_device(DDR4), trace_of([0, 1 << 27]))


@settings(max_examples=80)
@given(devices(), traces(), controllers(), st.sampled_from([1, 2, 8, 64]))
def test_skipping_idle_clocks_changes_nothing(
    device: DramDevice, trace: DramTrace, controller: DramController, outstanding: int
) -> None:
    quick = Setting(device=device, trace=trace, controller=controller, outstanding=outstanding, log_lines=2000)
    skipped, slow = run_frfcfs(quick), run_frfcfs(replace(quick, every_clock=True))
    np.testing.assert_array_equal(skipped.log, slow.log)
    np.testing.assert_array_equal(skipped.buses, slow.buses)
    assert (skipped.cycles, skipped.latency_sum, skipped.latency_max) == (
        slow.cycles, slow.latency_sum, slow.latency_max,
    )  # fmt: skip
    assert count_commands(skipped.times, skipped.cycles) == count_commands(slow.times, slow.cycles)


@pytest.mark.parametrize("pauses", [range(14), (0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 14, 150)])
@pytest.mark.parametrize("name", DEVICES)
def test_skipping_idle_clocks_changes_nothing_where_rows_of_a_bank_compete(name: str, pauses: Sequence[int]) -> None:
    random, count, device = np.random.default_rng(6), 4000, load_device(name)
    device = retimed(device, trefi=device.timing.trfc + 300)
    row_bursts = 1 << sum(width for field, width in device.mapping.bits if field != "ro")
    far = random.integers(0, 3, count) * row_bursts + random.integers(0, 2, count) * (row_bursts // 2)  # rows, ranks
    block = far + random.integers(0, 2 * device.columns, count)
    trace = DramTrace(
        address=block * 64, is_write=random.random(count) < 0.3, arrival=np.cumsum(random.choice(pauses, count))
    )
    quick = Setting(device=device, trace=trace, controller=DramController(), outstanding=16, log_lines=20_000)
    skipped, slow = run_frfcfs(quick), run_frfcfs(replace(quick, every_clock=True))
    np.testing.assert_array_equal(skipped.log, slow.log)
    np.testing.assert_array_equal(skipped.buses, slow.buses)
    assert (skipped.latency_sum, skipped.latency_max) == (slow.latency_sum, slow.latency_max)


def test_a_longer_log_than_expected_is_kept_whole() -> None:
    run = run_dram_trace(retimed(load_device(DDR4), trefi=500), trace_of([0], arrivals=[100_000]), log=True)
    assert run.log is not None
    assert len(run.log.cycle) == run.counts.refreshes + 2 + run.counts.precharges > 72


# Streams


def fed(state: DramState, blocks: np.ndarray, tag: int = 0, *, stream: int = 0, arrival: int = 0) -> None:
    """Load a slot with reads."""
    state.blocks[stream, : len(blocks)] = 2 * blocks
    state.tags[tag, REMAINING] = len(blocks)
    load_slot(state, stream, len(blocks), arrival, tag)


def fresh(device: DramDevice, *, streams: int = 1, tags: int = 1, outstanding: int = 32) -> DramState:
    sizes = StateSizes(streams=streams, slot_requests=4096, tags=tags, log_lines=20_000)
    return make_state(device, DramController(), outstanding, sizes)


def finished(state: DramState) -> dict[int, int]:
    """Run to the end; the clock at which each tag ended."""
    ends: dict[int, int] = {}
    while (why := advance(state, NEVER)) != NOTHING_LEFT:
        while why == TAG_ENDED and (tag := take_ended(state)) >= 0:
            ends[tag] = int(state.scalars[CLOCK])
    return ends


@pytest.mark.parametrize("name", DEVICES)
def test_transfers_loaded_when_the_slot_empties_run_like_one_long_transfer(name: str) -> None:
    device = load_device(name)
    blocks = mixed_trace(3, 1500).address // 64
    whole = fresh(device)
    fed(whole, blocks)
    finished(whole)
    parts = fresh(device, tags=30)
    pieces = np.split(blocks, 30)
    fed(parts, pieces[0])
    for tag, piece in enumerate(pieces[1:], start=1):
        while advance(parts, NEVER) != SLOT_EMPTY:
            while take_ended(parts) >= 0:
                pass
        fed(parts, piece, tag)
    finished(parts)
    np.testing.assert_array_equal(whole.log, parts.log)
    assert whole.scalars[LAST_DATA] == parts.scalars[LAST_DATA]


def test_stopping_at_horizons_changes_nothing() -> None:
    blocks = mixed_trace(4, 800).address // 64
    whole, stopped = fresh(load_device(DDR4)), fresh(load_device(DDR4))
    fed(whole, blocks)
    fed(stopped, blocks)
    finished(whole)
    for horizon in range(7, int(whole.scalars[LAST_DATA]), 7):
        while (why := advance(stopped, horizon)) != HORIZON:
            assert why == SLOT_EMPTY
        assert stopped.scalars[CLOCK] == horizon
    finished(stopped)
    np.testing.assert_array_equal(whole.log, stopped.log)


def test_a_tag_ends_with_its_last_data() -> None:
    state = fresh(load_device(DDR4), streams=2, tags=2)
    fed(state, np.arange(3), 0)
    fed(state, np.arange(3), 1, stream=1, arrival=500)
    # activate 1, reads 18, 24, 30, data to 30 + 17 + 4; the second finds its row open: reads at 501, 507, 513
    assert finished(state) == {0: 51, 1: 534}


def test_the_stream_that_is_asked_first_is_served_first() -> None:
    for order in ((0, 1), (1, 0)):
        state = fresh(load_device(DDR4), streams=2, tags=2, outstanding=4)
        state.streams[:, ORDER] = order
        fed(state, np.arange(200), 0)
        fed(state, np.arange(ROW, ROW + 200), 1, stream=1)
        ends = finished(state)
        assert ends[order[0]] < ends[order[1]]


def test_a_stream_that_is_refused_does_not_hold_up_another() -> None:
    state = fresh(load_device(DDR4), streams=2, tags=2, outstanding=0)  # no read is ever taken
    fed(state, np.arange(8), 0)
    state.blocks[1, :8] = 2 * np.arange(8) + 1
    state.tags[1, REMAINING] = 8
    load_slot(state, 1, 8, 0, 1)
    while advance(state, 2000) == SLOT_EMPTY:
        pass
    assert take_ended(state) == 1
    assert state.streams[0, POSITION] == 0 < state.streams[0, END]


def test_channels_share_the_requests_outstanding() -> None:
    one = run_dram_trace(load_device("HBM2_8ch"), mixed_trace(0, 800), outstanding=1)
    many = run_dram_trace(load_device("HBM2_8ch"), mixed_trace(0, 800), outstanding=64)
    assert one.cycles > 3 * many.cycles


def test_a_state_can_be_copied_and_run_again() -> None:
    state = fresh(load_device("HBM2_8ch"))
    fed(state, mixed_trace(5, 500).address // 64)
    advance(state, 100)
    again = DramState(
        *(type(part)(*(a.copy() for a in part)) if isinstance(part, tuple) else part.copy() for part in state)
    )
    assert finished(state) == finished(again)
    np.testing.assert_array_equal(state.log, again.log)
    assert count_bus_use(state.buses, int(state.scalars[LAST_DATA])) == count_bus_use(
        again.buses, int(again.scalars[LAST_DATA])
    )
    assert state.scalars[LOGGED] > 0


def test_run_values_are_plain_numbers() -> None:
    run = run_dram_trace(remapped(load_device(DDR4), channels=2), trace_of(range(64)))
    assert {type(value) for value in asdict(run.counts).values()} == {int}
