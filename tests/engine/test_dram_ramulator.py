"""Policy frfcfs against published runs of Ramulator 2.1 (`archsim/validate/golden/dram_reference.csv`)."""

import csv
from pathlib import Path

import numpy as np

import archsim
from archsim.arch.dram_devices import load_device
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import DramController
from archsim.validate.dram_traces import TRACES

REFERENCE = Path(archsim.__file__).parent / "validate" / "golden" / "dram_reference.csv"
RAMULATOR = "ramulator2.1-FRFCFSRowHit"


def errors(simulator: str, controller: DramController) -> tuple[np.ndarray, np.ndarray]:
    """Relative errors of clocks per request, and of the mean read latency where there are reads."""
    with REFERENCE.open() as file:
        rows = [row for row in csv.DictReader(line for line in file if line[0] != "#") if row["simulator"] == simulator]
    cycles, latency = [], []
    for row in rows:
        run = run_dram_trace(
            load_device(row["device"]), TRACES[row["pattern"]](), controller=controller,
            outstanding=int(row["outstanding"]),
        )  # fmt: skip
        theirs = int(row["cycles"]) / (int(row["col_rd"]) + int(row["col_wr"]))
        cycles.append(run.cycles / run.counts.columns / theirs - 1)
        if int(row["col_rd"]):
            latency.append(run.mean_read_latency_cycles / float(row["avg_read_lat_cyc"]) - 1)
    return np.abs(cycles), np.abs(latency)


def test_the_default_controller_is_within_two_per_cent_of_every_run_of_ramulator() -> None:
    cycles, latency = errors(RAMULATOR, DramController())
    assert len(cycles) == 255
    assert np.median(cycles) <= 0.0001
    assert np.percentile(cycles, 90) <= 0.002
    assert cycles.max() <= 0.02
    assert np.percentile(latency, 90) <= 0.003
    assert latency.max() <= 0.03


def test_with_the_queue_settings_of_dramsim3_the_default_policy_is_within_tier_c_of_it() -> None:
    like_dramsim3 = DramController(hit_cap=4, return_cycles=1, write_high=32, write_low=8, idle_drain=8)
    cycles, _ = errors("dramsim3", like_dramsim3)
    assert np.median(cycles) <= 0.005
    assert np.percentile(cycles, 90) <= 0.06
