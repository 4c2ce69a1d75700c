import os
import subprocess
import sys

RUN = """
from archsim.arch.dram_devices import load_device
from archsim.engine.dram_channel import run_dram_trace
from tests.dram_cases import mixed_trace
for name in ("DDR4_2400_2rank", "DDR4_2400_closed", "LPDDR4_3200", "HBM2_8ch"):
    run = run_dram_trace(load_device(name), mixed_trace(1, 120), log=True)
    print(run.cycles, run.counts, run.read_latency_sum, run.bus_use, run.log.cycle.tolist(), run.log.kind.tolist())
"""


def test_the_kernels_and_their_plain_python_source_issue_the_same_commands() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", RUN], env=os.environ | setting, capture_output=True, text=True, check=True
        ).stdout
        for setting in ({"NUMBA_DISABLE_JIT": "0"}, {"NUMBA_DISABLE_JIT": "1"})
    ]
    assert runs[0] == runs[1]
    assert len(runs[0].splitlines()) == 4
