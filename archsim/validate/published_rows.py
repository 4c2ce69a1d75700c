"""Published numbers of chips, a row each: a golden .csv of this package, or a user's own measurements.

Called by `published.py` and the suites of chips.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from math import isfinite
from pathlib import Path

from archsim.catalog import load_arch, load_workload
from archsim.config_file import did_you_mean, shortened
from archsim.errors import ArchsimError
from archsim.validate.quantities import QUANTITIES
from archsim.validate.row_reading import read_rows

COLUMNS = (
    "chip", "workload", "layer", "batch", "quantity", "unit", "published", "source", "from_memory", "note",
)  # fmt: skip
"""What a table must have; further columns are passed over."""
TRUTHS = {"true": True, "false": False}
NOT_GATED = "not gated:"
"""A note that opens with this takes its row out of the bounds."""
WILDCARDS = "*?["
"""Of shell patterns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One published number.

    Parameters
    ----------
    chip, workload
        As `load_arch` and `load_workload` take them; no workload = the number is one of the chip alone.
    layer
        Name of a layer, or a shell pattern that sums up several; empty = the whole network.
    batch
        Images at a time; None = what the workload says.
    quantity
        Of `QUANTITIES`.
    published
        In the quantity's unit.
    source
        Where it stands.
    from_memory
        It was recalled, not read there.
    note
        What a reader has to know.
    is_gated
        False = shown, and held to no bound; ``note`` says why.
    """

    chip: str
    workload: str = ""
    layer: str = ""
    batch: int | None = None
    quantity: str
    published: float
    source: str
    from_memory: bool = False
    note: str = ""
    is_gated: bool = True

    @property
    def is_total(self) -> bool:
        """Whether it sums up layers: a whole network, or what a pattern with wildcards matches."""
        return bool(self.workload) and (not self.layer or any(sign in self.layer for sign in WILDCARDS))


def read_published(path: Path) -> list[PublishedRow]:
    """Read published rows.

    Parameters
    ----------
    path
        A .csv with the columns `COLUMNS`; ``workload``, ``layer``, ``batch`` and ``note`` may be empty, lines that
        open with ``#`` are passed over. A note that opens with ``not gated:`` takes its row out of the bounds.

    Raises
    ------
    ConfigError
        The file cannot be read, lacks a column or has no rows; or what is wrong with its rows, up to 20 faults, each
        with its line.
    """
    return read_rows(path, COLUMNS, partial(_faults, shelves=_Shelves()), _build, what="published rows")


@dataclass(frozen=True, slots=True)
class _Shelves:
    """Chips and networks that rows have named so far, each read once."""

    chips: dict[str, str] = field(default_factory=dict)
    workloads: dict[str, str] = field(default_factory=dict)
    layers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def chip_fault(self, chip: str) -> str:
        """Return why there is no such chip; empty where there is."""
        if chip not in self.chips:
            self.chips[chip] = _fault_of(lambda: load_arch(chip))
        return self.chips[chip]

    def workload_fault(self, workload: str) -> str:
        """Return why there is no such network; empty where there is, and its layers are noted."""
        if workload not in self.workloads:
            self.workloads[workload] = _fault_of(lambda: self._note_layers(workload))
        return self.workloads[workload]

    def _note_layers(self, workload: str) -> None:
        self.layers[workload] = tuple(layer.name for layer in load_workload(workload).layers)


def _fault_of(read: Callable[[], object]) -> str:
    try:
        read()
    except ArchsimError as problem:
        return str(problem).splitlines()[0]
    return ""


def _faults(row: Mapping[str, str], shelves: _Shelves) -> Iterator[str]:
    yield from _quantity_faults(row)
    if chip_fault := shelves.chip_fault(row["chip"]):
        yield f"chip: {chip_fault}"
    if row["workload"]:
        yield from _workload_faults(row, shelves)
    if row["batch"] and not _is_whole(row["batch"]):
        yield f"batch must be a whole number of at least 1, or empty (found {row['batch']!r})"
    if not _is_measure(row["published"]):
        yield f"published must be a number of at least 0 (found {shortened(repr(row['published']))})"
    if not row["source"]:
        yield "source is empty: say where the number stands"
    if row["from_memory"].lower() not in TRUTHS:
        yield f"from_memory must be true or false (found {shortened(repr(row['from_memory']))})"


def _quantity_faults(row: Mapping[str, str]) -> Iterator[str]:
    quantity = QUANTITIES.get(row["quantity"])
    if quantity is None:
        near = did_you_mean(row["quantity"], QUANTITIES)
        yield f"no quantity is named {row['quantity']!r}.{near} Known: {', '.join(QUANTITIES)}"
        return
    if row["unit"] != quantity.unit:
        yield f"unit of {row['quantity']} must be {quantity.unit} (found {shortened(repr(row['unit']))})"
    if quantity.of_layers is None:
        given = [name for name in ("workload", "layer", "batch") if row[name]]
        if given:
            yield f"{row['quantity']} is a number of the chip alone; leave {' and '.join(given)} empty"
    elif not row["workload"]:
        yield f"workload is empty: {row['quantity']} needs one"


def _workload_faults(row: Mapping[str, str], shelves: _Shelves) -> Iterator[str]:
    if fault := shelves.workload_fault(row["workload"]):
        yield f"workload: {fault}"
        return
    names = shelves.layers[row["workload"]]
    if row["layer"] and not any(fnmatchcase(name, row["layer"]) for name in names):
        near = did_you_mean(row["layer"], names) or f" Its layers are {', '.join(names[:8])}..."
        yield f"layer {row['layer']!r} is none of {row['workload']}.{near}"


def _build(row: Mapping[str, str]) -> PublishedRow:
    is_gated = not row["note"].startswith(NOT_GATED)
    return PublishedRow(
        chip=row["chip"], workload=row["workload"], layer=row["layer"],
        batch=int(row["batch"]) if row["batch"] else None,
        quantity=row["quantity"], published=float(row["published"]), source=row["source"],
        from_memory=TRUTHS[row["from_memory"].lower()], note=row["note"].removeprefix(NOT_GATED).strip(),
        is_gated=is_gated,
    )  # fmt: skip


def _is_whole(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) <= 7 and int(cell) >= 1


def _is_measure(cell: str) -> bool:
    try:
        return isfinite(float(cell)) and float(cell) >= 0
    except ValueError:
        return False
