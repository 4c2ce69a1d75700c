"""Keys that only arrays of planar tiles have: what makes each matter, and what changes it; for `test_every_key.py`."""

PLANAR = (
    "pe_array={rows: 4, columns: 4, dataflow: planar_tiles, multipliers_per_pe: 16, zero_skip: skip, planar: {}}",
)
CONFLICTS = (*PLANAR, "pe_array.planar.bank_queue=1")
PLANAR_CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "pe_array.planar": (PLANAR, "pe_array.planar={drain_cycles: 15}"),
    "pe_array.planar.ifmap_vector": (PLANAR, "pe_array.planar={ifmap_vector: 2, weight_vector: 8}"),
    "pe_array.planar.weight_vector": (PLANAR, "pe_array.planar={ifmap_vector: 8, weight_vector: 2}"),
    "pe_array.planar.accumulator_entries": (PLANAR, "pe_array.planar.accumulator_entries=128"),
    "pe_array.planar.products": (PLANAR, "pe_array={rows: 4, columns: 4, dataflow: planar_tiles, multipliers_per_pe: 16, "
                                 "planar: {products: dot}}"),
    "pe_array.planar.barrier": (PLANAR, "pe_array.planar.barrier=channel"),
    "pe_array.planar.filter_group": (PLANAR, "pe_array.planar.filter_group=ofmap_tile"),
    "pe_array.planar.banks": (CONFLICTS, "pe_array.planar.banks=8"),
    "pe_array.planar.bank_queue": (PLANAR, "pe_array.planar.bank_queue=1"),
    "pe_array.planar.weight_fifo_words": (PLANAR, "pe_array.planar.weight_fifo_words=8"),
    "pe_array.planar.drain_cycles": (PLANAR, "pe_array.planar.drain_cycles=15"),
    "pe_array.planar.halo": (PLANAR, "pe_array.planar.halo=links"),
    "pe_array.planar.even_tiles": ((*PLANAR, "pe_array.rows=5"), "pe_array.planar.even_tiles=true"),
    "pe_array.planar.tiles_padding": (PLANAR, "pe_array.planar.tiles_padding=true"),
}  # fmt: skip
"""Key -> settings that make it matter, and the setting that changes it."""
