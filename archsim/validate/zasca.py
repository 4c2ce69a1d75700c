"""ZASCA, 65 nm: its latency, efficiency, accesses and the gain of skipping zeros; called by `archsim validate zasca`.

References
----------
.. [1] A. Ardakani, C. Condo, W. Gross, Fast and efficient convolutional accelerator for edge computing, IEEE Trans.
   Computers 69(1), 2020: the abstract; the tables are recalled.
"""

from dataclasses import replace
from pathlib import Path

from archsim.catalog import load_arch, load_workload
from archsim.study.simulate import simulate
from archsim.validate.published import Bounds, published_suite
from archsim.validate.published_rows import read_published
from archsim.validate.suite import Bound, Row, Statistic, SuiteResult, Tier

SHIPPED = Path(__file__).parent / "golden" / "zasca.csv"
NEVER_SLOWER = ("vgg16", "vgg19", "alexnet", "googlenet", "resnet18", "resnet50", "squeezenet", "mobilenet_v1")
"""Networks whose layers are looked at one by one."""


def _total(limit: float, *, is_distance: bool = False) -> Bound:
    return Bound(statistic=Statistic.MAX, limit=limit, is_of_totals=True, is_distance=is_distance)


BOUNDS: Bounds = {
    "processing_latency_ms": (_total(0.03),),
    "total_latency_ms": (_total(0.005),),
    "performance_efficiency_percent": (_total(1.0, is_distance=True),),
    "dram_words_M": (_total(0.01),),
    "skip_gain_x": (_total(0.4, is_distance=True),),
    "skip_array_gain_x": (_total(0.4, is_distance=True),),
}
"""Quantity -> bounds. 0.4 around 1.9: from 1.5 to 2.3, within the bracket of 1.5 to 2.5."""


def zasca_suite(reference: Path | None = None) -> SuiteResult:
    """Compare with the paper, the shipped rows or a reference of the same columns; errors as in `read_published`."""
    source = "ZASCA (IEEE TC 2020), in part recalled" if reference is None else str(reference)
    suite = published_suite("zasca", read_published(reference or SHIPPED), BOUNDS, reference=source)
    if reference is not None:
        return suite
    return replace(suite, tiers=(_vgg_latency(suite), *suite.tiers, _never_slower()))


def _vgg_latency(suite: SuiteResult) -> Tier:
    """Hold the latency of VGG-16 to a bound of its own: that number is the surest."""
    tier = next(each for each in suite.tiers if "processing latency" in each.name)
    rows = tuple(row for row in tier.rows if row.group.startswith("vgg16"))
    return replace(tier, name="VGG-16 latency", rows=rows, bounds=(_total(0.005),))


def _never_slower() -> Tier:
    """Compare every layer's cycles with those of the same chip without skipping."""
    rows = []
    for network in NEVER_SLOWER:
        run = simulate(load_arch("zascas"), load_workload(network))
        rows += [
            Row(group=network, case=layer.layer, published=layer.total_cycles + layer.cycles_saved,
                simulated=layer.total_cycles, is_ceiling=True, source="the same chip without skipping")
            for layer in run.layers
            if layer.dense is not None
        ]  # fmt: skip
    return Tier(
        name="never slower",
        claim="skipping zeros takes no layer longer: its cycles against those without skipping as a ceiling",
        quantity="cycles", unit="cycles", rows=tuple(rows), bounds=(Bound(statistic=Statistic.MAX, limit=0.0),),
    )  # fmt: skip
