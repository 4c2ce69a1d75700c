"""What the clocked PE array computes is what the conversion promised: every layer, every network, every dataflow."""

from dataclasses import replace
from functools import partial
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.arch.log_adder import LogAdder
from archsim.arch.pe_array import EdgeFolds, LoadGranularity, OsDrain, PeArray
from archsim.arch.planar_pe import Products
from archsim.catalog import arch_names, load_arch
from archsim.engine import array_values
from archsim.engine.array_values import pieces_of, put_on_array, run_on_array, window_pieces
from archsim.engine.bit_true import checksum, run_bit_true
from archsim.engine.golden_run import check_golden_on_array, make_golden
from archsim.errors import SimulationError, WorkloadError
from archsim.mapping.array_words import psum_leaves
from archsim.mapping.fold_walk import walk_folds
from archsim.mapping.loop_nest import Dim
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS
from archsim.numerics.accumulator import CastSum, ExactSum, LogAdderKind, WrappedSum
from archsim.numerics.products import integer_sums
from archsim.numerics.rounding import RoundingMode
from archsim.numerics.window import Window
from archsim.terms import Dataflow
from archsim.workload.coded_network import CodedNetwork, CodedProduct
from archsim.workload.coded_store import ConvertedWorkload, read_converted
from tests.coded_cases import branchy_network, clustered_network, family_network, some_codes
from tests.mapping.hand_made import nest
from tests.numerics.product_cases import fixed

WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
ARRAYS: dict[str, dict[str, Any]] = {
    "weights stay": {"dataflow": WS},
    "weights stay, two registers": {"dataflow": WS, "weight_regs": 2},
    "ifmap stays": {"dataflow": IS},
    "ifmap stays, two registers": {"dataflow": IS, "weight_regs": 2},
    "psums stay": {"dataflow": OS},
    "psums stay, pieces": {"dataflow": OS, "k_tile": 7},
    "psums leave after pieces": {"dataflow": OS, "k_tile": 7, "k_tile_keeps_psum": False},
}
"""One of each way in which psums meet."""
REGISTERS: dict[str, dict[str, Any]] = {
    "broadcast": {"dataflow": WS, "act_hop": 0, "psum_hop": 2, "input_regs": 1, "edge_folds": EdgeFolds.TRIMMED},
    "deep": {"dataflow": IS, "pe_latency": 3, "output_regs": 1, "load_granularity": LoadGranularity.COLUMN},
    "gap": {"dataflow": WS, "weight_regs": 2, "weight_switch_gap": 2, "pe_latency": 2, "psum_hop": 0},
    "drained": {"dataflow": OS, "os_drain": OsDrain.SHIFT_ROWS, "drain_overlap": True, "pe_latency": 2},
    "drained across": {"dataflow": OS, "os_drain": OsDrain.SHIFT_COLUMNS, "act_hop": 2, "k_tile": 5,
                       "edge_folds": EdgeFolds.TRIMMED},
    "slow adder": {"dataflow": WS, "log_adder": LogAdder(kind=LogAdderKind.MITCHELL, fraction_bits=8, latency_cycles=3)},
    "slow adder in place": {"dataflow": OS, "k_tile": 4, "k_tile_keeps_psum": False,
                            "log_adder": LogAdder(kind=LogAdderKind.MITCHELL, fraction_bits=8, latency_cycles=3)},
}  # fmt: skip
"""Registers that move cycles must not move values."""
SHIPPED = [path for path in sorted((Path(__file__).parents[2] / "workloads").glob("*.yaml"))
           if "\ngolden:" in path.read_text(encoding="utf-8")]  # fmt: skip


def array_of(settings: dict[str, Any], rows: int, columns: int) -> PeArray:
    return PeArray(rows=rows, columns=columns, **settings)


def shipped(name: str) -> ConvertedWorkload:
    return read_converted(next(path for path in SHIPPED if path.stem == name))


def inputs(network: CodedNetwork, images: int = 2) -> np.ndarray:
    assert network.ifmap.format is not None
    return some_codes(np.random.default_rng(3), network.ifmap.format, (images, *network.ifmap_shape))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_layer_of_a_shipped_network_is_golden_on_every_dataflow(path: Path) -> None:
    converted = read_converted(path)
    assert converted.golden is not None
    for settings in ARRAYS.values():
        check_golden_on_array(converted.network, converted.golden, array_of(settings, 16, 16))


@pytest.mark.parametrize(
    "path", [path for path in SHIPPED if path.stem.startswith("digits")], ids=lambda path: path.stem
)
def test_nor_do_odd_sides_and_other_registers_move_a_code(path: Path) -> None:
    converted = read_converted(path)
    images = converted.golden.ifmap[:1]
    golden = make_golden(converted.network, images)
    for settings in (*ARRAYS.values(), *REGISTERS.values()):
        check_golden_on_array(converted.network, golden, array_of(settings, 5, 7))


