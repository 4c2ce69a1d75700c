"""What `archsim convert` does: request -> conversion -> workload, report, pictures. Called by `cli_convert.py`.

The passes are in `convert/pipeline.py`; here the model and the images are found, the network is priced in other
formats beside its own, and files are written: all of them, or none where the request is at fault.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from archsim.catalog import find_model, load_arch
from archsim.convert.image_files import ImageSet, read_images, training_part
from archsim.convert.layer_records import layer_records
from archsim.convert.pipeline import Conversion, Images, convert_model, requantised
from archsim.convert.recipe import Recipe
from archsim.convert.request import Request
from archsim.convert.stored_size import coded_bits, float_bits
from archsim.errors import ConfigError
from archsim.numerics.format_grammar import parse_format
from archsim.study.conversion import ConversionReport, FormatRow
from archsim.study.simulate import simulate
from archsim.workload.coded_network import CodedNetwork
from archsim.workload.coded_yaml import coded_workload
from archsim.workload.network import Workload

CALIBRATION_IMAGES = 1000
"""Taken where the request gives no number: the first of the training images, in file order. [images]"""


def convert(request: Request) -> tuple[Conversion, ConversionReport]:
    """Convert a model as asked; write nothing.

    Raises
    ------
    ConfigError
        The request cannot be read, or images are missing or broken.
    WorkloadError
        The model cannot be converted, or does not fit the images.
    """
    recipe = request.recipe()
    path = find_model(request.model)
    images = _images(request, recipe)
    conversion = convert_model(path, recipe, images)
    rows = tuple(_format_rows(request, conversion, images))
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
        arch=request.arch or "",
        assumptions=tuple(_assumptions(conversion)),
    )
    return conversion, report
