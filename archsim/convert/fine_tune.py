"""Training a network a little further once pruning, clustering or rounding has changed its weights.

`pipeline.py` and the scripts call it. Batches in a seeded order, cross-entropy, Adam; no training framework.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.convert.cluster import ClusteredNetwork, Masks
from archsim.convert.float_network import FloatNetwork
from archsim.convert.gradients import Key, StraightThrough, run_backwards, run_forwards
from archsim.convert.image_files import ImageSet
from archsim.convert.projection import Projection, Quantisers
from archsim.convert.window_cuts import Array
from archsim.errors import WorkloadError

FIRST_DECAY, SECOND_DECAY, TINY = 0.9, 0.999, 1e-8
"""Of Adam's two moments, and what keeps a division from zero: the values its authors give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneSettings:
    """How long and how fast.

    Parameters
    ----------
    epochs
        Passes over the images; may be a fraction. [epochs]
    learning_rate
        Of the first step; it falls to 0 along half a cosine.
    batch
        Images per step.
    seed
        Of the order of the images.
    """

    epochs: float = 0.5
    learning_rate: float = 2e-3
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.learning_rate <= 0 or self.batch < 1:
            raise ValueError(f"epochs >= 0, learning rate > 0 and batch >= 1 are needed, found {self!r}")

    def rate_at(self, share: float) -> float:
        """Learning rate once a share, 0..1, of the steps is done."""
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def fine_tune(
    network: FloatNetwork,
    images: ImageSet,
    settings: FineTuneSettings,
    projection: Projection | None = None,
    *,
    written: Mapping[str, StraightThrough] | None = None,
) -> FloatNetwork:
    """Train every weight and bias a little further.

    Parameters
    ----------
    network
        Without batch norm; its last node makes the logits.
    images
        With labels.
    settings
        How long and how fast.
    projection
        What is trained and how it becomes weights; None = the weights as they are.
    written
        Node (``""`` = the images) -> how its ofmap is rounded on the way forwards.

    Returns
    -------
    FloatNetwork
        Its weights are the projected ones: rounded, masked, clustered.

    Raises
    ------
    WorkloadError
        A batch norm is left, images have no labels, or a label has no logit.

    Notes
    -----
    The same seed gives the same weights on one machine with one number of BLAS threads; others add floats up in
    another order.
    """
    through = projection or Projection()
    return through.rebuilt(network, train(network, images, settings, through, written=written))


def fine_tune_clusters(
    clustered: ClusteredNetwork,
    images: ImageSet,
    settings: FineTuneSettings,
    *,
    masks: Masks | None = None,
    quantisers: Quantisers | None = None,
) -> ClusteredNetwork:
    """Train the codebooks, and the weights and biases that are in none; no kernel changes its entry.

    Parameters
    ----------
    clustered
        Its pointers stay.
    images, settings
        As in `fine_tune`.
    masks, quantisers
        As in `Projection`.
    """
    through = Projection(clustered=clustered, masks=masks or {}, quantisers=quantisers or {})
    return through.reclustered(clustered.network, train(clustered.network, images, settings, through))


def train(
    network: FloatNetwork,
    images: ImageSet,
    settings: FineTuneSettings,
    projection: Projection,
    *,
    written: Mapping[str, StraightThrough] | None = None,
) -> dict[Key, Array]:
    """Train the arrays of a projection, as in `fine_tune`, and return them before they are rounded."""
    if images.labels is None:
        raise WorkloadError(f"images {images.name!r} have no labels, which fine-tuning learns from. Give some that do.")
    parameters = projection.parameters(network)
    steps = round(settings.epochs * len(images) / settings.batch)
    adam = _Adam(parameters)
    for step, chosen in enumerate(_batches(len(images), steps, settings)):
        values: Array = np.divide(images.images[chosen], images.scale, dtype=np.float32)
        trace = run_forwards(network, projection.weights(parameters), values, written)
        logits = trace.ofmaps[network.nodes[-1].name]
        found = run_backwards(network, trace, cross_entropy_gradient(logits, images.labels[chosen]), written)
        adam.move(parameters, projection.gradients(parameters, found), settings.rate_at(step / steps))
    return parameters


def cross_entropy_gradient(logits: Array, labels: NDArray[np.integer]) -> Array:
    """Gradient of the mean cross-entropy of a batch in its logits.

    Parameters
    ----------
    logits
        Shape (classes, N).
    labels
        Shape (N,).
    """
    if labels.min() < 0 or labels.max() >= len(logits):
        raise WorkloadError(
            f"labels {labels.min()} to {labels.max()} do not fit a network of {len(logits)} logits: "
            "count classes from 0, and take the labels of these images."
        )
    shares: Array = np.exp(logits - logits.max(axis=0))
    shares /= shares.sum(axis=0)
    shares[labels, np.arange(len(labels))] -= 1
    shares /= np.float32(len(labels))
    return shares


class _Adam:
    """Steps whose length is scaled by running moments of each gradient [1]_.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.
    """

    def __init__(self, parameters: Mapping[Key, Array]) -> None:
        self._means = {key: np.zeros_like(array) for key, array in parameters.items()}
        self._squares = {key: np.zeros_like(array) for key, array in parameters.items()}
        self._steps = 0

    def move(self, parameters: dict[Key, Array], gradients: Mapping[Key, Array], rate: float) -> None:
        """Change the parameters in place."""
        self._steps += 1
        first, second = 1 - FIRST_DECAY**self._steps, 1 - SECOND_DECAY**self._steps
        for key, gradient in gradients.items():
            mean, square = self._means[key], self._squares[key]
            mean += (1 - FIRST_DECAY) * (gradient - mean)
            square += (1 - SECOND_DECAY) * (gradient * gradient - square)
            parameters[key] -= np.float32(rate / first) * mean / (np.sqrt(square / np.float32(second)) + TINY)


def _batches(count: int, steps: int, settings: FineTuneSettings) -> Iterator[NDArray[np.int64]]:
    """Yield the images of each step: every image once before any comes again."""
    rng = np.random.default_rng(settings.seed)
    left: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    for _ in range(steps):
        if len(left) < settings.batch:
            left = np.concatenate([left, rng.permutation(count)])
        yield left[: settings.batch]
        left = left[settings.batch :]
