"""The files of a DRAM run: its commands as CSV, a stretch of them as a picture; called by `cli.py`."""

from pathlib import Path

from archsim.report.dram_timeline_plot import timeline_figure
from archsim.report.pictures import check_png, png_bytes
from archsim.study.directory import write_directory
from archsim.study.dram_report import DramReport, command_csv
from archsim.study.dram_timeline import dram_timeline, telling_stretch

PLOTTED_CLOCKS = 400
"""Length of the stretch that is drawn: single commands can be told apart. [tCK]"""


def write_dram_files(report: DramReport, commands: Path | None, plot: Path | None) -> None:
    """Write what was asked for; the run must have kept its log.

    Raises
    ------
    ConfigError
        ``plot`` does not end in ``.png``, or the disk refuses.
    """
    if plot is not None:
        check_png(plot, "a timeline")
    if commands is not None:
        write_directory(commands.parent, {commands.name: command_csv(report.run.log)})
    if plot is not None:
        write_directory(plot.parent, {plot.name: timeline_png(report)})


def timeline_png(report: DramReport) -> bytes:
    """Draw the stretch that tells most."""
    run = report.run
    start, end = telling_stretch(run, PLOTTED_CLOCKS)
    title = f"{report.trace} on {run.device.name}: {run.policy.value}, {run.outstanding} reads outstanding"
    return png_bytes(timeline_figure(dram_timeline(run, start=start, end=end), title))
