"""Plan, event and clocked: three ways to the same cycles, the same words and numpy's product."""

import csv
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.arch.log_adder import LogAdder
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import EdgeFolds, LoadGranularity, OsDrain, OsFold, PeArray, StartEvent
from archsim.catalog import load_arch, load_workload
from archsim.engine.clocked import run_clocked
from archsim.engine.clocked_run import ClockedRun
from archsim.engine.event import run_events
from archsim.engine.simulate import run_layer
from archsim.engine.timeline import ChannelClock
from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.fold_plan import FoldPlan, Transfers
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.mapping.tile_options import untiled_nest
from archsim.numerics.accumulator import LogAdderKind
from archsim.study.simulate import simulate
from archsim.terms import Dataflow, Direction, Operand
from archsim.workload.layer import ConvLayer, MatmulLayer, Rounding
from tests.strategies import HELD, architecture, log_adder_arrays, pe_arrays

GOLDEN = Path(__file__).parents[1] / "golden" / "rtl_cycles.csv"
CLOCKED = (OsFold.PIXELS,)
"""Folds of an output-stationary array that are stepped register by register."""
WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
READ, WRITE = Direction.READ, Direction.WRITE
ZERO = np.zeros(0, dtype=np.int64)
NO_TRANSFERS = Transfers(step=ZERO, after_step=ZERO, lead_cycles=ZERO, length_bytes=ZERO, operand=ZERO,
                         is_write=ZERO.astype(bool))  # fmt: skip
NO_CHANNEL = ChannelClock(ticks_per_cycle=1, transfer_ticks=ZERO, latency_ticks=0)

matmuls = st.builds(
    MatmulLayer, name=st.just("fc"), rows=st.integers(1, 24), inner=st.integers(1, 30), columns=st.integers(1, 24)
)


@st.composite
def small_convs(draw: st.DrawFn) -> ConvLayer:
    """One to three axes, strides, dilation, lopsided padding, both roundings; at most some thousand MACs."""
    axes = draw(st.integers(1, 3))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    kernel, dilation = each(1, 3 if axes < 3 else 2), each(1, 2)
    spare = each(0, {1: 12, 2: 4, 3: 2}[axes])
    ifmap = tuple((k - 1) * d + 1 + more for k, d, more in zip(kernel, dilation, spare, strict=True))
    padding = tuple((draw(st.integers(0, 1)), draw(st.integers(0, 2))) for _ in range(axes))
    return ConvLayer(
        name="conv", in_channels=draw(st.integers(1, 4)), out_channels=draw(st.integers(1, 9)), ifmap=ifmap,
        kernel=kernel, stride=each(1, 3), padding=padding, dilation=dilation, batch=draw(st.integers(1, 2)),
        ofmap_rounding=draw(st.sampled_from(list(Rounding))),
    )  # fmt: skip


def boundless(array: PeArray) -> Architecture:
    """A chip whose buffers hold any layer and whose DRAM takes no time."""
    glb = SramLevel(name="glb", capacity_bytes=2**40, holds=HELD)
    return architecture(array, (glb,), DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, is_ideal=True))


def untiled_plan(layer: ConvLayer | MatmulLayer, array: PeArray) -> FoldPlan:
    work = array_work(layer, boundless(array))
    return plan_array_steps(work, untiled_nest(work), ideal_compute_cycles(work))


def event_cycles(plan: FoldPlan) -> int:
    return run_events(plan.steps, NO_TRANSFERS, NO_CHANNEL).end - plan.steps.origin_cycles


def operands(layer: ConvLayer | MatmulLayer) -> tuple[np.ndarray, np.ndarray]:
    """The two matrices of a layer, random; a conv's ifmap laid out window by window."""
    rng = np.random.default_rng(7)
    gemm = layer.gemm
    weight = rng.integers(-128, 128, (gemm.window, gemm.filters))
    if isinstance(layer, MatmulLayer):
        return rng.integers(-128, 128, (gemm.pixels, gemm.window)), weight
    return im2col(layer, rng.integers(-128, 128, (layer.batch, layer.in_channels, *layer.ifmap))), weight


def im2col(layer: ConvLayer, ifmap: np.ndarray) -> np.ndarray:
    """Every window as a row, channels slowest, padding as zeros: the obvious way."""
    rows = []
    for image, *pixel in product(range(layer.batch), *map(range, layer.ofmap)):
        row = []
        for channel, *tap in product(range(layer.in_channels), *map(range, layer.kernel)):
            at = tuple(p * s - before + t * d for p, s, (before, _), t, d in zip(
                pixel, layer.stride, layer.padding, tap, layer.dilation, strict=True))  # fmt: skip
            inside = all(0 <= position < size for position, size in zip(at, layer.ifmap, strict=True))
            row.append(int(ifmap[(image, channel, *at)]) if inside else 0)
        rows.append(row)
    return np.array(rows, dtype=np.int64)


