"""A chip to price: every part may be replaced by keyword."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archsim.arch.architecture import Architecture, EnergyChoice, VectorUnit
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.arch.row_pe import ArrayNetworks, Spads
from archsim.engine.layer_run import LayerRun
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import HELD_OPERANDS, Bottleneck, Dataflow

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def golden() -> Callable[[str], list[dict[str, str]]]:
    """Rows of a file in tests/golden/."""

    def read(name: str) -> list[dict[str, str]]:
        with (GOLDEN / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture
def formats() -> Callable[..., OperandFormats]:
    def make(
        ifmap: str = "int8", weight: str | None = None, psum: str = "int32", ofmap: str | None = None
    ) -> OperandFormats:
        return OperandFormats(
            ifmap=parse_format(ifmap),
            weight=parse_format(weight or ifmap),
            psum=parse_format(psum),
            ofmap=parse_format(ofmap or ifmap),
        )

    return make


@pytest.fixture
def glb() -> SramLevel:
    """64 KB, one bank, 8 bytes wide: CACTI's 25.8695 pJ a read, 19.6486 pJ a write at 45 nm."""
    return SramLevel(name="glb", capacity_bytes=65536, holds=frozenset(HELD_OPERANDS), width_bytes=8)


@pytest.fixture
def chip(formats: Callable[..., OperandFormats], glb: SramLevel) -> Callable[..., Architecture]:
    """4 x 4 int8 array at 1 GHz and 45 nm, one GLB, one DRAM channel."""
    base = Architecture(
        name="chip", source="test", clock_mhz=1000, technology_nm=45,
        pe_array=PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY),
        vector_unit=VectorUnit(lanes=8), formats=formats(), srams=(glb,),
        dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=8), energy=EnergyChoice(),
    )  # fmt: skip

    def make(**changes: object) -> Architecture:
        return replace(base, **changes)

    return make


@pytest.fixture
def row_chip(chip: Callable[..., Architecture], formats: Callable[..., OperandFormats]) -> Callable[[], Architecture]:
    """12 x 14 row-stationary PEs of 16 bit with the spads of Eyeriss, at 200 MHz."""
    array = PeArray(
        rows=12, columns=14, dataflow=Dataflow.ROW_STATIONARY,
        spads=Spads(ifmap_words=12, weight_words=224, psum_words=24),
        networks=ArrayNetworks(ifmap_bits=16, weight_bits=64, psum_bits=64),
    )  # fmt: skip

    def make() -> Architecture:
        return chip(clock_mhz=200, technology_nm=65, pe_array=array, formats=formats("int16", psum="int16"))

    return make


@pytest.fixture
def run() -> Callable[..., LayerRun]:
    """A layer that did nothing for 100 cycles."""
    base = LayerRun(
        layer="conv1", op="conv", dataflow="weight_stationary", macs=0, effectual_macs=0, occupied_macs=0,
        multipliers=16, lane_ops=0, folds=1, compute_cycles=100, onchip_stall_cycles=0, dram_stall_cycles=0,
        dram_latency_stall_cycles=0, waits=(), mapping_efficiency=1.0, traffic=(), bottleneck=Bottleneck.COMPUTE,
    )  # fmt: skip

    def make(**changes: object) -> LayerRun:
        return replace(base, **changes)

    return make
