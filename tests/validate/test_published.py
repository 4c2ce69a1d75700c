"""Published rows of chips: what is read, what is taken from a run, and Eyeriss as measured."""

from math import fsum
from pathlib import Path

import pytest

from archsim.arch.architecture import Architecture
from archsim.catalog import load_arch, load_workload
from archsim.errors import ConfigError
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.validate.eyeriss import BOUNDS, SHIPPED, eyeriss_suite
from archsim.validate.published import published_suite
from archsim.validate.published_rows import COLUMNS, PublishedRow, read_published
from archsim.validate.quantities import QUANTITIES, MeasuredLayers
from archsim.validate.suite import Bound, Row, Statistic, SuiteResult

HEADER = ",".join(COLUMNS)
UNIT_WORDS = {"%": "percent", "TOPS/W": "tops_per_watt", "fps": "frames_per_second"}
"""Units that are spelled out in names."""


@pytest.fixture(scope="module")
def run() -> RunResult:
    return simulate(load_arch("os_16x16"), load_workload("lenet5", batch=2))


@pytest.fixture
def rows(tmp_path: Path):
    def write(*lines: str) -> Path:
        path = tmp_path / "rows.csv"
        path.write_text("\n".join((HEADER, *lines)) + "\n")
        return path

    return write


def ours(run: RunResult, quantity: str, layer: str = "") -> float:
    measure = QUANTITIES[quantity].of_layers
    assert measure is not None
    return measure(MeasuredLayers.of(run, layer))


def test_a_latency_is_cycles_at_the_clock_of_the_chip(run: RunResult) -> None:
    first = run.layers[0]
    clock_hz = 500e6
    processing = (first.compute_cycles + first.onchip_stall_cycles) / clock_hz * 1e3
    assert first.dram_stall_cycles > 0
    assert ours(run, "processing_latency_ms", first.layer) == pytest.approx(processing)
    assert ours(run, "total_latency_ms", first.layer) == pytest.approx(first.total_cycles / clock_hz * 1e3)


def test_a_pattern_sums_up_the_layers_that_it_matches_and_nothing_all_of_them(run: RunResult) -> None:
    convs = [each.total_cycles for each in run.layers if each.layer.startswith("conv")]
    assert 1 < len(convs) < len(run.layers)
    assert ours(run, "total_cycles", "conv*") == sum(convs)
    assert ours(run, "total_cycles") == run.total_cycles


def test_whole_network_figures_are_those_of_the_run(run: RunResult) -> None:
    assert ours(run, "frames_per_second") == pytest.approx(run.frames_per_second)
    assert ours(run, "tops") == pytest.approx(run.tops)
    assert ours(run, "utilization_percent") == pytest.approx(100 * run.utilization)
    assert ours(run, "dram_MB") == pytest.approx(run.dram_bytes / 1e6)
    assert ours(run, "macs_M") == pytest.approx(run.macs / 1e6)


def test_frames_of_some_layers_take_their_time_alone(run: RunResult) -> None:
    seconds = sum(each.total_cycles for each in run.layers if each.layer.startswith("conv")) / 500e6
    assert ours(run, "frames_per_second", "conv*") == pytest.approx(2 / seconds)


def test_glb_bytes_leave_out_what_dram_writes_of_the_ifmap(run: RunResult) -> None:
    first = run.layers[0]
    every = sum(row.bytes for row in first.run.traffic if row.level == "glb")
    filled = 2 * 28 * 28  # two images of 28 x 28 bytes come from DRAM once
    assert ours(run, "glb_MB", first.layer) == pytest.approx((every - filled) / 1e6)


def test_chip_power_has_no_part_of_dram(run: RunResult) -> None:
    parts = run.energy_components
    inside = fsum(parts[name] for name in ("mac", "spad", "glb", "vector", "wires", "leakage"))
    outside = {name for name in parts if name.startswith("dram")}
    assert len(outside) > 1
    assert ours(run, "chip_power_mW") == pytest.approx(inside * 1e-12 / run.seconds * 1e3)


