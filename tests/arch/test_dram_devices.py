"""DRAM devices: the shipped ones against what is published of them, and what is said of one that cannot be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.arch.dram_devices import device_names, load_device
from archsim.errors import ConfigError
from archsim.terms import PagePolicy

TIMING = {
    "CL": 17, "CWL": 12, "tRCD": 17, "tRP": 17, "tRAS": 39, "tRTP": 9, "tWR": 18, "tWTR_S": 3, "tWTR_L": 9, "tCCD_S": 4,
    "tCCD_L": 6, "tRRD_S": 4, "tRRD_L": 6, "tFAW": 26, "tRTRS": 2, "tRFC": 420, "tREFI": 9360,
}  # fmt: skip
CURRENTS = {"IDD0": 48, "IDD2N": 34, "IDD3N": 43, "IDD4R": 135, "IDD4W": 123, "IDD5AB": 250}
KEYS = {
    "name": "mine", "source": "chosen here", "from_memory": "true", "protocol": "DDR4", "tck_ns": 0.833, "channels": 2,
    "ranks": 1, "bankgroups": 4, "banks_per_group": 4, "rows": 65536, "row_bytes": 8192, "devices_per_rank": 8,
    "bus_width_bits": 64, "burst_length": 8, "mapping": "rorababgcoch", "page_policy": "closed", "refresh": "true",
    "vdd_v": 1.2,
}  # fmt: skip
# Peak GB/s and capacity in GiB of all channels: bus bits / 8 x 2 / tCK, chips x 8 Gb
PEAK_AND_SIZE = {
    "DDR3_1600": (12.8, 8), "DDR4_2400": (19.208, 8), "DDR4_2400_2rank": (19.208, 16), "DDR4_3200": (25.6, 8),
    "LPDDR3_1600": (12.8, 2), "LPDDR4_2400": (9.604, 2), "LPDDR4_3200": (12.8, 2), "HBM2_1ch": (32, 1), "HBM2_8ch": (256, 8),
}  # fmt: skip

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a device file, keys and timings replaced; None leaves a key out."""

    def _write(
        timing: dict[str, object] | None = None, currents: dict[str, object] | None = None, **keys: object
    ) -> Path:
        path = tmp_path / "mine.yaml"
        lines = ["schema: archsim/dram-device/v1", *_lines({**KEYS, **keys})]
        lines += ["timing_nck:", *_lines({**TIMING, **(timing or {})}, "  ")]
        lines += ["idd_ma:", *_lines({**CURRENTS, **(currents or {})}, "  ")]
        path.write_text("\n".join(lines))
        return path

    return _write


