"""Weight stationary (WS): a PE keeps one weight for all its MACs; called by `study.py`.

kernel x kernel PEs hold a plane of a filter; r planes of one filter and t filters are held at once. Each ifmap word
goes to all PEs, psums add up along the rows of a plane and from plane to plane.
"""

import numpy as np

from archsim.study.reuse.candidates import Candidates, bounded_products, ceil_div, fetches, upto
from archsim.study.reuse.split import InputReuse, PsumReuse
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage
