"""`--set KEY=VALUE`: what it reaches, and what is said when it does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.arch.architecture import VectorUnit
from archsim.arch.schema import read_arch_yaml
from archsim.errors import ConfigError

Write = Callable[..., Path]


def message(path: Path, *settings: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_arch_yaml(path, settings)
    return str(caught.value)


def test_a_setting_replaces_the_value_of_the_file(write_arch: Write) -> None:
    assert read_arch_yaml(write_arch(), ["pe_array.rows=16"]).pe_array.rows == 16


def test_a_setting_may_name_a_key_that_the_file_leaves_out(write_arch: Write) -> None:
    arch = read_arch_yaml(write_arch(), ["pe_array.psum_hop=4", "vector_unit.lanes=8"])
    assert arch.pe_array.psum_hop == 4
    assert arch.vector_unit == VectorUnit(lanes=8)


def test_a_level_is_named_by_its_name_or_its_index(write_arch: Write) -> None:
    settings = ["levels.glb.capacity_bytes=65536", "levels.1.capacity_bytes=77", "levels.dram.latency_cycles=3"]
    arch = read_arch_yaml(write_arch(), settings)
    assert [level.capacity_bytes for level in arch.srams] == [65536, 77]
    assert arch.dram.latency_cycles == 3


def test_the_last_setting_of_a_key_wins(write_arch: Write) -> None:
    assert read_arch_yaml(write_arch(), ["pe_array.rows=16", "pe_array.rows=32"]).pe_array.rows == 32


def test_values_are_read_as_yaml(write_arch: Write) -> None:
    settings = [
        "formats.ifmap=fx<16,8>",
        "clock_mhz=1e3",
        "levels.glb.double_buffered=false",
        "levels.glb.holds=[ifmap]",
    ]
    arch = read_arch_yaml(write_arch(), settings)
    assert (arch.formats.ifmap.name, arch.clock_mhz) == ("fx<16,8>", 1000)
    assert (arch.srams[0].double_buffered, arch.srams[0].holds) == (False, {"ifmap"})


def test_null_takes_a_key_out_so_that_its_default_holds(write_arch: Write) -> None:
    path = write_arch(("rows: 8", "weight_regs: 2, rows: 8"))
    arch = read_arch_yaml(path, ["pe_array.dataflow=os", "pe_array.weight_regs=null"])
    assert arch.pe_array.weight_regs == 1


def test_settings_are_told_in_the_assumptions_and_change_the_hash(write_arch: Write) -> None:
    plain, changed = read_arch_yaml(write_arch()), read_arch_yaml(write_arch(), ["pe_array.rows=16"])
    assert changed.assumptions == ("set by the user over a.yaml: pe_array.rows=16",)
    assert plain.content_hash != changed.content_hash


def test_a_setting_does_not_change_the_file(write_arch: Write) -> None:
    path = write_arch()
    before = path.read_bytes()
    read_arch_yaml(path, ["pe_array.rows=16"])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("pe_array.rowz=8", "--set pe_array.rowz=8: no such key. Did you mean 'rows'?"),
        ("pe_aray.rows=8", "--set pe_aray.rows=8: no such key. Did you mean 'pe_array'?"),
        ("pe_array.rows=0", "--set pe_array.rows=0: input should be greater than or equal to 1"),
        ("pe_array.rows=yes", "--set pe_array.rows=yes: input should be a valid integer"),
        ("clock_mhz=null", "--set clock_mhz=null: this key is required"),
        ("levels.glbb.ports=2", "--set levels.glbb.ports=2: levels has no element named 'glbb'. Did you mean 'glb'?"),
        ("levels.3.ports=2", "--set levels.3.ports=2: levels has 3 elements, 0 to 2"),
        ("pe_array.rows.x=2", "--set pe_array.rows.x=2: pe_array.rows is 8, it has no keys of its own"),
        ("pe_array.rows", "--set pe_array.rows: must be KEY=VALUE with a dotted KEY, e.g. pe_array.rows=8"),
        ("=8", "--set =8: must be KEY=VALUE with a dotted KEY, e.g. pe_array.rows=8"),
        ("pe_array.rows=[8", "--set pe_array.rows=[8: '[8' is not a YAML value"),
        ("vector_unit.ops_per_cycle=2", "--set vector_unit.ops_per_cycle=2: vector_unit.lanes: this key is required"),
    ],
)
def test_a_wrong_setting_is_named_itself_not_a_line_of_the_file(write_arch: Write, setting: str, said: str) -> None:
    assert message(write_arch(), setting) == said


def test_all_wrong_settings_and_faults_of_the_file_come_at_once(write_arch: Write) -> None:
    path = write_arch(("clock_mhz: 200", "clock_mhz: 0"))
    assert message(path, "pe_array.rows=0", "levels.glb.ports=2").splitlines() == [
        "a.yaml:4: clock_mhz: input should be greater than or equal to 0.000001 (found 0)",
        "--set pe_array.rows=0: input should be greater than or equal to 1",
        "--set levels.glb.ports=2: needs width_bytes: without a width the level never limits",
    ]


def test_a_fault_that_a_setting_causes_elsewhere_is_told_at_the_line_it_causes_it(write_arch: Write) -> None:
    path = write_arch(("rows: 8", "weight_regs: 2, rows: 8"))
    assert message(path, "pe_array.dataflow=os").startswith("a.yaml:6: pe_array.weight_regs: is a setting of weight_")


def test_a_fault_inside_a_value_that_a_setting_wrote_names_the_setting(write_arch: Write) -> None:
    said = message(write_arch(), "formats={ifmap: int8, weight: int0, psum: int8}")
    assert said == (
        "--set formats={ifmap: int8, weight: int0, psum: int8}: formats.weight: "
        "'int0' is not a number format: expected 1 to 128 bits (found 'int0')"
    )
