"""Frozen dataclasses as plain JSON values and back.

`study/result.py` writes the resolved arch and workload of a run with it, `study/saved_run.py` reads them
again. A union of dataclasses is told apart by its fields, a number format by its name, so no class name stands in
the file.
"""

import json
import math
import types
import typing
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any

from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def to_plain(value: Any) -> Plain:
    """Return dataclasses as mappings, tuples as lists, sets as sorted lists, enums as their values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted((to_plain(item) for item in value), key=repr)
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    return _plain_scalar(value)


def json_text(value: Any) -> str:
    """Return JSON that people can read: two spaces of indent, every digit of a float, a last line feed."""
    text = json.dumps(to_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode(errors="backslashreplace").decode()  # JSON's own escape, for a file name that is not UTF-8


def from_plain(wanted: Any, value: Any, key: str) -> Any:
    """Return ``value`` as an instance of the annotation ``wanted``.

    Parameters
    ----------
    wanted
        A dataclass, enum, ``tuple[...]``, ``frozenset[...]``, union, ``float``, ``Fraction``, ``int``, ``bool``, ``str``
        or None.
    value
        What `to_plain` made, after a trip through JSON.
    key
        Where the value stands, for messages.

    Raises
    ------
    ValueError
        The value does not fit; the message opens with the key.
    """
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        return _from_union(typing.get_args(wanted), value, key)
    if origin in (tuple, frozenset):
        return origin(_items(wanted, value, key))
    if wanted is NumberFormat:
        return _from_format(value, key)
    if is_dataclass(wanted):
        return _from_mapping(wanted, value, key)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _from_enum(wanted, value, key)
    return _from_scalar(wanted, value, key)


def _items(wanted: Any, value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise _misfit(wanted, value, key)
    kinds = typing.get_args(wanted)
    if typing.get_origin(wanted) is frozenset or kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _misfit(wanted, value, key)
    pairs = enumerate(zip(kinds, value, strict=True))
    return [from_plain(kind, item, f"{key}.{index}") for index, (kind, item) in pairs]


def _from_mapping(wanted: Any, value: Any, key: str) -> Any:
    if not isinstance(value, dict):
        raise _misfit(wanted, value, key)
    hints = _hints(wanted)
    for name in sorted(hints.keys() ^ value.keys()):
        raise ValueError(f"{key}.{name}: " + ("missing" if name in hints else "no such key"))
    return wanted(**{name: from_plain(hints[name], item, f"{key}.{name}") for name, item in value.items()})


def _from_format(value: Any, key: str) -> NumberFormat:
    """Return the format of the name in a record of one, whatever its class; its other entries must be the name's."""
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(name, str):
        raise _misfit(NumberFormat, value, key)
    try:
        fmt = parse_format(name)
    except ValueError as problem:
        raise ValueError(f"{key}.name: {problem}") from None
    if to_plain(fmt) != value:
        raise ValueError(f"{key}: its entries are not those of {name}")
    return fmt


def _plain_scalar(value: Any) -> Plain:
    if isinstance(value, Enum):
        return _plain_scalar(value.value)
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form")


@cache
def _hints(wanted: Any) -> dict[str, Any]:
    return typing.get_type_hints(wanted)


def _from_union(choices: tuple[Any, ...], value: Any, key: str) -> Any:
    if isinstance(value, dict):
        for choice in choices:
            if is_dataclass(choice) and {field.name for field in fields(choice)} == value.keys():
                return from_plain(choice, value, key)
        raise ValueError(f"{key}: its keys are those of no known record (found {', '.join(sorted(value))})")
    if value is None and types.NoneType in choices:
        return None
    for choice in choices:
        if choice is not types.NoneType and not is_dataclass(choice):
            return from_plain(choice, value, key)
    raise ValueError(f"{key}: cannot be {value!r}")


def _from_enum(wanted: type[Enum], value: Any, key: str) -> Enum:
    try:
        return wanted(value)
    except ValueError:
        known = ", ".join(str(member.value) for member in wanted)
        raise ValueError(f"{key}: {value!r} is none of {known}") from None


def _from_scalar(wanted: Any, value: Any, key: str) -> Any:
    if wanted in (float, Fraction) and isinstance(value, str):
        try:
            return wanted(value)
        except (ValueError, ZeroDivisionError):
            raise _misfit(wanted, value, key) from None
    fits = (int, float) if wanted is float else wanted
    if not isinstance(value, fits) or (isinstance(value, bool) and wanted is not bool):
        raise _misfit(wanted, value, key)
    return value


def _misfit(wanted: Any, value: Any, key: str) -> ValueError:
    shown = repr(value)
    kind = getattr(wanted, "__name__", str(wanted))
    return ValueError(f"{key}: must be {kind} (found {shown if len(shown) <= 60 else shown[:57] + '...'})")
