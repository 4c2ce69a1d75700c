"""Rows of CONV_ACC, a row-stationary array of RTL: whole layers planned, and single passes clocked; called by `rtl.py`.

A pass of the design is one filter over a tile of ofmap rows x columns, input channels one after the other: per channel
its line buffers fill, then a column leaves per cycle; it restarts for 8 cycles and drains behind the next pass.

archsim's passes take whole ofmap rows, so the tiles along a row are given to it as images of that width. Its PEs
interleave the channels of a pass where the design's take turns, its psums in a buffer: the cycles are the same.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import FixedMapping, MappingChoice, RowMapping
from archsim.arch.row_pe import ArrayNetworks, RowPe, Spads
from archsim.engine.clocked_rows import run_clocked_rows
from archsim.engine.simulate import run_layer
from archsim.errors import ConfigError
from archsim.numerics.window import Window
from archsim.terms import Dataflow
from archsim.validate.rtl_bench import bench_of
from archsim.validate.rtl_cases import Measured
from archsim.validate.suite import EQUAL, Bound, Row, Statistic, Tier
from archsim.workload.layer import ConvLayer

_EXAMPLES = {
    "params": "4x5 PEs;tile width 16;kernel 4x4",
    "workload": "ifm 64x64x8;ofm 61x61x8;13 row blocks x 4 column tiles",
}
DESIGN = "CONV_ACC"
TAPS = 4
"""Multipliers of a PE, on one channel's window."""
RESTART_CYCLES = 8
START_CYCLES = 22
"""Of a layer, before its first pass and in its pipeline. Not modelled."""
PORTS = 2
"""Ofmap words that leave per cycle, each of a row of its own."""
MOST_PASSES = 200_000
MOST_WORDS = 2**24
_TEXTS = {
    "params": {"array": r"(\d{1,4})x(\d{1,4}) PEs", "tile": r"tile width (\d{1,4})", "kernel": r"kernel (\d{1,4})x(\d{1,4})"},
    "workload": {"ifm": r"ifm (\d{1,5})x(\d{1,5})x(\d{1,5})", "ofm": r"ofm (\d{1,5})x(\d{1,5})x(\d{1,5})"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvCase:
    """A layer on the design.

    Parameters
    ----------
    measured
        By RTL.
    array
        Filter rows x ofmap rows of PEs.
    tile_columns
        Of a pass.
    kernel, ifmap, ofmap
        Rows and columns; of the last two channels, too.
    """

    measured: Measured
    array: tuple[int, int]
    tile_columns: int
    kernel: tuple[int, int]
    ifmap: tuple[int, int, int]
    ofmap: tuple[int, int, int]

    def __post_init__(self) -> None:
        wanted = tuple(side - taps + 1 for side, taps in zip(self.ifmap, self.kernel, strict=False))
        faults = []
        if self.ofmap[:2] != wanted:
            faults.append(
                f"ofm of {self.ofmap[0]}x{self.ofmap[1]} does not follow from ifm and kernel: {wanted[0]}x{wanted[1]}"
            )
        if self.kernel[0] > self.array[0] or self.kernel[1] > TAPS:
            faults.append(
                f"kernel of {self.kernel[0]}x{self.kernel[1]} is larger than {self.array[0]} rows of {TAPS}-tap PEs"
            )
        if min(*self.array, self.tile_columns, *self.kernel, *self.ifmap, *self.ofmap) < 1:
            faults.append("all sizes must be at least 1")
        elif self.passes > MOST_PASSES or self.ifmap[2] * self.ifmap[0] * self.tile_columns > MOST_WORDS:
            faults.append(f"more than {MOST_PASSES:,} passes, or {MOST_WORDS:,} words of ifmap; archsim runs fewer")
        if faults:
            raise ConfigError("\n".join(faults))

    @property
    def passes(self) -> int:
        """Of the layer: row blocks x column tiles x filters."""
        return -(-self.ofmap[0] // self.array[1]) * self.tiles * self.ofmap[2]

    @property
    def tiles(self) -> int:
        """Tiles along an ofmap row; the last one is padded."""
        return -(-self.ofmap[1] // self.tile_columns)

    @property
    def name(self) -> str:
        """Sizes of ifmap and ofmap."""
        return f"{'x'.join(map(str, self.ifmap))} to {'x'.join(map(str, self.ofmap))}"

    @property
    def pe_array(self) -> PeArray:
        """What stands for the design. Its width of weights is not known: a filter of one channel per cycle."""
        rows, columns = self.array
        channels, taps = self.ifmap[2], self.kernel[1]
        return PeArray(
            rows=rows, columns=columns, dataflow=Dataflow.ROW_STATIONARY, multipliers_per_pe=taps,
            row_pe=RowPe(line_fill=True, restart_cycles=RESTART_CYCLES, weights_ahead=True),
            spads=Spads(ifmap_words=taps * channels, weight_words=taps * channels, psum_words=1),
            networks=ArrayNetworks(ifmap_bits=8 * (rows + columns - 1), weight_bits=8 * self.kernel[0] * taps, psum_bits=32 * PORTS),
        )  # fmt: skip

    @property
    def mapping(self) -> RowMapping:
        """One filter and one tile per pass, all channels."""
        return RowMapping(m=1, n=1, e=min(self.array[1], self.ofmap[0]), p=1, q=self.ifmap[2], r=1, t=1)

    @property
    def drain_cycles(self) -> int:
        """Of a pass: rounds of rows, a cycle between them; behind the next pass. [cycles]"""
        rounds = -(-self.array[1] // PORTS)
        return rounds * self.tile_columns + rounds - 1

    @property
    def exposed_cycles(self) -> int:
        """Of a layer beyond its passes: the start, and the last drain but the cycle that ends its pass. [cycles]"""
        return START_CYCLES + self.drain_cycles - 1

    def layer(self) -> ConvLayer:
        """Return the layer, its column tiles as images."""
        return ConvLayer(
            name=self.name, in_channels=self.ifmap[2], out_channels=self.ofmap[2], batch=self.tiles,
            ifmap=(self.ifmap[0], self.tile_columns + self.kernel[1] - 1), kernel=self.kernel, stride=(1, 1),
            padding=((0, 0), (0, 0)), dilation=(1, 1),
        )  # fmt: skip

    def planned_cycles(self) -> int:
        """Run the layer with ideal memories. [cycles]"""
        fixed = FixedMapping(workload="*", layer="*", mapping=self.mapping, source=DESIGN)
        return run_layer(
            self.layer(), replace(bench_of(self.pe_array), mapping=MappingChoice(fixed=(fixed,)))
        ).total_cycles

    def clocked_pass_cycles(self) -> int:
        """Clock two passes; return the cycles from one to the next. [cycles]"""
        rng = np.random.default_rng(0)
        rows, columns = self.mapping.e + self.kernel[0] - 1, self.tile_columns + self.kernel[1] - 1
        ifmap = rng.integers(-127, 128, (1, self.ifmap[2], rows, columns))
        weight = rng.integers(-127, 128, (2, self.ifmap[2], *self.kernel))
        window = Window(stride=(1, 1), padding=((0, 0), (0, 0)))
        run = run_clocked_rows(ifmap, weight, window, self.mapping, pe_array=self.pe_array, weight_bits=8)
        return int(np.diff(run.pass_starts)[0])

    def measured_pass_cycles(self) -> int | None:
        """Return what RTL took from pass to pass; None where the row does not tell. [cycles]

        From the first output to the last there are all passes but one, and the drain of the last: too short to reach
        the quotient where there are more passes than cycles in it.
        """
        first = self.measured.first_output
        if first is None or self.passes - 1 <= self.drain_cycles:
            return None
        return (self.measured.last_output - first) // (self.passes - 1)


def read_conv(row: Mapping[str, str], measured: Measured) -> ConvCase:
    """Read what ran out of a row's ``params`` and ``workload``.

    Raises
    ------
    ConfigError
        They do not say it, or it contradicts itself.
    """
    found, faults = {}, []
    for column, patterns in _TEXTS.items():
        for name, pattern in patterns.items():
            match = re.search(rf"(?:^|;)\s*{pattern}\s*(?:;|$)", row[column])
            if match is None:
                faults.append(f"{column} must give the {name} (found {row[column]!r}), as in {_EXAMPLES[column]!r}")
            else:
                found[name] = tuple(map(int, match.groups()))
    if faults:
        raise ConfigError("\n".join(faults))
    array, kernel, ifmap, ofmap = (found[name] for name in ("array", "kernel", "ifm", "ofm"))
    return ConvCase(
        measured=measured, array=(array[0], array[1]), tile_columns=found["tile"][0], kernel=(kernel[0], kernel[1]),
        ifmap=(ifmap[0], ifmap[1], ifmap[2]), ofmap=(ofmap[0], ofmap[1], ofmap[2]),
    )  # fmt: skip


def conv_tiers(cases: Sequence[ConvCase]) -> Iterable[Tier]:
    """Compare passes and whole layers."""
    passes = [(case, case.measured_pass_cycles()) for case in cases]
    exposed = max((case.exposed_cycles for case in cases), default=0)
    yield Tier(
        name="RS array, clocked pass",
        claim="from pass to pass, every register at every edge; published: last output less first, over the passes between, "
        "rounded down for the last drain",
        quantity="pass", unit="cycles", bounds=EQUAL, lists_rows=True,
        rows=tuple(_row(case, cycles, case.clocked_pass_cycles()) for case, cycles in passes if cycles is not None),
    )  # fmt: skip
    yield Tier(
        name="RS array, layer planned", claim="a whole layer, memories ideal, against the last output", quantity="last output",
        unit="cycles", lists_rows=True, bounds=(Bound(statistic=Statistic.MAX, limit=exposed, is_distance=True),),
        rows=tuple(_row(case, case.measured.last_output, case.planned_cycles()) for case in cases),
        notes=(f"not modelled: up to {exposed} cycles per layer, {START_CYCLES} of start and pipeline and the last drain; "
               "archsim has its own start, the first pass's weights, and its own pipeline",),
    )  # fmt: skip


def _row(case: ConvCase, published: int, simulated: int) -> Row:
    measured = case.measured
    return Row(group=measured.design, case=case.name, published=published, simulated=simulated, source=measured.source,
               note=measured.note)  # fmt: skip
