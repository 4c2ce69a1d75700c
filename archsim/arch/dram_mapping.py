"""Which address bits choose which part of a DRAM: a string such as ``rochrababgco``, most significant field first.

`dram_device_keys.py` parses the string of a device; the DRAM channels decode whole traces with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.config_file import did_you_mean
from archsim.errors import ConfigError

IntArray = NDArray[np.int64]
FIELDS = {"ro": "row", "ch": "channel", "ra": "rank", "ba": "bank", "bg": "bank group", "co": "column"}
"""The fields of a mapping string and what each chooses; ``ba`` is the bank within its group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressMapping:
    """How the number of a request (address / bytes of a burst) falls into fields.

    Parameters
    ----------
    text
        The string, as the user wrote it.
    bits
        (field, number of bits) pairs, least significant field first; all six fields, once each.
    """

    text: str
    bits: tuple[tuple[str, int], ...]

    @property
    def blocks(self) -> int:
        """Bursts that the device holds, all channels together."""
        return 1 << sum(width for _, width in self.bits)

    @property
    def shifts_and_masks(self) -> IntArray:
        """For a kernel: int64, shape (6, 2), a row per field in the order of `FIELDS`.

        The field is ``(block >> row[0]) & row[1]``.
        """
        slices: dict[str, tuple[int, int]] = {}
        shift = 0
        for field, width in self.bits:
            slices[field] = (shift, (1 << width) - 1)
            shift += width
        return np.array([slices[field] for field in FIELDS], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AddressFields:
    """Where requests go; int64 arrays of shape (requests,), ``bank`` within its group."""

    row: IntArray
    channel: IntArray
    rank: IntArray
    bank: IntArray
    bankgroup: IntArray
    column: IntArray


def parse_mapping(
    text: str, *, channels: int, ranks: int, bankgroups: int, banks_per_group: int, rows: int, columns: int
) -> AddressMapping:
    """Read a mapping string for a device of these counts.

    Parameters
    ----------
    text
        Six fields of two letters, most significant first; see `FIELDS`. A field of count 1 takes no bits.
    channels, ranks, bankgroups, banks_per_group, rows, columns
        Powers of two; a column is one burst.

    Raises
    ------
    ConfigError
        A field missing, doubled or unknown, half a field, or a count that is no power of two: all at once.

    Notes
    -----
    Not modelled: fields split into parts, and hashed (XOR) banks.
    """
    counts = {"ro": rows, "ch": channels, "ra": ranks, "ba": banks_per_group, "bg": bankgroups, "co": columns}
    faults = [*_text_faults(text), *_count_faults(counts)]
    if faults:
        raise ConfigError(f"mapping {text!r} {'; '.join(faults)}")
    return AddressMapping(
        text=text, bits=tuple((field, counts[field].bit_length() - 1) for field in reversed(_split(text)))
    )


def decode(mapping: AddressMapping, block: IntArray) -> AddressFields:
    """Return where requests go.

    Parameters
    ----------
    mapping
        Of the device.
    block
        Numbers of bursts within the device: see `blocks_of`.
    """
    row, channel, rank, bank, bankgroup, column = (
        (block >> shift) & mask for shift, mask in mapping.shifts_and_masks.tolist()
    )
    return AddressFields(row=row, channel=channel, rank=rank, bank=bank, bankgroup=bankgroup, column=column)


def blocks_of(mapping: AddressMapping, address: IntArray, request_bytes: int) -> IntArray:
    """Return the numbers of the bursts that start at the addresses.

    Parameters
    ----------
    mapping
        Of the device.
    address
        First byte of each request. [B]
    request_bytes
        What one burst moves. [B]

    Raises
    ------
    ConfigError
        An address that is negative or beyond the device, or inside a burst: the first such request is named.
        `round_to_bursts` is for traces whose addresses lie anywhere.
    """
    capacity_bytes = mapping.blocks * request_bytes
    outside = np.flatnonzero((address < 0) | (address >= capacity_bytes))
    if len(outside):
        request, count = int(outside[0]), len(outside)
        raise ConfigError(
            f"request {request}: address {address[request]:#x} is beyond the device of {capacity_bytes:#x} bytes"
            f" ({capacity_bytes / 2**20:g} MiB){_as_are(count - 1)}. Choose a larger device, or lower the addresses"
        )
    inside = np.flatnonzero(address % request_bytes)
    if len(inside):
        request, count = int(inside[0]), len(inside)
        raise ConfigError(
            f"request {request}: address {address[request]:#x} is not a multiple of {request_bytes}, the bytes of a "
            f"burst{_as_are(count - 1)}. Round the addresses down to their bursts first"
        )
    return address // request_bytes


def round_to_bursts(address: IntArray, request_bytes: int) -> tuple[IntArray, int]:
    """Return the first byte of the burst that serves each address, and how many addresses moved.

    A DRAM moves whole bursts: an access inside one costs that burst. Whoever calls this for a user's
    trace must show the count. [B]
    """
    start = address - address % request_bytes
    return start, int(np.count_nonzero(start != address))


def _as_are(others: int) -> str:
    return f", as are {others} more requests" if others > 1 else ", as is one more request" if others else ""


def _split(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(0, len(text), 2)]


def _text_faults(text: str) -> list[str]:
    fields = _split(text)
    names = ", ".join(f"{field} ({meaning})" for field, meaning in FIELDS.items())
    unknown = [field for field in dict.fromkeys(fields) if field not in FIELDS]
    if len(text) % 2 or unknown:
        hints = "".join(did_you_mean(field, FIELDS) for field in unknown)
        return [f"must be six fields of two letters, {names}; {_quoted(unknown)} is no field.{hints}"]
    doubled = [field for field in FIELDS if fields.count(field) > 1]
    missing = [field for field in FIELDS if field not in fields]
    faults = [f"has {_named(doubled)} more than once: name every field once"] if doubled else []
    return faults + (
        [f"lacks {_named(missing)}: name every field, also of what the device has once"] if missing else []
    )


def _count_faults(counts: Mapping[str, int]) -> list[str]:
    return [
        f"cannot number {count} {FIELDS[field]}s: address bits count in powers of two; choose {_near(count)}"
        for field, count in counts.items()
        if count < 1 or count & (count - 1)
    ]


def _near(count: int) -> str:
    lower = 1 << (max(count, 1).bit_length() - 1)
    return "1" if count < 1 else f"{lower} or {2 * lower}"


def _quoted(fields: list[str]) -> str:
    return ", ".join(map(repr, fields))


def _named(fields: list[str]) -> str:
    return ", ".join(f"{field!r} ({FIELDS[field]})" for field in fields)
