import csv
from pathlib import Path

import pytest

from archsim.convert.cluster import ClusterRequest, CodebookScope, cluster_kernels
from archsim.convert.cluster_size import (
    StoredWidths,
    clustered_size,
    compression_table,
    compression_text,
    formula_size,
)
from tests.convert.small_networks import conv, dense, network, residual_network

GOLDEN = Path(__file__).parents[1] / "golden" / "numerics" / "cluster_accuracy.csv"
SCOPES = {"shared": CodebookScope.NETWORK, "per-layer": CodebookScope.LAYER}
ROWS = [row for row in csv.DictReader(GOLDEN.read_text().splitlines()) if row["scheme"] in SCOPES]


def reference_network():
    """CNN 1-32-64-64 of the reference: sizes depend on its shapes alone."""
    return network(
        (1, 28, 28),
        conv("c1", "", (32, 1, 3, 3)), conv("c2", "c1", (64, 32, 3, 3)), conv("c3", "c2", (64, 64, 3, 3)),
        dense("fc", "c3", 10, 1024),
    )  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['scheme']}-{row['k']}")
def test_sizes_are_those_of_the_reference_to_the_bit(row):
    size = formula_size(reference_network(), int(row["k"]), SCOPES[row["scheme"]])
    assert size.conv_bits == int(row["conv_bits"])
    assert round(size.conv_bits_per_weight, 3) == float(row["conv_bits_per_weight"])
    assert size.total_bytes == int(row["total_bytes"])
    assert round(size.ratio, 2) == float(row["ratio_vs_fp32"])
    assert size.parameters == 65_994


def test_a_clustered_network_takes_what_the_formula_says():
    for scope in CodebookScope:
        clustered = cluster_kernels(residual_network(), ClusterRequest(entries=5, scope=scope))
        assert clustered_size(clustered) == formula_size(residual_network(), 5, scope)


def test_a_codebook_counts_with_the_entries_it_has():
    # 32 kernels of 9 in 32 entries of 64 asked for: pointers of 5 bits
    size = clustered_size(cluster_kernels(residual_network(), ClusterRequest(entries=64)))
    assert size.conv_bits == 32 * 5 + 32 * 9 * 8 + 4 * 9 * 8


def test_widths_of_tables_weights_and_biases_count():
    # 8 kernels each in 2 layers, 2 entries: pointers of 1 bit
    narrow = formula_size(residual_network(), 2, CodebookScope.LAYER, StoredWidths(table=4, weight=5, bias=16))
    assert narrow.conv_bits == 32 * 1 + 2 * 2 * 9 * 4 + 36 * 5
    assert (narrow.dense_bits, narrow.bias_bits) == (144 * 5, (4 + 4 + 4) * 16)
    assert narrow.total_bytes == -(-(32 + 144 + 180 + 720 + 192) // 8)


def test_the_claim_of_29_times_needs_pointers_of_8_to_10_bits():
    rows = {(row.entries, row.codebooks): row for row in compression_table()}
    shown = {
        key: (round(row.bits_per_weight, 3), round(row.megabytes, 2), round(row.ratio, 1)) for key, row in rows.items()
    }
    assert shown[1024, 1] == (1.112, 8.34, 28.8)
    assert shown[512, 60] == (1.037, 7.78, 30.9)
    assert shown[512, 1][0] == 1.001
    assert shown[256, 1][0] == 0.889
    assert shown[256, 60][0] == 0.907
    plain = {key: round(100 * row.plain_share_for_target, 1) for key, row in rows.items()}
    assert plain == {(1024, 1): -0.3, (512, 1): 1.3, (512, 60): 0.8, (256, 1): 2.9, (256, 60): 2.6}


def test_the_share_that_may_stay_at_8_bits_makes_the_size_of_the_claim():
    for row in compression_table():
        pointer = {1024: 10, 512: 9, 256: 8}[row.entries] / 9
        bits = row.bits_per_weight + row.plain_share_for_target * (8 - pointer)
        assert 60e6 * bits / 8e6 == pytest.approx(8.2)


def test_the_table_is_printed_a_row_a_line():
    lines = compression_text(compression_table()).splitlines()
    assert len(lines) == 6
    assert lines[1].split() == ["1024", "1", "1.112", "8.34", "28.8", "-0.3", "%"]
