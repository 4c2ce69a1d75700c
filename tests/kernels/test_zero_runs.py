"""Zeros in a row: compiled against the kernels' own source; what they count is held in tests/workload."""

from typing import Any

import numpy as np
import pytest

from archsim.kernels import zero_runs


def source(kernel: Any) -> Any:
    return getattr(kernel, "py_func", kernel)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_the_compiled_kernels_are_their_source(share: float) -> None:
    rng = np.random.default_rng(7)
    values = (rng.random((3, 11, 40)) >= share).astype(np.uint8)
    bits = rng.integers(0, 2**31, (3, 440), dtype=np.uint32)
    limits = [np.full(3, limit, dtype=np.uint32) for limit in (2**30, 2**31 - 2**28, 2**29)]
    found: list[list[Any]] = []
    for take in (lambda kernel: kernel, source):
        nonzero, images, channels = (
            np.empty((3, 440), dtype=bool),
            np.zeros(3, dtype=np.int64),
            np.zeros(11, dtype=np.int64),
        )
        take(zero_runs.draw_zero_runs)(bits, *limits, nonzero)
        runs = take(zero_runs.count_mask)(values, images, channels)
        found.append([
            nonzero.tolist(), int(runs), images.tolist(), channels.tolist(),
            tuple(map(int, take(zero_runs.count_zero_runs)(values.ravel(), 31))),
            int(take(zero_runs.count_empty_groups)(values, 4, True)), int(take(zero_runs.count_empty_groups)(values, 4, False)),
            int(take(zero_runs.count_empty_spans)(values.reshape(-1, 40), 7)),
        ])  # fmt: skip
    assert found[0] == found[1]


def test_the_chain_follows_its_limits_value_by_value() -> None:
    bits = np.array([[5, 9, 9, 2, 2, 9]], dtype=np.uint32)
    nonzero = np.empty((1, 6), dtype=bool)
    start, stay, enter = (np.array([limit], dtype=np.uint32) for limit in (6, 10, 1))
    zero_runs.draw_zero_runs(bits, start, stay, enter, nonzero)
    assert nonzero.tolist() == [[False] * 6]  # below 6, then always below 10
    zero_runs.draw_zero_runs(bits, stay, np.array([3], dtype=np.uint32), start, nonzero)
    # 5 < 10: zero; 9 >= 3: kept; 9 >= 6: kept; 2 < 6: zero; 2 < 3: zero; 9 >= 3: kept
    assert nonzero.tolist() == [[False, True, True, False, False, True]]
