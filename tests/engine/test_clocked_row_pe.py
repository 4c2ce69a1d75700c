"""One row-stationary PE through its door in the engine; its kernel is held to RTL in tests/kernels and tests/validate."""

import numpy as np
import pytest

from archsim.engine.clocked_row_pe import LonePe, run_clocked_row_pe
from archsim.errors import SimulationError


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_psums_are_the_row_convolution_and_no_setting_moves_them(stride) -> None:
    rng = np.random.default_rng(3)
    rows, weights = rng.integers(-9, 10, (2, 3 + 4 * stride, 2)), rng.integers(-9, 10, (3, 2, 4))
    wanted = np.stack(
        [np.einsum("nsc,scp->np", rows[:, f * stride : f * stride + 3], weights) for f in range(5)], axis=1
    )
    pe = LonePe(accumulate_cycles=1, shift_cycles=2, pe_latency=3, start_cycles=1, restart_cycles=2, psum_group=4,
                fill_words=1, gates=True)  # fmt: skip
    for each in (LonePe(), pe):
        run = run_clocked_row_pe(rows, weights, each, stride=stride)
        assert np.array_equal(run.psums, wanted)
        assert run.macs == 2 * 5 * 4 * 3 * 2
    assert run.gated_macs > 0


def test_a_pe_whose_spads_are_filled_ahead_does_a_mac_per_cycle() -> None:
    # 2 images x 4 places x 3 filters x 2 taps = 48 MACs
    run = run_clocked_row_pe(np.ones((2, 5, 1), int), np.ones((2, 1, 3), int), LonePe())
    assert run.output_cycles.max() == 48
    assert run.output_cycles[0, 0].tolist() == [4, 5, 6]


@pytest.mark.parametrize("shape", [(1, 5, 2), (1, 2, 1), (1, 6, 1)])
def test_rows_that_do_not_fit_the_filters_are_refused(shape) -> None:
    with pytest.raises(SimulationError, match=r"does not slide along|channels differ"):
        run_clocked_row_pe(np.ones(shape, int), np.ones((3, 1, 1), int), LonePe(), stride=2)


def test_settings_that_registers_cannot_have_are_refused() -> None:
    with pytest.raises(SimulationError, match=r"pe_latency \(=0\) must be at least 1"):
        LonePe(pe_latency=0)
