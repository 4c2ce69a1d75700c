"""What the table of kernels between weight buffer and array costs; called by `layer_prices.py`.

It holds all codebooks of the network. Up to the size of a register file it is flip-flops, beyond an SRAM macro of
low-standby-power cells with one port. Not modelled: copies that feed several columns at a time.
"""

from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramCell, SramPorts
from archsim.cost.area import MM2_PER_UM2
from archsim.cost.energy_table import EnergyTable
from archsim.cost.price_list import LEAKAGE, AreaPart, Price, PriceList
from archsim.cost.register_file import register_file_pj
from archsim.mapping.kernel_table import WEIGHT_LUT, kernel_table
from archsim.mapping.layer_arch import arch_for_layer
from archsim.terms import Direction
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.network import Workload

SOURCE = WEIGHT_LUT
TOLD = (
    "weights come from a table of {entries:,} kernels, {size:,} B, between the level that holds pointers and the array; it is "
    "loaded once per codebook and priced as {what}; the copies that feed all columns in one cycle are not modelled"
)
PJ_PER_MW_US = 1e3


def with_kernel_lut(prices: PriceList, workload: Workload, arch: Architecture, table: EnergyTable) -> PriceList:
    """Return the list with the table's prices and area; as it is where no weights come from a codebook.

    Parameters
    ----------
    prices
        Of the chip.
    workload, arch
        Whose codebooks, in which width.
    table
        archsim's own, at the chip's node.
    """
    entries, kernel_bits = _shape(workload, arch)
    if not entries:
        return prices
    is_macro = entries > table.most_register_entries
    bits = entries * kernel_bits
    if is_macro:
        point = table.sram_models[SramCell.LSTP].point(bank_bytes=bits / 8, access_bits=kernel_bits, ports=SramPorts())
        area_mm2, leakage_mw = point.area_mm2, point.leakage_mw
    else:
        area_mm2 = bits * table.register_um2_per_bit * MM2_PER_UM2
        leakage_mw = area_mm2 * table.leakage_area_factor * table.logic_leakage_mw_per_mm2
    accesses = tuple(
        Price(component=WEIGHT_LUT, action=direction.value, unit=f"kernel of {kernel_bits} b", source=SOURCE,
              pj=register_file_pj(entries, kernel_bits, direction, table), bits=kernel_bits)
        for direction in Direction
    )  # fmt: skip
    leaks = () if "leakage_mw" in table.overrides else (
        Price(component=LEAKAGE, action=WEIGHT_LUT, unit="cycle", source=SOURCE,
              pj=leakage_mw / arch.clock_mhz * PJ_PER_MW_US),
    )  # fmt: skip
    what = "an SRAM macro" if is_macro else "flip-flops with a multiplexer"
    sentence = TOLD.format(entries=entries, size=-(-bits // 8), what=what)
    at = prices.components.index(arch.dram.name)
    return replace(
        prices,
        components=(*prices.components[:at], WEIGHT_LUT, *prices.components[at:]),
        prices=(*prices.prices, *accesses, *leaks),
        areas=(*prices.areas, AreaPart(component=WEIGHT_LUT, count=1, unit_mm2=area_mm2, source=SOURCE)),
        sources=(
            *prices.sources,
            (SOURCE, f"archsim's own {what} of {entries} x {kernel_bits} bit at {table.node_nm:g} nm"),
        ),
        assumptions=(*prices.assumptions, sentence),
    )


def _shape(workload: Workload, arch: Architecture) -> tuple[int, int]:
    """Kernels of all codebooks, and the bits of the largest one."""
    entries: dict[str, int] = {}
    widest = 0
    for layer in workload.layers:
        if not isinstance(layer, ConvLayer | MatmulLayer) or layer.clusters is None:
            continue
        table = kernel_table(layer, arch_for_layer(layer, arch), loads=False)
        entries[layer.clusters.codebook] = layer.clusters.entries
        widest = max(widest, layer.clusters.kernel_words * (table.word_bits if table else 0))
    return sum(entries.values()), widest