@pytest.mark.parametrize("arch", arch_names())
def test_the_array_of_a_shipped_arch_computes_golden_codes(arch: str) -> None:
    """Casts at every MAC where the array steps them; exact sums on those that step nothing else."""
    pe_array = load_arch(arch).pe_array
    steps_casts = pe_array.dataflow in MATRIX_DATAFLOWS
    if pe_array.atoms is not None:
        pe_array = replace(pe_array, atoms=replace(pe_array.atoms, winograd=False))
    if pe_array.planar is not None:
        pe_array = replace(pe_array, planar=replace(pe_array.planar, products=Products.CARTESIAN))
    found = shipped("digits_cnn_fx8" if steps_casts else "digits_cnn_int8")
    golden = make_golden(found.network, found.golden.ifmap[:1])
    check_golden_on_array(found.network, golden, pe_array)


@pytest.mark.parametrize("arch", ["eyeriss_v1", "nvdla_small"])
@pytest.mark.parametrize("network", ["digits_cnn_fx8", "digits_cnn_lns8", "digits_cnn_fp8"])
def test_sums_that_an_array_does_not_step_are_refused(arch: str, network: str) -> None:
    found = shipped(network)
    with pytest.raises(WorkloadError, match="is stepped with exact integer sums only"):
        check_golden_on_array(found.network, found.golden, load_arch(arch).pe_array)


def test_winograd_is_not_stepped() -> None:
    found = shipped("digits_cnn_int8")
    with pytest.raises(WorkloadError, match=r"--set pe_array\.atoms\.winograd=false"):
        check_golden_on_array(found.network, found.golden, load_arch("nvdla_large").pe_array)


def test_dot_products_over_planes_are_not_stepped() -> None:
    found = shipped("digits_cnn_int8")
    with pytest.raises(WorkloadError, match=r"--set pe_array\.planar\.products=cartesian"):
        check_golden_on_array(found.network, found.golden, load_arch("dcnn").pe_array)


def test_the_shipped_networks_bring_sums_of_every_family() -> None:
    found = {type(layer.accumulator).__name__ for path in SHIPPED for layer in read_converted(path).network.products}
    assert found >= {"ExactSum", "CastSum", "LinearSum", "FloatSum"}


@pytest.mark.parametrize("settings", [*ARRAYS.values(), *REGISTERS.values()], ids=[*ARRAYS, *REGISTERS])
@pytest.mark.parametrize(
    "network",
    [
        branchy_network(),  # groups, strides, dilation, depthwise
        clustered_network(),
        family_network("lns8", "linear<14,4,hyb1>", -9),  # narrow: it saturates
        family_network("lns8", "linear<20,6,mitchell>", -12),
        family_network("lns8", "log<8>"),
        family_network("lns8", "log<6,bitshift>"),
        family_network("lns<8,2>", "log<8,mitchell>"),
        family_network("lns8", "exact"),
        family_network("fp8_e4m3", "fp32"),
        family_network("fp8_e5m2", "fp64"),
        family_network("fp8_e4m3", "kulisch"),
    ],
    ids=["branchy", "clustered", "hybrid", "mitchell", "log", "bitshift", "log-mitchell", "log-exact", "fp32", "fp64", "kulisch"],
)  # fmt: skip
def test_the_array_computes_what_the_bit_true_run_computes(network: CodedNetwork, settings: dict[str, Any]) -> None:
    codes = inputs(network)
    wanted, found = run_bit_true(network, codes), run_on_array(network, codes, array_of(settings, 4, 3))
    assert list(found) == list(wanted)
    assert {name: checksum(each) for name, each in found.items()} == {
        name: checksum(each) for name, each in wanted.items()
    }


