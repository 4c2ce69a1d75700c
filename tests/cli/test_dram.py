"""`archsim dram`: a table or JSON on stdout, files where asked, and what is said of wrong input."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy loop of 400 bursts, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("t.csv")
    rows = [f"{64 * (index // 2) + (index % 2) * (64 << 20)},{index % 2},0" for index in range(400)]
    path.write_text("\n".join(["addr,is_write,arrival", *rows]) + "\n")
    return path


def test_the_table_is_the_result(archsim: Any, trace: Path) -> None:
    answer = archsim("dram", trace, "--device", "DDR4_2400")
    assert (answer.code, answer.err) == (0, "")
    for words in ("t.csv on DDR4_2400", "200 reads, 200 writes", "% of peak", "turnaround", "pJ/bit", "read latency"):
        assert words in answer.out


def test_json_is_the_same_run_in_numbers(archsim: Any, trace: Path) -> None:
    answer = archsim("dram", trace, "--device", "DDR4_2400", "--json")
    found = json.loads(answer.out)
    assert (answer.code, answer.err) == (0, "")
    assert (found["reads"], found["writes"], found["policy"], found["outstanding"]) == (200, 200, "frfcfs", 32)
    assert f"{found['cycles']:,} = " in archsim("dram", trace, "--device", "DDR4_2400").out


def test_every_option_moves_the_result(archsim: Any, trace: Path) -> None:
    def cycles(*options: str) -> int:
        return int(json.loads(archsim("dram", trace, "--device", "DDR4_2400", *options, "--json").out)["cycles"])

    plain = cycles()
    for option, value in (
        ("--outstanding", "1"),
        ("--policy", "bank_rr"),
        ("--mapping", "rochrabacobg"),
        ("--page", "closed"),
    ):
        assert cycles(option, value) != plain, option


def test_the_same_trace_gives_the_same_bytes(archsim: Any, trace: Path) -> None:
    first, second = (archsim("dram", trace, "--device", "HBM2_8ch", "--json") for _ in range(2))
    assert first == second


def test_commands_and_picture_are_written_where_asked(archsim: Any, trace: Path) -> None:
    answer = archsim("dram", trace, "--device", "DDR4_2400", "--commands", "c.csv", "--plot", "p.png", "--json")
    assert (answer.code, answer.err) == (0, "")
    with Path("c.csv").open(newline="") as lines:
        commands = [row["command"] for row in csv.DictReader(lines)]
    found = json.loads(answer.out)
    assert (commands.count("read"), commands.count("activate")) == (found["reads"], found["activates"])
    assert imread("p.png").shape[1] == 1650


def test_a_device_of_ones_own_is_named_by_its_path(archsim: Any, trace: Path) -> None:
    answer = archsim("dram", trace, "--device", "./no.yaml")
    assert answer == (2, "", "no.yaml: cannot be read: No such file or directory\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--device", "DDR4_240"), "no DRAM device is named 'DDR4_240'. Did you mean 'DDR4_2400'? Known: "),
        (("--device", "DDR4_2400", "--mapping", "rochrababg"), "mapping 'rochrababg' lacks 'co' (column)"),
        (("--device", "DDR4_2400", "--plot", "p.jpg"), "p.jpg: a timeline is written as PNG; give a name that ends in .png\n"),
        (("--device", "DDR4_2400", "--plot", "t.csv/p.png"), "t.csv"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told_its_remedy(archsim: Any, trace: Path, options: tuple[str, ...], message: str) -> None:
    answer = archsim("dram", trace, *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "Missing option '--device'"),
        (("--device", "DDR4_2400", "--outstanding", "0"), "Invalid value for '--outstanding'"),
        (("--device", "DDR4_2400", "--policy", "fcfs"), "'fcfs' is not one of 'frfcfs', 'bank_rr'"),
        (("--device", "DDR4_2400", "--page", "half"), "'half' is not one of 'open', 'closed'"),
        (("--device", "DDR4_2400", "--plot", ""), "is empty; name a place"),
    ],
)
def test_the_parser_names_the_option(archsim: Any, trace: Path, options: tuple[str, ...], message: str) -> None:
    answer = archsim("dram", trace, *options)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_every_fault_of_a_trace_is_told_with_its_line(archsim: Any, trace: Path) -> None:
    trace.write_text("addr,is_write,arrival\n0,0,0\n0x200000000,0,0\n64,2,0\n64,0\n")
    assert archsim("dram", trace, "--device", "DDR4_2400") == (
        2,
        "",
        "t.csv:3: addr 0x200000000 is beyond DDR4_2400, which ends at 0x1ffffffff\n"
        "t.csv:4: is_write must be 0, 1, R, W, read or write (found '2')\n"
        "t.csv:5: 2 cells; a row is addr,is_write,arrival\n",
    )


def test_an_empty_trace_is_refused(archsim: Any, trace: Path) -> None:
    trace.write_text("addr,is_write,arrival\n")
    assert archsim("dram", trace, "--device", "DDR4_2400") == (
        2, "", "t.csv: holds no requests; a row is addr,is_write,arrival, e.g. 0x4000,0,0\n")  # fmt: skip


def test_the_devices_are_on_a_shelf(archsim: Any) -> None:
    from archsim.arch.dram_devices import device_names

    answer = archsim("list", "devices")
    assert [line.split()[0] for line in answer.out.splitlines()] == device_names()
    assert "DDR4, 1 x 64 bits, 19.2 GB/s, 8 GiB; DRAMsim3" in answer.out


def test_addresses_inside_a_burst_move_all_of_it_and_it_is_said(archsim: Any, tmp_path: Path) -> None:
    trace = tmp_path / "odd.csv"
    trace.write_text("5,0,0\n64,0,0\n130,1,0\n")
    assert (
        "2 addresses lay inside a burst: its whole 64 B were moved"
        in archsim("dram", trace, "--device", "DDR4_2400").out
    )
    found = json.loads(archsim("dram", trace, "--device", "DDR4_2400", "--json").out)
    assert (found["requests_inside_bursts"], found["moved_bytes"]) == (2, 192)


def test_requests_without_a_command_of_their_own_are_counted(archsim: Any, tmp_path: Path) -> None:
    trace = tmp_path / "writes.csv"
    trace.write_text("0,0,0\n64,1,0\n64,1,0\n")  # DRAMsim3 merges the second write and leaves the first waiting
    answer = archsim("dram", trace, "--device", "DDR4_2400", "--policy", "bank_rr")
    assert "2 requests had none: merged, forwarded, or still waiting at the end" in answer.out
