"""Tables that `archsim validate scnn` takes: passes of an RTL, layers of a peer simulator, published speedups.

Which one a file is, its columns tell; a file of measurements of several designs gives the rows of the one that is modelled.
"""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archsim.config_file import read_text, shortened
from archsim.errors import ArchsimError, ConfigError
from archsim.workload.layer import ConvLayer

RTL_DESIGN = "PE (execute state)"
TRUTHS = {"true": True, "false": False}
_WORKLOAD = re.compile(
    r"(\d{1,4})x(\d{1,4}) activations, (\d{1,3})x(\d{1,3})x(\d{1,4}) weights; nnz activations=(\d{1,7}); "
    r"nnz weights=(\d{1,7}); pass k(\d)c(\d); crossbar stall cycles=(\d{1,7})"
)
_VECTORS = re.compile(r"I=(\d{1,3});F=(\d{1,3});.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRow:
    """One pass of an RTL's PE: a channel of a group of filters.

    Parameters
    ----------
    layer
        The channel and the filters.
    vectors
        Values of ifmap and weights that meet in a cycle.
    values, weights
        Nonzero ones.
    is_last
        The second and last channel of the design's layer: its crossbar drains behind it.
    is_dense
        The design's dense mode.
    stall_cycles
        Of its crossbar, as measured: places of the nonzero values are not published. [cycles]
    cycles
        Measured. [cycles]
    case, source
        What ran, and where the row stands.
    """

    layer: ConvLayer
    vectors: tuple[int, int]
    values: int
    weights: int
    is_last: bool
    is_dense: bool
    stall_cycles: int
    cycles: int
    case: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRow:
    """One layer of a peer simulator: shares of zeros, and what it counted.

    Parameters
    ----------
    network, layer, ifmap_zeros, weight_zeros
        What ran.
    products
        Nonzero values x nonzero weights.
    pairs
        Pairs of vectors, cycles of all PEs; None = not given. [cycles]
    filters
        That it works on together; 0 = not given.
    source
        Where the row stands.
    """

    network: str
    layer: ConvLayer
    ifmap_zeros: float
    weight_zeros: float
    products: float
    pairs: float | None
    filters: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedupRow:
    """One published speedup.

    Parameters
    ----------
    tier
        What it is shown with.
    networks
        Names; of several the mean.
    densities
        ``table`` = the shipped shares of zeros; or one share of nonzero values for all tensors.
    baseline
        Name of a chip, or ``multipliers``: all of them busy in every cycle.
    settings
        Of scnn, as ``--set`` takes them.
    published, low, high
        The number, and the bracket that it must lie in, None = none.
    source, is_recalled, note
        As in `published_rows.py`.
    """

    tier: str
    networks: tuple[str, ...]
    densities: str
    baseline: str
    settings: tuple[str, ...]
    published: float
    low: float | None
    high: float | None
    source: str
    is_recalled: bool
    note: str


ScnnRow = PassRow | PeerRow | SpeedupRow


def read_scnn(path: Path) -> tuple[ScnnRow, ...]:
    """Read one table.

    Raises
    ------
    ConfigError
        The file is none of the three tables, or what is wrong with its rows, up to 20 faults, each with its line.
    """
    rows = csv.DictReader(read_text(path, ConfigError).splitlines())
    fields = rows.fieldnames or ()
    kinds = [kind for kind, columns in COLUMNS.items() if all(name in fields for name in columns)]
    if not kinds:
        told = "; or ".join(", ".join(columns) for columns in COLUMNS.values())
        raise ConfigError(f"{path}:1: no table of SCNN; one of these sets of columns is needed: {told}")
    found: list[ScnnRow] = []
    faults = []
    for row in rows:
        cells = {
            name: (value or "").strip()
            for name, value in row.items()
            if name is not None and not isinstance(value, list)
        }
        if kinds[0] == "rtl" and cells["design"] != RTL_DESIGN:
            continue
        try:
            found.append(READERS[kinds[0]](cells))
        except (ArchsimError, ValueError) as problem:
            faults.append(f"{path}:{rows.line_num}: {problem}")
    if faults:
        raise ConfigError("\n".join(faults[:20]))
    if not found:
        raise ConfigError(f"{path}: holds no rows of SCNN" + (f" (design {RTL_DESIGN!r})" if kinds[0] == "rtl" else ""))
    return tuple(found)


def _pass(row: Mapping[str, str]) -> PassRow:
    work, chip = _WORKLOAD.fullmatch(row["workload"]), _VECTORS.fullmatch(row["params"])
    if work is None or chip is None:
        raise ValueError(f"params and workload do not tell a pass (found {shortened(repr(row['workload']))})")
    height, width, tall, wide, filters, values, weights, _, channel, stalls = map(int, work.groups())
    layer = ConvLayer(name="pass", in_channels=1, out_channels=filters, ifmap=(height, width), kernel=(tall, wide),
                      stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    if values > layer.ifmap_words or weights > layer.weight_words:
        raise ValueError(f"more nonzero values than there are (found {shortened(repr(row['workload']))})")
    return PassRow(
        layer=layer, vectors=(int(chip[1]), int(chip[2])), values=values, weights=weights, is_last=channel == 1,
        is_dense="dense mode" in row["dataflow"], stall_cycles=stalls, cycles=int(row["last_output_cycle"]),
        case=row["workload"].split("; ", 1)[1], source=row.get("source") or row.get("repo", ""),
    )  # fmt: skip


def _peer(row: Mapping[str, str]) -> PeerRow:
    images, channels, height, width = _shape(row, "iact_shape_NCHW")
    filters, of_filter, tall, wide = _shape(row, "weight_shape_KCSR")
    layer = ConvLayer(
        name=row["layer"], batch=images, in_channels=channels, out_channels=filters, groups=max(1, channels // of_filter),
        ifmap=(height, width), kernel=(tall, wide), stride=(1, 1), padding=((tall // 2,) * 2, (wide // 2,) * 2), dilation=(1, 1),
    )  # fmt: skip
    return PeerRow(network=row["network"], layer=layer, ifmap_zeros=_share(row, "iact_zero_fraction"),
                   weight_zeros=_share(row, "weight_zero_fraction"), products=_number(row, "nonzero_products"),
                   pairs=_number(row, "mult_cycles") if row.get("mult_cycles") else None,
                   filters=int(_number(row, "Kc")) if row.get("Kc") else 0,
                   source=row.get("source", ""))  # fmt: skip


def _speedup(row: Mapping[str, str]) -> SpeedupRow:
    if row["from_memory"].lower() not in TRUTHS:
        raise ValueError(f"from_memory must be true or false (found {shortened(repr(row['from_memory']))})")
    low, high = (_number(row, name) if row[name] else None for name in ("low", "high"))
    if (low is None) is not (high is None) or (low is not None and high is not None and low > high):
        raise ValueError("low and high must be a bracket, or both empty")
    if row["densities"] != "table":
        _share(row, "densities")
    return SpeedupRow(
        tier=row["tier"] or "speedup", networks=tuple(row["network"].split()), densities=row["densities"],
        baseline=row["baseline"], settings=tuple(row["settings"].split()), published=_number(row, "published"), low=low,
        high=high, source=row["source"], is_recalled=TRUTHS[row["from_memory"].lower()], note=row.get("note", ""),
    )  # fmt: skip


def _shape(row: Mapping[str, str], name: str) -> list[int]:
    sides = [int(side) for side in re.findall(r"\d{1,6}", row[name])]
    if len(sides) != 4:
        raise ValueError(f"{name} must be four sizes (found {shortened(repr(row[name]))})")
    return sides


def _number(row: Mapping[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a number of at least 0 (found {shortened(repr(row[name]))})")
    return value


def _share(row: Mapping[str, str], name: str) -> float:
    value = _number(row, name)
    if value > 1:
        raise ValueError(f"{name} must lie in 0..1 (found {value})")
    return value


COLUMNS = {
    "rtl": ("design", "params", "workload", "dataflow", "last_output_cycle"),
    "peer": ("network", "layer", "iact_shape_NCHW", "weight_shape_KCSR", "iact_zero_fraction", "weight_zero_fraction",
             "nonzero_products"),
    "speedup": ("tier", "network", "densities", "baseline", "settings", "published", "low", "high", "source", "from_memory"),
}  # fmt: skip
"""Kind of table -> the columns that it has to have."""
READERS: dict[str, Callable[[Mapping[str, str]], ScnnRow]] = {"rtl": _pass, "peer": _peer, "speedup": _speedup}
