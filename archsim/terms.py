"""The words: enums for what is chosen, constants for what is counted.

The glossary that `archsim explain` prints is in `glossary.py`.
"""

from enum import StrEnum

OPS_PER_MAC = 2
"""One multiply-accumulate counts as two operations, everywhere."""


class Operand(StrEnum):
    """What a word is: a value of one of the layer's tensors."""

    IFMAP = "ifmap"
    WEIGHT = "weight"
    PSUM = "psum"
    OFMAP = "ofmap"


class Direction(StrEnum):
    """Whether a word is read from a level or written to it."""

    READ = "read"
    WRITE = "write"


class Dataflow(StrEnum):
    """Which operand stays in the PEs while the others stream past."""

    WEIGHT_STATIONARY = "weight_stationary"
    OUTPUT_STATIONARY = "output_stationary"
    INPUT_STATIONARY = "input_stationary"


class Bottleneck(StrEnum):
    """What a layer spends most of its cycles on."""

    COMPUTE = "compute"
    MAPPING = "mapping"
    ON_CHIP = "on-chip"
    DRAM_BANDWIDTH = "dram bandwidth"
    DRAM_LATENCY = "dram latency"
    NONE = "none"
