"""Bank conflicts: the kernel against queues that are emptied word by word, hand-sized patterns, and its laws."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archsim.kernels import sram_banks as kernel
from tests.oracles.sram_banks import serve_wavefronts


def count(wavefronts, run=kernel.count_bank_accesses, *, in_a_row=10**6, skipped=0, words_per_run=1, banks=1, ports=1):
    """Run the kernel on lists; None = the lane asks for nothing."""
    words = np.array([[-1 if word is None else word for word in row] for row in wavefronts], dtype=np.int64)
    return tuple(int(value) for value in run(words, in_a_row, skipped, words_per_run, banks, ports))


def stride(step, lanes, start=0):
    return [start + step * lane for lane in range(lanes)]


@st.composite
def streams(draw):
    """Wavefronts with repeats, gaps and words that stay."""
    lanes = draw(st.integers(1, 6))
    word = st.one_of(st.none(), st.integers(0, 40))
    return draw(st.lists(st.lists(word, min_size=lanes, max_size=lanes), min_size=1, max_size=8))


levels = st.fixed_dictionaries(
    {"words_per_run": st.sampled_from([1, 2, 3]), "banks": st.integers(1, 9), "ports": st.integers(1, 3)}
)


@settings(max_examples=300)
@given(stream=streams(), level=levels)
def test_the_kernel_serves_what_queues_serve_word_by_word(stream, level) -> None:
    assert count(stream, **level) == serve_wavefronts(stream, **level)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=streams(), level=levels)
def test_compiled_and_plain_source_give_the_same(stream, level) -> None:
    source = getattr(kernel.count_bank_accesses, "py_func", kernel.count_bank_accesses)
    assert count(stream, **level) == count(stream, run=source, **level)


@pytest.mark.parametrize(
    ("step", "banks", "cycles"),
    [
        (1, 8, 1),  # eight neighbours in eight banks
        (2, 8, 2),  # gcd(2, 8) = 2: four banks, two words each
        (4, 8, 4),
        (8, 8, 8),  # all in one bank
        (7, 8, 1),  # an odd step meets every bank
        (8, 7, 2),  # eight words, seven banks
    ],
)
def test_a_stride_meets_banks_over_its_common_divisor_of_them(step, banks, cycles) -> None:
    assert count([stride(step, 8)], banks=banks) == (8, cycles, cycles)


def test_eight_banks_may_be_slower_than_seven() -> None:
    # The law of more banks holds for multiples: words 8 apart meet all of seven banks and one of eight.
    assert count([stride(8, 8)], banks=7)[1] < count([stride(8, 8)], banks=8)[1]


def test_one_word_for_several_lanes_is_one_access() -> None:
    assert count([[5, 5, 5, 6]], banks=2) == (2, 1, 1)


def test_a_word_that_stays_at_the_edge_is_not_read_again() -> None:
    # 0 and 1; then 2; then 0 has gone and comes again
    assert count([[0, 1], [1, 2], [2, 0]], banks=4) == (4, 3, 2)


def test_wavefronts_from_elsewhere_find_nothing_at_the_edge() -> None:
    assert count([[0], [0], [0], [0]]) == (1, 1, 1)
    assert count([[0], [0], [0], [0]], in_a_row=2) == (2, 2, 2)


@settings(max_examples=100)
@given(stream=streams(), level=levels, in_a_row=st.integers(1, 4))
def test_samples_count_as_streams_of_their_own(stream, level, in_a_row) -> None:
    parts = [stream[at : at + in_a_row] for at in range(0, len(stream), in_a_row)]
    alone = [count(part, **level) for part in parts]
    assert count(stream, in_a_row=in_a_row, **level) == tuple(map(sum, zip(*alone, strict=True)))


def test_a_skipped_wavefront_leaves_its_words_at_the_edge() -> None:
    assert count([[0, 1], [1, 2]], banks=4, skipped=1) == (1, 1, 1)
    assert count([[0], [0], [0], [5]], in_a_row=2, skipped=1) == (1, 1, 1)


def test_nothing_asked_takes_no_cycle() -> None:
    assert count([[None, None], [None, 3]], banks=2) == (1, 1, 1)


@settings(max_examples=200)
@given(stream=streams(), level=levels, factor=st.sampled_from([2, 3, 4]))
def test_a_multiple_of_banks_or_ports_never_serves_later(stream, level, factor) -> None:
    few = count(stream, **level)
    for key in ("banks", "ports"):
        many = count(stream, **level | {key: level[key] * factor})
        assert many[0] == few[0]
        assert many[1] <= few[1]
        assert many[2] <= few[2]


@settings(max_examples=200)
@given(stream=streams(), banks=st.integers(1, 9), factor=st.sampled_from([2, 4]))
def test_wider_words_never_serve_later_where_the_order_of_the_banks_stays(stream, banks, factor) -> None:
    wide = [[None if word is None else word // factor for word in row] for row in stream]
    slow = count(stream, banks=banks, words_per_run=factor)
    fast = count(wide, banks=banks, words_per_run=1)
    assert all(new <= old for new, old in zip(fast, slow, strict=True))


@settings(max_examples=200)
@given(stream=streams(), level=levels)
def test_all_bounds_lie_between_perfect_spread_and_one_bank(stream, level) -> None:
    accesses, cycles, hottest = count(stream, **level)
    assert -(-accesses // (level["banks"] * level["ports"])) <= cycles <= accesses
    assert -(-accesses // level["banks"]) <= hottest <= accesses
