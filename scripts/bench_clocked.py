"""How fast the clocked arrays are; run by `bench.py` as ``clocked``."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

BAR = 100e6
"""What DESIGN asks for. [PE-cycles per second]"""
STREAMED = {"weight_stationary": "pixels", "output_stationary": "window", "input_stationary": "filters"}
"""The long side of the product, by dataflow: what passes by while the others stay."""
SIDE = 64
STREAM = 4096
ROW_LAYER = (4, 64, 48, 13, 3)
"""AlexNet's conv5 with a quarter of its channels and half its filters: images, filters, channels, side, kernel; a step
works on a row of 26 PEs, 156 of Eyeriss' 168."""


def bench_clocked() -> None:
    """Print PE-cycles per second of the clocked array, by dataflow; PEs that the mapping leaves idle do not count."""
    for dataflow, pes, run in [*_products(), _rows(), *_skipping()]:
        cycles = run().total_cycles
        rate = pes * cycles / _best(run)
        bar = f"{rate / BAR:6.1f} x the bar"
        print(f"{'clocked ' + dataflow:<34} {bar} {rate / 1e6:8.1f} M PE-cycles/s, {cycles} cycles")


def _products() -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """Yield one product per systolic dataflow: its name, PEs, the run."""
    import numpy as np  # noqa: PLC0415 - after the cold start is measured

    from archsim.arch.pe_array import PeArray  # noqa: PLC0415
    from archsim.engine.clocked import run_clocked  # noqa: PLC0415
    from archsim.terms import Dataflow  # noqa: PLC0415

    random = np.random.default_rng(0)
    for dataflow, streamed in STREAMED.items():
        pe_array = PeArray(rows=SIDE, columns=SIDE, dataflow=Dataflow(dataflow))
        sizes = {**dict.fromkeys(("pixels", "window", "filters"), SIDE), streamed: STREAM}
        ifmap = random.integers(-128, 128, (sizes["pixels"], sizes["window"]))
        weight = random.integers(-128, 128, (sizes["window"], sizes["filters"]))
        yield dataflow, pe_array.multipliers, partial(run_clocked, ifmap, weight, pe_array)


def _rows() -> tuple[str, int, Callable[[], Any]]:
    """Return a layer on Eyeriss with the mapping of its paper: zeros are gated, which counts PE by PE."""
    import numpy as np  # noqa: PLC0415

    import archsim  # noqa: PLC0415
    from archsim.engine.clocked_rows import run_clocked_rows  # noqa: PLC0415
    from archsim.numerics.window import Window  # noqa: PLC0415

    arch, random = archsim.load_arch("eyeriss_v1"), np.random.default_rng(0)
    mapping = arch.mapping.for_layer("alexnet", "conv5").fixed[0].mapping
    images, filters, channels, side, kernel = ROW_LAYER
    ifmap = np.maximum(random.integers(-128, 128, (images, channels, side, side)), 0)
    weight = random.integers(-128, 128, (filters, channels, kernel, kernel))
    window = Window(padding=((1, 1), (1, 1)))
    pes = kernel * mapping.r * mapping.e * mapping.t
    run = partial(run_clocked_rows, ifmap, weight, window, mapping, pe_array=arch.pe_array, weight_bits=16)
    return "row_stationary", pes, run


def _skipping() -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """Yield a convolution on each array that skips zeros, half of the values zero; its multipliers count, those with a filter."""
    import numpy as np  # noqa: PLC0415

    import archsim  # noqa: PLC0415
    from archsim.engine.clocked_bricks import run_clocked_bricks  # noqa: PLC0415
    from archsim.engine.clocked_broadcast import run_clocked_broadcast  # noqa: PLC0415
    from archsim.engine.clocked_planar import run_clocked_planar  # noqa: PLC0415
    from archsim.workload.layer import ConvLayer  # noqa: PLC0415

    random, channels = np.random.default_rng(0), SIDE
    layer = ConvLayer(name="conv", in_channels=channels, out_channels=channels, ifmap=(16, 56), kernel=(3, 3), stride=(1, 1),
                      padding=((1, 1), (1, 1)), dilation=(1, 1))  # fmt: skip
    ifmap = random.integers(-128, 128, (1, channels, *layer.ifmap)) * (random.random((1, channels, *layer.ifmap)) < 0.5)
    weight = random.integers(-128, 128, (channels, channels, *layer.kernel))
    zascas, cnvlutin, scnn = (archsim.load_arch(name).pe_array for name in ("zascas", "cnvlutin", "scnn"))
    yield "pixel_broadcast", zascas.pes, partial(run_clocked_broadcast, layer, ifmap, weight, zascas)
    yield (
        "brick_lanes",
        cnvlutin.rows * channels,
        partial(run_clocked_bricks, layer, ifmap, weight, cnvlutin, encoded=True),
    )
    yield "planar_tiles", scnn.multipliers, partial(run_clocked_planar, layer, scnn, ifmap, weight)


def _best(run: Callable[[], Any]) -> float:
    """Return the shortest wall time of three runs. [s]"""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
