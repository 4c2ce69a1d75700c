"""Energy tables of other tools: what is written is read back as the same totals, what is missing or wrong is named."""

import os
import re
from pathlib import Path

import pytest

from archsim.arch.architecture import Architecture
from archsim.catalog import load_arch, load_workload
from archsim.cost.accelergy import art_text, ert_text
from archsim.cost.accelforge import accelforge_text
from archsim.cost.price_source import load_prices, with_energy_table
from archsim.errors import ConfigError
from archsim.study.recost import recost_with_table
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.terms import Operand

CHIPS = {
    "tpu_like": (),
    "os_16x16": (),  # partitioned GLB
    "is_16x16": ("energy.node_nm=65",),
    "scalesim_ws_32x32": ("energy.overrides={dram_pj_per_bit: 4, mac_pj: 0.7}",),  # no vector unit
    "eyeriss_v1": ("energy.overrides={clock_pj_per_pe_cycle: 6}",),  # spads, networks
}
ERT = """
ERT:
  version: 0.4
  tables:
  - {name: "t.PE[0..15].mac", actions: [{name: mac_random, arguments: {}, energy: 0.5}, {name: leak, energy: 0.001}]}
  - name: "t.PE[0..15].spad"
    actions:
    - {name: read, arguments: {address_delta: 0, data_delta: 0}, energy: 0.01}
    - {name: read, arguments: {address_delta: 1, data_delta: 1}, energy: 0.04}
    - {name: write, arguments: {}, energy: "4e-2"}
  - name: t.glb
    actions:
    - {name: read, arguments: {}, energy: 8}
    - {name: write, arguments: {bits_per_action: 32}, energy: 5}
  - {name: t.dram, actions: [{name: read, energy: 100}, {name: write, energy: 200}]}
  - {name: t.vector, actions: [{name: compute, energy: 0.2}]}
  - {name: t.clock_tree, actions: [{name: toggle, energy: 3}]}
"""


@pytest.fixture(scope="module", params=CHIPS)
def run(request: pytest.FixtureRequest) -> RunResult:
    return simulate(load_arch(request.param, CHIPS[request.param]), load_workload("lenet5"))


def rounded(text: str, digits: int) -> str:
    """Round every energy and area as Accelergy does: to so many significant figures."""
    return re.sub(r"((?:energy|area): )([\d.e+-]+)", lambda found: f"{found[1]}{float(found[2]):.{digits}g}", text)


def worst(run: RunResult, again: RunResult) -> float:
    """Largest relative difference over every component of every layer, their totals and the area."""
    pairs = [(run.area_mm2, again.area_mm2), (run.energy_pj, again.energy_pj)]
    for one, other in zip(run.layers, again.layers, strict=True):
        pairs += [(a, b) for (_, a), (_, b) in zip(one.energy.components, other.energy.components, strict=True)]
    return max(abs(b - a) / a if a else abs(b) for a, b in pairs)


@pytest.mark.parametrize("digits", [3, 6])
def test_an_accelergy_table_that_was_written_gives_the_same_totals(run: RunResult, tmp_path: Path, digits: int) -> None:
    assert run.prices is not None
    (tmp_path / "my_ERT.yaml").write_text(rounded(ert_text(run.prices, run.arch.name), digits))
    (tmp_path / "my_ART.yaml").write_text(rounded(art_text(run.prices, run.arch.name), digits))
    again = recost_with_table(run, str(tmp_path / "my_ERT.yaml"))
    assert worst(run, again) < 0.5 * 10.0 ** (1 - digits) * 1.01  # half of the last figure of a number like 1.00
    assert "counted as 0" not in "\n".join(again.energy_assumptions)


def test_an_accelforge_architecture_that_was_written_gives_the_same_totals(run: RunResult, tmp_path: Path) -> None:
    assert run.prices is not None
    (tmp_path / "arch.yaml").write_text(accelforge_text(run.prices, run.arch))
    again = recost_with_table(run, str(tmp_path / "arch.yaml"))
    assert worst(run, again) < 1e-5
    assert "counted as 0" not in "\n".join(again.energy_assumptions)


def test_a_run_directory_holds_tables_that_give_the_run_again(run: RunResult, tmp_path: Path) -> None:
    run.save(tmp_path)
    for name in ("ERT.yaml", "accelforge.yaml"):
        assert worst(run, recost_with_table(run, str(tmp_path / name))) < 1e-5


