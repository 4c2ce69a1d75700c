"""The traces of the DRAM validation suite against those that the reference simulators were given."""

import hashlib

import numpy as np
import pytest

from archsim.validate.dram_traces import REQUESTS, TRACES

# Pattern, first four addresses, writes, and the start of the SHA-256 of (address, is_write, arrival) as little-endian
# int64: of the lists that DRAMsim3 and Ramulator 2.1 ran (2026-11-20), made there by a loop in plain Python.
AS_RUN = [
    ("seq_rd", [0, 64, 128, 192], 0, "93caef6da58af6cf"),
    ("seq_wr", [0, 64, 128, 192], 6144, "41147348dbd92e7e"),
    ("stride128_rd", [0, 128, 256, 384], 0, "e1b0aaaac288ecd5"),
    ("stride512_rd", [0, 512, 1024, 1536], 0, "206e392c32a31de2"),
    ("stride2048_rd", [0, 2048, 4096, 6144], 0, "48723d1de147320b"),
    ("stride8192_rd", [0, 8192, 16384, 24576], 0, "eb7788f0ac299da3"),
    ("stride65536_rd", [0, 65536, 131072, 196608], 0, "e528e0eb48007e28"),
    ("stride8192_wr", [0, 8192, 16384, 24576], 6144, "d4d0919bce3f9b9c"),
    ("rand_rd_s1", [9908288, 62593472, 211113856, 11682496], 0, "bdec487ebed7c26a"),
    ("rand_wr_s1", [9908288, 62593472, 211113856, 11682496], 6144, "700b278267827b27"),
    ("rand_mix21_s1", [9908288, 62593472, 211113856, 11682496], 2048, "d1bc2892ee45b4c7"),
    ("two_rd_conflict", [0, 67108864, 64, 67108928], 0, "cac0a9c7d1b92aaa"),
    ("two_rd_apart", [0, 67149824, 64, 67149888], 0, "5381a5d983b99a5d"),
    ("copy", [0, 67149824, 64, 67149888], 3072, "cd95f5510d15a3f1"),
    ("mix21_seq", [0, 64, 67149824, 128], 2048, "0c2bc3517f5ef6fb"),
    ("tile_a", [0, 64, 512, 576], 0, "038209f699228302"),
    ("tile_b", [0, 64, 128, 192], 0, "a207ad42a3ef8b38"),
    ("conv_mix_a", [0, 64, 512, 576], 1536, "dcab04ce67555f01"),
    ("rand_rd_paced16", [97891200, 252153984, 261409728, 167614720], 0, "abfb159a789111e1"),
    ("rand_rd_paced6", [6552384, 6971968, 70729792, 183661504], 0, "50d504de2a5b0545"),
    ("seq_rd_paced8", [0, 64, 128, 192], 0, "17a8a4d84134d99d"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "first", "writes", "digest"), AS_RUN)
def test_a_trace_is_the_one_that_the_reference_simulators_ran(
    pattern: str, first: list[int], writes: int, digest: str
) -> None:
    trace = TRACES[pattern]()
    assert (len(trace), trace.address[:4].tolist(), int(trace.is_write.sum())) == (REQUESTS, first, writes)
    words = np.stack((trace.address, trace.is_write, trace.arrival)).astype("<i8")
    assert hashlib.sha256(words.tobytes()).hexdigest()[:16] == digest


def test_every_pattern_is_held_to_what_was_run() -> None:
    assert list(TRACES) == [pattern for pattern, *_ in AS_RUN]
