"""`--set KEY=VALUE`: settings written over a file's data before it is checked.

Called by `schema.py` and `scalesim_cfg.py`; the schema then judges keys and values, and
`config_file.py` names the setting, not a line of the file, in what it says of them.
"""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archsim.config_file import ConfigText, KeyPath, did_you_mean, parse_value, shortened
from archsim.errors import ConfigError


def apply_settings(text: ConfigText, settings: Sequence[str]) -> ConfigText:
    """Write settings over the data of a file.

    Parameters
    ----------
    text
        The file.
    settings
        ``KEY=VALUE`` each, the last one of a key winning. KEY is a dotted path; an element of a list is
        named by its index or by its ``name`` (``levels.glb.ports``). VALUE is a YAML value; ``null``
        takes the key out, so that its default holds.

    Returns
    -------
    ConfigText
        New data, a new hash, and in ``origins`` the paths that the settings wrote.

    Raises
    ------
    ConfigError
        One line per setting that is not KEY=VALUE or whose path leads nowhere.
    """
    problems = []
    result = replace(text, data=copy.deepcopy(text.data))
    for setting in settings:
        try:
            result = _apply(result, setting)
        except ValueError as problem:
            problems.append(f"{origin(setting)}: {problem}")
    if problems:
        raise ConfigError("\n".join(problems))
    if not settings:
        return result
    return replace(result, content_hash=_hash_with(text.content_hash, settings))


def origin(setting: str) -> str:
    """Return what messages and reports call a setting: it as it was typed, a long one cut."""
    return f"--set {shortened(setting)}"


def _apply(text: ConfigText, setting: str) -> ConfigText:
    key, equals, value = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ValueError("must be KEY=VALUE with a dotted KEY, e.g. pe_array.rows=8")
    parent, path, created = _find_parent(text.data, parts)
    _write(parent, path[-1], parse_value(value))
    lines = {at: line for at, line in text.lines.items() if at[: len(path)] != path}
    origins = {at: origin for at, origin in text.origins.items() if at[: len(path)] != path}
    origins.update(dict.fromkeys([*created, path], origin(setting)))
    return replace(text, lines=lines, origins=origins)


def _find_parent(data: Any, parts: list[str]) -> tuple[Any, KeyPath, list[KeyPath]]:
    """Walk to the mapping or list that holds the last part; missing mappings on the way are made."""
    path: KeyPath = ()
    created: list[KeyPath] = []
    for depth, part in enumerate(parts):
        step = _step(data, part, ".".join(parts[:depth]))
        path = (*path, step)
        if depth == len(parts) - 1:
            break
        if isinstance(data, dict) and data.get(step) is None:
            data[step] = {}
            created.append(path)
        data = data[step]
    return data, path, created


def _step(data: Any, part: str, where: str) -> str | int:
    if isinstance(data, dict):
        return part
    if not isinstance(data, list):
        raise ValueError(f"{where} is {data!r}, it has no keys of its own")  # noqa: TRY004 - a wrong path, not a type
    if part.isdecimal():
        if int(part) < len(data):
            return int(part)
        raise ValueError(f"{where} has {len(data)} elements, 0 to {len(data) - 1}")
    names = [str(item["name"]) for item in data if isinstance(item, dict) and "name" in item]
    if part in names:
        return next(i for i, item in enumerate(data) if isinstance(item, dict) and item.get("name") == part)
    hint = did_you_mean(part, names) or f" Its elements: {', '.join(names)}"
    raise ValueError(f"{where} has no element named {part!r}.{hint}")


def _write(parent: Any, step: str | int, value: Any) -> None:
    if value is None and isinstance(parent, dict):
        parent.pop(step, None)
    else:
        parent[step] = value


def _hash_with(content_hash: str, settings: Sequence[str]) -> str:
    return hashlib.sha256("\n".join([content_hash, *settings]).encode()).hexdigest()
