"""What a PE's clock costs where its MAC is gated, from a share of the PE's energy that is published as a whole."""

from dataclasses import replace

import pytest

from archsim.arch.architecture import Architecture
from archsim.catalog import load_arch, load_workload
from archsim.cost.chip_prices import chip_prices
from archsim.cost.gated_cycle import gated_cycle_pj
from archsim.cost.price_source import own_table
from archsim.errors import ConfigError
from archsim.study.simulate import simulate

EYERISS = load_arch("eyeriss_v1")


def with_share(share: float | None) -> Architecture:
    return replace(EYERISS, energy=replace(EYERISS.energy, gated_share=share))


def pe_cycle_pj(arch: Architecture) -> tuple[float, float]:
    """Energy of a PE in a cycle with a MAC, and what of it the counts of a gated MAC leave out, from the price list."""
    prices = {
        (each.component, each.action, each.operand): each.pj for each in chip_prices(arch, own_table(arch)).prices
    }
    left_out = prices["mac", "compute", ""] + sum(
        prices["spad", action, operand] for operand, action in (("weight", "read"), ("psum", "read"), ("psum", "write"))
    )
    return left_out + prices["spad", "read", "ifmap"] + prices["clock", "cycle", ""], left_out


@pytest.mark.parametrize("share", [0.4, 0.45, 0.6])
def test_a_gated_pe_saves_its_share_of_a_whole_pe_cycle(share: float) -> None:
    arch = with_share(share)
    whole, left_out = pe_cycle_pj(arch)
    clock = own_table(arch).clock_pj_per_pe_cycle
    assert left_out + clock - gated_cycle_pj(arch, own_table(arch)) == pytest.approx(share * whole)


def test_a_share_that_the_counts_save_alone_takes_nothing_off_the_clock() -> None:
    arch = with_share(0.05)
    assert gated_cycle_pj(arch, own_table(arch)) == own_table(arch).clock_pj_per_pe_cycle


def test_no_share_takes_more_than_the_clock() -> None:
    assert gated_cycle_pj(with_share(1.0), own_table(EYERISS)) == 0.0


def test_the_run_saves_that_much_for_every_gated_mac() -> None:
    workload = load_workload("alexnet").only("conv*")
    plain, shared = (simulate(with_share(share), workload) for share in (None, 0.45))
    table = own_table(EYERISS)
    each = table.clock_pj_per_pe_cycle - gated_cycle_pj(EYERISS, table)
    gated = sum(layer.gated_macs for layer in shared.layers)
    assert gated > 0
    assert plain.energy_pj - shared.energy_pj == pytest.approx(gated * each)


@pytest.mark.parametrize("settings", [["pe_array.zero_skip=none"], ["energy.overrides={}"]])
def test_a_share_without_gating_or_clock_is_refused(settings: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"energy\.gated_share"):
        load_arch("eyeriss_v1", settings)
