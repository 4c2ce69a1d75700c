"""Channel parallel: what is stored, multiplied and fetched, by hand; every shape has a plan."""

from dataclasses import replace
from fractions import Fraction

import pytest

from archsim.arch.channel_atoms import ChannelAtoms
from archsim.arch.dram_devices import load_device
from archsim.arch.memory_level import DramLevel
from archsim.arch.pe_array import PeArray
from archsim.catalog import load_arch, load_workload
from archsim.engine.measure import measure_plan
from archsim.engine.simulate import run_layer
from archsim.errors import ConfigError, MappingError
from archsim.mapping.channel_room import INDEXED_BY, ChannelRoom
from archsim.mapping.channel_shape import channel_shape, winograd_gain
from archsim.mapping.channel_tiles import channel_nests
from archsim.mapping.channel_walk import channel_fetches, walk_channels
from archsim.mapping.fold_walk import changed, freeing_step
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Dataflow, Direction, ZeroSkip
from archsim.workload.layer import ConvLayer, MatmulLayer, ZeroFractions
from tests.mapping.channel_chips import ATOMS, IFMAP, OFMAP, WEIGHT, chip, dram_bytes, make_array, plans_of
from tests.mapping.hand_made import conv, matmul


def test_one_buffer_loads_no_tile_ahead() -> None:
    layer = conv(16, 64, 16, 3)
    for doubled in (True, False):
        arch = chip(3_500, double_buffered=doubled)
        room = ChannelRoom(layer="x", shape=channel_shape(layer, ATOMS), arch=arch, kept=frozenset())
        ahead = []
        for nest in channel_nests(room):
            assert not nest.whole
            walk = walk_channels(room, nest)
            for dim, operand in INDEXED_BY.items():
                begins = changed(walk.group, walk.tile, *([walk.block] if dim is not nest.outer else []))
                fetches = channel_fetches(room, nest, walk)[operand]
                fetched = fetches.words > 0
                ahead.append((fetches.release < freeing_step(begins, 1))[fetched].any())
        assert any(ahead) == doubled


# Distances from the longer of array and DRAM, each alone: as measured, rounded up.
@pytest.mark.parametrize(
    ("arch", "network", "batch", "name", "within"),
    [("nvdla_large", "vgg16", 1, "conv3_2", 0.04), ("nvdla_small", "vgg16", 1, "conv4_2", 0.09),
     ("nvdla_small", "vgg16", 1, "conv1_1", 0.05), ("nvdla_small", "resnet18", 1, "conv4_1_1", 0.02),
     ("nvdla_small", "mobilenet_v1", 1, "dw8", 0.01), ("nvdla_small", "googlenet", 1, "inception_4a_pool_proj", 0.05)],
)  # fmt: skip
def test_loads_hide_in_layers_that_are_in_no_sheet(arch, network, batch, name, within) -> None:
    chip_given = load_arch(arch)
    layer = next(layer for layer in load_workload(network, batch).layers if layer.name == name)
    run = run_layer(layer, chip_given)
    moved = sum(row.bytes for row in run.traffic if row.level == "dram")
    alone = max(run.compute_cycles, moved / chip_given.dram.bandwidth_bytes_per_cycle)
    assert alone <= run.total_cycles <= alone * (1 + within)


def test_what_is_read_again_is_paid_by_less_time() -> None:
    """Three thirds of the ifmap beside two blocks of weights, rather than two halves and one block: 1 MiB more, 29 % less time."""
    layer = next(layer for layer in load_workload("vgg16").layers if layer.name == "conv3_2")
    arch = load_arch("nvdla_large")
    run = run_layer(layer, arch)
    assert run.total_cycles < 669_670 * 0.72
    assert sum(row.bytes for row in run.traffic if row.level == "dram" and row.operand is WEIGHT) == 3 * 256 * 256 * 16


def test_a_sheets_own_rule_stays_where_its_loads_hide() -> None:
    """The filters in two parts, the ifmap twice: no plan keeps parts of the larger ifmap instead."""
    plans = plans_of(conv(64, 256, 32, 1), chip(12 * 1024))
    assert {dram_bytes(plan, WEIGHT) for plan in plans} == {64 * 256}


