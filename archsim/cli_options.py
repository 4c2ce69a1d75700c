"""What the commands of `cli.py` take: arguments and options, one name each for all commands."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archsim.terms import DramPolicy, PagePolicy


class DramChoice(StrEnum):
    """What `--dram` takes."""

    IDEAL = "ideal"


class Shelf(StrEnum):
    """What `list` takes."""

    ARCHS = "archs"
    WORKLOADS = "workloads"
    FORMATS = "formats"
    DATAFLOWS = "dataflows"
    DEVICES = "devices"


def named_path(text: str) -> Path:
    """Refuse the empty text that an unset shell variable leaves, which `Path` would take for ``.``."""
    if not text:
        raise typer.BadParameter("is empty; name a place")
    return Path(text)


Arch = Annotated[str, typer.Argument(metavar="ARCH", help="A shipped name, a .yaml, or a SCALE-Sim .cfg.")]
Network = Annotated[
    str, typer.Argument(metavar="WORKLOAD", help="A shipped name, a .yaml, an .onnx, or a SCALE-Sim topology .csv.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", parser=named_path, help="Write tables, summary and pictures here."),
]
Batch = Annotated[int | None, typer.Option("--batch", metavar="N", help="Images at a time.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set an arch key, e.g. pe_array.rows=64. Repeatable."),
]
RowMappings = Annotated[
    str | None,
    typer.Option(
        "--mapping", metavar="search|FILE", help="Row stationary: search every layer, or map as a .yaml says."
    ),
]
Inputs = Annotated[
    str | None,
    typer.Option(
        "--inputs",
        metavar="IMAGES",
        help="Zeros of these images: mnist:test:100, an .npz... of an .onnx or a converted one.",
    ),
]
Masks = Annotated[
    Path | None,
    typer.Option("--masks", metavar="DIR", parser=named_path, help="Zeros as in LAYER.ifmap.npy, act-LAYER-0.npy..."),
]
Zeros = Annotated[
    list[str] | None,
    typer.Option("--zeros", metavar="HOW", help="Zeros drawn: runs:8, channels:0.3, 0.44,images:0.05, weight=0.6."),
]
Layers = Annotated[str | None, typer.Option("--layers", metavar="GLOB", help="Only the layers whose names match.")]
Dram = Annotated[DramChoice | None, typer.Option("--dram", help="ideal: transfers take no time.")]
EnergyTable = Annotated[
    str | None,
    typer.Option(
        "--energy-table",
        metavar="NAME|FILE",
        help="Energy table: default, a .yaml, an Accelergy ERT, an AccelForge arch.",
    ),
]
Check = Annotated[bool, typer.Option("--check", help="First run the golden inputs of a converted workload through this array, register by register.")]  # fmt: skip
Seed = Annotated[int, typer.Option("--seed", help="Of every random choice, 0 or more.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead of tables.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A directory that `run --out` wrote.")]
Trace = Annotated[Path, typer.Argument(metavar="TRACE.csv", help="Rows of addr,is_write,arrival: bytes, 0|1, clocks.")]
Device = Annotated[str, typer.Option("--device", metavar="NAME|FILE", help="A shipped DRAM device, or a .yaml.")]
Outstanding = Annotated[int | None, typer.Option("--outstanding", metavar="N", min=1, max=65536, help="Reads in flight, over all channels; 32 per channel.")]  # fmt: skip
PolicyChoice = Annotated[DramPolicy, typer.Option("--policy", help="Which command goes first.")]
Mapping = Annotated[str | None, typer.Option("--mapping", metavar="FIELDS", help="Of addresses, e.g. rochrababgco.")]
PageChoice = Annotated[PagePolicy | None, typer.Option("--page", help="Whether rows stay open.")]
Commands = Annotated[Path | None, typer.Option("--commands", metavar="FILE.csv", parser=named_path, help="Write every command here.")]  # fmt: skip
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", parser=named_path, help="Draw some of them here.")
]
Version = Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)]
