"""Channel-parallel chips by hand and by chance, and what their plans move; shared by the tests beside it."""

from hypothesis import strategies as st

from archsim.arch.channel_atoms import ChannelAtoms
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.mapping.channel_parallel import plan_channel_layer
from archsim.terms import Dataflow, Operand
from tests.strategies import architecture, conv_layers, matmul_layers

IFMAP, WEIGHT, OFMAP = Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP
ATOMS = ChannelAtoms(channel_atom=4, filter_atom=4)
DRAM = DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0)
layers = st.one_of(conv_layers(), matmul_layers())


def make_array(rows=4, columns=8, atoms=ATOMS, **given) -> PeArray:
    return PeArray(rows=rows, columns=columns, dataflow=Dataflow.CHANNEL_PARALLEL, atoms=atoms, **given)


def chip(capacity_bytes=10**6, *, array=None, dram=DRAM, **level):
    holds = frozenset({IFMAP, WEIGHT})
    buffer = SramLevel(name="cbuf", capacity_bytes=capacity_bytes, holds=holds, **level)
    return architecture(array or make_array(), (buffer,), dram)


@st.composite
def chips(draw: st.DrawFn):
    channel, filters = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([1, 3, 4]))
    atoms = ChannelAtoms(
        channel_atom=channel, filter_atom=filters, stored_channels=draw(st.sampled_from([1, 1, 4])),
        stripe_pixels=draw(st.integers(1, 20)), pixels_across=draw(st.booleans()), winograd=draw(st.booleans()),
    )  # fmt: skip
    array = make_array(channel * draw(st.integers(1, 3)), filters * draw(st.integers(1, 3)), atoms,
                       pe_latency=draw(st.integers(1, 3)))  # fmt: skip
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=draw(st.sampled_from([0.5, 2.4, 64.0])),
                     latency_cycles=draw(st.sampled_from([0, 40])))  # fmt: skip
    size = draw(st.sampled_from([200, 600, 2_000, 100_000]))
    ports = {"width_bytes": draw(st.sampled_from([None, 8])), "double_buffered": draw(st.booleans())}
    held = draw(st.sampled_from([{IFMAP, WEIGHT}, {IFMAP, WEIGHT, Operand.PSUM}, {IFMAP}, {WEIGHT}]))
    form = draw(st.sampled_from(["shared", "parts"]))
    parts = tuple((operand, size) for operand in sorted(held)) if form == "parts" else None
    level = SramLevel(name="cbuf", capacity_bytes=size * (len(held) if parts else 1), holds=frozenset(held),
                      partition_bytes=parts, **ports)  # fmt: skip
    return architecture(array, (level,), dram)


def plans_of(layer, arch, kept=frozenset()):
    return list(plan_channel_layer(layer, arch, kept, None, loads_table=True))


def dram_bytes(plan, operand) -> int:
    return sum(row.bytes for row in plan.traffic if row.level == "dram" and row.operand is operand)
