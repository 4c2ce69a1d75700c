"""A trace file run on a DRAM device -> what `archsim dram` says of it, as a value and as plain JSON.

Called by `cli.py`; `report/dram_tables.py` shows it, `report/dram_timeline_plot.py` draws its command log.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from archsim.arch.dram_device import READS_PER_CHANNEL
from archsim.arch.dram_devices import load_device
from archsim.config_file import legible
from archsim.cost.dram_energy import DramEnergy, price_dram
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import COMMANDS, CommandLog, DramRun
from archsim.errors import ConfigError
from archsim.study.dram_trace import read_dram_trace
from archsim.study.plain_json import Plain
from archsim.study.simulate import program_versions
from archsim.terms import DramPolicy, PagePolicy

LOG_COLUMNS = ("cycle", "command", "channel", "rank", "bankgroup", "bank", "row", "column")
"""Of the command log as CSV; -1 where a command has no such place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSettings:
    """How a trace is run.

    Parameters
    ----------
    device
        A shipped name, or the path of a .yaml.
    outstanding
        Reads in flight at most, over all channels; None = 32 per channel.
    policy
        Which command goes first.
    mapping, page
        In place of the device's own.
    keeps_log
        Whether every command is kept.
    """

    device: str
    outstanding: int | None = None
    policy: DramPolicy = DramPolicy.FRFCFS
    mapping: str | None = None
    page: PagePolicy | None = None
    keeps_log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DramReport:
    """A trace that ran on a DRAM device.

    Parameters
    ----------
    trace
        What ran, by its file's name.
    run
        Cycles, commands and where the data bus's time went.
    energy
        Of those commands.
    versions
        (program, version) pairs.
    inside_bursts
        Requests whose address lay inside a burst: the whole burst was moved.
    """

    trace: str
    run: DramRun
    energy: DramEnergy
    versions: tuple[tuple[str, str], ...]
    inside_bursts: int = 0

    @property
    def mean_read_latency_ns(self) -> float:
        """From the first clock in which a command could go to data. [ns]"""
        return self.run.mean_read_latency_cycles * self.run.device.tck_ns

    @property
    def bus_shares(self) -> tuple[tuple[str, float], ...]:
        """(use, share of the data buses' clocks), the largest first but ``data`` ahead of all; 0..1."""
        clocks = sum(cycles for _, cycles in self.run.bus_use) or 1
        shares = [(use.value, cycles / clocks) for use, cycles in self.run.bus_use if cycles]
        return tuple(sorted(shares, key=lambda pair: (pair[0] != "data", -pair[1])))

    def summary(self) -> dict[str, Plain]:
        """Return every number with its unit in its name; the names are stable."""
        return self._what_ran() | self._what_it_took() | {"versions": dict(self.versions)}

    def _what_ran(self) -> dict[str, Plain]:
        device = self.run.device
        return {
            "trace": self.trace,
            "device": device.name,
            "source": device.source,
            "from_memory": device.from_memory,
            "protocol": device.protocol,
            "channels": device.channels,
            "ranks": device.ranks,
            "mapping": device.mapping.text,
            "page_policy": device.page_policy.value,
            "policy": self.run.policy.value,
            "outstanding": self.run.outstanding,
        }

    def _what_it_took(self) -> dict[str, Plain]:
        run, counts = self.run, self.run.counts
        energy_nj: dict[str, Plain] = {name: energy_pj / 1e3 for name, energy_pj in self.energy.components}
        return {
            "cycles": run.cycles,
            "time_us": run.seconds * 1e6,
            "reads": counts.reads,
            "writes": counts.writes,
            "requests_without_command": run.unserved,
            "requests_inside_bursts": self.inside_bursts,
            "activates": counts.activates,
            "precharges": counts.precharges,
            "refreshes": counts.refreshes,
            "missed_refreshes": counts.missed_refreshes,
            "row_hit_rate": counts.row_hit_rate,
            "moved_bytes": run.moved_bytes,
            "bandwidth_gb_per_s": run.bytes_per_second / 1e9,
            "bandwidth_utilization": run.bandwidth_utilization,
            "peak_gb_per_s": run.device.peak_bytes_per_second / 1e9,
            "mean_read_latency_cycles": run.mean_read_latency_cycles,
            "mean_read_latency_ns": self.mean_read_latency_ns,
            "max_read_latency_cycles": run.read_latency_max,
            "bus_use_cycles": {use.value: cycles for use, cycles in run.bus_use},
            "energy_nj": energy_nj | {"total": self.energy.total_pj / 1e3},
            "pj_per_bit": self.energy.pj_per_bit,
        }


def run_trace_file(path: Path, settings: TraceSettings) -> DramReport:
    """Read a trace, run it, and price it.

    Raises
    ------
    ConfigError
        No such device, or a mapping that does not fit it.
    WorkloadError
        The trace is wrong: up to 20 faults, each with its line.
    """
    device = load_device(settings.device, mapping=settings.mapping, page_policy=settings.page)
    trace = read_dram_trace(path, device)
    run = run_dram_trace(
        device,
        trace,
        policy=settings.policy,
        outstanding=settings.outstanding or READS_PER_CHANNEL * device.channels,
        log=settings.keeps_log,
    )
    return replace(report_dram_run(run, legible(path).name), inside_bursts=trace.inside_bursts)


def report_dram_run(run: DramRun, trace: str) -> DramReport:
    """Price a run of the trace of this name."""
    return DramReport(trace=trace, run=run, energy=price_dram(run.counts, run.device), versions=program_versions())


def command_csv(log: CommandLog | None) -> bytes:
    """Return a command log as CSV, a row per command in the order of issue.

    Raises
    ------
    ConfigError
        The run kept no log.
    """
    if log is None:
        raise ConfigError("this run kept no command log; run it again with its log kept")
    names = pd.Series(COMMANDS).take(log.kind).to_numpy()
    values = (log.cycle, names, log.channel, log.rank, log.bankgroup, log.bank, log.row, log.column)
    return pd.DataFrame(dict(zip(LOG_COLUMNS, values, strict=True))).to_csv(index=False).encode()
