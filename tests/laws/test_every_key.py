"""Every key of an arch file changes some output, or is rejected: no key is dead.

The keys are walked from the schema itself, so a new one fails here until it has a case.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.arch.schema import ArchKeys
from archsim.catalog import load_arch, load_workload
from archsim.cost.energy_table import OVERRIDE_KEYS
from archsim.errors import ArchsimError
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.study.simulate import simulate
from archsim.workload.network import Workload
from tests.laws.brick_keys import BRICK_CASES
from tests.laws.broadcast_keys import BROADCAST_CASES
from tests.laws.outputs import counters, keys_of, printed, write_network
from tests.laws.planar_keys import PLANAR_CASES
from tests.laws.row_keys import CHANNEL_CASES, FIXED, ROW_CASES, ROW_SAID

TOP = Path(__file__).parents[2]
NETWORK = {
    "schema": "archsim/workload/v1",
    "name": "small",
    "layers": [
        {"name": "conv1", "op": "conv", "in_channels": 5, "ifmap": [12, 12], "kernel": 3, "padding": 1, "out_channels": 40},
        {"name": "relu1", "op": "relu", "elements": 5760},
        {"name": "conv2", "op": "conv", "in_channels": 40, "ifmap": [12, 12], "kernel": 3, "out_channels": 70, "zero_fractions": {"ifmap": 0.5}},
        {"name": "fc", "op": "fc", "inner": 7000, "columns": 50},
    ],
}  # fmt: skip
OS = ("pe_array.dataflow=os", "pe_array.weight_regs=1")
ONE_REGISTER = ("pe_array.weight_regs=1",)
PARTITIONS = (
    "levels.unified_buffer.holds=[ifmap]", "levels.unified_buffer.capacity_bytes=null",
    "levels.unified_buffer.keep_bytes=0", "levels.unified_buffer.partition_bytes={ifmap: 4000000}",
)  # fmt: skip
SMALL_BUFFER = ("levels.unified_buffer.keep_bytes=0", "levels.unified_buffer.capacity_bytes=4000")
NARROW_BANKS = ("levels.unified_buffer.width_bytes=2", "levels.unified_buffer.banks=16")

LOGARITHMS = ("formats={ifmap: lns8, weight: lns8, psum: lns16}",)
LOG_ADDER = "pe_array.log_adder={fraction_bits: 6, entries: 64, reach_octaves: 8}"
BANKS = ("levels.dram.device=DDR4_2400", "levels.unified_buffer.keep_bytes=0")
ARCH_CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "clock_mhz": ((), "clock_mhz=350"),
    "technology_nm": ((), "technology_nm=45"),
    "pe_array": ((), "pe_array={rows: 8, columns: 8, dataflow: os}"),
    "pe_array.rows": ((), "pe_array.rows=16"),
    "pe_array.columns": ((), "pe_array.columns=16"),
    "pe_array.dataflow": (ONE_REGISTER, "pe_array.dataflow=os"),
    "pe_array.weight_regs": ((), "pe_array.weight_regs=1"),
    "pe_array.psum_hop": ((), "pe_array.psum_hop=2"),
    "pe_array.act_hop": ((), "pe_array.act_hop=0"),
    "pe_array.pe_latency": ((), "pe_array.pe_latency=3"),
    "pe_array.input_regs": ((), "pe_array.input_regs=1"),
    "pe_array.output_regs": ((), "pe_array.output_regs=1"),
    "pe_array.weight_load_cycles": (ONE_REGISTER, "pe_array.weight_load_cycles=5"),
    "pe_array.weight_switch_gap": ((), "pe_array.weight_switch_gap=300"),
    "pe_array.load_granularity": (ONE_REGISTER, "pe_array.load_granularity=column"),
    "pe_array.os_fold": (OS, "pe_array.os_fold=patch"),
    "pe_array.os_drain": (OS, "pe_array.os_drain=shift_rows"),
    "pe_array.drain_overlap": (OS, "pe_array.drain_overlap=true"),
    "pe_array.k_tile": (OS, "pe_array.k_tile=16"),
    "pe_array.k_tile_keeps_psum": ((*OS, "pe_array.k_tile=16"), "pe_array.k_tile_keeps_psum=false"),
    "pe_array.edge_folds": ((), "pe_array.edge_folds=trimmed"),
    "pe_array.start_event": ((), "pe_array.start_event=first_activation"),
    "pe_array.structured_sparsity": ((), "pe_array.structured_sparsity=true"),
    "pe_array.log_adder": (LOGARITHMS, "pe_array.log_adder={fraction_bits: 6}"),
    "pe_array.log_adder.kind": ((*LOGARITHMS, LOG_ADDER), "pe_array.log_adder={fraction_bits: 6, kind: bitshift}"),
    "pe_array.log_adder.fraction_bits": ((*LOGARITHMS, LOG_ADDER), "pe_array.log_adder.fraction_bits=7"),
    "pe_array.log_adder.entries": ((*LOGARITHMS, LOG_ADDER), "pe_array.log_adder.entries=16"),
    "pe_array.log_adder.latency_cycles": ((*LOGARITHMS, LOG_ADDER), "pe_array.log_adder.latency_cycles=2"),
    "vector_unit": ((), "vector_unit=null"),
    "vector_unit.lanes": ((), "vector_unit.lanes=8"),
    "vector_unit.ops_per_cycle": ((), "vector_unit.ops_per_cycle=2"),
    "formats": ((), "formats={ifmap: int4, weight: int4, psum: int16}"),
    "formats.ifmap": ((), "formats.ifmap=int16"),
    "formats.weight": ((), "formats.weight=int16"),
    "formats.psum": ((), "formats.psum=int16"),
    "formats.ofmap": ((), "formats.ofmap=int16"),
    "formats.follow_workload": ((), "formats.follow_workload=true"),
    "levels": ((), "levels=[{name: dram, kind: dram, bandwidth_bytes_per_cycle: 8}]"),
    "levels.sram.name": ((), "levels.0.name=sums"),
    "levels.sram.holds": ((), "levels.weight_buffer.holds=[weight, psum]"),  # rejected: two levels hold psum
    "levels.sram.capacity_bytes": ((), "levels.unified_buffer.capacity_bytes=3150000"),
    "levels.sram.partition_bytes": (PARTITIONS, "levels.unified_buffer.partition_bytes={ifmap: 300}"),
    "levels.sram.banks": ((), "levels.accumulators.banks=1"),
    "levels.sram.ports": ((), "levels.accumulators.ports=2"),
    "levels.sram.width_bytes": ((), "levels.accumulators.width_bytes=32"),
    "levels.sram.interleave_bytes": (NARROW_BANKS, "levels.unified_buffer.interleave_bytes=64"),
    "levels.sram.cell": ((), "levels.unified_buffer.cell=hp"),
    "levels.sram.double_buffered": (SMALL_BUFFER, "levels.unified_buffer.double_buffered=false"),
    "levels.sram.keep_bytes": ((), "levels.unified_buffer.keep_bytes=0"),
    "levels.sram.packing_bits": (("formats.weight=int5",), "levels.weight_buffer.packing_bits=16"),
    "levels.sram.keeps_weights": (
        ("levels.weight_buffer.capacity_bytes=1000000",),
        "levels.weight_buffer.keeps_weights=true",
    ),
    "levels.dram.name": ((), "levels.dram.name=hbm"),
    "levels.dram.bandwidth_bytes_per_cycle": ((), "levels.dram.bandwidth_bytes_per_cycle=2"),
    "levels.dram.latency_cycles": ((), "levels.dram.latency_cycles=0"),
    "levels.dram.compression": ((), "levels.dram.compression=rlc5"),
    "levels.dram.packing_bits": (("formats.weight=int5",), "levels.dram.packing_bits=16"),
    "levels.dram.channels": (BANKS, "levels.dram.channels=2"),
    "levels.dram.mapping": (BANKS, "levels.dram.mapping=chrorabgbaco"),
    "levels.dram.page_policy": (BANKS, "levels.dram.page_policy=closed"),
    "levels.dram.outstanding_reads": (BANKS, "levels.dram.outstanding_reads=1"),
    "levels.dram.layout": (BANKS, "levels.dram.layout=tiled"),
    "levels.dram.path_cycles": (BANKS, "levels.dram.path_cycles=200"),
    "levels.dram.energy_device": ((), "levels.dram.energy_device=LPDDR4_3200"),
    "energy": ((), "energy={overrides: {dram_pj_per_bit: 1}}"),
    "energy.table": ((), "energy.table=dear.yaml"),
    "energy.node_nm": ((), "energy.node_nm=65"),
    "energy.overrides": ((), "energy.overrides={dram_pj_per_bit: 1}"),
    **ROW_CASES,
    **CHANNEL_CASES,
    **BROADCAST_CASES,
    **BRICK_CASES,
    **PLANAR_CASES,
}
"""Key -> settings that make it matter, and the setting that changes it."""

ARCH_REJECTED = {
    "schema": "schema=archsim/arch/v2",
    "levels.sram.kind": "levels.0.kind=dram",
    "levels.dram.kind": "levels.dram.kind=sram",
    "levels.dram.device": "levels.dram.device=ddr4",  # and changes the output: see below
    "levels.sram.holds": "levels.weight_buffer.holds=[weight, psum]",
}
ARCH_SAID = ROW_SAID | {
    "pe_array.log_adder.reach_octaves": ((*LOGARITHMS, LOG_ADDER), "pe_array.log_adder.reach_octaves=4")
}
"""Moves values, not counters: what it is stands among the assumptions of the run."""
ARCH_SHOWN = {"name": "name=zebra", "source": "source=Zebra et al"}
ARCH_CHECKED = {
    "validation": "validation={state: validated, against: zebras}",
    "validation.state": "validation.state=estimated",
    "validation.against": "validation.against=zebras",
}


@pytest.fixture
def chip(tmp_path: Path) -> Path:
    """tpu_like, with an energy table beside it in which the DRAM link costs twice as much."""
    table = (TOP / "archsim/cost/tables/default.yaml").read_text()
    assert "DDR4: {value: 7," in table
    (tmp_path / "dear.yaml").write_text(table.replace("DDR4: {value: 7,", "DDR4: {value: 14,"))
    (tmp_path / "chip.yaml").write_text((TOP / "arch_configs/tpu_like.yaml").read_text())
    return tmp_path / "chip.yaml"


def network_for(key: str, folder: Path) -> Path:
    """The small network; for structured sparsity a topology that has some."""
    if key != "pe_array.structured_sparsity":
        return write_network(folder, NETWORK)
    path = folder / "sparse.csv"
    path.write_text(
        "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides, Sparsity\n"
        "c1, 9, 9, 3, 3, 16, 20, 1, 2:4\n"
    )
    return path


def test_every_key_of_an_arch_file_has_a_case() -> None:
    assert set(keys_of(ArchKeys)) == {
        *ARCH_CASES,
        *ARCH_REJECTED,
        *ARCH_SHOWN,
        *ARCH_CHECKED,
        *ARCH_SAID,
        "mapping.layers.n",
    }


@pytest.mark.parametrize("key", [key for key in ARCH_CASES if key not in ARCH_REJECTED])
def test_an_arch_key_changes_an_output(chip: Path, tmp_path: Path, key: str) -> None:
    base, change = ARCH_CASES[key]
    workload = load_workload(network_for(key, tmp_path))
    if key == "formats.follow_workload":
        workload = with_formats(workload)
    before = simulate(load_arch(chip, base), workload)
    after = simulate(load_arch(chip, (*base, change)), workload)
    assert counters(before) != counters(after)


def with_formats(workload: Workload) -> Workload:
    """The same network with narrower formats of its own."""
    formats = OperandFormats(**{name: parse_format(each) for name, each in (
        ("ifmap", "uint6"), ("weight", "int5"), ("psum", "int24"), ("ofmap", "uint6"))})  # fmt: skip
    return replace(workload, layers=tuple(replace(layer, formats=formats) for layer in workload.layers))


@pytest.mark.parametrize("key", ARCH_SAID)
def test_an_arch_key_that_moves_no_counter_changes_what_is_said(chip: Path, tmp_path: Path, key: str) -> None:
    base, change = ARCH_SAID[key]
    workload = load_workload(network_for(key, tmp_path))
    runs = [simulate(load_arch(chip, settings), workload) for settings in (base, (*base, change))]
    said = [(run.energy_assumptions, run.model_assumptions) for run in runs]  # without the settings that a user gave
    assert said[0] != said[1]


def test_images_of_a_pass_change_an_output(chip: Path, tmp_path: Path) -> None:
    workload = load_workload(network_for("mapping.layers.n", tmp_path), batch=4)
    before, after = (
        simulate(load_arch(chip, settings), workload) for settings in (FIXED, (*FIXED, "mapping.layers.0.n=2"))
    )
    assert counters(before) != counters(after)


def test_what_a_level_holds_changes_an_output(chip: Path, tmp_path: Path) -> None:
    workload = load_workload(network_for("holds", tmp_path))
    settings = ("levels.unified_buffer.keep_bytes=0", "levels.unified_buffer.holds=[ifmap]")
    before, after = (simulate(load_arch(chip, chosen), workload) for chosen in (settings[:1], settings))
    assert counters(before) != counters(after)


def test_the_dram_device_changes_an_output(chip: Path, tmp_path: Path) -> None:
    workload = load_workload(network_for("device", tmp_path))
    runs = [
        simulate(load_arch(chip, (f"levels.dram.device={name}",)), workload) for name in ("LPDDR4_3200", "DDR4_2400")
    ]
    assert counters(runs[0]) != counters(runs[1])


@pytest.mark.parametrize("key", OVERRIDE_KEYS)
def test_every_override_of_the_energy_table_changes_an_output(chip: Path, tmp_path: Path, key: str) -> None:
    workload = load_workload(network_for(key, tmp_path))
    before, after = (
        simulate(load_arch(chip, chosen), workload) for chosen in ((), (f"energy.overrides={{{key}: 123.5}}",))
    )
    assert counters(before) != counters(after)


@pytest.mark.parametrize("key", ARCH_REJECTED)
def test_an_arch_key_with_one_right_value_rejects_others(chip: Path, key: str) -> None:
    with pytest.raises(ArchsimError, match=key.rsplit(".", maxsplit=1)[-1]):
        load_arch(chip, [ARCH_REJECTED[key]])


@pytest.mark.parametrize("key", ARCH_SHOWN)
def test_a_name_or_source_of_an_arch_is_shown(chip: Path, tmp_path: Path, key: str) -> None:
    workload = load_workload(network_for(key, tmp_path))
    value = ARCH_SHOWN[key].partition("=")[2]
    assert value in printed(simulate(load_arch(chip, [ARCH_SHOWN[key]]), workload))
    assert value not in printed(simulate(load_arch(chip), workload))


@pytest.mark.parametrize("key", ARCH_CHECKED)
def test_what_an_arch_was_checked_against_is_told_by_every_run_and_list(chip: Path, tmp_path: Path, key: str) -> None:
    workload = load_workload(network_for(key, tmp_path))
    before, after = (simulate(load_arch(chip, settings), workload) for settings in ((), (ARCH_CHECKED[key],)))
    assert printed(before) != printed(after)
    assert before.summary()["arch"]["validation"] != after.summary()["arch"]["validation"]
