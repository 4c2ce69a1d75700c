"""The pictures of a run, and the numbers behind them, as files.

Called by `cli.py` after `run` and for `roofline`. The same run gives the same bytes.
"""

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from archsim.errors import ConfigError
from archsim.report.layers_plot import layers_figure
from archsim.report.roofline_plot import roofline_figure
from archsim.report.zero_plot import zero_figure
from archsim.study.directory import write_directory
from archsim.study.result import SKIP_PICTURE, STALE_FILES, RunResult
from archsim.study.roofline import ROOFLINE_COLUMNS, RooflinePoints, roofline_points, roofline_rows
from archsim.study.run_tables import csv_text


def write_run(run: RunResult, out: str | Path) -> None:
    """Write a run's tables, as `RunResult.save` does, and its pictures into a directory, all or none.

    Raises
    ------
    ConfigError
        ``out`` cannot be written.
    """
    write_directory(Path(out), run.files() | picture_files(run), stale=STALE_FILES)


def picture_files(run: RunResult) -> dict[str, bytes]:
    """Return the content of roofline.png, roofline.csv and layers.png, and of zero_skip.png where zeros were skipped."""
    roofline, zeros = roofline_points(run), zero_figure(run)
    skipped = {} if zeros is None else {SKIP_PICTURE: png_bytes(zeros)}
    return skipped | {
        "roofline.png": png_bytes(roofline_figure([roofline])),
        "roofline.csv": roofline_csv([roofline]).encode(),
        "layers.png": png_bytes(layers_figure(run)),
    }


def write_roofline(runs: Sequence[RunResult], picture: str | Path) -> None:
    """Write the roofline of one or several runs as a PNG, with its numbers as a CSV beside it.

    Raises
    ------
    ConfigError
        ``picture`` does not end in ``.png``, there is no run, or the disk refuses.
    """
    target = Path(picture)
    check_png(target, "a roofline")
    if not runs:
        raise ConfigError("a roofline needs at least one run")
    rooflines = [roofline_points(run) for run in runs]
    files = {
        target.name: png_bytes(roofline_figure(rooflines)),
        target.with_suffix(".csv").name: roofline_csv(rooflines).encode(),
    }
    write_directory(target.parent, files)


def check_png(target: Path, what: str) -> None:
    """Refuse a picture's name that ends in anything else. Raises ConfigError."""
    if target.suffix.lower() != ".png":
        raise ConfigError(f"{target}: {what} is written as PNG; give a name that ends in .png")


def png_bytes(figure: Figure) -> bytes:
    """Return the picture as PNG without program or date in it."""
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=figure.dpi, metadata={"Software": None})
    return sink.getvalue()


def roofline_csv(rooflines: Sequence[RooflinePoints]) -> str:
    """Return roofline.csv; several runs get a first column ``run``."""
    if len(rooflines) == 1:
        return csv_text(ROOFLINE_COLUMNS, roofline_rows(rooflines[0]))
    rows = [(each.name, *row) for each in rooflines for row in roofline_rows(each)]
    return csv_text(("run", *ROOFLINE_COLUMNS), rows)
