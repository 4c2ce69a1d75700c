"""A ConversionReport as one plain mapping: conversion.json, and what ``archsim convert --json`` prints.

Called by `conversion_page.py` and `cli_convert.py`. Names of keys are a promise to users' scripts, as are the columns
of the CSV files, which the tables here repeat row by row. Arrays of weights are left out.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from archsim.report.conversion_rows import (
    FORMAT_COLUMNS,
    LAYER_COLUMNS,
    PASS_COLUMNS,
    OptionalCell,
    baseline_of,
    format_rows,
    known,
    layer_rows,
    pass_rows,
    ratio,
    weight_formats,
)
from archsim.study.conversion import Accuracy, ConversionReport, bytes_of

SCHEMA = "archsim/conversion/v1"
MIXED = "mixed"
"""Format of a network whose layers have several."""


def conversion_mapping(report: ConversionReport) -> dict[str, Any]:
    """Return the report without its arrays: JSON values only.

    Returns
    -------
    dict
        ``accuracy`` and every ratio 0..1 or above, sizes in bits and bytes as the keys say; what is not known
        is None. ``format`` is that of the weights, ``mixed`` where layers differ; ``baseline`` names the row of
        ``formats`` that the others are divided by.
    """
    baseline = baseline_of(report)
    formats = weight_formats(report.layers)
    return {
        "schema": SCHEMA,
        "model": report.model,
        "network": report.network,
        "format": formats[0] if len(formats) == 1 else MIXED if formats else None,
        "arch": report.arch or None,
        **_accuracy_keys("", report.accuracy),
        **_accuracy_keys("float_", report.float_accuracy),
        "weight_bits": report.weight_bits,
        "weight_bytes": bytes_of(report.weight_bits),
        "float_weight_bits": report.float_weight_bits,
        "float_weight_bytes": bytes_of(report.float_weight_bits),
        "weight_bytes_to_float": ratio(report.weight_bits, report.float_weight_bits),
        "baseline": baseline.format if baseline else None,
        "recipe": dict(report.recipe),
        "passes": _mappings(PASS_COLUMNS, pass_rows(report)),
        "layers": _mappings(LAYER_COLUMNS, layer_rows(report)),
        "formats": _mappings(FORMAT_COLUMNS, format_rows(report)),
        "assumptions": list(report.assumptions),
    }


def _accuracy_keys(prefix: str, accuracy: Accuracy | None) -> dict[str, OptionalCell]:
    seen = known(accuracy)
    return {
        f"{prefix}correct": seen.correct if seen else None,
        f"{prefix}images": seen.images if seen else None,
        f"{prefix}accuracy": seen.share if seen else None,
    }


def _mappings(columns: Sequence[str], rows: Iterable[Sequence[OptionalCell]]) -> list[dict[str, OptionalCell]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]
