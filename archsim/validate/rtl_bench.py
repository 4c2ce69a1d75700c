"""A chip around an array as a test bench of RTL is one: operands are always there; called by `rtl.py` and `rtl_conv.py`."""

from archsim.arch.architecture import Architecture, EnergyChoice
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import Operand


def bench_of(array: PeArray) -> Architecture:
    """Return a chip whose buffers hold any layer and whose DRAM takes no time; int8, psums int32."""
    int8 = parse_format("int8")
    formats = OperandFormats(ifmap=int8, weight=int8, psum=parse_format("int32"), ofmap=int8)
    holds = frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.PSUM})
    return Architecture(
        name="bench of an array", source="archsim validate rtl", clock_mhz=1000.0, technology_nm=45.0, pe_array=array,
        vector_unit=None, formats=formats, srams=(SramLevel(name="glb", capacity_bytes=2**45, holds=holds),),
        dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, is_ideal=True), energy=EnergyChoice(),
    )  # fmt: skip
