"""How many values of a tensor are zero, and how drawn zeros fall: alone, in runs, or in some channels more than in others.

A layer carries both; `drawn_zeros.py` draws by them. Columns of measured networks that they stand for: the mean zero run
in row-major order, the least and most zeros of a channel, the standard deviation over images.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from archsim.errors import WorkloadError


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroFractions:
    """Share of values that are zero, 0..1; None = not known, or (ofmap) told by the ifmap of the layer that reads it."""

    ifmap: float | None = None
    weight: float | None = None
    ofmap: float | None = None

    def __post_init__(self) -> None:
        for name in ("ifmap", "weight", "ofmap"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise WorkloadError(f"zero_fractions.{name} (={value!r}) must lie in 0..1")


class ZeroKind(StrEnum):
    """How zeros cluster."""

    IID = "iid"
    """Each value by itself."""
    RUNS = "runs"
    """In runs of a mean length, in row-major order."""
    CHANNELS = "channels"
    """Each value by itself, but more of them in some channels than in others."""


WIDEST_STD = 0.9
"""Of the standard deviation over images that a share of zeros can have at most: with all of it, images are zero or have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroPattern:
    """How the zeros of one tensor fall, whatever their share.

    Parameters
    ----------
    kind
        How they cluster.
    mean_run
        Of RUNS: zeros in a row on average, in row-major order, 1 or more. [words]
    spread
        Of CHANNELS: the zero fraction of the channel with most zeros less that of the one with fewest, 0..1.
    images_std
        Standard deviation of the zero fraction over images; 0 = all images have the same.

    Raises
    ------
    WorkloadError
        A number that the kind needs is missing, one that it does not know is given, or one is out of range.
    """

    kind: ZeroKind = ZeroKind.IID
    mean_run: float | None = None
    spread: float | None = None
    images_std: float = 0.0

    def __post_init__(self) -> None:
        for kind, name in ((ZeroKind.RUNS, "mean_run"), (ZeroKind.CHANNELS, "spread")):
            if (getattr(self, name) is None) is (self.kind is kind):
                says = "needs" if self.kind is kind else "has no"
                raise WorkloadError(f"a zero pattern of kind {self.kind.value!r} {says} {name}")
        if self.mean_run is not None and not 1.0 <= self.mean_run < float("inf"):
            raise WorkloadError(f"mean_run (={self.mean_run!r}) must be 1 or more: no run of zeros is shorter")
        if self.spread is not None and not 0.0 <= self.spread <= 1.0:
            raise WorkloadError(f"spread (={self.spread!r}) must lie in 0..1")
        if not 0.0 <= self.images_std <= 0.5:
            raise WorkloadError(f"images_std (={self.images_std!r}) must lie in 0..0.5: fractions lie in 0..1")

    @property
    def in_words(self) -> str:
        """For a report: ``in runs of 8 zeros on average``."""
        how = {
            ZeroKind.IID: "i.i.d.",
            ZeroKind.RUNS: f"in runs of {self.mean_run:.3g} zeros on average" if self.mean_run else "",
            ZeroKind.CHANNELS: f"i.i.d. within channels, whose fractions spread over {self.spread or 0.0:.3g}",
        }[self.kind]
        return how + (
            f", fractions of images with a standard deviation of {self.images_std:.3g}" if self.images_std else ""
        )

    def within(self, zero_fraction: float) -> "ZeroPattern":
        """Return the nearest pattern that a tensor with this share of zeros, above 0 and below 1, can have; see `fault`."""
        least, room = zero_fraction / (1.0 - zero_fraction), min(zero_fraction, 1.0 - zero_fraction)
        return replace(
            self,
            mean_run=None if self.mean_run is None else max(self.mean_run, least),
            spread=None if self.spread is None else min(self.spread, 2.0 * room),
            images_std=min(self.images_std, WIDEST_STD * (zero_fraction * (1.0 - zero_fraction)) ** 0.5),
        )

    def fault(self, zero_fraction: float) -> str:
        """Say why no tensor with this share of zeros can have the pattern; empty where one can.

        Nonzero values come at least one at a time, so that a share z needs zeros in runs of z / (1 - z) or more; a
        spread lies evenly about the share; and no distribution over 0..1 spreads more than one of zeros and ones.
        """
        most = zero_fraction * (1.0 - zero_fraction)
        room = min(zero_fraction, 1.0 - zero_fraction)
        if self.mean_run is not None and most and self.mean_run < zero_fraction / (1.0 - zero_fraction):
            least = zero_fraction / (1.0 - zero_fraction)
            return f"runs of {self.mean_run:g} zeros are too short for a share of {zero_fraction:.4g}: {least:.4g} is the least"
        if self.spread is not None and self.spread > 2.0 * room:
            return f"a spread of {self.spread:g} about {zero_fraction:.4g} leaves 0..1: {2.0 * room:.4g} is the most"
        if self.images_std and self.images_std**2 >= most:
            return f"images_std {self.images_std:g} is too wide for a share of {zero_fraction:.4g}: it must be below {most**0.5:.4g}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroPatterns:
    """How the zeros of a layer's ifmap and weights fall where they are drawn."""

    ifmap: ZeroPattern = ZeroPattern()
    weight: ZeroPattern = ZeroPattern()

    def __post_init__(self) -> None:
        if self.weight.images_std:
            raise WorkloadError("weights are the same for every image: their zero pattern has no images_std")
