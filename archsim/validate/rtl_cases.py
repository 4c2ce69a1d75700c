"""Runs of RTL designs, each as archsim runs it; made by `rtl_rows.py` and `rtl_raw_rows.py`, run by `rtl.py`."""

from dataclasses import dataclass

from archsim.arch.pe_array import LoadGranularity, OsDrain, PeArray
from archsim.engine.clocked_row_pe import LonePe
from archsim.errors import ConfigError

MOST_MACS = 2**28
"""Of a case: clocked arrays step every PE in every cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What RTL showed.

    Parameters
    ----------
    design
        Name of the module.
    last_output
        Cycle after which the last output is in its register, counted as the design's row says. [cycles]
    first_output
        The same of the first one; None = not measured. [cycles]
    source
        Repository and commit.
    note
        What a reader has to know.
    """

    design: str
    last_output: int
    first_output: int | None = None
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayCase:
    """A matrix product on a systolic array.

    Parameters
    ----------
    measured
        By RTL.
    array
        What stands for it.
    pixels, window, filters
        Of the product, (pixels, window) x (window, filters).
    first_output
        Why the first output is not held to RTL's; empty = it is.
    """

    measured: Measured
    array: PeArray
    pixels: int
    window: int
    filters: int
    first_output: str = ""

    def __post_init__(self) -> None:
        if self.pixels * self.window * self.filters > MOST_MACS or self.array.pes > MOST_MACS:
            raise ConfigError(f"more than {MOST_MACS:,} MACs or PEs; archsim clocks fewer")

    @property
    def name(self) -> str:
        """Size of the array; pixels x window x filters; what else tells rows apart."""
        by_column = " by column" if self.array.load_granularity is LoadGranularity.COLUMN else ""
        shifted = " shifted" if self.array.os_drain is not OsDrain.NONE else ""
        sizes = f"{self.array.rows}x{self.array.columns}: {self.pixels}x{self.window}x{self.filters}"
        return f"{sizes}{by_column}{shifted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeCase:
    """Rows of ifmaps and filters in one row-stationary PE.

    Parameters
    ----------
    measured
        By RTL.
    pe
        What stands for it.
    filters, channels, taps, outputs, stride, images
        p, q, S, F, U, n.
    zero_words
        Zeros of the ifmap. [words]
    macs
        That RTL counted; None = not said.
    """

    measured: Measured
    pe: LonePe
    filters: int
    channels: int
    taps: int
    outputs: int
    stride: int
    images: int
    zero_words: int = 0
    macs: int | None = None

    def __post_init__(self) -> None:
        product = self.filters * self.channels * self.taps * self.outputs * self.images
        if max(product, self.images * self.channels * self.row_words) > MOST_MACS:
            raise ConfigError(f"more than {MOST_MACS:,} MACs or words; archsim clocks fewer")
        if self.zero_words > self.images * self.row_words * self.channels:
            raise ConfigError(
                f"{self.zero_words} zeros among {self.images * self.row_words * self.channels} ifmap words"
            )

    @property
    def row_words(self) -> int:
        """Words of an ifmap row, of one channel. [words]"""
        return (self.outputs - 1) * self.stride + self.taps

    @property
    def name(self) -> str:
        """Its letters, as the design's bench has them."""
        sizes = f"p{self.filters} q{self.channels} S{self.taps} F{self.outputs} U{self.stride}"
        more = f" n{self.images}" if self.images > 1 else ""
        return f"{sizes}{more}{f' {self.zero_words} zeros' if self.zero_words else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that is not run.

    Parameters
    ----------
    design
        Name of the module.
    line
        Of the file.
    reason
        Why.
    """

    design: str
    line: int
    reason: str
