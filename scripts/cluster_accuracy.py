"""Accuracy and size of a clustered network beside the reference: the numbers of tests/golden/numerics.

    .venv/bin/python scripts/cluster_accuracy.py            # all rows, 10,000 test images
    .venv/bin/python scripts/cluster_accuracy.py shared:32  # one row

On a busy machine set OPENBLAS_NUM_THREADS=1: the products are small, and threads that wait for each other take longer.

The reference was measured elsewhere with another k-means, another training loop and one seed. All rows here share
one setting of each. MNIST is found as `archsim convert --evaluate mnist` finds it.
"""

import csv
import sys
from pathlib import Path
from time import perf_counter

from archsim.convert.cluster import ClusterRequest, CodebookScope, cluster_kernels, relative_error
from archsim.convert.cluster_size import clustered_size, compression_table, compression_text
from archsim.convert.evaluate import float_accuracy
from archsim.convert.fine_tune import FineTuneSettings, fine_tune_clusters
from archsim.convert.float_network import FloatNetwork
from archsim.convert.float_reader import read_float_network
from archsim.convert.fold_batchnorm import fold_batchnorm
from archsim.convert.image_files import ImageSet, read_images
from archsim.convert.projection import rounded_weights
from archsim.numerics.format_grammar import parse_format

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "workloads" / "mnist_big_bn.onnx"
REFERENCE = ROOT / "tests" / "golden" / "numerics" / "cluster_accuracy.csv"
SCOPES = {"shared": CodebookScope.NETWORK, "per-layer": CodebookScope.LAYER}
"""Word of the reference -> ours; a scale per channel on top (``shared+chscale``) is not modelled."""


def main(rows: list[str]) -> None:
    """Print a line per row, then the arithmetic of the claim."""
    network = fold_batchnorm(read_float_network(MODEL))
    training, test = read_images("mnist:train"), read_images("mnist:test")
    print(f"float: {100 * float_accuracy(network, test).share:.2f} %; in brackets: the reference")
    print(
        "row             bytes            ratio          error            no fine-tuning   fine-tuned, 8 bits  seconds"
    )
    for reference in csv.DictReader(REFERENCE.read_text().splitlines()):
        name = f"{reference['scheme']}:{reference['k']}"
        if reference["scheme"] in SCOPES and (not rows or name in rows):
            print(f"{name:14}  {_row(network, training, test, reference)}", flush=True)
    print()
    print(compression_text(compression_table()))


def _row(network: FloatNetwork, training: ImageSet, test: ImageSet, reference: dict[str, str]) -> str:
    request = ClusterRequest(entries=int(reference["k"]), scope=SCOPES[reference["scheme"]])
    started = perf_counter()
    clustered = cluster_kernels(network, request)
    middle = perf_counter()
    quantisers = rounded_weights(network, parse_format("int8"), clustered)
    tuned = fine_tune_clusters(clustered, training, FineTuneSettings(), quantisers=quantisers)
    ended = perf_counter()
    size = clustered_size(clustered)
    before, after = (100 * float_accuracy(found.network, test).share for found in (clustered, tuned))
    return (
        f"{size.total_bytes} ({reference['total_bytes']})  {size.ratio:.2f} ({reference['ratio_vs_fp32']})  "
        f"{relative_error(network, clustered):.4f} ({reference['kmeans_mse_rel']})  "
        f"{before:.2f} ({100 * float(reference['acc_noft']):.2f})    "
        f"{after:.2f} ({100 * float(reference['acc_ft_lut8']):.2f})       {middle - started:.2f} + {ended - middle:.1f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
