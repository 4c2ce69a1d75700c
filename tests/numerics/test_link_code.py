import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.numerics.link_code import (
    ZeroCounts,
    coded_size,
    count_zeros,
    decode_bitmask,
    decode_rlc5,
    encode_bitmask,
    encode_rlc5,
    expect_zeros,
    pairs_per_word,
)
from archsim.terms import Compression
from tests.oracles.link_code import bitmask_bytes, rlc5_pairs, rlc5_words

RLC5, BITMASK, NONE = Compression.RLC5, Compression.BITMASK, Compression.NONE


@st.composite
def streams(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    """Bit patterns with zero runs around and beyond 31, and their width."""
    width = draw(st.sampled_from([1, 4, 8, 11, 16, 27, 32, 58]))
    parts = draw(
        st.lists(st.tuples(st.sampled_from([0, 0, 1, 2, 30, 31, 32, 33, 63, 64, 65, 200]), st.integers(1, 2**width - 1)), max_size=20)
    )  # fmt: skip
    values = [value for zeros, level in parts for value in (*([0] * zeros), level)]
    return np.array(values + [0] * draw(st.sampled_from([0, 0, 1, 31, 32, 33, 100])), dtype=np.int64), width


@settings(max_examples=200, deadline=None)
@given(stream=streams())
def test_rlc5_decodes_to_what_was_encoded(stream) -> None:
    values, width = stream
    assert np.array_equal(decode_rlc5(encode_rlc5(values, width), len(values), width), values)


@settings(max_examples=200, deadline=None)
@given(stream=streams())
def test_bitmask_decodes_to_what_was_encoded(stream) -> None:
    values, width = stream
    assert np.array_equal(decode_bitmask(encode_bitmask(values, width), len(values), width), values)


@settings(max_examples=150, deadline=None)
@given(stream=streams())
def test_codes_equal_those_written_value_by_value(stream) -> None:
    values, width = stream
    assert encode_rlc5(values, width).tolist() == rlc5_words(values.tolist(), width)
    assert encode_bitmask(values, width).tolist() == bitmask_bytes(values.tolist(), width)


@settings(max_examples=150, deadline=None)
@given(stream=streams())
def test_sizes_are_those_of_the_codes_bit_by_bit(stream) -> None:
    values, width = stream
    counts = count_zeros(values)
    assert counts.run_pairs == len(rlc5_pairs(values.tolist()))
    assert coded_size(counts, RLC5, width).bits == 64 * len(encode_rlc5(values, width))
    assert coded_size(counts, BITMASK, width).bits == 8 * len(encode_bitmask(values, width))
    for code in Compression:
        size = coded_size(counts, code, width)
        assert size.payload_bits == width * (len(values) if code is NONE else np.count_nonzero(values))
        assert size.metadata_bits >= 0


def test_eyeriss_words_hold_three_pairs_of_16_bit() -> None:
    # 0 0 0 0 0 12 0 0 53 0 22: (5, 12) (2, 53) (1, 22) fill one word, marked as the last.
    values = np.array([0, 0, 0, 0, 0, 12, 0, 0, 53, 0, 22])
    word = (5 | 12 << 5) | (2 | 53 << 5) << 21 | (1 | 22 << 5) << 42 | 1 << 63
    assert encode_rlc5(values, 16).tolist() == [word]


def test_zeros_beyond_a_run_cost_a_pair_whose_level_is_zero() -> None:
    # 70 zeros and a 9: (31, 0) (31, 0) are 64 of them, (6, 9) the rest.
    assert rlc5_pairs([0] * 70 + [9]) == [(31, 0), (31, 0), (6, 9)]
    assert count_zeros(np.array([0] * 70 + [9])).run_pairs == 3
    assert count_zeros(np.zeros(64)).run_pairs == 2
    assert count_zeros(np.zeros(65)).run_pairs == 3


@pytest.mark.parametrize(("width", "pairs"), [(1, 10), (4, 7), (8, 4), (16, 3), (26, 2), (27, 1), (58, 1)])
def test_a_word_keeps_a_bit_for_the_end_mark(width, pairs) -> None:
    assert pairs_per_word(width) == pairs


def test_words_that_no_pair_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 58 bits, not 64"):
        pairs_per_word(64)
    with pytest.raises(ValueError, match="bit patterns"):
        encode_rlc5(np.array([-1]), 8)
    with pytest.raises(ValueError, match="outside"):
        encode_bitmask(np.array([256]), 8)


def test_data_without_zeros_grow_by_the_overhead_of_their_code() -> None:
    # 300 words of 16 bit = 4800; rlc5: 100 words of 64 bit; bitmask: 300 bits more, 5100 -> 5104 in whole bytes.
    counts = count_zeros(np.ones(300))
    assert coded_size(counts, RLC5, 16).bits == 6400
    assert coded_size(counts, BITMASK, 16).bits == 5104
    assert coded_size(counts, NONE, 16).bits == 4800


@pytest.mark.parametrize("zeros", [0.0, 0.2, 0.387, 0.725, 0.793, 0.9, 0.97, 0.99, 0.999, 1.0])
@pytest.mark.parametrize("words", [200, 9_973])
def test_expected_pairs_are_the_mean_over_random_tensors_less_one_at_most(words, zeros) -> None:
    random = np.random.default_rng(words)
    counted = [count_zeros(random.random(words) >= zeros).run_pairs for _ in range(200)]
    error = 4 * np.std(counted) / np.sqrt(len(counted))  # of the mean of 200
    expected = expect_zeros(words, zeros).run_pairs
    assert np.mean(counted) - 1 - error <= expected <= np.mean(counted) + 1 + error  # rounded up by less than a pair


@settings(max_examples=100)
@given(words=st.integers(0, 10**6), zeros=st.floats(0, 1), more=st.floats(0, 1), width=st.integers(1, 58))
def test_more_zeros_never_make_the_expected_code_longer(words, zeros, more, width) -> None:
    less, many = (expect_zeros(words, share) for share in sorted((zeros, more)))
    for code in Compression:
        assert coded_size(many, code, width).bits <= coded_size(less, code, width).bits


@settings(max_examples=100)
@given(words=st.integers(1, 10**5), other=st.integers(0, 10**6), zeros=st.floats(0, 1))
def test_counts_over_another_length_keep_their_shares(words, other, zeros) -> None:
    counts = expect_zeros(words, zeros)
    scaled = counts.over(other)
    assert scaled.words == other
    assert abs(scaled.nonzero_words - counts.nonzero_words * other / words) <= 0.5
    assert 0 <= scaled.run_pairs - counts.run_pairs * other / words < 1
    assert counts.over(words) == counts


def test_counts_that_no_tensor_has_are_refused() -> None:
    with pytest.raises(ValueError, match="no tensor"):
        ZeroCounts(words=3, nonzero_words=2, run_pairs=1)
