"""RTL designs of third parties, and the settings of archsim that describe each; called by `rtl_rows.py`.

A design's settings are read off its source, as tests/golden/rtl_cycles.csv and the kernels' tests do; where a row
says a number itself (``PE latency 4``), the row's holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archsim.arch.pe_array import LoadGranularity, OsDrain, StartEvent
from archsim.engine.clocked_row_pe import LonePe
from archsim.terms import Dataflow

WS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.OUTPUT_STATIONARY
Numbers = Mapping[str, int]
"""What a row says in numbers: ``R=4`` is R, ``PE latency 4`` is PE latency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayDesign:
    """A systolic array.

    Parameters
    ----------
    dataflow, settings
        Of the `PeArray` that stands for it.
    source
        What its settings are read off.
    rows, columns
        Numbers of a row that give its size.
    says
        Number that a row may state -> settings that it stands for.
    reload
        Settings that follow from a row's numbers: when the next tile loads, whether results leave.
    reload_numbers
        Numbers that ``reload`` reads.
    texts
        How a text in a row begins -> the settings it stands for.
    first_output
        Why its first output is not held to archsim's; empty = it is.
    """

    dataflow: Dataflow
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: str = "R"
    columns: str = "C"
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reload: Callable[[Numbers], dict[str, Any]] = lambda _: {}
    reload_numbers: tuple[str, ...] = ()
    texts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    first_output: str = ""

    @property
    def numbers(self) -> frozenset[str]:
        """All numbers that a row may state."""
        return frozenset({self.rows, self.columns, "M", "N", "K", "tiles", *self.says, *self.reload_numbers})


def _open_tpu_reload(row: Numbers) -> dict[str, Any]:
    """Wait N + 3 edges until the switch has crossed the array and is handed over; software may wait longer."""
    gap = row["N"] + 3
    idle = row.get("idle between tiles", 0)
    return {"weight_switch_gap": max(gap, row["M"] + idle - row["N"]) if idle else gap}


def _tiny_tpu_reload(row: Numbers) -> dict[str, Any]:
    """Wait for the host, which may start a tile later than its weights, pushed a row per edge, allow."""
    period = row.get("tile period", 0)
    return {"weight_switch_gap": period - row["N"]} if period > max(row["M"], row["N"]) else {}


def _ut_lca_drain(row: Numbers) -> dict[str, Any]:
    return {"os_drain": OsDrain.NONE if row.get("save_output_to_accum", 0) else OsDrain.SHIFT_ROWS}


ARRAYS: dict[str, ArrayDesign] = {
    "systolic_array": ArrayDesign(
        dataflow=OS, source="debtanu09: 1-register PEs, skewed outside, results stay in the PEs",
        settings={"pe_latency": 1, "os_drain": OsDrain.NONE}, says={"PE latency": ("pe_latency",)},
    ),
    "systolic_array_os": ArrayDesign(
        dataflow=OS, source="Arjun0170: 4-stage PEs behind a skew register; the clear token travels with the wavefront",
        settings={"pe_latency": 4, "input_regs": 1, "drain_overlap": True},
        says={"PE latency": ("pe_latency",), "input skew reg": ("input_regs",)},
    ),
    "matmul (BRAM-fed)": ArrayDesign(
        dataflow=OS, source="UT-LCA: MACs of 3 stages behind a BRAM; results are shifted out, unless they stay",
        settings={"pe_latency": 3, "input_regs": 1}, rows="N", columns="N",
        says={"MAC pipeline": ("pe_latency",), "BRAM latency": ("input_regs",)},
        reload=_ut_lca_drain, reload_numbers=("save_output_to_accum",),
        first_output="the design shifts out when its last column of PEs is done, archsim's columns drain as each is: "
        "N - 1 earlier, the last at the same edge",
    ),
    "systolic_array_ws": ArrayDesign(
        dataflow=WS, source="Arjun0170: the psum chain passes the whole 4-stage PE",
        settings={"psum_hop": 4, "pe_latency": 4, "input_regs": 1},
        says={"row hop": ("psum_hop", "pe_latency"), "input reg": ("input_regs",)},
    ),
    "pe.sv grid (array.sv wiring)": ArrayDesign(
        dataflow=WS, source="avikde/tiny-xpu: one weight register, skewed outside",
        settings={"pe_latency": 1}, says={"PE latency": ("pe_latency",)},
        texts={"column-staggered reload": {"load_granularity": LoadGranularity.COLUMN}},
    ),
    "MMU (matrix.py)": ArrayDesign(
        dataflow=WS, source="OpenTPU: two weight registers without interlock, reload 2N + 3; counted from the first activation",
        settings={"weight_regs": 2, "input_regs": 1, "output_regs": 1, "start_event": StartEvent.FIRST_ACTIVATION},
        rows="N", columns="N", reload=_open_tpu_reload, reload_numbers=("idle between tiles",),
    ),
    "MATRIX_MULTIPLY_UNIT": ArrayDesign(
        dataflow=WS, source="tinyTPU: two weight registers, activations reach a whole row at once, MACC of 3 registers",
        settings={"weight_regs": 2, "act_hop": 0, "pe_latency": 3}, rows="N", columns="N",
        says={"MACC": ("pe_latency",)}, reload=_tiny_tpu_reload, reload_numbers=("tile period",),
    ),
}  # fmt: skip
"""Design -> what stands for it."""

PES: dict[str, LonePe] = {
    # One state per finished psum, one shift per cycle; operand, product and sum registers; idle until both spads hold a
    # word; a state that ends the group of psums and one that empties the ifmap spad; a psum FIFO four words wide.
    "pe.v": LonePe(
        accumulate_cycles=1, shift_cycles=1, pe_latency=3, start_cycles=1, restart_cycles=2, psum_group=4, fill_words=1,
        gates=True,
    ),
}  # fmt: skip
"""Row-stationary PE -> its settings, read off its controller (moateff/Eyeriss-v1-Processing-Element)."""

NOT_MODELLED: dict[str, str] = {
    "PE (execute state)": "a PE of SCNN skips zeros of both operands; archsim has no array that does",
    "logMultK": "a combinational multiplier takes no cycle; archsim's logarithmic products are held by the numerics suite",
}
"""How a design's name begins -> why its rows are not run."""
PASSED_OVER = (
    "external skew", "internal skew regs", "accumulator RAM at bottom", "no output drain path", "tile starts after full drain",
)  # fmt: skip
"""Texts of rows that say what the design's settings say already."""
