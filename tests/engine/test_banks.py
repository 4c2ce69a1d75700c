"""A layer's transfers against DRAM banks: simpy and the kernel agree, and nothing moves that should not."""

from fractions import Fraction

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.arch.dram_devices import load_device
from archsim.arch.memory_level import DramLevel, TensorLayout
from archsim.engine.bank_event import run_bank_events
from archsim.engine.bank_timeline import bank_work, run_on_banks
from archsim.engine.timeline import with_ports
from archsim.mapping.dram_runs import DramRuns
from archsim.mapping.fold_plan import OPERAND_CODES, FoldPlan
from archsim.terms import Operand
from tests.oracles.dram_legality import check, logged_commands
from tests.strategies import architecture, array_layers, drawn_plan, pe_arrays, sram_levels

DEVICES = [
    load_device(name) for name in ("LPDDR4_3200", "DDR4_2400", "HBM2_8ch", "DDR4_2400_closed", "DDR4_2400_2rank")
]


@st.composite
def dram_levels(draw: st.DrawFn) -> DramLevel:
    return DramLevel(
        name="dram",
        bandwidth_bytes_per_cycle=12.8,
        latency_cycles=draw(st.sampled_from([0, 7])),
        device=draw(st.sampled_from(DEVICES)),
        outstanding_reads=draw(st.sampled_from([1, 8, 64])),
        layout=draw(st.sampled_from(list(TensorLayout))),
        clocks_per_cycle=draw(st.sampled_from([Fraction(1), Fraction(16, 7), Fraction(3, 8)])),
    )


def some_plan(data: st.DataObject) -> tuple[Architecture, FoldPlan]:
    arch = architecture(data.draw(pe_arrays()), data.draw(sram_levels()), data.draw(dram_levels()))
    plan = drawn_plan(data, data.draw(array_layers), arch)
    assume(len(plan.steps) <= 1500)
    return arch, plan


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_simpy_and_the_kernel_give_the_same_times_and_commands(data: st.DataObject) -> None:
    arch, plan = some_plan(data)
    steps = with_ports(plan.steps)
    kernel, events = run_on_banks(steps, plan.transfers, arch.dram), run_bank_events(steps, plan.transfers, arch.dram)
    for field in ("start", "wait", "cause"):
        assert getattr(kernel.timeline, field).tolist() == getattr(events.timeline, field).tolist()
    assert kernel.timeline.end == events.timeline.end
    assert kernel.dram.activity == events.dram.activity
    assert kernel.dram.read_latency_sum == events.dram.read_latency_sum


def bursts_of(runs: DramRuns, index: int, burst: int) -> int:
    """Bursts of a transfer, byte by byte; a run that joins what came before leaves its first part of a burst out."""
    moved: list[int] = []
    for plane in range(runs.planes[index]):
        for run in range(runs.runs[index]):
            first = int(runs.base_bytes[index] + plane * runs.plane_pitch_bytes[index])
            first += run * int(runs.run_pitch_bytes[index])
            blocks = sorted({byte // burst for byte in range(first, first + int(runs.run_bytes[index]))})
            if runs.joins[index] and first % burst:
                blocks = blocks[1:]
            moved += blocks[1:] if moved and blocks[:1] == moved[-1:] else blocks
    return max(1, len(moved))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_burst_moves_once_and_no_faster_than_the_buses_can(data: st.DataObject) -> None:
    arch, plan = some_plan(data)
    device = arch.dram.require_device()
    run = run_on_banks(with_ports(plan.steps), plan.transfers, arch.dram)
    runs, writes = plan.transfers.runs, plan.transfers.is_write
    assert runs is not None
    bursts = np.array([bursts_of(runs, index, device.request_bytes) for index in range(len(runs))], dtype=np.int64)
    counts = run.dram.counts
    assert (counts.reads, counts.writes) == (bursts[~writes].sum(), bursts[writes].sum())
    assert run.dram.cycles * device.channels >= counts.columns * device.burst_cycles
    assert sum(clocks for _, clocks in run.dram.bus_use) == run.dram.cycles * device.channels
    assert counts.open_cycles + counts.closed_cycles == run.dram.cycles * device.channels * device.ranks
    assert run.timeline.end >= with_ports(plan.steps).ideal_end_cycles


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_step_starts_before_its_words_can_have_come(data: st.DataObject) -> None:
    arch, plan = some_plan(data)
    dram, transfers = arch.dram, plan.transfers
    device = dram.require_device()
    start = run_on_banks(with_ports(plan.steps), transfers, dram).timeline.start
    reads = np.flatnonzero(~transfers.is_write)
    first_data = device.timing.trcd_rd + device.timing.cl + device.burst_cycles
    first_cycles = int(first_data / dram.clocks_per_cycle) + dram.latency_cycles
    if len(reads):
        assert start[transfers.step[reads[0]]] >= first_cycles + transfers.lead_cycles[reads[0]]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_layer_sends_legal_commands(data: st.DataObject) -> None:
    arch, plan = some_plan(data)
    runs = plan.transfers.runs
    assert runs is not None
    assume(runs.covered_bytes.sum() < 40_000)
    run = run_on_banks(with_ports(plan.steps), plan.transfers, arch.dram, log_lines=20_000)
    assert run.dram.log is not None
    verdict = check(arch.dram.require_device(), logged_commands(run.dram.log))
    assert verdict.violations == []
    assert len(run.dram.log.cycle) >= run.dram.counts.columns


@settings(max_examples=240, deadline=None)
@given(data=st.data())
def test_spilled_psums_come_back_only_behind_their_write(data: st.DataObject) -> None:
    arch, plan = some_plan(data)
    transfers = plan.transfers
    is_psum = transfers.operand == OPERAND_CODES.index(Operand.PSUM)
    back = np.flatnonzero(~transfers.is_write & is_psum)
    behind = bank_work(with_ports(plan.steps), transfers, arch.dram).transfers.behind
    assert transfers.runs is not None
    for read in back:
        same_place = is_psum & transfers.is_write & (transfers.runs.base_bytes == transfers.runs.base_bytes[read])
        spills = np.flatnonzero(same_place[:read])
        assert len(spills)
        assert behind[read] >= spills[-1]
