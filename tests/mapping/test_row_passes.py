from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.row_mapping import RowMapping
from archsim.errors import MappingError
from archsim.mapping.row_counts import count_mappings
from archsim.mapping.row_fetch import row_tiles
from archsim.mapping.row_fit import misfits, sets_that_fit
from archsim.mapping.row_passes import list_passes, load_cycles, mac_cycles, with_overhead
from archsim.mapping.row_search import legal_mappings
from archsim.mapping.row_stationary import row_work
from tests.oracles.row_passes import busiest_pe_cycles, passes_of
from tests.strategies import array_layers, row_architectures


@st.composite
def mapped_layers(draw: st.DrawFn):
    """A layer on a row-stationary chip with any mapping that fits it."""
    layer, arch = draw(array_layers), draw(row_architectures())
    work = row_work(layer, arch)
    legal = legal_mappings(work)
    assume(len(legal))
    letters = legal[draw(st.integers(0, len(legal) - 1))]
    return work, RowMapping(**dict(zip("mnepqrt", map(int, letters), strict=True)))


@settings(max_examples=80, deadline=None)
@given(mapped=mapped_layers())
def test_passes_are_those_of_the_nested_loops(mapped) -> None:
    work, mapping = mapped
    made, wanted = list_passes(work.shape, mapping), passes_of(work.shape, mapping)
    assert len(made) == len(wanted)
    for name, value in (
        ("group", lambda p: p.group), ("filter_block", lambda p: p.filter_block), ("images", lambda p: len(p.images)),
        ("rows", lambda p: len(p.rows)), ("channels", lambda p: len(p.channels)), ("filters", lambda p: len(p.filters)),
        ("filter_rows", lambda p: p.taps[0]), ("filter_columns", lambda p: p.taps[1]),
        ("is_first_sum", lambda p: p.first_sum), ("is_last_sum", lambda p: p.last_sum),
    ):  # fmt: skip
        assert getattr(made, name).tolist() == [value(each) for each in wanted], name


@settings(max_examples=60, deadline=None)
@given(mapped=mapped_layers())
def test_a_pass_takes_as_long_as_its_busiest_pe(mapped) -> None:
    work, mapping = mapped
    array = work.arch.pe_array
    wanted = [busiest_pe_cycles(each, work.shape, mapping, array) for each in passes_of(work.shape, mapping)]
    assert mac_cycles(list_passes(work.shape, mapping), array).tolist() == wanted


@settings(max_examples=80, deadline=None)
@given(mapped=mapped_layers())
def test_macs_are_those_of_the_layer_and_pes_those_of_the_array(mapped) -> None:
    work, mapping = mapped
    made = list_passes(work.shape, mapping)
    assert made.macs.sum() == work.shape.layer.macs
    assert made.active_pes.max() <= work.arch.pe_array.pes
    assert (
        mac_cycles(made, work.arch.pe_array) * made.active_pes * work.arch.pe_array.multipliers_per_pe >= made.macs
    ).all()


@settings(max_examples=80, deadline=None)
@given(mapped=mapped_layers())
def test_closed_forms_are_the_sums_over_the_passes(mapped) -> None:
    work, mapping = mapped
    made = list_passes(work.shape, mapping)
    tiles = row_tiles(made, work)
    counts = count_mappings(np.array([mapping.letters]), work)
    assert int(counts.passes[0]) == len(made)
    assert int(counts.mac_cycles[0]) == mac_cycles(made, work.arch.pe_array).sum()
    assert int(counts.ifmap_words[0]) == made.ifmap_words.sum()
    assert int(counts.psum_words[0]) == made.psums.sum()
    assert int(counts.weight_words[0]) == made.weights.sum()
    assert int(counts.dram_ifmap_words[0]) == tiles.ifmap_words.sum()
    assert int(counts.dram_weight_words[0]) == tiles.weight_words.sum()


@settings(max_examples=80, deadline=None)
@given(mapped=mapped_layers())
def test_a_tile_is_fetched_only_into_room_that_its_forerunner_has_left(mapped) -> None:
    """Follow the ifmap tiles one by one: so many are held at a time as the level has copies for."""
    work, mapping = mapped
    wanted, tiles = passes_of(work.shape, mapping), row_tiles(list_passes(work.shape, mapping), work)
    held: list[tuple[object, int]] = []  # tile, last pass that used it
    level = work.arch.srams[0]
    for index, each in enumerate(wanted):
        tile = (each.group, each.images, each.rows, each.channels)
        if held and held[-1][0] == tile:
            assert tiles.ifmap_words[index] == 0
            held[-1] = (tile, index)
            continue
        left = held[-level.tile_copies][1] if len(held) >= level.tile_copies else -1
        assert tiles.ifmap_release[index] == left
        held.append((tile, index))


