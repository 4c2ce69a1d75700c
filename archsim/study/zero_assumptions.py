"""What a report must say of a chip that skips zeros: where they come from, and what skipping means on its array.

Called by `simulate.py`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from archsim.arch.architecture import Architecture
from archsim.engine.layer_run import LayerRun
from archsim.terms import Dataflow

WAVEFRONTS = (
    "the array advances in lock step, so only whole wavefronts are left out: {}; other zeros take their cycle and MAC, and "
    "finding zeros takes no time"
)
RULES = {
    Dataflow.PIXEL_BROADCAST: "zero pixels, padding among them, are stepped over by the whole array; weights are not looked at",
    Dataflow.BRICK_LANES: "lanes step over zero ifmap values of their bricks, but where lock step is faster; weights are not "
    "looked at; which lane has which brick is chosen here: in turn, in the window's order",
    Dataflow.PLANAR_TILES: "only nonzero ifmap values and nonzero weights meet; products that no ofmap value wants take their "
    "cycle all the same; the depth of the FIFOs that weights wait in is not modelled",
    Dataflow.ROW_STATIONARY: "a PE steps over zero ifmap values and padding, a psum takes a cycle at least, and a pass waits for "
    "its busiest PE; zeros are sent over networks and buffers as they are, zero weights are multiplied",
    Dataflow.CHANNEL_PARALLEL: "an atom of channels of one tap and pixel is left out when all its ifmap values are zero, a window "
    "without any takes one atom; layers in Winograd's domain take every value",
    Dataflow.WEIGHT_STATIONARY: WAVEFRONTS.format(
        "a pixel whose ifmap values for the fold's part of the window are all zero"
    ),
    Dataflow.OUTPUT_STATIONARY: WAVEFRONTS.format("an element of the window that is zero for all of the fold's pixels"),
    Dataflow.INPUT_STATIONARY: WAVEFRONTS.format(
        "a filter whose weights for the fold's part of the window are all zero; zeros of the ifmap are not looked at"
    ),
}
"""Dataflow -> what it steps over, and what it does not look at."""
LOOKS_AT_WEIGHTS = frozenset({Dataflow.PLANAR_TILES, Dataflow.INPUT_STATIONARY})
WINDOW = "zero skipping: the front end looks at {} pixels of a row in a cycle"
STREAMS = (
    "pixel broadcast: a last pass of filters that does not fill the array costs its share, no less than 1 / {} of a pass "
    "(published equation; no mechanism is published): the free sets are taken to work on rows of their own"
)
NONE_KNOWN = "zeros of {} are not known, or there are none, in {} of {} layers that could skip them"
ORIGINS = "zeros of {}: {}"
MOST_ORIGINS = 3
"""Sources of zeros that are named."""
MEMORY = "zero skipping moves no word less on the DRAM channel: what is skipped has been read"


def zero_assumptions(arch: Architecture, runs: Sequence[LayerRun]) -> Iterator[str]:
    """Yield the sentences; of an array that takes every value no more than how its last passes count."""
    tiles, dataflow = arch.pe_array.tiles, arch.pe_array.dataflow
    if tiles is not None and tiles.pixel_streams > 1:
        yield STREAMS.format(tiles.pixel_streams)
    if not arch.pe_array.skips:
        return
    yield f"zero skipping: {RULES[dataflow]}"
    if tiles is not None and tiles.skip_window is not None:
        yield WINDOW.format(tiles.skip_window + 1)
    used = [run.zeros for run in runs if run.zeros is not None]
    if dataflow is not Dataflow.INPUT_STATIONARY:
        yield from _told("ifmaps", [each.origin if each.ifmap.zero_fraction else "" for each in used])
    if dataflow in LOOKS_AT_WEIGHTS:
        yield from _told("weights", [each.weight_origin if each.weight_zero_fraction else "" for each in used])
    yield MEMORY


def _told(tensors: str, origins: Sequence[str]) -> Iterator[str]:
    """Yield where the zeros of each layer come from, and in how many layers there are none; empty = none."""
    known = Counter(origin for origin in origins if origin)
    if known:
        shown = [
            f"{origin} ({count} layer{'s' if count > 1 else ''})" for origin, count in known.most_common(MOST_ORIGINS)
        ]
        more = [f"{len(known) - MOST_ORIGINS} more: zero_skip.csv has all"] if len(known) > MOST_ORIGINS else []
        yield ORIGINS.format(tensors, ", ".join(shown + more))
    without = origins.count("")
    if without:
        yield NONE_KNOWN.format(tensors, without, len(origins))
