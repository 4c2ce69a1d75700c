"""How long each tiling option takes, estimated by closed forms over the whole layer.

Array, ports and DRAM channel overlap, so the longest of these bounds counts:

- the channel moves every byte;
- the array works, after what it has to wait for of the first tiles, and before what is left to write;
- a buffer turns its tiles over: latency, transfer and use of all its loads take as long as it has copies;
- psums that a step reads back straight after the step that wrote them overlap with nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.array_work import ArrayWork
from archsim.mapping.loop_nest import Dim
from archsim.mapping.operand_flow import RELEVANT, reused_dim
from archsim.mapping.pass_cycles import PassCycles, pass_cycles
from archsim.mapping.tile_options import STREAMABLE, TileOptions
from archsim.mapping.tile_traffic import TileTraffic, sum_arrays
from archsim.terms import Operand

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileTime:
    """What the bounds are made of; arrays of shape (options,).

    Parameters
    ----------
    work, options, traffic
        The layer, the options, and what they move.
    copies
        From `copies_held`.
    bursts
        Bytes that bursts move per byte of IFMAP, WEIGHT, PSUM and OFMAP: see `burst_bytes_per_byte`.
    compute_cycles
        Of the untiled layer. [cycles]
    """

    work: ArrayWork
    options: TileOptions
    traffic: TileTraffic
    copies: dict[Operand, FloatArray]
    bursts: dict[Operand, FloatArray]
    compute_cycles: int

    def cycles(self) -> FloatArray:
        """Estimate every option. [cycles]"""
        busy = self.busy_cycles()
        if self.work.arch.dram.is_ideal:
            return busy
        channel = sum_arrays([self.channel_cycles(operand) for operand in STREAMABLE])
        time = np.maximum(channel, busy + self.exposed_fill(busy) + self.exposed_drain())
        for operand in STREAMABLE:
            time = np.maximum(time, self.turnover_cycles(operand, busy + channel))
        spilling: FloatArray = np.where(self.psums_return_at_once(), busy + self.spill_cycles(), 0.0)
        return np.asarray(np.maximum(time, spilling))

    def busy_cycles(self) -> FloatArray:
        """Array or ports, whichever is longer. [cycles]"""
        busy = self._array_cycles()
        for level in self.work.arch.srams:
            if level.bytes_per_cycle is not None:
                busy = np.maximum(busy, self.traffic.port_bytes(level) / level.bytes_per_cycle)
        return busy

    def channel_cycles(self, operand: Operand) -> FloatArray:
        """Time of one operand's transfers on the channel. [cycles]"""
        moved = self.traffic.operand_bytes(operand) * self.bursts[operand]
        if operand is Operand.PSUM and Operand.OFMAP not in self.work.kept:
            ofmap = self.traffic.write_backs[Operand.OFMAP] * (self.work.link_bits(Operand.OFMAP) / 8)
            moved = moved + ofmap * (self.bursts[Operand.OFMAP] - 1.0)
        return np.asarray(moved / self.work.arch.dram.bandwidth_bytes_per_cycle)

    def turnover_cycles(self, operand: Operand, work_cycles: FloatArray) -> FloatArray:
        """Time in which a buffer can turn over all loads of an operand; 0 where nothing comes and goes. [cycles]"""
        loads = self.traffic.loads[operand]
        held = loads * (self.work.arch.dram.read_latency_cycles + self._overhang()) + work_cycles
        return np.where(
            (loads > 1) & (self.channel_cycles(operand) > 0),
            held / np.maximum(1.0, np.floor(self.copies[operand])),
            0.0,
        )

    def exposed_fill(self, busy: FloatArray) -> FloatArray:
        """Time by which fetching the first tiles outlasts the steps that first use them. [cycles]"""
        waits = []
        for operand in (Operand.IFMAP, Operand.WEIGHT):
            loads = self.traffic.loads[operand]
            first_use = busy / loads / self._uses_per_load(operand)
            waits.append(np.maximum(0.0, self.channel_cycles(operand) / loads - first_use))
        return np.maximum(waits[0], waits[1])

    def exposed_drain(self) -> FloatArray:
        """Time by which writing the last pass's results outlasts the pass. [cycles]"""
        if Operand.OFMAP in self.work.kept:
            return np.zeros(len(self.options.order))
        length = self.traffic.unit_words[Operand.PSUM] * (self.work.link_bits(Operand.OFMAP) / 8)
        return np.maximum(0.0, length / self.work.arch.dram.bandwidth_bytes_per_cycle - self._per_pass("advance"))

    def spill_cycles(self) -> FloatArray:
        """Time of spilled psums when each waits for the one before: there, and back. [cycles]"""
        waits = 2 * self.traffic.loads[Operand.PSUM] * self.work.arch.dram.read_latency_cycles
        return self.channel_cycles(Operand.PSUM) + waits

    def psums_return_at_once(self) -> BoolArray:
        """Whether each step reads back the psums that the step before it has written."""
        dataflow, options = self.work.dataflow, self.options
        if dataflow.stationary is Operand.PSUM:
            return np.zeros(len(options.order), dtype=bool)
        folds = {dim: self._units_in_tile(dim) for dim in (dataflow.rows, dataflow.columns)}
        innermost = np.ones(len(options.order), dtype=bool)
        for dim in (dataflow.columns, dataflow.stream):
            innermost &= (options.position(dim) < options.position(dataflow.rows)) | (options.tiles(dim) == 1)
        next_tile = innermost & (folds[dataflow.columns] == 1) & (options.tiles(dataflow.rows) > 1)
        returns: BoolArray = options.streamed[Operand.PSUM] & ((folds[dataflow.rows] > 1) | next_tile)
        return returns

    def _array_cycles(self) -> FloatArray:
        """Take the untiled layer's, scaled by what more and shorter passes cost."""
        if self.work.pass_per_unit:
            return np.full(len(self.options.order), float(self.compute_cycles))
        stream = self.work.dataflow.stream
        whole = pass_cycles(self.work.arch.pe_array, self.work.dataflow, self.work.sizes[stream]).advance
        split = self._per_pass("advance") * self.options.tiles(stream) / whole
        return self.compute_cycles * np.where(self.traffic.splits_passes, split, 1.0)

    def _per_pass(self, field: str) -> FloatArray:
        """One field of `PassCycles` for a pass as long as each option's stream unit."""
        array, dataflow = self.work.arch.pe_array, self.work.dataflow
        stream = dataflow.stream
        passes: list[PassCycles] = [
            pass_cycles(array, dataflow, tiling.unit) for tiling in self.options.tilings[stream]
        ]
        return self.options.of(stream, [getattr(each, field) for each in passes]).astype(np.float64)

    def _overhang(self) -> FloatArray:
        """Cycles for which a step still uses its buffers when the next has begun."""
        goes_on = (self.options.tiles(self.work.dataflow.stream) > 1) & ~self.traffic.splits_passes
        return np.where(goes_on, self._per_pass("overhang_within"), self._per_pass("overhang"))

    def _uses_per_load(self, operand: Operand) -> FloatArray:
        """How often each unit of a loaded tile is used before the tile goes."""
        reused = reused_dim(operand)
        stays = np.logical_and.reduce(
            [(self.options.position(dim) < self.options.position(reused)) | (self.options.tiles(dim) == 1)
             for dim in RELEVANT[operand]]
        )  # fmt: skip
        throughout = stays | self.options.whole[operand]
        uses = np.where(throughout, self.traffic.units[reused], self._units_in_tile(reused))
        return np.where(self.options.streamed[operand], 1.0, uses)

    def _units_in_tile(self, dim: Dim) -> NDArray[np.int64]:
        return self.options.of(dim, [t.units_in_tile for t in self.options.tilings[dim]])
