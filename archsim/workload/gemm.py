"""An array layer as matrix products: what every dataflow folds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemm:
    """``groups`` products of (pixels x window) by (window x filters).

    Parameters
    ----------
    groups
        Independent, equal products, run one after another.
    pixels
        N*P*Q: ofmap positions of all images.
    window
        C*R*S of one group: MACs of one ofmap value.
    filters
        K of one group.
    """

    groups: int
    pixels: int
    window: int
    filters: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all groups."""
        return self.groups * self.pixels * self.window * self.filters