def direct_convolution(layer: ConvLayer, ifmap: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Ofmap by adding up taps over whole padded images, shape (pixels, filters); no windows are laid out."""
    reach = [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in zip(
        layer.ofmap, layer.stride, layer.kernel, layer.dilation, strict=True)]  # fmt: skip
    pads = [(before, max(after, r - size - before)) for (before, after), r, size in zip(
        layer.padding, reach, layer.ifmap, strict=True)]  # fmt: skip
    padded = np.pad(ifmap, [(0, 0), (0, 0), *pads])
    filters = weight.reshape(layer.in_channels, *layer.kernel, layer.out_channels)
    ofmap = np.zeros((layer.batch, *layer.ofmap, layer.out_channels), dtype=np.int64)
    for tap in product(*map(range, layer.kernel)):
        cuts = tuple(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in zip(
            tap, layer.dilation, layer.ofmap, layer.stride, strict=True))  # fmt: skip
        seen = np.moveaxis(padded[(slice(None), slice(None), *cuts)], 1, -1)
        ofmap += seen @ filters[(slice(None), *tap)]
    return ofmap.reshape(-1, layer.out_channels)


def assert_same_words(plan: FoldPlan, clocked: ClockedRun) -> None:
    """MACs and everything that crosses the array's edge."""
    counts = clocked.counts
    assert counts.macs == plan.array_macs == plan.words("spad", Operand.WEIGHT, READ)
    assert counts.macs == plan.words("spad", Operand.IFMAP, READ) == plan.words("spad", Operand.PSUM, READ)
    assert counts.ifmap_edge_reads == plan.words("glb", Operand.IFMAP, READ)
    assert counts.weight_edge_reads == plan.words("glb", Operand.WEIGHT, READ)
    left = plan.words("glb", Operand.PSUM, WRITE) + plan.words("glb", Operand.OFMAP, WRITE)
    assert counts.output_edge_writes == left


def assert_agree(layer: ConvLayer | MatmulLayer, array: PeArray) -> ClockedRun:
    plan, clocked = untiled_plan(layer, array), run_clocked(*operands(layer), array)
    assert plan.compute_cycles == clocked.total_cycles
    assert event_cycles(plan) == clocked.total_cycles
    run = run_layer(layer, boundless(array))
    assert (run.compute_cycles, run.total_cycles) == (clocked.total_cycles, clocked.total_cycles)
    assert_same_words(plan, clocked)
    return clocked


@settings(max_examples=300)
@given(layer=matmuls, array=pe_arrays(largest=7, os_folds=CLOCKED))
def test_all_three_agree_on_random_matrix_products(layer: MatmulLayer, array: PeArray) -> None:
    ifmap, weight = operands(layer)
    assert np.array_equal(assert_agree(layer, array).ofmap, ifmap @ weight)


@settings(max_examples=150)
@given(layer=small_convs(), array=pe_arrays(largest=7, os_folds=CLOCKED))
def test_all_three_agree_on_random_convolutions(layer: ConvLayer, array: PeArray) -> None:
    rng = np.random.default_rng(7)
    weight = rng.integers(-128, 128, (layer.gemm.window, layer.gemm.filters))
    ifmap = rng.integers(-128, 128, (layer.batch, layer.in_channels, *layer.ifmap))
    assert np.array_equal(assert_agree(layer, array).ofmap, direct_convolution(layer, ifmap, weight))


@settings(max_examples=100)
@given(layer=matmuls, array=log_adder_arrays())
def test_all_three_agree_where_sums_take_several_cycles(layer: MatmulLayer, array: PeArray) -> None:
    ifmap, weight = operands(layer)
    assert np.array_equal(assert_agree(layer, array).ofmap, ifmap @ weight)


@pytest.mark.parametrize(
    ("dataflow", "cycles"),
    [
        # 4 x 4 PEs, a tile of 4 rows to load, 6 words: 4 + 6 + 3 hops x 1 or 3 + 3 columns
        (WS, (16, 22)),
        (IS, (16, 22)),
        # 4 pairs x 1 or 3 cycles, 3 + 3 hops; ofmap of 6 x 6 in 2 x 2 folds
        (OS, (40, 72)),
    ],
)
def test_an_adder_of_logarithms_slows_the_psum_chain_or_the_recurrence(
    dataflow: Dataflow, cycles: tuple[int, int]
) -> None:
    layer = MatmulLayer(name="fc", rows=6, inner=4, columns=6 if dataflow is OS else 4)
    if dataflow is IS:
        layer = MatmulLayer(name="fc", rows=4, inner=4, columns=6)
    for latency, expected in zip((1, 3), cycles, strict=True):
        adder = LogAdder(kind=LogAdderKind.MITCHELL, fraction_bits=8, latency_cycles=latency)
        array = PeArray(rows=4, columns=4, dataflow=dataflow, log_adder=adder)
        assert assert_agree(layer, array).total_cycles == expected


SETTINGS = [
    (WS, {"edge_folds": EdgeFolds.TRIMMED}),
    (WS, {"weight_regs": 2}),
    (WS, {"weight_regs": 2, "edge_folds": EdgeFolds.TRIMMED}),
    (WS, {"weight_regs": 2, "weight_switch_gap": 30, "act_hop": 0}),
    (WS, {"weight_load_cycles": 50, "weight_regs": 2}),
    (WS, {"load_granularity": LoadGranularity.COLUMN}),
    (WS, {"load_granularity": LoadGranularity.COLUMN, "edge_folds": EdgeFolds.TRIMMED, "act_hop": 2, "psum_hop": 3}),
    (WS, {"start_event": StartEvent.FIRST_ACTIVATION, "input_regs": 1}),
    (WS, {"start_event": StartEvent.FIRST_ACTIVATION, "weight_regs": 2, "output_regs": 1}),
    (WS, {"psum_hop": 4, "pe_latency": 4, "input_regs": 1}),
    (IS, {"act_hop": 2, "edge_folds": EdgeFolds.TRIMMED}),
    (IS, {"weight_regs": 2, "weight_switch_gap": 5, "start_event": StartEvent.FIRST_ACTIVATION}),
    *((OS, {"os_drain": drain, "drain_overlap": overlap, "act_hop": hop})
      for drain in OsDrain for overlap in (False, True) for hop in (0, 2)),
    *((OS, {"os_drain": drain, "drain_overlap": overlap, "k_tile": 2, "k_tile_keeps_psum": keeps, "edge_folds": edge})
      for drain in OsDrain for overlap in (False, True) for keeps in (False, True) for edge in EdgeFolds),
]  # fmt: skip


def label(case: tuple[Dataflow, dict[str, object]]) -> str:
    return "-".join([case[0].value, *(f"{key}={value!s}" for key, value in case[1].items())])


@pytest.mark.parametrize("case", SETTINGS, ids=label)
@pytest.mark.parametrize("shape", [(9, 7, 8), (1, 11, 9), (5, 1, 1)])
def test_all_three_agree_on_every_setting_by_name(case, shape) -> None:
    # 4 x 3 array: whole and partial folds both ways; streams shorter and longer than a load or a drain.
    layer = MatmulLayer(name="fc", rows=shape[0], inner=shape[1], columns=shape[2])
    ifmap, weight = operands(layer)
    array = PeArray(rows=4, columns=3, dataflow=case[0], **case[1])
    assert np.array_equal(assert_agree(layer, array).ofmap, ifmap @ weight)


def golden_rows() -> list[dict[str, str]]:
    with GOLDEN.open(newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def golden_array(row: dict[str, str]) -> PeArray:
    readers = {"os_drain": OsDrain, "load_granularity": LoadGranularity, "start_event": StartEvent,
               "drain_overlap": lambda text: text == "true"}  # fmt: skip
    chosen = dict(pair.split("=") for pair in row["settings"].split(";"))
    return PeArray(rows=int(row["rows"]), columns=int(row["columns"]), dataflow=Dataflow(row["dataflow"]),
                   **{key: readers.get(key, int)(value) for key, value in chosen.items()})  # fmt: skip


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: row["id"])
def test_the_plan_and_the_events_end_at_the_cycle_that_the_rtl_showed(row: dict[str, str]) -> None:
    layer = MatmulLayer(name="fc", rows=int(row["pixels"]), inner=int(row["window"]), columns=int(row["filters"]))
    plan = untiled_plan(layer, golden_array(row))
    assert plan.compute_cycles == int(row["last_output_cycle"])
    assert event_cycles(plan) == int(row["last_output_cycle"])
    assert plan.folds == int(row["tiles"])


def write_scalesim_cfg(path: Path, row: dict[str, str]) -> Path:
    short = {WS: "ws", OS: "os", IS: "is"}[Dataflow(row["dataflow"])]
    path.write_text(
        f"[general]\nrun_name = rtl\n[architecture_presets]\nArrayHeight : {row['rows']}\nArrayWidth : {row['columns']}\n"
        f"IfmapSramSzkB: 64\nFilterSramSzkB: 64\nOfmapSramSzkB: 64\nDataflow : {short}\nBandwidth : 10\n"
        "[run_presets]\nInterfaceBandwidth: CALC\n"
    )
    return path


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: row["id"])
def test_a_user_with_scalesims_files_and_settings_gets_the_rtls_cycles(row: dict[str, str], tmp_path: Path) -> None:
    gemm = tmp_path / "gemm.csv"
    gemm.write_text(f"Layer,M,N,K,\nfc,{row['pixels']},{row['filters']},{row['window']},\n")
    chosen = tuple(f"pe_array.{pair}" for pair in row["settings"].split(";"))
    arch = load_arch(write_scalesim_cfg(tmp_path / "rtl.cfg", row), settings=chosen)
    (layer,) = simulate(arch, load_workload(gemm)).layers
    assert layer.compute_cycles == layer.total_cycles == int(row["last_output_cycle"])


def test_counting_from_the_first_activation_leaves_out_one_load_in_all_three() -> None:
    # 4 x 3 array, 5 pixels, one fold: from the weights 5 + 2 * 4 + 3 - 2 = 14, from the ifmap 4 (the load) fewer.
    layer = MatmulLayer(name="fc", rows=5, inner=4, columns=3)
    array = PeArray(rows=4, columns=3, dataflow=WS)
    assert assert_agree(layer, array).total_cycles == 14
    assert assert_agree(layer, replace(array, start_event=StartEvent.FIRST_ACTIVATION)).total_cycles == 10
