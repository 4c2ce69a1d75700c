"""A faster DRAM, or more of it, and a network's time: the mapper chooses anew, the banks decide."""

import pytest

from archsim.catalog import load_arch, load_workload
from archsim.engine.simulate import run_network

UPGRADES = (
    ("device=DDR4_2400", "device=DDR4_3200"),
    ("device=DDR4_2400", "channels=2"),
    ("device=LPDDR4_3200", "channels=2"),
    ("device=HBM2_8ch, channels=4", "channels=8"),
)
SPREAD = "mapping=rorabacobgch"
"""Neighbouring bursts alternate between channels and bank groups."""


def network_cycles(arch: str, network: str, *settings: str) -> int:
    chosen = [f"levels.dram.{each.strip()}" for setting in settings for each in setting.split(",")]
    runs = run_network(load_arch(arch, chosen), load_workload(network))
    return sum(run.total_cycles for run in runs)


@pytest.mark.parametrize(("worse", "upgrade"), UPGRADES)
@pytest.mark.parametrize(("arch", "network"), [("os_16x16", "alexnet"), ("scalesim_ws_32x32", "mobilenet_v1")])
def test_a_better_dram_never_slows_a_network(arch: str, network: str, worse: str, upgrade: str) -> None:
    """A layer of it may become slower: 2 % of them by more than 1 %, at worst 9 % (1,224 layers measured)."""
    better = network_cycles(arch, network, worse, SPREAD, upgrade)
    assert better <= network_cycles(arch, network, worse, SPREAD)


def test_a_network_is_never_faster_than_on_an_ideal_dram() -> None:
    for settings in (("device=LPDDR4_3200",), ("device=HBM2_8ch", "layout=nhwc"), ("device=DDR4_2400_closed",)):
        chosen = [f"levels.dram.{each}" for each in settings]
        real, workload = load_arch("scalesim_ws_32x32", chosen), load_workload("lenet5")
        with_banks, ideal = run_network(real, workload), run_network(real.with_ideal_dram(), workload)
        for one, other in zip(with_banks, ideal, strict=True):
            assert one.compute_cycles == other.compute_cycles
            assert one.total_cycles >= other.total_cycles