@pytest.fixture
def priced(chip, tmp_path: Path):
    """Price the 4 x 4 chip with a table: its `by_name`, and what is assumed."""

    def price(text: str, arch: Architecture | None = None):
        (tmp_path / "table.yaml").write_text(text)
        found = load_prices(with_energy_table(arch or chip(), str(tmp_path / "table.yaml")))
        return found, "\n".join(found.assumptions)

    return price


def test_upper_and_lower_case_name_the_same_component(priced) -> None:
    upper = ERT.replace("t.dram", "t.DRAM").replace("].mac", "].MAC")
    assert priced(upper)[0].prices == priced(ERT)[0].prices


def test_accelergys_actions_become_prices_in_the_chips_units(priced) -> None:
    found, _ = priced(ERT)
    prices = found.by_name()
    assert prices["mac", "compute", ""].pj == 0.5
    assert prices["spad", "read", "ifmap"].pj == 0.04  # new data at a new address, not the idle variant
    assert prices["spad", "write", "psum"].pj == 0.04  # a number written as text
    assert prices["glb", "read", ""].pj == 8  # a whole access
    assert prices["glb", "write", ""].pj == 10  # 5 pJ per 32 bit; an access is 64 bit
    assert prices["dram", "read", ""].pj == 100  # a burst
    assert prices["leakage", "mac", ""].pj == pytest.approx(16 * 0.001)  # of 16 instances, per cycle
    assert {each.source for each in found.prices} == {"table"}


def test_what_an_accelergy_table_leaves_open_is_told(priced) -> None:
    _, text = priced(ERT)
    assert "has no price of wires.hop, wires.half_span, wires.span, dram_activate.activate" in text
    assert "leakage of spad" in text
    assert "counted as 0" in text
    assert "glb.read: access of 8 B, dram.read: burst of 64 B, dram.write: burst of 64 B" in text
    assert "the plainest was taken: spad.read (address_delta 1, data_delta 1)" in text
    assert "DRAM actions are counted in bursts and commands of DDR4_2400" in text
    assert "components that the chip does not have were let be: t.clock_tree" in text
    assert "has no area of mac, spad, glb, vector: archsim's own table gives it" in text


def test_areas_stand_in_the_same_file_or_beside_it(priced, chip, tmp_path: Path) -> None:
    art = '\nART: {version: 0.4, tables: [{name: t.glb, area: 5000}, {name: "t.PE[0..15].mac", area: 100}]}\n'
    found, _ = priced(ERT + art)
    areas = {part.component: (part.count, part.unit_mm2) for part in found.areas}
    assert areas["glb"] == (1, pytest.approx(0.005))
    assert areas["mac"] == (16, pytest.approx(100e-6))
    (tmp_path / "ART.yaml").write_text(art)
    (tmp_path / "ERT.yaml").write_text(ERT)
    assert load_prices(with_energy_table(chip(), str(tmp_path / "ERT.yaml"))).areas == found.areas


def test_a_table_that_has_changed_is_read_again(priced, chip, tmp_path: Path) -> None:
    assert priced(ERT)[0].by_name()["dram", "read", ""].pj == 100
    table = tmp_path / "table.yaml"
    table.write_text(ERT.replace("energy: 100", "energy: 300"))
    os.utime(table, ns=(1, 1))
    assert load_prices(with_energy_table(chip(), str(table))).by_name()["dram", "read", ""].pj == 300


def test_accelforge_nodes_in_groups_are_read_in_si_units(priced) -> None:
    found, text = priced(
        """
arch:
  extra_attributes_for_all_component_models: {tech_node: 65e-9}
  nodes:
  - !Memory
    name: dram
    size: inf
    actions: [{name: read, energy: 4e-12}, {name: write, energy: 5.0e-12}]   # per bit
  - !Hierarchical
    nodes:
    - !Memory {name: glb, size: 8*1024, area: 2e-6, leak_power: 1e-3, actions: [
        {name: read, bits_per_action: 64, energy: 1.88e-12}, {name: write, bits_per_action: 32, energy: 2e-12}]}
    - !Array
      name: grid
      nodes:
      - !Memory {name: spad, actions: [{name: read, energy: 1e-14}, {name: write, energy: 1e-14}]}
      - !Compute {name: mac, actions: [{name: compute, energy: 5.0e-13}]}
      - !Compute {name: vector, actions: [{name: compute, energy: 5.0e-13}]}
"""
    )
    prices = found.by_name()
    assert prices["dram", "read", ""].pj == pytest.approx(4 * 512)
    assert prices["glb", "read", ""].pj == pytest.approx(1.88)
    assert prices["glb", "write", ""].pj == pytest.approx(4)
    assert prices["spad", "read", "psum"].pj == pytest.approx(0.32)
    assert prices["leakage", "glb", ""].pj == pytest.approx(1)  # 1 mW at 1 GHz
    assert {part.component: part.area_mm2 for part in found.areas}["glb"] == pytest.approx(2)
    assert "let be: grid" in text


