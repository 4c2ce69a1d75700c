"""SCALE-Sim topology CSV, convolution or GEMM form -> Workload.

Called where the user names a ``.csv`` as the workload. The format is that of SCALE-Sim 2 and 3, read
leniently: a trailing comma, blank rows, ``#`` comments, a byte order mark, quoted cells, any line end,
commas, semicolons or tabs.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archsim.config_file import legible, read_text
from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, Rounding
from archsim.workload.network import Workload, images_of

MAX_CELL = 2**31 - 1
"""Largest whole number a cell may hold."""

NAME, STRIDE_WIDTH, SPARSITY, BATCH = "Layer name", "Stride Width", "Sparsity", "Batch Size"
CONV_COLUMNS = (
    NAME, "IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides",
)  # fmt: skip
GEMM_COLUMNS = (NAME, "M", "N", "K")
COLUMN_OF_WORD = {
    "layername": NAME, "layer": NAME, "name": NAME,
    "ifmapheight": "IFMAP Height", "ifmaph": "IFMAP Height", "ifmapwidth": "IFMAP Width", "ifmapw": "IFMAP Width",
    "filterheight": "Filter Height", "filterh": "Filter Height", "filterwidth": "Filter Width",
    "filterw": "Filter Width", "channels": "Channels", "channel": "Channels",
    "numfilter": "Num Filter", "numfilters": "Num Filter", "filters": "Num Filter",
    "strides": "Strides", "stride": "Strides", "strideheight": "Strides", "stridesheight": "Strides",
    "strideh": "Strides", "stridewidth": STRIDE_WIDTH, "strideswidth": STRIDE_WIDTH, "stridew": STRIDE_WIDTH,
    "sparsity": SPARSITY, "sparsitysupport": SPARSITY, "sparsityratio": SPARSITY, "nm": SPARSITY,
    "batchsize": BATCH, "batch": BATCH, "m": "M", "n": "N", "k": "K",
}  # fmt: skip
"""A header cell in lower case, letters only -> the column it names."""

_WHOLE = re.compile(r"\+?([0-9]{1,18})(\.0*)?")
_RATIO = re.compile(r"([0-9]{1,9})\s*:\s*([0-9]{1,9})")


def read_topology_csv(path: Path) -> Workload:
    """Read a SCALE-Sim topology file.

    The header decides what each column is; where it does not name the columns, 8 or more cells are
    a convolution (a ninth with a colon is N:M sparsity, else the stride along the width) and 4 or 5 a GEMM.

    Parameters
    ----------
    path
        The CSV file.

    Returns
    -------
    Workload
        Layers in the file's order, each reading from outside; what SCALE-Sim's conventions mean is
        said in ``assumptions``.

    Raises
    ------
    WorkloadError
        The file cannot be read, or is wrong: one line per fault, ``file:line: column 'X': what``.

    Notes
    -----
    Not modelled: data that stays on chip between layers, since the format does not say which layer
    reads which.

    References
    ----------
    .. [1] SCALE-Sim 3.0.0, github.com/scalesim-project/SCALE-Sim: how its releases 2 and 3 read a topology.
    """
    text = read_text(path, WorkloadError)
    table = _Table(path=path)
    table.read(text)
    if not table.layers and not table.faults:
        table.faults.append(f"{path}:1: no layer rows; a row is: {', '.join(CONV_COLUMNS)}")
    if table.faults:
        raise WorkloadError("\n".join(table.faults))
    return Workload(
        name=legible(path).stem, layers=tuple(table.layers), source=f"SCALE-Sim topology {legible(path).name}",
        assumptions=table.assumptions, content_hash=hashlib.sha256(text.encode()).hexdigest(),
        images=images_of(table.layers),
    )  # fmt: skip


def _split_rows(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every row that is neither blank nor a comment."""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if line.lstrip().startswith("#"):
            continue
        try:
            cells = _split_cells(line)
        except csv.Error as problem:
            raise WorkloadError(f"{path}:{number}: not a row of a CSV file: {problem}") from problem
        if cells:
            yield number, cells


def _split_cells(line: str) -> list[str]:
    """Split at the first of comma, semicolon and tab that gives a whole row; drop empty last cells."""
    longest: list[str] = []
    if not line.strip(" ,;\t"):
        return longest
    for separator in ",;\t":
        cells = [cell.strip() for row in csv.reader([line], delimiter=separator, skipinitialspace=True) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) >= len(GEMM_COLUMNS):
            return cells
        longest = max(longest, cells, key=len)
    return longest


def _is_number(cell: str) -> bool:
    return bool(re.match(r"[-+]?[.\d]", cell))


