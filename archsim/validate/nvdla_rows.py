"""Layers of NVIDIA's performance sheet, as archsim's own layers; read by `nvdla.py`."""

import csv
from dataclasses import dataclass
from pathlib import Path

from archsim.config_file import read_text
from archsim.errors import ConfigError, WorkloadError
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, MatmulLayer, VectorLayer

_SHAPE = ("in_channels", "height", "width", "out_channels", "kernel", "padding", "stride", "ofmap_height", "ofmap_width",
          "elementwise", "cvsram_frames", "cvsram_reads", "frames")  # fmt: skip
PUBLISHED = ("mac_cycles_cvsram", "dram_kb_cvsram", "cvsram_read_kb", "cvsram_write_kb", "layer_cycles_cvsram",
             "mac_cycles", "dram_kb", "layer_cycles")  # fmt: skip
_TEXTS = ("sheet", "layer", "op", "cvsram_dram")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One row of the sheet: a layer with what the sheet fuses behind it, on a chip with and without a CVSRAM.

    Parameters
    ----------
    sheet, layer, op
        Names; ``conv`` or ``fc``.
    shape
        The sheet's integers: channels, sides, kernel, the ofmap behind a fused pool, whether an operand is added.
    crossing
        Operands that the sheet has cross the DRAM channel beside a CVSRAM, read off its own traffic.
    published
        Column -> the sheet's number.
    note, source
        Where rows of the sheet contradict each other (first the column that does); where the row stands.
    """

    sheet: str
    layer: str
    op: str
    shape: dict[str, int]
    crossing: frozenset[Operand]
    published: dict[str, float]
    note: str
    source: str

    def __post_init__(self) -> None:
        if self.op not in ("conv", "fc"):
            raise ValueError(f"op (={self.op!r}) must be conv or fc")
        if min(self.shape["frames"], self.shape["cvsram_frames"], self.array_layer(1).macs) < 1:
            raise ValueError("frames must be 1 or more")

    def array_layer(self, frames: int) -> ArrayLayer:
        """Return the layer on so many frames at a time."""
        given = self.shape
        if self.op == "fc":
            inner = given["in_channels"] * given["height"] * given["width"]
            return MatmulLayer(name=self.layer, op="fc", rows=frames, inner=inner, columns=given["out_channels"])
        return ConvLayer(
            name=self.layer, in_channels=given["in_channels"], out_channels=given["out_channels"], batch=frames,
            ifmap=(given["height"], given["width"]), kernel=(given["kernel"],) * 2, stride=(given["stride"],) * 2,
            padding=((given["padding"],) * 2,) * 2, dilation=(1, 1),
        )  # fmt: skip

    def fused_layer(self, frames: int, *, adds: bool) -> VectorLayer | None:
        """Return what runs behind the layer before its ofmap leaves the chip: a pool, an addition; None = nothing.

        Parameters
        ----------
        frames
            At a time.
        adds
            Whether the other operand of an addition is read: the sheet gives it the size of the row's ofmap, even
            behind a pool.
        """
        array = self.array_layer(frames)
        words = frames * self.shape["out_channels"] * self.shape["ofmap_height"] * self.shape["ofmap_width"]
        added = words if adds and self.shape["elementwise"] else 0
        if words == array.ofmap_words and not added:
            return None
        return VectorLayer(name=self.layer, op="fused", lane_ops=array.ofmap_words, ifmap_words=array.ofmap_words + added,
                           ofmap_words=words)  # fmt: skip

    def contradicts(self, column: str) -> bool:
        """Whether other rows of the sheet contradict this column of the row."""
        return self.note.startswith(f"{column}:")


def read_sheet(path: Path) -> list[SheetRow]:
    """Read rows in the columns of the shipped files.

    Raises
    ------
    ConfigError
        A column is missing, or a value is not what it has to be; with its line.
    """
    rows = csv.DictReader(read_text(path, ConfigError).splitlines())
    missing = [name for name in (*_TEXTS, *_SHAPE, *PUBLISHED) if name not in (rows.fieldnames or ())]
    if missing:
        raise ConfigError(f"{path}:1: not rows of NVIDIA's sheet: the columns {', '.join(missing)} are missing")
    found = [_row(row, f"{path}:{rows.line_num}") for row in rows]
    if not found:
        raise ConfigError(f"{path}: no rows in it")
    return found


def _row(row: dict[str, str], where: str) -> SheetRow:
    try:
        return SheetRow(
            **{name: row[name] for name in ("sheet", "layer", "op")},
            shape={name: int(row[name]) for name in _SHAPE},
            crossing=frozenset(Operand(name) for name in row["cvsram_dram"].split()),
            published={name: float(row[name]) for name in PUBLISHED},
            note=row.get("note") or "",
            source=row.get("source") or "",
        )
    except (ValueError, TypeError, WorkloadError) as problem:
        raise ConfigError(f"{where}: not a row of NVIDIA's sheet: {problem}") from problem
