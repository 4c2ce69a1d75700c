"""Cluster compression: the 2-D kernels of a network become entries of a codebook, and pointers to them.

`pipeline.py` calls it between pruning and quantising; `fine_tune.py` trains the codebooks, `cluster_size.py` says
what they take. The unit is one R x S slice ``weight[k, c]``, as in Son, Nah and Lee, Clustering convolutional
kernels to compress deep neural networks, ECCV 2018 (abstract and introduction read).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from archsim.convert.float_network import FloatArray, FloatConv, FloatNetwork
from archsim.errors import WorkloadError
from archsim.kernels.kmeans import assign_points, run_lloyd, seed_centroids

IntArray = NDArray[np.int64]
Masks = Mapping[str, NDArray[np.bool_]]

PRUNED = 0
"""Pointer of the kernels that are all zeros, where there are any."""

LARGEST_SAMPLE = 1 << 16
"""Kernels that k-means works on; where a codebook serves more, it is found on a random sample of so many."""


class CodebookScope(StrEnum):
    """Which layers share a codebook."""

    NETWORK = "network"
    """All layers whose kernels are of one size."""
    LAYER = "layer"
    """None: each layer has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRequest:
    """What is asked for.

    Parameters
    ----------
    entries
        Most kernels of a codebook, that of the pruned ones included.
    scope
        Which layers share a codebook.
    seed
        Of the first centroids.
    restarts
        Runs of k-means from other first centroids; the one with the least error is taken.
    """

    entries: int
    scope: CodebookScope = CodebookScope.NETWORK
    seed: int = 0
    restarts: int = 1

    def __post_init__(self) -> None:
        if self.entries < 2:
            raise ValueError(f"a codebook needs 2 entries or more, not {self.entries}")
        if self.restarts < 1:
            raise ValueError(f"k-means runs once or more, not {self.restarts} times")

    @property
    def text(self) -> str:
        """In words, for reports."""
        return f"{self.entries} kernels per {self.scope}, k-means of seed {self.seed}, best of {self.restarts}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerClusters:
    """Where the kernels of one layer point.

    Parameters
    ----------
    codebook
        Its name.
    pointers
        Entry of each kernel, int64, shape (K, C/groups).
    """

    codebook: str
    pointers: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusteredNetwork:
    """A network whose clustered kernels are entries of codebooks, bit for bit.

    Parameters
    ----------
    network
        The weights of its clustered layers are ``codebook[pointers]``.
    layers
        Clustered layer -> its pointers.
    codebooks
        Name -> kernels, float64, shape (entries, R, S). Entry 0 of one with pruned kernels is zero.
    """

    network: FloatNetwork
    layers: Mapping[str, LayerClusters]
    codebooks: Mapping[str, FloatArray]

    def has_pruned(self, codebook: str) -> bool:
        """Whether entry 0 stands for pruned kernels and must stay zero."""
        return not self.codebooks[codebook][PRUNED].any()


def cluster_kernels(network: FloatNetwork, request: ClusterRequest, masks: Masks | None = None) -> ClusteredNetwork:
    """Replace the kernels of a network by entries of codebooks.

    Parameters
    ----------
    network
        Batch norm folded: folding scales the channels, which would undo the sharing.
    request
        Entries, scope, seed.
    masks
        Layer -> True where a weight was kept, shape of the weight. A kernel with nothing left points to entry
        `PRUNED`, which is zero.

    Returns
    -------
    ClusteredNetwork
        Codebooks are called after the layer, or ``network_3x3`` and so on. One of fewer different kernels than
        ``request.entries`` has only those, and no error.

    Raises
    ------
    WorkloadError
        The network has no layer to cluster.

    Notes
    -----
    A codebook that serves more than `LARGEST_SAMPLE` kernels is found on a random sample of so many; every kernel
    then points to its nearest entry. The first convolution, dense layers and kernels of one weight stay as they are.
    A mask inside a kernel ends here: the kernel takes part with zeros where weights were pruned and becomes its entry,
    whose values there are small but not zero. Only pruned whole kernels stay pruned.
    """
    nodes = clusterable(network)
    if not nodes:
        raise WorkloadError(
            f"network {network.name!r} has no kernels to cluster: behind its first convolution none is larger than "
            "1x1. Leave the clustering out."
        )
    sharing: dict[str, list[FloatConv]] = {}
    for node in nodes:
        sharing.setdefault(codebook_name(node, request.scope), []).append(node)
    layers: dict[str, LayerClusters] = {}
    codebooks: dict[str, FloatArray] = {}
    for stream, (codebook, members) in enumerate(sharing.items()):
        points = np.concatenate([_points(node, masks or {}) for node in members])
        centroids, pointers = _find_codebook(points, request, stream)
        codebooks[codebook] = centroids.reshape(-1, *members[0].weight.shape[2:])
        for node, own in zip(members, _split(pointers, members), strict=True):
            layers[node.name] = LayerClusters(codebook=codebook, pointers=own)
    return ClusteredNetwork(network=_decoded(network, layers, codebooks), layers=layers, codebooks=codebooks)


