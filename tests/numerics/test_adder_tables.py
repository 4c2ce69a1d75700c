import csv
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from archsim.numerics.accumulator import Antilog, AntilogKind, LogAdderKind, LogSum
from archsim.numerics.antilog import antilog_table
from archsim.numerics.log_adder import adder_tables, table_bits, table_entries

GOLDEN = Path(__file__).parents[1] / "golden" / "numerics" / "lns_tables.csv"
with GOLDEN.open() as file:
    ROWS = list(csv.DictReader(file))
ERROR = "max_rel_err_or_max_abs_log2_err"
FARTHEST_OCTAVES = 16
"""Up to which the published errors are taken: their rms shrinks with it."""


def published(start):
    rows = [row for row in ROWS if row["object"].startswith(start)]
    assert rows
    return [pytest.param(row, id=row["object"] + " " + row["parameters"]) for row in rows]


def numbers(row):
    return {key: int(value) for key, value in (word.split("=") for word in row["parameters"].split())}


def errors(adder, *, minus, first=0):
    """Return largest and rms error in octaves over real differences, the table read at the difference rounded down."""
    table = adder_tables(adder)[int(minus)]
    difference = np.linspace(first, FARTHEST_OCTAVES, 100_001)
    exact = np.log2(1 - 2.0**-difference) if minus else np.log2(1 + 2.0**-difference)
    place = np.minimum(np.floor(difference * 2**adder.fraction_bits).astype(int), len(table) - 1)
    error = table[place] / 2**adder.fraction_bits - exact
    return np.abs(error).max(), np.sqrt((error**2).mean())


@pytest.mark.parametrize("row", published("antilog"))
def test_antilog_tables_have_the_published_errors(row):
    given = numbers(row)
    high = int(row["object"].split("MSB ")[1][0]) if "hybrid" in row["object"] else 0
    kind = AntilogKind.HYBRID if high else AntilogKind.MITCHELL if "Mitchell" in row["object"] else AntilogKind.LUT
    table = antilog_table(Antilog(kind=kind, fraction_bits=given.get("m", 8), high_bits=high), given["f"])
    exact = 2.0 ** (np.arange(len(table)) / len(table))
    error = table / 2 ** given.get("m", 8) / exact - 1
    assert np.abs(error).max() == pytest.approx(float(row[ERROR]), abs=6e-6)
    # a hybrid's rms is published before its products are cut off to m bits
    assert np.sqrt((error**2).mean()) == pytest.approx(float(row["rms"]), abs=1e-3 if high else 6e-6)


@pytest.mark.parametrize("fraction_bits", [0, 1, 3, 5])
def test_a_tables_entry_is_the_nearest_to_the_power(fraction_bits):
    root = 1 << fraction_bits
    for r, entry in enumerate(antilog_table(Antilog(fraction_bits=12), fraction_bits).tolist()):
        # entry - 1/2 <= 2**(r / root + 12) < entry + 1/2, to the power of root
        assert (Fraction(2 * entry - 1, 2)) ** root <= 2 ** (r + 12 * root) < (Fraction(2 * entry + 1, 2)) ** root


def test_a_hybrid_falls_where_its_line_is_steeper_than_the_power():
    table = antilog_table(Antilog(kind=AntilogKind.HYBRID, fraction_bits=8, high_bits=1), 4)
    assert table[:9].tolist() == [256, 272, 288, 304, 320, 336, 352, 368, 362]  # 256 (1 + r / 16), then sqrt(2) 256


def test_more_high_bits_than_the_fraction_has_are_refused():
    with pytest.raises(ValueError, match="4 high bits of a fraction of 3"):
        antilog_table(Antilog(kind=AntilogKind.HYBRID, high_bits=4), 3)


