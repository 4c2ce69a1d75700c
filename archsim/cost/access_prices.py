"""A price list as the search for mappings needs it: energy per word moved and per cycle; called by `study/simulate.py`."""

from archsim.arch.access_prices import AccessPrices
from archsim.arch.architecture import Architecture
from archsim.cost.dram_standin import device_copies, standin_counts
from archsim.cost.price_list import CLOCK, LEAKAGE, NOC, SPAD, WIRES, PriceList
from archsim.terms import Direction, Operand

LONG_CYCLES = 1_000_000
"""Over which the DRAM's background is averaged."""


def access_prices(arch: Architecture, prices: PriceList) -> AccessPrices:
    """Return what the words and cycles of a row-stationary chip cost. [pJ]

    Notes
    -----
    MACs, and spad accesses that every mapping makes alike, are left out. Activates of the DRAM are not modelled here.
    """
    by_name = {(each.component, each.action, each.operand): each for each in prices.prices}
    bits = {operand: arch.formats.of(operand).width_bits for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)}

    def per_bit(component: str, action: str, operand: str = "") -> float:
        found = by_name.get((component, action, operand)) or by_name.get((component, action, ""))
        return found.pj / (found.bits or 1) if found else 0.0

    def buffer(operand: Operand, direction: Direction) -> float:
        level = arch.sram_of(operand)
        if level is None:
            return 0.0
        return bits[operand] * (per_bit(level.name, direction, operand) + per_bit(WIRES, "span"))

    def both(operand: Operand) -> float:
        return buffer(operand, Direction.READ) + buffer(operand, Direction.WRITE)

    def taken(operand: Operand) -> float:
        return bits[operand] * (per_bit(NOC, Direction.READ, operand) + per_bit(SPAD, Direction.WRITE, operand))

    dram = arch.dram.name
    return AccessPrices(
        dram_bit=per_bit(dram, Direction.READ) + per_bit(f"{dram}_io", "transfer"),
        ifmap_read=buffer(Operand.IFMAP, Direction.READ),
        psum_pair=both(Operand.PSUM),
        weight_sent=both(Operand.WEIGHT),
        ifmap_taken=taken(Operand.IFMAP),
        weight_taken=taken(Operand.WEIGHT),
        psum_hop=bits[Operand.PSUM] * per_bit(NOC, Direction.WRITE, Operand.PSUM),
        cycle=_cycle_pj(arch, prices),
    )


def _cycle_pj(arch: Architecture, prices: PriceList) -> float:
    """Energy of a cycle in which nothing moves: clock of the PEs, leakage, refresh and background of the DRAM. [pJ]"""
    pj = {(each.component, each.action): each.pj for each in prices.prices}
    still = sum(each.pj for each in prices.prices if each.component == LEAKAGE)
    still += arch.pe_array.pes * pj.get((CLOCK, "cycle"), 0.0)
    device, dram, clock_hz = prices.dram_device, arch.dram.name, arch.clock_mhz * 1e6
    if device is None:
        return still
    copies = 1 if arch.dram.device else device_copies(device, arch.dram.bandwidth_bytes_per_cycle * clock_hz)
    counts = standin_counts(read_bytes=0, write_bytes=0, seconds=LONG_CYCLES / clock_hz, device=device, copies=copies)
    background = (
        counts.open_cycles * pj[f"{dram}_background", "open"] + counts.refreshes * pj[f"{dram}_refresh", "refresh"]
    )
    return still + background / LONG_CYCLES
