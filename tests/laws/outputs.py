"""What the tests of dead keys look at: the keys of a schema, and everything that a run gives but its echoes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.console import Console

from archsim.arch.level_keys import DramKeys, SramKeys
from archsim.report.tables import summary_panel
from archsim.study.result import RunResult
from archsim.study.run_tables import (
    ENERGY_COLUMNS,
    LAYER_COLUMNS,
    TRAFFIC_COLUMNS,
    csv_text,
    energy_rows,
    layer_row,
    traffic_rows,
)


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of an arch file, levels told apart by their kind."""
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        yield key
        if key == "levels":
            yield from keys_of(SramKeys, "levels.sram.")
            yield from keys_of(DramKeys, "levels.dram.")
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from keys_of(inner, f"{key}.")


def counters(run: RunResult) -> str:
    """The tables and the totals of a run, without the echo of what was read."""
    summary = run.summary()
    numbers = {key: summary[key] for key in ("totals", "seconds", "frames_per_second", "area_mm2")}
    tables = (
        csv_text(LAYER_COLUMNS, map(layer_row, run.layers)),
        csv_text(TRAFFIC_COLUMNS, traffic_rows(run.layers)),
        csv_text(ENERGY_COLUMNS, energy_rows(run.layers)),
    )
    return json.dumps(numbers) + "".join(tables)


def printed(run: RunResult) -> str:
    """The panel that a person sees."""
    console = Console(width=160, force_terminal=False)
    with console.capture() as capture:
        console.print(summary_panel(run))
    return capture.get()


def write_network(folder: Path, network: Mapping[str, Any]) -> Path:
    """Write a workload file; JSON is YAML."""
    path = folder / "net.yaml"
    path.write_text(json.dumps(network))
    return path
