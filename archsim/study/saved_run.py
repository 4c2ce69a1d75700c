"""A run directory back into a RunResult, so that it can be drawn, compared or priced again.

The counters come from layers.csv and traffic.csv, the energy from traffic.csv and energy.csv, the arch
and workload from summary.json. Called by `cli.py` for every argument named RUN.
"""

import json
from math import fsum, isclose
from pathlib import Path
from typing import Any

from archsim.arch.architecture import Architecture
from archsim.config_file import read_text
from archsim.cost.energy import LayerEnergy
from archsim.cost.price_list import ActionEnergy, PriceList
from archsim.engine.dram_run import BusUse, DramActivity, DramCounts
from archsim.engine.layer_run import LayerRun
from archsim.errors import ArchsimError, ConfigError, SimulationError
from archsim.mapping.fold_plan import TrafficCount
from archsim.study import run_tables
from archsim.study.layer_result import WAIT_CAUSES, LayerResult
from archsim.study.plain_json import from_plain
from archsim.study.result import DRAM_FILE, SCHEMA, RunResult
from archsim.study.table_rows import TableRow, read_table, rows_by_layer
from archsim.study.weights_load import WeightsLoad
from archsim.study.zero_table import SKIP_FILE, read_zeros, with_zeros
from archsim.terms import Bottleneck, Direction, Operand
from archsim.workload.network import Workload


def load_run(path: str | Path) -> RunResult:
    """Read a directory that `RunResult.save` or ``archsim run --out`` wrote.

    Raises
    ------
    ConfigError
        It is no such directory, or a file in it is missing, of another schema, not readable, or at odds
        with itself; the message names the file and, in a table, the line.
    """
    directory = Path(path)
    if not (directory / "summary.json").is_file():
        raise ConfigError(f"{directory}: no run directory (no summary.json in it); give what `archsim run --out` wrote")
    summary = _read_summary(directory / "summary.json")
    return _result(directory, summary, _load_layers(directory, summary["arch"].dram.name))


