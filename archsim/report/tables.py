"""A run as tables for the terminal: a row per layer, and a panel of totals.

Called by `cli.py`, which prints them; nothing here writes anything.
"""

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Group, JustifyMethod
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from archsim.report.quantity import (
    BYTE_SCALES,
    ENERGY_SCALES,
    SECOND_SCALES,
    WORD_SCALES,
    shortened,
    shown,
    three_digits,
)
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult

MOST_VECTOR_ROWS = 12
"""With more layers without MACs than this, they share a row per operator."""
LONGEST_NAME = 32
"""Characters of a layer's name; a longer one loses its middle."""
MOST_UNCOSTED_NAMES = 3
LEAST_SHARE = 0.01
"""Of the energy, for a component to be named."""
COLUMNS = (
    "layer",
    "op",
    "MACs",
    "cycles",
    "on-chip\nstall",
    "DRAM\nstall",
    "util.\n%",
    "DRAM\nMB",
    "energy\nµJ",
    "bottleneck",
)
TEXT_COLUMNS = frozenset({"layer", "op", "bottleneck"})
WIDE_COLUMNS = frozenset({"op", "MACs"})
"""Left out where the terminal is narrow; layers.csv has them."""


def run_table(run: RunResult, *, is_narrow: bool = False) -> Table:
    """Return one row per layer in running order, and the totals.

    Layers without MACs (pool, add, activation...) share one row per operator where there are many. Where
    the terminal is too narrow, names are folded; numbers stay whole. ``is_narrow`` leaves `WIDE_COLUMNS` out.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in [each for each in COLUMNS if not (is_narrow and each in WIDE_COLUMNS)]:
        is_text = column in TEXT_COLUMNS
        justify: JustifyMethod = "left" if is_text else "right"
        table.add_column(
            column, justify=justify, overflow="fold", no_wrap=column not in ("layer", "op"), vertical="bottom"
        )
    array_layers = [layer for layer in run.layers if layer.macs]
    vector_layers = [layer for layer in run.layers if not layer.macs]
    if len(vector_layers) <= MOST_VECTOR_ROWS:
        _add_rows(table, [(_name(layer), (layer,)) for layer in run.layers])
    else:
        _add_rows(table, [(_name(layer), (layer,)) for layer in array_layers])
        table.add_section()
        _add_rows(table, _by_op(vector_layers))
    table.add_section()
    _add_rows(table, [(Text("total"), run.layers)])
    return table


def summary_panel(run: RunResult) -> Panel:
    """Return the totals of a run, what holds its layers back, and what was assumed."""
    grid = Table.grid(padding=(0, 2))
    for name, value in _totals(run):
        grid.add_row(Text(name), Text(value))
    notes = Table.grid(padding=(0, 1))
    for sentence in run.assumptions:
        notes.add_row(Text("-", style="dim"), Text(sentence, style="dim"))
    parts = [grid, Text("assumed:"), notes] if run.assumptions else [grid]
    return Panel(Group(*parts), title=Text(run.name), title_align="left", expand=False, box=box.ROUNDED)


def _totals(run: RunResult) -> list[tuple[str, str]]:
    bottlenecks = Counter(layer.bottleneck.value for layer in run.layers if layer.total_cycles)
    return [
        ("network", run.workload.source or "source not given"),
        ("chip", run.arch.source),
        ("validation", run.arch.validation.text),
        ("total cycles", f"{run.total_cycles:,}"),
        ("time", f"{shown(run.seconds, SECOND_SCALES)} at {three_digits(run.arch.clock_mhz)} MHz, batch {run.batch}"),
        ("frames per second", three_digits(run.frames_per_second)),
        ("performance", f"{three_digits(run.tops)} TOPS (1 MAC = 2 ops), {three_digits(run.tops_per_watt)} TOPS/W"),
        ("utilization", f"{100 * run.utilization:.1f} %"),
        ("DRAM traffic", shown(run.dram_bytes, BYTE_SCALES)),
        ("DRAM accesses", _accesses(run)),
        *_dram_rows(run),
        *_load_rows(run),
        ("energy", shown(run.energy_pj, ENERGY_SCALES)),
        ("energy went to", _energy_shares(run) or "nothing"),
        ("area", f"{three_digits(run.area_mm2)} mm²"),
        ("layers held back by", ", ".join(f"{kind} {count}" for kind, count in bottlenecks.most_common()) or "nothing"),
        ("not costed", _uncosted(run.uncosted) or "nothing"),
    ]


def _accesses(run: RunResult) -> str:
    """Say how many words cross the channel, and how many would if no word were used twice."""
    moved = sum(layer.dram_words for layer in run.layers)
    without = sum(layer.words_without_reuse for layer in run.layers)
    return f"{shown(moved, WORD_SCALES)}; without any reuse {shown(without, WORD_SCALES)} (3 reads and 1 write per MAC)"


def _dram_rows(run: RunResult) -> list[tuple[str, str]]:
    """Say what a DRAM device moved, and where the time of its data buses went."""
    if run.dram is None:
        return []
    moved = shown(run.dram.counts.columns * run.dram.burst_bytes, BYTE_SCALES)
    shares = sorted(run.dram.bus_shares.items(), key=lambda part: -part[1])
    bus = ", ".join(
        f"{use.value.replace('_', ' ')} {100 * share:.0f} %" for use, share in shares if share >= LEAST_SHARE
    )
    return [("DRAM bursts", f"{moved}, {100 * run.dram.counts.row_hit_rate:.0f} % row hits"), ("DRAM bus", bus)]


def _load_rows(run: RunResult) -> list[tuple[str, str]]:
    """Say what the load of all weights takes, where a level keeps them."""
    load = run.weights_load
    if load is None:
        return []
    took = f"{shown(load.size_bytes, BYTE_SCALES)}, {load.cycles:,} cycles, {shown(load.energy_pj, ENERGY_SCALES)}"
    return [("weights, loaded once", f"{took}: part of no total")]


def _energy_shares(run: RunResult) -> str:
    """Return the components that took a hundredth of the energy or more, the largest first."""
    parts = sorted(run.energy_components.items(), key=lambda part: -part[1])
    shares = [(name, pj / run.energy_pj) for name, pj in parts if pj]
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares if share >= LEAST_SHARE)


def _name(layer: LayerResult) -> Text:
    """Return the layer's name as plain text, so that brackets in it are not taken for markup."""
    return Text(shortened(layer.layer, LONGEST_NAME) + ("" if layer.is_costed else " (not costed)"))