@pytest.mark.parametrize(("arch", "gops"), [("os_16x16", 256.0), ("tpu_like", 1433.6)])
def test_the_peak_rate_is_two_operations_per_multiplier_and_cycle(arch: str, gops: float) -> None:
    # 2 x 16 x 16 x 0.5 GHz; 2 x 32 x 32 x 0.7 GHz
    measure = QUANTITIES["peak_gops"].of_arch
    assert measure is not None
    assert measure(load_arch(arch)) == pytest.approx(gops)


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_is_taken_from_the_chip_or_from_a_run(name: str, run: RunResult) -> None:
    quantity = QUANTITIES[name]
    assert (quantity.of_layers is None) != (quantity.of_arch is None)
    assert name.lower().endswith(UNIT_WORDS.get(quantity.unit, quantity.unit).lower())
    if quantity.of_layers is not None:
        assert quantity.of_layers(MeasuredLayers.of(run, "")) >= 0


def test_rows_are_read_as_they_stand(rows) -> None:
    path = rows(
        "# mine", 'os_16x16,lenet5,conv1,2,total_cycles,cycles,5000,"me, today",True,"odd, but so"', "",
        "tpu_like,,,,peak_gops,GOPS,1433.6,sheet,false,not gated: at another clock",
    )  # fmt: skip
    assert read_published(path) == [
        PublishedRow(chip="os_16x16", workload="lenet5", layer="conv1", batch=2, quantity="total_cycles",
                     published=5000.0, source="me, today", from_memory=True, note="odd, but so"),
        PublishedRow(chip="tpu_like", quantity="peak_gops", published=1433.6, source="sheet",
                     note="at another clock", is_gated=False),
    ]  # fmt: skip


def test_all_faults_of_a_file_are_told_at_once_with_their_lines(rows) -> None:
    path = rows(
        "os_16x1,lenet5,conv1,2,total_cycles,cycles,5000,me,false,",
        "os_16x16,lenet,conv1,2,total_cycle,cycles,5000,me,false,",
        "os_16x16,lenet5,conv9,0,dram_MB,MiB,-1,,perhaps,",
        "os_16x16,lenet5,,2,peak_gops,GOPS,nan,me,false,",
        "os_16x16,,,,total_cycles,cycles,5,me,false,",
        "os_16x16,lenet5,,2,total_cycles,cycles,5,me, you,false,",
    )
    with pytest.raises(ConfigError) as caught:
        read_published(path)
    faults = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    expected = [
        "2: chip: no arch is named 'os_16x1'. Did you mean 'os_16x16'?",
        "3: no quantity is named 'total_cycle'. Did you mean 'total_cycles'?",
        "3: workload: no workload is named 'lenet'. Did you mean 'lenet5'?",
        "4: unit of dram_MB must be MB (found 'MiB')",
        "4: layer 'conv9' is none of lenet5. Did you mean 'conv",
        "4: batch must be a whole number of at least 1, or empty (found '0')",
        "4: published must be a number of at least 0 (found '-1')",
        "4: source is empty: say where the number stands",
        "4: from_memory must be true or false (found 'perhaps')",
        "5: peak_gops is a number of the chip alone; leave workload and batch empty",
        "5: published must be a number of at least 0 (found 'nan')",
        "6: workload is empty: total_cycles needs one",
        "7: 11 cells under 10 columns; a cell with a comma in it needs quotes",
    ]
    assert len(faults) == len(expected)
    for fault, start in zip(faults, expected, strict=True):
        assert fault.startswith(start)


def test_a_missing_column_and_an_empty_table_are_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("# rows\nchip,workload\nos_16x16,lenet5\n")
    with pytest.raises(ConfigError, match=r"r\.csv:2: published rows need the columns .* missing: layer, batch"):
        read_published(path)
    path.write_text(HEADER + "\n")
    with pytest.raises(ConfigError, match=r"r\.csv: holds no rows"):
        read_published(path)


def row(layer: str, published: float, chip: str = "os_16x16", quantity: str = "total_cycles") -> PublishedRow:
    return PublishedRow(
        chip=chip, workload="lenet5", layer=layer, batch=2, quantity=quantity, published=published, source="s"
    )


