"""The mapping found is the cheapest there is."""

import pytest

from archsim.errors import MappingError
from archsim.study.reuse.search import MEMORIES, LayerReuse, least_energy
from archsim.study.reuse.split import AccessCosts, ReuseLevel
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage
from archsim.study.reuse.study import MAPPINGS, ReuseDataflow
from archsim.terms import Operand
from tests.oracles.reuse_brute import least
from tests.study.reuse.reuse_cases import random_case, small_layer

COSTS = AccessCosts()


def found(dataflow: ReuseDataflow, layer: SquareLayer, storage: Storage, costs: AccessCosts = COSTS) -> LayerReuse:
    return least_energy(layer, MAPPINGS[dataflow](layer, storage), storage, costs)


@pytest.mark.parametrize("dataflow", ReuseDataflow)
def test_no_tile_sizes_cost_less_nor_as_much_with_more_pes(dataflow) -> None:
    fits = 0
    for seed in range(60):
        layer, storage = random_case(seed)
        best = least(dataflow, layer, storage)
        if best is None:
            with pytest.raises(MappingError, match="'small'"):
                found(dataflow, layer, storage)
            continue
        fits += 1
        mapping = found(dataflow, layer, storage)
        hops = COSTS.array * mapping.accesses[Operand.PSUM, ReuseLevel.ARRAY]  # counted twice in the search
        energy = sum(mapping.energy(level, COSTS) for level in MEMORIES) + hops
        assert energy == pytest.approx(float(best[0]), rel=1e-12), seed
        assert mapping.active_pes == best[1], seed
        assert mapping.glb_words <= storage.glb_words
    assert fits > 5


def test_a_hop_counted_once_finds_mappings_of_less_energy() -> None:
    layer = small_layer(channels=32, filters=32, ofmap_side=13, batch=4)
    storage = Storage(pes=256, spad_words=256, glb_words=20_000)

    def energy(times: float) -> float:
        mapping = found(ReuseDataflow.RS, layer, storage, AccessCosts(searched_psum_hop=times))
        return sum(mapping.energy(level, COSTS) for level in ReuseLevel)

    assert energy(1.0) < energy(2.0)
    assert energy(1.0) > 0.9 * energy(2.0)


def test_what_is_missing_is_said_with_the_number_of_words() -> None:
    # WS keeps the psums of all images of a filter: 3 x 4 x 4 = 48 words
    layer, storage = small_layer(batch=3), Storage(pes=20, spad_words=1, glb_words=40)
    with pytest.raises(
        MappingError, match="'small' at batch 3 takes at least 48 words of the GLB, which has 40: 8 too few"
    ):
        found(ReuseDataflow.WS, layer, storage)


def test_an_array_smaller_than_a_kernel_has_no_mapping() -> None:
    layer, storage = small_layer(), Storage(pes=8, spad_words=1, glb_words=4000)
    with pytest.raises(MappingError, match="no mapping with 8 PEs of 1 spad words; its kernel is 3 x 3"):
        found(ReuseDataflow.WS, layer, storage)


def test_sizes_are_told_in_a_line() -> None:
    mapping = found(ReuseDataflow.OS_C, small_layer(batch=2), Storage(pes=12, spad_words=1, glb_words=4000))
    assert mapping.mapping_text == "n=2 m=6 p=6"
    assert mapping.active_pes == 12
