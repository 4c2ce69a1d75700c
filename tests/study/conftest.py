"""Hand-made runs of two small layers, an operator of the vector unit and one that is not costed."""

from dataclasses import replace

import pytest

from archsim.arch.architecture import Architecture, EnergyChoice, VectorUnit
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.cost.chip_prices import chip_prices
from archsim.cost.energy import price_layer
from archsim.cost.energy_table import EnergyTable, load_energy_table
from archsim.engine.layer_run import LayerRun
from archsim.mapping.fold_plan import TrafficCount
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.terms import HELD_OPERANDS, Bottleneck, Dataflow, Direction, Operand
from archsim.workload.layer import ConvLayer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.network import Workload


@pytest.fixture
def arch() -> Architecture:
    """4 x 4 multipliers at 100 MHz: 2 * 16 * 0.1 = 3.2 GOPS; DRAM 2 B/cycle = 0.2 GB/s."""
    int8, int32 = parse_format("int8"), parse_format("int32")
    glb = SramLevel(name="glb", capacity_bytes=65536, width_bytes=8, holds=frozenset(HELD_OPERANDS),
                    partition_bytes=tuple((operand, 16384) for operand in HELD_OPERANDS))  # fmt: skip
    return Architecture(
        name="tiny", source="made by hand", clock_mhz=100.0, technology_nm=45.0,
        pe_array=PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY), vector_unit=VectorUnit(lanes=4),
        formats=OperandFormats(ifmap=int8, weight=int8, psum=int32, ofmap=int8), srams=(glb,),
        dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=2.0, latency_cycles=10),
        energy=EnergyChoice(overrides=()), assumptions=("clock assumed",), content_hash="a" * 64,
    )  # fmt: skip


@pytest.fixture
def workload() -> Workload:
    conv = ConvLayer(name="=conv,1", in_channels=2, out_channels=4, ifmap=(6, 6), kernel=(3, 3), stride=(1, 1),
                     padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    return Workload(
        name="two",
        layers=(
            conv,
            VectorLayer(name="+relu", op="relu", lane_ops=64, ifmap_words=64, ofmap_words=64, sources=("=conv,1",)),
            MatmulLayer(name='f"c', rows=1, inner=64, columns=10, op="fc", sources=("+relu",)),
            UncostedLayer(name="loop\r\n\u00e9", op="loop", reason="no model of loops"),
        ),
        source="made by hand",
        assumptions=("one image",),
        images=2,
        content_hash="b" * 64,
    )


def count(level: str, operand: Operand, direction: Direction, words: int) -> TrafficCount:
    return TrafficCount(level=level, operand=operand, direction=direction, words=words, bytes=words)


@pytest.fixture
def layer_runs() -> tuple[LayerRun, ...]:
    """conv: 2*4*9*16 = 1152 MACs; fc: 640 MACs; cycles chosen by hand."""
    conv = LayerRun(
        layer="=conv,1", op="conv", dataflow="weight_stationary", macs=1152, effectual_macs=1000, occupied_macs=1152,
        multipliers=16, lane_ops=0, folds=5, compute_cycles=100, onchip_stall_cycles=7, dram_stall_cycles=30,
        dram_latency_stall_cycles=10, waits=(("ifmap", 21), ("last_drain", 9)), mapping_efficiency=0.9,
        traffic=(count("spad", Operand.WEIGHT, Direction.READ, 1152), count("glb", Operand.IFMAP, Direction.READ, 648),
                 count("dram", Operand.IFMAP, Direction.READ, 72), count("dram", Operand.WEIGHT, Direction.READ, 72),
                 count("dram", Operand.OFMAP, Direction.WRITE, 64)),
        bottleneck=Bottleneck.COMPUTE, loop_nest=("for filters fold in 1:", "  stream 16 pixels"),
    )  # fmt: skip
    relu = replace(
        conv, layer="+relu", op="relu", dataflow="vector", macs=0, effectual_macs=0, occupied_macs=0, lane_ops=64,
        folds=0, compute_cycles=16, onchip_stall_cycles=0, dram_stall_cycles=0, dram_latency_stall_cycles=0, waits=(),
        mapping_efficiency=1 / 3, traffic=(), loop_nest=(),
    )  # fmt: skip
    fc = replace(
        conv, layer='f"c', op="fc", macs=640, effectual_macs=640, occupied_macs=640, folds=48, compute_cycles=200,
        dram_stall_cycles=400, waits=(("weight", 400),),
        traffic=(count("dram", Operand.WEIGHT, Direction.READ, 640), count("dram", Operand.OFMAP, Direction.WRITE, 10)),
        bottleneck=Bottleneck.DRAM_BANDWIDTH, loop_nest=("stream 1 pixels",),
    )  # fmt: skip
    loop = replace(
        relu, layer="loop\r\n\u00e9", op="loop", dataflow="none", lane_ops=0, compute_cycles=0, mapping_efficiency=0.0,
        bottleneck=Bottleneck.NONE, is_costed=False, note="no model of loops",
    )  # fmt: skip
    return conv, relu, fc, loop


@pytest.fixture
def table(arch: Architecture) -> EnergyTable:
    return load_energy_table(arch.energy)


@pytest.fixture
def run(arch: Architecture, workload: Workload, layer_runs: tuple[LayerRun, ...], table: EnergyTable) -> RunResult:
    prices = chip_prices(arch, table)
    return RunResult(
        arch=arch, workload=workload,
        layers=tuple(
            LayerResult(run=each, energy=price_layer(each, arch, prices), dram_level="dram") for each in layer_runs
        ),
        prices=prices, model_assumptions=("no overlap",), versions=(("archsim", "0.1.0"), ("python", "3.11.7")), seed=7,
    )  # fmt: skip
