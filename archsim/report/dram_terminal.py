"""What a person at a terminal sees of a DRAM trace; apart from `terminal.py`, as a network's run needs none of it."""

from archsim.report.dram_tables import dram_panel
from archsim.report.terminal import WIDE, stdout_console
from archsim.study.dram_report import DramReport


def print_dram(report: DramReport) -> None:
    """Print a DRAM trace's run to stdout."""
    console = stdout_console()
    console.print(dram_panel(report, is_narrow=console.width < WIDE))