def test_the_smaller_operand_stays_and_the_larger_one_comes_again_for_each_part() -> None:
    """256 filters of 64 words, 16 KB, do not fit 12 KB beside a line of 4 KB: two parts, and 64 KB of ifmap twice."""
    layer = conv(64, 256, 32, 1)
    (plan,) = plans_of(layer, chip(12 * 1024))
    assert dram_bytes(plan, WEIGHT) == layer.weight_words
    assert dram_bytes(plan, IFMAP) == 2 * layer.ifmap_words
    (smaller,) = {dram_bytes(plan, IFMAP) for plan in plans_of(layer, chip(20 * 1024))}
    assert smaller == layer.ifmap_words


def test_a_stride_stores_its_neighbours_as_channels_and_all_of_the_ifmap() -> None:
    layer = conv(8, 4, 9, 1, stride=(2, 2))
    shape = channel_shape(layer, ATOMS)
    assert (shape.filter_words, shape.slots, shape.products) == (8 * 4, 8, 8)
    (weights, lines), *_ = {(dram_bytes(plan, WEIGHT), dram_bytes(plan, IFMAP)) for plan in plans_of(layer, chip())}
    assert (weights, lines) == (4 * 32, 8 * 81)


@pytest.mark.parametrize(
    ("change", "gain"),
    [({}, Fraction(9, 4)), ({"stride": (2, 2)}, 1), ({"dilation": (2, 2)}, 1), ({"kernel": (3, 1)}, 1)],
)
def test_winograd_is_for_3_by_3_without_stride_or_dilation(change, gain) -> None:
    layer = replace(conv(8, 8, 12, 3), **change)
    assert winograd_gain(layer) == gain
    arch = chip(array=make_array(atoms=replace(ATOMS, winograd=True)))
    plan = plans_of(layer, arch)[0]
    plain = plans_of(layer, chip())[0]
    assert plan.array_macs * gain == layer.macs == plain.array_macs
    assert plan.compute_cycles == -(-plain.compute_cycles // gain)
    if gain != 1:
        assert dram_bytes(plan, WEIGHT) == layer.weight_words * 16 // 9


def test_a_convolution_in_space_and_time_is_no_winograd() -> None:
    cube = ConvLayer(name="conv", in_channels=2, out_channels=2, ifmap=(6,) * 3, kernel=(3,) * 3, stride=(1,) * 3,
                     padding=((0, 0),) * 3, dilation=(1,) * 3)  # fmt: skip
    assert winograd_gain(cube) == 1


def test_filters_of_a_convolution_are_padded_those_of_a_matrix_are_not() -> None:
    wide, narrow = conv(4, 5, 4, 1), matmul(16, 4, 5)
    assert plans_of(wide, chip())[0].compute_cycles == 16 * 8 * 4 // 32
    assert plans_of(narrow, chip())[0].compute_cycles == 16 * 5 * 4 // 32
    assert {dram_bytes(plans_of(each, chip())[0], OFMAP) for each in (wide, narrow)} == {16 * 8}


def test_weights_stay_at_the_multipliers_for_a_stripe_of_pixels() -> None:
    layer = conv(4, 8, 8, 1)
    reads = [
        plans_of(layer, chip(array=make_array(atoms=replace(ATOMS, stripe_pixels=pixels))))[0].words(
            "cbuf", WEIGHT, Direction.READ
        )
        for pixels in (1, 8)
    ]
    assert reads[0] == 8 * reads[1]


@pytest.mark.parametrize("operand", [IFMAP, WEIGHT, OFMAP])
def test_what_is_on_chip_crosses_no_channel(operand) -> None:
    plan = plans_of(conv(8, 8, 12, 3), chip(), frozenset({operand}))[0]
    assert dram_bytes(plan, operand) == 0
    assert all(dram_bytes(plan, other) for other in {IFMAP, WEIGHT, OFMAP} - {operand})


def test_zeros_gate_multipliers_but_not_in_winograds_domain() -> None:
    layer = replace(conv(8, 8, 12, 3), zero_fractions=ZeroFractions(ifmap=0.5))
    gating = make_array(zero_skip=ZeroSkip.GATE)
    assert plans_of(layer, chip(array=gating))[0].gated_macs == layer.macs // 2
    assert plans_of(layer, chip())[0].gated_macs == 0
    winograd = replace(gating, atoms=replace(ATOMS, winograd=True))
    assert plans_of(layer, chip(array=winograd))[0].gated_macs == 0


@pytest.mark.parametrize(
    "layer",
    [conv(1, 1, 1, 1), conv(512, 1, 40, 40), conv(32, 32, 9, 3, groups=32), conv(3, 7, 23, 11, stride=(4, 4)),
     MatmulLayer(name="fc", rows=1, inner=9_216, columns=4_096), matmul(7, 5, 3, batches=4)],
    ids=["one word", "kernel beyond the buffer", "depthwise", "stride 4", "fc", "batches"],
)  # fmt: skip
@pytest.mark.parametrize("capacity_bytes", [64, 4_096, 500_000])
def test_every_shape_runs_in_every_buffer(layer: ConvLayer | MatmulLayer, capacity_bytes) -> None:
    run = run_layer(layer, chip(capacity_bytes))
    assert run.macs == layer.macs == run.occupied_macs
    assert run.dataflow == "channel_parallel"


def test_a_buffer_for_less_than_a_cycle_is_told_what_it_needs() -> None:
    with pytest.raises(
        MappingError, match=r"cbuf has 10 B for tiles and needs at least 16 B of weight and 4 B of ifmap"
    ):
        plans_of(conv(8, 8, 12, 3), chip(10))


def test_the_planner_hands_channel_parallel_layers_here() -> None:
    layer, arch = conv(8, 8, 12, 3), chip()
    found, expected = next(plan_array_layer(layer, arch)), plans_of(layer, arch)[0]
    assert (found.kind, found.compute_cycles, found.mapping) == (
        "channel_parallel",
        expected.compute_cycles,
        expected.mapping,
    )


def test_in_a_device_what_comes_again_comes_from_the_same_place() -> None:
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=12.8, device=load_device("LPDDR4_3200"),
                     clocks_per_cycle=Fraction(8, 5))  # fmt: skip
    (plan,) = plans_of(conv(64, 256, 32, 1), chip(12 * 1024, dram=dram))
    mine, runs = plan.transfers.operand == 0, plan.transfers.runs
    assert runs is not None
    places = runs.base_bytes[mine].tolist()
    half = len(places) // 2
    assert places[:half] == places[half:] == sorted(set(places))
    weights = runs.base_bytes[plan.transfers.operand == 1].tolist()
    assert weights == sorted(set(weights))
    assert min(weights) >= 64 * 1024
    assert measure_plan(plan, dram).dram_stall_cycles > 0
    grouped = plans_of(conv(8, 24, 24, 3, groups=2), chip(dram=dram))[0]
    assert grouped.transfers.runs is not None
    for code in (0, 1, 3):
        taken = grouped.transfers.runs.base_bytes[grouped.transfers.operand == code].tolist()
        assert len(taken) == len(set(taken)) > 1


def test_atoms_belong_to_channel_parallel_arrays_and_fit_their_sides() -> None:
    with pytest.raises(ConfigError, match=r"atoms \(=None\) is missing: a channel_parallel array"):
        PeArray(rows=4, columns=4, dataflow=Dataflow.CHANNEL_PARALLEL)
    with pytest.raises(ConfigError, match="is a setting of channel_parallel arrays"):
        PeArray(rows=4, columns=4, dataflow=Dataflow.OUTPUT_STATIONARY, atoms=ATOMS)
    with pytest.raises(ConfigError, match=r"columns \(=6\) must be a multiple of atoms.filter_atom \(=4\)"):
        make_array(columns=6)
    with pytest.raises(ConfigError, match=r"atoms.stripe_pixels \(=0\) must be at least 1"):
        ChannelAtoms(stripe_pixels=0)
