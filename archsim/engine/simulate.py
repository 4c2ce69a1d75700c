"""THE MAIN PATH: a workload on an arch, layer by layer.

plan -> array busy time -> memory (stalls, traffic) -> LayerRun. `study/` prices the runs.
"""

from collections.abc import Callable
from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.engine.layer_run import LayerRun, mapping_loss_cycles
from archsim.engine.link_zeros import masked_layers, zeros_of_layers
from archsim.engine.measure import fastest_plan, measure_plan
from archsim.engine.residency import kept_words, operands_on_chip, sources_of, tensors_kept
from archsim.engine.weight_store import arch_with_weights, weight_store
from archsim.engine.zeros_used import zeros_used
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.layer_arch import arch_for_layer
from archsim.mapping.planner import plan_array_layer
from archsim.mapping.vector_plan import plan_vector_layer
from archsim.terms import Bottleneck, Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.network import Workload
from archsim.workload.tensor_zeros import LayerZeros
from archsim.workload.zero_masks import NetworkMasks
from archsim.workload.zero_pattern import ZeroFractions

Progress = Callable[[int, int, str], None]


def run_network(
    arch: Architecture,
    workload: Workload,
    *,
    masks: NetworkMasks | None = None,
    seed: int = 0,
    on_layer: Progress | None = None,
) -> tuple[LayerRun, ...]:
    """Run every layer, one after another.

    Parameters
    ----------
    arch, workload
        What runs on what.
    masks
        Where the zeros of its tensors stand, for an arch that skips them.
    seed
        Of the zeros that are drawn where no mask is known.
    on_layer
        Called before each layer with its index, the number of layers and its name.

    Raises
    ------
    MappingError
        A layer does not fit the chip.

    Notes
    -----
    Not modelled: layers that overlap; the array and the vector unit never run side by side.
    """
    stays = kept_words(workload, tensors_kept(arch, workload))
    store = weight_store(arch, workload)
    arch = arch_with_weights(arch, store)
    keeps_weights = store is not None and store.fits
    codebooks: set[str] = set()
    sources = sources_of(workload)
    zeros = _zeros(arch, workload, masks or workload.masks or NetworkMasks(), seed)
    known: dict[object, LayerRun] = {}
    runs = []
    for index, layer in enumerate(workload.layers):
        if on_layer is not None:
            on_layer(index, len(workload.layers), layer.name)
        kept, from_chip = operands_on_chip(layer, sources[layer.name], stays), 0
        if keeps_weights and not sources[layer.name][1]:
            kept |= {Operand.WEIGHT}
        loads_table = _uses_first(layer, codebooks)
        if isinstance(layer, VectorLayer):
            from_chip = sum(stays.get(source, 0) for source in sources[layer.name][0])
        chip = _chip_for(layer, arch, workload)
        key = (
            _shape_key(layer),
            kept,
            from_chip,
            zeros.get(layer.name),
            loads_table,
            chip.mapping,
            chip.dram,
            chip.pe_array,
        )
        if key not in known:
            known[key] = run_layer(layer, chip, kept, from_chip, zeros=zeros.get(layer.name), loads_table=loads_table)
        runs.append(replace(known[key], layer=layer.name))
    return tuple(runs)


def run_layer(
    layer: Layer,
    arch: Architecture,
    kept: frozenset[Operand] = frozenset(),
    words_from_chip: int = 0,
    *,
    zeros: LayerZeros | None = None,
    loads_table: bool = True,
) -> LayerRun:
    """Run one layer.

    Parameters
    ----------
    layer, arch
        What runs on what.
    kept
        Operands that need no DRAM: see `plan_array_layer`.
    words_from_chip
        For a vector layer: ifmap words that are on chip. [words]
    zeros
        Of its tensors, for an arch that codes them on the DRAM channel; None = what the layer says itself.
    loads_table
        Whether the layer is the first one that needs its codebook of kernels.

    Raises
    ------
    MappingError
        The layer does not fit the chip, or its values do not fit the chip's formats.
    """
    arch = arch_for_layer(layer, arch)
    if isinstance(layer, UncostedLayer):
        return _not_run(layer, arch, costed=False, note=layer.reason)
    if isinstance(layer, VectorLayer):
        if layer.is_view:
            return _not_run(layer, arch, costed=True, note="a view: moves no words")
        if arch.vector_unit is None:
            return _not_run(layer, arch, costed=False, note=f"{arch.name} has no vector_unit")
        on_chip = layer.ifmap_words if Operand.IFMAP in kept else min(words_from_chip, layer.ifmap_words)
        plan = plan_vector_layer(layer, arch, arch.vector_unit, on_chip, Operand.OFMAP in kept, zeros=zeros,
                                 keeps_weights=Operand.WEIGHT in kept)  # fmt: skip
        return _layer_run(layer, arch, plan)
    plans = plan_array_layer(layer, arch, kept, zeros, loads_table=loads_table)
    run = _layer_run(layer, arch, fastest_plan(plans, arch.dram))
    return run if run.skip is None or zeros is None else replace(run, zeros=zeros_used(layer, zeros))


