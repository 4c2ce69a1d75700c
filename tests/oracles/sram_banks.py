"""Slow reference of bank conflicts: a set of words per cycle, and banks that serve them one at a time."""


def serve_wavefronts(wavefronts, *, words_per_run, banks, ports):
    """Return accesses, cycles and the accesses of the hottest bank.

    wavefronts: lists of access words, None = nothing asked. Every cycle each bank takes as many words off
    its queue as it has ports; the next wavefront waits until all queues are empty.
    """
    accesses, cycles, served_by = 0, 0, {}
    at_edge = set()
    for asked in wavefronts:
        wanted = {word for word in asked if word is not None}
        queues = {}
        for word in sorted(wanted - at_edge):
            queues.setdefault(word // words_per_run % banks, []).append(word)
        while any(queues.values()):
            cycles += 1
            for bank, queue in queues.items():
                for _ in range(ports):
                    if queue:
                        queue.pop()
                        accesses += 1
                        served_by[bank] = served_by.get(bank, 0) + 1
        at_edge = wanted
    return accesses, cycles, max(served_by.values(), default=0)
