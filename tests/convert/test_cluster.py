from dataclasses import replace

import numpy as np
import pytest

from archsim.convert.cluster import (
    PRUNED,
    ClusterRequest,
    CodebookScope,
    _run_once,
    cluster_kernels,
    clusterable,
    relative_error,
)
from archsim.errors import WorkloadError
from tests.convert.small_networks import conv, dense, network, residual_network


def weights(net):
    return {node.name: node.weight for node in net.weighted}


@pytest.mark.parametrize("scope", CodebookScope)
def test_every_clustered_kernel_is_its_entry_bit_for_bit_and_nothing_else_changes(scope):
    before = residual_network()
    clustered = cluster_kernels(before, ClusterRequest(entries=5, scope=scope))
    after = weights(clustered.network)
    assert set(clustered.layers) == {"second", "third"}
    for name, layer in clustered.layers.items():
        assert (layer.pointers.shape, layer.pointers.dtype) == ((4, 4), np.int64)
        np.testing.assert_array_equal(clustered.codebooks[layer.codebook][layer.pointers], after[name])
        assert len(np.unique(after[name].reshape(-1, 9), axis=0)) <= 5
    for name in ("first", "classes"):
        np.testing.assert_array_equal(after[name], weights(before)[name])


def test_the_network_has_a_codebook_for_each_size_of_kernel_and_a_layer_has_its_own():
    net = network(
        (2, 6, 6), conv("a", "", (4, 2, 3, 3)), conv("b", "a", (4, 4, 3, 3)), conv("c", "b", (4, 4, 5, 5)),
        conv("d", "c", (4, 4, 3, 3)), conv("e", "d", (4, 4, 1, 1)),
    )  # fmt: skip
    shared = cluster_kernels(net, ClusterRequest(entries=4))
    assert {name: book.shape for name, book in shared.codebooks.items()} == {
        "network_3x3": (4, 3, 3),
        "network_5x5": (4, 5, 5),
    }
    own = cluster_kernels(net, ClusterRequest(entries=4, scope=CodebookScope.LAYER))
    assert list(own.codebooks) == ["b", "c", "d"]
    assert [node.name for node in clusterable(net)] == ["b", "c", "d"]


def test_pruned_kernels_point_to_the_zero_entry_and_no_other_kernel_does():
    net = residual_network()
    mask = np.ones((4, 4, 3, 3), dtype=bool)
    mask[1, 2] = mask[3, 0] = False
    clustered = cluster_kernels(net, ClusterRequest(entries=6), {"second": mask})
    assert not clustered.codebooks["network_3x3"][PRUNED].any()
    assert clustered.has_pruned("network_3x3")
    assert len(clustered.codebooks["network_3x3"]) == 6
    assert list(zip(*np.nonzero(clustered.layers["second"].pointers == PRUNED), strict=True)) == [(1, 2), (3, 0)]
    assert not (clustered.layers["third"].pointers == PRUNED).any()


def test_a_mask_inside_a_kernel_counts_as_zeros_and_is_not_kept():
    net = residual_network()
    mask = np.ones((4, 4, 3, 3), dtype=bool)
    mask[0, 0, 0] = False
    many = cluster_kernels(net, ClusterRequest(entries=64), {"second": mask})
    assert not weights(many.network)["second"][0, 0, 0].any()  # an entry of its own
    few = cluster_kernels(net, ClusterRequest(entries=2), {"second": mask})
    assert weights(few.network)["second"][0, 0, 0].all()
    assert not few.has_pruned("network_3x3")


def test_fewer_different_kernels_than_entries_are_kept_exactly():
    net = residual_network()
    one = np.tile(weights(net)["second"][0, 0], (4, 4, 1, 1))
    net = net.with_nodes({node.name: replace(node, weight=one) for node in clusterable(net)})
    clustered = cluster_kernels(net, ClusterRequest(entries=16))
    assert len(clustered.codebooks["network_3x3"]) == 1
    np.testing.assert_array_equal(weights(clustered.network)["third"], one)
    assert relative_error(net, clustered) == 0


def test_a_seed_gives_the_same_codebook_and_another_seed_another():
    books = [
        cluster_kernels(residual_network(), ClusterRequest(entries=6, seed=seed)).codebooks["network_3x3"]
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(books[0], books[1])
    assert not np.array_equal(books[0], books[2])


def test_more_entries_or_restarts_leave_no_more_error():
    net = residual_network()
    errors = [
        relative_error(net, cluster_kernels(net, ClusterRequest(entries=entries))) for entries in (2, 4, 8, 16, 32)
    ]
    assert errors[-1] == 0  # 32 kernels
    assert errors == sorted(errors, reverse=True)
    once, often = (
        relative_error(net, cluster_kernels(net, ClusterRequest(entries=8, restarts=restarts))) for restarts in (1, 12)
    )
    assert often < once


@pytest.mark.parametrize("layers", [[conv("a", "", (4, 2, 3, 3))], [dense("a", "", 3, 4)], []])
def test_a_network_without_kernels_to_cluster_is_refused(layers):
    with pytest.raises(WorkloadError, match="'small' has no kernels to cluster"):
        cluster_kernels(network((2, 6, 6), *layers), ClusterRequest(entries=4))


@pytest.mark.parametrize("wrong", [{"entries": 1}, {"entries": 8, "restarts": 0}])
def test_a_request_for_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match=r"needs 2 entries or more|runs once or more"):
        ClusterRequest(**wrong)


def test_a_request_says_itself_in_words():
    assert ClusterRequest(entries=64, restarts=3).text == "64 kernels per network, k-means of seed 0, best of 3"


def test_a_codebook_of_very_many_kernels_is_found_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.convert.cluster.LARGEST_SAMPLE", 200)
    rng = np.random.default_rng(3)
    centres = 10 * rng.standard_normal((8, 9))
    points = centres[rng.integers(0, 8, 1000)] + 0.1 * rng.standard_normal((1000, 9))
    centroids, pointers, inertia = _run_once(points, 8, np.random.default_rng(0))
    distances = ((points[:, None] - centroids[None]) ** 2).sum(axis=2)
    assert np.array_equal(pointers, distances.argmin(axis=1))
    assert inertia == pytest.approx(distances.min(axis=1).sum())
    assert inertia / len(points) < 9 * 0.1**2 * 1.1  # the noise around its own centre, little more