def _zeros(arch: Architecture, workload: Workload, masks: NetworkMasks, seed: int) -> dict[str, LayerZeros]:
    """Return what the arch has to know of the zeros of each layer: where they stand, how many there are, or nothing."""
    if arch.pe_array.skips:
        return masked_layers(workload, masks, seed)
    return zeros_of_layers(workload) if arch.dram.compression or arch.pe_array.gates else {}


def _chip_for(layer: Layer, arch: Architecture, workload: Workload) -> Architecture:
    """Return the arch with the mapping that it gives this layer, and with what it does to the network's input where it reads that."""
    mapping = arch.mapping.for_layer(workload.name, layer.name)
    if not workload.reads_input(layer):
        return replace(arch, mapping=mapping)
    dram = arch.dram if arch.dram.codes_network_input else arch.dram.input_as_it_is
    return replace(arch, mapping=mapping, dram=dram, pe_array=arch.pe_array.for_network_input)


def _uses_first(layer: Layer, codebooks: set[str]) -> bool:
    """Whether no layer before needed this one's codebook; notes that one has."""
    clusters = layer.clusters if isinstance(layer, ConvLayer | MatmulLayer) else None
    if clusters is None or clusters.codebook in codebooks:
        return False
    codebooks.add(clusters.codebook)
    return True


def _shape_key(layer: Layer) -> Layer:
    """Return what two layers must share to run alike: all but their names."""
    if isinstance(layer, MatmulLayer):
        return replace(layer, name="", sources=(), weight_source="")
    return replace(layer, name="", sources=())


def _layer_run(layer: ArrayLayer | VectorLayer, arch: Architecture, plan: FoldPlan) -> LayerRun:
    times = measure_plan(plan, arch.dram)
    lane_ops = layer.lane_ops if isinstance(layer, VectorLayer) else 0
    macs, multipliers = _occupied_macs(plan, layer), arch.pe_array.multipliers
    return LayerRun(
        layer=layer.name,
        op=layer.op,
        dataflow=plan.kind,
        macs=layer.macs,
        effectual_macs=_effectual_macs(layer) if plan.effectual_macs is None else plan.effectual_macs,
        occupied_macs=macs,
        multipliers=multipliers,
        lane_ops=lane_ops,
        folds=plan.folds,
        compute_cycles=plan.compute_cycles,
        onchip_stall_cycles=times.onchip_stall_cycles,
        dram_stall_cycles=times.dram_stall_cycles,
        dram_latency_stall_cycles=times.dram_latency_stall_cycles,
        waits=times.waits,
        mapping_efficiency=plan.mapping_efficiency,
        traffic=plan.traffic,
        bottleneck=times.bottleneck(mapping_loss_cycles(plan.compute_cycles, macs, multipliers)),
        loop_nest=tuple(plan.nest.lines()) if plan.nest else plan.mapping,
        active_pes=plan.active_pes,
        gated_macs=plan.gated_macs,
        gated_accesses=plan.gated_accesses if plan.gated_macs else (),
        skip=plan.skip,
        dram=times.dram,
    )


def _occupied_macs(plan: FoldPlan, layer: ArrayLayer | VectorLayer) -> int:
    """MACs issued to a multiplier: all, but those that structured sparsity drops."""
    return plan.array_macs if isinstance(layer, ConvLayer | MatmulLayer) else 0


def _effectual_macs(layer: ArrayLayer | VectorLayer) -> int:
    """MACs without a zero operand, the zeros of both operands taken as independent."""
    if isinstance(layer, VectorLayer):
        return 0
    zeros: ZeroFractions = layer.zero_fractions
    share = (1.0 - (zeros.ifmap or 0.0)) * (1.0 - (zeros.weight or 0.0))
    return round(layer.macs * share)


def _not_run(layer: VectorLayer | UncostedLayer, arch: Architecture, *, costed: bool, note: str) -> LayerRun:
    return LayerRun(
        layer=layer.name,
        op=layer.op,
        dataflow="none",
        macs=0,
        effectual_macs=0,
        occupied_macs=0,
        multipliers=arch.pe_array.multipliers,
        lane_ops=0,
        folds=0,
        compute_cycles=0,
        onchip_stall_cycles=0,
        dram_stall_cycles=0,
        dram_latency_stall_cycles=0,
        waits=(),
        mapping_efficiency=0.0,
        traffic=(),
        bottleneck=Bottleneck.NONE,
        is_costed=costed,
        note=note,
    )
