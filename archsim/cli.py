"""The door: `archsim run | convert | roofline | recost | dram | validate | list | explain | demo`.

stdout is the result, stderr is talk and progress. Exit 0: done; 1: our own fault; 2: the user's input.
Nothing is computed here, and whatever is heavy is imported by the command that needs it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TextIO

import typer

from archsim.cli_convert import convert
from archsim.cli_options import (
    Arch,
    AsJson,
    Batch,
    Check,
    Commands,
    Device,
    Dram,
    DramChoice,
    EnergyTable,
    Layers,
    Mapping,
    Network,
    Out,
    Outstanding,
    PageChoice,
    Plot,
    PolicyChoice,
    RowMappings,
    Run,
    Seed,
    Settings,
    Shelf,
    Trace,
    Version,
    named_path,
)  # fmt: skip
from archsim.cli_validate import validate
from archsim.errors import ArchsimError, SimulationError
from archsim.terms import DramPolicy

if TYPE_CHECKING:
    from archsim.arch.architecture import Architecture
    from archsim.engine.simulate import Progress
    from archsim.study.result import RunResult

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
        _say(context.get_help())
        raise typer.Exit(2)


@app.command()
def run(
    arch: Arch,
    workload: Network,
    *,
    out: Out = None,
    batch: Batch = None,
    layers: Layers = None,
    settings: Settings = None,
    mapping: RowMappings = None,
    dram: Dram = None,
    energy_table: EnergyTable = None,
    seed: Seed = 0,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Run a network on a chip."""
    from archsim.catalog import load_workload
    from archsim.engine.link_zeros import cut_out
    from archsim.study.directory import check_directory
    from archsim.study.mapped_layers import check_mapped_layers
    from archsim.study.simulate import simulate

    if out is not None:
        check_directory(out)
    chip = _chip(arch, settings, dram=dram, mapping=mapping, energy_table=energy_table)
    network = load_workload(workload, batch=batch)
    if mapping is not None:
        check_mapped_layers(chip, network)
    if layers is not None:
        network = cut_out(network, layers)
    if check:
        from archsim.value_check import check_values

        _say(check_values(workload, chip))
    with _progress() as on_layer:
        result = simulate(chip, network, seed=seed, on_layer=on_layer)
    _deliver(result, out, as_json=as_json)


app.command(short_help="Convert a float network into codes.")(convert)


@app.command(short_help="Run ResNet-50 on tpu_like.")
def demo(out: Out = Path("archsim-demo")) -> None:
    """Run ResNet-50 (from the onnx package) on the shipped arch tpu_like."""
    from archsim.convert.light_models import light_model

    run("tpu_like", str(light_model("resnet50")), out=out)


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

    _deliver(recost_with_table(load_run(source), table), out, as_json=as_json)


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
    _say(f"{out} and {out.with_suffix('.csv')}")


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
        _print_json(report.summary())
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


def _chip(
    arch: str, settings: list[str] | None, *, dram: DramChoice | None, mapping: str | None, energy_table: str | None
) -> "Architecture":
    from archsim.arch.mapping_keys import with_mapping
    from archsim.catalog import load_arch
    from archsim.cost.price_source import with_energy_table

    chip = load_arch(arch, tuple(settings or ()))
    if dram is DramChoice.IDEAL:
        chip = chip.with_ideal_dram()
    if mapping is not None:
        chip = with_mapping(chip, mapping)
    return chip if energy_table is None else with_energy_table(chip, energy_table)


def _deliver(result: "RunResult", out: Path | None, *, as_json: bool) -> None:
    """Print a result, write it where asked, and say what was not costed."""
    from archsim.report.terminal import uncosted_lines

    if out is not None:
        from archsim.report.pictures import write_run

        write_run(result, out)
    if as_json:
        _print_json(result.summary())
    else:
        from archsim.report.terminal import print_run

        print_run(result)
    for line in uncosted_lines(result.uncosted):
        _say(line)
    if out is not None:
        _say(f"tables and pictures are in {out}")


def _print_json(value: object) -> None:
    from archsim.study.plain_json import json_text

    typer.echo(json_text(value), nl=False)


@contextmanager
def _progress() -> Iterator["Progress | None"]:
    """Show a bar on stderr, when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from archsim.report.terminal import progress_bar

    with progress_bar() as on_layer:
        yield on_layer


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _fail(text: str, code: int) -> NoReturn:
    _say(text)
    sys.exit(code)
