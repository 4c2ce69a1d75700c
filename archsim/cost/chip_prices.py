"""A chip's price list from archsim's own table: logic, registers, SRAM, wires, clock, DRAM commands, leakage.

Called by `price_source.py`.
"""

from collections.abc import Iterator

from archsim.arch.architecture import Architecture
from archsim.arch.dram_device import DramDevice
from archsim.arch.memory_level import SramCell, SramLevel
from archsim.cost.area import SPAD_FILES, area_parts, sram_point, sram_source
from archsim.cost.assumptions import pricing_assumptions
from archsim.cost.dram_energy import command_energy
from archsim.cost.energy_table import EnergyTable
from archsim.cost.gated_cycle import gated_cycle_pj
from archsim.cost.leakage import leakage_mw
from archsim.cost.mac_cost import MAC_MODEL, MODEL_SOURCE, is_modelled
from archsim.cost.price_list import CLOCK, DRAM_PARTS, LEAKAGE, MAC, NOC, SPAD, VECTOR, WIRES, Price, PriceList
from archsim.cost.register_file import file_macro, register_file_pj
from archsim.cost.spads import pe_store, spad_words
from archsim.cost.sram_macros import macros_for
from archsim.cost.wires import network_lengths, wire_cell, wire_lengths
from archsim.terms import HELD_OPERANDS, Dataflow, Direction, Operand

PJ_PER_MW_US = 1e3


def chip_prices(arch: Architecture, table: EnergyTable) -> PriceList:
    """Price every action of a chip.

    Parameters
    ----------
    arch
        Array, formats, levels, clock.
    table
        The numbers, at the chip's node, overrides put in.

    Notes
    -----
    A MAC that was not gated costs full energy, whatever its values. An SRAM access moves the full width. Not
    modelled: zeros that switch less; clock tree and control, where the table has no price of them.
    """
    is_flat = "dram_pj_per_bit" in table.overrides
    device = table.dram_device(arch.dram)
    array = (*_logic(arch, table), *_spads(arch, table), *_network(arch, table), *_clock(arch, table))
    prices = (*array, *_srams(arch, table), *_wires(arch, table))
    dram = tuple(_flat_dram(arch, table) if is_flat else _dram_commands(arch, table, device))
    every = (*prices, *dram, *_leakage(arch, table))
    areas = area_parts(arch, table)
    used = {price.source for price in every} | {part.source for part in areas}
    return PriceList(
        name=table.name,
        components=component_names(arch, table),
        prices=every,
        areas=areas,
        dram_device=None if is_flat else device,
        sources=tuple((key, text) for key, text in _sources(arch, table, device).items() if key in used),
        assumptions=pricing_assumptions(arch, table),
    )


def component_names(arch: Architecture, table: EnergyTable) -> tuple[str, ...]:
    """Return the components of a chip's energy, array first, leakage last."""
    network = (NOC,) if _has_network(arch) else ()
    clock = (CLOCK,) if table.clock_pj_per_pe_cycle else ()
    dram = arch.dram.name
    parts = tuple(f"{dram}_{part}" for part in DRAM_PARTS)
    return (MAC, SPAD, *network, *(level.name for level in arch.srams), dram, *parts, VECTOR, WIRES, *clock, LEAKAGE)


