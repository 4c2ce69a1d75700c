"""Codes of the DRAM channel, value by value and bit by bit: strings of 0 and 1."""


def rlc5_pairs(values: list[int]) -> list[tuple[int, int]]:
    """(run, level) pairs of a stream, one value at a time."""
    pairs, run = [], 0
    for index, value in enumerate(values):
        if value == 0 and run < 31 and index < len(values) - 1:
            run += 1
        else:  # a level: a value, the 32nd zero of a run, or the last zero of all
            pairs.append((run, value))
            run = 0
    return pairs


def rlc5_words(values: list[int], width: int) -> list[int]:
    """64-bit words: pairs from the lowest bit up, the top bit marks the last word."""
    pairs = rlc5_pairs(values)
    per_word = 0
    while (per_word + 1) * (5 + width) + 1 <= 64:
        per_word += 1
    words = []
    for start in range(0, len(pairs), per_word):
        bits = "".join(f"{level:0{width}b}{run:05b}" for run, level in reversed(pairs[start : start + per_word]))
        words.append(int(bits, 2))
    if words:
        words[-1] += 2**63
    return words


def bitmask_bytes(values: list[int], width: int) -> list[int]:
    """The mask, then the nonzero values, lowest bit first."""
    bits = "".join("1" if value else "0" for value in values)
    bits += "".join(f"{value:0{width}b}"[::-1] for value in values if value)
    return [int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8)]
