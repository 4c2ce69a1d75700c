"""Port time of the levels; most cases are one step of hand-picked numbers."""

from dataclasses import replace

import numpy as np
import pytest

from archsim.arch.memory_level import DramLevel, PortKind, SramLevel
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.edge_words import edge_shape
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS
from archsim.mapping.port_use import BankUse, Edge, port_cycles
from archsim.terms import Operand
from tests.mapping.hand_made import OS, WS, F, P, W, array_of, conv, matmul, nest
from tests.strategies import HELD, architecture

DRAM = DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


# Into the array: 100 ifmap, 20 weight, 12 psum words, 4 of which DRAM gives back; out: 8 psums, 2 of them to DRAM, 5 ofmap.
WORDS = StepWords(
    array=ArrayWords(ifmap_reads=ints(100), weight_reads=ints(20), psum_reads=ints(12), psum_writes=ints(8), ofmap_writes=ints(5)),
    ifmap_fetches=ints(50), weight_fetches=ints(20), psum_fetches=ints(4), psum_write_backs=ints(2), ofmap_write_backs=ints(5),
)  # fmt: skip


def use(*srams: SramLevel, words: StepWords = WORDS) -> LevelUse:
    return LevelUse(arch=architecture(array_of(WS), srams, DRAM), kept=frozenset(), words=words)


def glb(**settings) -> SramLevel:
    return SramLevel(name="glb", capacity_bytes=10**6, holds=HELD, **settings)


def cycles(level: SramLevel, edge: Edge | None = None, words: StepWords = WORDS) -> int:
    return int(port_cycles(use(level, words=words), edge)[0])


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (glb(), 0),  # no limit
        # All of it: 150 + 40 + 10 ofmap + 4 B psums * (8 + 10) = 272 B.
        (glb(width_bytes=1), 272),
        (glb(width_bytes=8), 34),
        (glb(width_bytes=8, banks=2, ports=2), 9),  # 32 B a cycle: 8.5
        # Partitions work side by side; the slowest is the ifmap's: 150 B (psums and ofmap together 82).
        (glb(width_bytes=1, partition_bytes=tuple((operand, 1000) for operand in sorted(HELD))), 150),
    ],
)
def test_ports_move_the_bytes_of_the_busiest_level_or_partition(level, expected) -> None:
    assert cycles(level) == expected


def test_read_and_write_ports_of_their_own_work_side_by_side() -> None:
    # Reads: 100 + 20 + 4 * 10 psums + 5 ofmap = 165 B; writes: 50 + 20 + 4 * 8 + 5 = 107 B; together they are 272
    assert cycles(glb(width_bytes=1, port_kind=PortKind.READ_AND_WRITE)) == 165
    assert cycles(glb(width_bytes=1, ports=2)) == 136


def test_of_two_levels_the_slower_counts() -> None:
    # Accumulator: psums 8 + 10 words, ofmap values in and out as psums 5 + 5: 28 * 4 B = 112. glb: 150 + 40 + 10 = 200 B.
    inputs = frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP})
    outer = SramLevel(name="glb", capacity_bytes=10**6, holds=inputs, width_bytes=1)
    inner = SramLevel(name="accumulator", capacity_bytes=10**6, holds=frozenset({Operand.PSUM}), width_bytes=1)
    assert port_cycles(use(inner, outer)).tolist() == [200]


def only_ifmap(reads: int) -> StepWords:
    none = ints(0)
    return StepWords(
        array=ArrayWords(ifmap_reads=ints(reads), weight_reads=none, psum_reads=none, psum_writes=none, ofmap_writes=none),
        ifmap_fetches=none, weight_fetches=none, psum_fetches=none, psum_write_backs=none, ofmap_write_backs=none,
    )  # fmt: skip


def edge_of(layer, dataflow, **cuts) -> Edge:
    return Edge(shape=edge_shape(layer), dataflow=MATRIX_DATAFLOWS[dataflow], nest=nest(dataflow, (P, W, F), **cuts))


# Four channels of 4 x 4 ifmap bytes past four rows of the array, one pixel a cycle: a plane is 16 bytes.
PLANES = edge_of(conv(4, 4, 4, 1), WS, pixels=(16, 16, 1), window=(4, 4, 1), filters=(4, 4, 1))


