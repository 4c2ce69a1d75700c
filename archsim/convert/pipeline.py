"""The main path of a conversion: an ONNX model -> a converted network, pass by pass, each checked and recorded.

import -> fold batch norm -> prune -> cluster -> fine-tune -> calibrate -> quantise -> golden outputs. The order has
reasons: folding rescales channels, so it goes before pruning and clustering; the codebook is what is quantised, so
clustering goes before quantisation; calibration follows every pass that changes a weight.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.convert.bit_search import SearchSpace, search_bits
from archsim.convert.cluster import ClusteredNetwork, cluster_kernels, masks_left, relative_error
from archsim.convert.code_check import check_codes
from archsim.convert.counted import counted
from archsim.convert.evaluate import coded_accuracy
from archsim.convert.fine_tune import FineTuneSettings, fine_tune, fine_tune_clusters
from archsim.convert.float_network import FloatArray, FloatNetwork
from archsim.convert.float_reader import read_float_network
from archsim.convert.float_shapes import ofmap_shapes
from archsim.convert.fold_batchnorm import fold_batchnorm, largest_logit_difference
from archsim.convert.format_plan import FormatPlan
from archsim.convert.image_files import ImageSet, check_fits
from archsim.convert.measured import Calibrated, measure_network
from archsim.convert.pass_log import PassLog, demand
from archsim.convert.projection import Projection, rounded_weights
from archsim.convert.prune import prune_network
from archsim.convert.quantise import quantise
from archsim.convert.recipe import Recipe, natural_ifmap
from archsim.convert.stored_size import clustered_float_bits
from archsim.numerics.number_format import NumberFormat
from archsim.study.conversion import Accuracy, PassRecord
from archsim.workload.coded_network import CodedNetwork

Masks = Mapping[str, NDArray[np.bool_]]
GOLDEN_IMAGES = 4
"""Calibration images whose codes and checksums go with the workload. [images]"""
SEARCH_IMAGES = 1000
"""Calibration images that the search for bits is scored on. [images]"""
PROBE_IMAGES = 200
"""Calibration images that folding is checked on. [images]"""
LARGEST_LOGIT_DIFFERENCE = 1e-4
"""That folding the batch norm may make."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Images:
    """What a conversion looks at.

    Parameters
    ----------
    calibration
        Training images: scales, and labels for the search and for fine-tuning.
    evaluation
        Test images with labels; None = no accuracy is measured.
    training
        For fine-tuning; None = the calibration images.
    golden
        Whose codes go with the workload; None = the first of the calibration images.
    """

    calibration: ImageSet
    evaluation: ImageSet | None = None
    training: ImageSet | None = None
    golden: ImageSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conversion:
    """What came of it.

    Parameters
    ----------
    original
        The model as it was read, its batch norms folded, before any weight changed.
    calibrated
        Everything that decides the codes: the last float network, ranges, scales, codebooks.
    plan
        The format of every tensor.
    coded
        The converted network.
    masks
        Layer -> True where a weight was kept; empty without pruning. Of clustered kernels only whole ones are pruned.
    passes
        In running order.
    float_accuracy, accuracy
        Before and after; None without evaluation images.
    golden_images
        Images whose codes go with the workload, shape (N, *ifmap_shape).
    """

    original: FloatNetwork
    calibrated: Calibrated
    plan: FormatPlan
    coded: CodedNetwork
    masks: Masks
    passes: tuple[PassRecord, ...]
    float_accuracy: Accuracy | None
    accuracy: Accuracy | None
    golden_images: FloatArray


