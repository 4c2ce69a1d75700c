"""`archsim validate`: the options, and what is done with the results. Registered by `cli.py`."""

from pathlib import Path
from typing import Annotated

import typer

from archsim.cli_options import AsJson, named_path


def picture_path(text: str) -> Path:
    """Refuse names of pictures that do not end in ``.png``, before anything runs."""
    if not text.lower().endswith(".png"):
        raise typer.BadParameter(f"{text!r} must end in .png")
    return Path(text)


Suites = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SUITE...",
        help="dram, sram, numerics, rtl, isca16, or chips: eyeriss, nvdla, tpu, chips, feie, zasca, scnn, cnvlutin; all if left out.",
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option("--reference", metavar="FILE.csv", parser=named_path, help="Other published rows, in the same columns."),
]  # fmt: skip
Masks = Annotated[
    Path | None,
    typer.Option(
        "--masks", metavar="DIR", parser=named_path,
        help="scnn, zasca, cnvlutin: run the pairs act-LAYER-0.npy, wgt-LAYER.npy of a folder in place of their own cases.",
    ),
]  # fmt: skip
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE.png", parser=picture_path,
        help="Draw the rows of chips, published against simulated; a .csv is put beside it.",
    ),
]  # fmt: skip


def validate(
    suites: Suites = None,
    *,
    reference: Reference = None,
    masks: Masks = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Hold archsim against published numbers; exit 1 where a bound is broken."""
    if plot is not None and reference is not None and plot.with_suffix(".csv").resolve() == reference.resolve():
        raise typer.BadParameter(
            f"--plot {plot} writes {plot.with_suffix('.csv')} too, which is the reference; rename it"
        )
    from archsim.validate.row_tables import suite_pages
    from archsim.validate.suites import run_suites
    from archsim.validate.tables import plain_suite

    results = run_suites(suites or [], reference, masks)
    if as_json:
        from archsim.study.plain_json import json_text

        typer.echo(json_text([plain_suite(each) for each in results]), nl=False)
    else:
        from archsim.report.terminal import print_tables

        for page in (page for each in results for page in suite_pages(each)):
            print_tables(*page)
    if plot is not None:
        from archsim.report.validate_plot import write_comparison
        from archsim.validate.panels import panels_of

        write_comparison(panels_of(results), plot)
        typer.echo(f"{plot} and {plot.with_suffix('.csv')}", err=True)
    if not all(each.passes for each in results):
        raise typer.Exit(1)
