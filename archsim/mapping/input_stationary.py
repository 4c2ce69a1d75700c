"""Input stationary: a tile of ifmap windows waits in the PEs while filters stream past.

Array rows take the window (C*R*S), array columns take the pixels, filters stream. The array is that of
`weight_stationary` with the operands swapped.
"""

from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.loop_nest import Dim
from archsim.mapping.weight_stationary import one_word, time_stationary_passes
from archsim.terms import Operand

INPUT_STATIONARY = DataflowPlan(
    rows=Dim.WINDOW,
    columns=Dim.PIXELS,
    stream=Dim.FILTERS,
    stationary=Operand.IFMAP,
    time_passes=time_stationary_passes,
    fewest_words=one_word,
)
