"""The RTL suite: exact cycles of designs that nobody here wrote, and of other rows of the same designs."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from archsim.arch.pe_array import OsDrain
from archsim.cli import app
from archsim.errors import ConfigError
from archsim.validate import rtl_conv, rtl_designs
from archsim.validate.rtl import SHIPPED, rtl_suite
from archsim.validate.rtl_designs import ARRAYS, PES
from archsim.validate.suite import EQUAL
from archsim.validate.suites import SUITES, run_suites

GOLDEN = Path(__file__).parents[1] / "golden"
RAW = ("design", "params", "workload", "first_output_cycle", "last_output_cycle", "values_checked")
SUITE = rtl_suite()
TIERS = {tier.name: tier for tier in SUITE.tiers}


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def write(path, rows, columns=RAW):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([columns, *rows])
    return path


@pytest.mark.parametrize(
    ("name", "rows", "gated"),
    [
        ("arrays, planned", 59, 59), ("arrays, clocked", 59, 59), ("arrays, clocked, first", 56, 53),
        ("PE, last psum", 10, 10), ("PE, first psum", 10, 10), ("PE, MACs", 10, 10), ("RS array, clocked pass", 4, 4),
    ],
)  # fmt: skip
def test_every_row_that_is_modelled_is_met_to_the_cycle(name, rows, gated) -> None:
    tier = TIERS[name]
    assert (len(tier.rows), tier.count(), tier.bounds) == (rows, gated, EQUAL)
    assert all(row.simulated == row.published and row.source for row in tier.rows if row.is_gated)
    assert SUITE.passes


def test_whole_layers_of_the_row_stationary_array_miss_a_start_and_a_drain() -> None:
    tier = TIERS["RS array, layer planned"]
    assert [bound.limit for bound in tier.bounds] == [71]
    # archsim's own start is the first pass's weights, a channel's filter per cycle, its own pipeline 3 hops
    assert [row.distance for row in tier.rows] == [channels + 3 - 71 for channels in (8, 8, 16, 32)]


def test_results_that_are_shifted_out_start_when_the_last_column_is_done() -> None:
    rows = [row for row in TIERS["arrays, clocked, first"].rows if not row.is_gated]
    assert [row.distance for row in rows] == [1 - size for size in (4, 8, 16)]
    assert all("shifts out when its last column" in row.note for row in rows)


def test_rows_that_are_not_run_are_listed_with_their_reason() -> None:
    skipped = {name.removeprefix("not run: "): tier.skipped for name, tier in TIERS.items() if tier.skipped}
    assert [said.split(":")[0] for said in skipped.values()] == [
        "5 rows (lines 26, 32, 36-37, 43)", "1 row (line 54)", "25 rows (lines 81-105)", "1 row (line 106)",
    ]  # fmt: skip
    assert "WRONG VALUES: next weights not yet loaded" in skipped["MMU (matrix.py)"]
    assert "skips zeros of both operands" in skipped["PE (execute state)"]
    assert sum(len(tier.rows) for tier in SUITE.tiers if tier.name in ("arrays, planned", "PE, last psum", "RS array, "
               "layer planned")) + 32 == len(table(SHIPPED))  # fmt: skip


def test_settings_read_off_the_texts_are_those_of_the_hand_made_tables() -> None:
    shipped = [row.published for row in TIERS["arrays, planned"].rows]
    for name, tiers in (("rtl_cycles.csv", 2), ("rtl_row_stationary.csv", 4)):
        suite = rtl_suite(GOLDEN / name)
        assert suite.passes
        assert len(suite.tiers) == tiers
    assert [int(row["last_output_cycle"]) for row in table(GOLDEN / "rtl_cycles.csv")] == shipped


def drawn_rows(seed, count=25):
    """Other rows of every design, their cycles by the formulas that were read off the RTL: reference/rtl/rtl_notes.md."""
    rng = np.random.default_rng(seed)
    pick = lambda *ends: (int(rng.integers(1, end + 1)) for end in ends)  # noqa: E731
    for _ in range(count):
        r, c, k, m, tiles, n = pick(12, 12, 40, 40, 4, 12)
        yield (
            "systolic_array",
            f"R={r};C={c};PE latency 1;external skew",
            f"M={r};N={c};K={k}",
            k,
            r + c + k - 2,
            "all",
        )
        yield ("systolic_array_os", f"R={r};C={c};PE latency 4;input skew reg 1",
               f"M={r};N={c};K={k};tiles={tiles} back-to-back", k + 4, tiles * k + r + c + 2, "HELD-OUT")  # fmt: skip
        yield ("systolic_array_ws", f"R={r};C={c};row hop 4 cycles;input reg 1", f"K={r};N={c};M={m};tiles={tiles}", "",
               (tiles - 1) * (r + m + 4 * (r - 1) + c) + r + m + 4 * (r - 1) + c + 3, "all int8")  # fmt: skip
        product, grid = f"K={r};N={c};M={m};tiles={tiles}", f"R={r};C={c};PE latency 1;external skew"
        yield ("pe.sv grid (array.sv wiring)", grid, f"{product};tile starts after full drain", 2 * r,
               tiles * (2 * r + c + m - 2), "all")  # fmt: skip
        yield ("pe.sv grid (array.sv wiring)", grid, f"{product};column-staggered reload (drain of column j ...)", 2 * r,
               tiles * (2 * r + m - 1) + c - 1, "all")  # fmt: skip
        square, (idle,) = f"N={n};internal skew regs", pick(60)
        if m + idle >= 2 * n + 3:
            yield ("MMU (matrix.py)", square, f"K={n};N={n};M={m};tiles={tiles};idle between tiles={idle}", n + 2,
                   (tiles - 1) * (m + idle) + m + 2 * n, "all")  # fmt: skip
        period = max(m, n) + idle % 3
        yield ("MATRIX_MULTIPLY_UNIT", f"N={n};MACC 3 registers (input, product, sum)",
               f"K={n};N={n};M={m};tiles={tiles};tile period={period}", 2 * n + 2,
               n + (tiles - 1) * period + m - 1 + n + 2, "all")  # fmt: skip
        bram = f"N={n};MAC pipeline 3;BRAM latency 1"
        yield ("matmul (BRAM-fed)", bram, f"M={n};N={n};K={n}", "", 4 * n + 1, "all")
        yield ("matmul (BRAM-fed)", bram, f"M={n};N={n};K={n};save_output_to_accum=1", "", 3 * n + 1, "timing only")
        p, q, s, f, images = pick(16, 4, 11, 13, 3)
        u = int(rng.integers(1, s + 1))
        per_image = f * p * (s * q + 1) + (f - 1) * u * q + (f - 1) * (s == u)
        yield ("pe.v", f"p={p} filters;q={q} channels;zero ifmap pixels=1", f"S={s};F={f};U={u};n={images}", "",
               images * per_image + (3 + -p * f % 4) * (images - 1) + 4, "all")  # fmt: skip
        rows, columns, ci, co = (side + 8 for side in pick(60, 60, 20, 8))
        one = 19 * ci + 8
        blocks = -(-rows // 5) * -(-columns // 16)
        yield ("CONV_ACC", "4x5 PEs;tile width 16;kernel 4x4", f"ifm {rows + 3}x{columns + 3}x{ci};ofm {rows}x{columns}x{co}",
               one + 22, blocks * co * one + 71, "all")  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_other_rows_of_the_same_designs_are_met_to_the_cycle(seed, tmp_path) -> None:
    suite = rtl_suite(write(tmp_path / "others.csv", drawn_rows(seed)))
    wrong = [(tier.name, row) for tier in suite.tiers if tier.bounds == EQUAL for row in tier.rows
             if row.is_gated and row.error]  # fmt: skip
    assert wrong == []
    assert suite.passes
    assert not any(tier.skipped for tier in suite.tiers)


@pytest.mark.parametrize(
    ("design", "setting"),
    [
        *((design, {key: value}) for design, key, value in (
            ("systolic_array", "pe_latency", 2), ("systolic_array_os", "input_regs", 0),
            ("systolic_array_os", "drain_overlap", False), ("systolic_array_ws", "psum_hop", 1),
            ("systolic_array_ws", "pe_latency", 1), ("pe.sv grid (array.sv wiring)", "weight_regs", 2),
            ("MMU (matrix.py)", "output_regs", 0), ("MMU (matrix.py)", "start_event", "first_operand"),
            ("MATRIX_MULTIPLY_UNIT", "act_hop", 1), ("MATRIX_MULTIPLY_UNIT", "weight_regs", 1),
            ("matmul (BRAM-fed)", "pe_latency", 1), ("matmul (BRAM-fed)", "os_drain", OsDrain.NONE),
        )),
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_of_a_design_moves_its_cycles(design, setting, monkeypatch) -> None:
    # the row's own numbers are left aside, so that the table's hold
    whole = ARRAYS[design]
    moved = replace(whole, reload=lambda row: {**whole.reload(row), **setting}, says=dict.fromkeys(whole.says, ()))
    if "weight_regs" in setting:
        moved = replace(moved, reload=lambda _: setting, texts={text: {} for text in whole.texts})
    monkeypatch.setitem(rtl_designs.ARRAYS, design, replace(moved, settings={**whole.settings, **setting}))
    tier = rtl_suite().tiers[0]
    assert {row.group for row in tier.rows if row.error} == {design}
    assert not tier.passes


@pytest.mark.parametrize(("setting", "value"), [("accumulate_cycles", 0), ("shift_cycles", 0), ("restart_cycles", 1)])
def test_every_setting_of_the_pe_moves_its_cycles(setting, value, monkeypatch) -> None:
    monkeypatch.setitem(rtl_designs.PES, "pe.v", replace(PES["pe.v"], **{setting: value}))
    assert next(tier.name for tier in rtl_suite().tiers if not tier.passes) == "PE, last psum"


def test_a_restart_that_is_a_cycle_shorter_breaks_the_row_stationary_array(monkeypatch) -> None:
    monkeypatch.setattr(rtl_conv, "RESTART_CYCLES", 7)
    broken = [tier for tier in rtl_suite().tiers if not tier.passes]
    assert [tier.name for tier in broken] == ["RS array, clocked pass", "RS array, layer planned"]
    assert [row.simulated for row in broken[0].rows] == [159, 159, 311, 615]


OS_ROW = ("systolic_array_os", "R=4;C=4;PE latency 4;input skew reg 1", "M=4;N=4;K=8;tiles=1", 12, 18, "all")


def test_a_row_that_is_one_cycle_off_fails(tmp_path) -> None:
    suite = rtl_suite(write(tmp_path / "off.csv", [OS_ROW, (*OS_ROW[:4], 19, "all")]))
    assert [tier.name for tier in suite.tiers if not tier.passes] == ["arrays, planned", "arrays, clocked"]


def test_what_a_row_says_itself_holds_and_what_is_not_understood_is_said(tmp_path) -> None:
    deep = (OS_ROW[0], "R=4;C=4;PE latency 6;input skew reg 1;clock gated", OS_ROW[2], 14, 20, "all")
    unknown = (OS_ROW[0], f"{OS_ROW[1]};bubbles=3", *OS_ROW[2:])
    foreign = ("systolic_array_oss", *OS_ROW[1:])
    suite = rtl_suite(write(tmp_path / "said.csv", [deep, unknown, foreign]))
    assert suite.passes
    assert [row.note for row in suite.tiers[0].rows] == ["not understood and passed over: clock gated"]
    said = [tier.skipped for tier in suite.tiers if tier.skipped]
    assert said[0] == "1 row (line 3): it says bubbles 3: archsim has no setting of this design for that"
    assert "1 row (line 4): archsim has no settings for this design. Did you mean 'systolic_array_os'?" in said[1]


RAW_FAULTS = {
    "last_output_cycle must be a whole number of at least 0 (found 'ten')": {4: "ten"},
    "params must give R=..., at least 1 (found C=4, PE latency=4)": {1: "C=4;PE latency 4"},
    "params: 'R=four' gives no whole number of up to 9 digits": {1: "R=four;C=4"},
    "workload gives K twice (found 'M=4;N=4;K=8;K=9')": {2: "M=4;N=4;K=8;K=9"},
    "workload: M=5 is more than the 4 of the array; tiles=... repeats it": {2: "M=5;N=4;K=8"},
    "more than 268,435,456 MACs or PEs; archsim clocks fewer": {2: "M=4;N=4;K=999999999"},
}


def test_all_faults_of_a_table_are_told_at_once_with_their_lines(tmp_path) -> None:
    rows = [tuple(change.get(i, cell) for i, cell in enumerate(OS_ROW)) for change in RAW_FAULTS.values()]
    conv = ("CONV_ACC", "4x5 PEs;kernel 4x4", "ifm 64x64x8;ofm 60x61x8", 1, 2, "all")
    path = write(tmp_path / "bad.csv", [*rows, conv, conv[:3]])
    with pytest.raises(ConfigError) as problem:
        rtl_suite(path)
    said = str(problem.value).splitlines()
    wanted = [
        *RAW_FAULTS,
        "params must give the tile (found '4x5 PEs;kernel 4x4'), as in '4x5 PEs;tile width 16;kernel 4x4'",
        "3 cells under 6 columns",
    ]
    for line, (found, fault) in enumerate(zip(said, wanted, strict=True), start=2):
        assert found.startswith(f"{path}:{line}: {fault}")


ARRAY_COLUMNS = (
    "design",
    "rows",
    "columns",
    "dataflow",
    "pixels",
    "window",
    "filters",
    "settings",
    "last_output_cycle",
)
PE_COLUMNS = (
    "design",
    "filters",
    "channels",
    "taps",
    "outputs",
    "stride",
    "images",
    "first_output_cycle",
    "last_output_cycle",
)


@pytest.mark.parametrize(
    ("columns", "row", "faults"),
    [
        (ARRAY_COLUMNS, ("x", 0, 4, "output_stationary", "a", 8, 4, "", 18),
         ["rows must be a whole number of at least 1 (found '0')", "pixels must be a whole number of at least 1 (found 'a')"]),
        (ARRAY_COLUMNS, ("x", 4, 4, "os", 4, 8, 4, "", 18), ["dataflow must be weight_stationary, output_stationary"]),
        (ARRAY_COLUMNS, ("x", 4, 4, "output_stationary", 4, 8, 4, "pe_latenci=4", 18),
         ["settings: no setting is named 'pe_latenci'. Did you mean 'pe_latency'?"]),
        (ARRAY_COLUMNS, ("x", 4, 4, "output_stationary", 4, 8, 4, "os_drain=sideways", 18),
         ["settings: os_drain must be none, shift_rows, shift_columns (found 'sideways')"]),
        (ARRAY_COLUMNS, ("x", 4, 4, "output_stationary", 4, 8, 4, "psum_hop=2", 18), ["pe_array.psum_hop (=2) is a setting of"]),
        (PE_COLUMNS, ("pe.v", 1, 1, 3, 0, 1, 1, 8, 23), ["outputs must be a whole number of at least 1 (found '0')"]),
    ],
)  # fmt: skip
def test_faults_of_the_other_two_tables_are_told(columns, row, faults, tmp_path) -> None:
    path = write(tmp_path / "bad.csv", [row], columns)
    with pytest.raises(ConfigError) as problem:
        rtl_suite(path)
    for found, fault in zip(str(problem.value).splitlines(), faults, strict=True):
        assert found.startswith(f"{path}:2: {fault}")


def test_a_table_of_something_else_is_refused(tmp_path) -> None:
    path = write(tmp_path / "other.csv", [], ("design", "params"))
    with pytest.raises(
        ConfigError, match=r"other.csv:1: RTL cycles need the columns design, params, .*missing: workload"
    ):
        rtl_suite(path)


def test_the_suite_runs_among_the_others(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(SUITES, "rtl", rtl_suite)
    (suite,) = run_suites(["rtl"], SHIPPED)
    assert (suite.name, suite.reference, suite.passes) == ("rtl", str(SHIPPED), True)
    good = CliRunner().invoke(app, ["validate", "rtl"])
    assert good.exit_code == 0
    assert "rtl: pass: all bounds of 8 tiers hold; 4 skipped" in good.output
    bad = write(tmp_path / "off.csv", [(*OS_ROW[:4], 19, "all")])
    result = CliRunner().invoke(app, ["validate", "rtl", "--reference", str(bad), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)[0]["tiers"][0]["rows"][0]["simulated"] == 18
