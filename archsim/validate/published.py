"""Chips against what was published of them: every row simulated, a tier per chip and quantity.

Called by the suites of chips (`validate/eyeriss.py`...), which bring the rows and the bounds.
"""

from collections.abc import Mapping, Sequence

from archsim.catalog import load_arch, load_workload
from archsim.errors import ConfigError
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.validate.published_rows import PublishedRow
from archsim.validate.quantities import QUANTITIES, MeasuredLayers
from archsim.validate.suite import Bound, Row, SuiteResult, Tier

Bounds = Mapping[str, tuple[Bound, ...]]
"""Quantity -> what its tier is held to; a quantity that is left out is reported."""
RunKey = tuple[str, str, int | None]
ALL_LAYERS = "all layers"


def published_suite(name: str, rows: Sequence[PublishedRow], bounds: Bounds, *, reference: str) -> SuiteResult:
    """Simulate what the rows speak of, each chip, network and batch once.

    Parameters
    ----------
    name
        Of the suite.
    rows
        In the order of the report.
    bounds
        Of every chip's tiers.
    reference
        Where the rows come from.

    Raises
    ------
    ArchsimError
        A network does not run on its chip.

    Notes
    -----
    Networks run whole, as `archsim run` runs them, whichever of their layers are asked for: what a layer finds on the
    chip, and how far its ofmap can be coded, depends on its neighbours.
    """
    runs = {key: _run(key) for key in dict.fromkeys(_key(row) for row in rows if row.workload)}
    tiers: dict[tuple[str, str], list[PublishedRow]] = {}
    for row in rows:
        tiers.setdefault((row.chip, row.quantity), []).append(row)
    is_one_chip = len({row.chip for row in rows}) == 1
    return SuiteResult(
        name=name,
        reference=reference,
        tiers=tuple(
            _tier("" if is_one_chip else f"{chip} ", members, bounds.get(quantity, ()), runs)
            for (chip, quantity), members in tiers.items()
        ),
    )


def _key(row: PublishedRow) -> RunKey:
    return row.chip, row.workload, row.batch


def _run(key: RunKey) -> RunResult:
    chip, workload, batch = key
    return simulate(load_arch(chip), load_workload(workload, batch=batch))


def _tier(
    prefix: str, rows: Sequence[PublishedRow], bounds: tuple[Bound, ...], runs: Mapping[RunKey, RunResult]
) -> Tier:
    quantity = QUANTITIES[rows[0].quantity]
    return Tier(
        name=f"{prefix}{quantity.label}",
        claim=quantity.meaning,
        quantity=quantity.label,
        unit=quantity.unit,
        rows=tuple(_compared(row, runs) for row in rows),
        bounds=bounds,
        lists_rows=True,
    )


def _compared(row: PublishedRow, runs: Mapping[RunKey, RunResult]) -> Row:
    return Row(
        group=_group(row), case=_case(row), published=row.published,
        simulated=_simulated(row, runs), source=row.source, is_recalled=row.from_memory, note=row.note,
        is_gated=row.is_gated, is_total=row.is_total,
    )  # fmt: skip


def _case(row: PublishedRow) -> str:
    if not row.workload:
        return row.chip
    return f"{row.layer} total" if row.is_total and row.layer else row.layer or ALL_LAYERS


def _group(row: PublishedRow) -> str:
    batch = f", batch {row.batch}" if row.batch else ""
    return f"{row.workload} on {row.chip}{batch}" if row.workload else row.chip


def _simulated(row: PublishedRow, runs: Mapping[RunKey, RunResult]) -> float:
    quantity = QUANTITIES[row.quantity]
    if quantity.of_arch is not None:
        return quantity.of_arch(load_arch(row.chip))
    assert quantity.of_layers is not None, "a quantity is taken from the chip or from layers"
    part = MeasuredLayers.of(runs[_key(row)], row.layer)
    if not any(layer.is_costed for layer in part.layers):
        notes = "; ".join(dict.fromkeys(layer.note for layer in part.layers))
        raise ConfigError(
            f"{row.quantity} of {row.layer or ALL_LAYERS} of {row.workload} on {row.chip}: not simulated: {notes}"
        )
    return quantity.of_layers(part)
