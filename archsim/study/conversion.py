"""What a conversion did: the record that `convert/` makes and `report/` shows.

One `ConversionReport` per `archsim convert`; it draws and prints nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
FLOAT_NAME = "fp32"
"""Of the row of the model as it came, in the passes and among the formats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Images whose label was found: ``correct`` of ``images``."""

    correct: int
    images: int

    @property
    def share(self) -> float:
        """0..1."""
        return self.correct / self.images if self.images else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRecord:
    """One pass of the conversion.

    Parameters
    ----------
    name
        E.g. ``fold_batchnorm``.
    invariant
        What must hold after it, a sentence.
    measured
        What was found when it was checked, a sentence with its number and unit.
    accuracy
        After the pass, on the evaluation images; None where none were given.
    weight_bits
        Of all weights and biases after the pass, tables included. [b]
    seconds
        It took. [s]
    """

    name: str
    invariant: str
    measured: str
    accuracy: Accuracy | None
    weight_bits: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerRecord:
    """One product layer before and after.

    Parameters
    ----------
    name
        Of the layer.
    weights
        How many. [words]
    ifmap_format, weight_format, ofmap_format, accumulator
        Their names.
    accumulator_bits
        That the sums need to be exact, from the codes, the guard bits of the bias left out; 0 where sums are not
        exact integers. [b]
    weight_bits
        All its weights and biases as stored, pointers for clustered ones. [b]
    zero_weights, zero_ifmaps
        Shares of zeros, 0..1; ifmaps over the calibration images.
    values_before, values_after
        Its weights as floats before the conversion (batch norm folded in) and as decoded codes, flat.
    """

    name: str
    weights: int
    ifmap_format: str
    weight_format: str
    ofmap_format: str
    accumulator: str
    accumulator_bits: int
    weight_bits: int
    zero_weights: float
    zero_ifmaps: float
    values_before: FloatArray
    values_after: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatRow:
    """The same network in one format: accuracy, size, and what it costs on a chip made for that format.

    Parameters
    ----------
    format
        Its name; ``fp32`` is the model as it came.
    accuracy
        On the evaluation images; None where none were given.
    weight_bytes
        Stored weights, biases and tables. [B]
    dram_bytes, energy_pj, total_cycles
        Of one image on the arch; None where no arch was given. [B], [pJ], [cycles]
    """

    format: str
    accuracy: Accuracy | None
    weight_bytes: int
    dram_bytes: int | None = None
    energy_pj: float | None = None
    total_cycles: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConversionReport:
    """All of one conversion.

    Parameters
    ----------
    model, network
        The file, and the name of the workload.
    recipe
        (setting, value) in words, in the order of the passes.
    passes, layers
        In running order.
    float_accuracy, accuracy
        Before and after; None where no images were given.
    float_weight_bits
        Weights and biases at 32 bits. [b]
    rows
        Formats side by side, the one converted to included.
    arch
        Name of the arch of the rows; empty = none.
    assumptions
        Sentences that a reader must know.
    """

    model: str
    network: str
    recipe: tuple[tuple[str, str], ...]
    passes: tuple[PassRecord, ...]
    layers: tuple[LayerRecord, ...]
    float_accuracy: Accuracy | None
    accuracy: Accuracy | None
    float_weight_bits: int
    rows: tuple[FormatRow, ...] = ()
    arch: str = ""
    assumptions: tuple[str, ...] = ()

    @property
    def weight_bits(self) -> int:
        """Stored weights, biases and tables. [b]"""
        return self.passes[-1].weight_bits if self.passes else self.float_weight_bits


def bytes_of(bits: int) -> int:
    """Return whole bytes, the last one filled up. [B]"""
    return -(-bits // 8)
