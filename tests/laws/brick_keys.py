"""Keys that only arrays of brick lanes have: what makes each matter, and what changes it; for `test_every_key.py`."""

BRICKS = ("pe_array={rows: 16, columns: 16, dataflow: brick_lanes, zero_skip: skip, bricks: {}}",)
BRICK_CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "pe_array.bricks": (BRICKS, "pe_array.bricks={brick_values: 8}"),
    "pe_array.bricks.brick_values": (BRICKS, "pe_array.bricks.brick_values=4"),
    "pe_array.bricks.empty_brick_cycles": (
        (*BRICKS, "pe_array.bricks.brick_values=2"),
        "pe_array.bricks.empty_brick_cycles=0",
    ),
    "pe_array.bricks.sync": (BRICKS, "pe_array.bricks.sync=layer"),
    "pe_array.bricks.first_layer_dense": (BRICKS, "pe_array.bricks.first_layer_dense=true"),
}
"""Key -> settings that make it matter, and the setting that changes it."""
