"""Ofmap planes cut into patches: what an output-stationary array whose folds stay inside one plane holds at a time.

Called by `fold_units.py`; `loop_nest.DimTiling` numbers the pixels by it. Pixels are numbered patch by patch: planes,
then bands of lines, then patches from left to right, so that a patch is a range of numbers and a band whole lines.

Not modelled: ifmap and ofmap words of a patch that collide in a bank (they lie in the order in which the patch takes
them); an ofmap that lies in DRAM line by line (a patch is written as one run there).
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import OsFold, PeArray
from archsim.workload.layer import ArrayLayer, ConvLayer

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanePatches:
    """Equal planes, each cut into patches; those at the right and lower edges are what is left.

    Parameters
    ----------
    planes
        Ofmap planes of one filter: images, times the leading axis of a 3-D layer.
    lines, columns
        Of a plane. [pixels]
    height, width
        Of a whole patch. [pixels]
    ifmap_lines, ifmap_columns
        Per band of patches, and per patch across: ifmap lines and columns that its windows touch, padding left out.
    """

    planes: int
    lines: int
    columns: int
    height: int
    width: int
    ifmap_lines: tuple[int, ...]
    ifmap_columns: tuple[int, ...]

    @property
    def count(self) -> int:
        """Patches of all planes."""
        return self.planes * len(self.ifmap_lines) * len(self.ifmap_columns)

    def first_pixels(self, patch: IntArray) -> IntArray:
        """Return the first pixel of each patch; of the patch behind the last one, the number of all pixels."""
        plane, band, across = self._place(patch)
        tall = np.minimum(self.height, self.lines - band * self.height)
        first: IntArray = (plane * self.lines + band * self.height) * self.columns + tall * across * self.width
        return first

    def ifmap_words(self, patch: IntArray) -> IntArray:
        """Return the ifmap words of one channel that each patch's windows touch. [words]"""
        _, band, across = self._place(patch)
        words: IntArray = np.array(self.ifmap_lines)[band] * np.array(self.ifmap_columns)[across]
        return words

    @property
    def all_ifmap_words(self) -> int:
        """The same, summed up over all patches of all planes. [words]"""
        return self.planes * sum(self.ifmap_lines) * sum(self.ifmap_columns)

    def _place(self, patch: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Plane, band and place in the band of each patch."""
        bands, across = len(self.ifmap_lines), len(self.ifmap_columns)
        plane, rest = np.divmod(patch, bands * across)
        return plane, rest // across, rest % across


def plane_patches(layer: ArrayLayer, array: PeArray) -> PlanePatches | None:
    """Cut a layer's planes as the array asks for; None where it takes pixels in their order, or a plane is one pixel."""
    if array.os_fold is OsFold.PIXELS or not isinstance(layer, ConvLayer) or _plane(layer) == (1, 1):
        return None
    lines, columns = _plane(layer)
    height, width = (1, array.rows) if array.os_fold is OsFold.LINE else (array.rows, array.columns)
    across = len(layer.ofmap) - 1
    leading = prod(layer.ofmap[:-2])
    return PlanePatches(
        planes=layer.batch * leading,
        lines=lines,
        columns=columns,
        height=height,
        width=width,
        ifmap_lines=_touched(layer, across - 1, height) if across else (1,),
        ifmap_columns=_touched(layer, across, width),
    )


def band_lines(layer: ArrayLayer, patches: PlanePatches | None) -> int:
    """Return how many steps along the ofmap's first axis are worked on together: the lines of a band in 2-D, else 1."""
    return patches.height if patches and isinstance(layer, ConvLayer) and len(layer.ofmap) == 2 else 1


def _plane(layer: ConvLayer) -> tuple[int, int]:
    return (layer.ofmap[-2] if len(layer.ofmap) > 1 else 1, layer.ofmap[-1])


def _touched(layer: ConvLayer, axis: int, span: int) -> tuple[int, ...]:
    """Positions of the ifmap along an axis that every ``span`` ofmap positions touch, as a zero-padded ifmap has them."""
    taps = np.arange(layer.kernel[axis], dtype=np.int64) * layer.dilation[axis] - layer.padding[axis][0]
    counts = []
    for start in range(0, layer.ofmap[axis], span):
        places = np.arange(start, min(start + span, layer.ofmap[axis]), dtype=np.int64) * layer.stride[axis]
        found = np.unique(places[:, None] + taps)
        counts.append(int(((found >= 0) & (found < layer.ifmap[axis])).sum()))
    return tuple(counts)
