"""The engines of the Siemens webinar: what a 32-bit bus and nine multipliers per value make of five widths."""

from itertools import pairwise
from pathlib import Path

import pytest

from archsim.catalog import load_arch, load_workload
from archsim.study.simulate import simulate

TOP = Path(__file__).parents[2]
VALUES = {32: 1, 16: 2, 10: 3, 8: 4, 4: 8}
"""Width -> values per word of the bus."""


@pytest.mark.parametrize(("width", "values"), VALUES.items())
def test_an_engine_has_nine_multipliers_per_value_of_a_word(width, values):
    arch = load_arch(f"hls_mnist_{width}")
    assert arch.pe_array.multipliers == 9 * values
    assert arch.dram.packing_bits == 32
    assert arch.dram.bandwidth_bytes_per_cycle == 4
    assert arch.formats.ifmap.width_bits == width


def test_narrower_words_move_fewer_bytes_in_fewer_cycles():
    workload = load_workload(TOP / "workloads" / "mnist_webinar.onnx")
    runs = [simulate(load_arch(f"hls_mnist_{width}"), workload) for width in VALUES]
    for wider, narrower in pairwise(runs):
        assert narrower.total_cycles < wider.total_cycles
        assert narrower.dram_bytes < wider.dram_bytes


def test_a_word_of_three_values_wastes_two_bits():
    # the input of 784 values of 10 bits: 262 words of 4 bytes, once or more
    run = simulate(load_arch("hls_mnist_10"), load_workload(TOP / "workloads" / "mnist_webinar.onnx"))
    rows = [row for row in run.layers[0].run.traffic if (row.level, row.operand) == ("dram", "weight")]
    assert [(row.words, row.bytes) for row in rows] == [(72, 96)]
