"""What `archsim convert` does: request -> conversion -> workload and report. Called by `cli_convert.py`.

The passes are in `convert/pipeline.py`; here the model and the images are found, and the network is priced in other
formats beside its own. Nothing is written before all of it is known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from threadpoolctl import threadpool_limits

from archsim.arch.architecture import Architecture
from archsim.catalog import find_model, load_arch
from archsim.convert.evaluate import coded_accuracy
from archsim.convert.faults import Faults
from archsim.convert.image_files import ImageSet, place_of, read_images, training_part
from archsim.convert.layer_records import ifmap_zeros, layer_records
from archsim.convert.measured import measure_network
from archsim.convert.pipeline import GOLDEN_IMAGES, Conversion, Images, convert_model, in_format
from archsim.convert.quantise import coded_in
from archsim.convert.request import Request
from archsim.convert.stored_size import coded_bits, float_bits
from archsim.engine.bit_true import encode_images
from archsim.engine.golden_run import make_golden
from archsim.errors import ConfigError
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberKind
from archsim.study.conversion import FLOAT_NAME, Accuracy, ConversionReport, FormatRow, bytes_of
from archsim.study.directory import check_directory
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.workload.coded_network import CodedNetwork
from archsim.workload.coded_store import check_place, read_converted, write_converted
from archsim.workload.coded_yaml import Origin

CALIBRATION_IMAGES = 1000
"""Taken where the request gives no number: the first of the training images, in file order. [images]"""

REPORT_ARCH = "tpu_like"
"""Chip of a report's comparison of formats, where the request names none."""
LEAST_IMAGES = 500
"""Calibration images that scales should rest on. [images]"""


def convert(request: Request) -> tuple[Conversion, ConversionReport]:
    """Convert a model as asked; write nothing.

    Raises
    ------
    ConfigError
        The request cannot be read, images are missing or broken, or the workload could not be written: all at once.
    WorkloadError
        The model cannot be converted, or does not fit the images.
    """
    faults = Faults()
    recipe = faults.of(request.recipe)
    path = faults.of(lambda: find_model(request.model))
    chip = faults.of(lambda: _chip(request))
    images = _images(request, faults)
    if request.out is not None:
        out = request.out
        faults.of(lambda: check_place(out, _files_read(request)))
    if request.report is not None:
        report_place = request.report
        faults.of(lambda: check_directory(report_place, "--report"))
    faults.stop()
    assert recipe is not None, "or a fault was raised"
    assert path is not None, "or a fault was raised"
    assert images is not None, "or a fault was raised"
    with threadpool_limits(limits=1, user_api="blas"):  # the order of float sums must not depend on the machine's cores
        conversion = convert_model(path, recipe, images)
        rows = tuple(_format_rows(request, conversion, images, chip))
    report = ConversionReport(
        model=str(path),
        network=conversion.coded.name,
        recipe=(*recipe.lines(), ("calibration images", _described(images.calibration))),
        passes=conversion.passes,
        layers=layer_records(conversion),
        float_accuracy=conversion.float_accuracy,
        accuracy=conversion.accuracy,
        float_weight_bits=float_bits(conversion.original),
        rows=rows,
        arch="" if chip is None else chip.name,
        assumptions=tuple(_assumptions(conversion, images, chip)),
    )
    return conversion, report


def write_workload(conversion: Conversion, report: ConversionReport, path: Path) -> None:
    """Write the converted workload: a YAML, and an .npz beside it with codes, scales, codebooks, masks and golden inputs.

    Parameters
    ----------
    conversion, report
        From `convert`.
    path
        Of the YAML; the workload is named after it.

    Raises
    ------
    WorkloadError
        The files cannot be written.
    """
    coded = replace(conversion.coded, name=path.stem)
    golden = make_golden(coded, encode_images(coded, conversion.golden_images))
    write_converted(coded, path, golden=golden, masks=conversion.masks, origin=_origin(conversion, report))


def calibration_set(request: Request) -> ImageSet:
    """Return the images that scales are chosen on.

    Raises
    ------
    ConfigError
        None are named, or they are missing or broken.
    """
    named = request.calibration_images()
    if named is None:
        raise ConfigError(
            "--calibration: no images are named, and scales are chosen from what a network does on real ones. "
            "Give mnist, digits, a folder of idx files or an .npz"
        )
    place = named if request.calibration_names_images() else training_part(named)
    return read_images(place, default_part="train", at_most=CALIBRATION_IMAGES)


def _chip(request: Request) -> Architecture | None:
    """Return the chip that formats are priced on, made for each of them; a report has one in any case."""
    name = request.arch or (None if request.report is None else REPORT_ARCH)
    return None if name is None else load_arch(name, ("formats.follow_workload=true",))


def _images(request: Request, faults: Faults) -> Images | None:
    """Return the images that are looked at; None = some cannot be read, which is noted."""
    calibration = faults.of(lambda: calibration_set(request))
    evaluate, training = request.evaluate, None
    if evaluate is not None and (calibration is not None or request.calibration_names_images()):
        evaluation = faults.of(lambda: read_images(evaluate))
    else:
        evaluation = None  # or its training part was the calibration, and broken: told once
    if calibration is None:
        return None
    if request.fine_tune_epochs:
        place = training_part(request.calibration_images() or "")  # calibration_set has refused the empty text
        training = faults.of(lambda: read_images(place, default_part="train"))
    kept = request.golden
    golden = None if kept is None else faults.of(lambda: read_images(kept, at_most=GOLDEN_IMAGES))
    return Images(calibration=calibration, evaluation=evaluation, training=training, golden=golden)