@pytest.mark.parametrize(
    "accumulator",
    [
        *(CastSum(format=fixed(9, 6, rounding, overflow)) for rounding, overflow in (
            ("TRN", "WRAP"), ("TRN_ZERO", "SAT"), ("RND", "SAT_SYM"), ("RND_CONV", "SAT_ZERO"), ("RND_INF", "WRAP"))),
        WrappedSum(width_bits=9),
        ExactSum(),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("settings", [*ARRAYS.values(), *REGISTERS.values()], ids=[*ARRAYS, *REGISTERS])
def test_a_pe_casts_every_sum(accumulator: Any, settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    ifmap, weight, bias = (rng.integers(-60, 61, size) for size in ((2, 4, 5, 6), (6, 2, 3, 2), 6))
    window = Window(stride=(2, 1), padding=((1, 1), (0, 1)), dilation=(1, 2), groups=2)
    add = partial(integer_sums, ifmap, weight, bias, window, accumulator=accumulator, product_fraction_bits=8)
    wanted = add()
    assert np.array_equal(add(substitute=partial(put_on_array, pe_array=array_of(settings, 4, 2))), wanted)
    # cutting off and wrapping do the same to a product in whatever sum; any other cast would show another order
    has_order = isinstance(accumulator, CastSum) and accumulator.format.rounding is not RoundingMode.TRN
    assert np.array_equal(add(order=np.arange(12)[::-1]), wanted) is not has_order


@pytest.mark.parametrize("settings", [*ARRAYS.values()], ids=[*ARRAYS])
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_by_hand_a_sum_that_saturates_on_the_way(settings: dict[str, Any], rows: int) -> None:
    # 8 bits: 100 + 100 = 127 (saturated), - 100 = 27; backwards -100 + 100 + 100 = 100
    add = partial(
        integer_sums, np.array([[100, 100, -100]]), np.array([[1, 1, 1]]), None, None,
        accumulator=CastSum(format=fixed(8, 8)), substitute=partial(put_on_array, pe_array=array_of(settings, rows, 2)),
    )  # fmt: skip
    assert add().item() == 27
    assert add(order=np.array([2, 1, 0])).item() == 100


def test_row_folds_in_another_order_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    converted = shipped("digits_cnn_fp8")
    array = array_of({"dataflow": WS}, 5, 7)
    check_golden_on_array(converted.network, converted.golden, array)
    monkeypatch.setattr(array_values, "window_pieces", lambda *shape: window_pieces(*shape)[::-1])
    with pytest.raises(WorkloadError, match=r"layer '.+' is the first for which a weight_stationary array of 5 x 7"):
        check_golden_on_array(converted.network, converted.golden, array)


def test_the_first_layer_with_a_wrong_weight_is_named() -> None:
    network = branchy_network()
    golden = make_golden(network, inputs(network))
    layers = list(network.layers)
    third = layers[2]
    assert isinstance(third, CodedProduct)
    codes = third.weight.codes.copy()
    codes[0] += 1
    layers[2] = replace(third, weight=replace(third.weight, codes=codes))
    for settings in ARRAYS.values():
        with pytest.raises(WorkloadError, match="branchy: layer 'grouped' is the first for which"):
            check_golden_on_array(replace(network, layers=tuple(layers)), golden, array_of(settings, 4, 4))


@pytest.mark.parametrize(
    ("settings", "pieces"),
    [
        ({"dataflow": WS}, [(0, 4), (4, 8), (8, 10)]),  # 4 rows hold 4 words of the window
        ({"dataflow": IS}, [(0, 4), (4, 8), (8, 10)]),
        ({"dataflow": OS}, [(0, 10)]),
        ({"dataflow": OS, "k_tile": 7}, [(0, 10)]),  # the psum waits in its PE
        ({"dataflow": OS, "k_tile": 7, "k_tile_keeps_psum": False}, [(0, 7), (7, 10)]),
    ],
)
def test_psums_leave_the_array_between_row_folds(settings: dict[str, Any], pieces: list[tuple[int, int]]) -> None:
    found = window_pieces(array_of(settings, 4, 3), pixels=9, window=10, filters=5)
    assert [(each.start, each.stop) for each in found] == pieces


@pytest.mark.parametrize("dataflow", MATRIX_DATAFLOWS)
def test_whatever_the_loops_every_ofmap_value_adds_its_window_in_one_order(dataflow: Dataflow) -> None:
    """Tile loops in all orders, tiles of all sizes: what `window_pieces` reads off the untiled walk holds for all."""
    lies = MATRIX_DATAFLOWS[dataflow]
    for order, keeps, *per_tile in product(permutations(Dim), (True, False), (1, 2, 3), (1, 2, 3), (1, 2)):
        cuts = {dim.value: (10, 4, units) for dim, units in zip(Dim, per_tile, strict=True)}
        walk = walk_folds(nest(dataflow, order, **cuts), pass_per_unit=not keeps)
        seen = walk.unit[Dim.PIXELS] * 3 + walk.unit[Dim.FILTERS]
        for value in range(9):
            assert walk.start[Dim.WINDOW][seen == value].tolist() == [0, 4, 8]
        pieces = pieces_of(walk, psum_leaves(walk, lies, keeps)[1])
        assert [place for each in pieces for place in range(each.start, each.stop)] == list(range(10))


def test_a_pe_has_one_scale() -> None:
    rng = np.random.default_rng(0)
    add = partial(
        integer_sums, rng.integers(-9, 9, (2, 3)), rng.integers(-9, 9, (2, 3)), None, None,
        accumulator=CastSum(format=fixed(9, 6)), product_fraction_bits=np.array([4, 6]),
    )  # fmt: skip
    with pytest.raises(SimulationError, match="one scale"):
        add(substitute=partial(put_on_array, pe_array=array_of({"dataflow": WS}, 2, 2)))
