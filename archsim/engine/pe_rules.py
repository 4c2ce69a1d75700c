"""What the PEs of a clocked array compute with when a psum is more than an integer: casts, logarithms, floats.

`array_values.py` makes them from the adders of `numerics/`, `clocked.py` hands them to its kernels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import SimulationError
from archsim.kernels import pe_arithmetic as pe
from archsim.kernels.cast_sum import add_cast_products
from archsim.kernels.linear_log_sum import add_antilogs
from archsim.kernels.log_sum import add_in_log_domain
from archsim.kernels.product_sum import add_products

Array = NDArray[Any]
IntArray = NDArray[np.int64]
Block = tuple[slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeArithmetic:
    """What a PE multiplies and adds with.

    Parameters
    ----------
    rule, table
        As `kernels/pe_arithmetic.py` reads them.
    psums
        From which the sums start, in the register's own codes, shape (pixels, filters): the bias, or what a fold
        before left. Nothing is rounded on the way out of the array and back.
    """

    rule: IntArray
    table: IntArray
    psums: IntArray

    def entering(self, lines: int, columns: int, blocks: Sequence[Block]) -> tuple[IntArray, IntArray, IntArray]:
        """Return rule, table, and the psums of each pass's block of (pixels, filters), ``lines`` rows a pass."""
        psums = np.zeros((len(blocks), lines, columns), dtype=np.int64)
        for fold, block in enumerate(blocks):
            part = self.psums[block]
            psums[fold, : part.shape[0], : part.shape[1]] = part
        return self.rule, self.table, psums.reshape(-1, columns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeSums:
    """One matrix product as registers hold it.

    Parameters
    ----------
    ifmap, weight, starts
        Words, shapes (pixels, window), (window, filters) and (filters,).
    rule, table
        As of `PeArithmetic`; None = int64.
    """

    ifmap: IntArray
    weight: IntArray
    starts: IntArray
    rule: IntArray | None = None
    table: IntArray | None = None


def pe_sums(kernel: Callable[..., None], patches: Array, weights: Array, operands: tuple[Any, ...]) -> PeSums:
    """Return what an array must hold to do as a kernel of `numerics.products` does.

    Parameters
    ----------
    kernel
        Of an `Adder`.
    patches, weights, operands
        What it is called with, but for the sums.
    """
    return _MAKERS[kernel](patches.T, weights.T, *operands)


def _products(ifmap: Array, weight: Array, starts: Array) -> PeSums:
    """Integers as they are; floats as the bits of float64, which holds a float32 exactly."""
    if ifmap.dtype.kind == "i":
        return PeSums(ifmap=ifmap, weight=weight, starts=starts.astype(np.int64))
    kind = pe.FLOAT32 if ifmap.dtype.itemsize == np.dtype(np.float32).itemsize else pe.FLOAT64
    bits = [np.ascontiguousarray(values, dtype=np.float64).view(np.int64) for values in (ifmap, weight, starts)]
    return PeSums(ifmap=bits[0], weight=bits[1], starts=bits[2], rule=_rule(KIND=kind), table=_NO_TABLE)


def _casts(ifmap: Array, weight: Array, starts: Array, *rounding: Any) -> PeSums:
    shifts, bases, below, odd, limits, overflow = rounding
    if any((each != each[0]).any() for each in (shifts, bases, below, odd)):
        raise SimulationError("clocked array: the products of all filters must have one scale; a PE casts from one")
    rule = _rule(KIND=pe.CAST, SHIFT=shifts[0], BASE=bases[0], BELOW=below[0], ODD=odd[0], LOW=limits[0],
                 HIGH=limits[1], OVERFLOW=overflow)  # fmt: skip
    return PeSums(ifmap=ifmap, weight=weight, starts=starts, rule=rule, table=_NO_TABLE)


def _antilogs(ifmap: Array, weight: Array, starts: Array, *tables: Any) -> PeSums:
    """Give a weight its sign as a section of a table that has one for each: a place is still the sum of two."""
    signs, antilogs, limits = tables
    table = np.concatenate([antilogs, -antilogs, np.zeros_like(antilogs)])
    section = np.choose(signs.T + 1, [1, 2, 0])
    words = np.where(section == 2, 0, weight) + len(antilogs) * section
    rule = _rule(KIND=pe.TABLE, LOW=limits[0], HIGH=limits[1])
    return PeSums(ifmap=ifmap.astype(np.int64), weight=words, starts=starts, rule=rule, table=table)


def _logarithms(ifmap: Array, weight: Array, starts: Array, corrections: Array) -> PeSums:
    """Hold words less that of zero, so that an empty register is a zero."""
    rule = _rule(KIND=pe.LOGARITHM)
    return PeSums(ifmap=ifmap - pe.ZERO, weight=weight - pe.ZERO, starts=starts, rule=rule, table=corrections)


def _rule(**entries: int) -> IntArray:
    rule = np.zeros(pe.RULE_WORDS, dtype=np.int64)
    for name, value in entries.items():
        rule[getattr(pe, name)] = value
    return rule


_NO_TABLE = np.zeros(1, dtype=np.int64)
_MAKERS: dict[Callable[..., None], Callable[..., PeSums]] = {
    add_products: _products,
    add_cast_products: _casts,
    add_antilogs: _antilogs,
    add_in_log_domain: _logarithms,
}
