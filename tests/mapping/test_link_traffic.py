from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archsim.arch.memory_level import DramLevel
from archsim.mapping.link_traffic import LinkShare, link_shares
from archsim.numerics.link_code import expect_zeros
from archsim.terms import Compression, Direction, Operand
from archsim.workload.tensor_zeros import LayerZeros
from tests.mapping.hand_made import WS, array_of, chip

SHARE = LinkShare(words=10, nonzero_words=5, coded_bytes=16, width_bits=16)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_steps_take_what_their_last_word_takes_more_than_the_words_before() -> None:
    # 1.6 B a word: 3 words up to 5 B (4.8), 6 up to 10 (9.6), 10 up to 16, 20 up to 32.
    assert SHARE.step_bytes(ints(3, 3, 0, 4, 10)).tolist() == [5, 5, 0, 6, 16]


def test_rows_part_nonzero_words_from_metadata() -> None:
    # 15 words: 24 B on the channel; 7 nonzero words (7.5) of 2 B; 10 B of metadata in two 64-bit words.
    rows = [(r.operand, r.words, r.bytes) for r in SHARE.rows("dram", Operand.IFMAP, Direction.READ, 15)]
    assert rows == [(Operand.IFMAP, 7, 14), (Operand.METADATA, 2, 10)]


def test_tensors_beyond_32_bits_are_shared_out_exactly() -> None:
    words, coded = 2**33 + 1, 2**34 + 7
    share = LinkShare(words=words, nonzero_words=words, coded_bytes=coded, width_bits=8)
    steps = ints(2**33, 1, 5 * words, 2**32)
    upto = np.cumsum(steps).tolist()
    assert np.cumsum(share.step_bytes(steps)).tolist() == [-(-each * coded // words) for each in upto]


@given(
    steps=st.lists(st.integers(0, 5000), min_size=1, max_size=30),
    words=st.integers(1, 3000),
    zeros=st.floats(0, 1),
    code=st.sampled_from([Compression.RLC5, Compression.BITMASK]),
    width=st.integers(1, 32),
)
def test_steps_add_up_to_the_rows_and_each_word_has_arrived_with_its_step(steps, words, zeros, code, width) -> None:
    counts = expect_zeros(words, zeros)
    arch = chip(
        array_of(WS), dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, compression=((Operand.WEIGHT, code),))
    )
    fmt = replace(arch.formats.weight, width_bits=width)
    arch = replace(arch, formats=replace(arch.formats, weight=fmt))
    share = link_shares(arch, LayerZeros(ifmap=counts, weight=counts, ofmap=counts))[Operand.WEIGHT]
    moved = share.step_bytes(np.array(steps, dtype=np.int64))
    rows = list(share.rows("dram", Operand.WEIGHT, Direction.READ, sum(steps)))
    assert moved.sum() == sum(row.bytes for row in rows)
    assert moved.min() >= 0
    assert min(row.bytes for row in rows) >= 0
    assert (np.cumsum(moved) * words >= np.cumsum(steps) * share.coded_bytes).all()


def test_only_what_the_arch_codes_has_a_share() -> None:
    codes = (
        (Operand.IFMAP, Compression.RLC5),
        (Operand.WEIGHT, Compression.NONE),
        (Operand.OFMAP, Compression.BITMASK),
    )
    arch = chip(array_of(WS), dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, compression=codes))
    counts = expect_zeros(100, 0.5)
    zeros = LayerZeros(ifmap=counts, weight=counts, ofmap=expect_zeros(0, 0.5))
    assert set(link_shares(arch, zeros)) == {Operand.IFMAP}  # an empty ofmap takes nothing
    assert not link_shares(chip(array_of(WS)), zeros)
