"""Energy of SCNN beside DCNN on pruned networks; part of `archsim validate scnn`, reported and held to no bound."""

from pathlib import Path

from archsim.catalog import load_arch, load_workload
from archsim.study.simulate import simulate
from archsim.validate.row_reading import Row as Cells
from archsim.validate.row_reading import read_rows
from archsim.validate.suite import Row, Tier

SHIPPED = Path(__file__).parent / "golden" / "scnn_energy.csv"
COLUMNS = ("network", "published", "source", "from_memory", "note")
CONVOLUTIONS = "conv*"


def energy_tier() -> Tier:
    """Compare the energy of the convolutions of pruned networks, DRAM included, on dcnn and on scnn."""
    return Tier(
        name="network energy",
        claim="convolutions: energy on dcnn / energy on scnn, DRAM included; pruned weights, zeros drawn i.i.d.",
        quantity="energy gain", unit="x", rows=tuple(read_rows(SHIPPED, COLUMNS, lambda _: (), _compared)),
        notes=("prices are archsim's at 16 nm, not the paper's; both chips have the same DRAM, whose background runs as long as they do",),
        lists_rows=True,
    )  # fmt: skip


def _compared(row: Cells) -> Row:
    workload = load_workload(row["network"]).only(CONVOLUTIONS)
    dense, sparse = (simulate(load_arch(chip), workload).energy_pj for chip in ("dcnn", "scnn"))
    return Row(group=row["network"], case="convolutions", published=float(row["published"]), simulated=dense / sparse,
               source=row["source"], is_recalled=row["from_memory"] == "true", note=row["note"])  # fmt: skip
