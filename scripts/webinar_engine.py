"""Part D of the webinar: the engine behind a 32-bit bus in five word widths, beside the software that it replaces.

Called by `reproduce_webinar.py`. The chips are arch_configs/hls_mnist_{32,16,10,8,4}.yaml; no image is needed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from tempfile import TemporaryDirectory

from webinar_accuracy import MODEL, blank_conversion

from archsim.arch.architecture import Architecture
from archsim.catalog import load_arch
from archsim.cost.arithmetic import mac_operators
from archsim.cost.price_list import MAC
from archsim.cost.price_source import own_table
from archsim.study.conversion import Accuracy
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.workload.coded_store import read_converted, write_converted

WIDTHS = (32, 16, 10, 8, 4)
TRANSFER = ("dram", "dram_activate", "dram_io")
"""Energy of the words that cross the bus: reads and writes of the memory, its interface."""
STANDBY = ("dram_background", "dram_refresh")
"""Energy of a memory that is only there; all other components are the engine's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """One inference on the RISC-V core, as the webinar prints it.

    Parameters
    ----------
    seconds, watts, joules
        The three printed numbers: 174 ms x 0.66 mW are 115 uJ, not the 128 uJ beside them.
    times
        Faster, and of the energy less, that the webinar says its engine is: "about".
    """

    seconds: float = 174e-3
    watts: float = 0.66e-3
    joules: float = 128e-6
    times: float = 80.0


SOFTWARE = Software()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    """One inference on one engine.

    Parameters
    ----------
    width_bits, format
        Of every weight, ifmap and ofmap; half of it before the point, as in the webinar's choice of 4 and 2.
    values_per_word, multipliers
        Of the bus; of the array.
    multiplier_um2, multiplier_pj, macs_mm2, chip_mm2
        Of one multiplier; area of all with their adders, and of the engine with its buffer.
    bus_bytes, total_cycles, macs
        Per inference.
    clock_mhz
        Assumed.
    layer_cycles
        (layer, cycles) of the layers with multiplications.
    chip_pj, transfer_pj, standby_pj
        Of the engine; of the words on the bus, the memory's side included; of that memory while it waits. [pJ]
    accuracy, retrained
        Of the converted network, as it is and after one epoch; None = not measured.
    """

    width_bits: int
    format: str
    values_per_word: int
    multipliers: int
    multiplier_um2: float
    multiplier_pj: float
    macs_mm2: float
    chip_mm2: float
    bus_bytes: int
    total_cycles: int
    clock_mhz: float
    macs: int
    layer_cycles: tuple[tuple[str, int], ...]
    chip_pj: float
    transfer_pj: float
    standby_pj: float
    accuracy: Accuracy | None = None
    retrained: Accuracy | None = None

    @property
    def milliseconds(self) -> float:
        """Of one inference at the assumed clock. [ms]"""
        return self.total_cycles / self.clock_mhz / 1e3

    @property
    def times_faster(self) -> float:
        """Seconds of the software / ours: proportional to the assumed clock."""
        return SOFTWARE.seconds * 1e3 / self.milliseconds

    @property
    def claimed_clock_mhz(self) -> float:
        """Clock at which these cycles are as much faster as the webinar says. [MHz]"""
        return self.clock_mhz * SOFTWARE.times / self.times_faster

    def times_less(self, pj: float) -> float:
        """Energy of the software as printed / an energy of ours."""
        return SOFTWARE.joules * 1e12 / pj


def run_engine(width_bits: int) -> EngineRow:
    """Convert the network to the engine's own format and simulate one inference."""
    arch = load_arch(f"hls_mnist_{width_bits}")
    fmt = arch.formats.ifmap.name
    run = simulate_converted(arch, fmt)
    multiplier, *_ = mac_operators(arch.formats)
    table, energy, areas = own_table(arch), run.energy_components, dict(run.area)
    transfer, standby = (fsum(energy.get(name, 0.0) for name in names) for names in (TRANSFER, STANDBY))
    return EngineRow(
        width_bits=width_bits,
        format=fmt,
        values_per_word=(arch.dram.packing_bits or width_bits) // width_bits,
        multipliers=arch.pe_array.multipliers,
        multiplier_um2=table.areas.cost(multiplier),
        multiplier_pj=table.energies.cost(multiplier),
        macs_mm2=areas[MAC],
        chip_mm2=run.area_mm2,
        bus_bytes=run.dram_bytes,
        total_cycles=run.total_cycles,
        clock_mhz=arch.clock_mhz,
        macs=run.macs,
        layer_cycles=tuple(
            (layer.layer.strip("/").split("/")[0], layer.total_cycles) for layer in run.layers if layer.macs
        ),
        chip_pj=run.energy_pj - transfer - standby,
        transfer_pj=transfer,
        standby_pj=standby,
    )