def _logic(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    log_adder = arch.pe_array.log_adder
    mac_source = MODEL_SOURCE if is_modelled(arch.formats, log_adder) else "arithmetic"
    for component, unit, pj, override, key in (
        (MAC, "MAC", table.mac_pj(arch.formats, log_adder), "mac_pj", mac_source),
        (VECTOR, "lane op", table.lane_op_pj(arch.formats), "lane_op_pj", "arithmetic"),
    ):
        source = _source(key, override, table)
        yield Price(component=component, action="compute", unit=unit, pj=pj, source=source)


def _spads(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    for operand in HELD_OPERANDS:
        words, bits = spad_words(arch.pe_array, operand), arch.formats.of(operand).width_bits
        key = "spad.macro" if file_macro(words, bits, table) else "register"
        source = _source(key, "spad_pj_per_bit", table)
        for direction in Direction:
            pj = register_file_pj(words, bits, direction, table)
            yield Price(component=SPAD, action=direction.value, operand=operand.value, unit=f"word of {bits} b", pj=pj,
                        source=source, bits=bits)  # fmt: skip


def _srams(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    """One price for all operands of a level, or one each where it is partitioned."""
    for level in arch.srams:
        operands = HELD_OPERANDS if level.partition_bytes else HELD_OPERANDS[:1]
        for operand in operands:
            for direction in Direction:
                yield _sram(level, operand if level.partition_bytes else None, direction, table)


def _sram(level: SramLevel, operand: Operand | None, direction: Direction, table: EnergyTable) -> Price:
    macros = macros_for(level, operand or Operand.IFMAP)
    override = f"sram_{direction.value}_pj_per_byte"
    point = sram_point(level, macros, table)
    pj = point.read_pj if direction is Direction.READ else point.write_pj
    if override in table.overrides:
        pj = table.overrides[override] * macros.access_bytes
    return Price(
        component=level.name, action=direction.value, operand=operand.value if operand else "",
        unit=f"access of {macros.access_bytes} B", pj=pj, source=_source(sram_source(level), override, table),
        bits=macros.access_bits,
    )  # fmt: skip


def _wires(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    cell, lengths = wire_cell(arch), wire_lengths(arch, table)
    for action, length_mm in (("hop", lengths.hop), ("half_span", lengths.span / 2), ("span", lengths.span)):
        pj = table.wire_pj_per_bit_mm[cell] * length_mm
        yield Price(
            component=WIRES, action=action, unit=f"b over {length_mm:.4g} mm", pj=pj, source=f"wire.{cell}", bits=1
        )


def _has_network(arch: Architecture) -> bool:
    return arch.pe_array.dataflow is Dataflow.ROW_STATIONARY


def _network(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    if not _has_network(arch):
        return
    cell = wire_cell(arch)
    for (operand, direction), length_mm in network_lengths(arch, table).items():
        yield Price(
            component=NOC, action=direction.value, operand=operand.value, unit=f"b over {length_mm:.4g} mm",
            pj=table.wire_pj_per_bit_mm[cell] * length_mm, source=f"wire.{cell}", bits=1,
        )  # fmt: skip


def _clock(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    source = _source("clock", "clock_pj_per_pe_cycle", table)
    if table.clock_pj_per_pe_cycle:
        yield Price(
            component=CLOCK, action="cycle", unit="cycle of a PE", pj=table.clock_pj_per_pe_cycle, source=source
        )
        if arch.energy.gated_share is not None:
            pj = gated_cycle_pj(arch, table)
            yield Price(component=CLOCK, action="gated", unit="gated cycle of a PE", pj=pj, source=source)


def _flat_dram(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    for direction in Direction:
        yield Price(component=arch.dram.name, action=direction.value, unit="b", bits=1,
                    pj=table.overrides["dram_pj_per_bit"], source="overrides.dram_pj_per_bit")  # fmt: skip


def _dram_commands(arch: Architecture, table: EnergyTable, device: DramDevice) -> Iterator[Price]:
    each, dram, burst = command_energy(device), arch.dram.name, device.request_bytes
    for component, action, unit, pj, bits in (
        (dram, "read", f"burst of {burst} B", each.read_pj, burst * 8),
        (dram, "write", f"burst of {burst} B", each.write_pj, burst * 8),
        (f"{dram}_activate", "activate", "activate", each.activate_pj, 0),
        (f"{dram}_refresh", "refresh", "refresh", each.refresh_pj, 0),
        (f"{dram}_background", "open", "tCK of a rank", each.open_pj_per_cycle, 0),
        (f"{dram}_background", "closed", "tCK of a rank", each.closed_pj_per_cycle, 0),
    ):
        yield Price(component=component, action=action, unit=unit, pj=pj, source="dram_commands", bits=bits)
    pj = table.dram_io_pj_per_bit[device.protocol]
    yield Price(component=f"{dram}_io", action="transfer", unit="b", pj=pj, source="dram_io", bits=1)


def _leakage(arch: Architecture, table: EnergyTable) -> Iterator[Price]:
    levels = {level.name: sram_source(level) for level in arch.srams}
    if pe_store(arch, table).macros:
        levels[SPAD] = "leakage.spads"
    for part, power_mw in leakage_mw(arch, table).items():
        source = _source(levels.get(part, "leakage.logic"), "leakage_mw", table)
        pj = power_mw / arch.clock_mhz * PJ_PER_MW_US
        yield Price(component=LEAKAGE, action=part, unit="cycle", pj=pj, source=source)


def _source(key: str, override: str, table: EnergyTable) -> str:
    return f"overrides.{override}" if override in table.overrides else key


def _sources(arch: Architecture, table: EnergyTable, device: DramDevice) -> dict[str, str]:
    """Return every sentence that a price or an area may point to, by its key."""
    cells = {sram_source(level): table.sram_models[level.cell].source for level in arch.srams}
    macro = f"{table.sram_models[SramCell.LSTP].source}, at {table.node_nm:g} nm"
    said = {
        **table.sources,
        "spad.macro": macro,
        SPAD_FILES: f"{table.sources['area.register']}; larger files: {macro}",
        "leakage.spads": f"{table.sources['leakage.logic']}; larger files: {macro}",
        **{key: f"{text}, at {table.node_nm:g} nm" for key, text in cells.items()},
        MODEL_SOURCE: MAC_MODEL,
        "dram_commands": f"commands and currents of {device.name} ({device.source})",
    }
    replaced = {f"overrides.{key}": f"energy.overrides.{key} = {value:g}" for key, value in table.overrides.items()}
    return said | {"dram_io": table.sources[f"dram_io.{device.protocol}"]} | replaced
