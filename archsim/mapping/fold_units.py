"""How much of each dimension one fold of an array takes, layer by layer; called by `matrix_planner.py`."""

from dataclasses import dataclass

from archsim.arch.pe_array import OsFold, PeArray
from archsim.mapping.loop_nest import Dim
from archsim.mapping.plane_patches import PlanePatches, plane_patches
from archsim.workload.layer import ArrayLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldUnits:
    """What a whole fold takes of a layer.

    Parameters
    ----------
    rows, columns
        Elements of the dimensions along the array's rows and along its columns.
    patches
        Of the ofmap planes that the pixels are cut by; None where a fold takes them in their order.
    """

    rows: int
    columns: int
    patches: PlanePatches | None = None

    def patches_of(self, dim: Dim) -> PlanePatches | None:
        """Return what a dimension is cut by, where its units are not equally long."""
        return self.patches if dim is Dim.PIXELS else None


def fold_units(layer: ArrayLayer, array: PeArray) -> FoldUnits:
    """Resolve the folds of a layer.

    An array that holds a patch of one plane has one filter in all PEs; where the planes of a layer are
    single pixels (fully connected layers), it has one filter in each.
    """
    patches = plane_patches(layer, array)
    if array.os_fold is not OsFold.PATCH:
        return FoldUnits(rows=array.rows, columns=array.columns, patches=patches)
    if patches is None:
        return FoldUnits(rows=1, columns=array.pes)
    return FoldUnits(rows=array.pes, columns=1, patches=patches)
