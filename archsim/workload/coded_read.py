"""Keys of a converted workload + arrays beside it -> CodedNetwork, every fault with the line of its layer.

Called by `store.py` where a workload has the key ``ifmap``, after each key was checked by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.config_file import ConfigText, did_you_mean
from archsim.numerics.link_code import count_zeros
from archsim.terms import Operand
from archsim.workload.coded_arrays import GOLDEN_IFMAP, ArrayFile, check_codes
from archsim.workload.coded_network import (
    CodedAdd,
    CodedLayer,
    CodedNetwork,
    CodedOutput,
    CodedPool,
    CodedProduct,
    IntArray,
)  # fmt: skip
from archsim.workload.coded_product_read import ProductReader
from archsim.workload.coded_shapes import Shape, ofmap_shape
from archsim.workload.coded_vector_read import odd_sizes, read_shape, vector_layer
from archsim.workload.converted_forms import IfmapForm
from archsim.workload.golden import Golden
from archsim.workload.layer_forms import ConvForm, ElementwiseForm, MatmulForm, PlacedForm, WorkloadForm
from archsim.workload.npz_file import WrongArrayError, hash_file, open_npz, show_shape
from archsim.workload.packed_mask import pack_mask
from archsim.workload.tensor_zeros import MeasuredZeros
from archsim.workload.zero_masks import NetworkMasks

RUN_OPS = ("conv", "fc", "max_pool", "average_pool", "global_average_pool", "add", "relu", "reshape")
"""Operators that are run bit for bit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coded:
    """What a converted workload has beside its layers.

    Parameters
    ----------
    network
        As it runs bit for bit.
    golden
        Inputs and checksums; None where the file has none.
    masks
        Product layer -> weights kept, where some were pruned.
    measured, weights
        Zeros of every weight tensor: counted in its codes, and where they stand.
    calibration
        Sentences: how its scales were found.
    content_hash
        Of the arrays' file.
    """

    network: CodedNetwork
    golden: Golden | None
    masks: dict[str, NDArray[np.bool_]]
    measured: tuple[MeasuredZeros, ...]
    weights: NetworkMasks
    calibration: tuple[str, ...]
    content_hash: str


