"""The published tables of the numerics suite: which of them a .csv is, and its rows. Called by `numerics.py`.

A table is known by its columns. Every row that cannot be read is told with its line, all of a file at once.
"""

import csv
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archsim.config_file import did_you_mean, read_text
from archsim.convert.cluster import CodebookScope
from archsim.errors import ConfigError
from archsim.validate.numerics_cases import (
    AccuracyCase,
    fixed_point_case,
    format_case,
    logarithmic_case,
)
from archsim.validate.numerics_cells import known, whole

MOST_FAULTS = 20
OWN_COLUMNS = ("sample", "reach_octaves")
"""That archsim's copies have beside the published ones: rows that run where no file is named; what a row leaves out."""
SCOPES = {"shared": CodebookScope.NETWORK, "per-layer": CodebookScope.LAYER}
"""Scheme of the table of clusters -> codebooks."""
UNKNOWN_SCHEME = "shared+chscale"
"""A scale per channel on top of a codebook: archsim has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCase:
    """One published size of a clustered network.

    Parameters
    ----------
    scheme
        As the table has it.
    scope, entries
        Who shares a codebook, and how many kernels it holds.
    conv_bits, total_bytes
        Of the convolutions [b]; of all weights and biases [B].
    """

    scheme: str
    scope: CodebookScope
    entries: int
    conv_bits: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTable:
    """The rows of one file.

    Parameters
    ----------
    accuracies, clusters
        Rows that are compared, in the order of the file; one of the two is empty.
    notes
        Rows that are not, and why.
    """

    accuracies: tuple[AccuracyCase, ...] = ()
    clusters: tuple[ClusterCase, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One published table: its columns, and what reads a row; None = a row that is not compared."""

    name: str
    columns: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[[Mapping[str, str], int], AccuracyCase | ClusterCase | None]
    left_out: str = ""


def _mnist_case(row: Mapping[str, str], repeats: int) -> AccuracyCase | None:
    if known(row, "dataset", {"mnist": True, "digits": False}):
        return logarithmic_case(row, repeats)
    return None


def _cluster_case(row: Mapping[str, str], _repeats: int) -> ClusterCase | None:
    known(row, "fc", {"8-bit": 8})  # other widths have other sizes
    if row["scheme"] == UNKNOWN_SCHEME:
        return None
    return ClusterCase(
        scheme=row["scheme"],
        scope=known(row, "scheme", SCOPES),
        entries=whole(row, "k", 2, 1 << 20),
        conv_bits=whole(row, "conv_bits", 1, 10**12),
        total_bytes=whole(row, "total_bytes", 1, 10**12),
    )


KINDS = (
    _Kind(
        name="single types",
        columns=("int_bits_incl_sign", "frac_bits", "quant", "overflow", "accumulator", "images", "accuracy"),
        optional=("experiment",),
        read=fixed_point_case,
    ),
    _Kind(
        name="formats",
        columns=("net", "weight_format", "act_format", "granularity", "calibration", "accuracy_10k"),
        optional=(),
        read=format_case,
    ),
    _Kind(
        name="logarithms",
        columns=("dataset", "width", "frac_bits", "act_unsigned", "accumulation", "antilog", "lut_frac_bits",
                 "acc_bits_or_fa", "table_entries", "images", "accuracy"),
        optional=(),
        read=_mnist_case,
        left_out="rows of digits are not compared: their network is not published",
    ),
    _Kind(
        name="clusters",
        columns=("scheme", "k", "fc", "conv_bits", "total_bytes"),
        optional=("conv_bits_per_weight", "ratio_vs_fp32", "acc_noft", "acc_ft_centroids", "acc_ft_lut8",
                  "kmeans_mse_rel", "kmeans_s", "ft_s"),
        read=_cluster_case,
        left_out=f"rows of {UNKNOWN_SCHEME} are not compared: archsim has no scale per channel of clustered kernels",
    ),
)  # fmt: skip
"""Tables that are read."""


def read_table(path: Path) -> PublishedTable:
    """Read a published table.

    Parameters
    ----------
    path
        A .csv with the columns of one of `KINDS`.

    Raises
    ------
    ConfigError
        The file cannot be read, is none of the tables, or has no row that can be compared; or what is wrong with its
        rows, up to 20 faults, each with its line.
    """
    rows = csv.DictReader(read_text(path, ConfigError).splitlines(), restval="")
    kind = _kind(path, tuple(rows.fieldnames or ()))
    found, faults, left_out = [], [], 0
    seen: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        cells = tuple(text for column, text in row.items() if column != "accuracy")
        try:
            case = kind.read(_without_surplus(row), seen[cells])
        except ValueError as problem:
            faults.append(f"{path}:{rows.line_num}: {str(problem).splitlines()[0]}")
            continue
        seen[cells] += 1
        left_out += case is None
        found += [case] if case is not None else []
    _raise(path, faults)
    if not found:
        raise ConfigError(f"{path}: none of its rows can be compared" + (f": {kind.left_out}" if left_out else ""))
    return PublishedTable(
        accuracies=tuple(each for each in found if isinstance(each, AccuracyCase)),
        clusters=tuple(each for each in found if isinstance(each, ClusterCase)),
        notes=(f"{left_out} {kind.left_out}",) if left_out else (),
    )


def _without_surplus(row: dict[str, str]) -> dict[str, str]:
    """Refuse a row with more cells than the table has columns: csv puts them under None."""
    if any(column is None for column in row):
        raise ValueError("more cells than columns")
    return row


def _kind(path: Path, columns: tuple[str, ...]) -> _Kind:
    """Return the table that the columns are those of."""
    if not columns:
        raise ConfigError(f"{path}: holds no rows")
    kind = max(KINDS, key=lambda kind: len({*kind.columns, *kind.optional} & {*columns}))
    allowed = (*kind.columns, *kind.optional, *OWN_COLUMNS)
    unknown = [f"{name!r}{did_you_mean(name, allowed).rstrip('?')}" for name in columns if name not in allowed]
    missing = [name for name in kind.columns if name not in columns]
    if not {*kind.columns} & {*columns}:
        known_kinds = "; ".join(f"{each.name}: {', '.join(each.columns)}" for each in KINDS)
        raise ConfigError(f"{path}:1: none of the published tables has these columns. Known: {known_kinds}")
    if missing or unknown:
        parts = [f"missing: {', '.join(missing)}"] if missing else []
        parts += [f"unknown: {', '.join(unknown)}"] if unknown else []
        raise ConfigError(f"{path}:1: the table of {kind.name} has other columns; {'; '.join(parts)}")
    return kind


def _raise(path: Path, faults: list[str]) -> None:
    if faults:
        more = [f"{path}: ... and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise ConfigError("\n".join(faults[:MOST_FAULTS] + more))
