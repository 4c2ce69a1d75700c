import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engine.measure import fastest_plan
from archsim.errors import MappingError
from archsim.mapping.fold_plan import OPERAND_CODES
from archsim.mapping.fold_walk import walk_folds
from archsim.mapping.matrix_planner import array_work
from archsim.mapping.planner import plan_array_layer
from archsim.mapping.tile_options import untiled_nest
from archsim.terms import Direction, Operand
from tests.mapping.hand_made import IS, OS, WS, F, P, W, array_of, chip, conv, matmul, moves, nest, plan
from tests.strategies import architectures, array_layers, pe_arrays

READ, WRITE = Direction.READ, Direction.WRITE


def test_a_single_tile_needs_one_copy_and_more_need_what_the_level_buffers() -> None:
    work = array_work(matmul(4, 8, 4), chip(array_of(WS)))
    tiled = nest(WS, (W, P, F), pixels=(4, 4, 1), window=(8, 4, 1), filters=(4, 4, 1), streamed={Operand.PSUM: 5})
    assert work.copies(Operand.IFMAP, untiled_nest(work)) == 1
    assert work.copies(Operand.IFMAP, tiled) == 2
    assert work.copies(Operand.PSUM, tiled) == 5
    single = array_work(matmul(4, 8, 4), chip(array_of(WS), double_buffered=False))
    assert single.copies(Operand.IFMAP, tiled) == 1


@pytest.mark.parametrize(
    ("dataflow", "folds", "efficiency"),
    [
        (WS, 2 * 6, (9 * 5) / (6 * 16)),  # window 9 x filters 5 on 4 x 4: 3 x 2 folds in each of 2 groups
        (IS, 2 * 3 * 1, (9 * 4) / (3 * 16)),  # window 9 x pixels 4: 3 x 1
        (OS, 2 * 1 * 2, (4 * 5) / (2 * 16)),  # pixels 4 x filters 5: 1 x 2
    ],
)
def test_folds_and_efficiency_count_all_groups(dataflow, folds, efficiency) -> None:
    layer, arch = conv(2, 10, 4, 3, groups=2), chip(array_of(dataflow))
    made = plan(layer, arch, untiled_nest(array_work(layer, arch)))
    assert made.folds == folds
    assert made.mapping_efficiency == pytest.approx(efficiency)
    assert made.array_macs == layer.macs == 2 * 4 * 9 * 5
    assert made.kind == dataflow.value


def test_a_hidden_load_is_a_lead_of_the_stationary_operand_only() -> None:
    layer, arch = matmul(8, 8, 4), chip(array_of(WS, weight_regs=2))
    made = plan(layer, arch, untiled_nest(array_work(layer, arch)))
    leads = {int(code): set(made.transfers.lead_cycles[made.transfers.operand == code].tolist()) for code in (0, 1)}
    assert leads == {0: {0}, 1: {4}}
    assert made.steps.first_start_cycles == 4


def test_registers_in_the_pes_see_every_mac_and_one_write_per_stationary_word() -> None:
    layer, arch = conv(1, 5, 4, 3), chip(array_of(WS))
    made = plan(layer, arch, untiled_nest(array_work(layer, arch)))
    assert {operand: made.words("spad", operand, READ) for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)} == {
        Operand.IFMAP: 180, Operand.WEIGHT: 180, Operand.PSUM: 180,
    }  # fmt: skip
    assert made.words("spad", Operand.WEIGHT, WRITE) == 45
    assert made.words("spad", Operand.IFMAP, WRITE) == made.words("spad", Operand.PSUM, WRITE) == 180


def test_a_dimension_that_is_not_tiled_leaves_no_transfer_out() -> None:
    # One group's ifmap 16, weights 45, ofmap 20 words; two groups: the second's wait for no step of the first (2 copies).
    layer, arch = conv(2, 10, 4, 3, groups=2), chip(array_of(WS))
    made = plan(layer, arch, untiled_nest(array_work(layer, arch)))
    reads = moves(made, is_write=False)
    assert sum(size for *_, size in reads["ifmap"]) == 32
    assert sum(size for *_, size in reads["weight"]) == 90
    assert sum(size for *_, size in moves(made, is_write=True)["ofmap"]) == 40
    assert {after for _, after, _ in reads["ifmap"] + reads["weight"]} == {-1}


@settings(max_examples=100)
@given(layer=array_layers, arch=architectures(), data=st.data())
def test_transfers_move_the_bytes_that_traffic_counts(layer, arch, data) -> None:
    try:
        made = fastest_plan(plan_array_layer(layer, arch), arch.dram)
    except MappingError:
        return
    t = made.transfers
    counted = {
        way: sum(row.bytes for row in made.traffic if (row.level, row.direction) == ("dram", way))
        for way in (READ, WRITE)
    }
    assert counted == {READ: t.length_bytes[~t.is_write].sum(), WRITE: t.length_bytes[t.is_write].sum()}
    assert (t.length_bytes > 0).all()
    assert (t.after_step[~t.is_write] < t.step[~t.is_write]).all()
    assert (t.after_step[t.is_write] == t.step[t.is_write]).all()


@settings(max_examples=100)
@given(layer=array_layers, array=pe_arrays())
def test_the_untiled_steps_take_the_closed_forms_cycles(layer, array) -> None:
    arch = chip(array)
    made = plan(layer, arch, untiled_nest(array_work(layer, arch)))
    starts = made.steps.first_start_cycles + np.concatenate([[0], np.cumsum(made.steps.advance_cycles[:-1])])
    assert (starts + made.steps.tail_cycles).max() - made.steps.origin_cycles == made.compute_cycles
    assert made.steps.advance_cycles.min() >= 1
    assert made.steps.tail_cycles.min() >= 1


@settings(max_examples=60)
@given(layer=array_layers, arch=architectures())
def test_a_psum_is_fetched_only_behind_the_write_of_the_same_outputs(layer, arch) -> None:
    work = array_work(layer, arch)
    try:
        plans = list(plan_array_layer(layer, arch))
    except MappingError:
        return
    for made in plans:
        walk, t = walk_folds(made.nest, pass_per_unit=work.pass_per_unit), made.transfers
        written: dict[tuple[int, int, int], int] = {}  # outputs -> step whose results were written last
        for index in np.flatnonzero(t.operand == OPERAND_CODES.index(Operand.PSUM)):
            step = int(t.step[index])
            outputs = (int(walk.group[step]), int(walk.unit[P][step]), int(walk.unit[F][step]))
            if t.is_write[index]:
                written[outputs] = step
            else:
                assert written[outputs] <= t.after_step[index] < step
