import csv
from pathlib import Path

import numpy as np
import pytest

from archsim.kernels import row_datapath as datapath
from archsim.kernels import row_loop
from archsim.kernels import row_stationary_pe as kernel
from tests.oracles import row_stationary as oracle

GOLDEN = Path(__file__).parents[1] / "golden" / "rtl_row_stationary.csv"
RTL = {
    "accumulate_cycles": 1,
    "shift_cycles": 1,
    "pe_latency": 3,
    "start_cycles": 1,
    "restart_cycles": 2,
    "psum_group": 4,
    "gates": 1,
}
"""The loop of moateff's pe.v; its spads take one word per cycle besides. Read off its controller: one state for each
finished psum; one shift per cycle; operand, product and sum registers; idle until both spads hold a word; a state that
ends the group of psums and one that empties the ifmap spad; a psum FIFO of four words."""
ORACLE_NAMES = {"pe_latency": "latency"}


def golden_rows(design):
    with GOLDEN.open(newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [row for row in rows if row["design"] == design]


def loop_of(shape, **settings):
    """shape: filters, channels, taps, stride, outputs, images."""
    loop = np.zeros(row_loop.LOOP_WORDS, dtype=np.int64)
    loop[: row_loop.STRIDE + 1] = shape[:4]
    loop[row_loop.OUTPUTS], loop[row_loop.IMAGES] = shape[4:]
    for name, value in {"dilation": 1, "multipliers": 1, "pe_latency": 1, "psum_group": 1, **settings}.items():
        loop[getattr(row_loop, name.upper())] = value
    return loop


def operands(shape, zeros=0, seed=0):
    filters, channels, taps, stride, outputs, images = shape
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, 128, (images, (outputs - 1) * stride + taps, channels)) * rng.choice([-1, 1])
    rows.reshape(-1)[:zeros] = 0
    return rows, rng.integers(-128, 128, (taps, channels, filters)), rng.integers(-999, 999, (images, outputs, filters))


def convolve(rows, weights, below, stride):
    taps, outputs = len(weights), below.shape[1]
    windows = np.stack([rows[:, f * stride : f * stride + taps] for f in range(outputs)], axis=1)
    return below + np.einsum("nfsc,scp->nfp", windows, weights)


def clock(shape, fill_words=0, zeros=0, step=kernel.step_row_stationary_pe, **settings):
    rows, weights, below = operands(shape, zeros)
    flat = rows.reshape(len(rows), -1), weights.reshape(-1, shape[0])
    found = step(*flat, below, (loop_of(shape, **settings), fill_words))
    assert np.array_equal(found[0], convolve(rows, weights, below, shape[3])), (shape, fill_words, settings)
    return found


def shape_of(row):
    return tuple(int(row[key]) for key in ("filters", "channels", "taps", "stride", "outputs", "images"))


@pytest.mark.parametrize("row", golden_rows("pe.v"), ids=lambda row: row["id"])
def test_first_and_last_psum_come_at_the_cycles_that_the_rtl_showed(row):
    _, cycles, counts = clock(shape_of(row), fill_words=1, zeros=int(row["zero_ifmap_words"]), **RTL)
    assert cycles[0, 0, 0] == cycles.min() == int(row["first_output_cycle"])
    assert cycles[-1, -1, -1] == cycles.max() == int(row["last_output_cycle"])
    assert counts[datapath.MACS] == int(row["macs"])


@pytest.mark.parametrize(
    ("mechanism", "wrong", "misses"),
    [
        # Rows that only this mechanism makes right: without it they come out at other cycles.
        ("accumulate_cycles", 0, 10),
        ("shift_cycles", 0, 9),  # not where there is one ofmap place
        ("pe_latency", 1, 10),
        ("start_cycles", 0, 10),
        ("restart_cycles", 1, 1),  # one row has two images
        ("fill_words", 0, 10),
    ],
)
def test_every_mechanism_of_the_rtl_moves_its_cycles(mechanism, wrong, misses):
    settings = {"fill_words": 1, **RTL, mechanism: wrong}
    rows = golden_rows("pe.v")
    assert misses == sum(clock(shape_of(row), **settings)[1].max() != int(row["last_output_cycle"]) for row in rows)


def test_psums_are_padded_to_a_group_between_images():
    # 3 filters x 3 places = 9 psums, in groups of 4: 3 of padding. One tap, no cost but MACs: 9 per image.
    shape = (3, 1, 1, 1, 3, 2)
    assert clock(shape)[1].max() == 18
    assert clock(shape, psum_group=4)[1].max() == 18 + 3
    assert clock(shape, psum_group=9)[1].max() == 18


