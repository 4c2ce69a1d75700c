"""k-means on points of a few words each: seeds spread by k-means++, then Lloyd's steps until no point moves.

`convert/cluster.py` calls it on the 2-D kernels of a network. Everything random is drawn by the caller.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@compiled
def seed_centroids(points: FloatArray, draws: FloatArray) -> FloatArray:
    """Choose points as first centroids, far from one another: greedy k-means++ [1]_.

    Each centroid is the best of a few candidates, which are drawn in proportion to their squared distance
    from the centroids before.

    Parameters
    ----------
    points
        Shape (points, words), at least as many different ones as centroids.
    draws
        Uniform numbers 0..1, shape (centroids, candidates).

    Returns
    -------
    FloatArray
        Centroids, shape (centroids, words).

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007, sections 2 and 7.
    """
    count, words = points.shape
    entries, candidates = draws.shape
    centroids = np.empty((entries, words))
    nearest = np.full(count, np.inf)
    trial = np.empty(count)
    best = np.empty(count)
    for entry in range(entries):
        reached = np.cumsum(nearest) if entry else np.arange(1.0, count + 1.0)
        best_sum = np.inf
        for candidate in range(candidates if entry else 1):
            drawn = np.searchsorted(reached, draws[entry, candidate] * reached[-1], side="right")
            chosen = min(drawn, count - 1)
            total = 0.0
            for point in range(count):
                distance = 0.0
                for word in range(words):
                    gap = points[point, word] - points[chosen, word]
                    distance += gap * gap
                trial[point] = min(nearest[point], distance)
                total += trial[point]
            if total < best_sum:
                best_sum = total
                best[:] = trial
                centroids[entry] = points[chosen]
        nearest[:] = best
    return centroids


@compiled
def run_lloyd(points: FloatArray, centroids: FloatArray) -> tuple[IntArray, float]:
    """Move each centroid to the mean of its members and each point to its nearest centroid, until none moves.

    A point changes its centroid for a nearer one only, so that ties do not go round in circles. A centroid
    that has lost all its members takes the point that lies farthest from its own.

    Parameters
    ----------
    points
        Shape (points, words), at least as many different ones as centroids.
    centroids
        Shape (centroids, words); changed in place to the means of their members.

    Returns
    -------
    tuple
        Centroid of each point, shape (points,), and the sum of squared distances to them.
    """
    count, words = points.shape
    entries = len(centroids)
    pointers = np.zeros(count, dtype=np.int64)
    distances = np.full(count, np.inf)
    members = np.zeros(entries, dtype=np.int64)
    while assign_points(points, np.ascontiguousarray(centroids.T), pointers, distances) > 0:
        members[:] = 0
        for point in range(count):
            members[pointers[point]] += 1
        for entry in range(entries):
            if members[entry] == 0:
                farthest = -1
                for point in range(count):
                    if members[pointers[point]] > 1 and (farthest < 0 or distances[point] > distances[farthest]):
                        farthest = point
                members[pointers[farthest]] -= 1
                members[entry] = 1
                pointers[farthest] = entry
                distances[farthest] = 0.0
        centroids[:] = 0.0
        for point in range(count):
            for word in range(words):
                centroids[pointers[point], word] += points[point, word]
        for entry in range(entries):
            for word in range(words):
                centroids[entry, word] /= members[entry]
    inertia = 0.0
    for point in range(count):
        inertia += distances[point]
    return pointers, inertia


@compiled
def assign_points(points: FloatArray, by_word: FloatArray, pointers: IntArray, distances: FloatArray) -> int:
    """Point each point to its nearest centroid; one as near as the old one does not count.

    Parameters
    ----------
    points
        Shape (points, words).
    by_word
        Centroids, shape (words, centroids): the inner loop runs along them.
    pointers, distances
        Shape (points,): the old centroid of each point, replaced by the new one; squared distance to it, written.
        Infinite distances on the way in mean that there is no old centroid: the point counts as moved.

    Returns
    -------
    int
        Points that moved.
    """
    words, entries = by_word.shape
    to_each = np.empty(entries)
    moved = 0
    for point in range(len(points)):
        to_each[:] = 0.0
        for word in range(words):
            at = points[point, word]
            for entry in range(entries):
                gap = at - by_word[word, entry]
                to_each[entry] += gap * gap
        nearest = pointers[point]
        least = to_each[nearest]
        for entry in range(entries):
            if to_each[entry] < least:
                nearest, least = entry, to_each[entry]
        moved += nearest != pointers[point] or distances[point] == np.inf
        pointers[point] = nearest
        distances[point] = least
    return moved
