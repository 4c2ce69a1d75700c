"""NVDLA: NVIDIA's own performance sheet, layer by layer, and its table of configurations; called by `archsim validate nvdla`.

The sheet is an analytical model, not silicon. Every row runs through `engine/simulate.py`, on `nvdla_large` with the
settings in which the sheet's halves differ. A layer takes as long as its slowest part, the array or one of the
memory interfaces, each run by itself: the sheet has no first fetch, no last drain, and nothing contends. What archsim
says of a layer with both is a tier of its own.

The CVSRAM (4 MB at 25 GB/s each way behind the 512 KB buffer) is a second memory interface, and archsim has one
channel: it runs as a channel of its own, for what the sheet has cross it. Which operands cross which is read off the
sheet's traffic: its rows follow no rule of capacity.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil
from pathlib import Path

from archsim.arch.architecture import Architecture
from archsim.catalog import load_arch, load_workload
from archsim.engine.layer_run import LayerRun
from archsim.engine.simulate import run_layer, run_network
from archsim.terms import Operand
from archsim.validate.nvdla_rows import SheetRow, read_sheet
from archsim.validate.suite import EQUAL, Bound, Row, Statistic, SuiteResult, Tier
from archsim.workload.layer import ArrayLayer, VectorLayer

GOLDEN = Path(__file__).parent / "golden"
SHEETS = ("nvdla_alexnet.csv", "nvdla_resnet50.csv")
ALL = frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP})
CVSRAM_BYTES_PER_CYCLE = 25.6
"""25 GB/s at 1 GHz, a GB counted as 1024 x 10^6 B, as the sheet does: 40 cycles per KB."""
BYTES_PER_KB = 1024
CVSRAM, ALONE = "with CVSRAM", "without"
SETTINGS = {
    ("alexnet", CVSRAM): ("pe_array.atoms.stored_channels=1",),
    ("alexnet", ALONE): ("pe_array.atoms.stored_channels=1",),
    ("resnet50", CVSRAM): (),
    ("resnet50", ALONE): ("pe_array.atoms.pixels_across=false",),
}
"""(Sheet, half) -> in what it differs from `nvdla_large`: AlexNet's sheet stores three channels as three, and ResNet-50's
second half leaves columns idle where there are fewer filters."""
WITHIN_1_PERCENT = (Bound(statistic=Statistic.MAX, limit=0.01),)
OF_TRAFFIC = (
    "beside a CVSRAM, which operands cross the DRAM channel is read off the sheet's own traffic: no capacity explains why "
    "ResNet-50's first ofmaps stay out of DRAM and all later ones do not",
    "the other operand of an addition has the size of the row's ofmap, as in the sheet, even behind a pool (Res5c_branch2c)",
)
NOT_IN_SHEET = "conv2_3x3_reduce"
"""The layer of GoogLeNet that the sheet leaves out: its total of MACs is that of all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """A row of the sheet in one of its configurations.

    Parameters
    ----------
    row, name
        The row; `CVSRAM` or `ALONE`.
    """

    row: SheetRow
    name: str

    @property
    def is_alone(self) -> bool:
        """Whether DRAM is the only memory behind the buffer."""
        return self.name == ALONE

    @property
    def arch(self) -> Architecture:
        """The chip, its DRAM the one channel."""
        return _chip(SETTINGS.get((self.row.sheet, self.name), ()))

    @property
    def frames(self) -> int:
        """Frames that share one fetch of the weights."""
        return self.row.shape["frames" if self.is_alone else "cvsram_frames"]

    def mac_cycles(self) -> float:
        """Cycles of one frame on the array alone. [cycles]"""
        return float(_run(self.row.array_layer(1), self.arch).compute_cycles)

    def dram_kb(self) -> float:
        """Bytes of one frame over the DRAM channel. [KB]"""
        crossing = ALL if self.is_alone else self.row.crossing
        return self._channel_kb(self.arch, crossing, adds=self.is_alone)

    def cvsram_kb(self, operand: Operand) -> float:
        """Bytes of one frame from the CVSRAM (IFMAP) or to it (OFMAP). [KB]"""
        if operand is Operand.IFMAP and not self.row.shape["cvsram_reads"]:
            return 0.0
        return self._channel_kb(_cvsram(self.arch), frozenset({operand}), adds=False)

    def layer_cycles(self) -> float:
        """Time of one frame: the slowest of array and memory interfaces. [cycles]"""
        times = [self.mac_cycles(), _cycles(self.dram_kb(), self.arch)]
        if not self.is_alone:
            times += [
                _cycles(self.cvsram_kb(operand), _cvsram(self.arch)) for operand in (Operand.IFMAP, Operand.OFMAP)
            ]
        return max(times)

    def total_cycles(self) -> float:
        """Time of one frame as `archsim run` tells it; without what the sheet fuses behind the layer. [cycles]"""
        return _run(self.row.array_layer(self.frames), self.arch).total_cycles / self.frames

    def _channel_kb(self, arch: Architecture, crossing: frozenset[Operand], *, adds: bool) -> float:
        fused = self.row.fused_layer(self.frames, adds=adds)
        layer = self.row.array_layer(self.frames)
        kept = ALL - crossing | ({Operand.OFMAP} if fused else set())
        moved = _bytes(_run(layer, arch, kept), arch)
        if fused is not None:
            stays = ALL - crossing - {Operand.IFMAP}
            moved += _bytes(_run(fused, arch, stays, layer.ofmap_words), arch)
        return float(Fraction(moved, self.frames * BYTES_PER_KB))