@pytest.mark.parametrize("row", published("Delta+ full table"))
def test_full_tables_have_the_published_entries_and_errors(row):
    adder = LogSum(fraction_bits=numbers(row)["fa"])
    assert table_entries(adder)[0] == int(row["entries"])
    assert int(row["total_bits"]) == table_entries(adder)[0] * (adder.fraction_bits + 1)
    plus, _ = adder_tables(adder)
    difference = np.arange(len(plus)) / 2**adder.fraction_bits
    error = np.abs(plus / 2**adder.fraction_bits - np.log2(1 + 2.0**-difference))
    assert error.max() == pytest.approx(float(row[ERROR]), abs=6e-6)


@pytest.mark.parametrize("row", published("Delta+ table") + published("Delta- table"))
def test_short_tables_have_the_published_errors(row):
    fraction_bits, reach = (int(word.split("=")[1]) for word in row["parameters"].split())
    adder = LogSum(fraction_bits=fraction_bits, entries=int(row["entries"]), reach_octaves=reach)
    minus = row["object"].startswith("Delta-")
    largest, rms = errors(adder, minus=minus, first=int(minus))
    assert largest == pytest.approx(float(row[ERROR]), abs=2e-3)
    assert rms == pytest.approx(float(row["rms"]), rel=0.01)


@pytest.mark.parametrize("sign", ["+", "-"])
@pytest.mark.parametrize(("name", "kind"), [("Mitchell", LogAdderKind.MITCHELL), ("bit shift", LogAdderKind.BIT_SHIFT)])
def test_forms_without_a_table_have_the_published_errors_but_for_their_last_bit(name, kind, sign):
    (row,) = (row for row in ROWS if row["object"].startswith(f"Delta{sign} {name}"))
    minus = sign == "-"
    largest, rms = errors(LogSum(fraction_bits=12, kind=kind), minus=minus, first=int(minus))
    assert largest == pytest.approx(float(row[ERROR]), abs=2**-10)
    assert rms == pytest.approx(float(row["rms"]), rel=0.01)


def test_full_tables_are_the_nearest_to_both_logarithms():
    plus, minus = adder_tables(LogSum(fraction_bits=8))
    difference = np.arange(1, len(plus) - 1) / 256
    assert plus[0] == 256  # 1 + 1 is one octave
    np.testing.assert_array_equal(plus[1:-1], np.floor(np.log2(1 + 2.0**-difference) * 256 + 0.5))
    np.testing.assert_array_equal(minus[1:-1], np.floor(np.log2(1 - 2.0**-difference) * 256 + 0.5))
    assert len(plus) == len(minus) == 10 * 256 + 1


def test_an_entry_stands_for_its_whole_step_and_is_taken_at_the_centre():
    plus, _ = adder_tables(LogSum(fraction_bits=8, entries=8, reach_octaves=10))
    assert plus[:320].tolist() == [math.floor(math.log2(1 + 2**-0.625) * 256 + 0.5)] * 320
    assert plus[2560:].tolist() == [0]


def test_mitchells_logarithms_by_hand():
    plus, minus = adder_tables(LogSum(fraction_bits=4, kind=LogAdderKind.MITCHELL))
    assert plus[16] == 8  # D = 1: z = 1/2
    assert minus[16] == -16  # 1 - z = 1/2
    # D = 1.5: z = (1 - 1/4) / 2 = 3/8; 1 - z = 5/8 = 1.25 / 2: -1 + 0.25
    assert (plus[24], minus[24]) == (6, -12)


def test_the_bits_of_tables_are_those_of_their_entries():
    # entries of fa + 1 = 9 bits; log2(1 - 2^-(1/256)) = -8.53 octaves = -2184 units of 12 bits
    assert table_bits(LogSum(fraction_bits=8, entries=16, reach_octaves=10)) == 16 * 9 + 16 * 12
    assert table_bits(LogSum(fraction_bits=8, kind=LogAdderKind.MITCHELL)) == 0
    assert table_entries(LogSum(fraction_bits=8, kind=LogAdderKind.BIT_SHIFT)) == (0, 0)
    assert table_bits(LogSum(fraction_bits=8)) == 2440 * 9 + 2439 * 12
