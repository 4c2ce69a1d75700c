"""TRACE.csv: what is read, and what is said of a file that is wrong."""

import random
from pathlib import Path

import numpy as np
import pytest

from archsim.arch.dram_devices import load_device
from archsim.engine.dram_run import DramTrace
from archsim.errors import WorkloadError
from archsim.study import dram_trace
from archsim.study.dram_trace import MAX_ARRIVAL, read_dram_trace

DEVICE = load_device("DDR4_2400")
LAST = DEVICE.capacity_bytes - 1
HEADER = "addr,is_write,arrival\n"


def read(tmp_path: Path, text: str | bytes) -> DramTrace:
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_dram_trace(path, DEVICE)


def rows_of(trace: DramTrace) -> list[tuple[int, bool, int]]:
    return list(zip(trace.address.tolist(), trace.is_write.tolist(), trace.arrival.tolist(), strict=True))


def faults(tmp_path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(WorkloadError) as caught:
        read(tmp_path, text)
    return [line.removeprefix(f"{tmp_path / 't.csv'}:").strip() for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "0,0,0\n128,1,5\n64,0,3\n",
        HEADER + "0,0,0\n128,1,5\n64,0,3\n",
        " Addr , IS_WRITE , arrival \n0,0,0\n128,1,5\n64,0,3",
        "0,0,0\r\n128,1,5\r\n64,0,3\r\n",
        "\ufeff# made by hand\n\n" + HEADER + "\n0x0,R,0\n0X80,W,5   # a write\n  0x40 ,\tread, 0x3\n",
        "0,r,0\n0128,write,05\n64,Read,3\n",
        "0,0,0\n\n\n128,1,5\n\n64,0,3\n\n",
    ],
    ids=["bare", "headed", "spaced header", "windows", "hexadecimal", "words", "blank lines"],
)
def test_one_trace_may_be_written_in_many_ways(tmp_path: Path, text: str) -> None:
    assert rows_of(read(tmp_path, text)) == [(0, False, 0), (128, True, 5), (64, False, 3)]


def test_an_address_within_a_burst_stands_for_the_burst(tmp_path: Path) -> None:
    assert read(tmp_path, f"1,0,0\n63,0,0\n64,0,0\n{LAST},0,0\n").address.tolist() == [0, 0, 64, LAST - 63]


@pytest.mark.parametrize("form", ["{:d},{:d},{:d}", "{:#x},{:d},{:d}"])
def test_blocks_of_a_file_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(dram_trace, "BLOCK_BYTES", 100)
    draw = random.Random(3)
    rows = [(draw.randrange(1 << 20) * 64, bool(draw.randrange(2)), draw.randrange(1000)) for _ in range(500)]
    text = HEADER + "".join(form.format(*row) + "\n" for row in rows)
    assert rows_of(read(tmp_path, text)) == rows


@pytest.mark.parametrize("word", ["plain", "mixed"])
def test_faults_of_later_blocks_name_their_own_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(dram_trace, "BLOCK_BYTES", 50)
    rows = ["0x40,R,0" if word == "mixed" else "64,0,0"] * 60
    rows[41] = "64,2,0"
    assert faults(tmp_path, HEADER + "\n".join(rows)) == ["43: is_write must be 0, 1, R, W, read or write (found '2')"]