def nvdla_suite(reference: Path | None = None) -> SuiteResult:
    """Compare with NVIDIA's sheet.

    Parameters
    ----------
    reference
        A .csv file with the columns of the shipped ones; None = these, with the sheet's totals and NVIDIA's table of
        configurations.

    Raises
    ------
    ConfigError
        A fault in the file, with its line.
    """
    paths = [GOLDEN / name for name in SHEETS] if reference is None else [reference]
    rows = [row for path in paths for row in read_sheet(path)]
    halves = [Half(row=row, name=name) for row in rows for name in (CVSRAM, ALONE)]
    tiers = _sheet_tiers(halves)
    if reference is None:
        tiers += [_total_tier(halves), _googlenet_tier(), _primer_tier([half for half in halves if half.is_alone])]
    return SuiteResult(
        name="nvdla", reference=str(reference or "nvdla/hw performance sheet and primer"), tiers=tuple(tiers)
    )


def _sheet_tiers(halves: Sequence[Half]) -> list[Tier]:
    beside = [half for half in halves if not half.is_alone]
    lone = [half for half in halves if half.is_alone and half.row.fused_layer(1, adds=True) is None]
    return [
        Tier(name="MAC cycles", claim="the array alone, one frame", quantity="MAC cycles", unit="cycles", bounds=EQUAL,
             rows=_rows(halves, "mac_cycles", Half.mac_cycles, _whole),
             notes=("fractions of a cycle in the sheet are rounded up, once per layer",)),
        Tier(name="DRAM traffic", claim="ifmap, weights and ofmap as stored, re-reads included, one frame's share",
             quantity="DRAM traffic", unit="KB", bounds=EQUAL, rows=(traffic := _rows(halves, "dram_kb", Half.dram_kb)),
             notes=(*OF_TRAFFIC, *(f"{row.group}, {row.case} is shown, not gated: {row.note}"
                                   for row in traffic if not row.is_gated))),
        Tier(name="CVSRAM reads", claim="ifmaps from the CVSRAM", quantity="reads", unit="KB", bounds=EQUAL,
             rows=_rows(beside, "cvsram_read_kb", lambda half: half.cvsram_kb(Operand.IFMAP))),
        Tier(name="CVSRAM writes", claim="ofmaps to the CVSRAM", quantity="writes", unit="KB", bounds=EQUAL,
             rows=_rows(beside, "cvsram_write_kb", lambda half: half.cvsram_kb(Operand.OFMAP))),
        Tier(name="layer time", claim="the slowest of array, DRAM, CVSRAM reads and writes", quantity="cycles",
             unit="cycles", bounds=WITHIN_1_PERCENT, rows=_rows(halves, "layer_cycles", Half.layer_cycles, _whole)),
        Tier(name="simulated time", claim="total_cycles of archsim run, first fill and last drain included, against the same",
             quantity="cycles", unit="cycles", rows=_rows(lone, "layer_cycles", Half.total_cycles, _whole),
             notes=("the sheet has layers overlap without end: what archsim adds is the first fetch, nothing before it",
                    "rows with a fused pool or addition are left out: archsim runs these behind the layer")),
    ]  # fmt: skip


def _rows(
    halves: Iterable[Half], column: str, simulate: Callable[[Half], float], read: Callable[[float], float] = float
) -> tuple[Row, ...]:
    made = []
    for half in halves:
        name = column if half.is_alone or column.startswith("cvsram") else f"{column}_cvsram"
        contradicted = half.row.contradicts(name)
        made.append(
            Row(group=f"{half.row.sheet} {half.name}", case=half.row.layer, published=read(half.row.published[name]),
                simulated=simulate(half), source=half.row.source, note=half.row.note if contradicted else "",
                is_gated=not contradicted)
        )  # fmt: skip
    return tuple(made)


def _whole(cycles: float) -> float:
    return float(ceil(cycles))


def _total_tier(halves: Sequence[Half]) -> Tier:
    rows = []
    for given in _read("nvdla_summary.csv"):
        name = CVSRAM if given["sram"] == "1" else ALONE
        mine = [half for half in halves if (half.row.sheet, half.name) == (given["network"], name)]
        if mine:
            milliseconds = sum(half.layer_cycles() for half in mine) / mine[0].arch.clock_mhz / 1e3
            rows.append(Row(group=f"{given['network']} {name}", case="all layers", published=float(given["runtime_ms"]),
                            simulated=milliseconds, source=given["source"]))  # fmt: skip
    return Tier(name="network time", claim="the sum of all layers' times", quantity="time per frame", unit="ms",
                rows=tuple(rows), bounds=WITHIN_1_PERCENT)  # fmt: skip


