"""A model of what one MAC costs in any pair of formats, part by part, at 45 nm.

A model, not published numbers: laws over width through points of Horowitz's table, and a shifter whose coefficient
is fitted so that a logarithmic MAC of 8 bits into 38 costs 0.96 of the energy and 1.12 of the area of int8 into
int32, as Johnson's synthesis gives. `energy_table.py` prices with it what `arithmetic.py` has no published points
for: logarithms, eight-bit floats and narrower, signs alone. ``archsim list formats`` shows it for all.

Not modelled: registers (`chip_prices.py` has them), rounding and saturation, zeros that switch less.

References
----------
.. [1] M. Horowitz, Computing's energy problem, ISSCC 2014: 45 nm, 0.9 V; areas recalled, to be verified.
.. [2] J. Johnson, Rethinking floating point for deep learning, arXiv 1811.01721, 2018: the two ratios.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum, log2

from archsim.arch.log_adder import LogAdder
from archsim.numerics.accumulator import LogAdderKind
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.log_adder import table_bits, table_entries
from archsim.numerics.logarithmic import Logarithmic
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.operand_formats import OperandFormats

MODEL_NODE_NM = 45.0
MAC_MODEL = (
    "model, not published: multipliers and adders by width through Horowitz, ISSCC 2014 (45 nm; areas from memory, to be "
    "verified), shifter fitted to the ratios of J. Johnson, arXiv 1811.01721 (0.96 power, 1.12 area)"
)
"""What a report says of every number from here."""
MODEL_SOURCE = "mac_model"
"""Key of `MAC_MODEL` among the sources of a price list."""
SHIFT_STAGES = 5
"""Of a shifter that places a product in its accumulator: 32 positions."""
ANTILOG_BITS = 8
"""Fraction bits of a significand that comes out of a table of antilogarithms. [b]"""
_OWN_MULTIPLIERS = {"fp16": (1.1, 1640.0), "fp32": (3.7, 7700.0)}
_OWN_ADDERS = {"fp16": (0.4, 1360.0), "fp32": (0.9, 4184.0)}
_SPLITS = {"bf16": (8, 7), "fp16": (5, 10), "tf32": (8, 10), "fp32": (8, 23), "fp64": (11, 52)}
_SMALL_FLOAT_BITS = 8
_INTEGERS = (NumberKind.INTEGER, NumberKind.FIXED_POINT)

Part = tuple[str, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MacCost:
    """One MAC at 45 nm.

    Parameters
    ----------
    parts
        (name, pJ, um2) of every operator.
    """

    parts: tuple[Part, ...]

    @property
    def pj(self) -> float:
        """Energy. [pJ]"""
        return fsum(pj for _, pj, _ in self.parts)

    @property
    def um2(self) -> float:
        """Area. [um2]"""
        return fsum(um2 for _, _, um2 in self.parts)


def mac_cost(
    ifmap: NumberFormat, weight: NumberFormat, psum: NumberFormat, log_adder: LogAdder | None = None
) -> MacCost:
    """Return what a MAC costs by the model.

    Parameters
    ----------
    ifmap, weight
        Of the two factors; a product of a logarithm and a number of another kind makes it linear first.
    psum
        Of the register that products add up in.
    log_adder
        Adds psums that are logarithms; None = a full table of the psums' own fraction.
    """
    product = tuple(_product(ifmap, weight))
    return MacCost(parts=(*product, *_sum(ifmap, weight, psum, log_adder)))


def is_modelled(formats: OperandFormats, log_adder: LogAdder | None = None) -> bool:
    """Whether a chip's MAC is priced by the model: pairs for which no table lists numbers."""
    ifmap, weight, psum = formats.ifmap, formats.weight, formats.psum
    kinds = {ifmap.kind, weight.kind}
    if NumberKind.SIGN in kinds:
        return True
    if kinds == {NumberKind.FLOAT}:
        return max(ifmap.width_bits, weight.width_bits) <= _SMALL_FLOAT_BITS
    if kinds != {NumberKind.LOGARITHMIC}:
        return False
    return psum.kind in _INTEGERS or (psum.kind is NumberKind.LOGARITHMIC and log_adder is not None)


def _product(ifmap: NumberFormat, weight: NumberFormat) -> Iterator[Part]:
    """Yield the operators up to the product."""
    kinds = {ifmap.kind, weight.kind}
    factors = [fmt for fmt in (ifmap, weight) if fmt.kind is not NumberKind.SIGN]
    if len(factors) < 2:
        width = factors[0].width_bits if factors else 1
        yield _part("negate or drop", _shift(width, 1))
        return
    if kinds == {NumberKind.LOGARITHMIC}:
        yield _part("exponent add", _add(max(ifmap.width_bits, weight.width_bits)))
        return
    if ifmap.name == weight.name and ifmap.name in _OWN_MULTIPLIERS:
        yield _part("multiply", _OWN_MULTIPLIERS[ifmap.name])
        return
    for fmt in factors:
        if fmt.kind is NumberKind.LOGARITHMIC:
            yield _part("antilog table", _antilog(fmt))
    yield _part("multiply", _multiply(*(_significand_bits(fmt) for fmt in factors)))
    if NumberKind.FLOAT in kinds:
        yield _part("exponent add", _add(max(_exponent_bits(fmt) for fmt in factors) + 1))


