import numpy as np
import pytest

from archsim.kernels import kmeans
from archsim.kernels.kmeans import assign_points, run_lloyd, seed_centroids


def points_of(count, words, seed=0):
    return np.random.default_rng(seed).normal(size=(count, words))


def squared_distances(points, centroids):
    return ((points[:, None, :] - centroids[None, :, :]) ** 2).sum(axis=2)


def cluster(points, entries, seed=0):
    centroids = seed_centroids(points, np.random.default_rng(seed).random((entries, 6)))
    pointers, inertia = run_lloyd(points, centroids)
    return centroids, pointers, inertia


@pytest.mark.parametrize("entries", [8, 60])
def test_the_error_is_that_of_scikit_learn_within_2_per_cent(entries):
    oracle = pytest.importorskip("sklearn.cluster")
    points = points_of(500, 9)
    expected = oracle.KMeans(entries, n_init=1, random_state=0, tol=0).fit(points).inertia_
    assert cluster(points, entries)[2] == pytest.approx(expected, rel=0.02)


def test_at_the_end_every_point_is_at_its_nearest_centroid_and_every_centroid_in_the_middle_of_its_members():
    points = points_of(400, 4)
    centroids, pointers, inertia = cluster(points, 25)
    distances = squared_distances(points, centroids)
    np.testing.assert_array_equal(pointers, distances.argmin(axis=1))
    for entry in range(25):
        np.testing.assert_allclose(centroids[entry], points[pointers == entry].mean(axis=0))
    assert inertia == pytest.approx(distances.min(axis=1).sum())


def test_a_centroid_without_members_takes_the_point_that_lies_farthest_off():
    points = np.array([[0.0], [1.0], [2.0], [50.0]])
    centroids = np.array([[0.0], [900.0]])
    # all four go to 0; the empty one takes 50; then means 1 and 50, error 1 + 0 + 1
    pointers, inertia = run_lloyd(points, centroids)
    assert (centroids.tolist(), pointers.tolist(), inertia) == ([[1.0], [50.0]], [0, 0, 0, 1], 2.0)


def test_as_many_centroids_as_points_leave_no_error():
    points = points_of(30, 3)
    centroids, pointers, inertia = cluster(points, 30)
    assert inertia == 0.0
    np.testing.assert_array_equal(centroids[pointers], points)


def test_seeds_are_different_points():
    points = points_of(60, 2)
    seeds = seed_centroids(points, np.random.default_rng(3).random((40, 5)))
    assert len(np.unique(seeds, axis=0)) == 40
    assert {tuple(seed) for seed in seeds} <= {tuple(point) for point in points}


def test_seeds_reach_every_far_group():
    groups = np.repeat(np.arange(12) * 1000.0, 20)[:, None] + points_of(240, 1)
    seeds = seed_centroids(groups, np.random.default_rng(0).random((12, 4)))
    assert sorted(np.rint(seeds[:, 0] / 1000)) == list(range(12))


@pytest.mark.parametrize("old", [0, 1])
def test_a_point_between_two_centroids_stays_where_it_is(old):
    pointers, distances = np.array([old]), np.array([1.0])
    moved = assign_points(np.array([[0.0]]), np.array([[-1.0, 1.0]]), pointers, distances)
    assert (moved, pointers[0], distances[0]) == (0, old, 1.0)


def test_compiled_kernels_do_what_their_source_says(uncompiled):
    source = uncompiled(kmeans)
    points, draws = points_of(80, 5), np.random.default_rng(1).random((9, 4))
    seeds = seed_centroids(points, draws)
    np.testing.assert_array_equal(seeds, source.seed_centroids(points, draws))
    by_source = seeds.copy()
    expected = source.run_lloyd(points, by_source)
    pointers, inertia = run_lloyd(points, seeds)
    np.testing.assert_array_equal(pointers, expected[0])
    np.testing.assert_array_equal(seeds, by_source)
    assert inertia == expected[1]
