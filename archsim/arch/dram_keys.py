"""The level of kind ``dram`` in an arch file: a DRAM device by its name or file, or a bandwidth and a latency.

Called by `level_keys.py`.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool

from archsim.arch.dram_device import READS_PER_CHANNEL, DramDevice
from archsim.arch.dram_device_keys import Channels, mapping_fault
from archsim.arch.dram_devices import device_names, is_path, load_device
from archsim.arch.keys import Conflict, Keys
from archsim.arch.memory_level import DramLevel, TensorLayout
from archsim.arch.operand_keys import CompressionKey
from archsim.arch.value_types import Cycles, FreeName, Line, PackingBits, Rate
from archsim.config_file import did_you_mean
from archsim.terms import Operand, PagePolicy

FLAT = "bandwidth"
"""The device that is no more than a bandwidth and a latency."""
_FLAT_KEYS = ("bandwidth_bytes_per_cycle", "latency_cycles", "energy_device")
_DEVICE_KEYS = ("channels", "mapping", "page_policy", "outstanding_reads", "layout", "path_cycles")


def _known_device(device: str) -> str:
    if device != FLAT and not is_path(device) and device not in device_names():
        hint = did_you_mean(device, (FLAT, *device_names())) or f" Known: {', '.join(device_names())}"
        raise ValueError(f"must be {FLAT!r}, a DRAM device by its name, or the path of a device's .yaml.{hint}")
    return device


DeviceName = Annotated[str, AfterValidator(_known_device)]


class DramKeys(Keys):
    """The level of kind ``dram``; the keys are the fields of `DramLevel`, and what of a device is set anew."""

    name: FreeName
    kind: Literal["dram"]
    device: DeviceName = FLAT
    bandwidth_bytes_per_cycle: Rate | None = None
    latency_cycles: Cycles = 0
    compression: CompressionKey = ()
    packing_bits: PackingBits | None = None
    codes_network_input: StrictBool = True
    stores_padding: StrictBool = False
    energy_device: DeviceName | None = None
    channels: Channels | None = None
    mapping: Line | None = None
    page_policy: PagePolicy | None = None
    outstanding_reads: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    layout: TensorLayout | None = None
    path_cycles: Cycles | None = None

    def conflicts(self) -> Iterable[Conflict]:
        """Return the keys that need a device, a bandwidth that is missing, and a mapping that is none."""
        if self.device == FLAT:
            if self.bandwidth_bytes_per_cycle is None:
                rule = "needs bandwidth_bytes_per_cycle, or the name of a DRAM device under device"
                yield Conflict(at=(), message=rule, found=self.name, concerns=frozenset({"bandwidth_bytes_per_cycle"}))
            for key in _DEVICE_KEYS:
                if getattr(self, key) is not None:
                    rule, concerns = "needs a DRAM device under device", frozenset({key, "device"})
                    yield Conflict(at=(key,), message=rule, found=getattr(self, key), concerns=concerns)
        if self.packing_bits is not None and self.compression:
            rule = "leave this key out: a code on the channel is a stream of bits of its own, without words of a bus"
            yield Conflict(at=("packing_bits",), message=rule, found=self.packing_bits,
                           concerns=frozenset({"packing_bits", "compression"}))  # fmt: skip
        if not self.codes_network_input and Operand.IFMAP not in dict(self.compression):
            rule = "leave this key out: ifmaps are not coded"
            yield Conflict(at=("codes_network_input",), message=rule, found=False,
                           concerns=frozenset({"codes_network_input", "compression"}))  # fmt: skip
        if self.mapping is not None and (fault := mapping_fault(self.mapping)):
            yield Conflict(at=("mapping",), message=fault, found=self.mapping, concerns=frozenset({"mapping"}))

    @property
    def unused(self) -> tuple[str, ...]:
        """What is given and has no effect, as sentences: a device brings its own bandwidth and latency.

        Not refused, so that ``--set levels.dram.device=NAME`` is enough to put a device in.
        """
        if self.device == FLAT:
            return ()
        return tuple(
            f"levels.{self.name}.{key} (={getattr(self, key)}) is not used: {self.device} replaces it"
            for key in _FLAT_KEYS
            if key in self.model_fields_set and getattr(self, key) is not None
        )

    def build(self, folder: Path, clock_mhz: float) -> DramLevel:
        """Return the level.

        Parameters
        ----------
        folder
            Where the arch file lies: the path of a device file is seen from there.
        clock_mhz
            Of the array. [MHz]

        Raises
        ------
        ConfigError
            A device file is wrong, or the mapping does not fit the device.
        """
        device = None if self.device == FLAT else self._device(folder)
        bandwidth = self.bandwidth_bytes_per_cycle or 0.0
        if device is not None:
            bandwidth = device.peak_bytes_per_second / (clock_mhz * 1e6)
        return DramLevel(
            name=self.name,
            bandwidth_bytes_per_cycle=bandwidth,
            latency_cycles=self.latency_cycles if device is None else self.path_cycles or 0,
            compression=self.compression,
            packing_bits=self.packing_bits,
            codes_network_input=self.codes_network_input,
            stores_padding=self.stores_padding,
            device=device,
            outstanding_reads=self.outstanding_reads or READS_PER_CHANNEL * (device.channels if device else 1),
            layout=self.layout or TensorLayout.NCHW,
            clocks_per_cycle=_clocks_per_cycle(device, clock_mhz) if device else Fraction(1),
            energy_device=load_device(_place(self.energy_device, folder)) if self.energy_device else None,
        )

    def _device(self, folder: Path) -> DramDevice:
        return load_device(_place(self.device, folder), mapping=self.mapping, channels=self.channels,
                           page_policy=self.page_policy)  # fmt: skip


def _clocks_per_cycle(device: DramDevice, clock_mhz: float) -> Fraction:
    """Clocks of the device in a cycle of the array, exact to a millionth."""
    period_ns = Fraction(1000) / Fraction(str(clock_mhz))
    return (period_ns / Fraction(str(device.tck_ns))).limit_denominator(1_000_000)


def _place(device: str, folder: Path) -> str:
    return str(folder / device) if is_path(device) else device
