"""The words: enums for what is chosen, constants for what is counted.

The glossary that `archsim explain` prints is in `glossary.py`.
"""

from enum import StrEnum

OPS_PER_MAC = 2
"""One multiply-accumulate counts as two operations, everywhere."""


class Operand(StrEnum):
    """What a word is: a value of one of the layer's tensors, or what says where such values stand."""

    IFMAP = "ifmap"
    WEIGHT = "weight"
    PSUM = "psum"
    OFMAP = "ofmap"
    METADATA = "metadata"
    """What a code on the DRAM channel adds to the values: runs, masks, padding. It lives in no buffer."""


HELD_OPERANDS = (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM, Operand.OFMAP)
"""Operands that are values: they have a format, and a level can hold them."""
CODABLE_OPERANDS = (Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP)
"""Operands that are whole tensors of the layer: a code on the DRAM channel may shorten them."""


class Compression(StrEnum):
    """How an operand's words are coded on the DRAM channel; `numerics/link_code.py` says what each code is."""

    NONE = "none"
    RLC5 = "rlc5"
    BITMASK = "bitmask"


class Direction(StrEnum):
    """Whether a word is read from a level or written to it."""

    READ = "read"
    WRITE = "write"


class Dataflow(StrEnum):
    """Which operand stays in the PEs while the others stream past."""

    WEIGHT_STATIONARY = "weight_stationary"
    OUTPUT_STATIONARY = "output_stationary"
    INPUT_STATIONARY = "input_stationary"
    ROW_STATIONARY = "row_stationary"
    CHANNEL_PARALLEL = "channel_parallel"
    """None does: channels lie down the rows, filters across, and psums grow behind the array."""
    PIXEL_BROADCAST = "pixel_broadcast"
    """Psums do: all PEs see one ifmap pixel at a time, each with the tap that links it to its own psum (FEIE, ZASCA)."""
    BRICK_LANES = "brick_lanes"
    """None does: lanes take bricks of channels, each with its slice of all filters (DaDianNao, Cnvlutin)."""
    PLANAR_TILES = "planar_tiles"
    """Ifmap tiles do: each PE keeps a part of every plane, weights are broadcast (DCNN, SCNN)."""


class ZeroSkip(StrEnum):
    """What an array does with a MAC whose ifmap value is zero; some look at weights too, or instead."""

    NONE = "none"
    GATE = "gate"
    """It takes its cycle, but the multiplier, the weight spad and the psum spad stand still."""
    SKIP = "skip"
    """It is not issued where the dataflow can step over it: it takes neither cycle nor energy."""


class MapObjective(StrEnum):
    """What a mapping is searched for."""

    TIME = "time"
    ENERGY = "energy"
    EDP = "edp"
    """Energy times time."""


class Bottleneck(StrEnum):
    """What a layer spends most of its cycles on."""

    COMPUTE = "compute"
    MAPPING = "mapping"
    ON_CHIP = "on-chip"
    DRAM_BANDWIDTH = "dram bandwidth"
    DRAM_LATENCY = "dram latency"
    NONE = "none"


class PagePolicy(StrEnum):
    """What happens to a row after a column command."""

    OPEN = "open"
    CLOSED = "closed"


class DramPolicy(StrEnum):
    """How the controller chooses the next command."""

    FRFCFS = "frfcfs"
    BANK_RR = "bank_rr"


class CalibrationMethod(StrEnum):
    """How the scale of a tensor is chosen from the values that it had on the calibration images."""

    MAX = "max"
    """The smallest scale that holds the largest magnitude."""
    MSE = "mse"
    """Of that scale and the three below it, the one with the least squared error."""
    P999 = "p99.9"
    """As max, of the magnitude that 99.9 % of the values stay below."""
    P9999 = "p99.99"
    """As max, of the magnitude that 99.99 % of the values stay below."""
    NONE = "none"
    """No scale: the format as it is."""


class WeightScales(StrEnum):
    """What shares one scale of the weights."""

    CHANNEL = "channel"
    TENSOR = "tensor"


class PoolKind(StrEnum):
    """What a pooling window gives."""

    MAX = "max"
    AVERAGE = "average"