@dataclass(slots=True, kw_only=True)
class _Table:
    """One pass over a file's rows, gathering layers and faults."""

    path: Path
    columns: tuple[str, ...] = ()
    faults: list[str] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    renamed: list[str] = field(default_factory=list)
    depthwise: list[str] = field(default_factory=list)

    def read(self, text: str) -> None:
        """Read the header, if there is one, and every row."""
        rows = list(_split_rows(text, self.path))
        if rows and not any(map(_is_number, rows[0][1][1:])):
            self._read_header(*rows.pop(0))
        self.names = {cells[0] for _, cells in rows}
        taken: set[str] = set()
        for line, cells in rows:
            values = self._name_cells(line, cells)
            if values is not None:
                self._read_row(line, values, taken)

    def _read_header(self, line: int, cells: list[str]) -> None:
        columns: list[str] = []
        for cell in cells:
            column = COLUMN_OF_WORD.get(re.sub("[^a-z]", "", cell.lower()), "")
            columns.append(STRIDE_WIDTH if column == "Strides" and column in columns else column)
        if not (set(CONV_COLUMNS) <= set(columns) or set(GEMM_COLUMNS) <= set(columns)):
            return  # does not name the columns: their number decides
        for cell, column in zip(cells, columns, strict=True):
            if not column or columns.count(column) > 1:
                self.faults.append(
                    f"{self.path}:{line}: column {cell!r} is not one archsim reads, or comes twice. Remove it"
                )
        self.columns = tuple(columns)

    def _name_cells(self, line: int, cells: list[str]) -> dict[str, str] | None:
        """Return column -> cell, or None where there are too few or too many."""
        if not self.columns:
            self.columns = GEMM_COLUMNS if len(cells) <= len(GEMM_COLUMNS) + 1 else CONV_COLUMNS
        needed = CONV_COLUMNS if set(CONV_COLUMNS) <= set(self.columns) else GEMM_COLUMNS
        columns = list(self.columns)
        columns += [
            SPARSITY if ":" in cell or needed is GEMM_COLUMNS else STRIDE_WIDTH for cell in cells[len(columns) :]
        ]
        present = columns[: len(cells)]
        if not set(needed) <= set(present) or len(set(present)) < len(present):
            optional = "N:M sparsity" if needed is GEMM_COLUMNS else "a second stride or N:M sparsity"
            self.faults.append(
                f"{self.path}:{line}: {len(cells)} cells; a row has {len(needed)} ({', '.join(needed)}), then {optional}"
            )
            return None
        return dict(zip(present, cells, strict=True))

    def _read_row(self, line: int, values: dict[str, str], taken: set[str]) -> None:
        known = len(self.faults)
        sizes = {
            column: self._read_size(line, column, cell)
            for column, cell in values.items()
            if column not in (NAME, SPARSITY) and (cell or column not in (STRIDE_WIDTH, BATCH))
        }
        kept_of = self._read_sparsity(line, values.get(SPARSITY, ""))
        if not values[NAME]:
            self._add_fault(line, NAME, "is empty")
        for axis in ("Height", "Width"):
            if 0 < sizes.get(f"IFMAP {axis}", 0) < sizes.get(f"Filter {axis}", 0):
                size, kernel = sizes[f"IFMAP {axis}"], sizes[f"Filter {axis}"]
                self._add_fault(line, f"Filter {axis}", f"{kernel} is larger than the IFMAP {axis}, {size}")
        if len(self.faults) == known:
            name = self._unique_name(line, values[NAME], taken)
            make = self._make_gemm if "M" in sizes else self._make_conv
            self.layers.append(make(name, sizes, kept_of))

    def _make_gemm(self, name: str, sizes: dict[str, int], kept_of: tuple[int, int] | None) -> Layer:
        return MatmulLayer(
            name=name, op="gemm", rows=sizes["M"] * sizes.get(BATCH, 1), inner=sizes["K"], columns=sizes["N"],
            kept_of=kept_of,
        )  # fmt: skip

    def _make_conv(self, name: str, sizes: dict[str, int], kept_of: tuple[int, int] | None) -> Layer:
        groups = 1
        if "DP" in name:
            groups = sizes["Channels"]
            self.depthwise.append(name)
        return ConvLayer(
            name=name, in_channels=sizes["Channels"], out_channels=sizes["Num Filter"] * groups, groups=groups,
            ifmap=(sizes["IFMAP Height"], sizes["IFMAP Width"]),
            kernel=(sizes["Filter Height"], sizes["Filter Width"]),
            stride=(sizes["Strides"], sizes.get(STRIDE_WIDTH, sizes["Strides"])),
            padding=((0, 0), (0, 0)), dilation=(1, 1), batch=sizes.get(BATCH, 1),
            ofmap_rounding=Rounding.CEIL, kept_of=kept_of,
        )  # fmt: skip

    def _read_size(self, line: int, column: str, cell: str) -> int:
        """Return the number, or 0 and a fault."""
        match = _WHOLE.fullmatch(cell)
        if match and 1 <= int(match.group(1)) <= MAX_CELL:
            return int(match.group(1))
        self._add_fault(line, column, f"must be a whole number from 1 to {MAX_CELL} (found {cell[:40]!r})")
        return 0

    def _read_sparsity(self, line: int, cell: str) -> tuple[int, int] | None:
        match = _RATIO.fullmatch(cell)
        if match and 1 <= int(match.group(1)) <= int(match.group(2)):
            kept, of = int(match.group(1)), int(match.group(2))
            return (kept, of) if kept < of else None
        if cell:
            self._add_fault(
                line, SPARSITY, f"must be N:M, N of every M weights kept, 1 <= N <= M (found {cell[:40]!r})"
            )
        return None

    def _unique_name(self, line: int, name: str, taken: set[str]) -> str:
        unique, count = name, 2
        while unique in taken or (unique != name and unique in self.names):
            unique = f"{name}_{count}"
            count += 1
        if unique != name:
            self.renamed.append(f"{name!r} of line {line} is {unique!r}")
        taken.add(unique)
        return unique

    def _add_fault(self, line: int, column: str, fault: str) -> None:
        self.faults.append(f"{self.path}:{line}: column {column!r}: {fault}")

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What SCALE-Sim's conventions mean for this file."""
        said = ["Every layer starts cold: the topology file does not say which layer reads which."]
        if any(isinstance(layer, ConvLayer) for layer in self.layers):
            said.append("Ceiling ofmap size, as SCALE-Sim: a last partial window counts in full.")
            said.append("No padding: ifmap sizes are taken as the file gives them.")
        if self.depthwise:
            said.append(f"Depthwise, having 'DP' in their name as in SCALE-Sim: {', '.join(self.depthwise)}.")
        if self.renamed:
            said.append(f"Layer names made unique: {'; '.join(self.renamed)}.")
        return tuple(said)
