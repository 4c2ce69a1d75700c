"""`archsim.simulate`: run a network on a chip, price it, and gather every assumption.

The Python face of archsim and what `cli.py` and `study/sweep.py` call; the main path itself is
`engine/simulate.py`.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import DramLevel
from archsim.cost.layer_prices import price_layers
from archsim.cost.price_source import load_prices, own_table
from archsim.engine.layer_run import LayerRun
from archsim.engine.link_zeros import link_assumptions
from archsim.engine.simulate import run_network
from archsim.engine.weight_store import weight_store
from archsim.study.layer_result import WAIT_CAUSES, LayerResult
from archsim.study.own_prices import with_own_prices
from archsim.study.result import RunResult
from archsim.study.row_assumptions import row_assumptions
from archsim.study.weights_load import weights_load
from archsim.study.zero_assumptions import zero_assumptions
from archsim.study.zero_saving import dense_layers
from archsim.workload.batch import with_batch
from archsim.workload.layer import ArrayLayer
from archsim.workload.network import Workload
from archsim.workload.zero_masks import NetworkMasks

IDEAL_DRAM = "DRAM is ideal: transfers take no time; their bytes and energy are counted all the same"
MODEL_ASSUMPTIONS = (
    "layers run one after another: neighbours do not overlap, the array and the vector unit never run side by side",
    "biases cost no cycles, traffic or energy",
)
DRAM_CHANNEL = "DRAM is one channel with a bandwidth and a latency: no banks, rows, refresh or bus turnaround"
DRAM_DEVICE = (
    "DRAM is {device}{recalled}, simulated command by command ({source}): {channels}, FR-FCFS, {page} pages, mapping "
    "{mapping}, {reads} reads outstanding; ifmap and ofmap lie {layout}, weights and psums in blocks in the order of their use; every "
    "layer begins with closed banks and a whole refresh interval ahead"
)
ON_CHIP_PORTS = (
    "on-chip ports: ifmap and ofmap lie plane by plane over the banks, the words of one array cycle are served "
    "together; weights and psums never collide"
)
UNKNOWN_ZEROS = (
    "zeros are not known in {} of {} layers with MACs, for one operand or both: effectual_macs takes such an operand "
    "to hold none"
)


def simulate(
    arch: Architecture,
    workload: Workload,
    *,
    batch: int = 1,
    seed: int = 0,
    masks: NetworkMasks | None = None,
    on_layer: Callable[[int, int, str], None] | None = None,
) -> RunResult:
    """Run every layer of a network on a chip and price it.

    Parameters
    ----------
    arch, workload
        As loaded.
    batch
        Run the workload on so many times the images that it holds.
    seed
        Of every random choice; recorded in the result.
    masks
        Where the zeros of real tensors stand, for an arch that skips them; others are drawn from their shares.
    on_layer
        Called with (index, count, name) as each layer starts.

    Raises
    ------
    WorkloadError
        ``batch`` is not positive.
    ConfigError
        The energy table cannot be read.
    MappingError
        A layer does not fit the arch.
    """
    if batch != 1:
        workload = with_batch(workload, batch)
    if masks is not None:
        workload = workload.with_masks(masks)
    runs = tuple(
        _with_ordered_waits(run) for run in run_network(with_own_prices(arch), workload, seed=seed, on_layer=on_layer)
    )
    return replace(_priced(arch, replace(workload, masks=None), runs), seed=seed)


def model_assumptions(arch: Architecture, workload: Workload) -> tuple[str, ...]:
    """Return what the simulator leaves out for this chip and this network, as sentences."""
    ports = (ON_CHIP_PORTS,) if any(level.width_bytes for level in arch.srams) else ()
    with_macs = [layer for layer in workload.layers if isinstance(layer, ArrayLayer)]
    unknown = sum(None in (layer.zero_fractions.ifmap, layer.zero_fractions.weight) for layer in with_macs)
    zeros = (UNKNOWN_ZEROS.format(unknown, len(with_macs)),) if unknown else ()
    store = weight_store(arch, workload)
    weights = (store.sentence,) if store else ()
    link = link_assumptions(arch, workload)
    rows = row_assumptions(arch, workload)
    return (*MODEL_ASSUMPTIONS, *ports, *rows, _dram_assumption(arch.dram), *link, *weights, *zeros)


def _dram_assumption(dram: DramLevel) -> str:
    device = dram.device
    if dram.is_ideal:
        return IDEAL_DRAM
    if device is None:
        return DRAM_CHANNEL
    return DRAM_DEVICE.format(
        device=device.name,
        recalled=" (in part from memory, to be verified)" if device.from_memory else "",
        source=device.source,
        channels="1 channel" if device.channels == 1 else f"{device.channels} channels",
        page=device.page_policy.value,
        mapping=device.mapping.text,
        reads=dram.outstanding_reads,
        layout=dram.layout.value,
    )


def program_versions() -> tuple[tuple[str, str], ...]:
    """Return (program, version) pairs: archsim, numpy, numba, python."""
    packages = tuple((name, _version(name)) for name in ("archsim", "numpy", "numba"))
    return (*packages, ("python", platform.python_version()))


def _priced(arch: Architecture, workload: Workload, runs: tuple[LayerRun, ...]) -> RunResult:
    table = own_table(arch)
    priced = price_layers(runs, workload, arch, load_prices, table=table)

    def energies_pj(others: Sequence[LayerRun]) -> list[float]:
        return [each.total_pj for each in price_layers(others, workload, arch, load_prices, table=table).energies]

    dense = dense_layers(arch, workload, runs, energies_pj)
    return RunResult(
        arch=arch,
        workload=workload,
        layers=tuple(
            LayerResult(run=run, energy=energy, dram_level=arch.dram.name, dense=other)
            for run, energy, other in zip(runs, priced.energies, dense, strict=True)
        ),
        prices=priced.prices,
        model_assumptions=(*model_assumptions(arch, workload), *zero_assumptions(arch, runs)),
        weights_load=weights_load(arch, weight_store(arch, workload), priced.prices),
        versions=program_versions(),
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _with_ordered_waits(run: LayerRun) -> LayerRun:
    """Return the run with its waits as a saved run gives them: one per cause, in order, none of 0 cycles."""
    cycles = {cause: sum(each for name, each in run.waits if name == cause) for cause in WAIT_CAUSES}
    foreign = tuple(wait for wait in run.waits if wait[0] not in cycles)
    return replace(run, waits=tuple(wait for wait in cycles.items() if wait[1]) + foreign)
