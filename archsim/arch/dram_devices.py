"""DRAM devices by name (`dram_devices.yaml`) or from a user's file; called for ``device:`` of an arch file."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_device_keys import DeviceFile, DeviceListFile
from archsim.arch.dram_mapping import parse_mapping
from archsim.config_file import did_you_mean, read_yaml, validate
from archsim.errors import ConfigError
from archsim.terms import PagePolicy

_SHIPPED = Path(__file__).parent / "dram_devices.yaml"


def device_names() -> list[str]:
    """Return the names of the shipped devices, in the order of their file."""
    return list(_shipped())


def load_device(
    device: str | Path,
    *,
    mapping: str | None = None,
    channels: int | None = None,
    page_policy: PagePolicy | None = None,
) -> DramDevice:
    """Return a DRAM device.

    Parameters
    ----------
    device
        A name from `device_names`, or the path of a ``.yaml`` with ``schema: archsim/dram-device/v1``.
    mapping, channels, page_policy
        In place of the device's own: an address mapping such as ``rochrabacobg``, so many channels
        (a power of two), what happens to a row after a column command.

    Raises
    ------
    ConfigError
        No such device (the nearest name is told), faults in its file, or a mapping that lacks a field.
    """
    found = _read(Path(device)) if is_path(device) else _named(str(device))
    found = replace(found, channels=channels or found.channels, page_policy=page_policy or found.page_policy)
    if mapping is None and channels is None:
        return found
    parsed = parse_mapping(
        mapping or found.mapping.text, channels=found.channels, ranks=found.ranks, bankgroups=found.bankgroups,
        banks_per_group=found.banks_per_group, rows=found.rows, columns=found.columns,
    )  # fmt: skip
    return replace(found, mapping=parsed)


def is_path(device: str | Path) -> bool:
    """Whether a device is named by its file: by a path, not a bare name."""
    return isinstance(device, Path) or Path(device).suffix != "" or Path(device).name != device


def _read(path: Path) -> DramDevice:
    return validate(read_yaml(path, ConfigError), DeviceFile, ConfigError).build()


def _named(name: str) -> DramDevice:
    shipped = _shipped()
    if name not in shipped:
        raise ConfigError(
            f"no DRAM device is named {name!r}.{did_you_mean(name, shipped)} Known: {', '.join(shipped)}. "
            f"A file is named by its path, e.g. ./{name or 'device'}.yaml"
        )
    return shipped[name]


@cache
def _shipped() -> Mapping[str, DramDevice]:
    file = validate(read_yaml(_SHIPPED, ConfigError), DeviceListFile, ConfigError)
    return {device.name: device for device in (keys.build() for keys in file.devices)}
