"""The door: `archsim run | roofline | recost | list | explain | demo`.

stdout is the result, stderr is talk and progress. Exit 0: done; 1: our own fault; 2: the user's input.
Nothing is computed here, and whatever is heavy is imported by the command that needs it.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TextIO

import typer

from archsim.errors import ArchsimError, SimulationError

if TYPE_CHECKING:
    from archsim.engine.simulate import Progress
    from archsim.study.layer_result import LayerResult
    from archsim.study.result import RunResult

app = typer.Typer(
    name="archsim",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class DramChoice(StrEnum):
    """What `--dram` takes."""

    IDEAL = "ideal"


class Shelf(StrEnum):
    """What `list` takes."""

    ARCHS = "archs"
    WORKLOADS = "workloads"
    FORMATS = "formats"
    DATAFLOWS = "dataflows"


def _path(text: str) -> Path:
    """Refuse the empty text that an unset shell variable leaves, which `Path` would take for ``.``."""
    if not text:
        raise typer.BadParameter("is empty; name a place")
    return Path(text)


Arch = Annotated[str, typer.Argument(metavar="ARCH", help="A shipped name, a .yaml, or a SCALE-Sim .cfg.")]
Network = Annotated[
    str, typer.Argument(metavar="WORKLOAD", help="A shipped name, a .yaml, an .onnx, or a SCALE-Sim topology .csv.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", parser=_path, help="Write tables, summary and pictures here.")
]
Batch = Annotated[int | None, typer.Option("--batch", metavar="N", help="Images at a time.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set an arch key, e.g. pe_array.rows=64. Repeatable."),
]
Layers = Annotated[str | None, typer.Option("--layers", metavar="GLOB", help="Only the layers whose names match.")]
Dram = Annotated[DramChoice | None, typer.Option("--dram", help="ideal: transfers take no time.")]
Seed = Annotated[int, typer.Option("--seed", help="Of every random choice.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of tables.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A directory that `run --out` wrote.")]
Version = Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)]


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
    dram: Dram = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run a network on a chip."""
    from archsim.catalog import load_arch, load_workload
    from archsim.study.directory import check_directory
    from archsim.study.simulate import simulate

    if out is not None:
        check_directory(out)
    chip = load_arch(arch, tuple(settings or ()))
    network = load_workload(workload, batch=batch)
    if layers is not None:
        network = network.only(layers)
    if dram is DramChoice.IDEAL:
        chip = chip.with_ideal_dram()
    with _progress() as on_layer:
        result = simulate(chip, network, seed=seed, on_layer=on_layer)
    _deliver(result, out, as_json=as_json)


@app.command(short_help="Run ResNet-50 on tpu_like.")
def demo(out: Out = Path("archsim-demo")) -> None:
    """Run ResNet-50 (from the onnx package) on the shipped arch tpu_like."""
    from archsim.convert.light_models import light_model

    run("tpu_like", str(light_model("resnet50")), out=out)


@app.command(short_help="Price a saved run with another table.")
def recost(
    source: Run,
    table: Annotated[str, typer.Option("--table", metavar="NAME|FILE", help="Energy table: default, or a .yaml.")],
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
        Path, typer.Option("--out", metavar="PLOT.png", parser=_path, help="The picture; a .csv is put beside it.")
    ],
) -> None:
    """Draw one or several saved runs under their roofs."""
    from archsim.report.pictures import write_roofline
    from archsim.study.saved_run import load_run

    write_roofline([load_run(source) for source in sources], out)
    _say(f"{out} and {out.with_suffix('.csv')}")


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
    from archsim.glossary import explain as meaning

    typer.echo(meaning(term))


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
        _fail("out of memory: a layer is too large to be mapped; a smaller --batch needs less", 1)
    except OSError as problem:
        _fail(f"the result cannot be written: {problem.strerror or problem}", 1)


def _survive_odd_names(stream: TextIO) -> None:
    """Escape what the stream's encoding lacks (µ in an ASCII terminal, bytes of a file name) rather than fail."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _deliver(result: "RunResult", out: Path | None, *, as_json: bool) -> None:
    """Print a result, write it where asked, and say what was not costed."""
    if out is not None:
        from archsim.report.pictures import write_run

        write_run(result, out)
    if as_json:
        from archsim.study.plain_json import json_text

        typer.echo(json_text(result.summary()), nl=False)
    else:
        from archsim.report.terminal import print_run

        print_run(result)
    for line in _uncosted_lines(result.uncosted):
        _say(line)
    if out is not None:
        _say(f"tables and pictures are in {out}")


def _uncosted_lines(layers: Iterable["LayerResult"]) -> list[str]:
    """Return a line per operator and reason: how many layers, and the first of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for layer in layers:
        groups.setdefault((layer.op, layer.note), []).append(layer.layer)
    return [
        f"not costed: {len(names)} x {op} ({', '.join(names[:3])}{'...' if len(names) > 3 else ''}): {note}"
        for (op, note), names in groups.items()
    ]


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
