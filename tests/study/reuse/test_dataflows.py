"""Each dataflow's counts against its loops, walked pass by pass."""

import numpy as np
import pytest

from archsim.study.reuse.candidates import Candidates
from archsim.study.reuse.search import MEMORIES
from archsim.study.reuse.storage import Storage
from archsim.study.reuse.study import MAPPINGS, ReuseDataflow
from tests.oracles.reuse_walk import divides, walk
from tests.study.reuse.reuse_cases import small_layer

LAYERS = {
    "grouped": small_layer(groups=2, batch=4),
    "strided": small_layer(stride=2, kernel=3, filters=4),
    "spare ifmap rows": small_layer(ifmap_side=9, channels=2),
    "kernel of one": small_layer(kernel=1, channels=6),
    "fully connected": small_layer(kernel=4, ofmap_side=1, batch=4),
}
ROOMS = (150, 400, 3000)
"""GLB words: tiles of every size become the largest that fit."""


def chosen(candidates: Candidates) -> list[tuple[dict[str, int], dict[tuple[str, str], float], int]]:
    """Return sizes, accesses and active PEs of every legal mapping."""
    parts = {"ifmap": candidates.ifmap, "weight": candidates.weight, "psum": candidates.psum}
    accesses = {(name, level.value): part.accesses(level) for name, part in parts.items() for level in MEMORIES}
    values = [*candidates.sizes.values(), *accesses.values(), candidates.active_pes, candidates.is_legal]
    columns = [column.ravel() for column in np.broadcast_arrays(*values)]
    count = len(candidates.sizes)
    return [
        (
            dict(zip(candidates.sizes, map(int, row[:count]), strict=True)),
            dict(zip(accesses, row[count:-2], strict=True)),
            int(row[-2]),
        )
        for row in zip(*columns, strict=True)
        if row[-1]
    ]


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("dataflow", ReuseDataflow)
def test_accesses_are_those_of_the_loops_where_tiles_divide(dataflow, layer) -> None:
    compared = 0
    for room in ROOMS:
        storage = Storage(pes=48, spad_words=40, glb_words=room)
        for sizes, accesses, _ in chosen(MAPPINGS[dataflow](layer, storage)):
            if divides(layer, sizes):
                walked = walk(dataflow, layer, sizes)
                assert accesses == pytest.approx({key: walked[key] for key in accesses}, rel=1e-12), sizes
                compared += 1
    assert compared > 3


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("dataflow", ReuseDataflow)
def test_every_legal_mapping_obeys_its_array_and_reads_all_weights(dataflow, layer) -> None:
    storage = Storage(pes=48, spad_words=40, glb_words=400)
    for sizes, accesses, active_pes in chosen(MAPPINGS[dataflow](layer, storage)):
        assert 1 <= active_pes <= 48
        assert accesses["weight", "dram"] >= layer.weight_words
        assert accesses["psum", "dram"] == layer.ofmap_words
        assert min(accesses.values()) >= 0
        assert all(size >= 1 for size in sizes.values())


def test_each_dataflow_spends_where_its_name_says() -> None:
    """Spad accesses per MAC: WS the weight, OS the psum's read and write but the first, RS three kinds, NLR none."""
    layer = small_layer(channels=4, kernel=3)  # 36 products behind a value
    storage = Storage(pes=48, spad_words=40, glb_words=3000)
    at_spad = {}
    for dataflow in ReuseDataflow:
        _, accesses, _ = chosen(MAPPINGS[dataflow](layer, storage))[0]
        at_spad[dataflow.value] = sum(words for (_, level), words in accesses.items() if level == "spad") / layer.macs
    assert at_spad.pop("RS") > 2
    assert at_spad == pytest.approx({"WS": 1, "OS_A": 2 * 35 / 36, "OS_B": 2 * 35 / 36, "OS_C": 2 * 35 / 36, "NLR": 0})
