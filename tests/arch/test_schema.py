"""The arch file: what it becomes, and what is said of one that is wrong, word for word."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.arch.architecture import VectorUnit
from archsim.arch.pe_array import LoadGranularity, OsDrain, PeArray
from archsim.arch.schema import PeArrayKeys, read_arch_yaml
from archsim.config_file import read_yaml
from archsim.errors import ConfigError
from archsim.terms import HELD_OPERANDS, Dataflow, Operand

Write = Callable[..., Path]
PE_ARRAY = "{rows: 8, columns: 4, dataflow: weight_stationary}"
GLB = "{name: glb, kind: sram, capacity_bytes: 4096, holds: [ifmap, psum]}"
DRAM = "{name: dram, kind: dram, bandwidth_bytes_per_cycle: 2.5, latency_cycles: 40}"


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_arch_yaml(path)
    return str(caught.value).splitlines()


def test_a_file_becomes_the_architecture_it_describes(write_arch: Write) -> None:
    path = write_arch()
    arch = read_arch_yaml(path)
    assert (arch.name, arch.source, arch.clock_mhz, arch.technology_nm) == ("small", "nobody built it", 200, 65)
    assert arch.pe_array == PeArray(rows=8, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY)
    assert [level.name for level in arch.srams] == ["glb", "wbuf"]
    assert arch.srams[0].holds == {Operand.IFMAP, Operand.PSUM}
    assert (arch.dram.bandwidth_bytes_per_cycle, arch.dram.latency_cycles, arch.dram.is_ideal) == (2.5, 40, False)
    assert (arch.vector_unit, arch.assumptions) == (None, ())
    assert arch.content_hash == read_yaml(path, ConfigError).content_hash


def test_what_a_file_leaves_out_takes_its_default(write_arch: Write) -> None:
    arch = read_arch_yaml(write_arch())
    assert arch.formats.ofmap == arch.formats.ifmap
    assert (arch.energy.table, arch.energy.node_nm, arch.energy.overrides) == ("default", 65, ())
    glb = arch.srams[0]
    assert (glb.banks, glb.ports, glb.width_bytes, glb.double_buffered, glb.keep_bytes) == (1, 1, None, True, 0)


def test_the_pe_array_keys_are_the_fields_of_pe_array_with_its_defaults() -> None:
    keys = {name: field.default for name, field in PeArrayKeys.model_fields.items() if not field.is_required()}
    fields = {
        field.name: field.default for field in dataclasses.fields(PeArray) if field.default is not dataclasses.MISSING
    }
    assert keys == fields


def test_every_setting_of_the_pe_array_reaches_it(write_arch: Write) -> None:
    ws = read_arch_yaml(
        write_arch((PE_ARRAY, "{rows: 8, columns: 4, dataflow: is, psum_hop: 4, act_hop: 0, pe_latency: 3, input_regs: 1,"
                    " output_regs: 2, weight_load_cycles: 9, load_granularity: column, edge_folds: trimmed,"
                    " start_event: first_activation, structured_sparsity: true}"))
    ).pe_array  # fmt: skip
    assert (ws.dataflow, ws.psum_hop, ws.act_hop, ws.pe_latency) == (Dataflow.INPUT_STATIONARY, 4, 0, 3)
    assert (ws.input_regs, ws.output_regs, ws.weight_load_cycles) == (1, 2, 9)
    assert (ws.load_granularity, ws.edge_folds, ws.start_event) == (
        LoadGranularity.COLUMN,
        "trimmed",
        "first_activation",
    )
    assert ws.structured_sparsity
    os = read_arch_yaml(
        write_arch((PE_ARRAY, "{rows: 8, columns: 4, dataflow: os, os_drain: shift_columns, drain_overlap: true,"
                    " k_tile: 7, k_tile_keeps_psum: false}"))
    ).pe_array  # fmt: skip
    assert (os.os_drain, os.drain_overlap, os.k_tile, os.k_tile_keeps_psum) == (OsDrain.SHIFT_COLUMNS, True, 7, False)


def test_vector_unit_and_energy_reach_the_architecture(write_arch: Write) -> None:
    extra = "energy: {table: my.yaml, node_nm: 32, overrides: {mac_int8: 0.5}}\nvector_unit: {lanes: 16, ops_per_cycle: 2}\n"
    arch = read_arch_yaml(write_arch(("levels:\n", extra + "levels:\n")))
    assert arch.vector_unit == VectorUnit(lanes=16, ops_per_cycle=2)
    assert (arch.energy.table, arch.energy.node_nm, arch.energy.overrides) == ("my.yaml", 32, (("mac_int8", 0.5),))


def test_an_energy_table_is_looked_for_beside_the_arch_file(write_arch: Write, tmp_path: Path) -> None:
    write_arch(("levels:\n", "energy: {table: my.yaml}\nlevels:\n"))
    assert read_arch_yaml(tmp_path / "a.yaml").energy.table == str(tmp_path / "my.yaml")


def test_an_exponent_is_a_number_though_yaml_takes_it_for_text(write_arch: Write) -> None:
    assert read_arch_yaml(write_arch(("200", "1e3"))).clock_mhz == 1000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rows: 8", "rows: 8, rowz: 8", "a.yaml:6: pe_array.rowz: no such key (found 8). Did you mean 'rows'?"),
        ("rows: 8", "rows: 0", "a.yaml:6: pe_array.rows: input should be greater than or equal to 1 (found 0)"),
        ("rows: 8", "rows: 65537", "a.yaml:6: pe_array.rows: input should be less than or equal to 65536 (found 65537)"),
        ("rows: 8", "rows: true", "a.yaml:6: pe_array.rows: input should be a valid integer (found True)"),
        ("rows: 8", "rows: 8.0", "a.yaml:6: pe_array.rows: input should be a valid integer (found 8.0)"),
        ("200", ".inf", "a.yaml:4: clock_mhz: input should be a finite number (found inf)"),
        ("200", ".nan", "a.yaml:4: clock_mhz: input should be a finite number (found nan)"),
        ("200", "true", "a.yaml:4: clock_mhz: input should be a valid number (found True)"),
        ("200", "-1", "a.yaml:4: clock_mhz: input should be greater than or equal to 0.000001 (found -1)"),
        ("name: small", "name: ' '", "a.yaml:2: name: must be one line of text, and not empty (found ' ')"),
        ("arch/v1", "arch/v2", "a.yaml:1: schema: input should be 'archsim/arch/v1' (found 'archsim/arch/v2')"),
        ("int4", "int0", "a.yaml:7: formats.weight: 'int0' is not a number format: expected 1 to 128 bits (found 'int0')"),
        ("name: glb", "name: spad", "a.yaml:9: levels.0.name: is what the tables of a run call the registers in the PEs; "
         "choose another name (found 'spad')"),
        ("capacity_bytes: 4096, ", "", "a.yaml:9: levels.0: needs capacity_bytes, or partition_bytes with the bytes of "
         "each operand (found 'glb')"),
        ("4096", "4096, keep_bytes: 4096", "a.yaml:9: levels.0.keep_bytes: must be less than capacity_bytes (=4096): the "
         "layer that runs needs room too (found 4096)"),
        ("4096", "4096, ports: 2", "a.yaml:9: levels.0.ports: needs width_bytes: without a width the level never limits "
         "(found 2)"),
        ("1024", "1024, keep_bytes: 9", "a.yaml:10: levels.1.keep_bytes: keeps one layer's ofmap as a later layer's ifmap: "
         "the level must hold ifmap, and ofmap or psum (found 9)"),
        ("holds: [weight]", "holds: [weight, ifmap]", "a.yaml:10: levels.1.holds: levels 'glb' and 'wbuf' both hold ifmap; "
         "an operand lives in at most one SRAM level (found ['weight', 'ifmap'])"),
        ("name: wbuf", "name: glb", "a.yaml:10: levels.1.name: two levels have this name (found 'glb')"),
        ("kind: dram", "kind: flash", "a.yaml:11: levels.2.kind: must be one of 'sram', 'dram' (found 'flash')"),
        ("kind: dram, ", "", "a.yaml:11: levels.2.kind: this key is required"),
        ("latency", "device: DDR4_240, latency", "a.yaml:11: levels.2.device: must be 'bandwidth', a DRAM device by its "
         "name, or the path of a device's .yaml. Did you mean 'DDR4_2400'? (found 'DDR4_240')"),
        ("latency", "layout: nhwc, latency", "a.yaml:11: levels.2.layout: needs a DRAM device under device "
         "(found 'nhwc')"),
        ("latency", "device: DDR4_2400, mapping: rochraba, latency", "a.yaml:11: levels.2.mapping: lacks 'bg' (bank group), "
         "'co' (column): name every field, also of what the device has once (found 'rochraba')"),
        ("latency", "compresion: rlc5, latency", "a.yaml:11: levels.2.compresion: no such key (found 'rlc5'). Did you mean 'compression'?"),
        ("columns: 4", "columns: 4, zzz: gate", "a.yaml:6: pe_array.zzz: no such key (found 'gate')."),
        ("clock_mhz: 200\n", "", "a.yaml:1: clock_mhz: this key is required"),
    ],
)  # fmt: skip
def test_one_fault_is_told_with_file_line_key_and_remedy(write_arch: Write, old: str, new: str, said: str) -> None:
    assert faults(write_arch((old, new))) == [said]


def test_an_unknown_dataflow_is_refused_with_those_that_are_there(write_arch: Write) -> None:
    (fault,) = faults(write_arch(("weight_stationary", "no_stationary")))
    assert fault.startswith("a.yaml:6: pe_array.dataflow: input should be 'weight_stationary', 'output_stationary', ")
    assert fault.endswith("(found 'no_stationary')")


def test_a_row_stationary_array_without_its_parts_is_told_which(write_arch: Write) -> None:
    assert faults(write_arch(("weight_stationary", "row_stationary"))) == [
        "a.yaml:6: pe_array.spads: is missing: a row_stationary array has to have it (found None)",
        "a.yaml:6: pe_array.networks: is missing: a row_stationary array has to have it (found None)",
    ]


def test_a_setting_of_another_dataflow_is_told_at_its_own_key(write_arch: Write) -> None:
    pe_array = "\n  rows: 8\n  columns: 4\n  dataflow: os\n  weight_regs: 2\n  psum_hop: 4"
    assert faults(write_arch((PE_ARRAY, pe_array))) == [
        "a.yaml:10: pe_array.weight_regs: is a setting of weight_stationary and input_stationary arrays; "
        "this one is output_stationary: leave it out, or --set pe_array.weight_regs=null (found 2)",
        "a.yaml:11: pe_array.psum_hop: is a setting of weight_stationary, input_stationary and row_stationary arrays; "
        "this one is output_stationary: leave it out, or --set pe_array.psum_hop=null (found 4)",
    ]


def test_a_drain_is_told_to_be_output_stationarys_in_the_words_of_the_file(write_arch: Write) -> None:
    assert faults(write_arch(("rows: 8", "os_drain: shift_rows, rows: 8"))) == [
        "a.yaml:6: pe_array.os_drain: is a setting of output_stationary arrays; this one is weight_stationary: "
        "leave it out, or --set pe_array.os_drain=null (found 'shift_rows')"
    ]


def test_all_faults_come_at_once_those_between_keys_too(write_arch: Write) -> None:
    lines = faults(
        write_arch(
            ("clock_mhz: 200", "clock_mhz: fast"),
            (PE_ARRAY, "{rows: 0, columns: 4, dataflow: os, weight_regs: 2}"),
            ("int4", "int400"),
            (
                GLB,
                "{name: glb, kind: sram, capacity_bytes: 64, partition_bytes: {ifmap: 9}, holds: [ifmap, psum], banks: 0}",
            ),
            (DRAM, "{name: dram, kind: dram, bandwidth_bytes_per_cycle: 0, latency_cycles: -1}"),
        )
    )
    assert [line.split(" ")[0] + line.split(" ")[1] for line in lines] == [
        "a.yaml:4:clock_mhz:",
        "a.yaml:6:pe_array.rows:",
        "a.yaml:6:pe_array.weight_regs:",
        "a.yaml:7:formats.weight:",
        "a.yaml:9:levels.0.banks:",
        "a.yaml:9:levels.0.capacity_bytes:",
        "a.yaml:9:levels.0.partition_bytes:",
        "a.yaml:11:levels.2.bandwidth_bytes_per_cycle:",
        "a.yaml:11:levels.2.latency_cycles:",
    ]


def test_a_faulty_key_does_not_make_others_look_faulty(write_arch: Write) -> None:
    # dataflow unknown: whether weight_regs fits it cannot be said; capacity unreadable: it is not missing
    assert len(faults(write_arch((PE_ARRAY, "{rows: 8, columns: 4, dataflow: xs, weight_regs: 2}")))) == 1
    assert len(faults(write_arch(("4096", "many")))) == 1


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([GLB], "levels: needs one level of kind dram, as the last (found ['glb'])"),
        ([DRAM, GLB], "levels.0: the DRAM level must be the last (found 'dram')"),
        (
            [DRAM, DRAM.replace("name: dram", "name: hbm")],
            "levels.1.kind: a second DRAM level; one is modelled (found 'dram')",
        ),
    ],
)
def test_there_is_one_dram_level_and_it_is_the_last(tmp_path: Path, levels: list[str], said: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "schema: archsim/arch/v1\nname: a\nclock_mhz: 1\ntechnology_nm: 45\n"
        f"pe_array: {PE_ARRAY}\nformats: {{ifmap: int8, weight: int8, psum: int8}}\nlevels:\n"
        + "".join(f"  - {level}\n" for level in levels)
    )
    assert [line.removeprefix(str(path)).split(": ", 1)[1] for line in faults(path)] == [said]


def test_a_partitioned_level_is_as_large_as_its_parts(write_arch: Write) -> None:
    parts = "{name: glb, kind: sram, partition_bytes: {ifmap: 100, psum: 28}, holds: [ifmap, psum]}"
    glb = read_arch_yaml(write_arch((GLB, parts))).srams[0]
    assert glb.capacity_bytes == 128  # 100 + 28
    assert (glb.room_for(Operand.IFMAP), glb.room_for(Operand.OFMAP)) == (100, 28)


def test_every_key_of_an_sram_level_reaches_it(write_arch: Write) -> None:
    ports = "4096, banks: 2, ports: 3, width_bytes: 5, double_buffered: false, keep_bytes: 7"
    glb = read_arch_yaml(write_arch(("4096", ports))).srams[0]
    assert (glb.banks, glb.ports, glb.width_bytes, glb.double_buffered, glb.keep_bytes) == (2, 3, 5, False, 7)
    assert glb.bytes_per_cycle == 30  # 2 x 3 x 5


def test_every_operand_has_its_own_format(write_arch: Write) -> None:
    formats = read_arch_yaml(write_arch(("psum: int32", "psum: int24, ofmap: int16"))).formats
    assert [formats.of(operand).width_bits for operand in HELD_OPERANDS] == [8, 4, 24, 16]


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("capacity_bytes: 9, holds: [ifmap, ifmap]", "holds: names ifmap twice (found ['ifmap', 'ifmap'])"),
        ("partition_bytes: {psum: 1, ofmap: 1}, holds: [psum, ofmap]", "holds: leave ofmap out: in a partitioned level it "
         "shares the psums' partition (found ['psum', 'ofmap'])"),
        ("partition_bytes: {ifmap: 9, psum: 9}, holds: [ifmap, psum], keep_bytes: 3", "keep_bytes: needs capacity_bytes: a "
         "partitioned level has no room outside its partitions (found 3)"),
    ],
)  # fmt: skip
def test_what_a_level_holds_must_make_sense(write_arch: Write, level: str, said: str) -> None:
    path = write_arch((GLB, f"{{name: glb, kind: sram, {level}}}"))
    assert faults(path) == [f"a.yaml:9: levels.0.{said}"]


def test_an_arch_without_sram_is_allowed(write_arch: Write) -> None:
    text = write_arch().read_text().splitlines(keepends=True)
    Path("a.yaml").write_text("".join(line for line in text if "sram" not in line))
    assert read_arch_yaml(Path("a.yaml")).srams == ()
