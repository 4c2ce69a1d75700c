"""DRAM devices with something changed, and short traces for them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_devices import load_device
from archsim.arch.dram_mapping import parse_mapping
from archsim.engine.dram_run import DramController, DramTrace

DEVICES = ("DDR4_2400", "DDR4_2400_2rank", "DDR4_2400_closed", "LPDDR4_3200", "HBM2_1ch_bgint", "HBM2_8ch")


def remapped(device: DramDevice, mapping: str | None = None, **counts: int) -> DramDevice:
    """The device with other counts; its mapping string still names every field."""
    device = replace(device, **counts)
    parsed = parse_mapping(
        mapping or device.mapping.text, channels=device.channels, ranks=device.ranks, bankgroups=device.bankgroups,
        banks_per_group=device.banks_per_group, rows=device.rows, columns=device.columns,
    )  # fmt: skip
    return replace(device, mapping=parsed)


def retimed(device: DramDevice, **timing: int) -> DramDevice:
    return replace(device, timing=replace(device.timing, **timing))


def trace_of(blocks: Sequence[int], writes: Sequence[bool] = (), arrivals: Sequence[int] = ()) -> DramTrace:
    """Bursts of 64 bytes by number; reads at clock 0 unless said."""
    return DramTrace(
        address=np.array(blocks, dtype=np.int64) * 64,
        is_write=np.array(writes or [False] * len(blocks)),
        arrival=np.array(arrivals or [0] * len(blocks), dtype=np.int64),
    )


def mixed_trace(seed: int, count: int) -> DramTrace:
    """Hot rows or a far-flung region or a stream, some writes, in bursts or with pauses: what a seed says."""
    random = np.random.default_rng(seed)
    far, near = random.integers(0, 1 << 22, count), random.integers(0, 512, count)
    blocks = np.where(random.random(count) < random.choice([0.0, 0.3, 0.7, 1.0]), near, far)
    if random.integers(0, 4) == 0:
        blocks = np.where(random.random(count) < 0.8, np.arange(count), far)
    is_write = random.random(count) < random.choice([0.0, 0.1, 0.5, 1.0])
    arrival = np.cumsum(random.integers(0, random.choice([1, 12, 60]), count))
    return DramTrace(address=blocks.astype(np.int64) * 64, is_write=is_write, arrival=arrival.astype(np.int64))


@st.composite
def traces(draw: st.DrawFn, most: int = 60) -> DramTrace:
    """Requests to a few rows of a few banks, in bursts and with pauses."""
    count = draw(st.integers(1, most))
    each: dict[str, Any] = {"min_size": count, "max_size": count}
    rows = draw(st.lists(st.integers(0, 40), **each))
    columns = draw(st.lists(st.integers(0, 40), **each))
    writes = draw(st.lists(st.booleans(), **each))
    pauses = draw(st.lists(st.sampled_from([0, 0, 0, 0, 1, 3, 20, 400]), **each))
    blocks = [row * 128 * draw(st.sampled_from([1, 16])) + column for row, column in zip(rows, columns, strict=True)]
    return trace_of(blocks, writes, np.cumsum(pauses).tolist())


@st.composite
def devices(draw: st.DrawFn) -> DramDevice:
    """A shipped device, refreshed so often that a short trace meets it."""
    device = load_device(draw(st.sampled_from(DEVICES)))
    return retimed(device, trefi=draw(st.sampled_from([device.timing.trfc + 150, 1500, device.timing.trefi])))


@st.composite
def controllers(draw: st.DrawFn) -> DramController:
    high = draw(st.integers(2, 8))
    return DramController(
        queue_entries=8, write_high=high, write_low=draw(st.integers(0, high - 1)), idle_drain=draw(st.integers(0, 3)),
        hit_cap=draw(st.sampled_from([0, 0, 1, 4])), return_cycles=draw(st.integers(0, 2)),
    )  # fmt: skip
