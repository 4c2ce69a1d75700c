"""``compression`` and what a level may hold."""

import pytest

from archsim.arch.schema import read_arch_yaml
from archsim.errors import ConfigError
from archsim.terms import Compression, Operand

IFMAP, WEIGHT, OFMAP = Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP
RLC5, BITMASK = Compression.RLC5, Compression.BITMASK
DRAM = ("latency_cycles: 40}", "latency_cycles: 40, compression: {}}}")


def with_code(write_arch, code: str):
    return write_arch((DRAM[0], DRAM[1].format(code)))


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("none", ()),
        ("rlc5", ((IFMAP, RLC5), (OFMAP, RLC5))),  # what the published chip codes
        ("bitmask", ((IFMAP, BITMASK), (OFMAP, BITMASK))),
        ("{ofmap: rlc5, weight: bitmask}", ((WEIGHT, BITMASK), (OFMAP, RLC5))),
        ("{ifmap: none, weight: rlc5}", ((WEIGHT, RLC5),)),
    ],
)
def test_a_code_is_named_once_or_per_operand(write_arch, written, codes) -> None:
    assert read_arch_yaml(with_code(write_arch, written)).dram.compression == codes


def test_nothing_is_coded_where_nothing_is_said(write_arch) -> None:
    assert read_arch_yaml(write_arch()).dram.compression == ()


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("rlc", "levels.2.compression: 'rlc' is no code: none, rlc5, bitmask. Did you mean 'rlc5'?"),
        ("5", "levels.2.compression: must be none, rlc5, bitmask, or one of them per operand as in {ifmap: rlc5}"),
        ("{psum: rlc5}", "levels.2.compression: codes ifmap, weight and ofmap, not 'psum'."),
        ("{ifmpa: rlc5}", "levels.2.compression: codes ifmap, weight and ofmap, not 'ifmpa'. Did you mean 'ifmap'?"),
        ("{ifmap: zip}", "levels.2.compression: 'zip' is no code: none, rlc5, bitmask."),
        ("{ifmap: [rlc5]}", "levels.2.compression: ['rlc5'] is no code: none, rlc5, bitmask."),
    ],
)
def test_a_wrong_code_is_told_with_its_line(write_arch, written, fault) -> None:
    with pytest.raises(ConfigError) as raised:
        read_arch_yaml(with_code(write_arch, written))
    assert str(raised.value).startswith(f"a.yaml:11: {fault}")


def test_words_too_wide_for_a_pair_are_refused(write_arch) -> None:
    wide = ("ifmap: int8", "ifmap: fp64")
    path = write_arch((DRAM[0], DRAM[1].format("rlc5")), wide)
    with pytest.raises(
        ConfigError, match=r"rlc5 holds words of 58 bits or fewer, ifmap has 64; choose bitmask"
    ) as raised:
        read_arch_yaml(path)
    assert str(raised.value).startswith("a.yaml:11: levels.2.compression: ")
    read_arch_yaml(write_arch((DRAM[0], DRAM[1].format("bitmask")), wide))


def test_metadata_lives_in_no_buffer(write_arch) -> None:
    with pytest.raises(ConfigError, match="input should be 'ifmap', 'weight', 'psum' or 'ofmap'"):
        read_arch_yaml(write_arch(("holds: [weight]", "holds: [metadata]")))
