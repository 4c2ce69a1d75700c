"""Layers priced one by one, each by the formats it ran in; called by `study/`.

One price list per chip. On a chip that follows its workload, multipliers, registers and lanes of a layer are priced
in the layer's formats; levels, DRAM, wires, leakage and area stay those of the chip in the arch's own formats. Where
weights come from a codebook, the list has the table of kernels too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from archsim.arch.architecture import Architecture
from archsim.arch.log_adder import LogAdder
from archsim.cost.energy import LayerEnergy, price_layer
from archsim.cost.energy_table import EnergyTable
from archsim.cost.kernel_lut import with_kernel_lut
from archsim.cost.mac_cost import MODEL_SOURCE
from archsim.cost.price_list import MAC, SPAD, VECTOR, PriceList
from archsim.engine.layer_run import LayerRun
from archsim.mapping.layer_arch import arch_for_layer
from archsim.numerics.operand_formats import OperandFormats
from archsim.workload.network import Workload

PER_LAYER = (MAC, SPAD, VECTOR)
"""Components whose prices follow a layer's formats."""
FOLLOWS = "formats follow the workload: multipliers, registers and lanes are priced per layer; area, wires and leakage as for {}"
Key = tuple[OperandFormats, LogAdder | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLayers:
    """The chip's price list, and the energy of each layer in running order."""

    prices: PriceList
    energies: tuple[LayerEnergy, ...]


def price_layers(
    runs: Sequence[LayerRun], workload: Workload, arch: Architecture, price_list: Callable[[Architecture], PriceList],
    *, table: EnergyTable,
) -> PricedLayers:  # fmt: skip
    """Price the layers of a network.

    Parameters
    ----------
    runs
        What each layer did, in the order of the workload.
    workload, arch
        What ran on what.
    price_list
        Prices a chip: `load_prices`, or another table's.
    table
        archsim's own at the chip's node, for the table of kernels.

    Raises
    ------
    ConfigError
        The energy table cannot be read.
    """
    own = with_kernel_lut(price_list(arch), workload, arch, table)
    lists: dict[Key, PriceList] = {}
    said: dict[Key, str] = {}
    energies = []
    for layer, run in zip(workload.layers, runs, strict=True):
        chip = arch_for_layer(layer, arch)
        key = (chip.formats, chip.pe_array.log_adder)
        if key == (arch.formats, arch.pe_array.log_adder) or not arch.follows_workload:
            energies.append(price_layer(run, chip, own))
            continue
        if key not in lists:
            lists[key] = _with_layer_prices(own, price_list(chip))
        if run.occupied_macs:
            said.setdefault(key, _sentence(run.layer, chip, lists[key]))
        energies.append(price_layer(run, chip, lists[key]))
    return PricedLayers(prices=_told(own, lists, said, arch), energies=tuple(energies))


def _with_layer_prices(own: PriceList, layer: PriceList) -> PriceList:
    prices = layer.by_name()
    taken = tuple(
        prices.get((each.component, each.action, each.operand), each) if each.component in PER_LAYER else each
        for each in own.prices
    )
    return replace(own, prices=taken, sources=tuple({**dict(layer.sources), **dict(own.sources)}.items()))


def _told(own: PriceList, lists: dict[Key, PriceList], said: dict[Key, str], arch: Architecture) -> PriceList:
    """Return the chip's list with the sources of all layers' prices and what they assume."""
    if not lists:
        return own
    sources = dict(own.sources)
    for each in lists.values():
        sources |= dict(each.sources)
    return replace(
        own,
        sources=tuple(sources.items()),
        assumptions=(*own.assumptions, FOLLOWS.format(_names(arch.formats)), *dict.fromkeys(said.values())),
    )


def _sentence(layer: str, chip: Architecture, prices: PriceList) -> str:
    price = next(each for each in prices.prices if each.component == MAC)
    modelled = " (model)" if price.source == MODEL_SOURCE else ""
    return f"MAC of {_names(chip.formats)}, first in layer {layer!r}: {price.pj:.4g} pJ{modelled}"


def _names(formats: OperandFormats) -> str:
    return f"{formats.ifmap.name} x {formats.weight.name} into {formats.psum.name}"
