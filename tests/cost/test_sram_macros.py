from dataclasses import replace

import pytest

from archsim.cost.sram_macros import SramMacros, macros_for, macros_of
from archsim.terms import Operand


def test_a_bank_is_a_macro(glb):
    level = replace(glb, banks=4)
    assert macros_of(level) == (SramMacros(banks=4, bank_bytes=16384, access_bytes=8),)
    assert macros_for(level, Operand.IFMAP) == macros_of(level)[0]


def test_a_partition_has_banks_of_its_own_and_the_rest_too(glb):
    # 65536 - 32768 - 16384 = 16384
    level = replace(glb, banks=2, partition_bytes=((Operand.IFMAP, 32768), (Operand.PSUM, 16384)))
    assert [macros.bank_bytes for macros in macros_of(level)] == [16384, 8192, 8192]
    assert macros_for(level, Operand.IFMAP).bank_bytes == 16384


def test_psums_and_ofmap_share_a_partition_and_strangers_see_the_whole_level(glb):
    level = replace(glb, partition_bytes=((Operand.PSUM, 16384), (Operand.IFMAP, 0)))
    assert macros_for(level, Operand.OFMAP).bank_bytes == 16384
    assert macros_for(level, Operand.WEIGHT).bank_bytes == 65536
    assert macros_for(level, Operand.IFMAP).bank_bytes == 65536


@pytest.mark.parametrize(("width_bytes", "bits"), [(None, 64), (4, 32)])
def test_an_access_without_a_width_moves_eight_bytes(width_bytes, bits, glb):
    assert macros_of(replace(glb, width_bytes=width_bytes))[0].access_bits == bits
