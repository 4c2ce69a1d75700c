"""The study as tables: a row per point, a row per layer, operand and level; written by `scripts/dataflow_study.py`."""

from collections.abc import Iterable

from archsim.study.reuse.split import ReuseLevel
from archsim.study.reuse.study import ReusePoint
from archsim.study.run_tables import Cell
from archsim.terms import Operand

OPERANDS = (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)

POINT_COLUMNS = (
    "dataflow", "pes", "batch", "spad_words", "glb_words", "total_energy_per_mac",
    *(f"{level}_energy_per_mac" for level in ReuseLevel), *(f"{operand}_energy_per_mac" for operand in OPERANDS),
    "dram_reads_per_mac", "dram_writes_per_mac", "delay_per_mac", "energy_delay_product", "why_none",
)  # fmt: skip
"""Energies in MACs, accesses in words; the operands' energies are those of all levels but the ALU."""

ACCESS_COLUMNS = (
    "dataflow", "pes", "batch", "layer", "mapping", "active_pes", "used_glb_words", "operand", "level", "words", "energy_macs",
)  # fmt: skip


def point_row(point: ReusePoint) -> tuple[Cell, ...]:
    """Return a row in the order of `POINT_COLUMNS`; a point without a mapping has no numbers but its storage."""
    storage = point.storage
    head = (point.dataflow.value, storage.pes, point.batch, storage.spad_words, storage.glb_words)
    if not point.is_feasible:
        return (*head, *[""] * (len(POINT_COLUMNS) - len(head) - 1), point.why_none)
    return (
        *head,
        point.total_energy_per_mac,
        *(point.energy_per_mac(level) for level in ReuseLevel),
        *(point.operand_energy_per_mac(operand) for operand in OPERANDS),
        point.dram_reads_per_mac,
        point.dram_writes_per_mac,
        point.delay_per_mac,
        point.energy_delay_product,
        "",
    )


def access_rows(points: Iterable[ReusePoint]) -> list[tuple[Cell, ...]]:
    """Return rows in the order of `ACCESS_COLUMNS`: what each layer accesses in the mapping found."""
    return [
        (point.dataflow.value, point.storage.pes, point.batch, layer.layer.name, layer.mapping_text, layer.active_pes,
         layer.glb_words, operand.value, level.value, words, words * point.costs.of(level))
        for point in points
        for layer in point.layers
        for (operand, level), words in layer.accesses.items()
    ]  # fmt: skip
