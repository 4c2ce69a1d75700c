from dataclasses import replace

import pytest

from archsim.arch.architecture import Architecture
from archsim.arch.log_adder import LogAdder
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.arch.word_group import WordGroup
from archsim.errors import MappingError
from archsim.mapping.layer_arch import arch_for_layer
from archsim.numerics.accumulator import LogAdderKind
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import HELD_OPERANDS, Dataflow, Operand
from archsim.workload.layer import ConvLayer, VectorLayer
from archsim.workload.layer_formats import WeightClusters
from tests.strategies import architecture


def chip(packing_bits: int | None = None, **changes: object) -> Architecture:
    """int8 operands, int32 psums; one buffer, a DRAM that may pack."""
    glb = SramLevel(name="glb", capacity_bytes=10_000, holds=frozenset(HELD_OPERANDS))
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0, packing_bits=packing_bits)
    array = PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY)
    return replace(architecture(array, (glb,), dram), **changes)


def conv(ifmap: str, weight: str, psum: str, ofmap: str | None = None) -> ConvLayer:
    formats = OperandFormats(
        ifmap=parse_format(ifmap),
        weight=parse_format(weight),
        psum=parse_format(psum),
        ofmap=parse_format(ofmap or ifmap),
    )
    return ConvLayer(
        name="conv3", in_channels=4, out_channels=4, ifmap=(8, 8), kernel=(3, 3), stride=(1, 1),
        padding=((0, 0), (0, 0)), dilation=(1, 1), formats=formats,
    )  # fmt: skip


def test_a_plain_layer_sees_the_arch_as_it_is():
    arch = chip()
    assert arch_for_layer(replace(conv("int4", "int4", "int16"), formats=None), arch) is arch


def test_a_chip_that_follows_its_workload_takes_the_layers_widths_everywhere():
    arch = arch_for_layer(conv("uint6", "int5", "int19", "int7"), chip(follows_workload=True))
    widths = [arch.group(level, operand).bits for level in ("spad", "glb", "dram") for operand in HELD_OPERANDS]
    assert widths == [6, 5, 19, 7] * 3


def test_narrow_codes_take_the_archs_width_except_where_a_level_packs():
    arch = arch_for_layer(conv("uint6", "int5", "int19"), chip(packing_bits=32))
    assert arch.group("spad", Operand.WEIGHT) == arch.group("glb", Operand.WEIGHT) == WordGroup(words=1, bits=8)
    assert arch.group("dram", Operand.WEIGHT) == WordGroup(words=6, bits=32)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (conv("lns8", "int8", "int32"), "ifmap is lns8, 'random' has int8: logarithmic arithmetic on integer hardware"),
        (conv("int8", "fp8_e4m3", "fp32", "int8"), "weight is fp8_e4m3, 'random' has int8: float arithmetic on integer"),
        (conv("int8", "int12", "int32"), "weight is int12, 'random' has int8: the values take 12 bits of 8"),
        (conv("int8", "int8", "int35"), "psum is int35, 'random' has int32: the sums need 35 bits of 32"),
        (conv("int8", "int8", "int24", "int12"), "ofmap is int12, 'random' has int8: the values take 12 bits of 8"),
    ],
)  # fmt: skip
def test_a_layer_that_does_not_fit_the_chips_formats_is_refused_with_a_remedy(layer, said):
    with pytest.raises(MappingError) as problem:
        arch_for_layer(layer, chip())
    assert str(problem.value).startswith(f"layer 'conv3': {said}")
    assert "--set formats.follow_workload=true" in str(problem.value)
    assert "--format" in str(problem.value)


@pytest.mark.parametrize(
    "formats", [("uint8", "fx<8,4>", "int32"), ("fx<8,2>", "ternary", "int20"), ("int8", "binary", "int9")]
)
def test_integers_fixed_point_and_signs_are_one_arithmetic(formats):
    assert arch_for_layer(conv(*formats), chip()).formats.ifmap == parse_format("int8")


def test_sums_that_leave_as_they_are_take_the_psums_width():
    arch = arch_for_layer(conv("int8", "int8", "int21", "int21"), chip())
    assert arch.group("dram", Operand.OFMAP) == WordGroup(words=1, bits=32)


def test_a_float_of_the_same_width_split_otherwise_is_refused():
    built = arch_for_layer(conv("fp8_e4m3", "fp8_e4m3", "fp32"), chip(follows_workload=True))
    with pytest.raises(MappingError, match="split otherwise"):
        arch_for_layer(conv("fp8_e5m2", "fp8_e4m3", "fp32"), replace(built, follows_workload=False, codes=None))


def test_only_layers_whose_psums_are_logarithms_use_the_adder_of_logarithms():
    adder = LogAdder(kind=LogAdderKind.BIT_SHIFT, fraction_bits=8, latency_cycles=3)
    arch = chip(follows_workload=True)
    arch = replace(arch, pe_array=replace(arch.pe_array, log_adder=adder))
    assert arch_for_layer(conv("lns8", "lns8", "lns16"), arch).pe_array.hop_cycles == 3
    assert arch_for_layer(conv("lns8", "lns8", "int24"), arch).pe_array.hop_cycles == 1


def test_a_vector_layer_is_held_to_its_ifmap_and_ofmap_alone():
    layer = VectorLayer(name="pool", op="max_pool", lane_ops=64, ifmap_words=64, ofmap_words=16,
                        formats=conv("int8", "lns8", "int64").formats)  # fmt: skip
    assert arch_for_layer(layer, chip()).formats == chip().formats


def test_clustered_weights_are_pointers_at_every_level_but_the_registers():
    clusters = WeightClusters(codebook="net", entries=512, kernel_words=9)
    arch = arch_for_layer(replace(conv("int8", "int8", "int32"), clusters=clusters), chip())
    assert arch.group("glb", Operand.WEIGHT) == arch.group("dram", Operand.WEIGHT) == WordGroup(words=9, bits=9)
    assert arch.group("spad", Operand.WEIGHT) == WordGroup(words=1, bits=8)
    assert arch.stored_words("glb", Operand.WEIGHT, 90) == 10
    assert arch.stored_words("spad", Operand.WEIGHT, 90) == 90


def test_a_vector_layers_ofmap_takes_the_ofmaps_width_though_its_psum_format_is_the_same():
    layer = VectorLayer(name="pool", op="max_pool", lane_ops=64, ifmap_words=64, ofmap_words=16,
                        formats=conv("int8", "int8", "int8").formats)  # fmt: skip
    assert arch_for_layer(layer, chip()).formats.ofmap == chip().formats.ofmap
