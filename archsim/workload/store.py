"""workloads/*.yaml -> Workload, every fault of a file at once, each with its line.

Called by the command line and `archsim.load_workload`. What a layer reads must be what its inputs
make: a shape that contradicts the layer before is an error here, not a wrong number later.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

from archsim.config_file import ConfigText, KeyPath, did_you_mean, read_yaml, validate
from archsim.errors import WorkloadError
from archsim.workload.coded_read import Coded, read_coded
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, VectorLayer
from archsim.workload.layer_forms import FORMS, AnyForm, ElementwiseForm, MatmulForm, PlacedForm, WorkloadForm
from archsim.workload.network import Workload, images_of
from archsim.workload.tensors import read_tensors


def read_workload_yaml(path: Path) -> Workload:
    """Read a workload file (schema ``archsim/workload/v1``).

    Parameters
    ----------
    path
        The YAML file.

    Returns
    -------
    Workload
        Layers in the file's order; its ``notes`` become assumptions, its ``tensors`` (an .npz, beside the
        file) counts of zeros.

    Raises
    ------
    WorkloadError
        The file cannot be read, or is wrong: one line per fault, ``file:line: what is wrong``.

    Notes
    -----
    A max or average pool with ``ofmap_rounding: ceil`` keeps a last window that starts in the
    padding; some frameworks drop it. A broadcast operand of ``add``, ``sub`` or ``mul`` is read once. A
    layer that reads a view (concat, reshape) has the layers behind the view as its ``sources``.
    """
    return read_workload_file(path).workload


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkloadFile:
    """A workload, and what a converted one has besides; None of a plain one."""

    workload: Workload
    coded: Coded | None


def read_workload_file(path: Path) -> WorkloadFile:
    """Read as `read_workload_yaml`, and keep the codes of a converted workload."""
    text = read_yaml(path, WorkloadError)
    reading = _Reading(text=text)
    top: WorkloadForm | None = None
    try:
        top = validate(text, WorkloadForm, WorkloadError)
    except WorkloadError as problem:
        reading.faults.append(str(problem))
    reading.read_layers()
    coded = None
    if top is not None and top.ifmap is not None:
        coded = _read_beside(text, top, reading)
    elif top is not None:
        reading.faults += _keys_of_codes(text, reading.forms)
    if reading.faults:
        raise WorkloadError("\n".join(reading.faults))
    workload = Workload(
        name=text.data["name"], layers=tuple(reading.layers), source=text.data.get("source", ""),
        assumptions=tuple(text.data.get("notes", ())), content_hash=text.content_hash,
        images=images_of(reading.layers),
    )  # fmt: skip
    if coded is not None:
        return WorkloadFile(workload=_with_codes(workload, coded), coded=coded)
    beside = text.data.get("tensors")
    return WorkloadFile(
        workload=workload if beside is None else _with_tensors(workload, path.parent / beside), coded=None
    )


def _read_beside(text: ConfigText, top: WorkloadForm, reading: "_Reading") -> Coded | None:
    """Read the arrays; a file that cannot be opened is one more fault."""
    try:
        return read_coded(text, top, reading.forms, reading.faults)
    except WorkloadError as problem:
        reading.faults.append(str(problem))
        return None


def _keys_of_codes(text: ConfigText, forms: Sequence[PlacedForm]) -> Iterator[str]:
    """Yield a fault for each key that says nothing in a plain workload."""
    places: list[KeyPath] = [(key,) for key in ("golden", "calibration") if text.data.get(key) is not None]
    places += [("layers", each.index, "arithmetic") for each in forms if each.form.arithmetic is not None]
    for place in places:
        where = f"{text.path}:{text.line_of(place)}: {'.'.join(map(str, place))}"
        yield f"{where}: only a converted workload has it, one with `ifmap` (its shape, format, exponent)"


def _with_codes(workload: Workload, coded: Coded) -> Workload:
    """Return the workload with the zeros that its codes have; its hash covers both files."""
    shares = {each.layer: each.counts.zero_fraction for each in coded.measured}
    layers = tuple(
        replace(layer, zero_fractions=replace(layer.zero_fractions, weight=shares[layer.name]))
        if isinstance(layer, ConvLayer | MatmulLayer)
        else layer
        for layer in workload.layers
    )
    return replace(workload, layers=layers, measured=coded.measured, masks=coded.weights,
                   assumptions=(*workload.assumptions, *coded.calibration),
                   content_hash=_both_hashes(workload, coded.content_hash))  # fmt: skip


def _both_hashes(workload: Workload, beside: str) -> str:
    return hashlib.sha256((workload.content_hash + beside).encode()).hexdigest()


def _with_tensors(workload: Workload, path: Path) -> Workload:
    """Return the workload with the zeros that its tensors have; its hash covers both files."""
    found = read_tensors(path, workload.layers)
    said = f"zeros of {len(found.measured)} tensors are counted in {path.name}"
    return replace(workload, layers=found.layers, measured=found.measured, masks=found.masks,
                   content_hash=_both_hashes(workload, found.content_hash),
                   assumptions=(*workload.assumptions, said))  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One pass over a file's layers.

    Parameters
    ----------
    text
        The parsed file.
    faults
        Sentences for the user, in order of layers.
    layers
        Built so far.
    forms
        Of the same layers.
    first_lines
        Line where each name of the layers so far was first used, built or not.
    ofmap_words
        Values that each built layer makes, views included. [words]
    behind_views
        Name of each view -> the layers that make its words: what its readers have as ``sources``.
    """

    text: ConfigText
    faults: list[str] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    first_lines: dict[str, int] = field(default_factory=dict)
    forms: list[PlacedForm] = field(default_factory=list)
    ofmap_words: dict[str, int] = field(default_factory=dict)
    behind_views: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read_layers(self) -> None:
        """Check and build every layer, gathering faults."""
        entries = self.text.data.get("layers")
        previous = ""
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            line = self.text.line_of(("layers", index))
            form = self._check_keys(index, entry)
            if form is not None:
                self._build(index, form, previous)
            previous = entry["name"] if isinstance(entry, dict) and isinstance(entry.get("name"), str) else ""
            if previous:
                self.first_lines.setdefault(previous, line)

    def _check_keys(self, index: int, entry: Any) -> AnyForm | None:
        if not isinstance(entry, dict):
            where = f"{self.text.path}:{self.text.line_of(('layers', index))}: layers.{index}"
            self.faults.append(f"{where}: must be a mapping of keys to values (found {entry!r})")
            return None
        op = entry.get("op")
        if not isinstance(op, str) or op not in FORMS:
            where = f"{self.text.path}:{self.text.line_of(('layers', index, 'op'))}: layers.{index}.op"
            fault = "this key is required." if op is None else f"{op!r} is no operator.{did_you_mean(str(op), FORMS)}"
            self.faults.append(f"{where}: {fault} Known: {', '.join(FORMS)}")
            return None
        try:
            return validate(self.text, FORMS[op], WorkloadError, ("layers", index))
        except WorkloadError as problem:
            self.faults.append(str(problem))
            return None

    def _build(self, index: int, form: AnyForm, previous: str) -> None:
        line = self.text.line_of(("layers", index))
        if form.name in self.first_lines:
            taken = self.first_lines[form.name]
            self._add_fault(line, form, f"this name is taken by line {taken}; every layer needs its own")
        inputs = form.inputs if form.inputs is not None else (previous,) if previous else ()
        weight_input = form.weight_input if isinstance(form, MatmulForm) else None
        if not self._are_earlier(line, form, (*inputs, weight_input) if weight_input else inputs):
            return
        known_words = [self.ofmap_words[name] for name in inputs if name in self.ofmap_words]
        try:
            layer = form.build(self._see_through_views(inputs), known_words)
        except WorkloadError as problem:
            self.faults.append(f"{self.text.path}:{line}: {problem}")
            return
        if len(known_words) == len(inputs):
            self._check_ifmap(line, form, inputs)
        if isinstance(form, MatmulForm) and weight_input in self.ofmap_words:
            self._check_weights(line, form, weight_input)
        self.layers.append(layer)
        self.forms.append(PlacedForm(form=form, inputs=inputs, index=index))
        self.ofmap_words[form.name] = form.elements if isinstance(form, ElementwiseForm) else layer.ofmap_words
        if isinstance(layer, VectorLayer) and layer.is_view:
            self.behind_views[form.name] = layer.sources

    def _see_through_views(self, inputs: tuple[str, ...]) -> tuple[str, ...]:
        """Return the layers that made the words of ``inputs``, each once."""
        return tuple(dict.fromkeys(source for name in inputs for source in self.behind_views.get(name, (name,))))

    def _are_earlier(self, line: int, form: AnyForm, names: tuple[str, ...]) -> bool:
        unknown = [name for name in names if name not in self.first_lines]
        for name in unknown:
            hint = did_you_mean(name, self.first_lines)
            self._add_fault(line, form, f"input {name!r} is not the name of an earlier layer.{hint}")
        return not unknown

    def _check_ifmap(self, line: int, form: AnyForm, inputs: tuple[str, ...]) -> None:
        wanted = prod(form.ifmap_shape)
        made = [self.ofmap_words[name] for name in inputs]
        if isinstance(form, ElementwiseForm) and form.operands > 1:
            fits = len(made) <= form.operands and all(wanted % words == 0 for words in made)
        else:
            fits = not made or sum(made) == wanted
        if not fits:
            shape = " x ".join(map(str, form.ifmap_shape))
            makers = ", ".join(f"{name!r} makes {words}" for name, words in zip(inputs, made, strict=True))
            self._add_fault(line, form, f"reads {shape} = {wanted} words, but {makers}. Correct the shape or `inputs`")

    def _check_weights(self, line: int, form: MatmulForm, source: str) -> None:
        wanted, made = form.batches * form.inner * form.columns, self.ofmap_words[source]
        if wanted != made:
            shape = f"{form.batches} x {form.inner} x {form.columns}"
            fault = f"takes {shape} = {wanted} words as weights, but {source!r} makes {made}. "
            self._add_fault(line, form, fault + "Correct the shape or `weight_input`")

    def _add_fault(self, line: int, form: AnyForm, fault: str) -> None:
        self.faults.append(f"{self.text.path}:{line}: layer {form.name!r}: {fault}")
