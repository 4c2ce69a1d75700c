"""Equal area."""

import pytest

from archsim.errors import MappingError
from archsim.study.reuse.storage import AREA_BYTES, AREA_UM2_PER_BYTE, Storage, equal_area, memory_area_um2


@pytest.mark.parametrize("pes", [256, 512])
def test_spads_of_half_a_kilobyte_leave_half_a_kilobyte_per_pe_for_the_glb(pes) -> None:
    assert equal_area(pes, 256) == Storage(pes=pes, spad_words=256, glb_words=256 * pes)


def test_without_spads_the_glb_grows_2_6_fold() -> None:
    """The paper: "the difference is up to 2.6x" of GLB size, some 80 kB of storage in all."""
    with_spads, without = equal_area(256, 256), equal_area(256, 0)
    assert without.glb_words / with_spads.glb_words == pytest.approx(2.64, abs=0.01)
    more_bytes = 2 * (without.glb_words - with_spads.glb_words) - 256 * 512
    assert more_bytes == pytest.approx(82e3, rel=0.05)


@pytest.mark.parametrize("spad_words", [0, 1, 5, 49, 100, 256])
def test_the_area_is_the_same_whatever_the_spads_take(spad_words) -> None:
    storage = equal_area(256, spad_words)
    area = 256 * memory_area_um2(2 * spad_words) + memory_area_um2(2 * storage.glb_words)
    budget = 256 * memory_area_um2(512) + memory_area_um2(256 * 512)
    assert budget - 2 * AREA_UM2_PER_BYTE[-1] <= area <= budget


def test_a_larger_memory_takes_more_area_and_less_per_byte_beyond_registers() -> None:
    areas = [memory_area_um2(size) for size in (0, *AREA_BYTES, 5000)]
    assert areas == sorted(areas)
    per_byte = [memory_area_um2(size) / size for size in AREA_BYTES if size >= 8]
    assert per_byte == sorted(per_byte, reverse=True)


def test_spads_beyond_the_budget_are_refused() -> None:
    with pytest.raises(MappingError, match="256 spads of 2000 words take more area"):
        equal_area(256, 2000)
    with pytest.raises(MappingError, match=r"pes \(=0\)"):
        Storage(pes=0, spad_words=0, glb_words=1)
