"""Where transfers lie in DRAM: runs of neighbouring bytes, described, not listed."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DramRuns:
    """``planes`` times ``runs`` runs of equal length per transfer; every array has shape (transfers,).

    Parameters
    ----------
    base_bytes
        First byte of the first run. [B]
    run_bytes
        Length of each run; the last one may reach beyond the transfer by the rounding. [B]
    runs, run_pitch_bytes
        Runs of a plane, and from the start of one to that of the next. [B]
    planes, plane_pitch_bytes
        Planes, and from the start of one to that of the next. [B]
    joins
        1 = what lies just before each run moved with another part of the same tile, and with it the burst that
        the run begins inside of; 0 = it has to move that burst itself.
    """

    base_bytes: IntArray
    run_bytes: IntArray
    runs: IntArray
    run_pitch_bytes: IntArray
    planes: IntArray
    plane_pitch_bytes: IntArray
    joins: IntArray

    def __len__(self) -> int:
        return len(self.base_bytes)

    @property
    def end_bytes(self) -> IntArray:
        """First byte behind each transfer's last run. [B]"""
        last = self.base_bytes + (self.planes - 1) * self.plane_pitch_bytes + (self.runs - 1) * self.run_pitch_bytes
        end: IntArray = last + self.run_bytes
        return end

    @property
    def covered_bytes(self) -> IntArray:
        """Bytes of all runs of each transfer. [B]"""
        return self.planes * self.runs * self.run_bytes


def runs_in_order(placed: list[DramRuns], which: IntArray, step: IntArray) -> DramRuns:
    """Pick runs from several lists: entry ``step[i]`` of list ``which[i]``, for every i."""
    columns = {}
    for field in fields(DramRuns):
        every = np.stack([getattr(part, field.name) for part in placed])
        columns[field.name] = every[which, step]
    return DramRuns(**columns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WordRuns:
    """Runs within one tensor, counted in its words; arrays of shape (transfers,), or one number for all.

    Parameters
    ----------
    start
        First word of the first run.
    run
        Length of each run.
    runs, run_pitch, planes, plane_pitch, joins
        As in `DramRuns`, in words.
    """

    start: IntArray
    run: IntArray
    runs: IntArray
    run_pitch: IntArray | int
    joins: BoolArray
    planes: IntArray | int = 1
    plane_pitch: IntArray | int = 0


def runs_of_words(words: WordRuns, *, length_bytes: IntArray, width_bits: int, region_bytes: int) -> DramRuns:
    """Turn runs of words into runs of bytes.

    Parameters
    ----------
    words
        Where the words lie in their tensor.
    length_bytes
        Of each whole transfer, shared evenly by its runs: a code makes runs shorter or longer, their
        places stay. [B]
    width_bits
        Of a word.
    region_bytes
        Where the tensor begins. [B]
    """
    is_one_run = words.run == words.run_pitch
    runs = np.where(is_one_run, 1, np.maximum(1, words.runs))
    planes = np.maximum(1, words.planes) + np.zeros_like(length_bytes)
    return DramRuns(
        base_bytes=region_bytes + words.start * width_bits // 8,
        run_bytes=np.maximum(1, -(-length_bytes // (runs * planes))),
        runs=runs,
        run_pitch_bytes=words.run_pitch * width_bits // 8 + np.zeros_like(length_bytes),
        planes=planes,
        plane_pitch_bytes=words.plane_pitch * width_bits // 8 + np.zeros_like(length_bytes),
        joins=words.joins.astype(np.int64),
    )
