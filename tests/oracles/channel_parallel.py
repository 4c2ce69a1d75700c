"""Slow reference of a channel-parallel array: a list of all slots in running order, dealt out edge by edge.

Written from the description of the hardware in `archsim/arch/channel_atoms.py`.
"""

from fractions import Fraction
from math import ceil


def run(ifmap, weight, *, lanes, atom, filters, slots, latency=1):
    """Return ofmap, the edge of each value's last product, edges in all, and sums that accumulators took."""
    window, real_filters = len(weight), len(weight[0])
    deal = []
    for value in range(len(ifmap) * filters):
        pixel, filter_ = divmod(value, filters)
        for word in range(ceil((value + 1) * Fraction(slots)) - ceil(value * Fraction(slots))):
            is_real = word < window and filter_ < real_filters
            deal.append((pixel, filter_, word) if is_real else None)
    ofmap = [[0] * real_filters for _ in ifmap]
    final = [[0] * real_filters for _ in ifmap]
    psums, edge = 0, 0
    for start in range(0, len(deal), lanes):
        edge += 1
        taken = deal[start : start + lanes]
        for tree in range(0, len(taken), atom):
            group = [slot for slot in taken[tree : tree + atom] if slot]
            psums += len({slot[:2] for slot in group})
            for pixel, filter_, word in group:
                ofmap[pixel][filter_] += ifmap[pixel][word] * weight[word][filter_]
                final[pixel][filter_] = edge + latency - 1
    return ofmap, final, edge + latency - 1, psums
