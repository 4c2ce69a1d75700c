"""Google's first TPU: its peak and the counters of six apps; called by `archsim validate tpu`.

References
----------
.. [1] N. P. Jouppi et al., In-datacenter performance analysis of a tensor processing unit, ISCA 2017, tables 1 to 3.
"""

from dataclasses import replace
from pathlib import Path

from archsim.validate.published import Bounds, published_suite
from archsim.validate.published_rows import read_published
from archsim.validate.suite import Bound, Statistic, SuiteResult

SHIPPED = Path(__file__).parent / "golden" / "tpu_v1.csv"

BOUNDS: Bounds = {
    "peak_gops": (Bound(statistic=Statistic.MAX, limit=0.5 / 92),),
    "array_active_percent": (Bound(statistic=Statistic.MAX, limit=5.0, is_distance=True, is_of_totals=True),),
}
"""92 TOPS are a whole number; array-active shares within 5 points. The other counters are reported."""

NOTES = (
    "workloads are stand-ins of equal layers, workloads/tpu_*.yaml: the paper gives layers, weights and reuse, no shapes",
    "not modelled: non-matrix cycles (published 17.5, 31.9, 17.9, 10.3, 21.8 and 18.7 % of MLP0 to CNN1), read-after-write "
    "stalls, inputs over PCIe, weights padded to whole tiles in DRAM, vector layers (34 and 19 of the LSTMs'), pools",
    "weight shift is high and weight stall low where the mapper loads a tile twice, behind a DRAM that is the limit anyway",
    "weight memory at 34 GB/s; at the 30 of the paper's text array active falls by up to 1.8 points",
)


def tpu_suite(reference: Path | None = None) -> SuiteResult:
    """Compare with the chip, the shipped rows or a reference of the same columns; errors as in `read_published`."""
    source = "TPU v1, measured (ISCA 2017)" if reference is None else str(reference)
    suite = published_suite("tpu", read_published(reference or SHIPPED), BOUNDS, reference=source)
    return replace(suite, tiers=tuple(replace(tier, notes=(*tier.notes, *NOTES)) for tier in suite.tiers))
