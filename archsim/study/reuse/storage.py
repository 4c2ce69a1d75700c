"""The same silicon for every dataflow: what a PE's spad does not take, the GLB gets.

Called by `study.py`; the dataflows read the `Storage` that comes of it.
"""

from dataclasses import dataclass

import numpy as np

from archsim.errors import MappingError

WORD_BYTES = 2
"""16-bit words. [B]"""

SPAD_BUDGET_BYTES = 512
"""Of each PE, and as much again in the GLB: the area that is shared out. [B]"""

AREA_BYTES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
AREA_UM2_PER_BYTE = (103.47, 172.07, 177.07, 169.89, 96.06, 59.15, 39.94, 27.48, 20.87, 16.14, 13.89, 12.70)
"""What a byte takes in a memory of each size, 65 nm: registers up to 16 B, SRAM above; linear in between, level at the
ends. From the authors' own analysis scripts of the ISCA 2016 study (stored at github.com/ominux/eyeriss-dataflow)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """PEs and what they store.

    Parameters
    ----------
    pes
        Processing elements.
    spad_words
        Of each PE; 0 = none. [words]
    glb_words
        Of the global buffer. [words]
    """

    pes: int
    spad_words: int
    glb_words: int

    def __post_init__(self) -> None:
        if self.pes < 1 or self.spad_words < 0 or self.glb_words < 1:
            raise MappingError(
                f"pes (={self.pes}) and glb_words (={self.glb_words}) must be 1 or more, spad_words (={self.spad_words}) 0"
            )


def memory_area_um2(capacity_bytes: float) -> float:
    """Return the area of one memory. [um2]"""
    return float(np.interp(capacity_bytes, AREA_BYTES, AREA_UM2_PER_BYTE)) * capacity_bytes


def equal_area(pes: int, spad_words: int) -> Storage:
    """Share out the area of ``pes`` spads of 512 B and of one GLB of ``pes`` x 512 B.

    Parameters
    ----------
    pes
        Processing elements.
    spad_words
        What each keeps; the GLB is what the rest of the area holds. [words]

    Raises
    ------
    MappingError
        The spads take more than the whole area, or there are no PEs.

    Notes
    -----
    Not modelled: what a larger GLB costs per access, as in the study that this follows.

    References
    ----------
    .. [1] Y.-H. Chen, J. Emer, V. Sze, Eyeriss: a spatial architecture for energy-efficient dataflow for convolutional
       neural networks, ISCA 2016, section VI.
    """
    if pes < 1:
        raise MappingError(f"pes (={pes}) must be 1 or more")
    budget_bytes = pes * SPAD_BUDGET_BYTES
    spad_um2 = memory_area_um2(SPAD_BUDGET_BYTES) - memory_area_um2(spad_words * WORD_BYTES)
    glb_um2 = memory_area_um2(budget_bytes) + pes * spad_um2
    if glb_um2 <= 0:
        raise MappingError(f"{pes} spads of {spad_words} words take more area than {pes} of 512 B and a GLB")
    return Storage(pes=pes, spad_words=spad_words, glb_words=int(glb_um2 / AREA_UM2_PER_BYTE[-1]) // WORD_BYTES)
