"""Speed of counting and skipping zeros; part of bench.py."""

from collections.abc import Callable
from functools import partial
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from archsim.catalog import load_arch, load_workload
from archsim.kernels.nonzero_planes import count_nonzero_planes
from archsim.study.simulate import simulate
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks, NetworkMasks

COUNT_BAR, NETWORK_BAR_S = 0.5, 3.0
"""Of the speed of numpy.count_nonzero on the same bytes; seconds of ResNet-50 with a mask for every layer."""
SHAPES = ((1, 64, 224 * 224), (1, 256, 56 * 56), (1, 512, 14 * 14), (1, 2048, 7 * 7), (1, 4096, 1))
"""(images, channels, places) of activations: VGG-16 and ResNet-50, first layers to last."""


def bench_zeros() -> None:
    """Print the exact count of zeros beside numpy's on the same bytes, and ResNet-50 on zascas with masks in hand."""
    draw = np.random.default_rng(0)
    for shape in SHAPES:
        values = (draw.integers(1, 128, shape) * (draw.random(shape) < 0.4)).astype(np.uint8)
        counts = np.zeros((shape[0], shape[2]), dtype=np.int64)
        ours = best_of(partial(count_nonzero_planes, values, counts))
        numpy_s = best_of(partial(np.count_nonzero, values))
        ratio = numpy_s / ours
        verdict = "ok" if ratio >= COUNT_BAR else "TOO SLOW"
        size = "x".join(map(str, shape[1:]))
        print(
            f"zeros counted   {size:>12}: {values.size / ours / 1e9:6.1f} GB/s, {ratio:.2f} x numpy.count_nonzero {verdict}"
        )
    _bench_network()


def _bench_network() -> None:
    workload, chip = load_workload("resnet50"), load_arch("zascas")
    layers = [layer for layer in workload.layers if isinstance(layer, ArrayLayer)]
    masks = NetworkMasks(of={(layer.name, Operand.IFMAP): _Mask(layer) for layer in layers})
    assert masks.layer(layers[0].name) != LayerMasks()
    seconds = best_of(lambda: simulate(chip, workload, masks=masks), runs=3)
    verdict = "ok" if seconds < NETWORK_BAR_S else "TOO SLOW"
    print(f"zeros skipped   resnet50 on zascas, masks in hand, beside its dense run: {seconds:.2f} s {verdict}")


class _Mask:
    """A mask in hand: half of the values are zero."""

    origin = "bench"

    def __init__(self, layer: ArrayLayer) -> None:
        shape = zeros_by_itself(layer).nonzero(layer, Operand.IFMAP).shape
        self.values = np.random.default_rng(1).random(shape) < 0.5

    def nonzero(self) -> NDArray[np.bool_]:
        return self.values


def best_of(work: Callable[[], object], runs: int = 15) -> float:
    """Return the shortest wall time of several runs, after one that does not count. [s]"""
    work()
    times = []
    for _ in range(runs):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)
