"""Steps of a layer with zeros skipped: shifted by rounding, never longer than the dense array's, and none is lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archsim.mapping.skipped_steps import ends_within_dense

STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12)


def shared_out(amounts: list[int], pieces: int, thirds: int) -> np.ndarray:
    """Return the cycles of equal pieces of each amount x thirds / 3, ends rounded up: exact, one by one."""
    ends, before = [0], 0
    for amount in amounts:
        ends += [-(-(before * pieces + amount * piece) * thirds // (3 * pieces)) for piece in range(1, pieces + 1)]
        before += amount
    return np.diff(np.array(ends))


@given(steps=STEPS, pieces=st.integers(1, 8), thirds=st.integers(1, 7))
def test_no_step_is_longer_than_the_dense_one_and_no_cycle_is_lost(
    steps: list[tuple[int, int]], pieces: int, thirds: int
) -> None:
    dense = shared_out([max(step) for step in steps], pieces, thirds)
    advance = shared_out([min(step) for step in steps], pieces, thirds)
    found = np.diff(ends_within_dense(np.cumsum(advance), np.cumsum(dense)), prepend=0)
    assert found.sum() == advance.sum()
    assert (found <= dense).all()
    assert (found >= 0).all()


def test_a_cycle_that_rounding_puts_too_early_comes_later() -> None:
    dense, advance = shared_out([33], 6, 1), shared_out([28], 6, 1)
    assert (advance > dense).any()  # the last of 2, 2, 1, 2, 1, 2 beside 2, 2, 2, 2, 2, 1
    found = np.diff(ends_within_dense(np.cumsum(advance), np.cumsum(dense)), prepend=0)
    assert (found.sum(), int(found.max())) == (10, 2)
    assert (found <= dense).all()