def test_a_stride_as_long_as_the_filter_empties_the_spad_and_costs_a_refill_only_then():
    for stride, refills in ((1, 0), (2, 0), (3, 4)):
        ideal, real = (clock((2, 2, 3, stride, 5, 1), fill_words=words)[1].max() for words in (0, 1))
        assert real - ideal == 1 + refills  # the very first word, then one per slide


def test_gating_changes_neither_a_value_nor_a_cycle():
    shape = (4, 3, 3, 1, 9, 2)
    free, gated = (clock(shape, fill_words=1, zeros=40, **{**RTL, "gates": gates}) for gates in (0, 1))
    assert np.array_equal(free[0], gated[0])
    assert np.array_equal(free[1], gated[1])
    stood_still = gated[2][datapath.GATED_MACS]
    assert free[2][datapath.GATED_MACS] == 0 < stood_still < gated[2][datapath.MACS]
    saved = free[2] - gated[2]
    for spad in (datapath.WEIGHT_READS, datapath.PSUM_READS, datapath.PSUM_WRITES):
        assert saved[spad] == stood_still
    assert (
        saved[[datapath.MACS, datapath.IFMAP_READS, datapath.IFMAP_WRITES, datapath.WEIGHT_WRITES]].tolist() == [0] * 4
    )


def test_a_psum_of_gated_macs_only_is_the_neighbours():
    psums, _, counts = clock((2, 1, 3, 1, 4, 1), zeros=6, gates=1)
    assert psums.size == 8
    assert counts[[datapath.WEIGHT_READS, datapath.PSUM_READS, datapath.PSUM_WRITES]].tolist() == [0, 0, 0]


@pytest.mark.parametrize("row", [[5, 0, 0, 0], [0, 5, 0, 0], [0, 0, 0, 5]])
def test_products_of_a_cycle_reach_the_psum_spad_once_and_if_any_is_made(row):
    # Four taps, two a cycle: one cycle has a product beside a gated MAC, the other has gated MACs only.
    loop, weights = loop_of((1, 1, 4, 1, 1, 1), multipliers=2, gates=1), np.full((4, 1), 3)
    psums, _, counts = kernel.step_row_stationary_pe(np.array([row]), weights, np.zeros((1, 1, 1), int), (loop, 0))
    assert psums.item() == 15
    assert counts[[datapath.MACS, datapath.GATED_MACS, datapath.WEIGHT_READS]].tolist() == [4, 3, 1]
    assert counts[[datapath.PSUM_READS, datapath.PSUM_WRITES]].tolist() == [1, 1]


def test_words_of_the_spads_follow_from_the_loop():
    # 3 filters, 2 channels, 4 taps, stride 2, 5 places, 2 images: MACs 3 * 2 * 4 * 5 * 2 = 240; ifmap words 2 * (4 + 8) * 2
    counts = clock((3, 2, 4, 2, 5, 2), pe_latency=2, accumulate_cycles=1)[2]
    assert counts.tolist() == [240, 0, 240, 2 * (4 + 8) * 2, 240, 24, 240, 240]


def drawn_cases(count):
    rng = np.random.default_rng(5)
    for _ in range(count):
        shape = tuple(int(size) for size in rng.integers(1, [5, 4, 6, 5, 6, 4]))
        settings = {
            "accumulate_cycles": int(rng.integers(0, 3)),
            "shift_cycles": int(rng.integers(0, 3)),
            "multipliers": int(rng.integers(1, 5)),
            "pe_latency": int(rng.integers(1, 5)),
            "start_cycles": int(rng.integers(0, 3)),
            "restart_cycles": int(rng.integers(0, 4)),
            "psum_group": int(rng.integers(1, 5)),
            "gates": int(rng.integers(0, 2)),
        }
        yield shape, int(rng.integers(0, 3)), settings


def test_every_psum_and_its_cycle_equal_the_program_per_pe_reference():
    for shape, fill_words, settings in drawn_cases(200):
        rows, weights, below = operands(shape, zeros=5)
        psums, cycles, counts = clock(shape, fill_words, zeros=5, **settings)
        pe = oracle.Pe(
            fill_words=fill_words, **{ORACLE_NAMES.get(name, name): value for name, value in settings.items()}
        )
        reference = oracle.LonePe(pe, weights.tolist(), below.tolist(), shape[3]).run(rows.tolist())
        label = f"{shape} fill {fill_words} {settings}"
        assert reference.results == {place: (psums[place], cycles[place]) for place in np.ndindex(psums.shape)}, label
        assert reference.gated == counts[datapath.GATED_MACS], label


def test_compiled_kernel_equals_its_python_source(uncompiled):
    source = uncompiled(kernel).step_row_stationary_pe
    for shape, fill_words, settings in drawn_cases(3):
        plain = clock(shape, fill_words, step=source, **settings)
        for left, right in zip(clock(shape, fill_words, **settings), plain, strict=True):
            assert np.array_equal(left, right)
