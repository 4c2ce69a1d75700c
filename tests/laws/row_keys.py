"""Keys that only row-stationary or channel-parallel chips have: what makes each matter, and what changes it; for `test_every_key.py`."""

SPADS = "spads: {ifmap_words: 12, weight_words: 60, psum_words: 8}"
NETWORKS = "networks: {ifmap_bits: 16, weight_bits: 16, psum_bits: 64}"
ROWS = (f"pe_array={{rows: 12, columns: 14, dataflow: rs, row_pe: {{}}, {SPADS}, {NETWORKS}}}",)
GIVEN = "{layer: conv2, m: 8, n: 1, e: 5, p: 4, q: 2, r: 2, t: 2, source: by hand}"
FIXED = (*ROWS, "levels.unified_buffer.keep_bytes=0", f"mapping={{layers: [{GIVEN}]}}")
CODED = (*ROWS, "levels.dram.compression=rlc5")

ROW_CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "pe_array.zero_skip": ((), "pe_array.zero_skip=gate"),
    "pe_array.multipliers_per_pe": (ROWS, "pe_array.multipliers_per_pe=3"),
    "pe_array.spads": (ROWS, "pe_array.spads={ifmap_words: 6, weight_words: 30, psum_words: 4}"),
    "pe_array.spads.ifmap_words": (ROWS, "pe_array.spads.ifmap_words=3"),
    "pe_array.spads.weight_words": (ROWS, "pe_array.spads.weight_words=12"),
    "pe_array.spads.psum_words": (ROWS, "pe_array.spads.psum_words=2"),
    "pe_array.networks": (ROWS, "pe_array.networks={ifmap_bits: 8, weight_bits: 8, psum_bits: 32}"),
    "pe_array.networks.ifmap_bits": (ROWS, "pe_array.networks.ifmap_bits=8"),
    "pe_array.networks.weight_bits": (ROWS, "pe_array.networks.weight_bits=8"),
    "pe_array.networks.psum_bits": (ROWS, "pe_array.networks.psum_bits=32"),
    "pe_array.row_pe": (ROWS, "pe_array.row_pe={accumulate_cycles: 1}"),
    "pe_array.row_pe.accumulate_cycles": (ROWS, "pe_array.row_pe.accumulate_cycles=1"),
    "pe_array.row_pe.shift_cycles": (ROWS, "pe_array.row_pe.shift_cycles=1"),
    "pe_array.row_pe.line_fill": (ROWS, "pe_array.row_pe.line_fill=true"),
    "pe_array.row_pe.restart_cycles": (ROWS, "pe_array.row_pe.restart_cycles=8"),
    "pe_array.row_pe.weights_ahead": (ROWS, "pe_array.row_pe.weights_ahead=true"),
    "pe_array.row_pe.pass_overhead": (ROWS, "pe_array.row_pe.pass_overhead=0.05"),
    "levels.dram.codes_network_input": (CODED, "levels.dram.codes_network_input=false"),
    "levels.dram.stores_padding": (ROWS, "levels.dram.stores_padding=true"),
    "energy.gated_share": (
        ("pe_array.zero_skip=gate", "energy.overrides={clock_pj_per_pe_cycle: 5}"),
        "energy.gated_share=0.9",
    ),
    "mapping": (ROWS, f"mapping={{layers: [{GIVEN}]}}"),
    "mapping.objective": (ROWS, "mapping.objective=energy"),
    "mapping.layers": (ROWS, f"mapping.layers=[{GIVEN}]"),
    "mapping.layers.workload": (FIXED, "mapping.layers.0.workload=other"),
    "mapping.layers.layer": (FIXED, "mapping.layers.0.layer=conv1"),
    **{
        f"mapping.layers.{letter}": (FIXED, f"mapping.layers.0.{letter}={value}")
        for letter, value in {"m": 16, "e": 10, "p": 2, "q": 1, "r": 1, "t": 1}.items()
    },
}
"""Key -> settings that make it matter, and the setting that changes it."""

ROW_SAID = {"mapping.layers.source": (FIXED, "mapping.layers.0.source=somebody else")}
"""Moves no counter: it stands among the assumptions."""

ATOMS = ("pe_array={rows: 16, columns: 128, dataflow: cp, atoms: {channel_atom: 16, filter_atom: 16}}",)
CHANNEL_CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "pe_array.atoms": (ATOMS, "pe_array.atoms={channel_atom: 8, filter_atom: 32}"),
    "pe_array.atoms.channel_atom": (ATOMS, "pe_array.atoms.channel_atom=8"),
    "pe_array.atoms.filter_atom": (ATOMS, "pe_array.atoms.filter_atom=32"),
    "pe_array.atoms.stored_channels": (ATOMS, "pe_array.atoms.stored_channels=4"),
    "pe_array.atoms.stripe_pixels": (ATOMS, "pe_array.atoms.stripe_pixels=4"),
    "pe_array.atoms.pixels_across": (ATOMS, "pe_array.atoms.pixels_across=false"),
    "pe_array.atoms.winograd": (ATOMS, "pe_array.atoms.winograd=true"),
}
"""The same for channel-parallel arrays."""
