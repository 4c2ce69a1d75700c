"""Hand-made nests, chips and layers, small enough to check on paper; shared by the tests beside it."""

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.fold_plan import OPERAND_CODES, FoldPlan
from archsim.mapping.loop_nest import Dim, DimTiling, LoopNest
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS, array_work, ideal_compute_cycles
from archsim.terms import Dataflow
from archsim.workload.layer import ConvLayer, MatmulLayer
from tests.strategies import HELD, architecture

P, W, F = Dim.PIXELS, Dim.WINDOW, Dim.FILTERS
WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY


def array_of(dataflow: Dataflow = WS, rows: int = 4, columns: int = 4, **settings) -> PeArray:
    return PeArray(rows=rows, columns=columns, dataflow=dataflow, **settings)


def chip(array: PeArray, *, capacity_bytes: int = 10**6, dram: DramLevel | None = None, **level) -> Architecture:
    """One shared buffer; 8-bit operands, 32-bit psums."""
    glb = SramLevel(name="glb", capacity_bytes=capacity_bytes, holds=HELD, **level)
    return architecture(array, (glb,), dram or DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0))


def matmul(pixels: int, window: int, filters: int, **options) -> MatmulLayer:
    return MatmulLayer(name="fc", rows=pixels, inner=window, columns=filters, **options)


def conv(channels: int, filters: int, size: int, kernel: int, **options) -> ConvLayer:
    """A square conv without padding."""
    shape = {"ifmap": (size, size), "kernel": (kernel, kernel), "stride": (1, 1), "dilation": (1, 1),
             "padding": ((0, 0), (0, 0))} | options  # fmt: skip
    return ConvLayer(name="conv", in_channels=channels, out_channels=filters, **shape)


def nest(dataflow: Dataflow, order: tuple[Dim, Dim, Dim], groups: int = 1, streamed=None, **cuts) -> LoopNest:
    """A nest; each of pixels, window and filters is (size, unit, units per tile)."""
    lies = MATRIX_DATAFLOWS[dataflow]
    tiling = {dim: DimTiling(size=cut[0], unit=cut[1], units_per_tile=cut[2])
              for dim, cut in ((dim, cuts[dim.value]) for dim in Dim)}  # fmt: skip
    return LoopNest(groups=groups, order=order, tiling=tiling, rows=lies.rows, columns=lies.columns,
                    stream=lies.stream, streamed=streamed or {})  # fmt: skip


def plan(layer: ConvLayer | MatmulLayer, arch: Architecture, made: LoopNest) -> FoldPlan:
    work: ArrayWork = array_work(layer, arch)
    return plan_array_steps(work, made, ideal_compute_cycles(work))


def moves(made: FoldPlan, *, is_write: bool) -> dict[str, list[tuple[int, int, int]]]:
    """(step, step that allows it, bytes) of each operand's transfers, in the order of their steps."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    t = made.transfers
    for step, after, size, code, write in zip(t.step, t.after_step, t.length_bytes, t.operand, t.is_write, strict=True):
        if write == is_write:
            found.setdefault(OPERAND_CODES[code].value, []).append((int(step), int(after), int(size)))
    return {operand: sorted(rows) for operand, rows in found.items()}