ARRIVAL = f"arrival must be a whole number of clocks from 0 to {MAX_ARRIVAL} (found "


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("64,0", "2 cells; a row is addr,is_write,arrival"),
        ("64", "1 cell; a row is addr,is_write,arrival"),
        ("64,0,0,7", "4 cells; a row is addr,is_write,arrival"),
        ("64,0,0,", "4 cells; a row is addr,is_write,arrival"),
        (",0,0", "addr must be a whole number of bytes, decimal or 0x... (found '')"),
        ("-64,0,0", "addr must be a whole number of bytes, decimal or 0x... (found '-64')"),
        ("6.4,0,0", "addr must be a whole number of bytes, decimal or 0x... (found '6.4')"),
        ("1e3,0,0", "addr must be a whole number of bytes, decimal or 0x... (found '1e3')"),
        ("1_0,0,0", "addr must be a whole number of bytes, decimal or 0x... (found '1_0')"),
        ("0xg,0,0", "addr must be a whole number of bytes, decimal or 0x... (found '0xg')"),
        (f"{LAST + 1},0,0", "addr 0x200000000 is beyond DDR4_2400, which ends at 0x1ffffffff"),
        ("0x200000000,0,0", "addr 0x200000000 is beyond DDR4_2400, which ends at 0x1ffffffff"),
        (f"{2**64},0,0", "addr 0x10000000000000000 is beyond DDR4_2400, which ends at 0x1ffffffff"),
        ("64,2,0", "is_write must be 0, 1, R, W, read or write (found '2')"),
        ("64,true,0", "is_write must be 0, 1, R, W, read or write (found 'true')"),
        ("64,0,-1", ARRIVAL + "'-1')"),
        ("64,0,1.5", ARRIVAL + "'1.5')"),
        (f"64,0,{MAX_ARRIVAL + 1}", ARRIVAL + f"'{MAX_ARRIVAL + 1}')"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(tmp_path: Path, row: str, fault: str) -> None:
    assert faults(tmp_path, f"{HEADER}0,0,0\n# so far so good\n{row}\n") == [f"4: {fault}"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    assert faults(tmp_path, "1,0,0\nx,5,-1\n2,0\n") == [
        "2: addr must be a whole number of bytes, decimal or 0x... (found 'x')",
        "2: is_write must be 0, 1, R, W, read or write (found '5')",
        f"2: {ARRIVAL}'-1')",
        "3: 2 cells; a row is addr,is_write,arrival",
    ]


def test_a_fourth_cell_in_every_row_is_not_passed_over(tmp_path: Path) -> None:
    assert faults(tmp_path, "0,0,0,\n64,0,0,\n") == [
        f"{line}: 4 cells; a row is addr,is_write,arrival" for line in (1, 2)
    ]


def test_a_bare_carriage_return_ends_no_line(tmp_path: Path) -> None:
    assert faults(tmp_path, "0,0,0\r64,0,0\r") == ["1: 5 cells; a row is addr,is_write,arrival"]


def test_no_more_than_20_faults_are_told(tmp_path: Path) -> None:
    found = faults(tmp_path, "1,0,0\n" + "1,9,0\n" * 10_000)
    assert len(found) == 21
    assert found[19].startswith("21: is_write must be")
    assert found[20] == "... and more; these are the first 20"


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", HEADER, HEADER + "# nothing\n"])
def test_a_trace_without_requests_is_refused(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text) == ["holds no requests; a row is addr,is_write,arrival, e.g. 0x4000,0,0"]


@pytest.mark.parametrize("header", ["addr,is_write", "address,write,time", "arrival,addr,is_write"])
def test_other_columns_are_refused(tmp_path: Path, header: str) -> None:
    assert faults(tmp_path, f"{header}\n0,0,0\n") == [
        f"1: the columns must be addr,is_write,arrival (found {header!r})"
    ]


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_are_refused(tmp_path: Path, seed: int) -> None:
    assert len(faults(tmp_path, b"\xff" + random.Random(seed).randbytes(5000))) > 1


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"no\.csv: cannot be read: No such file or directory"):
        read_dram_trace(tmp_path / "no.csv", DEVICE)
    with pytest.raises(WorkloadError, match="cannot be read: Is a directory"):
        read_dram_trace(tmp_path, DEVICE)


def test_the_arrays_have_the_types_that_the_kernels_take(tmp_path: Path) -> None:
    trace = read(tmp_path, "0x40,R,0\n")
    assert [array.dtype for array in (trace.address, trace.is_write, trace.arrival)] == [np.int64, np.bool_, np.int64]
