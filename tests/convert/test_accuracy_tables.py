"""Published accuracies, image for image: one row of every family at its full image count, over the conversion itself.

The rows are looked up in the tables by their cells; `archsim validate numerics` runs more of them, and
`archsim validate numerics --reference FILE.csv` all.
"""

import csv
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from archsim.catalog import find_model
from archsim.convert.evaluate import coded_accuracy
from archsim.convert.image_files import ImageSet, read_images
from archsim.convert.pipeline import Conversion, Images, convert_model
from archsim.convert.quantise import coded_in
from archsim.convert.request import Request
from archsim.terms import CalibrationMethod, WeightScales
from tests.convert.float_models import mnist_folder

TABLES = Path(__file__).parents[1] / "golden" / "numerics"
WEB, BIG = "mnist_webinar", "mnist_big_bn"
TENSOR = WeightScales.TENSOR

ROWS = [
    (WEB, {"format": "fx<15,6,1,RND,WRAP>"}, "webinar_ab", "step_acc_ref_wide,6,9,RND,WRAP,exact-wide,500,"),
    (WEB, {"format": "fx<13,4>"}, "webinar_ab", "step_acc_ref_wide,4,9,RND,SAT,exact-wide,500,"),
    (WEB, {"format": "fx<14,5,1,RND,WRAP>", "accumulator": "fx<14,5,1,RND,WRAP>"}, "webinar_ab",
     "step_acc,5,9,RND,WRAP,per-MAC same type,500,"),
    (WEB, {"format": "fx<10,5>", "accumulator": "sat<10,5>"}, "webinar_ab", "step_acc,5,5,RND,SAT,per-MAC same type,500,"),
    (WEB, {"format": "sx<4>", "ifmap_format": "uint8"}, "format_accuracy",
     "web,s4 shared-exp,u8 shared-exp,weights per-channel,MSE po2,"),
    (WEB, {"format": "int8", "weight_scales": TENSOR}, "format_accuracy", "web,s8 shared-exp,u8 shared-exp,per-tensor,MSE po2,"),
    (BIG, {"format": "int4", "calibration_method": CalibrationMethod.MAX}, "format_accuracy",
     "big,s4 shared-exp,u4 shared-exp,weights per-channel,max po2,"),
    (WEB, {"format": "fp8_e5m2"}, "format_accuracy", "web,float8_e5m2,float8_e5m2,per-tensor po2 scale,max,"),
    (BIG, {"format": "binary_exact"}, "format_accuracy", "big,binary,fp32,per-channel,XNOR,"),
    (WEB, {"format": "lns8", "accumulator": "linear<12>"}, "lns_accuracy", "mnist,8,3,0,lin,lut,8,12,8,5000,"),
    (WEB, {"format": "lns8", "accumulator": "linear<32,8,hyb2>"}, "lns_accuracy", "mnist,8,3,0,lin,hyb2,8,32,8,5000,"),
    (WEB, {"format": "lns8", "accumulator": "log<8,20>"}, "lns_accuracy", "mnist,8,3,0,log,table,,8,20,2000,"),
    (WEB, {"format": "lns8", "accumulator": "log<8,bitshift>"}, "lns_accuracy", "mnist,8,3,0,log,bitshift,,8,,2000,"),
]  # fmt: skip
"""Network, options of `archsim convert`, table, and the cells that the row begins with."""
FLOAT_SUMS = ("fp8_e5m2", "binary_exact")
"""Formats whose sums are floats: two images may fall otherwise."""


@pytest.fixture(scope="module")
def calibration() -> ImageSet:
    return read_images(f"{mnist_folder()}:train:1000")


@pytest.fixture(scope="module")
def mnist_test() -> ImageSet:
    return read_images(f"{mnist_folder()}:test")


@pytest.fixture(scope="module")
def conversions(calibration: ImageSet) -> dict[str, Conversion]:
    """Each network, read, folded and measured once."""
    return {name: convert_model(find_model(name), Request(model=name, format="fx<8,4>").recipe(), Images(calibration=calibration))
            for name in (WEB, BIG)}  # fmt: skip


def published(table: str, beginning: str) -> tuple[int, int]:
    """(images, how many of them are right) of the only row that begins so."""
    header, *lines = (TABLES / f"{table}.csv").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(beginning))
    row = dict(zip(header.split(","), next(csv.reader([line])), strict=True))
    images = int(row.get("images", 10_000))
    return images, round(float(row.get("accuracy") or row["accuracy_10k"]) * images)


@pytest.mark.parametrize(("network", "options", "table", "beginning"), ROWS, ids=[row[3].rstrip(",") for row in ROWS])
def test_the_published_count_is_met(  # noqa: PLR0917 - the columns of ROWS, and fixtures
    network, options, table, beginning, conversions, mnist_test
) -> None:
    recipe = Request(model=network, **options).recipe()
    coded = coded_in(conversions[network].calibrated.measured, recipe)
    images, correct = published(table, beginning)
    found = coded_accuracy(coded, mnist_test.first(images)).correct
    assert abs(found - correct) <= (2 if options["format"] in FLOAT_SUMS else 0)


def test_the_whole_conversion_meets_the_published_count_too(calibration: ImageSet, mnist_test: ImageSet) -> None:
    images, correct = published("webinar_ab", "step_acc,6,4,RND,SAT,per-MAC same type,500,")
    recipe = Request(model=WEB, format="fx<10,6>", accumulator="fx<10,6>").recipe()
    whole = convert_model(find_model(WEB), recipe, Images(calibration=calibration, evaluation=mnist_test.first(images)))
    assert whole.accuracy is not None
    assert whole.accuracy.correct == correct


def test_clustered_and_fine_tuned_it_is_within_0_3_points_of_the_published_accuracy(
    calibration: ImageSet, mnist_test: ImageSet
) -> None:
    rows = csv.DictReader((TABLES / "cluster_accuracy.csv").read_text().splitlines())
    (published_share,) = (float(row["acc_ft_lut8"]) for row in rows if (row["scheme"], row["k"]) == ("shared", "256"))
    recipe = Request(model=BIG, format="int8", clusters="256:network", fine_tune_epochs=0.5).recipe()
    training = read_images(f"{mnist_folder()}:train")
    images = Images(calibration=calibration, evaluation=mnist_test, training=training)
    with threadpool_limits(limits=1, user_api="blas"):
        found = convert_model(find_model(BIG), recipe, images).accuracy
    assert found is not None
    assert abs(found.share - published_share) <= 0.003
