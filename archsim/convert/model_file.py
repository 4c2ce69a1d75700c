"""The file itself: bytes into a checked ModelProto, nothing interpreted yet.

Called by `onnx_reader.py`. Refuses what is not an ONNX model and what reaches out of the model's
folder; external weights are left where they are.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # onnx's own messages; no stubs

from archsim.convert.local_functions import inline_functions
from archsim.convert.node import STANDARD_DOMAINS, as_text
from archsim.errors import WorkloadError

MAX_FILE_BYTES = 2**31 - 1
"""What one protobuf message can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A parsed model and what is known of it as a whole.

    Parameters
    ----------
    folder
        Where external tensors may lie.
    model
        Model-local functions already inlined.
    opset
        Version of the standard operators.
    content_hash
        SHA-256 of the file's bytes, hexadecimal.
    assumptions
        Sentences for the report.
    """

    folder: Path
    model: onnx.ModelProto
    opset: int
    content_hash: str
    assumptions: tuple[str, ...]


def read_model(path: Path) -> ModelFile:
    """Parse an ONNX file; external tensors stay where they are.

    Raises
    ------
    WorkloadError
        Not readable, beyond 2 GB, no ONNX model, no graph, no usable opset, or external data outside
        the model's folder.
    """
    content = _read_content(path)
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError as problem:
        raise WorkloadError(
            "not an ONNX model, or cut short: protobuf cannot parse it. Export the model again, or copy the whole file."
        ) from problem
    if not model.HasField("graph") or not model.graph.node:
        raise WorkloadError("holds no graph with nodes, so it is no ONNX model. Export the model again.")
    opset, assumptions = _opset(model)
    _check_external_data(model, path.parent)
    return ModelFile(
        folder=path.parent,
        model=inline_functions(model),
        opset=opset,
        content_hash=hashlib.sha256(content).hexdigest(),
        assumptions=assumptions,
    )


def resolve_external(tensor: onnx.TensorProto, folder: Path) -> Path:
    """Path of a tensor's external data.

    Raises
    ------
    WorkloadError
        The location is absolute, or leaves ``folder`` by ``..`` or by a symbolic link.
    """
    location = as_text(next((entry.value for entry in tensor.external_data if entry.key == "location"), ""))
    windows = PureWindowsPath(location)
    is_absolute = bool(PurePosixPath(location).is_absolute() or windows.drive or windows.root)
    target = (folder / location.replace("\\", "/")) if "\0" not in location else None
    if not location or target is None or is_absolute or ".." in windows.parts or _leaves(target, folder):
        raise WorkloadError(
            f"tensor {tensor.name!r}: its external data {location!r} is not a file inside the model's folder; refused. "
            "Save the model again with its data beside it."
        )
    return target


def _leaves(target: Path, folder: Path) -> bool:
    try:
        return not target.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links, or a name too long: not a file of this folder
        return True


def _read_content(path: Path) -> bytes:
    try:
        if not path.is_file():
            what = "is a directory" if path.is_dir() else "no such file"
            raise WorkloadError(f"cannot be read: {what}. Name an .onnx file.")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise WorkloadError(
                f"{size} bytes; one ONNX file holds at most {MAX_FILE_BYTES}. "
                "Save the weights as external data beside the model."
            )
        return path.read_bytes()
    except (OSError, ValueError) as problem:
        raise WorkloadError(f"cannot be read: {problem}. Name a readable .onnx file.") from problem


def _opset(model: onnx.ModelProto) -> tuple[int, tuple[str, ...]]:
    newest = onnx.defs.onnx_opset_version()
    stated = [entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS]
    if not stated:
        return newest, (f"the model states no opset: its operators are read as opset {newest}",)
    if max(stated) < 1:
        raise WorkloadError(f"opset {max(stated)} does not exist. Export the model with an opset of 7 or later.")
    if max(stated) > newest:
        return newest, (f"opset {max(stated)} is newer than the installed onnx knows: read as opset {newest}",)
    return max(stated), ()


def _check_external_data(model: onnx.ModelProto, folder: Path) -> None:
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            resolve_external(tensor, folder)


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes.extend(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            graphs.extend(attribute.graphs)
            if attribute.HasField("g"):
                graphs.append(attribute.g)
