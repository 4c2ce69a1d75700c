"""Which dataflow costs least under equal storage area: the comparison of the Eyeriss paper (ISCA 2016), or your network's.

    .venv/bin/python scripts/dataflow_study.py                          # AlexNet's convolutions, as published
    .venv/bin/python scripts/dataflow_study.py vgg16 --out out/study    # and the tables and the picture as files

Files: points.csv (a row per bar), accesses.csv (per layer, operand and level, with the mapping), study.png.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from archsim.catalog import load_workload
from archsim.errors import ArchsimError
from archsim.report.dataflow_study_plot import dataflow_study_figure
from archsim.report.pictures import png_bytes
from archsim.study.directory import check_directory, write_directory
from archsim.study.reuse.rows import ACCESS_COLUMNS, POINT_COLUMNS, access_rows, point_row
from archsim.study.reuse.split import ReuseLevel
from archsim.study.reuse.square_layer import square_layers
from archsim.study.reuse.study import BATCHES, PE_COUNTS, PointKey, ReusePoint, dataflow_study
from archsim.study.run_tables import csv_text
from archsim.validate.isca16 import published_energies

PUBLISHED_WORKLOAD = "alexnet"


def study_table(points: Iterable[ReusePoint], published: dict[PointKey, float]) -> str:
    """Return the study in Markdown, energies in MACs per MAC."""
    head = (
        "PEs",
        "dataflow",
        "batch",
        *(level.value for level in ReuseLevel),
        "total",
        "published",
        "DRAM words/MAC",
        "delay",
    )
    lines = [_line(head), _line(["---:"] * len(head))]
    for point in points:
        shown = published.get(point.key)
        cells = [f"{point.storage.pes}", point.dataflow.value, f"{point.batch}"]
        if point.is_feasible:
            cells += [f"{point.energy_per_mac(level):.3f}" for level in ReuseLevel]
            cells += [f"{point.total_energy_per_mac:.3f}", "" if shown is None else f"{shown:.3f}"]
            cells += [f"{point.dram_reads_per_mac + point.dram_writes_per_mac:.6f}", f"{point.delay_per_mac:.3f}"]
        else:
            cells += ["no mapping", *[""] * (len(head) - len(cells) - 1)]
        lines.append(_line(cells))
    return "\n".join(lines)


def study_files(points: Sequence[ReusePoint], title: str, published: dict[PointKey, float]) -> dict[str, bytes]:
    """Return the content of points.csv, accesses.csv and study.png."""
    return {
        "points.csv": csv_text(POINT_COLUMNS, map(point_row, points)).encode(),
        "accesses.csv": csv_text(ACCESS_COLUMNS, access_rows(points)).encode(),
        "study.png": png_bytes(dataflow_study_figure(points, title, published)),
    }


def main() -> None:
    """Run the study, print its table, write its files where asked."""
    options = _options()
    if options.out:
        check_directory(options.out)
    layers = square_layers(load_workload(options.workload))
    chosen = layers if options.all_layers else [layer for layer in layers if not layer.is_fully_connected]
    points = dataflow_study(chosen, pe_counts=options.pes, batches=options.batch)
    is_published = options.workload == PUBLISHED_WORKLOAD and not options.all_layers
    published = published_energies() if is_published else {}
    print(study_table(points, published))
    for point in points:
        if not point.is_feasible:
            print(f"{point.dataflow}, {point.storage.pes} PEs: {point.why_none}")
    if options.out:
        what = "all layers" if options.all_layers else "convolutions"
        title = f"{options.workload}, {what}: energy of six dataflows with equal storage area"
        write_directory(options.out, study_files(points, title, published))
        print(options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Six dataflows under equal storage area (Eyeriss, ISCA 2016).")
    parser.add_argument("workload", nargs="?", default=PUBLISHED_WORKLOAD)
    parser.add_argument("--pes", type=int, nargs="+", default=PE_COUNTS)
    parser.add_argument("--batch", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--all-layers", action="store_true", help="fully connected layers too")
    parser.add_argument("--out", type=Path, help="directory for the tables and the picture")
    return parser.parse_args()


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    try:
        main()
    except ArchsimError as problem:
        sys.exit(str(problem))
