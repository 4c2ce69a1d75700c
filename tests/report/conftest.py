"""Hand-made runs for the pictures: their shape is that of real networks, their cycles follow simple sums.

256 multipliers at 500 MHz: compute roof 2 * 256 * 0.5 = 256 GOPS. DRAM 16 B/cycle = 8 GB/s: ridge 32 ops/B.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from archsim.arch.architecture import Architecture, EnergyChoice
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.cost.energy import LayerEnergy
from archsim.cost.price_list import AreaPart, PriceList
from archsim.engine.layer_run import LayerRun
from archsim.mapping.fold_plan import TrafficCount
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.terms import HELD_OPERANDS, Bottleneck, Dataflow, Direction, Operand
from archsim.workload.layer import VectorLayer
from archsim.workload.network import Workload

MULTIPLIERS = 256
BYTES_PER_CYCLE = 16


@dataclass(frozen=True)
class Shape:
    """What a hand-made layer needs."""

    name: str
    op: str
    macs: int
    read_bytes: int
    write_bytes: int
    lane_ops: int = 0


RunMaker = Callable[..., RunResult]


def make_arch(*, is_ideal: bool) -> Architecture:
    int8, int32 = parse_format("int8"), parse_format("int32")
    sram = SramLevel(name="glb", capacity_bytes=1 << 20, holds=frozenset(HELD_OPERANDS))
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=BYTES_PER_CYCLE, latency_cycles=100, is_ideal=is_ideal)
    return Architecture(
        name="square16", source="made by hand", clock_mhz=500.0, technology_nm=45.0,
        pe_array=PeArray(rows=16, columns=16, dataflow=Dataflow.WEIGHT_STATIONARY), vector_unit=None,
        formats=OperandFormats(ifmap=int8, weight=int8, psum=int32, ofmap=int8), srams=(sram,), dram=dram,
        energy=EnergyChoice(),
    )  # fmt: skip


def make_layer(shape: Shape, *, is_ideal: bool) -> LayerResult:
    """80 % mapping; stalls where the channel needs longer than the array, 200 cycles of latency each."""
    compute = -(-shape.macs * 10 // (MULTIPLIERS * 8)) + shape.lane_ops // 64
    moved = -(-(shape.read_bytes + shape.write_bytes) // BYTES_PER_CYCLE)
    latency = 0 if is_ideal or not moved else 200
    stall = 0 if is_ideal else max(0, moved - compute) + latency
    kind = Bottleneck.COMPUTE if compute >= stall else Bottleneck.DRAM_BANDWIDTH
    sizes = ((Operand.IFMAP, Direction.READ, shape.read_bytes), (Operand.OFMAP, Direction.WRITE, shape.write_bytes))
    traffic = tuple(
        TrafficCount(level=level, operand=operand, direction=direction, words=size, bytes=size)
        for level in ("glb", "dram")
        for operand, direction, size in sizes
        if size
    )
    traffic_pj = tuple(row.bytes * (160.0 if row.level == "dram" else 6.0) for row in traffic)
    per_level = {level: sum(pj for row, pj in zip(traffic, traffic_pj, strict=True) if row.level == level)
                 for level in ("glb", "dram")}  # fmt: skip
    run = LayerRun(
        layer=shape.name, op=shape.op, dataflow="weight_stationary" if shape.macs else "vector", macs=shape.macs,
        effectual_macs=shape.macs, occupied_macs=shape.macs, multipliers=MULTIPLIERS, lane_ops=shape.lane_ops,
        folds=1 if shape.macs else 0, compute_cycles=compute, onchip_stall_cycles=compute // 20,
        dram_stall_cycles=stall, dram_latency_stall_cycles=latency, waits=(("ifmap", stall),) if stall else (),
        mapping_efficiency=0.8, traffic=traffic, bottleneck=kind if compute else Bottleneck.NONE,
    )  # fmt: skip
    components = (("mac", shape.macs * 0.3), ("vector", shape.lane_ops * 0.2), *per_level.items())
    return LayerResult(run=run, energy=LayerEnergy(components=components, traffic_pj=traffic_pj), dram_level="dram")


def alexnet_shapes() -> list[Shape]:
    return [
        Shape("conv1", "conv", 105_415_200, 189_435, 290_400),
        Shape("conv2", "conv", 223_948_800, 377_184, 186_624),
        Shape("conv3", "conv", 149_520_384, 928_000, 64_896),
        Shape("conv4", "conv", 112_140_288, 728_448, 64_896),
        Shape("conv5", "conv", 74_760_192, 507_264, 43_264),
        Shape("fc6", "fc", 37_748_736, 37_757_952, 4096),
        Shape("fc7", "fc", 16_777_216, 16_781_312, 4096),
        Shape("fc8", "fc", 4_096_000, 4_100_096, 1000),
    ]


def resnet_shapes() -> list[Shape]:
    """53 convs, 49 relus, 16 adds, a pool, an fc: 120 rows."""
    shapes = [Shape("conv1", "conv", 118_013_952, 160_000, 802_816)]
    side, width, inputs = 56, 64, 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            name = f"layer{stage + 1}.{block}"
            area = side * side
            for part, (depth, filters) in enumerate(((inputs, width), (width * 9, width), (width, width * 4))):
                words = area * (inputs if part == 0 else width) + depth * filters
                shapes.append(Shape(f"{name}.conv{part + 1}", "conv", area * depth * filters, words, area * filters))
                shapes.append(Shape(f"{name}.relu{part + 1}", "relu", 0, 0, 0, lane_ops=area * filters))
            if block == 0:
                macs = area * inputs * width * 4
                shapes.append(Shape(f"{name}.downsample.0", "conv", macs, area * inputs, area * width * 4))
            shapes.append(Shape(f"{name}.add", "add", 0, area * width * 4, 0, lane_ops=area * width * 4))
            inputs = width * 4
        side, width = side // 2, width * 2
    shapes.append(Shape("avgpool", "average_pool", 0, 0, 0, lane_ops=100_352))
    shapes.append(Shape("fc", "fc", 2_048_000, 2_050_048, 1000))
    return [*shapes, Shape("flatten", "reshape", 0, 0, 0)]


def make_run(name: str, shapes: Sequence[Shape], *, is_ideal: bool = False) -> RunResult:
    layers = tuple(make_layer(shape, is_ideal=is_ideal) for shape in shapes)
    rows = tuple(VectorLayer(name=each.name, op=each.op, lane_ops=1, ifmap_words=1, ofmap_words=1) for each in shapes)
    return RunResult(
        arch=make_arch(is_ideal=is_ideal), workload=Workload(name=name, layers=rows), layers=layers,
        prices=PriceList(
            name="by hand", components=(), prices=(), dram_device=None, sources=(), assumptions=(),
            areas=(AreaPart(component="pe_array", count=1, unit_mm2=1.5, source="hand"),
                   AreaPart(component="glb", count=1, unit_mm2=2.25, source="hand")),
        ),
    )  # fmt: skip


@pytest.fixture
def alexnet() -> RunResult:
    return make_run("alexnet", alexnet_shapes())


@pytest.fixture
def resnet() -> RunResult:
    return make_run("resnet50", resnet_shapes())


@pytest.fixture
def one_layer() -> RunResult:
    return make_run("one", alexnet_shapes()[1:2])


@pytest.fixture
def ideal() -> RunResult:
    return make_run("alexnet", alexnet_shapes(), is_ideal=True)


@pytest.fixture(params=["alexnet", "resnet", "one_layer", "ideal"])
def any_run(request: pytest.FixtureRequest) -> RunResult:
    run: RunResult = request.getfixturevalue(request.param)
    return run


@pytest.fixture
def on_chip() -> RunResult:
    """The last two of three layers find everything on the chip."""
    return make_run(
        "kept", [*alexnet_shapes()[:1], Shape("kept1", "conv", 10**7, 0, 0), Shape("kept2", "fc", 10**6, 0, 0)]
    )
