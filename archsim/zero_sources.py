"""A workload with its zeros: from real images, from masks in files, or drawn; what `--inputs`, `--masks`, `--zeros` ask for.

Called by `cli_run.py`; `archsim.load_masks` and `archsim.load_on_images` are for scripts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.arch.architecture import Architecture
from archsim.catalog import load_workload, workload_path
from archsim.engine.zero_shares import with_zeros
from archsim.errors import ConfigError, WorkloadError
from archsim.workload.coded_network import CodedNetwork
from archsim.workload.mask_files import load_masks
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_file
from archsim.workload.zero_masks import NetworkMasks
from archsim.workload.zero_request import parse_zeros

if TYPE_CHECKING:
    from archsim.convert.float_network import FloatNetwork
    from archsim.convert.image_files import ImageSet

MAX_IMAGES = 100_000
"""Read where the text gives no number and there is no batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroSources:
    """What the command line says of zeros.

    Parameters
    ----------
    masks
        Folder of masks.
    inputs
        Images: see `image_files.GRAMMAR`.
    zeros
        Texts of `zero_request.parse_zeros`.

    Raises
    ------
    ConfigError
        Two of them say the same, or a text of ``zeros`` means nothing.
    """

    masks: Path | None = None
    inputs: str | None = None
    zeros: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.inputs is not None and self.masks is not None:
            raise ConfigError("--inputs and --masks both say where zeros stand: give one of them")
        if self.inputs is not None and self.zeros:
            raise ConfigError("--inputs says where all zeros stand: leave out --zeros, which says how to draw them")
        parse_zeros(self.zeros)

    def load(self, workload: str | Path, batch: int | None) -> Workload:
        """Read a workload with its zeros; without a batch it takes as many images as there are inputs."""
        if self.inputs is not None:
            return load_on_images(workload, self.inputs, batch)
        network = load_workload(workload, batch=batch)
        if self.masks is not None:
            network = network.with_masks(load_masks(self.masks, network))
        return network

    def draw(self, network: Workload) -> Workload:
        """Return the layers that run, with what `--zeros` says of those that no mask is known of."""
        return with_zeros(network, parse_zeros(self.zeros))


def load_on_images(workload: str | Path, images: str, batch: int | None = None) -> Workload:
    """Read a workload and run it on images, so that it knows its zeros.

    Parameters
    ----------
    workload
        An ``.onnx`` with its weights, or a converted workload.
    images
        See `image_files.GRAMMAR`.
    batch
        The first so many; None = all.

    Raises
    ------
    ConfigError
        The images cannot be read, or are fewer than the batch.
    WorkloadError
        The workload has no weights, or the images do not fit it.
    """
    from archsim.convert.image_files import read_images  # noqa: PLC0415 - what it needs takes long to import

    path = workload_path(workload)
    source = _weighted(path)
    found = read_images(images, at_most=MAX_IMAGES if batch is None else None)
    if batch is not None and len(found) < batch:
        raise ConfigError(f"--batch {batch} takes more images than the {len(found)} of {images!r}. Ask for no more.")
    found = found if batch is None else found.first(batch)
    network = load_workload(path, batch=len(found))
    return network.with_masks(_infer(source, network, found))


def unused_places(arch: Architecture, sources: ZeroSources) -> Iterator[str]:
    """Yield what an arch that steps over no zero makes of what is said of their places: a sentence, or nothing."""
    said = {"--inputs": sources.inputs, "--masks": sources.masks, "--zeros": sources.zeros}
    if not arch.pe_array.skips and any(said.values()):
        given = " and ".join(option for option, value in said.items() if value)
        yield (
            f"{arch.name} steps over no zeros: of {given} only the shares of zeros are used (effectual MACs, gated MACs, "
            "codes on the DRAM channel), not their places"
        )


def _weighted(path: Path) -> "CodedNetwork | FloatNetwork":
    """Read a network with its weights.

    Raises
    ------
    WorkloadError
        It has none.
    """
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        from archsim.convert.float_reader import read_float_network  # noqa: PLC0415 - onnx takes 0.3 s to import

        return read_float_network(path)
    coded = read_workload_file(path).coded if suffix in (".yaml", ".yml") else None
    if coded is None:
        raise WorkloadError(
            f"{path}: has shapes but no weights, so that no image can be run through it for --inputs. Give the .onnx that it "
            "came from, a workload that archsim convert wrote, masks of its tensors (--masks), or shares of zeros (--zeros)"
        )
    return coded.network


def _infer(source: "CodedNetwork | FloatNetwork", network: Workload, images: "ImageSet") -> NetworkMasks:
    from archsim.convert.zeros_on_images import masks_of_codes, masks_of_floats  # noqa: PLC0415 - as above

    if isinstance(source, CodedNetwork):
        return masks_of_codes(source, network, images)
    return masks_of_floats(source, network, images)
