"""Counters x price list -> pJ, layer by layer; called by `study/`."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum

from archsim.arch.architecture import Architecture
from archsim.arch.dram_device import DramDevice
from archsim.cost.dram_standin import device_copies, standin_counts, until_the_end
from archsim.cost.price_list import CLOCK, LEAKAGE, MAC, NOC, SPAD, VECTOR, WIRES, ActionEnergy, Price, PriceList
from archsim.engine.dram_run import DramCounts
from archsim.engine.layer_run import LayerRun
from archsim.errors import SimulationError
from archsim.mapping.fold_plan import TrafficCount
from archsim.terms import Dataflow, Direction, Operand

STATIONARY = {
    Dataflow.WEIGHT_STATIONARY: Operand.WEIGHT,
    Dataflow.INPUT_STATIONARY: Operand.IFMAP,
    Dataflow.OUTPUT_STATIONARY: Operand.PSUM,
    Dataflow.CHANNEL_PARALLEL: Operand.WEIGHT,
    Dataflow.ROW_STATIONARY: None,
    Dataflow.PIXEL_BROADCAST: Operand.PSUM,
    Dataflow.BRICK_LANES: Operand.WEIGHT,
    Dataflow.PLANAR_TILES: Operand.IFMAP,
}
"""What stays in the PEs while the rest is handed on; None = words come over networks of their own, which are counted."""
Count = int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEnergy:
    """Energy of one layer, split three ways.

    Parameters
    ----------
    components
        (component, energy): the sums of the actions, in the price list's order; none for a layer that was
        not costed. [pJ]
    traffic_pj
        Parallel to the layer's traffic rows; a level's rows add up to the component of its name. [pJ]
    actions
        What was done, how often, and its price; nothing that was done zero times.
    """

    components: tuple[tuple[str, float], ...]
    traffic_pj: tuple[float, ...]
    actions: tuple[ActionEnergy, ...] = ()

    @property
    def total_pj(self) -> float:
        """Sum of the components. [pJ]"""
        return fsum(energy for _, energy in self.components)


def price_layer(run: LayerRun, arch: Architecture, prices: PriceList) -> LayerEnergy:
    """Price one layer's counters.

    Parameters
    ----------
    run
        What the layer did.
    arch
        The chip it ran on: formats, levels, clock.
    prices
        Of this chip.

    Raises
    ------
    SimulationError
        Traffic at a level that the chip does not have.

    Notes
    -----
    Every action costs its price, plus leakage, clock (of every PE, at work or not) and DRAM background over the
    layer's time. A PE hands a word on to its neighbour with every register write, unless the array has networks;
    words of the operand that stays in the PEs come over half a side of the array, words at an on-chip level travel
    one side. A gated MAC costs no multiplication.
    """
    if not run.is_costed:
        return LayerEnergy(actions=(), components=(), traffic_pj=tuple(0.0 for _ in run.traffic))
    layer = _PricedLayer(run=run, arch=arch, by_name=prices.by_name())
    dram = tuple(layer.flat_dram() if prices.dram_device is None else layer.dram_commands(prices))
    accesses = tuple(None if row.level == arch.dram.name else layer.access(row) for row in run.traffic)
    counted = (*layer.array(), *(each for each in accesses if each), *layer.rest(), *dram)
    actions = tuple(action for action in counted if action.count)
    spent: dict[str, list[float]] = {name: [] for name in prices.components}
    for action in actions:
        spent[action.component].append(action.energy_pj)
    return LayerEnergy(
        actions=actions,
        components=tuple((name, fsum(parts)) for name, parts in spent.items()),
        traffic_pj=tuple(
            access.energy_pj if access else layer.burst_pj(row, dram)
            for row, access in zip(run.traffic, accesses, strict=True)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _PricedLayer:
    run: LayerRun
    arch: Architecture
    by_name: dict[tuple[str, str, str], Price]

    def array(self) -> Iterator[ActionEnergy]:
        """Yield what the multipliers did."""
        yield self._action(MAC, "compute", self.run.occupied_macs - self.run.gated_macs)

    def access(self, row: TrafficCount) -> ActionEnergy:
        """Return the accesses of an on-chip traffic row."""
        price = self._price(row.level, row.direction.value, row.operand.value)
        count = row.words if row.level == SPAD else row.bytes * 8 / price.bits
        return _action_of(price, count, row.operand.value)

    def rest(self) -> Iterator[ActionEnergy]:
        """Yield what the vector unit and the wires did, and the cycles in which the chip was clocked and leaked."""
        yield self._action(VECTOR, "compute", self.run.lane_ops)
        for action, bits in self._wire_bits().items():
            yield self._action(WIRES, action, bits)
        yield from self._clocked()
        for component, part, _ in self.by_name:
            if component == LEAKAGE:
                yield self._action(LEAKAGE, part, self.run.total_cycles)

    def _clocked(self) -> Iterator[ActionEnergy]:
        """Yield the cycles of all PEs, the gated ones apart where they cost less."""
        if (CLOCK, "cycle", "") not in self.by_name:
            return
        gated = (
            self.run.gated_macs // self.arch.pe_array.multipliers_per_pe if (CLOCK, "gated", "") in self.by_name else 0
        )
        yield self._action(CLOCK, "cycle", self.arch.pe_array.pes * self.run.total_cycles - gated)
        if gated:
            yield self._action(CLOCK, "gated", gated)

    def flat_dram(self) -> Iterator[ActionEnergy]:
        """Yield bits read and written."""
        for direction in Direction:
            yield self._action(self.arch.dram.name, direction.value, 8 * self._dram_bytes(direction))

    def dram_commands(self, prices: PriceList) -> Iterator[ActionEnergy]:
        """Yield commands, background and bits of the interface."""
        assert prices.dram_device is not None, "flat DRAM has no commands"
        dram = self.arch.dram.name
        counts = self._dram_counts(prices.dram_device)
        yield self._action(dram, "read", counts.reads)
        yield self._action(dram, "write", counts.writes)
        yield self._action(f"{dram}_activate", "activate", counts.activates)
        yield self._action(f"{dram}_refresh", "refresh", counts.refreshes)
        yield self._action(f"{dram}_background", "open", counts.open_cycles)
        yield self._action(f"{dram}_background", "closed", counts.closed_cycles)
        yield self._action(f"{dram}_io", "transfer", counts.columns * prices.dram_device.request_bytes * 8)

    def burst_pj(self, row: TrafficCount, dram: tuple[ActionEnergy, ...]) -> float:
        """Share of a DRAM traffic row, by bytes, in the bursts of its direction. [pJ]"""
        burst = next(each for each in dram if (each.component, each.action) == (row.level, row.direction.value))
        moved = self._dram_bytes(row.direction)
        return burst.energy_pj * row.bytes / moved if moved else 0.0

    def _dram_counts(self, device: DramDevice) -> DramCounts:
        """Return the commands that were simulated, with the background up to the layer's end, or a stand-in's."""
        clock_hz = self.arch.clock_mhz * 1e6
        seconds = self.run.total_cycles / clock_hz
        if self.run.dram is not None:
            return until_the_end(self.run.dram, device, seconds)
        return standin_counts(
            read_bytes=self._dram_bytes(Direction.READ),
            write_bytes=self._dram_bytes(Direction.WRITE),
            seconds=seconds,
            device=device,
            copies=device_copies(device, self.arch.dram.bandwidth_bytes_per_cycle * clock_hz),
        )

    def _dram_bytes(self, direction: Direction) -> int:
        rows = self.run.traffic
        return sum(row.bytes for row in rows if row.level == self.arch.dram.name and row.direction is direction)

    def _wire_bits(self) -> dict[str, int]:
        """Bits by what they travel over."""
        held = STATIONARY[self.arch.pe_array.dataflow]
        bits = {"hop": 0, "half_span": 0, "span": 0}
        for row in self.run.traffic:
            if row.level == SPAD:
                if row.direction is Direction.READ or held is None or row.operand is held is Operand.PSUM:
                    continue  # read or added to where it lies, or brought by a network
                bits["half_span" if row.operand is held else "hop"] += row.words * self._width(row)
            elif row.level != NOC and (row.level != self.arch.dram.name or self._bypasses_srams(row.operand)):
                bits["span"] += row.bytes * 8
        return bits

    def _bypasses_srams(self, operand: Operand) -> bool:
        return operand is not Operand.METADATA and self.arch.sram_of(operand) is None

    def _width(self, row: TrafficCount) -> int:
        return self.arch.formats.of(row.operand).width_bits

    def _action(self, component: str, action: str, count: Count) -> ActionEnergy:
        return _action_of(self._price(component, action, ""), count)

    def _price(self, component: str, action: str, operand: str) -> Price:
        for wanted in ((component, action, operand), (component, action, "")):
            if wanted in self.by_name:
                return self.by_name[wanted]
        raise SimulationError(
            f"layer {self.run.layer!r}: traffic at level {component!r}, which arch {self.arch.name!r} does not have"
        )


def _action_of(price: Price, count: Count, operand: str = "") -> ActionEnergy:
    return ActionEnergy(
        component=price.component, action=price.action, operand=operand, unit=price.unit, count=count, unit_pj=price.pj,
        source=price.source,
    )  # fmt: skip
