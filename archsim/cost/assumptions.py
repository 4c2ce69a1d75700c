"""What one chip's prices assume; called by `chip_prices.py` for the report."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from archsim.arch.architecture import Architecture
from archsim.arch.log_adder import LogAdder
from archsim.arch.memory_level import SramCell, SramLevel
from archsim.cost.arithmetic import Arithmetic, Operator, OperatorKind, adder, mac_operators
from archsim.cost.dram_standin import device_copies
from archsim.cost.energy_table import EnergyTable
from archsim.cost.gated_cycle import gated_cycle_pj
from archsim.cost.mac_cost import MAC_MODEL, is_modelled, mac_cost
from archsim.cost.register_file import file_macro
from archsim.cost.spads import STORED, spad_words
from archsim.cost.sram_macros import DEFAULT_ACCESS_BYTES, macros_of
from archsim.cost.sram_timing import slow_srams
from archsim.cost.table_statements import Statement
from archsim.cost.wires import wire_cell, wire_lengths
from archsim.numerics.log_adder import table_bits, table_entries
from archsim.numerics.number_format import NumberKind
from archsim.terms import Dataflow

_IEEE_FLOATS = {"fp16", "fp32", "fp64"}
_REPLACED_BY = {
    "register.energy": "spad_pj_per_bit",
    "logic_leakage": "leakage_mw",
}
"""Entry of a table file -> the override that makes it idle."""
_FILES_ONLY = ("register.mux", "register.most_entries")
"""Entries of register files; a PE with one register per operand has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    prices: Arithmetic
    unit: str
    operators: tuple[Operator, ...]


def pricing_assumptions(arch: Architecture, table: EnergyTable) -> tuple[str, ...]:
    """Return the sentences of the table that concern this chip, and what the chip asks beyond it.

    Entries of operators that the chip has not are left out; SRAMs beyond the grid, widths that were
    not given and word widths between the listed ones are named.
    """
    quantities = _quantities(arch, table)
    has_files = _prices_files(arch, table)
    kept = tuple(
        statement.text
        for statement in table.statements
        if (has_files if statement.entry in _FILES_ONLY else _concerns(statement, quantities, table))
    )
    cells = dict.fromkeys(text for level in arch.srams for text in table.sram_models[level.cell].statements())
    levels = tuple(sentence for level in arch.srams for sentence in _about_level(level, table))
    slow = slow_srams(arch, table.sram_models.__getitem__)
    stores = (*_about_spads(arch, table), *_about_clock(arch, table))
    rest = (*cells, *levels, *slow, *stores, *_about_wires(arch, table), *_about_dram(arch, table))
    return (*kept, *_about_widths(quantities), *_about_formats(arch), *_about_model(arch, table), *rest)


def _operators_in_use(arch: Architecture, overrides: Collection[str]) -> tuple[Operator, ...]:
    """Return the operators whose price no override replaces."""
    is_priced = "mac_pj" not in overrides and not is_modelled(arch.formats, arch.pe_array.log_adder)
    mac = mac_operators(arch.formats) if is_priced else ()
    has_lane = arch.vector_unit is not None and "lane_op_pj" not in overrides
    return tuple(dict.fromkeys((*mac, *((adder(arch.formats.psum),) if has_lane else ()))))


def _quantities(arch: Architecture, table: EnergyTable) -> dict[str, _Quantity]:
    """By section of a table file; overrides replace energies, never areas."""
    return {
        "energy": _Quantity(prices=table.energies, unit="pJ", operators=_operators_in_use(arch, table.overrides)),
        "area": _Quantity(prices=table.areas, unit="um2", operators=_operators_in_use(arch, ())),
    }


def _concerns(statement: Statement, quantities: Mapping[str, _Quantity], table: EnergyTable) -> bool:
    if _REPLACED_BY.get(statement.entry) in table.overrides:
        return False
    if statement.entry.startswith("dram_io"):
        return False  # `_about_dram` tells of the protocol in use
    if statement.entry == "logarithmic_add":
        return any(operator.kind is OperatorKind.LOGARITHMIC_ADD for operator in quantities["area"].operators)
    section, _, entry = statement.entry.partition(".")
    if section not in quantities:
        return True
    quantity = quantities[section]
    kind, _, width = entry.removesuffix(" bit").partition(" ")
    return any(
        _curve_kind(operator) == kind and (operator.width_bits == int(width) or not quantity.prices.lists(operator))
        for operator in quantity.operators
    )


def _curve_kind(operator: Operator) -> str:
    is_log_add = operator.kind is OperatorKind.LOGARITHMIC_ADD
    return (OperatorKind.INTEGER_ADD if is_log_add else operator.kind).value


def _about_widths(quantities: Mapping[str, _Quantity]) -> tuple[str, ...]:
    return tuple(
        f"{section} of {operator.kind.value} at {operator.width_bits:.4g} bit = {quantity.prices.cost(operator):.4g} "
        f"{quantity.unit} is an estimate: drawn over width through the listed ones"
        for section, quantity in quantities.items()
        for operator in quantity.operators
        if not quantity.prices.lists(operator)
    )


def _about_formats(arch: Architecture) -> tuple[str, ...]:
    is_model = is_modelled(arch.formats, arch.pe_array.log_adder)
    formats = (arch.formats.psum,) if is_model else (arch.formats.ifmap, arch.formats.weight, arch.formats.psum)
    own_split = {fmt.name for fmt in formats if fmt.kind is NumberKind.FLOAT} - _IEEE_FLOATS
    floats = tuple(
        f"{name} is priced as an IEEE float of its width: its own split of bits is not modelled" for name in own_split
    )
    has_lns = not is_model and any(fmt.kind is NumberKind.LOGARITHMIC for fmt in formats)
    return (*sorted(floats), *(("an LNS multiplication is priced as an integer add",) if has_lns else ()))


