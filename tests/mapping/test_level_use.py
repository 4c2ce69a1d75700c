"""Words of the levels; the case is one step of hand-picked numbers."""

import numpy as np

from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.terms import Direction, Operand
from tests.mapping.hand_made import WS, array_of
from tests.strategies import HELD, architecture

DRAM = DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0)
NOTHING = frozenset()


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


# Into the array: 100 ifmap, 20 weight, 12 psum words, 4 of which DRAM gives back; out: 8 psums, 2 of them to DRAM, 5 ofmap.
WORDS = StepWords(
    array=ArrayWords(ifmap_reads=ints(100), weight_reads=ints(20), psum_reads=ints(12), psum_writes=ints(8), ofmap_writes=ints(5)),
    ifmap_fetches=ints(50), weight_fetches=ints(20), psum_fetches=ints(4), psum_write_backs=ints(2), ofmap_write_backs=ints(5),
)  # fmt: skip


def use(*srams: SramLevel, kept: frozenset[Operand] = NOTHING) -> LevelUse:
    return LevelUse(arch=architecture(array_of(WS), srams, DRAM), kept=kept, words=WORDS)


def glb(**settings) -> SramLevel:
    return SramLevel(name="glb", capacity_bytes=10**6, holds=HELD, **settings)


def rows(made: LevelUse) -> dict[tuple[str, str, str], int]:
    return {(t.level, t.operand.value, t.direction.value): t.words for t in made.traffic({})}


def test_everything_passes_through_the_buffer_but_psums_that_come_back_from_dram() -> None:
    assert rows(use(glb())) == {
        ("glb", "ifmap", "read"): 100, ("glb", "ifmap", "write"): 50,
        ("glb", "weight", "read"): 20, ("glb", "weight", "write"): 20,
        ("glb", "psum", "write"): 8, ("glb", "psum", "read"): 12 - 4 + 2,
        ("glb", "ofmap", "write"): 5, ("glb", "ofmap", "read"): 5,
        ("dram", "ifmap", "read"): 50, ("dram", "weight", "read"): 20, ("dram", "psum", "read"): 4,
        ("dram", "psum", "write"): 2, ("dram", "ofmap", "write"): 5,
    }  # fmt: skip


def test_bytes_count_in_each_operands_format() -> None:
    sizes = {(t.level, t.operand.value, t.direction.value): t.bytes for t in use(glb()).traffic({})}
    assert sizes["dram", "psum", "read"] == 16
    assert sizes["dram", "ofmap", "write"] == 5


def test_ofmap_values_cross_an_accumulator_as_psums() -> None:
    # Accumulator: 12 - 4 + 2 + 5 read, 8 + 5 written.
    inputs = frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP})
    outer = SramLevel(name="glb", capacity_bytes=10**6, holds=inputs, width_bytes=1)
    inner = SramLevel(name="accumulator", capacity_bytes=10**6, holds=frozenset({Operand.PSUM}), width_bytes=1)
    made = use(inner, outer)
    assert rows(made)["accumulator", "psum", "read"] == 12 - 4 + 2 + 5
    assert rows(made)["accumulator", "psum", "write"] == 8 + 5


def test_kept_operands_cross_no_channel_and_are_not_written_to_the_buffer_again() -> None:
    made = use(glb(), kept=frozenset({Operand.IFMAP, Operand.OFMAP}))
    assert set(made.fetch_bytes()) == {Operand.WEIGHT, Operand.PSUM}
    psums, ofmap = made.write_back_bytes()
    assert (psums.tolist(), ofmap.tolist()) == ([8], [0])
    found = rows(made)
    assert not {
        ("dram", "ifmap", "read"),
        ("dram", "ofmap", "write"),
        ("glb", "ifmap", "write"),
        ("glb", "ofmap", "read"),
    } & set(found)
    assert (found["glb", "ifmap", "read"], found["glb", "ofmap", "write"]) == (100, 5)


def test_an_operand_without_a_level_goes_straight_to_dram() -> None:
    made = use(SramLevel(name="glb", capacity_bytes=10**6, holds=HELD - {Operand.WEIGHT}))
    assert ("glb", "weight", "read") not in rows(made)
    assert rows(made)["dram", "weight", "read"] == 20


def test_register_words_are_rows_of_their_own() -> None:
    traffic = use(glb()).traffic({Operand.WEIGHT: (7, 3)})
    spad = {(t.operand, t.direction): t.words for t in traffic if t.level == "spad"}
    assert spad == {(Operand.WEIGHT, Direction.READ): 7, (Operand.WEIGHT, Direction.WRITE): 3}
