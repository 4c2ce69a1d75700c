"""Make the converted workloads that archsim ships: `workloads/{digits_cnn,mnist_webinar,mnist_big_bn}_*.yaml` and .npz.

    ARCHSIM_MNIST=DIR python scripts/make_converted.py [NAME...]

Needs scikit-learn (its digits) and MNIST (scales and accuracies of the two MNIST networks). Golden inputs are digits
of scikit-learn in all of them, four images, enlarged three times and padded for the MNIST networks: MNIST's own images
are not shipped.
"""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from archsim.conversion import convert, write_workload
from archsim.convert.image_files import read_images
from archsim.convert.request import Request

WORKLOADS = Path(__file__).parent.parent / "workloads"
GOLDEN = 4
MADE = {
    "digits_cnn_int8": Request(model="digits_cnn", format="int8"),
    "digits_cnn_lns8": Request(model="digits_cnn", format="lns8"),
    "digits_cnn_fp8": Request(model="digits_cnn", format="fp8_e4m3"),
    "digits_cnn_fx8": Request(model="digits_cnn", format="fx<8,4>", accumulator="sat<16,8>"),
    "mnist_webinar_int8": Request(model="mnist_webinar", format="int8"),
    "mnist_webinar_fx10": Request(model="mnist_webinar", format="fx<10,6>"),
    "mnist_webinar_lns8": Request(model="mnist_webinar", format="lns8"),
    "mnist_big_bn_int8": Request(model="mnist_big_bn", format="int8"),
    "mnist_big_bn_lns8": Request(model="mnist_big_bn", format="lns8", clusters="256:network", fine_tune_epochs=0.5),
}
"""Name -> what is asked of `archsim convert` beside the model and the images."""


def main() -> None:
    """Convert all, or those that are named."""
    for name in sys.argv[1:] or MADE:
        with TemporaryDirectory() as folder:
            make(name, Path(folder))


def make(name: str, folder: Path) -> None:
    """Convert one network and write it where archsim ships it."""
    asked = MADE[name]
    images = "digits" if asked.model == "digits_cnn" else "mnist"
    golden = folder / "golden.npz"
    np.savez(golden, images=shown_digits(enlarged=images == "mnist"))
    request = replace(asked, calibration=f"{images}:train", evaluate=images, golden=str(golden))
    conversion, report = convert(request)
    write_workload(conversion, report, WORKLOADS / f"{name}.yaml")
    if report.accuracy is not None and report.float_accuracy is not None:
        print(
            f"{name}: {report.accuracy.correct} of {report.accuracy.images}, {report.float_accuracy.correct} as floats"
        )


def shown_digits(*, enlarged: bool) -> NDArray[np.float64]:
    """Return four digits, 8 x 8, or 28 x 28: every pixel three by three, two zeros around."""
    digits = read_images("digits:test").values[:GOLDEN]
    if not enlarged:
        return digits
    return np.pad(digits.repeat(3, axis=2).repeat(3, axis=3), ((0, 0), (0, 0), (2, 2), (2, 2)))


if __name__ == "__main__":
    main()
