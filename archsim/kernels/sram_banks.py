"""How the words that an array's edge asks for, cycle by cycle, fall on the banks of a buffer.

Called by `mapping/port_use.py`.
"""

import numpy as np

from archsim.kernels.compiled import compiled


@compiled
def count_bank_accesses(words, wavefronts_in_a_row, skipped, words_per_run, banks, ports):
    """Count the accesses of one stream of wavefronts, and how they collide.

    A wavefront is what all lanes of an edge take (or give) in one cycle of the array. Lanes that ask for
    the same word share one access, and a word that the wavefront before had is still at the edge.

    Parameters
    ----------
    words : int64 array, shape (wavefronts, lanes)
        Access words, numbered along the buffer; below 0 = the lane asks for nothing.
    wavefronts_in_a_row : int
        How many follow each other; the next ones come from elsewhere and find nothing at the edge.
    skipped : int
        First ones of each row that are not counted: they only leave their words at the edge.
    words_per_run : int
        Neighbouring words in one bank before the next bank follows.
    banks, ports : int
        Banks; accesses that each of them serves per cycle.

    Returns
    -------
    tuple of int
        Accesses in all; cycles to serve the wavefronts one after the other, each as long as its busiest
        bank takes; accesses of the bank that has most, of each row of wavefronts its own.
    """
    load = np.zeros(banks, dtype=np.int64)
    total = np.zeros(banks, dtype=np.int64)
    accesses, cycles, hottest = 0, 0, 0
    before = np.sort(words[0][:0])
    for step in range(words.shape[0]):
        asked = np.sort(words[step])
        if step % wavefronts_in_a_row == 0:
            before = asked[:0]
            hottest += total.max()
            total[:] = 0
        if step % wavefronts_in_a_row < skipped:
            before = asked
            continue
        load[:] = 0
        held, last = 0, -1
        for word in asked:
            if word == last or word < 0:
                continue
            last = word
            while held < before.size and before[held] < word:
                held += 1
            if held < before.size and before[held] == word:
                continue
            load[(word // words_per_run) % banks] += 1
            accesses += 1
        busiest = 0
        for bank in range(banks):
            total[bank] += load[bank]
            busiest = max(busiest, load[bank])
        cycles += -(-busiest // ports)
        before = asked
    return accesses, cycles, hottest + total.max()