def _lines(keys: dict[str, object], indent: str = "") -> list[str]:
    return [f"{indent}{key}: {value}" for key, value in keys.items() if value is not None]


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_device(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("name", PEAK_AND_SIZE)
def test_a_shipped_device_has_the_published_peak_and_capacity(name: str) -> None:
    device = load_device(name)
    assert device.peak_bytes_per_second / 1e9 == pytest.approx(PEAK_AND_SIZE[name][0], rel=1e-4)
    assert device.capacity_bytes == PEAK_AND_SIZE[name][1] * 2**30


def test_thirteen_devices_are_shipped_each_with_its_source_and_bursts_of_64_bytes() -> None:
    devices = [load_device(name) for name in device_names()]
    assert len(devices) == 13
    assert all(device.source and device.request_bytes == 64 for device in devices)
    assert [device.name for device in devices if device.from_memory] == ["LPDDR4_3200"]


def test_a_variant_differs_from_its_base_in_one_thing() -> None:
    base = load_device("DDR4_2400")
    assert load_device("DDR4_2400_closed").page_policy is PagePolicy.CLOSED
    assert load_device("DDR4_2400_closed").timing == base.timing
    assert not load_device("DDR4_2400_noref").has_refresh
    assert load_device("DDR4_2400_2rank").ranks == 2
    assert load_device("HBM2_8ch").channels == 8


def test_a_mapping_may_replace_that_of_a_device() -> None:
    device = load_device("DDR4_2400", mapping="rochrabacobg")
    assert device.mapping == load_device("DDR4_2400_bgint").mapping
    with pytest.raises(ConfigError, match="mapping 'roch' lacks 'ra'"):
        load_device("DDR4_2400", mapping="roch")


def test_a_device_of_ones_own_is_read_from_its_file(write: Write) -> None:
    device = load_device(write())
    assert (device.name, device.channels, device.page_policy, device.columns) == ("mine", 2, PagePolicy.CLOSED, 128)
    assert device.timing == load_device("DDR4_2400").timing
    assert device.currents == load_device("DDR4_2400").currents


def test_a_device_that_does_not_exist_names_the_nearest_and_all() -> None:
    with pytest.raises(ConfigError) as caught:
        load_device("DDR4_2401")
    message = str(caught.value)
    assert message.startswith("no DRAM device is named 'DDR4_2401'. Did you mean 'DDR4_2400'? Known: DDR3_1600, ")
    assert "A file is named by its path" in message


@pytest.mark.parametrize(
    ("timing", "fault"),
    [
        ({"tRAS": 16}, "tRAS: must be at least tRCD (=17): the row would close before its first read (found 16)"),
        ({"tRC": 55}, "tRC: must be tRAS + tRP = 39 + 17 = 56, or be left out (found 55)"),
        ({"tFAW": 3}, "tFAW: must be at least tRRD_S (=4): the window of four activates holds at least one gap between two (found 3)"),
        ({"tCCD_L": 3}, "tCCD_L: must be at least tCCD_S (=4): banks of one group are the slower pair (found 3)"),
        ({"tRRD_L": 3}, "tRRD_L: must be at least tRRD_S (=4): banks of one group are the slower pair (found 3)"),
        ({"tWTR_L": 2}, "tWTR_L: must be at least tWTR_S (=3): banks of one group are the slower pair (found 2)"),
        ({"tREFI": 420}, "tREFI: must be more than tRFC (=420): the device would do nothing but refresh (found 420)"),
        ({"CWL": 23}, "CWL: read to write would be CL + BL/2 + tRTRS - CWL = 0 clocks; it must be at least 1 (found 23)"),
        ({"CL": 0}, "CL: input should be greater than or equal to 1 (found 0)"),
        ({"CWL": 0}, "CWL: input should be greater than or equal to 1 (found 0)"),
        ({"tRCDRD": 17}, "tRCD: leave it out, or leave out tRCDRD and tRCDWR (found 17)"),
        ({"tFAV": 17}, "tFAV: no such key (found 17). Did you mean 'tFAW'?"),
        ({"tRP": 17.5}, "tRP: input should be a valid integer (found 17.5)"),
    ],
)  # fmt: skip
def test_an_impossible_timing_set_is_refused_with_its_rule(write: Write, timing: dict[str, object], fault: str) -> None:
    assert [line.split(": ", 1)[1] for line in faults(write(timing))] == [f"timing_nck.{fault}"]


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"row_bytes": 32}, "row_bytes: must be at least the 64 bytes of a burst (bus_width_bits / 8 x burst_length) (found 32)"),
        ({"bus_width_bits": 68}, "bus_width_bits: must be a multiple of 8: the bus moves whole bytes (found 68)"),
        ({"bus_width_bits": 72}, "bus_width_bits: must be a power of two: address bits count bursts; leave the bits of an error code out (found 72)"),
        ({"rows": 65535}, "rows: must be a power of two: address bits count in them (found 65535)"),
        ({"bankgroups": 3}, "bankgroups: must be a power of two: address bits count in them (found 3)"),
        ({"mapping": "rorababgch"}, "mapping: lacks 'co' (column): name every field, also of what the device has once (found 'rorababgch')"),
        ({"page_policy": "shut"}, "page_policy: input should be 'open' or 'closed' (found 'shut')"),
        ({"rank": 2}, "rank: no such key (found 2). Did you mean 'ranks'?"),
        ({"source": None}, "source: this key is required"),
    ],
)  # fmt: skip
def test_a_device_that_cannot_be_is_refused_with_its_rule(write: Write, keys: dict[str, object], fault: str) -> None:
    assert [line.split(": ", 1)[1] for line in faults(write(**keys))] == [fault]


def test_without_bank_groups_both_of_a_pair_are_the_same(write: Write) -> None:
    found = faults(write(bankgroups=1))
    assert [line.split(": ", 1)[1] for line in found] == [
        "timing_nck.tCCD_S: must be tCCD_L (=6): with bankgroups: 1 every two banks are of one group (found 4)",
        "timing_nck.tWTR_S: must be tWTR_L (=9): with bankgroups: 1 every two banks are of one group (found 3)",
        "timing_nck.tRRD_S: must be tRRD_L (=6): with bankgroups: 1 every two banks are of one group (found 4)",
    ]


def test_a_current_below_its_standby_part_is_refused(write: Write) -> None:
    found = faults(write(currents={"IDD4R": 40}))
    assert [line.split(": ", 1)[1] for line in found] == [
        "idd_ma.IDD4R: must be at least IDD3N (=43), which it contains (found 40.0)"
    ]


def test_all_faults_of_a_file_are_told_at_once_with_their_lines(write: Write) -> None:
    found = faults(write({"tRAS": 16, "tREFI": None}, mapping="roro", rows=3))
    assert {int(line.split(":")[0]) for line in found} == {11, 16, 20, 25}
    assert len(found) == 4