def clusterable(network: FloatNetwork) -> tuple[FloatConv, ...]:
    """Return the convolutions with kernels of more than one weight, but for the first convolution."""
    convs = [node for node in network.nodes if isinstance(node, FloatConv)]
    return tuple(node for node in convs[1:] if node.weight[0, 0].size > 1)


def codebook_name(node: FloatConv, scope: CodebookScope) -> str:
    """Name the codebook of a layer."""
    if scope is CodebookScope.LAYER:
        return node.name
    rows, columns = node.weight.shape[2:]
    return f"network_{rows}x{columns}"


def masks_left(masks: Masks, clustered: ClusteredNetwork) -> dict[str, NDArray[np.bool_]]:
    """Return the masks that still hold: in a clustered layer, a kernel that is not all zeros is kept as a whole."""
    left = dict(masks)
    weights = {node.name: node.weight for node in clustered.network.weighted}
    for name in left.keys() & clustered.layers.keys():
        left[name] = masks[name] | weights[name].any(axis=(2, 3), keepdims=True)
    return left


def relative_error(before: FloatNetwork, clustered: ClusteredNetwork) -> float:
    """Squared error of the clustered weights over their squared sum."""
    old = {node.name: node.weight for node in before.weighted}
    pairs = [(old[node.name], node.weight) for node in clustered.network.weighted if node.name in clustered.layers]
    return float(sum(np.sum((was - now) ** 2) for was, now in pairs) / sum(np.sum(was**2) for was, _ in pairs))


def _points(node: FloatConv, masks: Masks) -> FloatArray:
    """Return the kernels of a layer as rows, zeros where weights were pruned."""
    weight = np.where(masks[node.name], node.weight, 0.0) if node.name in masks else node.weight
    return weight.reshape(-1, weight[0, 0].size)


def _split(pointers: IntArray, members: list[FloatConv]) -> Iterator[IntArray]:
    start = 0
    for node in members:
        shape = node.weight.shape[:2]
        yield pointers[start : start + shape[0] * shape[1]].reshape(shape)
        start += shape[0] * shape[1]


def _find_codebook(points: FloatArray, request: ClusterRequest, stream: int) -> tuple[FloatArray, IntArray]:
    """Return centroids (entries, words) and the entry of each point; zero points get an entry of their own."""
    is_pruned = ~points.any(axis=1)
    pruned = int(is_pruned.any())
    free = request.entries - pruned
    distinct, group = np.unique(points[~is_pruned], axis=0, return_inverse=True)
    if len(distinct) <= free:
        centroids, found = distinct, group
    else:
        rng = np.random.default_rng([request.seed, stream])
        runs = (_run_once(points[~is_pruned], free, rng) for _ in range(request.restarts))
        centroids, found, _ = min(runs, key=lambda run: run[2])
    pointers = np.full(len(points), PRUNED, dtype=np.int64)
    pointers[~is_pruned] = found.reshape(-1) + pruned
    return np.concatenate([np.zeros((pruned, points.shape[1])), centroids]), pointers


def _run_once(points: FloatArray, entries: int, rng: np.random.Generator) -> tuple[FloatArray, IntArray, float]:
    """Find centroids of all points, or of a sample where they are very many, and the centroid of every point."""
    candidates = 2 + int(np.log(entries))
    is_many = len(points) > LARGEST_SAMPLE
    seen = points[rng.choice(len(points), LARGEST_SAMPLE, replace=False)] if is_many else points
    centroids = seed_centroids(seen, rng.random((entries, candidates)))
    pointers, inertia = run_lloyd(seen, centroids)
    if is_many:
        pointers, distances = np.zeros(len(points), dtype=np.int64), np.full(len(points), np.inf)
        assign_points(points, np.ascontiguousarray(centroids.T), pointers, distances)
        inertia = float(distances.sum())
    return centroids, pointers, inertia


def _decoded(
    network: FloatNetwork, layers: Mapping[str, LayerClusters], codebooks: Mapping[str, FloatArray]
) -> FloatNetwork:
    nodes = (node for node in network.nodes if isinstance(node, FloatConv) and node.name in layers)
    return network.with_nodes(
        {
            node.name: replace(node, weight=codebooks[layers[node.name].codebook][layers[node.name].pointers])
            for node in nodes
        }
    )
