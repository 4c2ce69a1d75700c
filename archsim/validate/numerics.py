"""Number formats, bit-true layers and conversion against published codes and counts; called by `archsim validate numerics`.

Groups: 1 casts of ac_fixed; 2 codes of floats and logarithms; 3 checksums of a network's codes; 4 accuracies on MNIST;
5 sizes of clustered networks. Groups 3 and 4 need the images of MNIST, and are skipped where there are none.
"""

import os
from pathlib import Path

from archsim.convert.image_files import MNIST_VARIABLE
from archsim.errors import ConfigError
from archsim.validate.numerics_accuracy import Mnist, accuracy_tiers, read_mnist, skipped_accuracy_tiers
from archsim.validate.numerics_casts import ac_fixed_tiers, float_tier, logarithm_tiers
from archsim.validate.numerics_golden import golden_tiers
from archsim.validate.numerics_sizes import claim_tiers, cluster_tiers
from archsim.validate.numerics_tables import read_table
from archsim.validate.suite import SuiteResult, Tier

GOLDEN = Path(__file__).parent / "golden"
ACCURACIES = tuple(GOLDEN / name for name in ("webinar_ab.csv", "format_accuracy.csv", "lns_accuracy.csv"))
CLUSTERS = GOLDEN / "cluster_accuracy.csv"
NO_IMAGES = (
    f"MNIST is not here: set {MNIST_VARIABLE} to the folder of train-images-idx3-ubyte.gz, t10k-images-idx3-ubyte.gz and "
    "their labels"
)


def numerics_suite(reference: Path | None = None) -> SuiteResult:
    """Compare codes, checksums, accuracies and sizes.

    Parameters
    ----------
    reference
        A .csv with the columns of one of the shipped tables: every row of it runs, and nothing else. None = groups 1
        to 3 and 5 whole, and of group 4 the rows that the shipped tables mark as the sample, at the image counts
        published.

    Raises
    ------
    ConfigError
        A fault in the file: column or value named with its line; or its rows need MNIST, which is not there.
    WorkloadError
        The formats of a row do not go together.
    """
    if reference is not None:
        return SuiteResult(name="numerics", reference=str(reference), tiers=tuple(_tiers_of(reference)))
    mnist, reason = _mnist()
    tiers = [*ac_fixed_tiers(), float_tier(), *logarithm_tiers(), *golden_tiers(mnist, reason), *_sample(mnist, reason),
             *_tiers_of(CLUSTERS), *claim_tiers()]  # fmt: skip
    source = "vectors of ac_fixed and the shipped tables of codes, accuracies and sizes"
    return SuiteResult(name="numerics", reference=source, tiers=tuple(tiers))


def _tiers_of(path: Path) -> list[Tier]:
    """Return the tiers of every row of one table."""
    table = read_table(path)
    if table.clusters:
        return cluster_tiers(table.clusters, table.notes)
    return accuracy_tiers(table.accuracies, read_mnist(), table.notes)


def _sample(mnist: Mnist | None, reason: str) -> list[Tier]:
    """Return the tiers of the rows that are marked."""
    every = [case for path in ACCURACIES for case in read_table(path).accuracies]
    marked = [case for case in every if case.is_sample]
    if mnist is None:
        return skipped_accuracy_tiers(marked, reason)
    note = (
        f"{len(marked)} of {len(every)} published rows, at their image counts; --reference FILE.csv runs all of a table"
    )
    return accuracy_tiers(marked, mnist, (note,))


def _mnist() -> tuple[Mnist | None, str]:
    """Return the images, or why there are none; a folder that is named and cannot be read is a fault."""
    try:
        return read_mnist(), ""
    except ConfigError:
        if os.environ.get(MNIST_VARIABLE):
            raise
        return None, NO_IMAGES
