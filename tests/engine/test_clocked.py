import csv
from pathlib import Path

import numpy as np
import pytest

from archsim.arch.pe_array import EdgeFolds, LoadGranularity, OsDrain, PeArray, StartEvent
from archsim.engine.clocked import run_clocked
from archsim.errors import SimulationError
from archsim.terms import Dataflow

GOLDEN = Path(__file__).parents[1] / "golden" / "rtl_cycles.csv"
WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
READ_SETTING = {
    "os_drain": OsDrain,
    "load_granularity": LoadGranularity,
    "start_event": StartEvent,
    "drain_overlap": {"true": True, "false": False}.__getitem__,
}


def golden_rows():
    with GOLDEN.open(newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def operands(pixels, window, filters, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(-128, 128, (pixels, window)), rng.integers(-128, 128, (window, filters))


def cut(size, unit):
    return [min(unit, size - start) for start in range(0, size, unit)]


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: row["id"])
def test_last_output_comes_at_the_cycle_that_the_rtl_showed(row):
    settings = dict(pair.split("=") for pair in row["settings"].split(";"))
    pe_array = PeArray(
        rows=int(row["rows"]),
        columns=int(row["columns"]),
        dataflow=Dataflow(row["dataflow"]),
        **{key: READ_SETTING.get(key, int)(value) for key, value in settings.items()},
    )
    ifmap, weight = operands(int(row["pixels"]), int(row["window"]), int(row["filters"]))
    run = run_clocked(ifmap, weight, pe_array)
    assert run.total_cycles == int(row["last_output_cycle"])
    assert np.array_equal(run.ofmap, ifmap @ weight)


@pytest.mark.parametrize("dataflow", [WS, OS, IS])
@pytest.mark.parametrize("shape", [(1, 1, 1), (9, 7, 5), (4, 3, 8), (3, 12, 2)])
def test_default_settings_give_scalesims_folds_times_cycles_per_fold(dataflow, shape):
    # SCALE-Sim per fold, full array: OS T + R + C - 2; WS and IS T + 2R + C - 2.
    pixels, window, filters = shape
    rows, columns = 4, 3
    down, across, stream = {
        WS: (window, filters, pixels),
        IS: (window, pixels, filters),
        OS: (pixels, filters, window),
    }[dataflow]
    folds = len(cut(down, rows)) * len(cut(across, columns))
    per_fold = stream + rows + columns - 2 + (0 if dataflow is OS else rows)
    run = run_clocked(*operands(*shape), PeArray(rows=rows, columns=columns, dataflow=dataflow))
    assert run.total_cycles == folds * per_fold


def drawn_array(rng, dataflow):
    def pick(*choices):
        return choices[int(rng.integers(len(choices)))]

    settings = {
        "act_hop": pick(0, 1, 2),
        "pe_latency": pick(1, 3),
        "input_regs": pick(0, 1),
        "output_regs": pick(0, 1),
        "edge_folds": pick(*EdgeFolds),
    }
    if dataflow is OS:
        settings |= {"os_drain": pick(*OsDrain), "drain_overlap": pick(True, False), "k_tile": pick(0, 1, 3)}
        settings["k_tile_keeps_psum"] = settings["k_tile"] == 0 or pick(True, False)
    else:
        settings |= {"psum_hop": pick(1, 3), "weight_regs": pick(1, 2), "start_event": pick(*StartEvent)}
        settings["weight_load_cycles"] = pick(None, 1, 3, 6)
        if settings["weight_regs"] == 2:
            settings["weight_switch_gap"] = pick(0, 5)
        else:
            settings["load_granularity"] = pick(*LoadGranularity)
    return PeArray(rows=pick(1, 2, 4), columns=pick(1, 3), dataflow=dataflow, **settings)


@pytest.mark.parametrize("dataflow", [WS, OS, IS])
def test_every_setting_gives_the_matrix_product_and_its_macs(dataflow):
    rng = np.random.default_rng(11)
    for _ in range(150):
        shape = tuple(int(size) for size in rng.integers(1, 10, 3))
        ifmap, weight = operands(*shape)
        pe_array = drawn_array(rng, dataflow)
        run = run_clocked(ifmap, weight, pe_array)
        label = f"{shape} on {pe_array}"
        assert np.array_equal(run.ofmap, ifmap @ weight), label
        assert run.counts.macs == shape[0] * shape[1] * shape[2], label
        assert run.output_cycles.min() >= 1, label
        assert run.output_cycles.max() <= run.total_cycles, label


def test_input_stationary_is_weight_stationary_with_the_operands_swapped():
    ifmap, weight = operands(5, 7, 9)
    stays_ifmap = run_clocked(ifmap, weight, PeArray(rows=3, columns=4, dataflow=IS))
    stays_weight = run_clocked(weight.T, ifmap.T, PeArray(rows=3, columns=4, dataflow=WS))
    assert np.array_equal(stays_ifmap.ofmap, ifmap @ weight)
    assert np.array_equal(stays_ifmap.output_cycles, stays_weight.output_cycles.T)
    # 3 row folds x 2 column folds: filters stream past both pixel folds, each ifmap word comes once
    assert stays_ifmap.counts.ifmap_edge_reads == 5 * 7
    assert stays_ifmap.counts.weight_edge_reads == 2 * 7 * 9


def test_a_value_is_out_with_the_psum_of_its_last_row_fold():
    # Window 2 on one row: fold 0 is out at load 1 + T 1 = 2, fold 1 two cycles later.
    run = run_clocked(np.array([[2, 3]]), np.array([[5], [7]]), PeArray(rows=1, columns=1, dataflow=WS))
    assert run.ofmap.tolist() == [[31]]
    assert run.output_cycles.tolist() == [[4]]


@pytest.mark.parametrize(("dataflow", "shape"), [(WS, (1, 2, 2)), (IS, (2, 2, 1)), (OS, (2, 1, 2))])
def test_column_folds_run_outside_row_folds(dataflow, shape):
    # One PE, 2 x 2 folds, each load 1 + T 1 = 2 cycles (OS: 1). WS: column 0 is whole after its 2 row folds, at 4,
    # column 1 at 8. OS: pixels 0 and 1 of filter 0 at 1 and 2, then filter 1 at 3 and 4.
    run = run_clocked(*operands(*shape), PeArray(rows=1, columns=1, dataflow=dataflow))
    assert run.output_cycles.tolist() == {WS: [[4, 8]], IS: [[4], [8]], OS: [[1, 3], [2, 4]]}[dataflow]


def test_counting_from_the_first_streamed_word_leaves_the_first_load_out():
    ifmap, weight = operands(5, 8, 3)
    base = {"rows": 4, "columns": 3, "dataflow": WS, "weight_load_cycles": 6}
    from_load = run_clocked(ifmap, weight, PeArray(**base))
    from_stream = run_clocked(ifmap, weight, PeArray(**base, start_event=StartEvent.FIRST_ACTIVATION))
    assert from_load.total_cycles - from_stream.total_cycles == 6


def test_trimmed_edge_folds_cost_their_used_rows_and_columns():
    # 3x3 array, window 4, filters 4, 2 pixels. Folds (rows, columns) 3x3, 1x3, 3x1, 1x1, each rows + 2 + rows + columns - 2:
    # 9 + 5 + 7 + 3 = 24; in full 4 * 9 = 36.
    ifmap, weight = operands(2, 4, 4)
    for edge_folds, cycles in ((EdgeFolds.TRIMMED, 24), (EdgeFolds.FULL, 36)):
        run = run_clocked(ifmap, weight, PeArray(rows=3, columns=3, dataflow=WS, edge_folds=edge_folds))
        assert run.total_cycles == cycles
        assert np.array_equal(run.ofmap, ifmap @ weight)


def test_k_tiles_drain_once_when_psums_stay_and_each_time_when_they_leave():
    # 2x2 array, window 6 in tiles of 4: passes of 4 + 2 = 6 and 2 + 2 = 4 cycles; shift_rows adds 2 per drain.
    ifmap, weight = operands(2, 6, 2)
    for keeps, cycles, words_out in ((True, 6 + 4 + 2, 4), (False, 6 + 2 + 4 + 2, 8)):
        pe_array = PeArray(
            rows=2, columns=2, dataflow=OS, k_tile=4, k_tile_keeps_psum=keeps, os_drain=OsDrain.SHIFT_ROWS
        )
        run = run_clocked(ifmap, weight, pe_array)
        assert run.total_cycles == cycles
        assert run.counts.output_edge_writes == words_out
        assert np.array_equal(run.ofmap, ifmap @ weight)


def test_accesses_of_a_weight_stationary_array_are_scalesims():
    # 4x3 array, window 7 = 2 row folds, filters 5 = 2 column folds, 6 pixels: ifmap 2 * 7 * 6, weights 7 * 5, psums 2 * 6 * 5.
    counts = run_clocked(*operands(6, 7, 5), PeArray(rows=4, columns=3, dataflow=WS)).counts
    assert (counts.ifmap_edge_reads, counts.weight_edge_reads, counts.output_edge_writes) == (84, 35, 60)
    assert counts.stationary_register_reads == counts.psum_register_writes == counts.macs == 210
    assert counts.macs_per_pe.shape == (4, 3)


@pytest.mark.parametrize(
    ("ifmap", "weight", "message"),
    [
        (np.zeros((2, 3), int), np.zeros((4, 2), int), "the windows must be equal"),
        (np.zeros((2, 3)), np.zeros((3, 2), int), "ifmap is float64; it must be integers that fit int64"),
        (np.zeros((2, 3), np.uint64), np.zeros((3, 2), int), "ifmap is uint64; it must be integers that fit int64"),
        (np.zeros((2, 3), int), np.zeros((3, 0), int), r"weight has shape \(3, 0\); it must be a matrix, not empty"),
        (np.zeros(3, int), np.zeros((3, 2), int), r"ifmap has shape \(3,\); it must be a matrix, not empty"),
    ],
)
def test_operands_that_are_not_two_fitting_integer_matrices_are_refused(ifmap, weight, message):
    with pytest.raises(SimulationError, match=message):
        run_clocked(ifmap, weight, PeArray(rows=2, columns=2, dataflow=WS))


def test_products_that_might_not_fit_int64_are_refused():
    # 2**31 * 2**31 * 2 = 2**63, one more than int64 holds; a window of 1 fits
    pe_array = PeArray(rows=2, columns=2, dataflow=OS)
    assert run_clocked(np.array([[-(2**31)]]), np.array([[-(2**31)]]), pe_array).ofmap.item() == 2**62
    with pytest.raises(SimulationError, match="psums may need more than int64"):
        run_clocked(np.full((1, 2), -(2**31)), np.full((2, 1), -(2**31)), pe_array)


@pytest.mark.parametrize("setting", [{"pe_latency": 0}, {"weight_load_cycles": 0}, {"weight_regs": 3}, {"act_hop": -1}])
def test_settings_that_registers_cannot_have_are_refused(setting):
    (key,) = setting
    with pytest.raises(SimulationError, match=f"pe_array.{key}"):
        run_clocked(*operands(2, 2, 2), PeArray(rows=2, columns=2, dataflow=WS, **setting))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
def test_narrow_operands_do_not_wrap(dtype):
    top = np.iinfo(dtype).max
    run = run_clocked(np.full((2, 3), top, dtype), np.full((3, 2), top, dtype), PeArray(rows=2, columns=2, dataflow=OS))
    assert (run.ofmap == 3 * int(top) ** 2).all()
