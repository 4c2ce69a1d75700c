"""Stored sizes of clustered networks against published ones. Called by `numerics.py`."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from archsim.catalog import find_model
from archsim.convert.cluster_size import CompressionRow, compression_table, formula_size
from archsim.convert.float_reader import read_float_network
from archsim.convert.fold_batchnorm import fold_batchnorm
from archsim.validate.numerics_tables import ClusterCase
from archsim.validate.suite import EQUAL, Bound, Row, Statistic, Tier

CLAIM = Path(__file__).parent / "golden" / "compression_claim.csv"
NETWORK = "mnist_big_bn"
CLAIM_WEIGHTS = 60_000_000
"""240 MB of floats. [words]"""
CLAIM_COLUMNS: tuple[tuple[str, str, float, Callable[[CompressionRow], float]], ...] = (
    ("bits_per_weight", "b", 0.0005, lambda row: row.bits_per_weight),
    ("ratio", "times smaller", 0.05, lambda row: row.ratio),
)
"""Column, unit, half of its last digit, and what archsim says."""


def cluster_tiers(cases: Sequence[ClusterCase], notes: tuple[str, ...] = ()) -> list[Tier]:
    """Compute each size from the network's shapes."""
    network = fold_batchnorm(read_float_network(find_model(NETWORK)))
    sizes = [(case, formula_size(network, case.entries, case.scope)) for case in cases]
    claim = f"{NETWORK}, kernels clustered: pointers, codebooks of 8 bits, other weights of 8, biases of 32"
    conv = [_row(case, case.conv_bits, size.conv_bits) for case, size in sizes]
    total = [_row(case, case.total_bytes, size.total_bytes) for case, size in sizes]
    return [
        Tier(name="5 bits of convolutions", claim=claim, quantity="size", unit="b", rows=tuple(conv), bounds=EQUAL, notes=notes),
        Tier(name="5 bytes of networks", claim=claim, quantity="size", unit="B", rows=tuple(total), bounds=EQUAL, notes=notes),
    ]  # fmt: skip


def claim_tiers(path: Path = CLAIM) -> list[Tier]:
    """Return the arithmetic of 240 MB in 8.2 MB: 60 M weights in 3x3 kernels, to the last digit published."""
    published = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    cases = [(int(row["entries"]), int(row["codebooks"])) for row in published]
    ours = compression_table(CLAIM_WEIGHTS, cases)
    return [
        Tier(
            name=f"5 claim of 29x, {column.replace('_', ' ')}",
            claim=f"{CLAIM_WEIGHTS:,} weights in 3x3 kernels, clustered: within half of the last digit published",
            quantity=column,
            unit=unit,
            rows=tuple(
                Row(group="clusters", case=f"{entries} kernels, {books} codebooks", published=float(row[column]), simulated=value(mine))
                for row, mine, (entries, books) in zip(published, ours, cases, strict=True)
                if row[column]
            ),
            bounds=(Bound(statistic=Statistic.MAX, limit=half_digit, is_distance=True),),
        )
        for column, unit, half_digit, value in CLAIM_COLUMNS
    ]  # fmt: skip


def _row(case: ClusterCase, published: int, simulated: int) -> Row:
    return Row(group=case.scheme, case=f"{case.entries} kernels", published=published, simulated=simulated)
