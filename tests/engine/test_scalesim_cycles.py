"""Every reference run of SCALE-Sim 3.0, through the files that SCALE-Sim itself reads.

Rows are grouped by configuration; each group is one .cfg and one topology .csv, run as a user would.
"""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from archsim.catalog import load_arch, load_workload
from archsim.study.simulate import simulate

GOLDEN = Path(__file__).parents[1] / "golden" / "scalesim_cycles.csv"
CONFIG = ("dataflow", "array_rows", "array_cols", "bw_mode", "sram_ifmap_kB", "sram_filter_kB", "sram_ofmap_kB")
HEADER = "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Stride h,Stride w,"


def _groups() -> dict[tuple[str, ...], list[dict[str, str]]]:
    groups: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    with GOLDEN.open(newline="") as file:
        for row in csv.DictReader(file):
            groups[tuple(row[key] for key in CONFIG)].append(row)
    return groups


GROUPS = _groups()


def _write_cfg(path: Path, config: tuple[str, ...]) -> Path:
    dataflow, rows, columns, mode, ifmap, weight, ofmap = config
    path.write_text(
        f"[general]\nrun_name = golden\n[architecture_presets]\nArrayHeight : {rows}\nArrayWidth : {columns}\n"
        f"IfmapSramSzkB: {ifmap}\nFilterSramSzkB: {weight}\nOfmapSramSzkB: {ofmap}\n"
        f"IfmapOffset: 0\nFilterOffset: 10000000\nOfmapOffset: 20000000\nDataflow : {dataflow}\nBandwidth : 10\n"
        f"[run_presets]\nInterfaceBandwidth: {mode}\n"
    )
    return path


def _write_topology(path: Path, rows: list[dict[str, str]]) -> Path:
    shape = ("ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride_h", "stride_w")
    lines = [",".join([f"layer{i}", *(row[key] for key in shape)]) + "," for i, row in enumerate(rows)]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def test_the_golden_file_holds_all_reference_runs() -> None:
    assert sum(map(len, GROUPS.values())) == 2001


@pytest.mark.parametrize("config", sorted(GROUPS), ids="-".join)
def test_cycles_folds_and_sram_counts_equal_scalesim(config: tuple[str, ...], tmp_path: Path) -> None:
    rows = GROUPS[config]
    arch = load_arch(_write_cfg(tmp_path / "scale.cfg", config)).with_ideal_dram()
    result = simulate(arch, load_workload(_write_topology(tmp_path / "topology.csv", rows)))
    for layer, row in zip(result.layers, rows, strict=True):
        assert layer.compute_cycles == int(row["demand_lines"]), row["id"]
        assert layer.total_cycles == layer.compute_cycles, row["id"]
        assert layer.folds == int(row["row_folds"]) * int(row["col_folds"]), row["id"]
        digits = 2 if row["source"].endswith("console_only_partial_network") else 9
        assert layer.mapping_efficiency * 100 == pytest.approx(float(row["mapping_eff_pct"]), abs=0.5 * 10**-digits)
        if row["sram_ifmap_reads"]:
            _check_sram_counts(layer.run.traffic, row)


def _check_sram_counts(traffic: tuple, row: dict[str, str]) -> None:
    glb = {(each.operand.value, each.direction.value): each.words for each in traffic if each.level == "glb"}
    assert glb["ifmap", "read"] == int(row["sram_ifmap_reads"]), row["id"]
    assert glb["weight", "read"] == int(row["sram_filter_reads"]), row["id"]
    # SCALE-Sim counts R + C ofmap writes too many per fold in OS (its issue 166): semantics.md, section 4.
    too_many = int(row["row_folds"]) * int(row["col_folds"]) * (int(row["array_rows"]) + int(row["array_cols"]))
    writes = int(row["sram_ofmap_writes"]) - (too_many if row["dataflow"] == "os" else 0)
    assert glb.get(("psum", "write"), 0) + glb["ofmap", "write"] == writes, row["id"]
