"""DRAM energy from currents: against published energies per command, published runs, and the sum of its parts."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from archsim.arch.dram_devices import device_names, load_device
from archsim.cost.dram_energy import command_energy, price_dram
from archsim.engine.dram_run import DramCounts
from archsim.validate.dram_reference import DRAMSIM3, SHIPPED, Reference, read_reference

GOLDEN = Path(__file__).parents[1] / "golden" / "dram_command_energy.csv"
COUNTS = DramCounts(
    activates=7, precharges=5, reads=11, writes=3, refreshes=2, missed_refreshes=0, open_cycles=900, closed_cycles=100
)


def published() -> list[dict[str, str]]:
    with GOLDEN.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("row", published(), ids=lambda row: row["device"])
def test_the_energy_of_each_command_follows_from_the_currents(row: dict[str, str]) -> None:
    found = command_energy(load_device(row["device"]))
    for name in ("activate_pj", "read_pj", "write_pj", "refresh_pj", "open_pj_per_cycle", "closed_pj_per_cycle"):
        assert getattr(found, name) == pytest.approx(float(row[name]), rel=2e-5), name  # four to six digits are given


def test_every_shipped_device_has_published_energies() -> None:
    assert [row["device"] for row in published()] == device_names()


def test_an_activate_by_hand() -> None:
    # DDR4_2400: 1.2 V x 0.833 ns x 8 chips x (48 x 56 - 43 x 39 - 34 x 17) mA clocks = 7.9968 x 433 = 3462.6 pJ
    assert command_energy(load_device("DDR4_2400")).activate_pj == pytest.approx(7.9968 * 433)


def dramsim3_rows() -> list[Reference]:
    return [row for row in read_reference(SHIPPED) if row.simulator == DRAMSIM3]


def test_published_counts_give_the_published_energies_of_563_runs() -> None:
    rows = dramsim3_rows()
    assert len(rows) == 563
    for row in rows:
        counts = replace(COUNTS, activates=row.activates, reads=row.reads, writes=row.writes)
        energy = price_dram(counts, row.device)
        found = (energy.activate_pj, energy.read_pj, energy.write_pj)
        for ours, theirs in zip(found, row.energies_nj[:3], strict=True):
            assert ours / 1e3 == pytest.approx(theirs, rel=1e-4, abs=0.006), (row.device.name, row.case)  # two decimals


def test_the_published_refresh_energies_are_whole_refreshes() -> None:
    for row in dramsim3_rows():
        refreshes = row.energies_nj[3] * 1e3 / command_energy(row.device).refresh_pj
        assert refreshes == pytest.approx(round(refreshes), rel=1e-4), (row.device.name, row.case)


def test_the_published_background_lies_between_all_closed_and_all_open() -> None:
    for row in dramsim3_rows():
        each = command_energy(row.device)
        ranks = row.device.ranks * row.device.channels
        low, high = (row.cycles * ranks * pj / 1e3 for pj in (each.closed_pj_per_cycle, each.open_pj_per_cycle))
        assert low * 0.999 <= row.energies_nj[4] <= high * 1.001, (row.device.name, row.case)


@pytest.mark.parametrize("name", device_names())
def test_the_total_is_the_sum_of_the_parts(name: str) -> None:
    device = load_device(name)
    energy, each = price_dram(COUNTS, device), command_energy(device)
    expected = (
        7 * each.activate_pj + 11 * each.read_pj + 3 * each.write_pj + 2 * each.refresh_pj
        + 900 * each.open_pj_per_cycle + 100 * each.closed_pj_per_cycle
    )  # fmt: skip
    assert energy.total_pj == pytest.approx(expected, rel=1e-12)
    assert sum(pj for _, pj in energy.components) == pytest.approx(expected, rel=1e-12)
    assert energy.background_pj == energy.open_pj + energy.closed_pj
    assert energy.pj_per_bit == pytest.approx(expected / (14 * device.request_bytes * 8))


def test_precharges_cost_nothing_of_their_own() -> None:
    device = load_device("DDR4_2400")
    assert price_dram(replace(COUNTS, precharges=500), device) == price_dram(COUNTS, device)


def test_nothing_moved_has_no_energy_per_bit() -> None:
    energy = price_dram(replace(COUNTS, reads=0, writes=0), load_device("DDR4_2400"))
    assert (energy.moved_bytes, energy.pj_per_bit) == (0, 0.0)
    assert energy.total_pj > 0


def test_twice_the_chips_draw_twice_the_energy() -> None:
    device = load_device("LPDDR4_3200")
    doubled = replace(device, devices_per_rank=2 * device.devices_per_rank)
    assert price_dram(COUNTS, doubled).total_pj == pytest.approx(2 * price_dram(COUNTS, device).total_pj)
