import numpy as np
import pytest

from archsim.kernels import row_datapath as datapath
from archsim.kernels import row_loop
from archsim.kernels import row_stationary as kernel
from archsim.kernels.row_stationary_pe import step_row_stationary_pe


def loop_of(shape, **settings):
    """shape: filters, channels, taps, stride, outputs, images."""
    loop = np.zeros(row_loop.LOOP_WORDS, dtype=np.int64)
    loop[: row_loop.STRIDE + 1] = shape[:4]
    loop[row_loop.OUTPUTS], loop[row_loop.IMAGES] = shape[4:]
    for name, value in {"dilation": 1, "multipliers": 1, "pe_latency": 1, "psum_group": 1, **settings}.items():
        loop[getattr(row_loop, name.upper())] = value
    return loop


def full_pass(shape, grid, seed=0):
    """Operands of a pass whose PEs all work: weights (PE rows, t, taps * channels, p), rows, entering psums."""
    filters, channels, taps, stride, outputs, images = shape
    pe_rows, sets, columns = grid
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, (pe_rows, sets, taps * channels, filters))
    rows = rng.integers(-128, 128, (pe_rows, columns, images, ((outputs - 1) * stride + taps) * channels))
    rows[rng.random(rows.shape) < 0.3] = 0
    return weights, rows, rng.integers(-999, 999, (sets, columns, images, outputs, filters))


def clock(shape, grid, load_words=1, hop=1, *, ready=None, step=kernel.step_row_stationary_pass, **settings):
    weights, rows, entering = full_pass(shape, grid)
    loads = np.array([[*place, word] for place, word in np.ndenumerate(weights)])
    extents = (np.full(grid[0], shape[1]), np.full(grid[1], shape[0]))
    return step(
        (loads, rows, np.ones(rows.shape[:2], dtype=np.bool_)),
        (entering, np.zeros_like(entering) if ready is None else ready),
        extents,
        (loop_of(shape, **settings), load_words, hop),
    )


def closed_form(shape, grid, load_words, hop, settings):
    filters, channels, taps, stride, outputs, images = shape
    load = -(-grid[0] * grid[1] * taps * channels * filters // load_words)
    per_psum = -(-taps * channels // settings.get("multipliers", 1)) + settings.get("accumulate_cycles", 0)
    slides = (outputs - 1) * stride * channels * settings.get("shift_cycles", 0)
    advance = load + images * (outputs * filters * per_psum + slides)
    return advance, advance + (grid[0] - 1) * hop + settings.get("pe_latency", 1) - 1


def drawn_cases(count):
    rng = np.random.default_rng(9)
    for _ in range(count):
        shape = tuple(int(size) for size in rng.integers(1, [4, 3, 4, 4, 5, 3]))
        grid = tuple(int(size) for size in rng.integers(1, [6, 3, 4]))
        settings = {
            "accumulate_cycles": int(rng.integers(0, 3)),
            "shift_cycles": int(rng.integers(0, 3)),
            "multipliers": int(rng.integers(1, 4)),
            "pe_latency": int(rng.integers(1, 4)),
        }
        yield shape, grid, int(rng.integers(1, 5)), int(rng.integers(1, 4)), settings


def test_a_chain_of_two_pes_adds_up_by_hand():
    # One filter, one tap, two places. Loads at edges 1 and 2. PE row 0: edges 3 and 4; row 1 one hop later: 4 and 5.
    loads = np.array([[0, 0, 0, 0, 7], [1, 0, 0, 0, -2]])
    rows = np.array([[[[10, 20]]], [[[3, 4]]]])
    entering = np.array([[[[[100], [200]]]]])
    psums, cycles, counts, totals = kernel.step_row_stationary_pass(
        (loads, rows, np.ones((2, 1), dtype=np.bool_)),
        (entering, np.zeros_like(entering)),
        (np.array([1, 1]), np.array([1])),
        (loop_of((1, 1, 1, 1, 2, 1)), 1, 1),
    )
    # 100 + 10*7 - 3*2 = 164; 200 + 20*7 - 4*2 = 332
    assert psums.reshape(-1).tolist() == [164, 332]
    assert cycles.reshape(-1).tolist() == [4, 5]
    assert totals[[kernel.ADVANCE, kernel.WAITED, kernel.PSUM_HOPS, kernel.IFMAP_WORDS]].tolist() == [4, 0, 2, 4]
    assert counts[..., datapath.MACS].reshape(-1).tolist() == [2, 2]


def test_advance_and_last_psum_come_at_the_closed_form_for_any_setting():
    for shape, grid, load_words, hop, settings in drawn_cases(200):
        _, cycles, counts, totals = clock(shape, grid, load_words, hop, **settings)
        found = (totals[kernel.ADVANCE], cycles.max())
        assert found == closed_form(shape, grid, load_words, hop, settings), f"{shape} {grid} {hop} {settings}"
        assert (counts[..., datapath.MACS] == np.prod([*shape[:3], *shape[4:]])).all()


def test_a_chain_is_its_pes_one_after_the_other():
    # The array against the lone PE's kernel: each PE's psums are what the one above adds to, one hop later each.
    for shape, grid, load_words, hop, settings in drawn_cases(40):
        weights, rows, psums = full_pass(shape, grid)
        settings["gates"] = shape[0] % 2
        found, cycles, counts, _ = clock(shape, grid, load_words, hop, **settings)
        load = -(-weights.size // load_words)
        for t, y in np.ndindex(grid[1:]):
            psum = psums[t, y]
            for k in range(grid[0]):
                psum, alone, counted = step_row_stationary_pe(
                    rows[k, y], weights[k, t], psum, (loop_of(shape, **settings), 0)
                )
                assert counts[k, t, y].tolist() == counted.tolist()
            assert np.array_equal(found[t, y], psum)
            assert np.array_equal(cycles[t, y], alone + load + (grid[0] - 1) * hop)


@pytest.mark.parametrize("accumulate_cycles", [0, 1])
def test_a_psum_that_is_not_back_holds_up_the_array_until_it_is(accumulate_cycles):
    # One PE row; three places whose psums are back after edges 0, 20, 0. Load 2; a place takes 2 (+ 1) cycles.
    shape, grid = (1, 1, 2, 1, 3, 1), (1, 1, 1)
    ready = np.array([0, 20, 0]).reshape(1, 1, 1, 3, 1)
    _, cycles, _, totals = clock(shape, grid, ready=ready, accumulate_cycles=accumulate_cycles)
    each = 2 + accumulate_cycles
    assert cycles.reshape(-1).tolist() == [2 + each, 21, 21 + each]
    assert totals[kernel.WAITED] == 21 - (2 + 2 * each)


def test_gating_changes_neither_a_value_nor_a_cycle():
    shape, grid = (2, 2, 3, 1, 4, 2), (3, 2, 2)
    free, gated = (clock(shape, grid, gates=gates) for gates in (0, 1))
    assert np.array_equal(free[0], gated[0])
    assert np.array_equal(free[1], gated[1])
    assert np.array_equal(free[3], gated[3])


def test_compiled_kernel_equals_its_python_source(uncompiled):
    source = uncompiled(kernel).step_row_stationary_pass
    for shape, grid, load_words, hop, settings in drawn_cases(2):
        plain = clock(shape, grid, load_words, hop, step=source, **settings)
        for left, right in zip(clock(shape, grid, load_words, hop, **settings), plain, strict=True):
            assert np.array_equal(left, right)