def _uncosted(layers: Sequence[LayerResult]) -> str:
    """Return their names, or with many of them how many there are of each operator."""
    if len(layers) <= MOST_UNCOSTED_NAMES:
        return ", ".join(layer.layer for layer in layers)
    return ", ".join(f"{count} x {op}" for op, count in Counter(layer.op for layer in layers).most_common())


def _by_op(layers: Sequence[LayerResult]) -> list[tuple[Text, tuple[LayerResult, ...]]]:
    counts = Counter((layer.op, layer.is_costed) for layer in layers)
    return [
        (
            Text(f"{count} x {op}" + ("" if is_costed else " (not costed)")),
            tuple(layer for layer in layers if (layer.op, layer.is_costed) == (op, is_costed)),
        )
        for (op, is_costed), count in counts.most_common()
    ]


def _add_rows(table: Table, rows: Sequence[tuple[Text, Sequence[LayerResult]]]) -> None:
    for name, layers in rows:
        cells = dict(zip(COLUMNS[1:], _cells(layers), strict=True))
        table.add_row(name, *(Text(cells[str(column.header)]) for column in table.columns[1:]))


def _cells(layers: Sequence[LayerResult]) -> list[str]:
    """Return the cells behind the name: sums over the layers, and what they share."""
    cycles = sum(layer.total_cycles for layer in layers)
    slots = sum(layer.multipliers * layer.total_cycles for layer in layers)
    occupied = sum(layer.occupied_macs for layer in layers)
    macs = sum(layer.macs for layer in layers)
    return [
        layers[0].op if len(layers) == 1 else "",
        f"{macs:,}" if macs else "-",
        f"{cycles:,}",
        f"{sum(layer.onchip_stall_cycles for layer in layers):,}",
        f"{sum(layer.dram_stall_cycles for layer in layers):,}",
        f"{100 * occupied / slots:.1f}" if occupied else "-",
        three_digits(sum(layer.dram_bytes for layer in layers) / 1e6),
        three_digits(sum(layer.energy_pj for layer in layers) / 1e6),
        _shared([layer.bottleneck.value for layer in layers]),
    ]


def _shared(words: Sequence[str]) -> str:
    return words[0] if len(set(words)) == 1 else ""