@settings(max_examples=80, deadline=None)
@given(mapped=mapped_layers())
def test_psums_wait_for_the_write_back_of_those_that_lay_in_their_place(mapped) -> None:
    work, mapping = mapped
    made = list_passes(work.shape, mapping)
    wanted, tiles = passes_of(work.shape, mapping), row_tiles(made, work)
    copies = work.arch.srams[0].tile_copies
    last_write = np.where(made.is_last_sum, np.arange(len(made)), -1)
    holds = tiles.holds(last_write)
    written: list[dict[int, int]] = []  # per block of psums: place of the filters within it -> pass that wrote them
    block = None
    for index, each in enumerate(wanted):
        key = (each.group, each.images, each.rows, each.filter_block)
        if key != block:
            block, first = key, each.filters.start
            written.append({})
        place = each.filters.start - first
        if len(written) > copies:
            earlier = written[-1 - copies]
            assert holds[index] == max(step for at, step in earlier.items() if at <= place)
        else:
            assert holds[index] == -1
        if each.last_sum:
            written[-1][place] = index


@pytest.mark.parametrize(
    ("height", "width", "sets"), [(3, 13, 4), (5, 27, 1), (11, 7, 2), (3, 14, 4), (3, 15, 2), (13, 1, 0)]
)
def test_sets_lie_side_by_side_or_folded(height: int, width: int, sets: int) -> None:
    # 12 x 14 PEs: four 3 x 13 one above another; 5 x 27 folded into 5 x 14 + 5 x 13; two 11 x 7 side by side
    from archsim.catalog import load_arch

    assert sets_that_fit(height, width, load_arch("eyeriss_v1").pe_array) == sets


def test_overhead_is_rounded_up_pass_by_pass() -> None:
    from archsim.catalog import load_arch

    array = load_arch("eyeriss_v1").pe_array
    assert with_overhead(np.array([0, 1, 20, 100]), array).tolist() == [0, 2, 21, 105]


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=row_architectures())
def test_every_mapping_of_the_search_fits_by_the_words_of_the_errors(layer, arch) -> None:
    work = row_work(layer, arch)
    legal = legal_mappings(work)
    for letters in legal[:: max(1, len(legal) // 20)]:
        assert list(misfits(RowMapping(**dict(zip("mnepqrt", map(int, letters), strict=True))), work.shape, arch)) == []


def test_a_level_that_is_missing_is_told() -> None:
    from archsim.catalog import load_arch
    from tests.mapping.hand_made import conv

    arch = load_arch("eyeriss_v1")
    with pytest.raises(MappingError, match="takes ifmap and psum from an SRAM level pass after pass"):
        row_work(conv(1, 1, 4, 3), replace(arch, srams=arch.srams[1:]))


@settings(max_examples=60, deadline=None)
@given(mapped=mapped_layers())
def test_weights_ahead_leave_the_first_load_and_what_passes_do_not_hide(mapped) -> None:
    work, mapping = mapped
    array = work.arch.pe_array
    weights = np.arange(3, 3 + len(list_passes(work.shape, mapping)))
    ahead, behind = (replace(array, row_pe=replace(array.row_pe, weights_ahead=each)) for each in (True, False))
    exposed, hidden, first = load_cycles(weights, ahead)
    assert (exposed.sum(), first, hidden.tolist()) == (0, 3, [*weights[1:], 0])
    exposed, hidden, first = load_cycles(weights, behind)
    assert (exposed.tolist(), first, hidden.sum()) == (weights.tolist(), 0, 0)


def test_a_pass_of_conv_acc_fills_streams_and_restarts() -> None:
    # 8 channels: 3 columns fill, 16 are multiplied, each a cycle; 8 cycles of restart: 8 * 19 + 8. One filter, 4 taps a cycle.
    from archsim.catalog import load_arch
    from tests.mapping.hand_made import conv

    spads = "pe_array.spads={ifmap_words: 32, weight_words: 32, psum_words: 1}"
    loop = "pe_array.row_pe={line_fill: true, restart_cycles: 8, weights_ahead: true}"
    arch = load_arch("eyeriss_v1", settings=(spads, loop, "pe_array.multipliers_per_pe=4"))
    work = row_work(conv(8, 1, 19, 4), arch)
    mapping = RowMapping(m=1, n=1, e=5, p=1, q=8, r=1, t=1)
    assert mac_cycles(list_passes(work.shape, mapping), arch.pe_array).tolist() == [8 * 19 + 8] * 4
