"""The keys of a DRAM device in YAML, and the `DramDevice` they describe; called by `dram_devices.py`."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StrictBool

from archsim.arch.dram_device import DramCurrents, DramDevice
from archsim.arch.dram_mapping import AddressMapping, parse_mapping
from archsim.arch.dram_timing_keys import PAIRS, TimingKeys
from archsim.arch.keys import Conflict, Keys
from archsim.arch.value_types import LevelName, Line, Rate
from archsim.errors import ConfigError
from archsim.terms import PagePolicy

MAX_CHANNELS = 128
MAX_GROUPS = 16
MAX_BANKS = 64
MAX_ROWS = 2**20


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError("must be a power of two: address bits count in them")
    return value


def _whole_bytes(value: int) -> int:
    if value % 8:
        raise ValueError("must be a multiple of 8: the bus moves whole bytes")
    return value


Channels = Annotated[int, Field(strict=True, ge=1, le=MAX_CHANNELS), AfterValidator(_power_of_two)]
Groups = Annotated[int, Field(strict=True, ge=1, le=MAX_GROUPS), AfterValidator(_power_of_two)]
Banks = Annotated[int, Field(strict=True, ge=1, le=MAX_BANKS), AfterValidator(_power_of_two)]
Rows = Annotated[int, Field(strict=True, ge=1, le=MAX_ROWS), AfterValidator(_power_of_two)]
RowBytes = Annotated[int, Field(strict=True, ge=1, le=2**16), AfterValidator(_power_of_two)]
Chips = Annotated[int, Field(strict=True, ge=1, le=64)]
BusBits = Annotated[int, Field(strict=True, ge=8, le=4096), AfterValidator(_whole_bytes)]
BurstLength = Annotated[int, Field(strict=True, ge=2, le=64), AfterValidator(_power_of_two)]
ClockNs = Annotated[Rate, Field(ge=0.05, le=100)]


class CurrentKeys(Keys):
    """``idd_ma``: data-sheet currents of one chip. [mA]"""

    IDD0: Rate
    IDD2N: Rate
    IDD3N: Rate
    IDD4R: Rate
    IDD4W: Rate
    IDD5AB: Rate

    def conflicts(self) -> Iterable[Conflict]:
        """Return currents below the standby current that they contain: they would take energy back."""
        for key in ("IDD0", "IDD3N", "IDD4R", "IDD4W", "IDD5AB"):
            standby = "IDD2N" if key == "IDD3N" else "IDD3N"
            if getattr(self, key) < getattr(self, standby):
                rule = f"must be at least {standby} (={getattr(self, standby):g}), which it contains"
                yield Conflict(at=(key,), message=rule, found=getattr(self, key), concerns=frozenset({key, standby}))

    def build(self, vdd: float) -> DramCurrents:
        """Return the currents at a supply voltage. [V]"""
        return DramCurrents(
            vdd=vdd, idd0=self.IDD0, idd2n=self.IDD2N, idd3n=self.IDD3N, idd4r=self.IDD4R, idd4w=self.IDD4W,
            idd5ab=self.IDD5AB,
        )  # fmt: skip


def mapping_fault(mapping: str) -> str:
    """Return what is wrong with the text of a mapping on any device; empty = nothing."""
    try:
        parse_mapping(mapping, channels=1, ranks=1, bankgroups=1, banks_per_group=1, rows=1, columns=1)
    except ConfigError as problem:
        return str(problem).removeprefix(f"mapping {mapping!r} ")
    return ""


class DramDeviceKeys(Keys):
    """A device: the fields of `DramDevice`, the timings and currents by their JEDEC names."""

    name: LevelName
    source: Line
    from_memory: StrictBool
    protocol: Literal["DDR3", "DDR4", "LPDDR3", "LPDDR4", "HBM"]
    tck_ns: ClockNs
    channels: Channels
    ranks: Groups
    bankgroups: Groups
    banks_per_group: Banks
    rows: Rows
    row_bytes: RowBytes
    devices_per_rank: Chips
    bus_width_bits: BusBits
    burst_length: BurstLength
    mapping: Line
    page_policy: PagePolicy
    refresh: StrictBool
    timing_nck: TimingKeys
    vdd_v: Rate
    idd_ma: CurrentKeys

    stand_ins: ClassVar[Mapping[str, Any]] = {
        **dict.fromkeys(("channels", "ranks", "bankgroups", "banks_per_group", "rows", "devices_per_rank", "vdd_v"), 1),
        "name": "device",
        "source": "none",
        "from_memory": False,
        "protocol": "DDR4",
        "tck_ns": 1,
        "row_bytes": 2**16,
        "bus_width_bits": 8,
        "burst_length": 2,
        "mapping": "rochrababgco",
        "page_policy": "open",
        "refresh": False,
        "timing_nck": {**TimingKeys.stand_ins, "tRCD": 1},
        "idd_ma": dict.fromkeys(CurrentKeys.model_fields, 1),
    }

    def conflicts(self) -> Iterable[Conflict]:
        """Return what is wrong between burst, row, bank groups, timings and mapping."""
        yield from self._burst_conflicts()
        yield from self._turnaround_conflicts()
        yield from self._one_group_conflicts()
        if fault := mapping_fault(self.mapping):
            yield Conflict(at=("mapping",), message=fault, found=self.mapping, concerns=frozenset({"mapping"}))

    def build(self) -> DramDevice:
        """Return the device."""
        return DramDevice(
            name=self.name, source=self.source, from_memory=self.from_memory, protocol=self.protocol,
            tck_ns=self.tck_ns, channels=self.channels, ranks=self.ranks, bankgroups=self.bankgroups,
            banks_per_group=self.banks_per_group, rows=self.rows, row_bytes=self.row_bytes,
            devices_per_rank=self.devices_per_rank, bus_width_bits=self.bus_width_bits,
            burst_length=self.burst_length, mapping=self._mapping(), page_policy=self.page_policy,
            has_refresh=self.refresh, timing=self.timing_nck.build(), currents=self.idd_ma.build(self.vdd_v),
        )  # fmt: skip

    def _mapping(self) -> AddressMapping:
        return parse_mapping(
            self.mapping, channels=self.channels, ranks=self.ranks, bankgroups=self.bankgroups,
            banks_per_group=self.banks_per_group, rows=self.rows, columns=self.row_bytes // self._request_bytes,
        )  # fmt: skip

    @property
    def _request_bytes(self) -> int:
        return self.bus_width_bits // 8 * self.burst_length

    def _burst_conflicts(self) -> Iterable[Conflict]:
        bus = {"row_bytes", "bus_width_bits", "burst_length"}
        if self._request_bytes > self.row_bytes:
            rule = f"must be at least the {self._request_bytes} bytes of a burst (bus_width_bits / 8 x burst_length)"
            yield Conflict(at=("row_bytes",), message=rule, found=self.row_bytes, concerns=frozenset(bus))
        elif self._request_bytes & (self._request_bytes - 1):
            rule = "must be a power of two: address bits count bursts; leave the bits of an error code out"
            yield Conflict(at=("bus_width_bits",), message=rule, found=self.bus_width_bits, concerns=frozenset(bus))

    def _turnaround_conflicts(self) -> Iterable[Conflict]:
        timing = self.timing_nck
        gap = timing.CL + self.burst_length // 2 + timing.tRTRS - timing.CWL
        if gap < 1:
            rule = f"read to write would be CL + BL/2 + tRTRS - CWL = {gap} clocks; it must be at least 1"
            concerns = frozenset({"timing_nck", "burst_length"})
            yield Conflict(at=("timing_nck", "CWL"), message=rule, found=timing.CWL, concerns=concerns)

    def _one_group_conflicts(self) -> Iterable[Conflict]:
        for pair in PAIRS if self.bankgroups == 1 else ():
            short, long = getattr(self.timing_nck, f"{pair}_S"), getattr(self.timing_nck, f"{pair}_L")
            if short < long:
                rule = f"must be {pair}_L (={long}): with bankgroups: 1 every two banks are of one group"
                concerns = frozenset({"timing_nck", "bankgroups"})
                yield Conflict(at=("timing_nck", f"{pair}_S"), message=rule, found=short, concerns=concerns)


class DeviceFile(DramDeviceKeys):
    """A device in a file of its own."""

    stand_ins: ClassVar[Mapping[str, Any]] = {**DramDeviceKeys.stand_ins, "schema": "archsim/dram-device/v1"}

    schema_: Literal["archsim/dram-device/v1"] = Field(alias="schema")


class DeviceListFile(Keys):
    """Devices that are chosen by name."""

    schema_: Literal["archsim/dram-devices/v1"] = Field(alias="schema")
    devices: list[DramDeviceKeys]
