"""How a file is read: YAML that remembers its lines, and its errors as sentences.

The one door to PyYAML. `arch/schema.py` and `workload/store.py` hand the data to pydantic and give
the errors back here, so that every message names file, line and key, and all of a file at once.
"""

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from archsim.errors import ArchsimError

MAX_FILE_BYTES = 20_000_000
MAX_NODES = 2_000_000
MESSAGES = {
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}
"""Where pydantic's words speak of Python rather than of the file."""

KeyPath = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigText:
    """A parsed file, the line of each key, and a hash of its text.

    Parameters
    ----------
    path
        As the user wrote it.
    data
        Plain Python values: what ``yaml.safe_load`` would give.
    lines
        1-based line of each key path, e.g. ``('levels', 0, 'name')``.
    content_hash
        SHA-256 of the bytes, hexadecimal.
    origins
        Key paths whose value came from elsewhere, and what to call that place: ``--set a.b=1``.
    """

    path: str
    data: Any
    lines: Mapping[KeyPath, int]
    content_hash: str
    origins: Mapping[KeyPath, str] = field(default_factory=dict)

    def origin_of(self, key_path: KeyPath) -> KeyPath | None:
        """Longest part of the path that came from elsewhere; None = the file wrote it."""
        for end in range(len(key_path), 0, -1):
            if key_path[:end] in self.origins:
                return key_path[:end]
            if key_path[:end] in self.lines:
                return None
        return None

    def line_of(self, key_path: KeyPath) -> int:
        """Line of the key, or of the nearest parent that the file has."""
        known = tuple(part for i, part in enumerate(key_path) if key_path[: i + 1] in self.lines)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known, 1)


def legible(path: Path) -> Path:
    """Return the path with what is not UTF-8 in it replaced, for names that reports show."""
    return Path(str(path).encode(errors="surrogateescape").decode(errors="replace"))


