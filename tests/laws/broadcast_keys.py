"""Keys that only a pixel broadcast has: what makes each matter, and what changes it; for `test_every_key.py`."""

DRAM = "levels=[{name: dram, kind: dram, bandwidth_bytes_per_cycle: 8}]"
TILES = (
    "pe_array={rows: 4, columns: 6, dataflow: fid, zero_skip: skip, tiles: {psum_registers: 16, skip_window: 2}}",
    DRAM,
)

BROADCAST_CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "pe_array.tiles": (TILES, "pe_array.tiles={psum_registers: 4}"),
    "pe_array.tiles.psum_registers": (TILES, "pe_array.tiles.psum_registers=4"),
    "pe_array.tiles.pixel_streams": (TILES, "pe_array.tiles.pixel_streams=4"),
    "pe_array.tiles.skip_window": (TILES, "pe_array.tiles.skip_window=1"),
    "pe_array.tiles.skip_fifo": (TILES, "pe_array.tiles.skip_fifo=3"),
    "pe_array.tiles.empty_row_cycles": (TILES, "pe_array.tiles.empty_row_cycles=6"),
}
"""Key -> settings that make it matter, and the setting that changes it."""
