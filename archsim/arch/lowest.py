"""The least that settings may be; called by the records of `arch/` as they are made."""

from collections.abc import Iterable

from archsim.errors import ConfigError


def check_lowest(record: object, names: Iterable[str], *, place: str, lowest: int = 1) -> None:
    """Refuse fields of a record that are too small, all at once.

    Parameters
    ----------
    record
        Whose fields they are.
    names
        Of the fields.
    place
        What stands before a name: where the record lies in an arch file.
    lowest
        The least that is allowed.

    Raises
    ------
    ConfigError
        A line per field that is below.
    """
    problems = [
        f"{place}{name} (={getattr(record, name)!r}) must be at least {lowest}"
        for name in names
        if getattr(record, name) < lowest
    ]
    if problems:
        raise ConfigError("\n".join(problems))