def test_an_operands_own_action_comes_before_the_one_for_all(priced) -> None:
    text = ERT.replace(
        '{name: write, arguments: {}, energy: "4e-2"}',
        ("{name: write, arguments: {}, energy: 9}\n    - {name: write, arguments: {operand: psum}, energy: 2}"),
    )
    prices = priced(text)[0].by_name()
    assert (prices["spad", "write", "psum"].pj, prices["spad", "write", "ifmap"].pj) == (2, 9)


def test_overrides_of_the_arch_beat_a_foreign_table(priced, chip) -> None:
    arch = chip(energy=load_arch("tpu_like", ("energy.overrides={mac_pj: 7}", "energy.node_nm=45")).energy)
    found, text = priced(ERT, arch)
    assert found.by_name()["mac", "compute", ""].pj == 7
    assert "energy.overrides.mac_pj = 7" in text


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("t.glb", "t.gbl", [r"table.yaml: no component 'glb', which the chip 'chip' has\. Did you mean 'gbl'\?"]),
        ("t.dram", "t.offchip", [r"no component 'dram', which the chip 'chip' has\. It has: clock_tree, glb, mac,"]),
        (
            "{name: read, arguments: {}, energy: 8}",
            "{name: fill, arguments: {}, energy: 8}",
            [r"component 't.glb' has no action 'read'; it has: fill, write"],
        ),
        ("energy: 100", "energy: -100", [r"table.yaml:1\d: ERT.tables.3.actions.0.energy: must be a number from 0 up"]),
        ("energy: 100", "energy: .nan", [r"ERT.tables.3.actions.0.energy: must be a number from 0 up \(found nan\)"]),
        ("energy: 100", "energy: true", [r"ERT.tables.3.actions.0.energy: must be a number from 0 up \(found True\)"]),
        ("energy: 100", "energy: 2 * 50", [r"expressions are not evaluated \(found '2 \* 50'\)"]),
        ("energy: 100", "power: 100", [r"ERT.tables.3.actions.0.energy: this key is required"]),
        ("bits_per_action: 32", "bits_per_action: 0", [r"bits_per_action: must be more than 0 \(found 0\)"]),
        ("ERT:", "ART:", [r"an ART has areas alone; name the ERT"]),
        ("tables:", "table:", [r"ERT.tables: this key is required"]),
    ],
)  # fmt: skip
def test_a_table_that_lacks_or_garbles_what_the_chip_needs_is_refused(priced, old: str, new: str, messages) -> None:
    assert old in ERT
    with pytest.raises(ConfigError) as caught:
        priced(ERT.replace(old, new, 1))
    for message in messages:
        assert re.search(message, str(caught.value)), str(caught.value)


def test_everything_that_is_missing_is_named_at_once(priced) -> None:
    with pytest.raises(ConfigError) as caught:
        priced("ERT: {version: 0.4, tables: [{name: x.glb, actions: [{name: read, energy: 1}]}]}")
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[2][:30] for line in lines] == [
        "no component 'mac', which the ", "no component 'vector', which t", "no component 'spad', which the",
        "component 'x.glb' has no actio", "no component 'dram', which the",
    ]  # fmt: skip


def test_a_tag_makes_nothing_but_plain_values(priced) -> None:
    with pytest.raises(ConfigError, match="not valid YAML"):
        priced("ERT: !!python/object/apply:os.system ['true']")


def test_psums_and_ofmap_of_a_partitioned_level_are_priced_alike(run: RunResult) -> None:
    assert run.prices is not None
    prices = run.prices.by_name()
    for level in run.arch.srams:
        if level.partition_bytes:
            assert prices[level.name, "read", Operand.PSUM].pj == prices[level.name, "read", Operand.OFMAP].pj