def simulate_converted(arch: Architecture, fmt: str) -> RunResult:
    """Run one image through the files that `archsim convert` would write."""
    with TemporaryDirectory(prefix="archsim-") as folder:
        path = Path(folder) / f"{MODEL}.yaml"
        write_converted(blank_conversion(fmt).coded, path)
        return simulate(arch, read_converted(path).workload)


def engine_table(rows: Iterable[EngineRow]) -> str:
    """Return the table in Markdown: the software first, then a line per width."""
    rows = tuple(rows)
    head = ("format", "values per word", "multipliers", "um2 each", "engine mm2", "bus bytes", "cycles", "ms", "times faster",
            "engine uJ", "with bus uJ", "times less", "with DDR4 standby uJ", "converted %", "retrained %")  # fmt: skip
    software = ("software, RISC-V", *["-"] * 6, f"{SOFTWARE.seconds * 1e3:.0f}", "1", f"{SOFTWARE.joules * 1e6:.0f}",
                "-", "1", "-", "-", "-")  # fmt: skip
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)]), _line(software)]
    return "\n".join([*lines, *(_line(_cells(row)) for row in rows)])


def engine_facts(rows: Iterable[EngineRow]) -> str:
    """Return what the table's ratios rest on, a sentence per line."""
    rows = tuple(rows)
    printed, product = SOFTWARE.joules * 1e6, SOFTWARE.seconds * SOFTWARE.watts * 1e6
    lines = [
        f"software: {SOFTWARE.seconds * 1e3:.0f} ms, {SOFTWARE.watts * 1e3} mW, {printed:.0f} uJ printed, "
        f"{product:.0f} uJ by multiplication; claimed: {SOFTWARE.times:.0f} times faster and less energy, "
        f"which is {SOFTWARE.seconds * 1e3 / SOFTWARE.times:.2f} ms and {printed / SOFTWARE.times:.1f} uJ "
        f"({product / SOFTWARE.times:.1f} uJ)",
        f"'times faster' is at the assumed {rows[0].clock_mhz:g} MHz and proportional to it; 'times less' is {printed:.0f} uJ over "
        "engine and bus, without the standby of the memory",
    ]
    macs, rate_mhz = rows[0].macs, rows[0].macs / SOFTWARE.seconds / 1e6
    lines.append(f"{macs:,} MACs in {SOFTWARE.seconds * 1e3:.0f} ms are {rate_mhz:.2f} million per second: "
                 f"at ten cycles each {10 * rate_mhz:.1f} MHz")  # fmt: skip
    lines.extend(_ratios(row) for row in rows)
    wide, narrow = ({row.width_bits: row for row in rows}.get(width) for width in (32, 8))
    if wide and narrow:
        area, energy = wide.multiplier_um2 / narrow.multiplier_um2, wide.multiplier_pj / narrow.multiplier_pj
        lines.append(
            f"a multiplier of 32 b has {area:.1f} times the area and {energy:.1f} times the energy of one of 8 b"
        )
    return "\n".join(lines)


def _ratios(row: EngineRow) -> str:
    alone, paid = row.chip_pj, row.chip_pj + row.transfer_pj
    return (
        f"{row.width_bits} b: {SOFTWARE.times:.0f} times faster at {row.claimed_clock_mhz:.1f} MHz; "
        f"{row.times_less(alone):.0f} times less for the engine alone, {row.times_less(paid):.0f} with the bus, "
        f"{row.times_less(paid + row.standby_pj):.1f} with a waiting DDR4; all MACs {row.macs_mm2:.4f} mm2; "
        f"cycles by layer {', '.join(f'{name} {cycles:,}' for name, cycles in row.layer_cycles)}"
    )


def _cells(row: EngineRow) -> tuple[str, ...]:
    paid = row.chip_pj + row.transfer_pj
    return (
        f"`{row.format}`", str(row.values_per_word), str(row.multipliers), f"{row.multiplier_um2:,.0f}",
        f"{row.chip_mm2:.3f}", f"{row.bus_bytes:,}", f"{row.total_cycles:,}", f"{row.milliseconds:.3f}",
        f"{row.times_faster:,.0f}", f"{row.chip_pj / 1e6:.2f}", f"{paid / 1e6:.2f}", f"{row.times_less(paid):.0f}",
        f"{(paid + row.standby_pj) / 1e6:.0f}", _per_cent(row.accuracy), _per_cent(row.retrained),
    )  # fmt: skip


def _per_cent(accuracy: Accuracy | None) -> str:
    return "-" if accuracy is None else f"{100 * accuracy.share:.2f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
