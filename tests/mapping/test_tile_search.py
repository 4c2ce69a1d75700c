"""What the search chooses, seen from outside: the plan of a layer on a chip."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from archsim.arch.memory_level import DramLevel
from archsim.engine.measure import fastest_plan
from archsim.errors import MappingError
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Direction, Operand
from tests.mapping.hand_made import IS, OS, WS, array_of, chip, conv, matmul
from tests.strategies import architectures, array_layers

READ, WRITE = Direction.READ, Direction.WRITE
DRAM = DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, latency_cycles=10)


def best(layer, arch):
    return fastest_plan(plan_array_layer(layer, arch), arch.dram)


def dram_words(plan) -> tuple[int, int, int, int]:
    """Ifmap, weights and psums read, psums written."""
    return (plan.words("dram", Operand.IFMAP, READ), plan.words("dram", Operand.WEIGHT, READ),
            plan.words("dram", Operand.PSUM, READ), plan.words("dram", Operand.PSUM, WRITE))  # fmt: skip


@pytest.mark.parametrize("dataflow", [WS, IS, OS])
def test_a_layer_that_fits_comes_once_and_spills_nothing(dataflow) -> None:
    # Time is equal whatever DRAM does, so the least energy decides: every word once.
    ideal = replace(DRAM, is_ideal=True)
    assert dram_words(best(conv(3, 9, 8, 3), chip(array_of(dataflow), dram=ideal))) == (3 * 64, 27 * 9, 0, 0)


@pytest.mark.parametrize("dataflow", [WS, IS, OS])
def test_a_layer_larger_than_the_buffer_is_tiled_and_never_moves_less_than_everything(dataflow) -> None:
    # 40 x 60 and 60 x 50 words, 2000 ofmap values in 1500 B.
    plan = best(matmul(40, 60, 50), chip(array_of(dataflow), capacity_bytes=1500, dram=DRAM))
    ifmap, weight, psum_back, psum_out = dram_words(plan)
    assert ifmap >= 2400
    assert weight >= 3000
    assert ifmap + weight > 5400
    assert psum_back == psum_out


def test_the_operand_that_gains_most_from_staying_stays() -> None:
    # Few weights, many pixels: the 8 x 8 weights and their 8 x 1 line of pixels are all that one needs: nothing comes twice.
    assert dram_words(best(matmul(500, 8, 8), chip(array_of(WS), capacity_bytes=600, dram=DRAM))) == (4000, 64, 0, 0)


def test_a_single_buffer_fits_where_two_copies_do_not() -> None:
    small = matmul(30, 30, 30)
    one, two = (
        best(small, chip(array_of(WS), capacity_bytes=2200, double_buffered=double, dram=DRAM))
        for double in (False, True)
    )
    assert sum(dram_words(one)) <= sum(dram_words(two))


def test_partitions_limit_each_operand_by_itself() -> None:
    # Weights of 30 x 30 do not fit 200 B, whatever room the others have left.
    parts = ((Operand.IFMAP, 10**5), (Operand.PSUM, 10**5), (Operand.WEIGHT, 200))
    tight = best(matmul(30, 30, 30), chip(array_of(WS), capacity_bytes=3 * 10**5, partition_bytes=parts, dram=DRAM))
    assert max(tile_bytes(tight)) <= 200
    assert dram_words(tight)[0] == 900


def tile_bytes(plan) -> list[int]:
    """Weights of each tile, copies counted. [B]"""
    window, filters = plan.nest.tiling["window"], plan.nest.tiling["filters"]
    size = min(window.size, window.span) * min(filters.size, filters.span)
    return [size * (1 if window.tiles * filters.tiles == 1 else 2)] if Operand.WEIGHT not in plan.nest.streamed else [0]


@settings(max_examples=80)
@given(layer=array_layers, arch=architectures())
def test_plans_come_with_the_best_estimate_of_the_first_round_first_and_are_not_repeated(layer, arch) -> None:
    try:
        plans = list(plan_array_layer(layer, arch))
    except MappingError:
        return
    assert plans
    assert all(plan.estimated_cycles > 0 for plan in plans)
    tilings = [
        (plan.nest.order, tuple(plan.nest.tiling.values()), tuple(sorted(plan.nest.streamed.items())), plan.nest.whole)
        for plan in plans
    ]
    assert len(set(tilings)) == len(tilings)
    assert len({plan.compute_cycles for plan in plans}) == 1


@settings(max_examples=60)
@given(layer=array_layers, arch=architectures())
def test_a_layer_that_fits_one_chip_fits_one_with_twice_the_room(layer, arch) -> None:
    try:
        next(iter(plan_array_layer(layer, arch)))
    except MappingError:
        return
    levels = tuple(
        replace(level, capacity_bytes=2 * level.capacity_bytes,
                partition_bytes=level.partition_bytes and tuple((operand, 2 * size) for operand, size in level.partition_bytes))
        for level in arch.srams
    )  # fmt: skip
    assert next(iter(plan_array_layer(layer, replace(arch, srams=levels)))) is not None
