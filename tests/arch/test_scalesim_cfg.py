"""SCALE-Sim's configuration files, versions 2 and 3, written here after their format."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.arch.scalesim_cfg import read_scalesim_cfg
from archsim.errors import ConfigError
from archsim.terms import HELD_OPERANDS, Dataflow, Operand

VERSION_2 = """\
[general]
run_name = my_run_v2

[architecture_presets]
ArrayHeight:    16
ArrayWidth:     8
IfmapSramSzkB:    64
FilterSramSzkB:   32
OfmapSramSzkB:    8
IfmapOffset:    0
FilterOffset:   10000000
OfmapOffset:    20000000
Dataflow : ws
Bandwidth : 10
MemoryBanks: 1

[run_presets]
InterfaceBandwidth: USER
"""
VERSION_3 = """\
[general]
run_name = my_run_v3

[architecture_presets]
ArrayHeight:    32
ArrayWidth:     32
ifmapsramszkB:    6144
filtersramszkB:   6144
ofmapsramszkB:    2048
IfmapOffset:    0
FilterOffset:   10000000
OfmapOffset:    20000000
Bandwidth : 12,34
Dataflow : os
ReadRequestBuffer: 64
WriteRequestBuffer: 64

[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2

[sparsity]
SparsitySupport : false
SparseRep : ellpack_block
OptimizedMapping : false
BlockSize : 8
RandomNumberGeneratorSeed : 40

[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""
Write = Callable[..., Path]


@pytest.fixture
def write_cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write(text: str, *changes: tuple[str, str]) -> Path:
        for old, new in changes:
            assert old in text, f"the cfg has no {old!r}"
            text = text.replace(old, new)
        Path("s.cfg").write_text(text)
        return Path("s.cfg")

    return write


def faults(path: Path, *settings: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_scalesim_cfg(path, settings)
    return str(caught.value).splitlines()


def test_version_2_becomes_a_partitioned_glb_and_one_dram_channel(write_cfg: Write) -> None:
    arch = read_scalesim_cfg(write_cfg(VERSION_2))
    assert (arch.name, arch.source) == ("my_run_v2", "SCALE-Sim configuration s.cfg")
    assert (arch.pe_array.rows, arch.pe_array.columns) == (16, 8)
    assert arch.pe_array.dataflow is Dataflow.WEIGHT_STATIONARY
    (glb,) = arch.srams
    parts = {Operand.IFMAP: 65536, Operand.WEIGHT: 32768, Operand.PSUM: 8192}  # 64, 32, 8 x 1024
    assert (glb.name, dict(glb.partition_bytes or ()), glb.width_bytes, glb.double_buffered) == (
        "glb",
        parts,
        None,
        True,
    )
    assert (arch.dram.bandwidth_bytes_per_cycle, arch.dram.is_ideal) == (10, False)
    assert {arch.formats.of(operand).width_bits for operand in HELD_OPERANDS} == {8}
    assert arch.vector_unit is None


def test_version_3_in_calc_mode_has_an_ideal_dram_and_says_so(write_cfg: Write) -> None:
    arch = read_scalesim_cfg(write_cfg(VERSION_3))
    assert (arch.name, arch.pe_array.dataflow) == ("my_run_v3", Dataflow.OUTPUT_STATIONARY)
    assert arch.srams[0].room_for(Operand.OFMAP) == 2048 * 1024
    assert (arch.dram.is_ideal, arch.dram.bandwidth_bytes_per_cycle) == (True, 12)  # the first of 12,34
    assert any(line.startswith("ideal DRAM: InterfaceBandwidth is CALC") for line in arch.assumptions)


def test_what_scale_sim_does_not_say_is_told_as_assumed(write_cfg: Write) -> None:
    arch = read_scalesim_cfg(write_cfg(VERSION_2))
    assert (arch.clock_mhz, arch.technology_nm, arch.dram.latency_cycles) == (1000, 45, 1)
    assert arch.assumptions == (
        "clock of 1000 MHz and technology of 45 nm assumed where not set: SCALE-Sim has neither",
        "every word is 1 byte, psums included, as in SCALE-Sim",
        "SRAM ports never limit, as in SCALE-Sim",
        "one DRAM channel of Bandwidth words per cycle for all operands: SCALE-Sim gives each operand its own",
        "DRAM latency of 1 cycle where not set, as in SCALE-Sim",
    )


def test_keys_are_read_in_any_case_and_missing_sections_that_do_not_matter_are_forgiven(write_cfg: Write) -> None:
    text = "[architecture_presets]\narrayheight=4\nARRAYWIDTH=4\nifmapsramszkb=1\nfiltersramszkb=1\nofmapsramszkb=1\ndataflow=IS\n"
    arch = read_scalesim_cfg(write_cfg(text))
    assert (arch.name, arch.pe_array.dataflow, arch.dram.is_ideal) == ("s", Dataflow.INPUT_STATIONARY, True)


def test_layer_wise_sparsity_is_structured_sparsity(write_cfg: Write) -> None:
    assert not read_scalesim_cfg(write_cfg(VERSION_3)).pe_array.structured_sparsity
    sparse = write_cfg(VERSION_3, ("SparsitySupport : false", "SparsitySupport : true"))
    assert read_scalesim_cfg(sparse).pe_array.structured_sparsity


def test_row_wise_sparsity_is_refused(write_cfg: Write) -> None:
    changes = (
        ("SparsitySupport : false", "SparsitySupport : true"),
        ("OptimizedMapping : false", "OptimizedMapping : true"),
    )
    assert faults(write_cfg(VERSION_3, *changes)) == [
        "s.cfg:31: OptimizedMapping: must be False: row-wise sparsity (a random N of every M per filter) is not modelled"
    ]


def test_settings_speak_of_archsims_own_keys(write_cfg: Write) -> None:
    arch = read_scalesim_cfg(write_cfg(VERSION_2), ["pe_array.weight_regs=2", "levels.glb.width_bytes=16"])
    assert (arch.pe_array.weight_regs, arch.srams[0].width_bytes) == (2, 16)
    assert faults(write_cfg(VERSION_2), "pe_array.rowz=3") == [
        "--set pe_array.rowz=3: no such key. Did you mean 'rows'?"
    ]


def test_a_setting_on_the_dram_makes_it_real_in_calc_mode(write_cfg: Write) -> None:
    path = write_cfg(VERSION_3)
    assert read_scalesim_cfg(path, ["levels.glb.width_bytes=16"]).dram.is_ideal
    arch = read_scalesim_cfg(path, ["levels.dram.bandwidth_bytes_per_cycle=12"])
    assert not arch.dram.is_ideal
    assert not any(line.startswith("ideal DRAM") for line in arch.assumptions)


def test_all_faults_come_at_once_with_their_lines(write_cfg: Write) -> None:
    changes = (
        ("ArrayHeight:    16", "ArrayHeight: 0"),
        ("ArrayWidth: ", "ArrayWdith: "),
        ("64", "big"),
        ("ws", "rs"),
        ("10\n", "-1\n"),
    )
    path = write_cfg(VERSION_2, *changes, ("USER", "MINE"), ("OfmapSramSzkB:    8\n", ""))
    assert sorted(faults(path)) == sorted([
        "s.cfg: [architecture_presets] ArrayWidth: this key is required; is 'arraywdith' in line 6 meant?",
        "s.cfg: [architecture_presets] OfmapSramSzkB: this key is required",
        "s.cfg:5: ArrayHeight: must be a whole number of at least 1 (found '0')",
        "s.cfg:7: IfmapSramSzkB: must be a whole number of at least 1 (found 'big')",
        "s.cfg:12: Dataflow: must be one of ws, os, is (found 'rs')",
        "s.cfg:13: Bandwidth: must be a whole number of at least 1 [words/cycle] (found '-1')",
        "s.cfg:17: InterfaceBandwidth: must be one of calc, user (found 'mine')",
    ])  # fmt: skip


def test_a_size_beyond_the_schema_is_told_at_the_line_of_its_cfg_key(write_cfg: Write) -> None:
    assert faults(write_cfg(VERSION_2, ("ArrayWidth:     8", "ArrayWidth: 70000"))) == [
        "s.cfg:6: pe_array.columns: input should be less than or equal to 65536 (found 70000)"
    ]


def test_bandwidth_is_required_where_it_limits(write_cfg: Write) -> None:
    assert faults(write_cfg(VERSION_2, ("Bandwidth : 10\n", ""))) == [
        "s.cfg: [architecture_presets] Bandwidth: this key is required"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ArrayHeight: 3\n", "s.cfg:1: a [section] must come before the first key"),
        ("[a]\nx=1\nx=2\n", "s.cfg:3: x: appears twice"),
        ("[a]\n[a]\n", "s.cfg:2: [a]: appears twice"),
        ("[a]\nhello\n", "s.cfg:2: not 'key: value' (found 'hello')"),
    ],
)
def test_a_file_that_is_no_cfg_is_told_where(write_cfg: Write, text: str, said: str) -> None:
    assert faults(write_cfg(text)) == [said]


@pytest.mark.parametrize("key", ["IfmapCustomLayout", "FilterCustomLayout", "UseRamulatorTrace"])
def test_what_is_not_modelled_is_refused_rather_than_left_out(write_cfg: Write, key: str) -> None:
    (said,) = faults(write_cfg(VERSION_3, (f"{key}: False", f"{key}: True")))
    assert f"{key}: must be False" in said
    assert "not modelled" in said
