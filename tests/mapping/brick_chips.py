"""Chips of brick lanes by hand and by chance, masks and values for them; shared by the tests of brick lanes."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from archsim.arch.brick_lanes import BrickLanes, LaneSync
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.mapping.brick_lanes import plan_brick_layer
from archsim.numerics.link_code import count_zeros
from archsim.terms import Dataflow, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.tensor_zeros import LayerZeros
from archsim.workload.zero_masks import LayerMasks, mask_shape
from tests.oracles import brick_lanes as oracle
from tests.strategies import architecture

IFMAP, WEIGHT, OFMAP = Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP
DRAM = DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0)


@dataclass(frozen=True)
class GivenMask:
    """A mask by its bytes."""

    shape: tuple[int, ...]
    content: bytes
    origin: str = "given"

    def nonzero(self):
        return np.frombuffer(self.content, dtype=np.bool_).reshape(self.shape)


def given(values) -> GivenMask:
    mask = np.ascontiguousarray(np.asarray(values) != 0)
    return GivenMask(shape=mask.shape, content=mask.tobytes())


def zeros_of(layer, ifmap, weight) -> LayerZeros:
    return LayerZeros(
        ifmap=count_zeros(ifmap), weight=count_zeros(weight), ofmap=count_zeros(np.ones(layer.ofmap_words)),
        masks=LayerMasks(ifmap=given(ifmap), weight=given(weight)),
    )  # fmt: skip


def make_array(rows=4, columns=8, skip=ZeroSkip.SKIP, latency=1, **bricks) -> PeArray:
    return PeArray(rows=rows, columns=columns, dataflow=Dataflow.BRICK_LANES, bricks=BrickLanes(**bricks), zero_skip=skip,
                   pe_latency=latency)  # fmt: skip


def chip(array=None, *, capacity_bytes=10**6, dram=DRAM, **level):
    neurons = SramLevel(name="nm", capacity_bytes=capacity_bytes, holds=frozenset({IFMAP, OFMAP}), **level)
    synapses = SramLevel(name="sb", capacity_bytes=capacity_bytes, holds=frozenset({WEIGHT}), **level)
    sums = SramLevel(name="sums", capacity_bytes=capacity_bytes, holds=frozenset({Operand.PSUM}))
    return architecture(array or make_array(), (neurons, synapses, sums), dram)


def values_of(layer, seed: int, zero_fraction: float, weight_zeros: float = 0.0):
    """Small integers with zeros among them, as ifmap and weights."""
    random = np.random.default_rng(seed)
    found = []
    for operand, share in ((IFMAP, zero_fraction), (WEIGHT, weight_zeros)):
        shape = mask_shape(layer, operand)
        signs = random.choice([-1, 1], shape)
        found.append(np.where(random.random(shape) < share, 0, random.integers(1, 100, shape) * signs))
    return found


def cut(layer, ifmap):
    """Every window as lists of values."""
    return list(oracle.windows(layer, ifmap) if isinstance(layer, ConvLayer) else oracle.matrix_windows(ifmap))


def expected_cycles(layer, ifmap, array: PeArray) -> tuple[int, int]:
    """Cycles of lanes that skip, and of lanes in lock step, by the slow reference; without the pipeline."""
    bricks, found = array.require_bricks(), cut(layer, ifmap)
    passes = -(-layer.gemm.filters // array.columns)
    skipping = oracle.encoded_cycles(
        found, passes=passes, free=bricks.sync is LaneSync.LAYER, lanes=array.rows, brick_values=bricks.brick_values,
        empty_cycles=bricks.empty_brick_cycles,
    )  # fmt: skip
    return skipping, oracle.lock_step_cycles(found, passes=passes, lanes=array.rows)


@st.composite
def arrays(draw: st.DrawFn, skip=ZeroSkip.SKIP) -> PeArray:
    settings = {}
    if skip is ZeroSkip.SKIP:
        settings = {
            "brick_values": draw(st.sampled_from([1, 2, 3, 4, 16])), "empty_brick_cycles": draw(st.sampled_from([0, 1, 1, 1, 3])),
            "sync": draw(st.sampled_from(list(LaneSync))),
        }  # fmt: skip
    return make_array(draw(st.integers(1, 6)), draw(st.integers(1, 8)), skip, draw(st.integers(1, 3)), **settings)


@st.composite
def chips(draw: st.DrawFn, skip=ZeroSkip.SKIP):
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=draw(st.sampled_from([0.5, 2.4, 64.0])),
                     latency_cycles=draw(st.sampled_from([0, 40])))  # fmt: skip
    size = draw(st.sampled_from([300, 1_000, 5_000, 100_000]))
    return chip(draw(arrays(skip)), capacity_bytes=size, dram=dram, width_bytes=draw(st.sampled_from([None, 8])),
                double_buffered=draw(st.booleans()))  # fmt: skip


def plans_of(layer, arch, zeros=None, kept=frozenset()):
    return list(plan_brick_layer(layer, arch, kept, zeros, loads_table=True))


def moved_bytes(plan, level: str, operand) -> int:
    return sum(row.bytes for row in plan.traffic if row.level == level and row.operand is operand)