def test_planes_that_start_in_one_bank_are_read_one_after_the_other() -> None:
    # Words of 1 byte, 4 banks, planes 16 words apart: each of 16 wavefronts has its 4 words in one bank, 64 cycles.
    assert PLANES.bank_use(Operand.IFMAP, glb(width_bytes=1, banks=4), 8) == BankUse(
        values=64, accesses=64, cycles=64, hottest=16
    )
    assert cycles(glb(width_bytes=1, banks=4), PLANES, only_ifmap(64)) == 64
    assert cycles(glb(width_bytes=1, banks=4), None, only_ifmap(64)) == 16


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        # 3 banks: planes begin in banks 0, 1, 2, 0: two words of each wavefront meet; 16 * 2
        (glb(width_bytes=1, banks=3), 32),
        # 4 ports a bank serve a wavefront in a cycle
        (glb(width_bytes=1, banks=4, ports=4), 16),
        # Runs of 16 bytes put each plane in a bank of its own
        (glb(width_bytes=1, banks=4, interleave_bytes=16), 16),
        # Words of 4 bytes: new words every fourth pixel, 4 planes * 4 words, all four in one bank: 4 * 4
        (glb(width_bytes=4, banks=4), 16),
    ],
)
def test_banks_ports_runs_and_width_change_what_collides(level, expected) -> None:
    assert cycles(level, PLANES, only_ifmap(64)) == expected


def test_a_stride_reads_whole_words_for_a_part_of_each() -> None:
    # One channel of 1 x 16 bytes, every second one used: 8 values in 4 words of 4 bytes, 2 of them per word
    layer = replace(conv(1, 1, 16, 1), ifmap=(16,), kernel=(1,), stride=(2,), dilation=(1,), padding=((0, 0),))
    edge = edge_of(layer, WS, pixels=(8, 8, 1), window=(1, 1, 1), filters=(1, 1, 1))
    assert cycles(glb(width_bytes=4), edge, only_ifmap(8)) == 4
    assert cycles(glb(width_bytes=4), None, only_ifmap(8)) == 2


def test_a_matrix_row_is_read_at_once_from_neighbouring_banks() -> None:
    # 8 window elements of a row = 8 bytes = 4 words of 2 bytes in 4 banks: a cycle per row
    edge = edge_of(matmul(10, 8, 4), WS, pixels=(10, 10, 1), window=(8, 8, 1), filters=(4, 4, 1))
    assert cycles(glb(width_bytes=2, banks=4), edge, only_ifmap(80)) == 10


def test_pixels_of_one_line_side_by_side_meet_neighbouring_words() -> None:
    # Output stationary: 4 pixels of a line of 4 are 4 bytes = one word of each of 4 planes: 4 wavefronts, 4 accesses.
    # The planes are 4 words apart: all in one bank, another one for each of the 4 lines.
    edge = edge_of(conv(4, 4, 4, 1), OS, pixels=(16, 4, 4), window=(4, 4, 1), filters=(4, 4, 1))
    assert edge.bank_use(Operand.IFMAP, glb(width_bytes=4, banks=4), 8) == BankUse(
        values=64, accesses=16, cycles=16, hottest=16
    )


def test_the_hottest_bank_also_serves_its_share_of_the_rest() -> None:
    # One plane alone, every fourth byte: all 8 words lie in bank 0 of 4. Beside them 32 weight bytes, 8 in each bank.
    layer = replace(conv(1, 1, 32, 1), ifmap=(32,), kernel=(1,), stride=(4,), dilation=(1,), padding=((0, 0),))
    edge = edge_of(layer, WS, pixels=(8, 8, 1), window=(1, 1, 1), filters=(1, 1, 1))
    words = replace(only_ifmap(8), array=replace(only_ifmap(8).array, weight_reads=ints(32)))
    assert cycles(glb(width_bytes=1, banks=4), edge, words) == 16
    assert cycles(glb(width_bytes=1, banks=4), None, words) == 10


def test_finished_values_of_many_filters_are_written_to_their_planes() -> None:
    # Each of 16 pixels gives a value to 4 planes of 16 bytes, all in bank 0 of 4 (words of 1 byte): 4 cycles a pixel
    nothing = only_ifmap(0)
    words = replace(nothing, array=replace(nothing.array, ofmap_writes=ints(64)))
    assert cycles(glb(width_bytes=1, banks=4), PLANES, words) == 64


def test_steps_of_other_lengths_are_taken_to_go_on_alike() -> None:
    level = glb(width_bytes=1, banks=4)
    assert [cycles(level, PLANES, only_ifmap(reads)) for reads in (0, 16, 32, 640)] == [0, 16, 32, 640]