def _googlenet_tier() -> Tier:
    """Compare the MAC cycles of the shipped GoogLeNet with those behind the sheet's utilization."""
    (given,) = (row for row in _read("nvdla_summary.csv") if row["network"] == "googlenet")
    workload = load_workload("googlenet")
    runs = run_network(_chip(()), workload)
    cycles = sum(run.compute_cycles for run in runs if run.macs and run.layer != NOT_IN_SHEET)
    published = float(given["runtime_ms"]) * 1e6 * float(given["hw_mac_util"])
    return Tier(
        name="GoogLeNet MAC cycles", claim="the array alone, whole network: a sheet whose rows are not published here",
        quantity="MAC cycles", unit="cycles", bounds=(Bound(statistic=Statistic.MAX, limit=1e-4),),
        rows=(Row(group=f"googlenet {ALONE}", case="all layers", published=published, simulated=cycles,
                  source=given["source"]),),
        notes=("published: runtime x utilization of the sheet's summary",
               f"{NOT_IN_SHEET} is left out: the sheet's MACs are those of all other layers",
               "archsim rounds every layer up to whole cycles"),
    )  # fmt: skip


def _primer_tier(halves: Sequence[Half]) -> Tier:
    """Run ResNet-50's layers on the configurations of NVIDIA's primer."""
    layers = [half for half in halves if half.row.sheet == "resnet50"]
    rows = []
    for given in _read("nvdla_primer.csv"):
        arch = _configured(given)
        cycles = sum(_HalfOnChip(row=half.row, name=ALONE, chip=arch).layer_cycles() for half in layers)
        rows.append(Row(group="ResNet-50 fps", case=f"{given['macs']} MACs, {given['cbuf_kb']} KB, {given['sdram_gbs']} GB/s",
                        published=float(given["fps"]), simulated=arch.clock_mhz * 1e6 / cycles, source=given["source"]))  # fmt: skip
    return Tier(name="primer", claim="layers of the sheet on other sizes, each as long as its slowest part",
                quantity="frames per second", unit="1/s", rows=tuple(rows),
                notes=("NVIDIA gives no model for this table: atoms, and no Winograd below 2048 MACs, are archsim's",))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _HalfOnChip(Half):
    """A row on another chip."""

    chip: Architecture

    @property
    def arch(self) -> Architecture:
        """The chip given."""
        return self.chip


def _configured(given: dict[str, str]) -> Architecture:
    atoms = {"channel_atom": given["channel_atom"], "filter_atom": given["filter_atom"], "pixels_across": "false",
             "winograd": "true" if given["winograd"] == "1" else "false"}  # fmt: skip
    return load_arch("nvdla_large", (
        f"pe_array.rows={given['rows']}", f"pe_array.columns={given['columns']}",
        *(f"pe_array.atoms.{name}={value}" for name, value in atoms.items()),
        f"levels.cbuf.capacity_bytes={int(given['cbuf_kb']) * BYTES_PER_KB}",
        f"levels.dram.bandwidth_bytes_per_cycle={float(given['sdram_gbs']) * 1.024}",
    ))  # fmt: skip


@lru_cache
def _chip(settings: tuple[str, ...]) -> Architecture:
    return load_arch("nvdla_large", settings)


def _cvsram(arch: Architecture) -> Architecture:
    """Return the chip with its CVSRAM as the one channel."""
    return replace(arch, dram=replace(arch.dram, bandwidth_bytes_per_cycle=CVSRAM_BYTES_PER_CYCLE))


def _run(
    layer: ArrayLayer | VectorLayer,
    arch: Architecture,
    kept: frozenset[Operand] = frozenset(),
    words_from_chip: int = 0,
) -> LayerRun:
    """Run a layer; layers that differ in nothing but their names run once."""
    return _run_unnamed(replace(layer, name="row"), arch, kept, words_from_chip)


@lru_cache(maxsize=4096)
def _run_unnamed(
    layer: ArrayLayer | VectorLayer, arch: Architecture, kept: frozenset[Operand], words_from_chip: int
) -> LayerRun:
    return run_layer(layer, arch, kept, words_from_chip)


def _bytes(run: LayerRun, arch: Architecture) -> int:
    """Return what crossed the channel. [B]"""
    return sum(row.bytes for row in run.traffic if row.level == arch.dram.name)


def _cycles(kilobytes: float, arch: Architecture) -> float:
    """Time on the channel, in whole cycles as in the sheet. [cycles]"""
    return float(ceil(Fraction(kilobytes) * BYTES_PER_KB / Fraction(str(arch.dram.bandwidth_bytes_per_cycle))))


def _read(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((GOLDEN / name).read_text(encoding="utf-8").splitlines()))