def test_each_network_runs_once_and_a_tier_holds_a_quantity_of_a_chip(
    run: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def count(arch: Architecture, workload: object) -> RunResult:
        ran.append(arch.name)
        return run

    monkeypatch.setattr("archsim.validate.published.simulate", count)
    result = published_suite(
        "s", [row("conv1", 1), row("conv*", 1), row("", 1), row("conv1", 1, quantity="dram_MB"), row("conv1", 1, "tpu_like")],
        {"total_cycles": (Bound(statistic=Statistic.MAX, limit=9.0),)}, reference="r",
    )  # fmt: skip
    assert ran == ["os_16x16", "tpu_like"]
    assert [(tier.name, len(tier.rows), len(tier.bounds)) for tier in result.tiers] == [
        ("os_16x16 total cycles", 3, 1), ("os_16x16 DRAM accesses", 1, 0), ("tpu_like total cycles", 1, 1)
    ]  # fmt: skip
    assert [(each.case, each.is_total) for each in result.tiers[0].rows] == [
        ("conv1", False), ("conv* total", True), ("all layers", True)
    ]  # fmt: skip


def test_a_row_gets_what_a_run_of_the_whole_network_gives(run: RunResult) -> None:
    conv2 = next(each for each in run.layers if each.layer == "conv2")
    result = published_suite("s", [row("conv2", conv2.total_cycles)], {}, reference="r")
    assert [each.simulated for each in result.tiers[0].rows] == [conv2.total_cycles]
    assert result.tiers[0].name == "total cycles"


@pytest.fixture(scope="module")
def eyeriss() -> SuiteResult:
    return eyeriss_suite()


def test_the_shipped_rows_add_up_to_their_totals() -> None:
    for quantity in ("macs_M", "processing_latency_ms", "total_latency_ms", "glb_MB", "dram_MB"):
        found = [each for each in read_published(SHIPPED) if (each.workload, each.quantity) == ("alexnet", quantity)]
        layers = fsum(each.published for each in found if not each.is_total)
        (total,) = [each.published for each in found if each.is_total]
        assert layers == pytest.approx(total, rel=1e-3)


@pytest.mark.parametrize("quantity", BOUNDS)
def test_eyeriss_keeps_the_bounds_of_every_quantity(eyeriss: SuiteResult, quantity: str) -> None:
    tier = next(each for each in eyeriss.tiers if each.quantity == QUANTITIES[quantity].label)
    assert tier.count() >= 4 or tier.count(is_of_totals=True)
    assert not tier.broken


def alexnet_rows(result: SuiteResult) -> list[tuple[str, Row]]:
    return [(tier.quantity, row) for tier in result.tiers for row in tier.rows if row.group.startswith("alexnet")]


def test_of_alexnet_only_the_glb_count_that_contradicts_the_published_mapping_is_spared(eyeriss: SuiteResult) -> None:
    spared = [(quantity, row.case) for quantity, row in alexnet_rows(eyeriss) if not row.is_gated]
    assert spared == [("GLB accesses", "conv3"), ("GLB accesses", "conv* total")]


def test_whatever_is_spared_says_why(eyeriss: SuiteResult) -> None:
    assert all(row.note for tier in eyeriss.tiers for row in tier.rows if not row.is_gated)


def test_what_was_recalled_is_marked(eyeriss: SuiteResult) -> None:
    recalled = [(quantity, row.case) for quantity, row in alexnet_rows(eyeriss) if row.is_recalled]
    assert recalled == [("processing latency", "conv* total")]


def test_a_row_of_a_layer_that_the_chip_does_not_run_is_refused() -> None:
    row = PublishedRow(
        chip="eyeriss_v1", workload="alexnet", layer="norm1", quantity="total_cycles", published=5.0, source="x"
    )
    with pytest.raises(
        ConfigError, match=r"total_cycles of norm1 of alexnet on eyeriss_v1: not simulated: .*vector_unit"
    ):
        published_suite("mine", [row], {}, reference="a test")
