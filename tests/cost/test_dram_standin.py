from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.arch.dram_devices import load_device
from archsim.arch.memory_level import DramLevel
from archsim.cost.assumptions import pricing_assumptions
from archsim.cost.dram_energy import price_dram
from archsim.cost.dram_standin import device_copies, standin_counts, until_the_end
from archsim.cost.energy_table import load_energy_table
from archsim.engine.dram_run import DramActivity
from archsim.terms import PagePolicy

DDR4 = load_device("DDR4_2400")
TABLE = load_energy_table(EnergyChoice())


def test_every_row_is_opened_once_and_every_burst_is_whole():
    # bursts of 64 B, rows of 8 KB: 20,000 B are 313 bursts in 3 rows; 100 B are 2 bursts in 1 row
    counts = standin_counts(read_bytes=20_000, write_bytes=100, seconds=0, device=DDR4, copies=1)
    assert DDR4.row_bytes == 8192
    assert (counts.reads, counts.writes, counts.activates) == (313, 2, 4)
    assert (counts.open_cycles, counts.refreshes) == (0, 0)


def test_background_and_refresh_take_the_layers_time_on_every_rank():
    # 83.3 us = 100,000 tCK; tREFI 9363 tCK: 10.68 refreshes a device
    counts = standin_counts(read_bytes=0, write_bytes=0, seconds=83.3e-6, device=DDR4, copies=2)
    assert counts.open_cycles == pytest.approx(200_000, abs=2)
    assert counts.refreshes == round(200_000 / DDR4.timing.trefi)
    two_ranks = replace(DDR4, ranks=2)
    assert (
        standin_counts(read_bytes=0, write_bytes=0, seconds=83.3e-6, device=two_ranks, copies=2).open_cycles > 399_000
    )


def test_a_device_without_refresh_has_none():
    quiet = replace(DDR4, has_refresh=False)
    assert standin_counts(read_bytes=0, write_bytes=0, seconds=1e-3, device=quiet, copies=1).refreshes == 0


@pytest.mark.parametrize(("gigabytes", "copies"), [(0.1, 1), (19.2, 1), (34, 2), (100, 6), (float("inf"), 1)])
def test_there_are_as_many_devices_as_the_bandwidth_takes(gigabytes, copies):
    assert device_copies(DDR4, gigabytes * 1e9) == copies


@pytest.mark.parametrize(
    ("microseconds", "pj_per_bit"),
    [(27.9105, 10.1006), (32.043, 10.8539), (124.0662, 25.263)],  # 32, 8 and 1 reads outstanding
)
def test_a_stream_costs_what_dramsim3_makes_of_it(microseconds, pj_per_bit):
    # DRAMsim3 @29817593, DDR4_2400: 6144 sequential reads in that time, IDD energy x tCK
    counts = standin_counts(read_bytes=6144 * 64, write_bytes=0, seconds=microseconds * 1e-6, device=DDR4, copies=1)
    assert price_dram(counts, DDR4).pj_per_bit == pytest.approx(pj_per_bit, rel=0.025)


def test_time_after_the_last_burst_is_spent_as_the_page_policy_leaves_the_banks():
    counts = standin_counts(read_bytes=64, write_bytes=0, seconds=0, device=DDR4, copies=1)
    did = DramActivity(cycles=100, counts=counts, bus_use=(), burst_bytes=64)
    clocks = 10 * DDR4.timing.trefi
    seconds = (100 + clocks) * DDR4.tck_ns * 1e-9
    left_open = until_the_end(did, DDR4, seconds)
    assert left_open.open_cycles == pytest.approx(clocks, abs=1)
    assert left_open.refreshes == 10
    closed = until_the_end(did, replace(DDR4, page_policy=PagePolicy.CLOSED), seconds)
    assert (closed.open_cycles, closed.closed_cycles) == (0, left_open.open_cycles)
    assert until_the_end(did, DDR4, 0.0) == counts


def test_the_stand_in_and_its_optimism_are_told(chip):
    text = "\n".join(pricing_assumptions(chip(), TABLE))
    assert "DRAM energy: commands x currents of DDR4_2400" in text
    assert "x 1, as the arch gives a bandwidth only; an estimate of the best case" in text
    assert "DRAM interface: 7 pJ/bit" in text


def test_a_device_of_the_arch_stands_in_for_no_other(chip):
    mobile = load_device("LPDDR4_3200")
    flat = chip(dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=8, energy_device=mobile))
    text = "\n".join(pricing_assumptions(flat, TABLE))
    assert "commands x currents of LPDDR4_3200" in text
    assert "DRAM interface: 2 pJ/bit" in text
    banked = chip(dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=8, device=mobile))
    assert "best case" not in "\n".join(pricing_assumptions(banked, TABLE))
