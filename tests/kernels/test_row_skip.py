"""The kernels of row-stationary PEs that step over zeros say the same compiled and as plain Python."""

import numpy as np

from archsim.kernels import row_loop, row_skip, row_skip_pass


def test_counts_of_rows_and_passes(uncompiled) -> None:
    nonzero = np.random.default_rng(1).random((2, 2, 5, 4, 6)) < 0.4
    sets = np.array([[0, 2], [2, 4], [4, 5]])
    places = np.array([[-1, 0, 1], [1, 2, 3], [3, 4, 5]]), np.array([0, 2, 3])
    rows, cuts = np.array([[4, 0, 2], [0, 1, 3]]), (np.array([0, 2]), np.array([0, 2, 3]), np.array([0, 2, 3]))

    def counted(module):
        cycles = np.zeros((2, 2, 2, 3, 5), dtype=np.int64)
        module.count_row_cycles(nonzero, sets, places, np.array([2, 0]), cycles)
        found = np.zeros((2, 2, 2, 2, 2), dtype=np.int64), np.zeros((2, 2, 2, 2, 2), dtype=np.int64)
        module.look_up_passes(cycles, rows, cuts, found)
        return (cycles, *found)

    cycles, busiest, total = counted(row_skip)
    for compiled, plain in zip((cycles, busiest, total), counted(uncompiled(row_skip)), strict=True):
        np.testing.assert_array_equal(compiled, plain)
    assert (busiest <= total).all()
    assert (cycles[..., 4] == 3).all()  # a row of padding: a cycle per window


def test_a_pass(uncompiled) -> None:
    random = np.random.default_rng(2)
    loop = np.zeros(row_loop.LOOP_WORDS, dtype=np.int64)
    sizes = {"FILTERS": 2, "CHANNELS": 2, "TAPS": 3, "STRIDE": 1, "DILATION": 1, "OUTPUTS": 4, "IMAGES": 2, "MULTIPLIERS": 2,
             "ACCUMULATE_CYCLES": 1, "SHIFT_CYCLES": 1, "PE_LATENCY": 2, "START_CYCLES": 3, "RESTART_CYCLES": 1,
             "PSUM_GROUP": 1}  # fmt: skip
    for name, size in sizes.items():
        loop[getattr(row_loop, name)] = size
    ifmap = random.integers(0, 3, (4, 2, 2, 12)) * random.integers(0, 2, (4, 2, 2, 12))
    loads = np.array([[k, t, tap, j, random.integers(-3, 4)] for k in range(4) for t in range(2) for tap in range(6)
                      for j in range(2 - t)])  # fmt: skip
    entering = random.integers(-9, 10, (2, 2, 2, 4, 2)), np.full((2, 2, 2, 4, 2), -3)
    given = (
        (loads, ifmap, np.ones((4, 2), dtype=bool)),
        entering,
        (np.array([2, 2, 1, 1]), np.array([2, 1])),
        (loop, 4, 2),
    )
    found = row_skip_pass.step_skipping_pass(*given)
    for compiled, plain in zip(found, uncompiled(row_skip_pass).step_skipping_pass(*given), strict=True):
        np.testing.assert_array_equal(compiled, plain)