def convert_model(path: Path, recipe: Recipe, images: Images) -> Conversion:
    """Convert a model.

    Parameters
    ----------
    path
        ONNX, opset 13 to 20.
    recipe
        Passes and formats.
    images
        See `Images`.

    Raises
    ------
    WorkloadError
        The model has operators that cannot be converted (all are named), images do not fit it, or the formats and
        the accumulator do not go together.
    SimulationError
        An invariant of a pass does not hold.
    """
    log = PassLog(evaluation=images.evaluation)
    original = _import(path, images, log)
    network, masks = _prune(original, recipe, log)
    network, clustering = _cluster(network, recipe, masks, log)
    network, clustering = _fine_tune(network, recipe, clustering, masks, images, log)
    calibrated, plan = _calibrate(network, recipe, clustering, images, log)
    coded = quantise(calibrated, plan)
    accuracy = log.coded_pass("quantise", *check_codes(coded), coded)
    return Conversion(
        original=original,
        calibrated=calibrated,
        plan=plan,
        coded=coded,
        masks=masks if clustering is None else masks_left(masks, clustering),
        passes=tuple(log.records),
        float_accuracy=log.records[0].accuracy,
        accuracy=accuracy,
        golden_images=(images.golden or images.calibration).first(GOLDEN_IMAGES).values,
    )


def in_format(recipe: Recipe, fmt: NumberFormat) -> Recipe:
    """Return a recipe for the same weights in another format, with what is natural to it."""
    return replace(recipe, weight_format=fmt, ifmap_format=natural_ifmap(fmt), ifmap_sign_is_free=True, accumulator=None,
                   calibration=None)  # fmt: skip


def _import(path: Path, images: Images, log: PassLog) -> FloatNetwork:
    """Read the model and fold its batch norms."""
    network = read_float_network(path)
    for each in (images.calibration, images.evaluation, images.training, images.golden):
        if each is not None:
            check_fits(each, network, needs_labels=each is images.evaluation or each is images.training)
    products = len(network.weighted)
    log.float_pass("import", "every tensor has a static shape, every operator can be converted",
                   f"{len(network.nodes)} nodes, {products} with weights", network)  # fmt: skip
    folded = fold_batchnorm(network)
    norms = len(network.nodes) - len(folded.nodes)
    if norms or folded is not network:
        probe = images.calibration.first(PROBE_IMAGES).values
        difference = largest_logit_difference(network, folded, probe)
        demand(difference <= LARGEST_LOGIT_DIFFERENCE,
               f"folding batch norms moved a logit by {difference:.2g}, allowed are {LARGEST_LOGIT_DIFFERENCE}")  # fmt: skip
        log.same_values("fold batch norm", f"no batch norm is left; no logit moves by more than {LARGEST_LOGIT_DIFFERENCE}",
                        f"{norms} folded; largest difference {difference:.1e} on {len(probe)} images")  # fmt: skip
    return folded


def _prune(network: FloatNetwork, recipe: Recipe, log: PassLog) -> tuple[FloatNetwork, Masks]:
    if recipe.prune is None:
        return network, {}
    pruned, masks = prune_network(network, recipe.prune)
    lost = sum(int((~mask).sum()) for mask in masks.values())
    words = sum(node.weight.size for node in network.weighted)
    log.float_pass("prune", "every pruned weight is exactly zero", f"{lost:,} of {words:,} weights are zero", pruned)
    return pruned, masks


def _cluster(
    network: FloatNetwork, recipe: Recipe, masks: Masks, log: PassLog
) -> tuple[FloatNetwork, ClusteredNetwork | None]:
    if recipe.clusters is None:
        return network, None
    found = cluster_kernels(network, recipe.clusters, masks)
    weights = {node.name: node.weight for node in found.network.weighted}
    for name, layer in found.layers.items():
        is_equal = np.array_equal(found.codebooks[layer.codebook][layer.pointers], weights[name])
        demand(is_equal, f"a kernel of {name!r} is not its centroid")
    kernels = sum(layer.pointers.size for layer in found.layers.values())
    entries = sum(len(book) for book in found.codebooks.values())
    measured = (f"{kernels:,} kernels point to {entries:,} in {counted(len(found.codebooks), 'codebook')}; "
                f"{100 * relative_error(network, found):.1f} % of their energy is lost")  # fmt: skip
    log.float_pass("cluster", "every kernel is its centroid, bit for bit", measured, found.network,
                   bits=clustered_float_bits(found))  # fmt: skip
    return found.network, found