def read_coded(text: ConfigText, top: WorkloadForm, forms: Sequence[PlacedForm], faults: list[str]) -> Coded | None:
    """Read the arrays beside a converted workload.

    Parameters
    ----------
    text, top
        The file, and its top level.
    forms
        Of the layers whose keys are right, in the file's order.
    faults
        Of the file so far; those found here are added.

    Returns
    -------
    Coded or None
        None where there are faults.

    Raises
    ------
    WorkloadError
        The file of arrays cannot be read at all.
    """
    assert top.ifmap is not None, "what makes a workload a converted one"
    if top.tensors is None:
        faults.append(
            f"{text.path}:{text.line_of(('ifmap',))}: tensors: a converted workload names the .npz of its codes"
        )
        return None
    path = Path(text.path).parent / top.tensors
    with open_npz(path) as archive:
        reading = _Reading(text=text, top=top, arrays=ArrayFile(archive=archive), faults=faults, path=path)
        return reading.read(forms)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One pass over the layers of a converted workload.

    Parameters
    ----------
    written, shapes
        Of each tensor so far: how its codes are written, and its shape for one input; "" = the network's input.
    """

    text: ConfigText
    top: WorkloadForm
    arrays: ArrayFile
    faults: list[str]
    path: Path
    layers: list[CodedLayer] = field(default_factory=list)
    masks: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    written: dict[str, CodedOutput] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def read(self, forms: Sequence[PlacedForm]) -> Coded | None:
        is_whole = not self.faults
        ifmap = self.top.ifmap
        assert ifmap is not None, "checked by the caller"
        network_ifmap = CodedOutput(format=ifmap.number_format, exponent=ifmap.exponent)
        self.written[""], self.shapes[""] = network_ifmap, ifmap.shape
        for placed in forms:
            self._read_layer(placed)
        golden = self._golden(ifmap)
        if is_whole:
            self._name_unknown()
        if self.faults:
            return None
        network = CodedNetwork(
            name=self.top.name, ifmap_shape=ifmap.shape, ifmap=network_ifmap, layers=tuple(self.layers)
        )
        settings = "; ".join(f"{key}: {text}" for key, text in (self.top.calibration or {}).items() if text != "no")
        said = (f"converted with {settings}",) if settings else ()
        nonzero = {(layer.name, Operand.WEIGHT): _nonzero_weights(layer) for layer in network.products}
        counted = {place: count_zeros(mask) for place, mask in nonzero.items()}
        return Coded(
            network=network,
            golden=golden,
            masks=self.masks,
            measured=tuple(MeasuredZeros(layer=name, operand=of, counts=each) for (name, of), each in counted.items()),
            weights=NetworkMasks(of={place: pack_mask(mask, "the weights' codes") for place, mask in nonzero.items()}),
            calibration=said,
            content_hash=hash_file(self.path),
        )

    def _read_layer(self, placed: PlacedForm) -> None:
        form = placed.form
        if not self._can_run(placed):
            return
        sources = placed.inputs or ("",)
        if form.op == "add" and len(sources) == 1:
            sources = (*placed.inputs, "") if placed.inputs else ("", "")
        if not all(source in self.shapes for source in sources):
            return  # a layer that is wrong itself makes it
        self._check_ifmap(placed, sources)
        if isinstance(form, ConvForm | MatmulForm):
            self._read_product(placed, form, sources[0])
            return
        layer = vector_layer(form, sources)
        self.layers.append(layer)
        self.written[form.name] = layer.output if isinstance(layer, CodedPool | CodedAdd) else self.written[sources[0]]
        self.shapes[form.name] = self.shapes[sources[0]]
        if not isinstance(form, ElementwiseForm):
            self.shapes[form.name] = ofmap_shape(layer, read_shape(form))
        elif form.op == "reshape":
            self.shapes[form.name] = (form.elements,)
        self._check_ofmap(placed)

    def _can_run(self, placed: PlacedForm) -> bool:
        """Find what a converted workload needs and a plain one does not."""
        form = placed.form
        if form.op not in RUN_OPS:
            self._fault(placed, f"op {form.op!r} is not run bit for bit. Known: {', '.join(RUN_OPS)}")
            return False
        computes = not isinstance(form, ElementwiseForm) or form.op == "add"
        wanted = {"formats": form.formats, **({"arithmetic": form.arithmetic} if computes else {})}
        missing = [key for key, value in wanted.items() if value is None]
        for key in missing:
            self._fault(placed, f"{key}: this key is required in a converted workload")
        if not computes and form.arithmetic is not None:
            self._fault(placed, f"arithmetic: {form.op!r} computes nothing that it could say", "arithmetic")
        if getattr(form.arithmetic, "counts_padding", False) and form.op != "average_pool":
            self._fault(placed, f"arithmetic.counts_padding: {form.op!r} counts no padding", "arithmetic")
        sizes = odd_sizes(form)
        for key in sizes:
            self._fault(placed, f"{key}: a converted workload is of one input, 2-D, its windows whole", key)
        return not missing and not sizes

    def _check_ifmap(self, placed: PlacedForm, sources: tuple[str, ...]) -> None:
        """Find a format, exponent or shape that is not that of the layers it reads."""
        form = placed.form
        for source in sources:
            maker = f"{source!r} makes" if source else "the network's input is"
            made = self.written[source]
            if made.format is None:
                self._fault(placed, f"{source!r} leaves raw sums, which no layer can read")
                continue
            assert form.formats is not None, "checked before"
            fmt = form.formats.build().ifmap
            if source == sources[0] and fmt != made.format:
                self._fault(placed, f"formats.ifmap (={fmt.name!r}) but {maker} {made.format.name!r}", "formats")
            exponent = getattr(form.arithmetic, "ifmap_exponent", made.exponent)
            if exponent != made.exponent:
                self._fault(
                    placed, f"arithmetic.ifmap_exponent (={exponent}) but {maker} {made.exponent}", "arithmetic"
                )
            self._check_shape(placed, source, maker)

    def _check_shape(self, placed: PlacedForm, source: str, maker: str) -> None:
        """Find words that are right in number and wrong in place; `store.py` counts those that another layer makes."""
        reads, shape = read_shape(placed.form), self.shapes[source]
        is_flat = isinstance(placed.form, ElementwiseForm)
        is_counted_elsewhere = bool(source) and prod(reads) != prod(shape)
        if not is_counted_elsewhere and reads != ((prod(shape),) if is_flat else shape):
            self._fault(placed, f"reads {show_shape(reads)}, but {maker} {show_shape(shape)}")

    def _read_product(self, placed: PlacedForm, form: ConvForm | MatmulForm, source: str) -> None:
        reader = ProductReader(self.arrays, lambda text: self._fault(placed, text))
        if self.written[source].format is None:
            return
        layer = reader.read(form, source, self.written[source])
        mask = reader.mask(form, layer)
        assert form.formats is not None, "checked before"
        assert form.arithmetic is not None, "checked before"
        self.written[form.name] = CodedOutput(
            format=None if form.arithmetic.raw_sums else form.formats.build().ofmap,
            exponent=form.arithmetic.ofmap_exponent,
        )
        self.shapes[form.name] = (
            (form.columns,) if isinstance(form, MatmulForm) else (form.out_channels, *form.build((), ()).ofmap)
        )
        if layer is not None:
            self.layers.append(layer)
        if mask is not None:
            self.masks[form.name] = mask

    def _check_ofmap(self, placed: PlacedForm) -> None:
        """Find a relu or reshape that claims to write another format than it reads."""
        formats, made = placed.form.formats, self.written[placed.form.name].format
        assert formats is not None, "checked before"
        ofmap = formats.build().ofmap
        if made is not None and ofmap != made:
            self._fault(placed, f"formats.ofmap (={ofmap.name!r}) but {placed.form.op} writes {made.name!r}", "formats")

    def _golden(self, ifmap: IfmapForm) -> Golden | None:
        keys = self.top.golden
        if keys is None:
            return None
        line = self.text.line_of(("golden",))
        names = [layer.name for layer in self.layers]
        if not self.faults:  # a layer that could not be read would be told twice
            strange = [name for name in keys.checksums if name not in self.shapes]
            bare = [name for name in names if name not in keys.checksums]
            self.faults += [
                f"{self.text.path}:{line}: golden: no layer {name!r}.{did_you_mean(name, names)}" for name in strange
            ]
            self.faults += [f"{self.text.path}:{line}: golden: layer {name!r} has no checksum" for name in bare]
        try:
            codes: IntArray = self.arrays.take(GOLDEN_IFMAP, (keys.images, *ifmap.shape))
            check_codes(codes, ifmap.number_format)
        except WrongArrayError as problem:
            self.faults.append(f"{self.text.path}:{line}: {GOLDEN_IFMAP}: {problem}")
            return None
        return Golden(ifmap=codes, checksums=dict(keys.checksums))

    def _name_unknown(self) -> None:
        for name in sorted(self.arrays.names - self.arrays.taken):
            hint = did_you_mean(name, self.arrays.taken)
            self.faults.append(f"{self.path}: {name}: nothing in {Path(self.text.path).name} has this array.{hint}")

    def _fault(self, placed: PlacedForm, text: str, key: str = "") -> None:
        line = self.text.line_of(("layers", placed.index, *((key,) if key else ())))
        self.faults.append(f"{self.text.path}:{line}: layer {placed.form.name!r}: {text}")


def _nonzero_weights(layer: CodedProduct) -> NDArray[np.bool_]:
    """Return the weights that do not decode to zero, as a mask has them: those of a matrix are (1, inner, columns)."""
    nonzero: NDArray[np.bool_] = layer.weight.values != 0
    return nonzero if layer.window is not None else np.ascontiguousarray(nonzero.T)[None]
