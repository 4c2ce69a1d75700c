from dataclasses import replace

import numpy as np
import pytest

from archsim.convert.cluster import PRUNED, ClusterRequest, cluster_kernels
from archsim.convert.fine_tune import FineTuneSettings, cross_entropy_gradient, fine_tune, fine_tune_clusters
from archsim.convert.float_network import FloatNetwork
from archsim.convert.float_run import logits
from archsim.convert.gradients import Part, StraightThrough, run_backwards, run_forwards
from archsim.convert.image_files import ImageSet
from archsim.convert.projection import Projection, rounded_to, rounded_weights
from archsim.errors import WorkloadError
from archsim.numerics.format_grammar import parse_format
from tests.convert.small_networks import residual_network

QUICK = FineTuneSettings(epochs=15, learning_rate=1e-2, batch=32)


@pytest.fixture(scope="module")
def strokes() -> ImageSet:
    """6x6 images of a bright row or column in the near or far half, with noise; four classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 600)
    images = rng.integers(0, 120, (600, 1, 6, 6))
    for image, label, line in zip(images, labels, rng.integers(0, 3, 600), strict=True):
        place = line + 3 * (label % 2)
        cut = image[0, place, :] if label < 2 else image[0, :, place]
        cut += 120
    return ImageSet(images=images.astype(np.uint8), labels=labels, name="strokes", scale=255.0)


@pytest.fixture(scope="module")
def trained(strokes: ImageSet) -> FloatNetwork:
    return fine_tune(residual_network(), strokes, QUICK)


def share_right(network: FloatNetwork, images: ImageSet) -> float:
    return float((logits(network, images.values).argmax(axis=1) == images.labels).mean())


def weights(network: FloatNetwork) -> dict[str, np.ndarray]:
    return {node.name: node.weight for node in network.weighted}


def test_training_teaches_an_untrained_network(trained, strokes):
    assert share_right(residual_network(), strokes) < 0.5
    assert share_right(trained, strokes) > 0.95


def test_fine_tuning_codebooks_raises_accuracy_and_keeps_every_pointer(trained, strokes):
    clustered = cluster_kernels(trained, ClusterRequest(entries=3))
    tuned = fine_tune_clusters(clustered, strokes, QUICK)
    assert share_right(clustered.network, strokes) < share_right(tuned.network, strokes) - 0.03
    assert tuned.layers is clustered.layers
    for name, layer in tuned.layers.items():
        np.testing.assert_array_equal(tuned.codebooks[layer.codebook][layer.pointers], weights(tuned.network)[name])
    assert not np.array_equal(weights(tuned.network)["first"], weights(trained)["first"])


def test_pruned_kernels_and_masked_weights_stay_zero(trained, strokes):
    kernels = np.ones((4, 4, 3, 3), dtype=bool)
    kernels[1, :2] = False
    clustered = cluster_kernels(trained, ClusterRequest(entries=5), {"second": kernels})
    single = np.random.default_rng(1).random((4, 36)) < 0.5
    tuned = fine_tune_clusters(clustered, strokes, FineTuneSettings(epochs=1), masks={"classes": single})
    assert not tuned.codebooks["network_3x3"][PRUNED].any()
    np.testing.assert_array_equal(weights(tuned.network)["second"].any(axis=(2, 3)), kernels[..., 0, 0])
    np.testing.assert_array_equal(weights(tuned.network)["classes"] != 0, single)


def test_a_filter_without_weights_keeps_its_bias(trained, strokes):
    mask = np.ones((4, 4, 3, 3), dtype=bool)
    mask[1] = False
    tuned = fine_tune(trained, strokes, FineTuneSettings(epochs=1), Projection(masks={"second": mask}))
    before, after = (
        next(node.bias for node in network.weighted if node.name == "second") for network in (trained, tuned)
    )
    assert before[1] == after[1]
    assert before[3] != after[3]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("int4", [[0.9, -1.75, 0.1]], [[1.0, -1.75, 0.0]]),  # 7 codes hold 1.75: steps of 0.25; 3.6, -7, 0.4
        ("fx<4,2>", [[0.9, -3.0, 0.1]], [[1.0, -2.0, 0.0]]),  # steps of 0.25 from -2 to 1.75, no scale
        ("ternary", [[1.0, -1.2, 0.1], [0.0, 4.0, 4.4]], [[1.0, -1.0, 0.0], [0.0, 4.0, 4.0]]),
    ],
)
def test_an_array_is_rounded_as_its_format_says(name, values, expected):
    found = rounded_to(parse_format(name)).function(np.array(values, np.float32))
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


def test_the_gradient_of_a_centroid_is_the_sum_over_its_members():
    clustered = cluster_kernels(residual_network(), ClusterRequest(entries=4))
    through = Projection(clustered=clustered)
    parameters = through.parameters(clustered.network)
    found = {
        key: np.random.default_rng(2).normal(size=array.shape).astype(np.float32)
        for key, array in through.weights(parameters).items()
    }
    gathered = through.gradients(parameters, found)[Part.CODEBOOK, "network_3x3"]
    for entry in range(4):
        expected = sum(
            found[Part.WEIGHT, name][layer.pointers == entry].sum(axis=0) for name, layer in clustered.layers.items()
        )
        np.testing.assert_allclose(gathered[entry], expected, rtol=1e-4, atol=1e-5)
    assert gathered.shape == parameters[Part.CODEBOOK, "network_3x3"].shape


def test_weights_rounded_to_8_bits_are_on_the_grid_and_cost_no_accuracy(trained, strokes):
    clustered = cluster_kernels(trained, ClusterRequest(entries=6))
    quantisers = rounded_weights(trained, parse_format("int8"), clustered)
    assert {key[0] for key in quantisers} == {Part.WEIGHT, Part.CODEBOOK}
    tuned = fine_tune_clusters(clustered, strokes, QUICK, quantisers=quantisers)
    assert share_right(tuned.network, strokes) > 0.95
    for array in (tuned.codebooks["network_3x3"], weights(tuned.network)["classes"]):
        codes = array / 2.0 ** np.ceil(np.log2(np.abs(array).max() / 127))
        np.testing.assert_array_equal(codes, np.rint(codes))
        assert np.abs(codes).max() <= 128


def test_training_with_rounded_weights_and_ofmaps_beats_rounding_afterwards(trained, strokes):
    narrow = rounded_to(parse_format("int3"))
    quantisers = {(Part.WEIGHT, node.name): narrow for node in trained.weighted}
    steps = StraightThrough(function=lambda values: np.clip(np.rint(values * 2) / 2, 0, 3), lowest=0, highest=3)
    written = {"relu": steps, "relu2": steps}

    def share(network: FloatNetwork) -> float:
        arrays = Projection().weights(Projection().parameters(network))
        trace = run_forwards(network, arrays, strokes.values, written)
        return float((trace.ofmaps["classes"].argmax(axis=0) == strokes.labels).mean())

    through = Projection(quantisers=quantisers)
    afterwards = through.rebuilt(trained, through.parameters(trained))
    aware = fine_tune(trained, strokes, QUICK, through, written=written)
    assert share(aware) > share(afterwards) + 0.03
    assert len(np.unique(weights(aware)["second"])) <= 8


def test_the_gradient_of_the_cross_entropy_is_its_differences():
    scores, labels = np.random.default_rng(0).normal(size=(4, 5)), np.array([0, 3, 1, 1, 2])

    def loss(scores: np.ndarray) -> float:
        chosen = scores[labels, np.arange(5)]
        return float((np.log(np.exp(scores).sum(axis=0)) - chosen).mean())

    found = cross_entropy_gradient(scores.astype(np.float32), labels)
    for place in np.ndindex(4, 5):
        step = np.zeros((4, 5))
        step[place] = 1e-6
        assert found[place] == pytest.approx((loss(scores + step) - loss(scores - step)) / 2e-6, abs=1e-6)


def test_the_first_step_of_adam_moves_every_weight_by_the_learning_rate(strokes):
    network, rate = residual_network(), 1e-4
    batch = strokes.first(16)
    after = fine_tune(network, batch, FineTuneSettings(epochs=1, learning_rate=rate, batch=16))
    arrays = Projection().weights(Projection().parameters(network))
    trace = run_forwards(network, arrays, batch.values)
    gradient = cross_entropy_gradient(trace.ofmaps["classes"], batch.labels)
    signs = np.sign(run_backwards(network, trace, gradient)[Part.WEIGHT, "classes"])
    moved = weights(after)["classes"] - weights(network)["classes"]
    np.testing.assert_allclose(moved, -rate * signs, rtol=0.02, atol=1e-7)


def test_the_learning_rate_falls_to_zero_along_half_a_cosine():
    settings = FineTuneSettings(learning_rate=0.4)
    # 0.2 * (1 + cos 0, 60, 90, 180 degrees)
    assert [settings.rate_at(share) for share in (0, 1 / 3, 0.5, 1)] == pytest.approx([0.4, 0.3, 0.2, 0.0])


def test_a_fraction_of_an_epoch_takes_that_fraction_of_the_steps(strokes):
    network, settings = residual_network(), FineTuneSettings(epochs=0.5, learning_rate=1e-3, batch=100)
    # 600 images: 3 steps, of rates 1, 3/4 and 1/4 thousandths; Adam moves no weight by much more than its rate
    moved = weights(fine_tune(network, strokes, settings))["classes"] - weights(network)["classes"]
    assert 1.5e-3 < np.abs(moved).max() < 2.1e-3


def test_a_seed_gives_the_same_weights_and_another_seed_others(strokes):
    runs = [
        weights(fine_tune(residual_network(), strokes, FineTuneSettings(epochs=0.2, seed=seed)))["second"]
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_no_epochs_change_nothing_but_to_float32(strokes):
    network = residual_network()
    after = fine_tune(network, strokes, FineTuneSettings(epochs=0))
    for name, weight in weights(network).items():
        np.testing.assert_array_equal(weights(after)[name], weight.astype(np.float32))


def test_images_without_fitting_labels_are_refused(strokes):
    with pytest.raises(WorkloadError, match="'strokes' have no labels"):
        fine_tune(residual_network(), replace(strokes, labels=None), QUICK)
    with pytest.raises(WorkloadError, match=r"labels \d to \d+ do not fit a network of 4 logits"):
        fine_tune(residual_network(), replace(strokes, labels=strokes.labels + 2), QUICK)


@pytest.mark.parametrize("wrong", [{"epochs": -1}, {"learning_rate": 0}, {"batch": 0}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="are needed"):
        FineTuneSettings(**wrong)