def _fine_tune(  # noqa: PLR0917 - in the order of the passes
    network: FloatNetwork,
    recipe: Recipe,
    clustering: ClusteredNetwork | None,
    masks: Masks,
    images: Images,
    log: PassLog,
) -> tuple[FloatNetwork, ClusteredNetwork | None]:
    """Train codebooks or masked weights a little further, the weights rounded to their format on the way forwards."""
    if not recipe.fine_tune_epochs:
        return network, clustering
    training = images.training or images.calibration
    check_fits(training, network, needs_labels=True)
    settings = FineTuneSettings(epochs=recipe.fine_tune_epochs, seed=recipe.seed)
    quantisers = rounded_weights(network, recipe.weight_format, clustering)
    if clustering is not None:
        clustering = fine_tune_clusters(clustering, training, settings, masks=masks, quantisers=quantisers)
        network = clustering.network
    else:
        network = fine_tune(network, training, settings, Projection(masks=masks, quantisers=quantisers))
    for name, mask in masks.items():
        is_kept = clustering is not None and name in clustering.layers
        weight = next(node.weight for node in network.weighted if node.name == name)
        demand(is_kept or not weight[~mask].any(), f"fine-tuning moved a pruned weight of {name!r}")
    bits = clustered_float_bits(clustering) if clustering else 0
    log.float_pass("fine-tune", "pointers and pruned weights stay as they are",
                   f"{counted(recipe.fine_tune_epochs, 'epoch')} of {len(training):,} images", network, bits=bits)  # fmt: skip
    return network, clustering


def _calibrate(
    network: FloatNetwork, recipe: Recipe, clustering: ClusteredNetwork | None, images: Images, log: PassLog
) -> tuple[Calibrated, FormatPlan]:
    """Measure every tensor, give it a format and a scale; search the bits per layer where that is asked for."""
    measured = measure_network(network, images.calibration.values, clustering)
    calibrated, plan = measured.plan(recipe, with_narrower=recipe.accuracy_budget is not None)
    largest = max(found.largest for found in measured.ranges.values())
    log.same_values("calibrate", "a range for every tensor, from real images",
                    f"{len(measured.ranges)} tensors over {len(measured.images):,} images; largest magnitude {largest:.4g}")  # fmt: skip
    if recipe.accuracy_budget is None:
        return calibrated, plan
    found = _search(calibrated, plan, images)
    weights, ofmaps = (
        sorted({fmt.width_bits for fmt in formats.values() if fmt}) for formats in (found.weights, found.ofmaps)
    )
    log.same_values("search bits", f"at most {100 * recipe.accuracy_budget:g} points lost on the calibration images",
                    f"weights of {_span(weights)} b, ofmaps of {_span(ofmaps)} b")  # fmt: skip
    return calibrated, found


def _search(calibrated: Calibrated, plan: FormatPlan, images: Images) -> FormatPlan:
    network, labelled = calibrated.measured.network, images.calibration.first(SEARCH_IMAGES)
    check_fits(labelled, network, needs_labels=True)
    shapes = {name: prod(shape) for name, shape in ofmap_shapes(network).items()}
    space = SearchSpace(
        stages=calibrated.measured.stages,
        weight_words={node.name: node.weight.size for node in network.weighted},
        ofmap_words={"": shapes[""]} | {stage.name: shapes[stage.written] for stage in calibrated.measured.stages},
        images=len(labelled.values),
        budget=calibrated.recipe.accuracy_budget or 0.0,
    )
    return search_bits(plan, space, lambda tried: coded_accuracy(quantise(calibrated, tried), labelled).correct)


def _span(widths: list[int]) -> str:
    return f"{widths[0]} to {widths[-1]}" if widths[0] != widths[-1] else str(widths[0])
