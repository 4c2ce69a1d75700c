"""What codes on the DRAM channel may and may not change, over random layers, chips and mappings."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.engine.simulate import run_layer
from archsim.errors import MappingError
from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.fold_plan import OPERAND_CODES, FoldPlan
from archsim.mapping.ifmap_geometry import ifmap_geometry
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.mapping.tile_options import tile_options
from archsim.mapping.tile_room import copies_held
from archsim.mapping.tile_search import nest_of
from archsim.mapping.tile_traffic import tile_traffic
from archsim.mapping.vector_plan import plan_vector_layer
from archsim.numerics.link_code import coded_size, expect_zeros
from archsim.terms import CODABLE_OPERANDS, Compression, Direction, Operand
from archsim.workload.layer import VectorLayer, ZeroFractions
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself
from tests.strategies import architectures, array_layers

CODES = [Compression.RLC5, Compression.BITMASK]
shares = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
codings = st.dictionaries(st.sampled_from(CODABLE_OPERANDS), st.sampled_from(CODES), min_size=1)


def coded(arch, codes):
    return replace(arch, dram=replace(arch.dram, compression=tuple(codes.items())))


def with_zeros(layer, ifmap: float, weight: float):
    return replace(layer, zero_fractions=ZeroFractions(ifmap=ifmap, weight=weight))


def drawn_option(data, layer, arch) -> int:
    return data.draw(st.integers(0, len(tile_options(array_work(layer, arch)).order) - 1))


def planned(layer, arch, index: int) -> FoldPlan:
    """The mapping of that number, which does not depend on codes."""
    work = array_work(layer, arch)
    options = tile_options(work)
    nest = nest_of(work, options, copies_held(work, options, tile_traffic(work, options)), index)
    return plan_array_steps(work, nest, ideal_compute_cycles(work))


def channel_rows(plan: FoldPlan) -> dict[tuple[Operand, Direction], tuple[int, int]]:
    return {(row.operand, row.direction): (row.words, row.bytes) for row in plan.traffic if row.level == "dram"}


def channel_bytes(plan: FoldPlan) -> int:
    return sum(size for _, size in channel_rows(plan).values())


@settings(max_examples=80, deadline=None)
@given(layer=array_layers, arch=architectures(), codes=codings, ifmap=shares, weight=shares)
def test_dram_moves_at_least_every_operand_once_as_coded(layer, arch, codes, ifmap, weight) -> None:
    chip = coded(arch, codes)
    try:
        run = run_layer(with_zeros(layer, ifmap, weight), chip)
    except MappingError:
        assume(False)
    gemm, zeros = layer.gemm, zeros_by_itself(with_zeros(layer, ifmap, weight))
    unique = {
        Operand.IFMAP: gemm.groups * ifmap_geometry(layer).unique_words,
        Operand.WEIGHT: gemm.groups * gemm.window * gemm.filters,
        Operand.OFMAP: gemm.groups * gemm.pixels * gemm.filters,
    }
    least = dict.fromkeys(Direction, 0)
    for operand, words in unique.items():
        bits = coded_size(zeros.of(operand), codes.get(operand, Compression.NONE), 8).bits
        whole = zeros.of(operand).words
        least[Direction.WRITE if operand is Operand.OFMAP else Direction.READ] += -(-words * bits // (8 * whole))
    for direction, size in least.items():
        moved = sum(t.bytes for t in run.traffic if t.level == "dram" and t.direction is direction)
        assert moved >= size


@settings(max_examples=80, deadline=None)
@given(layer=array_layers, arch=architectures(), codes=codings, zeros=st.tuples(shares, shares), data=st.data())
def test_rows_and_transfers_carry_the_same_bytes(layer, arch, codes, zeros, data) -> None:
    layer, arch = with_zeros(layer, *zeros), coded(arch, codes)
    plan = planned(layer, arch, drawn_option(data, layer, arch))
    rows, t = channel_rows(plan), plan.transfers
    for is_write, direction in ((False, Direction.READ), (True, Direction.WRITE)):
        assert t.length_bytes[t.is_write == is_write].sum() == sum(
            size for (_, way), (_, size) in rows.items() if way is direction
        )
    for operand in set(OPERAND_CODES) - set(codes):  # what is not coded has rows of its own
        mine = t.length_bytes[t.operand == OPERAND_CODES.index(operand)].sum()
        assert mine == sum(size for (each, _), (_, size) in rows.items() if each is operand)


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=architectures(), codes=codings, data=st.data())
def test_without_zeros_a_code_moves_its_overhead_more_and_nothing_else_changes(layer, arch, codes, data) -> None:
    layer = with_zeros(layer, 0.0, 0.0)
    index = drawn_option(data, layer, arch)
    plain, made = planned(layer, arch, index), planned(layer, coded(arch, codes), index)
    rows = channel_rows(made)
    overhead = sum(rows.pop((Operand.METADATA, direction), (0, 0))[1] for direction in Direction)
    assert rows == channel_rows(plain)
    assert channel_bytes(made) == channel_bytes(plain) + overhead
    assert overhead > 0
    on_chip = [[row for row in plan.traffic if row.level != "dram"] for plan in (plain, made)]
    assert on_chip[0] == on_chip[1]
    assert (made.steps.advance_cycles == plain.steps.advance_cycles).all()
    assert (made.steps.port_cycles == plain.steps.port_cycles).all()


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=architectures(), codes=codings, zeros=st.tuples(shares, shares), data=st.data())
def test_more_zeros_never_move_more_bytes_in_the_same_mapping(layer, arch, codes, zeros, data) -> None:
    arch, operand = coded(arch, codes), data.draw(st.sampled_from(["ifmap", "weight"]))
    index = drawn_option(data, layer, arch)
    less, many = (
        channel_bytes(planned(with_zeros(layer, **({"ifmap": 0.3, "weight": 0.3} | {operand: share})), arch, index))
        for share in sorted(zeros)
    )
    assert many <= less


vectors = st.builds(
    VectorLayer, name=st.just("v"), op=st.just("add"), lane_ops=st.integers(0, 3000), ifmap_words=st.integers(0, 3000),
    ofmap_words=st.integers(0, 3000), weight_words=st.integers(0, 100),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(layer=vectors, arch=architectures(), codes=codings, zeros=shares, data=st.data())
def test_vector_layers_keep_the_same_laws(layer, arch, codes, zeros, data) -> None:
    stays = data.draw(st.booleans())
    counts = LayerZeros(**{
        name: expect_zeros(getattr(layer, f"{name}_words"), zeros) for name in ("ifmap", "weight", "ofmap")
    })  # fmt: skip
    words = data.draw(st.integers(0, layer.ifmap_words))
    plan = plan_vector_layer(layer, coded(arch, codes), arch.vector_unit, words, stays, zeros=counts)
    plain = plan_vector_layer(layer, arch, arch.vector_unit, words, stays)
    assert plan.transfers.length_bytes.sum() == channel_bytes(plan)
    assert plain.transfers.length_bytes.sum() == channel_bytes(plain)
    assert [row for row in plan.traffic if row.level != "dram"] == [row for row in plain.traffic if row.level != "dram"]
    full = plan_vector_layer(layer, coded(arch, codes), arch.vector_unit, words, stays)
    assert channel_bytes(plan) <= channel_bytes(full)
    assert channel_bytes(full) >= channel_bytes(plain)
