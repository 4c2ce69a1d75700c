"""Chips of planar tiles by hand and by chance; shared by the tests beside it."""

import numpy as np
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.arch.planar_pe import Barrier, FilterGroup, Halo, PlanarPe, Products
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.planar_tiles import plan_planar_layer
from archsim.numerics.link_code import count_zeros, expect_zeros
from archsim.terms import Compression, Dataflow, Operand, ZeroSkip
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros
from archsim.workload.zero_masks import LayerMasks, mask_shape
from tests.masks import GivenMask
from tests.strategies import architecture

IFMAP, WEIGHT, PSUM, OFMAP = Operand.IFMAP, Operand.WEIGHT, Operand.PSUM, Operand.OFMAP
DRAM = DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0)
CODED = ((IFMAP, Compression.RLC5), (WEIGHT, Compression.RLC5), (OFMAP, Compression.RLC5))


def make_array(
    rows: int = 8, columns: int = 8, zero_skip: ZeroSkip = ZeroSkip.SKIP, pe_latency: int = 1, **given
) -> PeArray:
    planar = PlanarPe(**given)
    return PeArray(rows=rows, columns=columns, dataflow=Dataflow.PLANAR_TILES, zero_skip=zero_skip, pe_latency=pe_latency,
                   multipliers_per_pe=planar.ifmap_vector * planar.weight_vector, planar=planar)  # fmt: skip


def chip(array: PeArray | None = None, capacity_bytes: int = 10**6, dram: DramLevel = DRAM, **level) -> Architecture:
    ram = SramLevel(name="ram", capacity_bytes=capacity_bytes, **{"holds": frozenset({IFMAP, OFMAP}), **level})
    return architecture(array or make_array(), (ram,), dram)


def zeros_of(layer: ArrayLayer, ifmap: np.ndarray, weight: np.ndarray) -> LayerZeros:
    """What is known of a layer whose masks are in hand; its ofmap has no zeros."""
    masks = LayerMasks(ifmap=GivenMask.of(ifmap), weight=GivenMask.of(weight))
    return LayerZeros(
        ifmap=count_zeros(ifmap), weight=count_zeros(weight), ofmap=expect_zeros(layer.ofmap_words, 0.0), masks=masks
    )


def masks_of(layer: ArrayLayer, ifmap: float, weight: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Masks with such shares of nonzero values."""
    rng = np.random.default_rng(seed)
    return rng.random(mask_shape(layer, IFMAP)) < ifmap, rng.random(mask_shape(layer, WEIGHT)) < weight


def plan_of(layer: ArrayLayer, arch: Architecture, kept=frozenset(), zeros: LayerZeros | None = None) -> FoldPlan:
    (plan,) = plan_planar_layer(layer, arch, kept, zeros, loads_table=True)
    return plan


def dram_words(plan: FoldPlan, operand: Operand) -> int:
    return sum(row.words for row in plan.traffic if row.level == "dram" and row.operand is operand)


@st.composite
def chips(draw: st.DrawFn) -> Architecture:
    zero_skip = draw(st.sampled_from([*ZeroSkip]))
    given = {"barrier": draw(st.sampled_from([*Barrier])), "filter_group": draw(st.sampled_from([*FilterGroup])),
             "accumulator_entries": draw(st.sampled_from([64, 1024])), "halo": draw(st.sampled_from([*Halo])),
             "drain_cycles": draw(st.sampled_from([0, 15])), "tiles_padding": draw(st.booleans()),
             "even_tiles": draw(st.booleans())}  # fmt: skip
    if zero_skip is ZeroSkip.SKIP:
        given["bank_queue"] = draw(st.sampled_from([None, None, 1, 3]))
    elif draw(st.booleans()):
        given = {"products": Products.DOT}
    array = make_array(draw(st.integers(1, 3)), draw(st.integers(1, 3)), zero_skip, draw(st.integers(1, 3)), **given)
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=draw(st.sampled_from([0.5, 2.4, 64.0])),
                     latency_cycles=draw(st.sampled_from([0, 40])), compression=draw(st.sampled_from([(), CODED])))  # fmt: skip
    held = draw(st.sampled_from([{IFMAP, OFMAP}, {IFMAP, WEIGHT, PSUM}, {IFMAP}, {WEIGHT, OFMAP}]))
    return chip(array, draw(st.sampled_from([300, 2_000, 100_000])), dram, holds=frozenset(held),
                double_buffered=draw(st.booleans()), width_bytes=draw(st.sampled_from([None, 8])))  # fmt: skip
