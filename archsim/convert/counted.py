"""A count with its noun, for the sentences of a conversion's report."""


def counted(number: float, noun: str) -> str:
    """Return a count with its noun: ``1 codebook``, ``2 codebooks``."""
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
