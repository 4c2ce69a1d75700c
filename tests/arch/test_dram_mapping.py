"""Address mapping of a DRAM: what a string becomes, and what is said of one that is wrong."""

import numpy as np
import pytest

from archsim.arch.dram_mapping import FIELDS, AddressMapping, blocks_of, decode, parse_mapping, round_to_bursts
from archsim.errors import ConfigError

COUNTS = {"channels": 2, "ranks": 2, "bankgroups": 4, "banks_per_group": 4, "rows": 16, "columns": 8}
BITS = {"ro": 4, "ch": 1, "ra": 1, "ba": 2, "bg": 2, "co": 3}


def fault(text: str, **counts: int) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_mapping(text, **{**COUNTS, **counts})
    return str(caught.value)


def slowly(text: str, block: int) -> dict[str, int]:
    """Take the fields off the least significant end one by one, by division."""
    found = {}
    for at in range(len(text) - 2, -1, -2):
        block, found[text[at : at + 2]] = divmod(block, 2 ** BITS[text[at : at + 2]])
    return found


@pytest.mark.parametrize("text", ["rochrababgco", "rochrabacobg", "rorababgcoch", "cobgbarachro", "chrobgracoba"])
def test_every_block_of_the_device_decodes_as_by_division(text: str) -> None:
    mapping = parse_mapping(text, **COUNTS)
    assert mapping.blocks == 16 * 2 * 2 * 4 * 4 * 8
    fields = decode(mapping, np.arange(mapping.blocks))
    for block in (0, 1, 7, 8, 31, 255, 256, 4097, 8191):
        expected = slowly(text, block)
        found = (fields.row, fields.channel, fields.rank, fields.bank, fields.bankgroup, fields.column)
        assert [int(field[block]) for field in found] == [expected[field] for field in FIELDS]


def test_no_two_blocks_share_a_place() -> None:
    mapping = parse_mapping("rochrababgco", **COUNTS)
    fields = decode(mapping, np.arange(mapping.blocks))
    places = np.stack((fields.row, fields.channel, fields.rank, fields.bank, fields.bankgroup, fields.column))
    assert len(np.unique(places, axis=1).T) == mapping.blocks


def test_shifts_and_masks_stand_in_the_order_of_the_fields() -> None:
    # rochrababgco: co 3 bits at 0, bg 2 at 3, ba 2 at 5, ra 1 at 7, ch 1 at 8, ro 4 at 9
    expected = [[9, 15], [8, 1], [7, 1], [5, 3], [3, 3], [0, 7]]
    assert parse_mapping("rochrababgco", **COUNTS).shifts_and_masks.tolist() == expected


def test_a_field_of_count_one_takes_no_bits() -> None:
    mapping = parse_mapping("rochrababgco", **{**COUNTS, "channels": 1, "ranks": 1})
    assert mapping.bits == (("co", 3), ("bg", 2), ("ba", 2), ("ra", 0), ("ch", 0), ("ro", 4))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("rochrabaco", "lacks 'bg' (bank group): name every field, also of what the device has once"),
        ("rorochrababgco", "has 'ro' (row) more than once: name every field once"),
        ("rochrababaco", "has 'ba' (bank) more than once: name every field once; lacks 'bg' (bank group)"),
        ("rochrababgcl", "'cl' is no field"),
        ("rochrababgc", "'c' is no field. Did you mean 'co'?"),
        ("", "lacks 'ro' (row), 'ch' (channel)"),
    ],
)
def test_a_string_that_does_not_name_every_field_once_is_refused(text: str, rule: str) -> None:
    message = fault(text)
    assert message.startswith(f"mapping {text!r} ")
    assert rule in message


def test_counts_that_are_no_powers_of_two_are_named_with_the_nearest_that_are() -> None:
    message = fault("rochrababgco", rows=12, bankgroups=3)
    assert "cannot number 12 rows: address bits count in powers of two; choose 8 or 16" in message
    assert "cannot number 3 bank groups: address bits count in powers of two; choose 2 or 4" in message


def small() -> AddressMapping:
    # 16 rows x 8 columns x 64 B = 8192 B
    return parse_mapping("rochrababgco", **{**dict.fromkeys(COUNTS, 1), "rows": 16, "columns": 8})


def test_addresses_become_blocks() -> None:
    assert blocks_of(small(), np.array([0, 64, 8128]), 64).tolist() == [0, 1, 127]


@pytest.mark.parametrize("address", [8192, -64, 2**40])
def test_an_address_beyond_the_device_is_refused_with_its_request_and_the_capacity(address: int) -> None:
    with pytest.raises(ConfigError) as caught:
        blocks_of(small(), np.array([0, address, address]), 64)
    rule = (
        f"request 1: address {address:#x} is beyond the device of 0x2000 bytes (0.0078125 MiB), as is one more request"
    )
    assert str(caught.value).startswith(rule)


def test_an_address_inside_a_burst_is_refused_rather_than_rounded_in_silence() -> None:
    with pytest.raises(ConfigError, match="request 2: address 0x44 is not a multiple of 64, the bytes of a burst"):
        blocks_of(small(), np.array([0, 64, 68]), 64)


def test_rounding_to_bursts_tells_how_many_addresses_moved() -> None:
    start, moved = round_to_bursts(np.array([0, 63, 64, 100]), 64)
    assert (start.tolist(), moved) == ([0, 0, 64, 64], 2)
