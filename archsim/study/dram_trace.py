"""TRACE.csv -> DramTrace: requests of one DRAM burst each, as a person or a program wrote them.

Called by `archsim dram`. A row is ``addr,is_write,arrival``; millions of rows are read in blocks, so that
memory holds little more than the three arrays.
"""

import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_mapping import round_to_bursts
from archsim.config_file import shortened
from archsim.engine.dram_run import DramTrace
from archsim.errors import WorkloadError

COLUMNS = ("addr", "is_write", "arrival")
DIRECTIONS = {b"0": 0, b"1": 1, b"r": 0, b"w": 1, b"read": 0, b"write": 1}
"""What a cell of ``is_write`` may hold, in lower case -> 1 = a write."""
MAX_ARRIVAL = 10**12
"""Latest arrival: a quarter of an hour of DRAM time. Beyond it lies a slip of the keyboard. [tCK]"""
MOST_FAULTS = 20
BLOCK_BYTES = 4_000_000
LONGEST_LINE_BYTES = 1_000_000

IntArray = NDArray[np.int64]
_BARE = b"0123456789, \t\r\n"
_HEXADECIMAL = re.compile(rb"0[xX][0-9a-fA-F]{1,16}")
_BLANK = b" \t\r"


class _Block(NamedTuple):
    """Whole lines of a file, and the 1-based number of the first."""

    first_line: int
    text: bytes

    def rows(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield line number and cells of every line that holds more than a comment."""
        for number, line in enumerate(self.text.split(b"\n"), start=self.first_line):
            said = line.partition(b"#")[0].strip(_BLANK)
            if said:
                yield number, [cell.strip(_BLANK) for cell in said.split(b",")]


def read_dram_trace(path: Path, device: DramDevice) -> DramTrace:
    """Read a trace of ``addr,is_write,arrival`` rows.

    Parameters
    ----------
    path
        Text. A first row of these three names may be left out; empty lines and what follows a ``#`` are
        passed over. ``addr`` in bytes, decimal or ``0x...``; ``is_write`` 0, 1, R, W, read or write;
        ``arrival`` in clocks of the device.
    device
        Every address must lie in it.

    Returns
    -------
    DramTrace
        In the file's order. An address within a burst stands for the burst. An arrival earlier than the
        one before it is legal: requests are offered in order, this one has waited.

    Raises
    ------
    WorkloadError
        The file cannot be read, is empty, or is wrong: up to 20 faults, each with its line.
    """
    faults: list[str] = []
    blocks: list[IntArray] = []
    try:
        with path.open("rb") as file:
            for block in _blocks(file, path, faults):
                numbers = _read_block(block, device.capacity_bytes)
                if numbers is None:
                    faults += _faults(block, path, device)
                else:
                    blocks.append(numbers)
                if len(faults) > MOST_FAULTS:
                    break
    except OSError as problem:
        raise WorkloadError(f"{path}: cannot be read: {problem.strerror}") from problem
    if not faults and not any(map(len, blocks)):
        faults = [f"{path}: holds no requests; a row is {','.join(COLUMNS)}, e.g. 0x4000,0,0"]
    if len(faults) > MOST_FAULTS:
        faults[MOST_FAULTS:] = [f"{path}: ... and more; these are the first {MOST_FAULTS}"]
    if faults:
        raise WorkloadError("\n".join(faults))
    address, is_write, arrival = (np.concatenate([block[:, column] for block in blocks]) for column in range(3))
    address, moved = round_to_bursts(address, device.request_bytes)
    return DramTrace(address=address, is_write=is_write.astype(np.bool_), arrival=arrival, inside_bursts=moved)


def _blocks(file: BinaryIO, path: Path, faults: list[str]) -> Iterator[_Block]:
    """Yield the file in pieces that end where a line ends, without its header; add the header's fault."""
    line = 1
    is_headed = False
    while text := file.read(BLOCK_BYTES):
        text += file.readline(LONGEST_LINE_BYTES)
        block = _Block(line, text.removeprefix(b"\xef\xbb\xbf") if line == 1 else text)
        line += text.count(b"\n")
        if not is_headed:
            first = next(block.rows(), None)
            is_headed = first is not None
            block = _without_header(block, first, path, faults)
        yield block


def _without_header(
    block: _Block, first: tuple[int, list[bytes]] | None, path: Path, faults: list[str]
) -> _Block:  # fmt: skip
    """Return the lines after the header where the first row is one: no cell of it opens with a digit or a sign."""
    if first is None or any(cell[:1] in b"0123456789+-" for cell in first[1]):
        return block
    number, cells = first
    if [cell.lower().decode(errors="replace") for cell in cells] != list(COLUMNS):
        found = shortened(repr(b",".join(cells).decode(errors="replace")))
        faults.append(f"{path}:{number}: the columns must be {','.join(COLUMNS)} (found {found})")
    lines = number - block.first_line + 1
    after = block.text.split(b"\n", lines)[lines:]
    return _Block(number + 1, after[0] if after else b"")


def _read_block(block: _Block, capacity_bytes: int) -> IntArray | None:
    """Return int64 of shape (rows, 3), or None where any row is wrong."""
    numbers = _mixed_numbers(block) if block.text.translate(None, _BARE) else _plain_numbers(block.text)
    if numbers is None or not len(numbers):
        return numbers
    address, is_write, arrival = numbers.T
    fits = address.max() < capacity_bytes and is_write.max() <= 1 and arrival.max() <= MAX_ARRIVAL
    return numbers if fits else None


def _plain_numbers(text: bytes) -> IntArray | None:
    """Read a block of nothing but digits and commas."""
    if not text.strip():
        return np.empty((0, 3), dtype=np.int64)
    if text.count(b"\r") > text.count(b"\r\n"):
        return None  # pandas would take it for the end of a line, an editor would not
    try:
        with warnings.catch_warnings(action="error"):
            frame = pd.read_csv(io.BytesIO(text), header=None, names=list(COLUMNS), dtype=np.int64, index_col=False)
    except (ValueError, OverflowError, pd.errors.ParserWarning):
        return None
    return frame.to_numpy()


def _mixed_numbers(block: _Block) -> IntArray | None:
    """Read a block with hexadecimal addresses, words or comments in it."""
    try:
        numbers = [
            (_whole(address), DIRECTIONS[word.lower()], _whole(arrival)) for _, (address, word, arrival) in block.rows()
        ]
        return np.array(numbers, dtype=np.int64).reshape(-1, 3)
    except (ValueError, KeyError, OverflowError):
        return None


def _whole(cell: bytes) -> int:
    """Read a number without a sign; ValueError where it is none."""
    if cell.isdigit():
        return int(cell)
    if _HEXADECIMAL.fullmatch(cell):
        return int(cell, 16)
    raise ValueError


def _faults(block: _Block, path: Path, device: DramDevice) -> list[str]:
    """Return what is wrong with the rows of a block, each with its line; a few more than are shown."""
    found: list[str] = []
    for number, cells in block.rows():
        if len(cells) != len(COLUMNS):
            row = ",".join(COLUMNS)
            found.append(f"{path}:{number}: {len(cells)} cell{'s' * (len(cells) > 1)}; a row is {row}")
        else:
            found += [f"{path}:{number}: {fault}" for fault in _row_faults(cells, device)]
        if len(found) > MOST_FAULTS:
            break
    return found


def _row_faults(cells: list[bytes], device: DramDevice) -> Iterator[str]:
    address, word, arrival = cells
    if not _is_whole(address):
        yield f"addr must be a whole number of bytes, decimal or 0x... (found {_quoted(address)})"
    elif _whole(address) >= device.capacity_bytes:
        yield f"addr {_whole(address):#x} is beyond {device.name}, which ends at {device.capacity_bytes - 1:#x}"
    if word.lower() not in DIRECTIONS:
        yield f"is_write must be 0, 1, R, W, read or write (found {_quoted(word)})"
    if not _is_whole(arrival) or _whole(arrival) > MAX_ARRIVAL:
        yield f"arrival must be a whole number of clocks from 0 to {MAX_ARRIVAL} (found {_quoted(arrival)})"


def _is_whole(cell: bytes) -> bool:
    try:
        _whole(cell)
    except ValueError:
        return False
    return True


def _quoted(cell: bytes) -> str:
    return shortened(repr(cell.decode(errors="replace")))
