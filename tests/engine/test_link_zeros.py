"""What a network knows of its zeros; every tensor is small enough to count on paper."""

from dataclasses import replace

import pytest

from archsim.arch.memory_level import DramLevel
from archsim.engine.link_zeros import known_zeros, link_assumptions, zeros_of_layers
from archsim.engine.simulate import run_network
from archsim.numerics.link_code import ZeroCounts, expect_zeros
from archsim.terms import Compression, Operand
from archsim.workload.batch import with_batch
from archsim.workload.layer import MatmulLayer, UncostedLayer, VectorLayer, ZeroFractions
from archsim.workload.network import Workload
from archsim.workload.tensor_zeros import MeasuredZeros
from tests.mapping.hand_made import WS, array_of, chip

IFMAP, WEIGHT, OFMAP = Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP


def fc(name: str, *sources: str, zeros: float | None = None, inner: int = 100, weight: str = "") -> MatmulLayer:
    return MatmulLayer(name=name, rows=1, inner=inner, columns=100, sources=sources, weight_source=weight,
                       zero_fractions=ZeroFractions(ifmap=zeros))  # fmt: skip


def relu(name: str, *sources: str, words: int = 100) -> VectorLayer:
    return VectorLayer(name=name, op="relu", lane_ops=words, ifmap_words=words, ofmap_words=words, sources=sources)


def network(*layers, measured: tuple[MeasuredZeros, ...] = ()) -> Workload:
    return Workload(name="net", layers=layers, measured=measured)


def share(workload: Workload, layer: str, operand: Operand) -> float:
    return zeros_of_layers(workload)[layer].of(operand).zero_fraction


def coding(*operands: Operand):
    codes = tuple((operand, Compression.RLC5) for operand in operands)
    return chip(array_of(WS), dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, compression=codes))


def test_a_layer_writes_the_zeros_that_its_reader_reads() -> None:
    net = network(fc("a"), relu("r", "a"), fc("b", "r", zeros=0.75))
    assert share(net, "r", OFMAP) == share(net, "b", IFMAP) == 0.75
    assert (share(net, "a", OFMAP), share(net, "r", IFMAP)) == (0.0, 0.0)  # before the relu nobody knows


def test_of_several_readers_the_one_with_fewest_zeros_counts() -> None:
    net = network(relu("r"), fc("a", "r", zeros=0.5), fc("b", "r", zeros=0.25), fc("c", "r"))
    assert share(net, "r", OFMAP) == 0.25
    assert [share(net, name, IFMAP) for name in "abc"] == [0.5, 0.25, 0.25]


def test_an_ifmap_of_several_tensors_has_the_zeros_of_all_unknown_ones_free_of_them() -> None:
    # r: 100 words, 50 zeros, as b says; s: 300 words, unknown. 50 of 400.
    net = network(relu("r"), fc("b", "r", zeros=0.5), relu("s", words=300), fc("c", "r", "s", inner=400))
    assert share(net, "c", IFMAP) == 0.125


def test_a_real_tensor_counts_before_any_share() -> None:
    counts = ZeroCounts(words=1000, nonzero_words=400, run_pairs=500)
    net = network(
        relu("r"), fc("a", "r", zeros=0.1), measured=(MeasuredZeros(layer="r", operand=OFMAP, counts=counts),)
    )
    assert known_zeros(net)["r"][OFMAP] == counts
    assert zeros_of_layers(net)["r"].ofmap == ZeroCounts(words=100, nonzero_words=40, run_pairs=50)
    assert share(net, "a", IFMAP) == pytest.approx(0.1)


def test_a_matrix_that_a_layer_makes_brings_its_zeros() -> None:
    net = network(relu("q"), relu("k", words=10_000), fc("s", "k", zeros=0.5, inner=10_000), fc("a", "q", weight="k"))
    assert share(net, "a", WEIGHT) == 0.5


def test_counts_grow_with_the_batch() -> None:
    net = with_batch(network(fc("a", zeros=0.5)), 4)
    assert zeros_of_layers(net)["a"].ifmap == expect_zeros(400, 0.5)


def test_layers_that_do_not_run_have_no_counts() -> None:
    net = network(relu("r"), UncostedLayer(name="u", op="nms", reason="odd", sources=("r",)))
    assert set(zeros_of_layers(net)) == {"r"}


def test_layers_alike_but_for_their_readers_zeros_move_other_bytes() -> None:
    net = network(relu("a"), relu("b"), fc("c", "a", zeros=0.0), fc("d", "b", zeros=0.9))
    net = replace(net, layers=tuple(replace(each, sources=()) if each.name == "b" else each for each in net.layers))
    few, many = (sum(t.bytes for t in run.traffic if t.level == "dram") for run in run_network(coding(OFMAP), net)[:2])
    # 100 ofmap words: 100 pairs, four a word of 8 bit: 200 B. 10.35 pairs: three words, 24 B.
    assert few - many == 200 - 24


def test_unknown_zeros_are_told() -> None:
    net = network(fc("a"), fc("b", "a", zeros=0.5))
    coded, ifmap, ofmap = link_assumptions(coding(IFMAP, OFMAP), net)
    assert coded.startswith("ifmap as rlc5, ofmap as rlc5 on the DRAM channel")
    assert ifmap.startswith("zeros of ifmap are not known in 1 of 2 costed layers")
    assert ofmap.startswith("zeros of ofmap are not known in 1 of 2 costed layers")
    assert link_assumptions(coding(), net) == ()
