"""Every command stream is legal: DRAMsim3's own, and those of both policies; and the checker finds what is not."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from archsim.arch.dram_devices import device_names, load_device
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import DramRun, DramTrace
from archsim.terms import DramPolicy
from tests.oracles.dram_legality import REFRESH_TOO_EARLY, Command, check, logged_commands, rules

GOLDEN = Path(__file__).parents[1] / "golden" / "dram_commands.csv"
KINDS = {"A": "activate", "R": "read", "W": "write", "P": "precharge", "F": "refresh"}
COLUMNS = ("clock", "command", "rank", "bankgroup", "bank", "row", "column")

A, R, W, P, F, RP, WP = "activate", "read", "write", "precharge", "refresh", "read_precharge", "write_precharge"


def golden_streams() -> Iterator[tuple[str, list[Command]]]:
    """(device, commands) of each run of DRAMsim3."""
    device, stream = "", list[Command]()
    with GOLDEN.open() as file:
        for line in csv.DictReader(row for row in file if not row.startswith("#")):
            if line["device"]:
                if stream:
                    yield device, stream
                device, stream = line["device"], []
            clock, kind, rank, group, bank, row, column = (line[name] for name in COLUMNS)
            place = (int(rank), int(group), int(bank), int(row), int(column))
            stream.append(Command(int(clock), KINDS[kind], 0, *place))
    yield device, stream


def commands_of(run: DramRun) -> list[Command]:
    assert run.log is not None
    return logged_commands(run.log)


def random_trace(device_name: str, seed: int) -> DramTrace:
    """Bursts of a few rows, hot and cold, reads and writes, with pauses: every rule gets its chance."""
    device, generator = load_device(device_name), np.random.default_rng(seed)
    blocks = device.capacity_bytes // device.request_bytes
    near = generator.integers(0, 512, 900)
    address = np.where(generator.random(900) < 0.5, near, generator.integers(0, blocks, 900)) * device.request_bytes
    is_write = generator.random(900) < generator.choice([0.1, 0.5])
    pauses = np.where(generator.random(900) < 0.01, generator.integers(0, 1500, 900), 0)
    return DramTrace(address=address, is_write=is_write, arrival=np.cumsum(pauses))


def test_every_command_of_dramsim3_is_legal_and_every_rule_is_met_to_the_clock() -> None:
    met: Counter[str] = Counter()
    count = 0
    for device, stream in golden_streams():
        verdict = check(load_device(device), stream)
        assert not verdict.violations, device
        met += verdict.met_exactly
        count += len(stream)
    assert count == 10_799
    every = {rule.name for rule in rules(load_device("LPDDR4_3200"))} | {"tFAW"}
    assert every - set(met) == {"tRFC to refresh"}  # no golden run has two refreshes


@pytest.mark.parametrize("policy", DramPolicy)
@pytest.mark.parametrize("name", device_names())
def test_every_command_of_both_policies_is_legal(name: str, policy: DramPolicy) -> None:
    device = load_device(name)
    for seed, outstanding in ((1, 1), (2, 32)):
        run = run_dram_trace(
            device, random_trace(name, seed), policy=policy, outstanding=outstanding * device.channels, log=True
        )
        verdict = check(device, commands_of(run))
        assert verdict.violations == []
        assert run.counts.columns == sum(command.kind in {R, W, RP, WP} for command in commands_of(run))


# Each stream is legal as it stands; with its last command one clock earlier it breaks just the rules named.
# DDR4-2400: CL 17, CWL 12, tRCD 17, tRP 17, tRAS 39, tRTP 9, tWR 18, tCCD 4/6, tWTR 3/9, tRRD 4/6, tFAW 26, tRFC 420,
# burst 4 clocks, tRTRS 2
BROKEN_BY_ONE_CLOCK = [
    ([Command(0, A), Command(17, R)], {"tRCD to read"}),
    ([Command(0, A), Command(17, W)], {"tRCD to write"}),
    ([Command(0, A), Command(39, P)], {"tRAS"}),
    ([Command(0, A), Command(39, P), Command(56, A)], {"tRC", "tRP to activate"}),
    ([Command(0, A), Command(50, P), Command(67, A)], {"tRP to activate"}),
    ([Command(0, A), Command(6, A, bank=1)], {"tRRD_L"}),
    ([Command(0, A), Command(4, A, group=1)], {"tRRD_S"}),
    ([*(Command(4 * group, A, group=group) for group in range(4)), Command(26, A, bank=1)], {"tFAW"}),
    ([Command(0, A), Command(40, R), Command(49, P)], {"tRTP"}),
    ([Command(0, A), Command(17, W), Command(51, P)], {"tWR"}),  # 17 + 12 + 4 + 18
    ([Command(0, A), Command(17, R), Command(23, R, column=1)], {"tCCD_L of reads"}),
    ([Command(0, A), Command(4, A, group=1), Command(30, R), Command(34, R, group=1)],
     {"tCCD_S of reads", "one burst at a time"}),
    ([Command(0, A), Command(1, A, rank=1), Command(30, R), Command(36, R, rank=1)], {"tRTRS of reads"}),
    ([Command(0, A), Command(30, R), Command(41, W)], {"read to write"}),  # 30 + 17 + 4 + 2 - 12
    ([Command(0, A), Command(1, A, rank=1), Command(30, R), Command(41, W, rank=1)], {"read to write"}),
    ([Command(0, A), Command(17, W), Command(23, W, column=1)], {"tCCD_L of writes"}),
    ([Command(0, A), Command(4, A, group=1), Command(30, W), Command(34, W, group=1)],
     {"tCCD_S of writes", "one burst at a time"}),
    ([Command(0, A), Command(1, A, rank=1), Command(30, W), Command(34, W, rank=1)],
     {"burst of writes", "one burst at a time"}),
    ([Command(0, A), Command(30, W), Command(55, R)], {"tWTR_L"}),  # 30 + 12 + 4 + 9
    ([Command(0, A), Command(4, A, group=1), Command(30, W), Command(49, R, group=1)], {"tWTR_S"}),
    ([Command(0, A), Command(1, A, rank=1), Command(30, W), Command(31, R, rank=1)],  # 30 + 12 + 4 + 2 - 17
     {"write to read of another rank", "one command a clock"}),
    ([Command(0, A), Command(50, P), Command(67, F)], {"tRP to refresh"}),
    ([Command(0, F), Command(420, A)], {"tRFC to activate"}),
    ([Command(0, F), Command(420, F)], {"tRFC to refresh"}),
    ([Command(0, A), Command(40, RP), Command(66, A)], {"tRP behind an auto-precharge"}),  # 40 + 9 + 17
    ([Command(0, A), Command(17, WP), Command(68, A)], {"tRP behind an auto-precharge"}),  # 17 + 12 + 4 + 18 + 17
    ([Command(0, A), Command(17, RP), Command(56, A)], {"tRC"}),
    ([Command(0, A), Command(40, RP), Command(66, F)], {"tRP behind an auto-precharge"}),
    ([Command(0, A), Command(17, RP), Command(56, F)], {REFRESH_TOO_EARLY}),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "broken"), BROKEN_BY_ONE_CLOCK)
def test_one_clock_less_breaks_just_the_rule(stream: list[Command], broken: set[str]) -> None:
    device = load_device("DDR4_2400_2rank")
    assert check(device, stream).broken == set()
    last = stream[-1]._replace(clock=stream[-1].clock - 1)
    assert check(device, [*stream[:-1], last]).broken == broken


def test_lpddr4_keeps_precharges_of_a_rank_apart() -> None:
    device = load_device("LPDDR4_2400")
    stream = [Command(0, A), Command(8, A, bank=1), Command(40, P)]
    assert check(device, [*stream, Command(42, P, bank=1)]).broken == set()
    assert check(device, [*stream, Command(41, P, bank=1)]).broken == {"tPPD"}


@pytest.mark.parametrize(
    ("stream", "broken"),
    [
        ([Command(0, A), Command(60, A)], {"an open bank is not activated"}),
        ([Command(0, R)], {"the row is open"}),
        ([Command(0, A, row=1), Command(17, R, row=2)], {"the row is open"}),
        ([Command(0, A), Command(40, RP), Command(46, R)], {"the row is open"}),
        ([Command(0, P)], {"a bank that is closed is not precharged"}),
        ([Command(0, A, bank=3), Command(60, F)], {"a refresh finds all banks closed"}),
        ([Command(0, A), Command(0, A, rank=1)], {"one command a clock"}),
        ([Command(10 * 9360, A)], {"at most eight refreshes are owed"}),
    ],
)
def test_a_command_in_the_wrong_state_is_found(stream: list[Command], broken: set[str]) -> None:
    assert check(load_device("DDR4_2400_2rank"), stream).broken == broken


def test_hbm_may_send_a_row_and_a_column_command_in_one_clock_but_not_two_of_a_kind() -> None:
    device = load_device("HBM2_1ch")
    stream = [Command(0, A), Command(14, R)]
    assert check(device, [*stream, Command(14, A, group=1)]).broken == set()
    twice = [Command(0, A), Command(10, A, group=1), Command(60, P), Command(60, P, group=1)]
    assert check(device, twice).broken == {"one command a clock"}


def test_channels_do_not_disturb_each_other() -> None:
    assert check(load_device("HBM2_8ch"), [Command(0, A), Command(0, A, channel=1)]).broken == set()


def test_a_device_without_refresh_is_not_refreshed() -> None:
    assert check(load_device("DDR4_2400_noref"), [Command(0, F)]).broken == {"no refresh"}
    assert check(load_device("DDR4_2400_noref"), [Command(99_999, A)]).broken == set()
