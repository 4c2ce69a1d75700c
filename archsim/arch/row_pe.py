"""What a row-stationary PE has that others have not: spads, networks of its own, a loop over a row.

Part of `pe_array.py`; `mapping/row_stationary.py` and `kernels/row_stationary.py` read it.
"""

from dataclasses import dataclass

from archsim.arch.lowest import check_lowest


@dataclass(frozen=True, slots=True, kw_only=True)
class Spads:
    """Scratch pads of one PE. [words]

    Parameters
    ----------
    ifmap_words
        The sliding window of a row, one per interleaved channel.
    weight_words
        Filter rows, one per interleaved filter and channel.
    psum_words
        Psums, one per interleaved filter.
    """

    ifmap_words: int
    weight_words: int
    psum_words: int

    def __post_init__(self) -> None:
        check_lowest(self, ("ifmap_words", "weight_words", "psum_words"), place="pe_array.spads.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayNetworks:
    """Networks between buffers and PEs, one per operand; a word that several PEs want is sent once. [b/cycle]

    Parameters
    ----------
    ifmap_bits, weight_bits
        Into the array.
    psum_bits
        Into the array, and as many out of it at the same time.
    """

    ifmap_bits: int
    weight_bits: int
    psum_bits: int

    def __post_init__(self) -> None:
        check_lowest(self, ("ifmap_bits", "weight_bits", "psum_bits"), place="pe_array.networks.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPe:
    """The loop of a row-stationary PE, as far as it moves cycles.

    Parameters
    ----------
    accumulate_cycles
        Cycles that a PE spends per finished psum to add its neighbour's; 0 = an adder of its own does it. [cycles]
    shift_cycles
        Cycles per word that enters an ifmap window as it slides on; 0 = hidden behind the MACs. [cycles]
    line_fill
        The first window of every row fills a word per cycle before the first MAC: all but the column that comes with it;
        False = hidden behind the pass before.
    restart_cycles
        Cycles between two passes in which no PE multiplies. [cycles]
    weights_ahead
        Weights of the next pass load behind the present one, into a second set of weight spads as large as the first.
    pass_overhead
        Share of a pass that start-up, hand-over and drain take beyond its words, 0..1. No closed form or
        register of archsim stands for it: a measured surcharge.

    References
    ----------
    .. [1] moateff/Eyeriss-v1-Processing-Element, pe.v: 1 and 1; lirui-shanghaitech/CNN-Accelerator-VLSI, CONV_ACC: line
       fill, 8 cycles of restart, weights ahead; both as measured in tests/golden/rtl_row_stationary.csv.
    """

    accumulate_cycles: int = 0
    shift_cycles: int = 0
    line_fill: bool = False
    restart_cycles: int = 0
    weights_ahead: bool = False
    pass_overhead: float = 0.0

    def __post_init__(self) -> None:
        names = ("accumulate_cycles", "shift_cycles", "restart_cycles", "pass_overhead")
        check_lowest(self, names, place="pe_array.row_pe.", lowest=0)
