"""What a read or write of a small register file costs; called by `chip_prices.py` and `spads.py` for the stores of PEs."""

from archsim.arch.memory_level import SramCell, SramPorts
from archsim.cost.energy_table import EnergyTable
from archsim.cost.sram_model import SramPoint
from archsim.terms import Direction


def register_file_pj(entries: int, width_bits: int, direction: Direction, table: EnergyTable) -> float:
    """Return the energy of one access of the full width, at the table's node. [pJ]

    Parameters
    ----------
    entries
        Words that the file holds; 1 = a register.
    width_bits
        Of a word. [b]
    direction
        A read passes the multiplexer, a write does not.
    table
        Its prices; the override ``spad_pj_per_bit`` replaces all of them.

    Notes
    -----
    Up to `EnergyTable.most_register_entries` a file is flip-flops with a read multiplexer of one input per
    entry; beyond, an SRAM macro of low-standby-power cells with one port. Not modelled: clock load of
    the entries that hold.
    """
    if "spad_pj_per_bit" in table.overrides:
        return width_bits * table.overrides["spad_pj_per_bit"]
    point = file_macro(entries, width_bits, table)
    if point is not None:
        return point.read_pj if direction is Direction.READ else point.write_pj
    reads_through_mux = direction is Direction.READ and entries > 1
    mux = table.mux_pj_per_bit_entry * entries if reads_through_mux else 0.0
    return width_bits * (table.register_pj_per_bit + mux)


def file_macro(entries: int, width_bits: int, table: EnergyTable) -> SramPoint | None:
    """Return the SRAM macro that a large file is; None for one of flip-flops."""
    if entries <= table.most_register_entries:
        return None
    bank_bytes = entries * width_bits / 8
    return table.sram_models[SramCell.LSTP].point(bank_bytes=bank_bytes, access_bits=width_bits, ports=SramPorts())