def _sum(ifmap: NumberFormat, weight: NumberFormat, psum: NumberFormat, log_adder: LogAdder | None) -> Iterator[Part]:
    """Yield the operators from the product to the new psum."""
    kinds = {ifmap.kind, weight.kind} - {NumberKind.SIGN}
    is_log_product = kinds == {NumberKind.LOGARITHMIC}
    if psum.kind is NumberKind.LOGARITHMIC:
        if not is_log_product:
            yield _part("logarithm", _shift(psum.width_bits, SHIFT_STAGES))
        yield from _log_sum(psum, log_adder)
        return
    if is_log_product:
        yield _part("antilog table", _antilog(max((ifmap, weight), key=_fraction_bits)))
    if psum.kind is NumberKind.FLOAT:
        yield _part("float add", _float_add(psum))
        return
    if kinds & {NumberKind.LOGARITHMIC, NumberKind.FLOAT}:
        yield _part("shift into place", _shift(psum.width_bits, SHIFT_STAGES))
    yield _part("add", _add(psum.width_bits))


def _log_sum(psum: NumberFormat, log_adder: LogAdder | None) -> Iterator[Part]:
    """Yield the difference of two logarithms, its correction, and the addition of that."""
    adder = log_adder or LogAdder(kind=LogAdderKind.TABLE, fraction_bits=min(8, max(1, psum.width_bits - 8)))
    yield _part("subtract", _add(psum.width_bits))
    if adder.kind is LogAdderKind.TABLE:
        entries = max(table_entries(adder.log_sum))
        energy, _ = _table(entries, adder.fraction_bits + 1)
        yield "table look-up", energy, _table_um2(table_bits(adder.log_sum))
    else:
        shifters = 2 if adder.kind is LogAdderKind.MITCHELL else 1
        energy, area = _shift(adder.fraction_bits + 1, SHIFT_STAGES)
        yield "shift", energy * shifters, area * shifters
    yield _part("add", _add(psum.width_bits))


def _part(name: str, cost: tuple[float, float]) -> Part:
    return name, *cost


def _add(bits: int) -> tuple[float, float]:
    return 0.0033 * bits, 4.3 * bits


def _multiply(first_bits: int, second_bits: int) -> tuple[float, float]:
    size = first_bits * second_bits / 64
    return 0.2 * size, 282 * size**0.9


def _shift(bits: int, stages: int) -> tuple[float, float]:
    """Two-way multiplexers, one per bit and stage."""
    return 0.00072 * bits * stages, 1.33 * bits * stages


def _antilog(fmt: NumberFormat) -> tuple[float, float]:
    return _table(1 << _fraction_bits(fmt), ANTILOG_BITS + 1)


def _table(entries: int, bits: int) -> tuple[float, float]:
    """Price a table in logic: 8 entries of 9 bits cost 0.005 pJ and 20 um2; energy by bits and depth, area by all bits."""
    return 0.005 * bits * log2(max(1, entries)) / (9 * 3), _table_um2(entries * bits if entries > 1 else 0)


def _table_um2(bits: int) -> float:
    return 20 * bits / 72


def _float_add(fmt: NumberFormat) -> tuple[float, float]:
    """By width through the nearest published one."""
    nearest = "fp16" if fmt.width_bits <= 16 else "fp32"
    scale = fmt.width_bits / int(nearest[2:])
    energy, area = _OWN_ADDERS[nearest]
    return energy * scale, area * scale


def _fraction_bits(fmt: NumberFormat) -> int:
    known = parse_format(fmt.name)
    return known.fraction_bits if isinstance(known, Logarithmic) else 0


def _significand_bits(fmt: NumberFormat) -> int:
    if fmt.kind is NumberKind.FLOAT:
        return _split(fmt)[1] + 1
    return ANTILOG_BITS + 1 if fmt.kind is NumberKind.LOGARITHMIC else fmt.width_bits


def _exponent_bits(fmt: NumberFormat) -> int:
    return _split(fmt)[0] if fmt.kind is NumberKind.FLOAT else 0


def _split(fmt: NumberFormat) -> tuple[int, int]:
    """Exponent and fraction bits of a float. [b]"""
    found = re.search(r"e(\d)m(\d)", fmt.name)
    return (int(found[1]), int(found[2])) if found else _SPLITS[fmt.name]
