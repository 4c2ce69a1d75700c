from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.fold_plan import OPERAND_CODES
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.mapping.tile_options import STREAMABLE, tile_options
from archsim.mapping.tile_room import copies_held
from archsim.mapping.tile_search import nest_of
from archsim.mapping.tile_traffic import tile_traffic
from archsim.terms import CODABLE_OPERANDS, Compression, Direction, Operand
from archsim.workload.layer import ZeroFractions
from tests.strategies import architectures, array_layers


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=architectures(), data=st.data())
def test_closed_forms_of_every_option_equal_the_sum_over_its_steps(layer, arch, data) -> None:
    work = array_work(layer, arch)
    options = tile_options(work)
    traffic = tile_traffic(work, options)
    index = data.draw(st.integers(0, len(options.order) - 1))
    plan = plan_array_steps(
        work, nest_of(work, options, copies_held(work, options, traffic), index), ideal_compute_cycles(work)
    )
    for operand in STREAMABLE:
        assert plan.words("dram", operand, Direction.READ) == traffic.fetches[operand][index]
    for operand in (Operand.PSUM, Operand.OFMAP):
        assert plan.words("dram", operand, Direction.WRITE) == traffic.write_backs[operand][index]
    for operand in (Operand.IFMAP, Operand.WEIGHT):
        level = arch.sram_of(operand)
        if level is not None:
            assert plan.words(level.name, operand, Direction.READ) == traffic.array_reads[operand][index]


@settings(max_examples=80, deadline=None)
@given(
    layer=array_layers, arch=architectures(), code=st.sampled_from(Compression), zeros=st.floats(0, 1), data=st.data()
)
def test_closed_forms_of_bytes_equal_those_of_the_steps_to_a_byte(layer, arch, code, zeros, data) -> None:
    # int8 and int32 words are whole bytes; of coded ones the closed form does not round, the layer rounds up once.
    layer = replace(layer, zero_fractions=ZeroFractions(ifmap=zeros, weight=zeros))
    coded = tuple((operand, code) for operand in CODABLE_OPERANDS if code is not Compression.NONE)
    work = array_work(layer, replace(arch, dram=replace(arch.dram, compression=coded)))
    options = tile_options(work)
    traffic = tile_traffic(work, options)
    index = data.draw(st.integers(0, len(options.order) - 1))
    plan = plan_array_steps(
        work, nest_of(work, options, copies_held(work, options, traffic), index), ideal_compute_cycles(work)
    )
    codes = plan.transfers.operand
    moved = {op: int(plan.transfers.length_bytes[codes == place].sum()) for place, op in enumerate(OPERAND_CODES)}
    outputs = moved[Operand.PSUM] + moved[Operand.OFMAP]
    for operand in STREAMABLE:
        size = outputs if operand is Operand.PSUM else moved[operand]
        assert -1e-6 * size <= size - traffic.operand_bytes(operand)[index] < 1 + 1e-6 * size


@settings(max_examples=100, deadline=None)
@given(layer=array_layers, arch=architectures())
def test_the_untiled_option_moves_every_operand_once(layer, arch) -> None:
    work = array_work(layer, arch)
    options = tile_options(work)
    traffic = tile_traffic(work, options)
    assume(all(arch.sram_of(operand) is not None for operand in STREAMABLE))  # without a level it has to stream
    resident = np.flatnonzero(~np.logical_or.reduce([options.streamed[operand] for operand in STREAMABLE]))[0]
    gemm = layer.gemm
    assert traffic.fetches[Operand.IFMAP][resident] == gemm.groups * work.geometry.unique_words
    assert traffic.fetches[Operand.WEIGHT][resident] == gemm.groups * gemm.window * gemm.filters
    assert traffic.fetches[Operand.PSUM][resident] == 0
    assert traffic.write_backs[Operand.OFMAP][resident] == gemm.groups * gemm.pixels * gemm.filters