def _about_model(arch: Architecture, table: EnergyTable) -> tuple[str, ...]:
    """Say what the model gives for a MAC that no published numbers price."""
    formats, adder_ = arch.formats, arch.pe_array.log_adder
    if not is_modelled(formats, adder_):
        return ()
    names = f"{formats.ifmap.name} x {formats.weight.name} into {formats.psum.name}"
    parts = mac_cost(formats.ifmap, formats.weight, formats.psum, adder_).parts
    split = ", ".join(f"{name} {pj * table.model_energy_factor:.2g}" for name, pj, _ in parts)
    head = f"MAC of {names}: {table.mac_pj(formats, adder_):.4g} pJ ({split}), {table.mac_um2(formats, adder_):.4g} um2"
    size = () if adder_ is None else (_log_adder_sentence(adder_),)
    return (f"{head}, a {MAC_MODEL}", *size)


def _log_adder_sentence(adder_: LogAdder) -> str:
    reach = f", reach {adder_.reach_octaves} octaves" if adder_.reach_octaves else ""
    entries = table_entries(adder_.log_sum)
    table = (
        f", {entries[0]} and {entries[1]} entries, {table_bits(adder_.log_sum)} bits of tables per PE"
        if entries[0]
        else ""
    )
    return f"psums add as logarithms: {adder_.kind}, {adder_.fraction_bits} fraction bits{table}{reach}"


def _about_level(level: SramLevel, table: EnergyTable) -> tuple[str, ...]:
    head, model = f"level {level.name!r}:", table.sram_models[level.cell]
    width = f"{head} no width_bytes given; energy assumes accesses of {DEFAULT_ACCESS_BYTES} bytes"
    beyond = (
        f"{head} a bank of {macros.bank_bytes:.10g} bytes by {macros.access_bits} bit: {said}"
        for macros in macros_of(level)
        for said in model.beyond(bank_bytes=macros.bank_bytes, access_bits=macros.access_bits, ports=level.bank_ports)
    )
    return (*((width,) if level.width_bytes is None else ()), *dict.fromkeys(beyond))


def _prices_files(arch: Architecture, table: EnergyTable) -> bool:
    """Whether the table prices a PE's stores by their size."""
    return arch.pe_array.stores is not None and "spad_pj_per_bit" not in table.overrides


def _about_spads(arch: Architecture, table: EnergyTable) -> Iterator[str]:
    """Name the files of PEs that are SRAM macros."""
    for operand in STORED if _prices_files(arch, table) else ():
        words, bits = spad_words(arch.pe_array, operand), arch.formats.of(operand).width_bits
        if file_macro(words, bits, table) is not None:
            source = table.sram_models[SramCell.LSTP].source
            yield f"{operand} spad: {words} x {bits} bit, an SRAM macro with one port in every PE ({source})"


def _about_clock(arch: Architecture, table: EnergyTable) -> Iterator[str]:
    pj = table.clock_pj_per_pe_cycle
    if pj:
        yield f"clock tree, pipeline registers and control: {pj:.4g} pJ per PE and cycle, idle PEs and stalls included"
        if arch.energy.gated_share is not None:
            gated = gated_cycle_pj(arch, table)
            yield (
                f"a gated MAC saves {100 * arch.energy.gated_share:.3g} % of its PE's energy (energy.gated_share): what multiplier and "
                f"spads do not save comes off the clock, {gated:.4g} pJ in a gated cycle"
            )
    elif arch.pe_array.stores is not None:
        yield "clock tree, pipeline registers and control are not modelled; energy.overrides.clock_pj_per_pe_cycle sets them"


def _about_wires(arch: Architecture, table: EnergyTable) -> tuple[str, ...]:
    lengths, cell = wire_lengths(arch, table), wire_cell(arch)
    head = f"wires: {table.wire_pj_per_bit_mm[cell]:.3g} pJ per bit and mm (itrs-{cell}); an estimate of length from cell area: "
    if arch.pe_array.dataflow is Dataflow.ROW_STATIONARY:
        row_mm = arch.pe_array.columns * lengths.hop
        return (
            f"{head}{lengths.span:.3g} mm (one side of the array) for every bit at an on-chip level; networks of the array: "
            f"{row_mm:.3g} mm (a row's bus) for an ifmap word per PE that takes it, {lengths.hop:.3g} mm for a weight per "
            "PE and for a psum per hop; their multicast controllers and registers are not modelled",
        )
    return (
        f"{head}{lengths.hop:.3g} mm from PE to PE at every register write, {lengths.span:.3g} mm (one side of the array) for "
        "every bit at an on-chip level, half of it for the operand that stays in the PEs",
    )


def _about_dram(arch: Architecture, table: EnergyTable) -> tuple[str, ...]:
    if "dram_pj_per_bit" in table.overrides:
        return ("DRAM energy: flat, whatever the locality, refresh and background included",)
    device = table.dram_device(arch.dram)
    head = f"DRAM energy: commands x currents of {device.name} ({device.source})"
    io = f"DRAM interface: {table.dram_io_pj_per_bit[device.protocol]:g} pJ/bit ({table.sources[f'dram_io.{device.protocol}']})"
    if arch.dram.device is not None:
        return (head, io)
    copies = device_copies(device, arch.dram.bandwidth_bytes_per_cycle * arch.clock_mhz * 1e6)
    best = "an estimate of the best case: each row opened once and used from end to end, banks open all the time"
    return (f"{head} x {copies}, as the arch gives a bandwidth only; {best}", io)
