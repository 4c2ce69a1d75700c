"""A mask held in memory as one bit per value; made where real tensors are at hand."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedMask:
    """A mask of one bit per value.

    Parameters
    ----------
    bits
        Of each entry of the first axis, filled up to whole bytes, the first value in the highest bit.
    shape
        Of the mask.
    origin
        Where the zeros come from.
    """

    bits: bytes
    shape: tuple[int, ...]
    origin: str

    def nonzero(self) -> BoolArray:
        """Return the mask: True = not zero."""
        rows = np.frombuffer(self.bits, dtype=np.uint8).reshape(self.shape[0], -1)
        words = int(np.prod(self.shape[1:]))
        return np.unpackbits(rows, axis=1, count=words).view(np.bool_).reshape(self.shape)


def pack_mask(nonzero: BoolArray, origin: str) -> PackedMask:
    """Pack a mask of one axis or more."""
    return join_masks([pack_images(nonzero)], nonzero.shape, origin)


def pack_images(nonzero: BoolArray) -> bytes:
    """Return the bits of some images (entries of the first axis), to be joined with those of others."""
    return np.packbits(nonzero.reshape(len(nonzero), -1), axis=1).tobytes()


def join_masks(parts: Iterable[bytes], shape: tuple[int, ...], origin: str) -> PackedMask:
    """Return the mask of images that were packed some at a time; ``shape`` is that of all of them."""
    return PackedMask(bits=b"".join(parts), shape=shape, origin=origin)
