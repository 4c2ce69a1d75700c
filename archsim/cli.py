"""The door: `archsim run | convert | roofline | recost | dram | validate | list | explain | demo`.

stdout is the result, stderr is talk and progress. Exit 0: done; 1: our own fault; 2: the user's input.
Nothing is computed here, and whatever is heavy is imported by the command that needs it.
"""

import sys
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import typer

from archsim.cli_convert import convert
from archsim.cli_options import (
    AsJson,
    Commands,
    Device,
    Mapping,
    Out,
    Outstanding,
    PageChoice,
    Plot,
    PolicyChoice,
    Run,
    Shelf,
    Trace,
    Version,
    named_path,
)  # fmt: skip
from archsim.cli_output import deliver, print_json, say
from archsim.cli_run import demo, run
from archsim.cli_validate import validate
from archsim.errors import ArchsimError, SimulationError
from archsim.terms import DramPolicy

app = typer.Typer(
    name="archsim",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def top(context: typer.Context, *, version: Version = False) -> None:
    """Cycles, memory traffic, energy and a roofline of a neural network on a described accelerator."""
    if version:
        from archsim.study.simulate import program_versions

        typer.echo(f"archsim {dict(program_versions())['archsim']}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say(context.get_help())
        raise typer.Exit(2)


app.command()(run)
app.command(short_help="Convert a float network into codes.")(convert)


app.command(short_help="Run ResNet-50 on tpu_like.")(demo)


@app.command(short_help="Price a saved run with another table.")
def recost(
    source: Run,
    table: Annotated[str, typer.Option("--table", metavar="NAME|FILE", help="As --energy-table of run.")],
    *,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Price a saved run with another energy table, without simulating again."""
    from archsim.study.recost import recost_with_table
    from archsim.study.saved_run import load_run

    deliver(recost_with_table(load_run(source), table), out, as_json=as_json)


@app.command()
def roofline(
    sources: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Directories that `run --out` wrote.")],
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="PLOT.png", parser=named_path, help="The picture; a .csv is put beside it.")
    ],
) -> None:
    """Draw one or several saved runs under their roofs."""
    from archsim.report.pictures import write_roofline
    from archsim.study.saved_run import load_run

    write_roofline([load_run(source) for source in sources], out)
    say(f"{out} and {out.with_suffix('.csv')}")


@app.command()
def dram(
    trace: Trace,
    *,
    device: Device,
    outstanding: Outstanding = None,
    policy: PolicyChoice = DramPolicy.FRFCFS,
    mapping: Mapping = None,
    page: PageChoice = None,
    commands: Commands = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Run a trace of requests on a DRAM device."""
    from archsim.study.dram_report import TraceSettings, run_trace_file

    writes = commands is not None or plot is not None
    settings = TraceSettings(
        device=device, outstanding=outstanding, policy=policy, mapping=mapping, page=page,
        keeps_log=writes,
    )  # fmt: skip
    report = run_trace_file(trace, settings)
    if writes:
        from archsim.report.dram_pictures import write_dram_files

        write_dram_files(report, commands, plot)
    if as_json:
        print_json(report.summary())
    else:
        from archsim.report.dram_terminal import print_dram

        print_dram(report)


app.command(short_help="Hold archsim against published numbers.")(validate)


@app.command(name="list")
def list_shelf(shelf: Annotated[Shelf, typer.Argument(metavar="SHELF", help="|".join(Shelf))]) -> None:
    """List what archsim knows by name."""
    from archsim.catalog import shelf_lines

    for line in shelf_lines(shelf.value):
        typer.echo(line)


@app.command()
def explain(
    term: Annotated[str, typer.Argument(metavar="TERM", help="A column, a unit of work, a dataflow...")],
) -> None:
    """Say what a word or a column means."""
    from archsim.format_shelf import explain_term

    typer.echo(explain_term(term))


def main() -> None:
    """Run the command line; the only place where errors become messages and exit codes."""
    for stream in (sys.stdout, sys.stderr):
        _survive_odd_names(stream)
    try:
        app(prog_name="archsim")
    except SimulationError as fault:
        _fail(f"archsim broke a rule of its own, please report it: {fault}", 1)
    except ArchsimError as problem:
        _fail(str(problem), 2)
    except MemoryError:
        _fail("out of memory: a smaller --batch, fewer --layers or a shorter trace needs less", 1)
    except OSError as problem:
        _fail(f"the result cannot be written: {problem.strerror or problem}", 1)


def _survive_odd_names(stream: TextIO) -> None:
    """Escape what the stream's encoding lacks (µ in an ASCII terminal, bytes of a file name) rather than fail."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _fail(text: str, code: int) -> NoReturn:
    say(text)
    sys.exit(code)
