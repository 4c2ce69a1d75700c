"""Integer matrix products on the clocked array of any dataflow; called by `array_values.py`."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import RowMapping
from archsim.engine.clocked import run_clocked
from archsim.engine.clocked_bricks import run_clocked_bricks
from archsim.engine.clocked_broadcast import broadcast_product
from archsim.engine.clocked_channels import run_clocked_channels
from archsim.engine.clocked_planar import run_clocked_planar
from archsim.engine.clocked_rows import run_clocked_rows
from archsim.errors import WorkloadError
from archsim.mapping.channel_shape import padded
from archsim.mapping.row_fit import sets_that_fit
from archsim.numerics.window import Window
from archsim.terms import Dataflow, ZeroSkip
from archsim.workload.layer import MatmulLayer

IntArray = NDArray[np.int64]
WORD_BITS = 16
"""Of a weight on a row-stationary array's network; a matter of cycles alone."""


def multiply_on_array(ifmap: IntArray, weight: IntArray, pe_array: PeArray) -> IntArray:
    """Return ``ifmap @ weight``, shape (pixels, filters), as the registers of an array give it.

    Raises
    ------
    SimulationError
        The array cannot be clocked, or sums may take more than 64 bits.
    WorkloadError
        The array computes in Winograd's domain or by dot products over planes, which no registers are stepped for.
    """
    return _ARRAYS[pe_array.dataflow](ifmap, weight, pe_array)


def _on_matrix(ifmap: IntArray, weight: IntArray, pe_array: PeArray) -> IntArray:
    return run_clocked(ifmap, weight, pe_array).ofmap


def _on_rows(ifmap: IntArray, weight: IntArray, pe_array: PeArray) -> IntArray:
    """Take a pixel for an image of 1 x 1, the window for its channels: as many PEs at work as there are."""
    (pixels, window), filters, spads = ifmap.shape, weight.shape[1], pe_array.require_spads()
    q = min(window, spads.ifmap_words, spads.weight_words)
    p = min(filters, spads.psum_words, spads.weight_words // q)
    sets = sets_that_fit(1, 1, pe_array)
    r = min(-(-window // q), sets)
    mapping = RowMapping(m=filters, n=pixels, e=1, p=p, q=q, r=r, t=min(-(-filters // p), sets // r))
    found = run_clocked_rows(ifmap.reshape(pixels, window, 1, 1), weight.T.reshape(filters, window, 1, 1), Window(), mapping,
                             pe_array=pe_array, weight_bits=WORD_BITS)  # fmt: skip
    return found.ofmap.reshape(pixels, filters)


def _on_channels(ifmap: IntArray, weight: IntArray, pe_array: PeArray) -> IntArray:
    atoms = pe_array.require_atoms()
    if atoms.winograd:
        raise WorkloadError(
            "pe_array.atoms.winograd: values are not stepped in Winograd's domain; check them with "
            "--set pe_array.atoms.winograd=false"
        )
    slots, filters = padded(len(weight), atoms.channel_atom), padded(weight.shape[1], atoms.filter_atom)
    return run_clocked_channels(ifmap, weight, pe_array, slots=Fraction(slots), filters=filters).ofmap


def _on_bricks(ifmap: IntArray, weight: IntArray, pe_array: PeArray) -> IntArray:
    layer = MatmulLayer(name="product", rows=len(ifmap), inner=len(weight), columns=weight.shape[1])
    found = run_clocked_bricks(layer, ifmap[None], weight[None], pe_array, encoded=pe_array.skips)
    return found.ofmap.reshape(len(ifmap), weight.shape[1])


def _on_planes(ifmap: IntArray, weight: IntArray, pe_array: PeArray) -> IntArray:
    """Take the array with zeros skipped, the only one that is stepped: it adds the same products but for those of zeros."""
    if pe_array.require_planar().is_dot:
        raise WorkloadError(
            "pe_array.planar.products (=dot): values are not stepped through dot products; check them with "
            "--set pe_array.planar.products=cartesian"
        )
    layer = MatmulLayer(name="product", rows=len(ifmap), inner=len(weight), columns=weight.shape[1])
    found = run_clocked_planar(layer, replace(pe_array, zero_skip=ZeroSkip.SKIP), ifmap[None], weight[None])
    return found.ofmap.reshape(len(ifmap), weight.shape[1])


_ARRAYS: dict[Dataflow, Callable[[IntArray, IntArray, PeArray], IntArray]] = {
    Dataflow.WEIGHT_STATIONARY: _on_matrix,
    Dataflow.OUTPUT_STATIONARY: _on_matrix,
    Dataflow.INPUT_STATIONARY: _on_matrix,
    Dataflow.ROW_STATIONARY: _on_rows,
    Dataflow.CHANNEL_PARALLEL: _on_channels,
    Dataflow.BRICK_LANES: _on_bricks,
    Dataflow.PIXEL_BROADCAST: broadcast_product,
    Dataflow.PLANAR_TILES: _on_planes,
}
