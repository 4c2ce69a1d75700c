from dataclasses import replace

import pytest

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.engine.simulate import run_network
from archsim.engine.weight_store import weight_store
from archsim.mapping.kernel_table import WEIGHT_LUT
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.study.simulate import simulate
from archsim.terms import Dataflow, Operand
from archsim.workload.layer import ConvLayer, MatmulLayer, VectorLayer
from archsim.workload.layer_formats import WeightClusters
from archsim.workload.network import Workload
from tests.strategies import architecture

INT8 = OperandFormats(ifmap=parse_format("int8"), weight=parse_format("int8"), psum=parse_format("int32"),
                    ofmap=parse_format("int8"))  # fmt: skip


def conv(name: str, codebook: str | None) -> ConvLayer:
    """16 x 8 kernels of 3 x 3: 1152 weights; 128 pointers of 5 bits are 80 B, a table of 20 kernels 180 B."""
    clusters = WeightClusters(codebook=codebook, entries=20, kernel_words=9) if codebook else None
    return ConvLayer(
        name=name, in_channels=8, out_channels=16, ifmap=(8, 8), kernel=(3, 3), stride=(1, 1),
        padding=((1, 1), (1, 1)), dilation=(1, 1), formats=INT8, clusters=clusters,
    )  # fmt: skip


NET = Workload(
    name="net",
    layers=(
        conv("a", "shared"), conv("b", "shared"), conv("c", "own"), conv("d", None),
        VectorLayer(name="norm", op="batch_normalization", lane_ops=64, ifmap_words=64, ofmap_words=64, weight_words=32),
        MatmulLayer(name="fc", rows=1, inner=64, columns=10),
    ),
)  # fmt: skip
STORED = 3 * 80 + 2 * 180 + 1152 + 32 + 640
"""Pointers, tables, weights one by one, parameters. [B]"""


def chip(weight_bytes: int, **changes: object) -> Architecture:
    data = SramLevel(name="data", capacity_bytes=60_000, holds=frozenset({Operand.IFMAP, Operand.PSUM}))
    weights = SramLevel(
        name="weights", capacity_bytes=weight_bytes, holds=frozenset({Operand.WEIGHT}), keeps_weights=True
    )
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=10.0, latency_cycles=7)
    array = PeArray(rows=9, columns=8, dataflow=Dataflow.WEIGHT_STATIONARY)
    return replace(architecture(array, (data, replace(weights, **changes)), dram), name="chip")


def weights_from_dram(arch: Architecture) -> dict[str, int]:
    found = {}
    for run in run_network(arch, NET):
        rows = [row for row in run.traffic if row.level == "dram"]
        found[run.layer] = sum(row.bytes for row in rows if row.operand in (Operand.WEIGHT, Operand.METADATA))
    return found


def test_what_is_stored_is_pointers_tables_once_and_the_weights_of_all_other_layers():
    store = weight_store(chip(STORED), NET)
    assert store.stored_bytes == STORED
    assert store.fits
    assert not weight_store(chip(STORED - 1), NET).fits
    assert store.load_cycles == -(-STORED // 10) + 7


def test_weights_that_fit_are_loaded_before_the_first_layer_and_said_so():
    assert set(weights_from_dram(chip(STORED)).values()) == {0}
    said = [text for text in simulate(chip(STORED), NET).assumptions if "weights_load_bytes" in text]
    assert said == [weight_store(chip(STORED), NET).sentence]
    assert f"{STORED:,} B (weights_load_bytes)" in said[0]


def test_weights_that_do_not_fit_stream_and_both_sizes_are_said():
    arch = chip(STORED - 1)
    assert weights_from_dram(arch) == weights_from_dram(chip(STORED, keeps_weights=False))
    assert any(f"take {STORED:,} B, weights has {STORED - 1:,} B" in text for text in simulate(arch, NET).assumptions)


def test_a_codebook_is_loaded_by_the_first_layer_that_uses_it():
    # the pointers of 1152 weights are 80 B in one tile; 180 B of table come with layers a and c alone
    assert weights_from_dram(chip(60_000, keeps_weights=False)) == {
        "a": 260, "b": 80, "c": 260, "d": 1152, "norm": 32, "fc": 640,
    }  # fmt: skip


def test_the_table_holds_every_codebook_and_is_priced():
    run = simulate(chip(STORED), NET)
    assert run.energy_components[WEIGHT_LUT] > 0
    assert dict(run.area)[WEIGHT_LUT] > 0
    assert any("a table of 40 kernels, 360 B" in text for text in run.assumptions)
    plain = simulate(chip(STORED), Workload(name="plain", layers=(conv("d", None),)))
    assert WEIGHT_LUT not in plain.energy_components


def test_weights_kept_beside_other_operands_take_their_room():
    level = SramLevel(name="glb", capacity_bytes=40_000, holds=frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.PSUM}),
                      keeps_weights=True)  # fmt: skip
    arch = replace(chip(STORED), srams=(level,))
    small = replace(arch, srams=(replace(level, capacity_bytes=40_000 - STORED, keeps_weights=False),))
    for kept, streams in zip(run_network(arch, NET), run_network(small, NET), strict=True):
        assert kept.total_cycles <= streams.total_cycles


def shared(capacity_bytes: int, **changes: object) -> Architecture:
    """A chip with one level for everything."""
    level = SramLevel(name="glb", capacity_bytes=capacity_bytes, keeps_weights=True,
                      holds=frozenset({Operand.IFMAP, Operand.WEIGHT, Operand.PSUM}))  # fmt: skip
    return replace(chip(STORED), srams=(replace(level, **changes),))


def test_weights_that_leave_no_room_for_tiles_stream_and_the_crowded_layer_is_said():
    store = weight_store(shared(STORED + 20), NET)
    assert store.stored_bytes <= store.room_bytes
    assert not store.fits
    assert store.crowded == "a"
    assert weights_from_dram(shared(STORED + 20)) == weights_from_dram(shared(STORED + 20, keeps_weights=False))
    said = [text for text in simulate(shared(STORED + 20), NET).assumptions if "beside the" in text]
    assert said == [store.sentence]
    assert "glb has 20 B left, too few for the tiles of layer 'a'" in said[0]


@pytest.mark.parametrize("beside", range(20, 400, 20))
def test_a_shared_level_never_fails_for_the_weights_it_was_to_keep(beside):
    arch = shared(STORED + beside)
    fetched = sum(weights_from_dram(arch).values())
    assert (fetched == 0) == weight_store(arch, NET).fits


def test_a_shared_level_with_room_for_both_keeps_the_weights():
    assert weight_store(shared(STORED + 4000), NET).fits
    assert set(weights_from_dram(shared(STORED + 4000)).values()) == {0}
