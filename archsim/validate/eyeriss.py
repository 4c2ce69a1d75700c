"""Eyeriss, 65 nm: AlexNet's convolutions as measured on the chip; called by `archsim validate eyeriss`.

References
----------
.. [1] Y.-H. Chen, T. Krishna, J. Emer, V. Sze, Eyeriss: an energy-efficient reconfigurable accelerator for deep
   convolutional neural networks, ISSCC 2016, figure 14.5.6 and poster; the same, JSSC 52(1), 2017, tables III and V.
"""

from pathlib import Path

from archsim.validate.published import Bounds, published_suite
from archsim.validate.published_rows import read_published
from archsim.validate.suite import EQUAL, Bound, Statistic, SuiteResult

SHIPPED = Path(__file__).parent / "golden" / "eyeriss.csv"


def _each(limit: float) -> Bound:
    return Bound(statistic=Statistic.MAX, limit=limit)


def _total(limit: float) -> Bound:
    return Bound(statistic=Statistic.MAX, limit=limit, is_of_totals=True)


BOUNDS: Bounds = {
    "macs_M": (_each(0.001), _total(0.001)),
    "active_pes": EQUAL,
    "processing_latency_ms": (_each(0.075), Bound(statistic=Statistic.MEAN, limit=0.05), _total(0.02)),
    "glb_MB": (_each(0.01),),
    "words_without_reuse_M": (_total(0.05),),
    "dram_words_M": (_total(0.05),),
    "dram_MB": (_each(0.10), _total(0.05)),
    "chip_power_mW": (_each(0.20), _total(0.10)),
}
"""Quantity -> bounds; the total latency is reported."""


def eyeriss_suite(reference: Path | None = None) -> SuiteResult:
    """Compare with the chip, the shipped rows or a reference of the same columns; errors as in `read_published`."""
    source = "Eyeriss, measured (ISSCC 2016, JSSC 2017)" if reference is None else str(reference)
    return published_suite("eyeriss", read_published(reference or SHIPPED), BOUNDS, reference=source)
