import numpy as np
import pytest

from archsim.arch.word_group import WordGroup


@pytest.mark.parametrize(
    ("width_bits", "values"),
    [(32, 1), (17, 1), (16, 2), (11, 2), (10, 3), (9, 3), (8, 4), (7, 4), (4, 8)],
)
def test_a_32_bit_bus_carries_as_many_whole_values_as_the_webinar_tells(width_bits, values):
    packed = WordGroup(words=1, bits=width_bits).packed(32)
    assert packed == WordGroup(words=values, bits=32)
    assert packed.bytes_of(values) == 4
    assert packed.bytes_of(values + 1) == 8


def test_a_value_wider_than_the_bus_takes_whole_words_of_it():
    assert WordGroup(words=1, bits=33).packed(32) == WordGroup(words=1, bits=64)


def test_dense_values_are_rounded_up_to_a_byte_once():
    assert WordGroup(words=1, bits=5).bytes_of(np.array([0, 1, 8, 9])).tolist() == [0, 1, 5, 6]


def test_pointers_are_counted_in_whole_kernels():
    # 9 weights behind a pointer of 10 bits: 19 weights touch 3 kernels, 30 bits, 4 bytes
    kernel = WordGroup(words=9, bits=10)
    assert kernel.groups_of(19) == 3
    assert kernel.bits_of(19) == 30
    assert kernel.bytes_of(19) == 4
    # on a 32-bit bus three pointers to a word
    assert kernel.packed(32) == WordGroup(words=27, bits=32)