def _files_read(request: Request) -> tuple[Path, ...]:
    """Return the files that hold the images, which the workload must not be written over."""
    named = (request.calibration_images(), request.evaluate, request.golden)
    return tuple(Path(place_of(text)) for text in named if text)


def _format_rows(
    request: Request, conversion: Conversion, images: Images, chip: Architecture | None
) -> Iterator[FormatRow]:
    """Yield the model as it came, the formats to show beside, and the one converted to last."""
    beside = request.formats_beside()
    if not beside and chip is None:
        return
    zeros = _zeros(conversion)
    changed = conversion.calibrated.measured
    is_changed = conversion.original is not changed.network
    original = measure_network(conversion.original, changed.images) if is_changed else changed
    recipe = conversion.calibrated.recipe
    as_it_came = coded_in(original, in_format(recipe, parse_format(FLOAT_NAME)))
    yield _row(FLOAT_NAME, as_it_came, conversion.float_accuracy, zeros, chip)
    for name in beside:
        other = in_format(recipe, parse_format(name))
        if (other.weight_format, other.ifmap_format) != (recipe.weight_format, recipe.ifmap_format):
            coded = coded_in(changed, other)
            accuracy = coded_accuracy(coded, images.evaluation) if images.evaluation else None
            yield _row(name, coded, accuracy, zeros, chip)
    yield _row(_formats(conversion), conversion.coded, conversion.accuracy, zeros, chip)


def _row(
    name: str, coded: CodedNetwork, accuracy: Accuracy | None, zeros: Mapping[str, float], chip: Architecture | None
) -> FormatRow:
    row = FormatRow(format=name, accuracy=accuracy, weight_bytes=bytes_of(coded_bits(coded)))
    if chip is None:
        return row
    run = _simulated(coded, zeros, chip)
    return replace(row, dram_bytes=run.dram_bytes, energy_pj=run.energy_pj, total_cycles=run.total_cycles)


def _simulated(coded: CodedNetwork, zeros: Mapping[str, float], chip: Architecture) -> RunResult:
    """Run one image through the files that would be written: the file is the seam."""
    with TemporaryDirectory(prefix="archsim-") as folder:
        path = Path(folder) / f"{coded.name}.yaml"
        write_converted(coded, path, origin=Origin(ifmap_zeros=zeros))
        return simulate(chip, read_converted(path).workload)


def _origin(conversion: Conversion, report: ConversionReport) -> Origin:
    notes = [*report.assumptions]
    if report.accuracy is not None and report.float_accuracy is not None:
        before, after = report.float_accuracy, report.accuracy
        notes.append(
            f"{after.correct} of {after.images} test images right, bit for bit; {before.correct} before conversion"
        )
    return Origin(
        source=f"{conversion.original.source or report.model}, converted to {_formats(conversion)}",
        notes=notes,
        calibration=dict(report.recipe),
        ifmap_zeros=_zeros(conversion),
    )


def _formats(conversion: Conversion) -> str:
    recipe = conversion.calibrated.recipe
    weight, ifmap = recipe.weight_format.name, recipe.ifmap_format.name
    return weight if weight == ifmap else f"{weight} weights and {ifmap} ifmaps"


def _zeros(conversion: Conversion) -> dict[str, float]:
    return {layer.name: ifmap_zeros(conversion, layer) for layer in conversion.coded.products}


def _assumptions(conversion: Conversion, images: Images, chip: Architecture | None) -> Iterator[str]:
    seen = len(images.calibration)
    if seen < LEAST_IMAGES:
        yield f"scales rest on {seen} images only, fewer than {LEAST_IMAGES}"
    if conversion.calibrated.recipe.accuracy_budget is not None:
        yield from _searched(conversion)
    if images.evaluation is not None and images.evaluation.name == images.calibration.name:
        yield "accuracy is measured on the images that the scales were chosen on"
    if not (weight := conversion.calibrated.recipe.weight_format).is_signed and weight.kind is NumberKind.FIXED_POINT:
        yield f"{weight.name} has no sign: negative weights are written as it says of overflow"
    if any(layer.bias is not None for layer in conversion.coded.products):
        yield "biases are integers in the accumulator, finer than the products by the bits that the sums leave free"
    yield "shares of zeros of ifmaps are those of the float network over the calibration images"
    if conversion.calibrated.measured.clustering is not None and conversion.masks:
        yield "masks inside clustered kernels ended with the clustering: only whole pruned kernels stay zero"
    if chip is not None:
        yield f"formats side by side run on {chip.name} with arithmetic made for each format, one image at a time"
    yield "biases and scales are stored and counted in bytes, but their fetches are not simulated"


def _searched(conversion: Conversion) -> Iterator[str]:
    """Say what the search for bits promised, and what the test images say of it."""
    before, after = conversion.float_accuracy, conversion.accuracy
    lost = (
        "" if before is None or after is None else f"; test images lost {100 * (before.share - after.share):.2f} points"
    )
    budget = 100 * (conversion.calibrated.recipe.accuracy_budget or 0.0)
    yield f"bits per layer were searched on calibration images, for at most {budget:g} points{lost}"


def _described(images: ImageSet) -> str:
    return f"{len(images):,} of {images.name}"