def _result(directory: Path, summary: dict[str, Any], layers: tuple[LayerResult, ...]) -> RunResult:
    try:
        return RunResult(
            arch=summary["arch"],
            workload=summary["workload"],
            layers=layers,
            prices=summary["prices"],
            model_assumptions=tuple(map(str, summary["model_assumptions"])),
            versions=tuple((str(name), str(value)) for name, value in summary["versions"].items()),
            seed=int(summary["seed"]),
            weights_load=WeightsLoad.of_totals(summary["totals"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ConfigError(f"{directory / 'summary.json'}: no summary of a run: {problem!r}") from problem


def _read_summary(file: Path) -> dict[str, Any]:
    try:
        summary: Any = json.loads(read_text(file, ConfigError))
    except ValueError as problem:
        raise ConfigError(f"{file}: not valid JSON: {problem}") from problem
    schema = summary.get("schema") if isinstance(summary, dict) else None
    if schema != SCHEMA:
        raise ConfigError(f"{file}: schema is {schema!r}, this archsim reads {SCHEMA!r}; run the simulation again")
    try:
        return {
            **summary,
            "arch": from_plain(Architecture, summary.get("arch"), "arch"),
            "workload": from_plain(Workload, summary.get("workload"), "workload"),
            "prices": from_plain(PriceList | None, summary.get("prices"), "prices"),
        }
    except (ValueError, ArchsimError) as problem:
        raise ConfigError(f"{file}: {problem}") from problem


def _load_layers(directory: Path, dram_level: str) -> tuple[LayerResult, ...]:
    rows = read_table(directory / "layers.csv", run_tables.LAYER_COLUMNS)
    names = [row.cells["layer"] for row in rows]
    traffic = rows_by_layer(read_table(directory / "traffic.csv", run_tables.TRAFFIC_COLUMNS), names)
    energy = rows_by_layer(read_table(directory / "energy.csv", run_tables.ENERGY_COLUMNS), names)
    actions = rows_by_layer(read_table(directory / "actions.csv", run_tables.ACTION_COLUMNS), names)
    dram = _read_dram(directory / DRAM_FILE, names)
    zeros = read_zeros(directory / SKIP_FILE, names)
    nests = _read_nests(directory / "loop_nests.txt", names)
    layers = []
    for row, nest in zip(rows, nests, strict=True):
        name = row.cells["layer"]
        try:
            run = _layer_run(row, tuple(map(_traffic_count, traffic[name])), nest, dram.get(name))
        except SimulationError as problem:
            raise ConfigError(f"{row.where}: {problem}") from problem
        result = LayerResult(
            run=run, energy=_layer_energy(traffic[name], energy[name], actions[name]), dram_level=dram_level
        )
        _check_derived(row, result)
        layers.append(with_zeros(result, zeros[name]) if name in zeros else result)
    return tuple(layers)


def _read_nests(file: Path, names: list[str]) -> list[tuple[str, ...]]:
    blocks: list[tuple[str, list[str]]] = []
    for line in read_text(file, ConfigError).splitlines():
        if line.startswith("  ") and blocks:
            blocks[-1][1].append(line[2:])
        else:
            blocks.append((line, []))
    if [header for header, _ in blocks] != [run_tables.shown_name(name) for name in names]:
        raise ConfigError(f"{file}: its layers are not those of layers.csv")
    return [tuple(lines) for _, lines in blocks]


def _layer_energy(traffic: list[TableRow], energy: list[TableRow], actions: list[TableRow]) -> LayerEnergy:
    found = tuple(map(_action, actions))
    for each in energy:
        spent = fsum(action.energy_pj for action in found if action.component == each.cells["component"])
        if not isclose(spent, each.number("energy_pj"), rel_tol=1e-9):
            raise ConfigError(
                f"{each.where}: energy_pj (={each.cells['energy_pj']}) is not the sum of actions.csv, {spent!r}"
            )
    return LayerEnergy(
        actions=found,
        components=tuple((each.cells["component"], each.number("energy_pj")) for each in energy),
        traffic_pj=tuple(each.number("energy_pj") for each in traffic),
    )


def _action(row: TableRow) -> ActionEnergy:
    count = row.integer("count") if row.cells["count"].isdecimal() else row.number("count")
    texts = {column: row.cells[column] for column in ("component", "action", "operand", "unit", "source")}
    return ActionEnergy(**texts, count=count, unit_pj=row.number("unit_pj"))


def _traffic_count(row: TableRow) -> TrafficCount:
    return TrafficCount(
        level=row.cells["level"],
        operand=row.choice("operand", {each.value: each for each in Operand}),
        direction=row.choice("direction", {each.value: each for each in Direction}),
        words=row.integer("words"),
        bytes=row.integer("bytes"),
    )


def _read_dram(file: Path, names: list[str]) -> dict[str, DramActivity]:
    """Return what the DRAM device did, by layer; nothing where the arch has no device."""
    rows = rows_by_layer(read_table(file, run_tables.DRAM_COLUMNS), names) if file.is_file() else {}
    return {layer: _dram_activity(found[0]) for layer, found in rows.items() if found}


def _dram_activity(row: TableRow) -> DramActivity:
    return DramActivity(
        cycles=row.integer("cycles"),
        burst_bytes=row.integer("burst_bytes"),
        counts=DramCounts(**{name: row.integer(name) for name in run_tables.DRAM_COUNTS}),
        bus_use=tuple((use, row.integer(f"bus_{use.value}_cycles")) for use in BusUse),
    )


def _layer_run(
    row: TableRow, traffic: tuple[TrafficCount, ...], nest: tuple[str, ...], dram: DramActivity | None
) -> LayerRun:
    waits = zip(WAIT_CAUSES, run_tables.WAIT_COLUMNS, strict=True)
    return LayerRun(
        layer=row.cells["layer"],
        op=row.cells["op"],
        dataflow=row.cells["dataflow"],
        macs=row.integer("macs"),
        effectual_macs=row.integer("effectual_macs"),
        occupied_macs=row.integer("occupied_macs"),
        multipliers=row.integer("multipliers"),
        lane_ops=row.integer("lane_ops"),
        folds=row.integer("folds"),
        compute_cycles=row.integer("compute_cycles"),
        onchip_stall_cycles=row.integer("onchip_stall_cycles"),
        dram_stall_cycles=row.integer("dram_stall_cycles"),
        dram_latency_stall_cycles=row.integer("dram_latency_stall_cycles"),
        waits=tuple((cause, row.integer(column)) for cause, column in waits if row.integer(column)),
        mapping_efficiency=row.number("mapping_efficiency"),
        traffic=traffic,
        bottleneck=row.choice("bottleneck", {each.value: each for each in Bottleneck}),
        is_costed=row.choice("is_costed", {"true": True, "false": False}),
        note=row.cells["note"],
        loop_nest=nest,
        active_pes=row.integer("active_pes"),
        gated_macs=row.integer("gated_macs"),
        dram=dram,
    )


def _check_derived(row: TableRow, result: LayerResult) -> None:
    """Raise ConfigError where a column that follows from others says something else."""
    for column in ("total_cycles", "dram_read_bytes", "dram_write_bytes"):
        if row.integer(column) != getattr(result, column):
            raise ConfigError(
                f"{row.where}: {column} (={row.cells[column]}) is at odds with the other columns and traffic.csv, "
                f"which give {getattr(result, column)}"
            )
    if row.number("energy_pj") != result.energy_pj:
        raise ConfigError(
            f"{row.where}: energy_pj (={row.cells['energy_pj']}) is not the sum of energy.csv, {result.energy_pj!r}"
        )
