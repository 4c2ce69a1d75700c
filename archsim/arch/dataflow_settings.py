"""Which settings of a PE array belong to which dataflows; `pe_array.py` refuses the others."""

from archsim.terms import Dataflow

_STATIONARY = frozenset({Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY})
_OUTPUT = frozenset({Dataflow.OUTPUT_STATIONARY})
_ROW = frozenset({Dataflow.ROW_STATIONARY})
_MATRIX = _STATIONARY | _OUTPUT

SETTINGS_OF: dict[str, frozenset[Dataflow]] = {
    **dict.fromkeys(
        ("weight_regs", "weight_load_cycles", "weight_switch_gap", "load_granularity", "start_event"), _STATIONARY
    ),
    **dict.fromkeys(("os_fold", "os_drain", "drain_overlap", "k_tile", "k_tile_keeps_psum"), _OUTPUT),
    **dict.fromkeys(("act_hop", "input_regs", "edge_folds", "structured_sparsity", "log_adder"), _MATRIX),
    **dict.fromkeys(("spads", "networks", "row_pe"), _ROW),
    "multipliers_per_pe": _ROW | {Dataflow.PLANAR_TILES},
    "atoms": frozenset({Dataflow.CHANNEL_PARALLEL}),
    "tiles": frozenset({Dataflow.PIXEL_BROADCAST}),
    "bricks": frozenset({Dataflow.BRICK_LANES}),
    "planar": frozenset({Dataflow.PLANAR_TILES}),
    "psum_hop": _STATIONARY | _ROW,
}
"""Setting -> the dataflows that have it; a setting that is not listed belongs to all."""
NEEDED_BY = {
    Dataflow.ROW_STATIONARY: ("spads", "networks"),
    Dataflow.CHANNEL_PARALLEL: ("atoms",),
    Dataflow.PIXEL_BROADCAST: ("tiles",),
    Dataflow.BRICK_LANES: ("bricks",),
    Dataflow.PLANAR_TILES: ("planar",),
}
"""Settings without a default, by the dataflow that has to have them."""


def in_words(dataflows: frozenset[Dataflow]) -> str:
    """Return dataflows as a person lists them."""
    *most, last = (each.value for each in Dataflow if each in dataflows)
    return f"{', '.join(most)} and {last}" if most else last
