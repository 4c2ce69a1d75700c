"""How fast the bit-true sums of products are; run by `bench.py` as ``numerics``."""

import time
from collections.abc import Callable
from typing import Any

IFMAP, WEIGHT = (1, 64, 58, 58), (64, 64, 3, 3)
"""A layer of 64 to 64 channels, 3 x 3, unpadded: 115.6 M MACs. [words]"""
BARS = {"int8 exact": 8e9, "cast at every MAC": 0.5e9, "LNS8 linear": 1e9}
"""What DESIGN asks for. [MACs per second]"""


def bench_numerics() -> None:
    """Print MACs per second of every kind of sum, the gathering of windows included; float32 BLAS beside them."""
    import numpy as np  # noqa: PLC0415 - after the cold start is measured

    macs = WEIGHT[0] * (IFMAP[2] - 2) * (IFMAP[3] - 2) * WEIGHT[1] * 9
    for name, run in _sums().items():
        run()
        rate = macs / _best(run)
        bar = f"{rate / BARS[name]:6.1f} x the bar" if name in BARS else " " * 16
        print(f"{'sums, ' + name:<34} {bar} {rate / 1e9:8.2f} GMAC/s")
    unfolded = np.ones((WEIGHT[1] * 9, macs // (WEIGHT[0] * WEIGHT[1] * 9)), dtype=np.float32)
    weights = np.ones((WEIGHT[0], len(unfolded)), dtype=np.float32)
    rate = macs / _best(lambda: weights @ unfolded)
    print(f"{'numpy float32 product, unfolded':<34} {'':16} {rate / 1e9:8.2f} GMAC/s")


def _sums() -> dict[str, Callable[[], Any]]:
    import numpy as np  # noqa: PLC0415

    from archsim.numerics.accumulator import (  # noqa: PLC0415
        CastSum,
        ExactSum,
        FloatSumKind,
        LinearSum,
        LogSum,
    )
    from archsim.numerics.fixed_point import FixedPoint  # noqa: PLC0415
    from archsim.numerics.number_format import NumberKind  # noqa: PLC0415
    from archsim.numerics.products import float_sums, integer_sums, linear_log_sums, log_sums  # noqa: PLC0415
    from archsim.numerics.window import Window  # noqa: PLC0415

    random, window = np.random.default_rng(0), Window()
    ifmap, weight = random.integers(-128, 128, IFMAP), random.integers(-128, 128, WEIGHT)
    logs, weight_logs = (
        (random.integers(-63, 64, shape), random.choice([-1, 0, 1], shape, p=(0.4, 0.2, 0.4)))
        for shape in (IFMAP, WEIGHT)
    )
    register = FixedPoint(name="fx<16,8>", kind=NumberKind.FIXED_POINT, width_bits=16, integer_bits=8)
    return {
        "int8 exact": lambda: integer_sums(ifmap, weight, None, window, accumulator=ExactSum()),
        "cast at every MAC": lambda: integer_sums(
            ifmap, weight, None, window, accumulator=CastSum(format=register), product_fraction_bits=12
        ),
        "LNS8 linear": lambda: linear_log_sums(
            logs, weight_logs, None, window, accumulator=LinearSum(), fraction_bits=3, lsb=8
        ),
        "LNS8 log domain, full table": lambda: log_sums(
            logs, weight_logs, None, window, accumulator=LogSum(fraction_bits=8), fraction_bits=3
        ),
        "float32 one by one": lambda: float_sums(ifmap / 16, weight / 16, None, window, kind=FloatSumKind.FP32),
    }


def _best(run: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
