"""What a whole run gave: layers with energy, totals, and everything that was assumed.

Made by `study/simulate.py` and `study/saved_run.py`; the value that users hold, and that reports, sweeps
and comparisons read.
"""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.arch.architecture import Architecture
from archsim.cost.accelergy import art_text, ert_text
from archsim.cost.accelforge import accelforge_text
from archsim.cost.price_list import AreaPart, PriceList
from archsim.engine.dram_run import DramActivity, add_activities
from archsim.study import run_tables
from archsim.study.directory import write_directory
from archsim.study.layer_result import LayerResult
from archsim.study.plain_json import json_text, to_plain
from archsim.study.weights_load import WeightsLoad
from archsim.study.zero_table import SKIP_COLUMNS, SKIP_FILE, zero_rows, zero_totals
from archsim.terms import OPS_PER_MAC
from archsim.workload.network import Workload

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "archsim/run/v1"
PICTURE_FILES = ("roofline.png", "roofline.csv", "layers.png")
"""Files that `report/pictures.py` puts beside a saved run."""
DRAM_FILE = "dram.csv"
"""Commands of the DRAM device; not written where the arch has none."""
SKIP_PICTURE = "zero_skip.png"
"""The picture beside `SKIP_FILE`; both are written where zeros are looked at."""
STALE_FILES = (*PICTURE_FILES, DRAM_FILE, SKIP_FILE, SKIP_PICTURE)
"""What an older run may have left in a directory that a new one does not always write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A network on a chip: every layer's counters and energy, and the totals.

    Parameters
    ----------
    arch, workload
        As simulated, every setting resolved.
    layers
        In running order.
    prices
        What the energies and the area come from; None = they are not known.
    model_assumptions
        Sentences of the simulator; `assumptions` gives all of them.
    versions
        (program, version) pairs.
    seed
        Of every random choice.
    weights_load
        The load of all weights before the first layer, part of no total; None where no level keeps them.
    """

    arch: Architecture
    workload: Workload
    layers: tuple[LayerResult, ...]
    prices: PriceList | None = None
    model_assumptions: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    weights_load: WeightsLoad | None = None

    @property
    def name(self) -> str:
        """``workload on arch``, for titles."""
        return f"{self.workload.name} on {self.arch.name}"

    @property
    def batch(self) -> int:
        """Images that one run takes."""
        return self.workload.images

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers."""
        return sum(layer.macs for layer in self.layers)

    @property
    def total_cycles(self) -> int:
        """Cycles of all layers, one after another. [cycles]"""
        return sum(layer.total_cycles for layer in self.layers)

    @property
    def seconds(self) -> float:
        """Total cycles at the arch's clock. [s]"""
        return self.total_cycles / (self.arch.clock_mhz * 1e6)

    @property
    def frames_per_second(self) -> float:
        """Images of the batch / seconds; 0 where nothing was costed."""
        return self.batch / self.seconds if self.total_cycles else 0.0

    @property
    def tops(self) -> float:
        """Operations asked for (2 per MAC) / seconds, in units of 1e12 per second; 0 where nothing was costed."""
        return OPS_PER_MAC * self.macs / self.seconds / 1e12 if self.total_cycles else 0.0

    @property
    def tops_per_watt(self) -> float:
        """Operations asked for (2 per MAC) per pJ, which is TOPS / W; 0 where nothing was costed."""
        return OPS_PER_MAC * self.macs / self.energy_pj if self.energy_pj else 0.0

    @property
    def energy_pj(self) -> float:
        """Energy of all layers. [pJ]"""
        return math.fsum(layer.energy_pj for layer in self.layers)

    @property
    def energy_components(self) -> dict[str, float]:
        """Energy of all layers by component, in the order in which layers name them. [pJ]"""
        parts: dict[str, list[float]] = {}
        for layer in self.layers:
            for component, energy_pj in layer.energy.components:
                parts.setdefault(component, []).append(energy_pj)
        return {component: math.fsum(values) for component, values in parts.items()}

    @property
    def dram_bytes(self) -> int:
        """Bytes over the DRAM channel, both directions. [B]"""
        return sum(layer.dram_bytes for layer in self.layers)

    @property
    def dram(self) -> DramActivity | None:
        """What the DRAM device did for all layers; None where the arch has none."""
        parts = [layer.run.dram for layer in self.layers if layer.run.dram is not None]
        return add_activities(parts) if parts else None

    @property
    def utilization(self) -> float:
        """MACs that occupied a multiplier / (multipliers x total cycles), 0..1."""
        slots = self.arch.pe_array.multipliers * self.total_cycles
        return sum(layer.occupied_macs for layer in self.layers) / slots if slots else 0.0

    @property
    def area(self) -> tuple[tuple[str, float], ...]:
        """(component, area) pairs. [mm2]"""
        parts: dict[str, list[float]] = {}
        for part in self.area_parts:
            parts.setdefault(part.component, []).append(part.area_mm2)
        return tuple((component, math.fsum(values)) for component, values in parts.items())

    @property
    def area_parts(self) -> tuple[AreaPart, ...]:
        """Equal pieces of each component, with the source of their area."""
        return self.prices.areas if self.prices else ()

    @property
    def area_mm2(self) -> float:
        """Area of all components. [mm2]"""
        return math.fsum(part.area_mm2 for part in self.area_parts)

    @property
    def energy_sources(self) -> dict[str, str]:
        """Whence prices and areas come, by the keys in actions.csv and area.csv."""
        return dict(self.prices.sources) if self.prices else {}

    @property
    def energy_assumptions(self) -> tuple[str, ...]:
        """Sentences of the energy table."""
        return self.prices.assumptions if self.prices else ()

    @property
    def uncosted(self) -> tuple[LayerResult, ...]:
        """Layers whose operator was not simulated."""
        return tuple(layer for layer in self.layers if not layer.is_costed)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Every sentence that a report must show, each once."""
        uncosted = (
            f"layer {layer.layer!r} ({layer.op}) is not costed: {layer.note or 'no model'}" for layer in self.uncosted
        )
        return tuple(
            dict.fromkeys(
                (*self.arch.assumptions, *self.workload.assumptions, *self.energy_assumptions, *self.model_assumptions,
                 *uncosted)
            )
        )  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """Return what summary.json holds, as plain values."""
        return {
            "schema": SCHEMA,
            "totals": self._totals(),
            "seconds": self.seconds,
            "frames_per_second": self.frames_per_second,
            "tops": self.tops,
            "tops_per_watt": self.tops_per_watt,
            "area_mm2": {"total": self.area_mm2, "components": [list(pair) for pair in self.area]},
            "bottlenecks": dict(sorted(Counter(layer.bottleneck.value for layer in self.layers).items())),
            "dram": dict(zip(run_tables.DRAM_COLUMNS[1:], run_tables.dram_cells(self.dram), strict=True))
            if self.dram
            else None,
            "zeros": zero_totals(self.layers),
            "batch": self.batch,
            "seed": self.seed,
            "hashes": self._hashes(),
            "versions": dict(self.versions),
            "assumptions": list(self.assumptions),
            "energy_assumptions": list(self.energy_assumptions),
            "energy_sources": self.energy_sources,
            "model_assumptions": list(self.model_assumptions),
            "uncosted": [{"layer": each.layer, "op": each.op, "reason": each.note} for each in self.uncosted],
            "prices": to_plain(self.prices),
            "arch": to_plain(self.arch),
            "workload": to_plain(self.workload),
        }

    def to_pandas(self) -> "pd.DataFrame":
        """Return layers.csv as a data frame, one row per layer."""
        import pandas as pd  # noqa: PLC0415  (0.4 s that most runs do not need)

        rows = [run_tables.layer_row(layer) for layer in self.layers]
        return pd.DataFrame.from_records(rows, columns=list(run_tables.LAYER_COLUMNS))

    def save(self, out: str | Path) -> None:
        """Write the tables, loop_nests.txt, summary.json and the prices in the formats of the field into a directory.

        An older run there is replaced, its pictures removed; other files stay. The same run gives
        the same bytes.

        Raises
        ------
        ConfigError
            ``out`` cannot be written; nothing in it has changed.
        """
        write_directory(Path(out), self.files(), stale=STALE_FILES)

    def files(self) -> dict[str, bytes]:
        """Return the content of every file that `save` writes, by name."""
        texts = {
            "layers.csv": run_tables.csv_text(run_tables.LAYER_COLUMNS, map(run_tables.layer_row, self.layers)),
            "traffic.csv": run_tables.csv_text(run_tables.TRAFFIC_COLUMNS, run_tables.traffic_rows(self.layers)),
            "energy.csv": run_tables.csv_text(run_tables.ENERGY_COLUMNS, run_tables.energy_rows(self.layers)),
            "actions.csv": run_tables.csv_text(run_tables.ACTION_COLUMNS, run_tables.action_rows(self.layers)),
            "area.csv": run_tables.csv_text(run_tables.AREA_COLUMNS, run_tables.area_rows(self.area_parts)),
            "loop_nests.txt": run_tables.loop_nest_text(self.layers),
            "summary.json": json_text(self.summary()),
        }
        every = texts | self._dram_table() | self._zero_table() | self._price_tables()
        return {name: text.encode() for name, text in every.items()}

    def _dram_table(self) -> dict[str, str]:
        rows = run_tables.dram_rows(self.layers)
        return {DRAM_FILE: run_tables.csv_text(run_tables.DRAM_COLUMNS, rows)} if rows else {}

    def _zero_table(self) -> dict[str, str]:
        rows = zero_rows(self.layers)
        return {SKIP_FILE: run_tables.csv_text(SKIP_COLUMNS, rows)} if rows else {}

    def _price_tables(self) -> dict[str, str]:
        if self.prices is None:
            return {}
        return {
            "ERT.yaml": ert_text(self.prices, self.arch.name),
            "ART.yaml": art_text(self.prices, self.arch.name),
            "accelforge.yaml": accelforge_text(self.prices, self.arch),
        }

    def _totals(self) -> dict[str, int | float]:
        counts = ("macs", "effectual_macs", "lane_ops", "folds", "compute_cycles", "onchip_stall_cycles",
                  "dram_stall_cycles", "dram_latency_stall_cycles", "total_cycles", "dram_read_bytes",
                  "dram_write_bytes", "dram_bytes", "dram_words", "words_without_reuse")  # fmt: skip
        sums: dict[str, int | float] = {name: sum(getattr(layer, name) for layer in self.layers) for name in counts}
        energy = {f"{component}_energy_pj": value for component, value in self.energy_components.items()}
        load = (self.weights_load or WeightsLoad()).totals()
        return sums | {"utilization": self.utilization, "energy_pj": self.energy_pj} | energy | load

    def _hashes(self) -> dict[str, str]:
        resolved = {"arch": self.arch, "workload": self.workload}
        found = {name: hashlib.sha256(json_text(value).encode()).hexdigest() for name, value in resolved.items()}
        return found | {"arch_file": self.arch.content_hash, "workload_file": self.workload.content_hash}
