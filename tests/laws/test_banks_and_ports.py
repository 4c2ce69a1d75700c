"""More banks, more ports, wider words, ports that do more: never slower for the same mapping.

Banks and ports grow by powers of two, and words with the order of the banks kept: a stride that meets
all of seven banks may meet one of eight, so that the law does not hold from any number to any other.
"""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.memory_level import DramLevel, PortKind, SramLevel
from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.mapping.tile_options import tile_options
from archsim.mapping.tile_room import copies_held
from archsim.mapping.tile_search import nest_of
from archsim.mapping.tile_traffic import tile_traffic
from archsim.terms import Direction
from tests.strategies import HELD, architecture, array_layers, pe_arrays

FAST = DramLevel(name="dram", bandwidth_bytes_per_cycle=1e6)
PLAIN = SramLevel(name="glb", capacity_bytes=100_000, holds=HELD, width_bytes=1)

levels = st.builds(
    lambda width, run, banks, ports, kind: replace(
        PLAIN, width_bytes=width, interleave_bytes=width * run, banks=banks, ports=ports, port_kind=kind
    ),
    width=st.sampled_from([1, 2, 3, 8]), run=st.sampled_from([2, 4]), banks=st.integers(1, 9),
    ports=st.integers(1, 3), kind=st.sampled_from(list(PortKind)),
)  # fmt: skip


def better(level: SramLevel, factor: int) -> dict[str, SramLevel]:
    """The same buffer with more of one thing."""
    changed = {
        "banks": replace(level, banks=level.banks * factor),
        "ports": replace(level, ports=level.ports * factor),
        "own ports for reads and writes": replace(level, port_kind=PortKind.READ_AND_WRITE),
    }
    if (level.interleave_bytes or 0) % (2 * (level.width_bytes or 1)) == 0:
        changed["width"] = replace(level, width_bytes=2 * (level.width_bytes or 1))
    return changed


def drawn_nest(data, layer, arch):
    """The loops of any tiling option."""
    work = array_work(layer, arch)
    options = tile_options(work)
    index = data.draw(st.integers(0, len(options.order) - 1))
    return nest_of(work, options, copies_held(work, options, tile_traffic(work, options)), index)


def planned(layer, arch, nest):
    work = array_work(layer, arch)
    return plan_array_steps(work, nest, ideal_compute_cycles(work))


@settings(max_examples=120, deadline=None)
@given(layer=array_layers, array=pe_arrays(), level=levels, factor=st.sampled_from([2, 4]), data=st.data())
def test_more_of_anything_never_needs_more_port_cycles(layer, array, level, factor, data) -> None:
    arch = architecture(array, (level,), FAST)
    nest = drawn_nest(data, layer, arch)
    slow = planned(layer, arch, nest)
    for name, changed in better(level, factor).items():
        fast = planned(layer, replace(arch, srams=(changed,)), nest)
        assert (fast.steps.port_cycles <= slow.steps.port_cycles).all(), name
        assert fast.traffic == slow.traffic


@settings(max_examples=120, deadline=None)
@given(layer=array_layers, array=pe_arrays(), level=levels, data=st.data())
def test_ports_never_move_more_than_their_width(layer, array, level, data) -> None:
    arch = architecture(array, (level,), FAST)
    plan = planned(layer, arch, drawn_nest(data, layer, arch))
    moved = {
        way: sum(row.bytes for row in plan.traffic if (row.level, row.direction) == ("glb", way)) for way in Direction
    }
    one_way = level.width_bytes * level.banks * level.ports
    busiest = max(moved.values()) if level.reads_beside_writes else sum(moved.values())
    assert plan.steps.port_cycles.sum() * one_way >= busiest
