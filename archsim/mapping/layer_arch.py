"""A chip as one layer sees it: the formats that the layer brings, and pointers in place of its weights.

`engine/` asks for it before it plans a layer, `cost/` before it prices one; everything in `mapping/` then
asks the arch it gets. A layer without formats or clusters sees the arch as it is.
"""

from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.arch.word_group import WordGroup
from archsim.errors import MappingError
from archsim.numerics.link_code import WIDEST_LEVEL_BITS
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import HELD_OPERANDS, Compression, Operand
from archsim.workload.layer import Layer, UncostedLayer, VectorLayer

INTEGERS = (NumberKind.INTEGER, NumberKind.FIXED_POINT)
"""Kinds that one multiplier serves: a point that lies elsewhere changes no gate."""


def arch_for_layer(layer: Layer, arch: Architecture) -> Architecture:
    """Return the arch with what a layer brings put in.

    Parameters
    ----------
    layer
        Of any workload.
    arch
        As read.

    Raises
    ------
    MappingError
        The arch has its own registers and multipliers, and the layer's values or sums do not fit them.
    """
    if isinstance(layer, UncostedLayer):
        return arch
    clusters = None if isinstance(layer, VectorLayer) else layer.clusters
    if clusters is not None:
        arch = replace(arch, kernel=WordGroup(words=clusters.kernel_words, bits=clusters.pointer_bits))
    if layer.formats is None:
        return arch
    if arch.follows_workload:
        return _followed(layer, arch, layer.formats)
    return replace(arch, formats=_checked(layer, arch, layer.formats), codes=layer.formats)


def _followed(layer: Layer, arch: Architecture, own: OperandFormats) -> Architecture:
    for operand, code in arch.dram.compression:
        fmt = own.of(operand)
        if code is Compression.RLC5 and fmt.width_bits > WIDEST_LEVEL_BITS:
            raise MappingError(
                f"layer {layer.name!r}: {operand} is {fmt.name}; rlc5 on the DRAM channel holds words of "
                f"{WIDEST_LEVEL_BITS} bits or fewer; choose bitmask (--set levels.{arch.dram.name}.compression=bitmask)"
            )
    array = arch.pe_array
    if own.psum.kind is not NumberKind.LOGARITHMIC:
        array = replace(array, log_adder=None)
    return replace(arch, formats=own, pe_array=array)


def _checked(layer: Layer, arch: Architecture, own: OperandFormats) -> OperandFormats:
    """Return the arch's formats for the layer; the ofmap is the psum's where sums leave the array as they are.

    An operator of the vector unit makes no sums: its psum format is a copy of its ofmap's and says nothing.
    """
    leaves_sums = own.ofmap == own.psum and not isinstance(layer, VectorLayer)
    ofmap = arch.formats.psum if leaves_sums else arch.formats.ofmap
    formats = replace(arch.formats, ofmap=ofmap)
    operands = (Operand.IFMAP, Operand.OFMAP) if isinstance(layer, VectorLayer) else HELD_OPERANDS
    for operand in operands:
        rule = _misfit(own.of(operand), formats.of(operand), operand)
        if rule:
            raise MappingError(
                f"layer {layer.name!r}: {operand} is {own.of(operand).name}, {arch.name!r} has "
                f"{formats.of(operand).name}: {rule}. Use --set formats.follow_workload=true for a chip made for the "
                f"workload, another formats.{operand}, or convert the network with {_remedy(layer, own, formats, operand)}"
            )
    return formats


def _remedy(layer: Layer, own: OperandFormats, formats: OperandFormats, operand: Operand) -> str:
    """Name the option of `archsim convert` that would help: a narrower register where only that is too wide."""
    is_sum = operand is Operand.PSUM and _arithmetic(own.psum, formats.psum) == "integer"
    if not is_sum or isinstance(layer, VectorLayer) or own.ifmap.kind is NumberKind.FLOAT:
        return "another --format"
    kind = "linear" if own.ifmap.kind is NumberKind.LOGARITHMIC else "exact"
    return f"--accumulator {kind}<{formats.psum.width_bits}> or another --format"


def _misfit(wanted: NumberFormat, built: NumberFormat, operand: Operand) -> str:
    """Say why values of one format do not fit registers and arithmetic of another; empty = they do."""
    if _arithmetic(wanted, built) != _arithmetic(built, built):
        return f"{wanted.kind.value.replace('_', ' ')} arithmetic on {built.kind.value.replace('_', ' ')} hardware"
    if wanted.width_bits > built.width_bits:
        what = "the sums need" if operand is Operand.PSUM else "the values take"
        return f"{what} {wanted.width_bits} bits of {built.width_bits}"
    if wanted.kind is NumberKind.FLOAT and wanted.width_bits == built.width_bits and wanted.name != built.name:
        return "the same bits, split otherwise between exponent and fraction"
    return ""


def _arithmetic(fmt: NumberFormat, built: NumberFormat) -> str:
    """Name the arithmetic of a format; signs alone (binary, ternary) are small integers to an integer multiplier."""
    if fmt.kind in INTEGERS or (fmt.kind is NumberKind.SIGN and built.kind in INTEGERS):
        return "integer"
    return fmt.kind.value
