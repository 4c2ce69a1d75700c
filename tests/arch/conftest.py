"""A small arch file, and a way to write one with a line changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

SMALL_ARCH = """\
schema: archsim/arch/v1
name: small
source: nobody built it
clock_mhz: 200
technology_nm: 65
pe_array: {rows: 8, columns: 4, dataflow: weight_stationary}
formats: {ifmap: int8, weight: int4, psum: int32}
levels:
  - {name: glb, kind: sram, capacity_bytes: 4096, holds: [ifmap, psum]}
  - {name: wbuf, kind: sram, capacity_bytes: 1024, holds: [weight]}
  - {name: dram, kind: dram, bandwidth_bytes_per_cycle: 2.5, latency_cycles: 40}
"""


@pytest.fixture
def write_arch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write `SMALL_ARCH` as ``a.yaml`` in the working folder, each (old, new) pair of text replaced."""
    monkeypatch.chdir(tmp_path)

    def write(*changes: tuple[str, str]) -> Path:
        text = SMALL_ARCH
        for old, new in changes:
            assert old in text, f"the small arch has no {old!r}"
            text = text.replace(old, new)
        Path("a.yaml").write_text(text)
        return Path("a.yaml")

    return write
