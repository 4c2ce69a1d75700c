"""What moving a word costs, as far as a mapping decides how often it moves; carried by `MappingChoice`.

The search compares mappings by them. `study/` puts the chip's own prices in; the default are those of the ISCA'16
analysis [1]_, in MACs.

References
----------
.. [1] Chen, Emer, Sze, Eyeriss: a spatial architecture for energy-efficient dataflow, ISCA 2016, table IV.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPrices:
    """Prices of a row-stationary chip, all in one unit of energy.

    Parameters
    ----------
    dram_bit
        A bit over the DRAM channel.
    ifmap_read
        An ifmap word out of its buffer.
    psum_pair
        A psum into its buffer and out again.
    weight_sent
        A weight into its buffer and out again.
    ifmap_taken, weight_taken
        A word over the network into one PE's spad.
    psum_hop
        A psum from one PE to the next.
    cycle
        A cycle of the chip: clock, leakage, background of the DRAM.
    """

    dram_bit: float = 200 / 16
    ifmap_read: float = 6.0
    psum_pair: float = 12.0
    weight_sent: float = 0.0
    ifmap_taken: float = 3.0
    weight_taken: float = 3.0
    psum_hop: float = 2.0
    cycle: float = 0.0