def read_bytes(path: Path, error: type[ArchsimError]) -> bytes:
    """Read a whole file that a person named.

    Raises
    ------
    ArchsimError
        Of class ``error``: missing, a directory, unreadable, or beyond 20 MB.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise error(f"{path}: {path.stat().st_size} bytes; files beyond {MAX_FILE_BYTES} bytes are refused")
        return path.read_bytes()
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}") from problem


def read_text(path: Path, error: type[ArchsimError]) -> str:
    """Read a UTF-8 text file; a byte order mark is dropped. Raises as `read_bytes`."""
    try:
        return read_bytes(path, error).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(f"{path}: not a UTF-8 text file (byte {problem.start})") from problem


def read_yaml(path: Path, error: type[ArchsimError]) -> ConfigText:
    """Read a YAML mapping safely, with its lines.

    Raises
    ------
    ArchsimError
        Of class ``error``: not readable, not YAML, a key twice, too large, or not a mapping.
    """
    return _read_mapping(path, error, yaml.SafeLoader)


def read_tagged_yaml(path: Path, error: type[ArchsimError]) -> ConfigText:
    """Read a YAML mapping whose values may carry tags of another tool (``!Memory``); the tags are let be.

    Nothing but mappings, lists and scalars is made of them. Raises as `read_yaml`.
    """
    return _read_mapping(path, error, _TagBlindLoader)


class _TagBlindLoader(yaml.SafeLoader):
    """A safe loader to which an unknown tag is no tag."""


def _without_tag(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode), "YAML has no fourth kind of node"
    return loader.construct_scalar(node)


_TagBlindLoader.add_multi_constructor("!", _without_tag)


def _read_mapping(path: Path, error: type[ArchsimError], loader: type[yaml.SafeLoader]) -> ConfigText:
    text = read_text(path, error)
    try:
        root = yaml.compose(text, Loader=loader)
        lines: dict[KeyPath, int] = {}
        _collect_lines(root, (), lines, path, error)
        data = yaml.load(text, Loader=loader)  # noqa: S506  (a SafeLoader either way)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise error(f"{path}:{line}: not valid YAML: {problem.problem or problem.context}") from problem
    except RecursionError as problem:
        raise error(f"{path}: nested too deeply, or a value that holds itself") from problem
    except (yaml.YAMLError, ValueError) as problem:
        raise error(f"{path}: not valid YAML: {str(problem).splitlines()[0]}") from problem
    if not isinstance(data, dict):
        raise error(f"{path}:1: must be a mapping of keys to values (found {type(data).__name__})")
    return ConfigText(path=str(path), data=data, lines=lines, content_hash=hashlib.sha256(text.encode()).hexdigest())


def parse_value(text: str) -> Any:
    """Read one YAML value, as the right-hand side of ``--set KEY=VALUE``.

    Raises
    ------
    ValueError
        Not YAML.
    """
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise ValueError(f"{shortened(repr(text))} is not a YAML value") from problem


def _collect_lines(
    node: yaml.Node | None, at: KeyPath, lines: dict[KeyPath, int], path: Path, error: type[ArchsimError]
) -> None:
    if len(lines) > MAX_NODES:
        raise error(f"{path}: more than {MAX_NODES} values (aliases expanded); refused")
    if isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key_node, value in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise error(f"{path}:{key_node.start_mark.line + 1}: a key must be one word, not a list or mapping")
            key = key_node.value
            if key in seen:
                raise error(f"{path}:{key_node.start_mark.line + 1}: key {key!r} appears twice in one mapping")
            seen.add(key)
            lines[(*at, key)] = key_node.start_mark.line + 1
            _collect_lines(value, (*at, key), lines, path, error)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            _collect_lines(value, (*at, index), lines, path, error)


def validate(text: ConfigText, model: type[Model], error: type[ArchsimError], at: KeyPath = ()) -> Model:
    """Check a file, or the part of it at the key path ``at``, against its schema.

    Raises
    ------
    ArchsimError
        Of class ``error``, one line per fault: ``file:line: key.path: what is wrong (found value)``.
    """
    data = text.data
    for part in at:
        data = data[part]
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        raise error("\n".join(_sentences(text, problem, known_keys(model), at))) from problem


def known_keys(model: type[BaseModel]) -> set[str]:
    """Every key that the schema knows, at any depth."""
    found: set[str] = set()
    pending: list[Any] = [model]
    while pending:
        current = pending.pop()
        if isinstance(current, type) and issubclass(current, BaseModel):
            found.update(field.alias or name for name, field in current.model_fields.items())
            pending.extend(field.annotation for field in current.model_fields.values())
        else:
            pending.extend(getattr(current, "__args__", ()))
    return found


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def shortened(text: str) -> str:
    """Return the text, its end left out where it is longer than 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."


def _sentences(text: ConfigText, problem: ValidationError, known: set[str], at: KeyPath) -> list[str]:
    return [_sentence(text, fault, known, at) for fault in problem.errors()]


def _sentence(text: ConfigText, fault: ErrorDetails, known: set[str], at: KeyPath) -> str:
    loc = (*at, *(part for part in fault["loc"] if part not in ("sram", "dram")))
    key = ".".join(map(str, loc)) or "file"
    found = f" (found {shortened(repr(fault['input']))})"
    where = f"{text.path}:{text.line_of(loc)}: {key}"
    origin = text.origin_of(loc)
    if origin is not None:
        where = text.origins[origin] if origin == loc else f"{text.origins[origin]}: {key}"
        found = "" if origin == loc else found
    if fault["type"] == "extra_forbidden":
        return f"{where}: no such key{found}.{did_you_mean(str(loc[-1]), known - {loc[-1]})}"
    if fault["type"] == "missing":
        return f"{where}: this key is required"
    message = MESSAGES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    return f"{where}: {message[0].lower()}{message[1:]}{found}"
