"""Random layers and chips for the law tests: small, odd, and legal."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from archsim.arch.architecture import Architecture, EnergyChoice, VectorUnit
from archsim.arch.log_adder import LogAdder
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import EdgeFolds, LoadGranularity, OsDrain, OsFold, PeArray, StartEvent
from archsim.arch.row_mapping import MappingChoice
from archsim.arch.row_pe import ArrayNetworks, RowPe, Spads
from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS, array_work, ideal_compute_cycles
from archsim.mapping.tile_options import tile_options
from archsim.mapping.tile_room import copies_held
from archsim.mapping.tile_search import nest_of
from archsim.mapping.tile_traffic import tile_traffic
from archsim.numerics.accumulator import LogAdderKind
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import Dataflow, MapObjective, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer, MatmulLayer, Rounding

HELD = frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.PSUM})


@st.composite
def conv_layers(draw: st.DrawFn) -> ConvLayer:
    """Conv layers with groups, strides, dilation and lopsided padding."""
    axes = draw(st.integers(1, 3))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    kernel, dilation = each(1, 3), each(1, 2)
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(axes))
    largest = 12 if axes < 3 else 6
    ifmap = tuple(
        draw(st.integers((k - 1) * d + 1, max(largest, (k - 1) * d + 1))) for k, d in zip(kernel, dilation, strict=True)
    )
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    return ConvLayer(
        name="conv", in_channels=groups * draw(st.integers(1, 7)), out_channels=groups * draw(st.integers(1, 12)),
        ifmap=ifmap, kernel=kernel, stride=each(1, 4), padding=padding, dilation=dilation,
        batch=draw(st.sampled_from([1, 1, 2, 7])), groups=groups, ofmap_rounding=draw(st.sampled_from(list(Rounding))),
    )  # fmt: skip


@st.composite
def matmul_layers(draw: st.DrawFn) -> MatmulLayer:
    """Matrix layers, vectors among them."""
    return MatmulLayer(
        name="fc", rows=draw(st.integers(1, 30)), inner=draw(st.integers(1, 60)), columns=draw(st.integers(1, 30)),
        batches=draw(st.sampled_from([1, 1, 3])),
    )  # fmt: skip


array_layers = st.one_of(conv_layers(), matmul_layers())


@st.composite
def pe_arrays(draw: st.DrawFn, largest: int = 9, os_folds: Sequence[OsFold] = tuple(OsFold)) -> PeArray:
    """Arrays of every dataflow and setting."""
    dataflow = draw(st.sampled_from(list(MATRIX_DATAFLOWS)))
    settings: dict[str, object] = {
        "act_hop": draw(st.sampled_from([0, 1, 1, 2])), "pe_latency": draw(st.sampled_from([1, 1, 3, 4])),
        "input_regs": draw(st.integers(0, 1)), "output_regs": draw(st.integers(0, 1)),
        "edge_folds": draw(st.sampled_from(list(EdgeFolds))),
    }  # fmt: skip
    if dataflow is Dataflow.OUTPUT_STATIONARY:
        settings |= {"os_drain": draw(st.sampled_from(list(OsDrain))), "drain_overlap": draw(st.booleans())}
        settings["os_fold"] = draw(st.sampled_from(os_folds))
        if settings["os_fold"] is OsFold.PATCH:
            settings |= {"act_hop": 1, "edge_folds": EdgeFolds.FULL}
        if draw(st.booleans()):
            settings |= {"k_tile": draw(st.integers(1, 20)), "k_tile_keeps_psum": draw(st.booleans())}
    else:
        settings |= {
            "psum_hop": draw(st.sampled_from([1, 1, 2, 4])),
            "start_event": draw(st.sampled_from(list(StartEvent))),
        }
        if draw(st.booleans()):
            settings |= {"weight_regs": 2, "weight_switch_gap": draw(st.sampled_from([0, 0, 1, 11]))}
        else:
            settings |= {"load_granularity": draw(st.sampled_from(list(LoadGranularity)))}
        settings |= {"weight_load_cycles": draw(st.sampled_from([None, None, 1, 20]))}
    rows, columns = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return PeArray(rows=rows, columns=columns, dataflow=dataflow, **settings)  # type: ignore[arg-type]


@st.composite
def log_adder_arrays(draw: st.DrawFn) -> PeArray:
    """Arrays whose psums are logarithms and whose adder takes several cycles."""
    cycles = draw(st.integers(1, 3))
    adder = LogAdder(kind=LogAdderKind.BIT_SHIFT, fraction_bits=6, latency_cycles=cycles)
    return replace(draw(pe_arrays(os_folds=(OsFold.PIXELS,))), log_adder=adder)


@st.composite
def sram_levels(draw: st.DrawFn) -> tuple[SramLevel, ...]:
    """One shared buffer, one cut into partitions, or two; small enough to make tiles."""
    ports = {"width_bytes": draw(st.sampled_from([None, 1, 8])), "double_buffered": draw(st.booleans())}
    size = draw(st.sampled_from([200, 600, 2_000, 100_000]))
    form = draw(st.sampled_from(["shared", "partitions", "two", "no weight"]))
    if form == "partitions":
        parts = tuple((operand, size) for operand in sorted(HELD))
        return (SramLevel(name="glb", capacity_bytes=3 * size, holds=HELD, partition_bytes=parts, **ports),)  # type: ignore[arg-type]
    if form == "two":
        outputs = SramLevel(name="accumulator", capacity_bytes=4 * size, holds=frozenset({Operand.PSUM}), **ports)  # type: ignore[arg-type]
        inputs = frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP})
        return outputs, SramLevel(name="glb", capacity_bytes=size, holds=inputs, **ports)  # type: ignore[arg-type]
    holds = HELD - {Operand.WEIGHT} if form == "no weight" else HELD
    return (SramLevel(name="glb", capacity_bytes=size, holds=holds, **ports),)  # type: ignore[arg-type]


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    """Whole chips with real memories."""
    dram = DramLevel(
        name="dram", bandwidth_bytes_per_cycle=draw(st.sampled_from([0.5, 1.0, 2.4, 7.3, 64.0])),
        latency_cycles=draw(st.sampled_from([0, 1, 40])),
    )  # fmt: skip
    return architecture(draw(pe_arrays()), draw(sram_levels()), dram)


@st.composite
def row_arrays(draw: st.DrawFn) -> PeArray:
    """Row-stationary arrays with small spads and narrow networks."""
    bits = st.sampled_from([8, 16, 32, 64])
    return PeArray(
        rows=draw(st.integers(1, 7)), columns=draw(st.integers(1, 9)), dataflow=Dataflow.ROW_STATIONARY,
        psum_hop=draw(st.integers(1, 2)), pe_latency=draw(st.integers(1, 3)), zero_skip=draw(st.sampled_from(list(ZeroSkip))),
        multipliers_per_pe=draw(st.sampled_from([1, 1, 2])),
        spads=Spads(ifmap_words=draw(st.integers(1, 8)), weight_words=draw(st.integers(8, 30)), psum_words=draw(st.integers(1, 6))),
        networks=ArrayNetworks(ifmap_bits=draw(bits), weight_bits=draw(bits), psum_bits=32 * draw(st.integers(1, 2))),
        row_pe=RowPe(accumulate_cycles=draw(st.integers(0, 1)), shift_cycles=draw(st.integers(0, 1)),
                     line_fill=draw(st.booleans()), restart_cycles=draw(st.sampled_from([0, 0, 1, 8])),
                     weights_ahead=draw(st.booleans()), pass_overhead=draw(st.sampled_from([0.0, 0.05]))),
    )  # fmt: skip


@st.composite
def row_architectures(draw: st.DrawFn) -> Architecture:
    """Row-stationary chips: one buffer for all, or filters in one of their own, or straight from DRAM; banks or none."""
    settings = {"width_bytes": draw(st.sampled_from([None, 8])), "double_buffered": draw(st.booleans())}
    size = draw(st.sampled_from([3_000, 10_000, 100_000]))
    form = draw(st.sampled_from(["shared", "filters apart", "no weight"]))
    holds = HELD if form == "shared" else HELD - {Operand.WEIGHT}
    banks = draw(st.sampled_from([1, 25]))
    glb = SramLevel(name="glb", capacity_bytes=size // banks * banks, holds=holds, banks=banks, **settings)  # type: ignore[arg-type]
    filters = SramLevel(name="filters", capacity_bytes=size, holds=frozenset({Operand.WEIGHT}), **settings)  # type: ignore[arg-type]
    dram = DramLevel(
        name="dram", bandwidth_bytes_per_cycle=draw(st.sampled_from([0.5, 2.4, 64.0])),
        latency_cycles=draw(st.sampled_from([0, 40])), stores_padding=draw(st.sampled_from([False, False, True])),
    )  # fmt: skip
    arch = architecture(draw(row_arrays()), (glb, filters) if form == "filters apart" else (glb,), dram)
    return replace(arch, mapping=MappingChoice(objective=draw(st.sampled_from(list(MapObjective)))))


any_architecture = st.one_of(architectures(), row_architectures())
"""Chips of every dataflow."""


def architecture(array: PeArray, srams: tuple[SramLevel, ...], dram: DramLevel) -> Architecture:
    """A chip with 8-bit operands and 32-bit psums."""
    int8, int32 = parse_format("int8"), parse_format("int32")
    return Architecture(
        name="random", source="a test", clock_mhz=1000.0, technology_nm=45.0, pe_array=array,
        vector_unit=VectorUnit(lanes=8), formats=OperandFormats(ifmap=int8, weight=int8, psum=int32, ofmap=int8),
        srams=srams, dram=dram, energy=EnergyChoice(),
    )  # fmt: skip


def drawn_plan(data: st.DataObject, layer: ConvLayer | MatmulLayer, arch: Architecture) -> FoldPlan:
    """A plan of any tiling option, whether it fits or not."""
    work = array_work(layer, arch)
    options = tile_options(work)
    index = data.draw(st.integers(0, len(options.order) - 1))
    nest = nest_of(work, options, copies_held(work, options, tile_traffic(work, options)), index)
    return plan_array_steps(work, nest, ideal_compute_cycles(work))
