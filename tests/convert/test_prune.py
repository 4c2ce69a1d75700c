"""Pruning: the right weights go, exactly as many as asked for, and to exactly zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.convert.float_network import FloatBatchNorm, FloatConv, FloatDense, FloatFlatten, FloatNetwork
from archsim.convert.prune import GRAMMAR, PruneKind, PruneStep, parse_prune, prune_network
from archsim.errors import WorkloadError


def network(seed: int = 0) -> FloatNetwork:
    rng = np.random.default_rng(seed)
    nodes = (
        FloatConv(name="c1", sources=("",), weight=rng.normal(size=(4, 2, 3, 3)), bias=np.ones(4)),
        FloatConv(name="c2", sources=("c1",), weight=5 * rng.normal(size=(6, 4, 3, 3)), bias=None),
        FloatFlatten(name="f", sources=("c2",)),
        FloatDense(name="fc1", sources=("f",), weight=rng.normal(size=(8, 24)), bias=np.ones(8)),
        FloatDense(name="fc2", sources=("fc1",), weight=rng.normal(size=(3, 8)), bias=np.ones(3)),
    )
    return FloatNetwork(name="net", ifmap_shape=(2, 6, 6), nodes=nodes)


def kept_counts(text: str) -> dict[str, int]:
    return {name: int(mask.sum()) for name, mask in prune_network(network(), parse_prune(text))[1].items()}


@given(st.floats(0, 0.999), st.integers(0, 5))
def test_magnitude_removes_the_share_of_each_layer_and_nothing_larger_than_what_stays(share: float, seed: int) -> None:
    before = network(seed)
    after, masks = prune_network(before, parse_prune(f"magnitude:{share}"))
    for old, new in zip(before.weighted, after.weighted, strict=True):
        mask = masks[old.name]
        assert (~mask).sum() == round(share * mask.size)
        assert (new.weight[mask] == old.weight[mask]).all()
        assert not new.weight[~mask].any()
        assert np.abs(old.weight[~mask]).max(initial=0) <= np.abs(old.weight[mask]).min(initial=np.inf)


def test_a_global_share_takes_more_from_the_layer_with_smaller_weights() -> None:
    _, masks = prune_network(network(), parse_prune("magnitude:0.5:global"))
    sizes = sum(mask.size for mask in masks.values())
    assert sum(int(mask.sum()) for mask in masks.values()) == sizes - round(sizes / 2)
    assert masks["c2"].mean() > 0.7
    assert masks["c1"].mean() < 0.5  # c2's weights are five times as large


def test_kernels_go_whole_least_norm_first_and_dense_layers_stay() -> None:
    before = network()
    after, masks = prune_network(before, parse_prune("kernels:0.25"))
    for old in before.weighted[:2]:
        mask = masks[old.name]
        per_kernel = mask.reshape(-1, 9)
        assert (per_kernel.all(axis=1) | ~per_kernel.any(axis=1)).all()
        assert (~per_kernel[:, 0]).sum() == mask.shape[0] * mask.shape[1] // 4
        norms = np.abs(old.weight).sum(axis=(2, 3)).ravel()
        assert norms[~per_kernel[:, 0]].max() <= norms[per_kernel[:, 0]].min()
    assert after.weighted[2].weight is not None
    assert masks["fc1"].all()
    assert masks["fc2"].all()


def test_channels_go_with_their_bias_and_the_classes_stay() -> None:
    before = network()
    after, masks = prune_network(before, parse_prune("channels:0.5"))
    gone = ~masks["c1"].reshape(4, -1).any(axis=1)
    assert gone.sum() == 2
    norms = np.abs(before.weighted[0].weight).sum(axis=(1, 2, 3))
    assert set(np.flatnonzero(gone)) == set(np.argsort(norms)[:2])
    bias = after.weighted[0].bias
    assert bias is not None
    assert bias.tolist() == [0.0 if lost else 1.0 for lost in gone]
    assert after.weighted[1].bias is None
    assert masks["fc2"].all()


def test_whole_channels_go_before_single_weights_whatever_the_order_asked_for() -> None:
    request = parse_prune("magnitude:0.5, channels:0.25")
    assert [step.kind for step in request.steps] == [PruneKind.CHANNELS, PruneKind.MAGNITUDE]
    assert request.text == "magnitude:0.5, channels:0.25"
    # a removed channel's zeros are the smallest weights, so they are part of the half
    assert kept_counts("magnitude:0.5,channels:0.25") == {"c1": 36, "c2": 108, "fc1": 96, "fc2": 12}


def test_equal_weights_go_in_their_order() -> None:
    flat = FloatNetwork(
        name="n", ifmap_shape=(4,), nodes=(FloatDense(name="d", sources=("",), weight=np.ones((1, 4)), bias=None),)
    )
    assert prune_network(flat, parse_prune("magnitude:0.5"))[1]["d"].tolist() == [[False, False, True, True]]


def test_han_keeps_the_published_share_of_each_layer() -> None:
    # Han et al., NIPS 2015, LeNet-5: 66, 12, 8, 19 % kept of conv1, conv2, fc1, fc2
    assert kept_counts("han:lenet5") == {
        "c1": 72 - round(0.34 * 72), "c2": 216 - round(0.88 * 216), "fc1": 192 - round(0.92 * 192),
        "fc2": 24 - round(0.81 * 24),
    }  # fmt: skip


def test_densities_of_another_network_are_refused() -> None:
    with pytest.raises(WorkloadError) as caught:
        prune_network(network(), parse_prune("han:lenet_300_100"))
    assert str(caught.value) == (
        "network 'net' has the weighted layers conv conv fc fc, but the densities of lenet_300_100 are for fc fc fc. "
        "Ask for magnitude:SHARE instead."
    )


def test_a_batch_norm_must_be_folded_first() -> None:
    ones = np.ones(2)
    norm = FloatBatchNorm(name="bn", sources=("",), scale=ones, shift=ones, mean=ones, variance=ones, epsilon=0.0)
    with pytest.raises(WorkloadError) as caught:
        prune_network(FloatNetwork(name="n", ifmap_shape=(2,), nodes=(norm,)), parse_prune("channels:0.5"))
    assert str(caught.value) == "node 'bn': a batch norm must be folded before pruning. Fold it first."


def test_a_request_is_read() -> None:
    assert parse_prune("magnitude:0.5:global").steps == (
        PruneStep(kind=PruneKind.MAGNITUDE, share=0.5, is_global=True),
    )
    assert parse_prune("han:alexnet").steps == (PruneStep(kind=PruneKind.HAN, network="alexnet"),)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("random:0.5", "'random' is no way of pruning"),
        ("", "'' is no way of pruning"),
        ("magnitude", "the share '' is no number of 0 or more and below 1"),
        ("magnitude:1", "the share '1' is no number of 0 or more and below 1"),
        ("kernels:nan", "the share 'nan' is no number of 0 or more and below 1"),
        ("channels:0.5,kernels:-1", "the share '-1' is no number of 0 or more and below 1"),
        ("kernels:0.5:global", "'global' cannot stand behind 'kernels:0.5'"),
        ("magnitude:0.5:all", "'all' cannot stand behind 'magnitude:0.5'"),
        ("han:resnet50", "no densities are known of 'resnet50'"),
    ],
)
def test_a_request_that_means_nothing_says_what_is_allowed(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="Allowed") as caught:
        parse_prune(text)
    assert str(caught.value) == f"{wrong}. Allowed: {GRAMMAR}."


def test_the_grammar_is_this() -> None:
    assert GRAMMAR == (
        "magnitude:SHARE, magnitude:SHARE:global, kernels:SHARE, channels:SHARE (shares removed, 0 or more and below 1), "
        "han:NETWORK (lenet_300_100, lenet5, alexnet, vgg16), or several with commas between them"
    )
