"""Which nodes become one layer."""

import pytest

from archsim.convert.float_network import FloatAdd, FloatBatchNorm, FloatPool, FloatRelu
from archsim.convert.stages import cut_into_stages
from archsim.errors import SimulationError
from archsim.terms import PoolKind
from tests.convert.small_networks import conv, network, normal, residual_network

SHAPE = (2, 6, 6)


def relu(source: str, name: str = "relu") -> FloatRelu:
    return FloatRelu(name=name, sources=(source,))


def pool(source: str, kind: PoolKind, name: str = "pool") -> FloatPool:
    return FloatPool(name=name, sources=(source,), kind=kind, kernel=(2, 2), stride=(2, 2))


def test_a_relu_that_alone_reads_is_taken_in() -> None:
    stages = {stage.name: stage for stage in cut_into_stages(residual_network())}
    assert list(stages) == ["first", "second", "third", "add", "pool", "flat", "classes"]
    assert stages["first"].relu
    assert stages["first"].written == "relu"
    assert stages["second"].sources == ("first",)
    assert stages["add"].sources == ("first", "third")
    assert not stages["third"].relu
    assert stages["add"].measured == "pool"  # the max pool alone reads it
    assert [name for name, stage in stages.items() if stage.is_last] == ["classes"]
    assert [name for name, stage in stages.items() if stage.makes_codes] == [
        "first", "second", "third", "add", "classes"
    ]  # fmt: skip


def test_a_relu_beside_another_reader_stands_alone() -> None:
    shared = network(
        SHAPE, conv("a", "", (2, 2, 3, 3)), relu("a"), FloatAdd(name="sum", sources=("a", "relu")), relu("sum", "last")
    )
    stages = cut_into_stages(shared)
    assert [(stage.name, stage.relu, stage.sources) for stage in stages] == [
        ("a", False, ("",)), ("relu", False, ("a",)), ("sum", True, ("a", "relu"))
    ]  # fmt: skip
    assert not stages[1].makes_codes
    assert stages[2].is_last


@pytest.mark.parametrize("kind", PoolKind)
def test_an_average_makes_values_and_takes_a_relu_in_a_maximum_moves_them(kind: PoolKind) -> None:
    stages = cut_into_stages(network(SHAPE, conv("a", "", (2, 2, 3, 3)), pool("a", kind), relu("pool")))
    averages = kind is PoolKind.AVERAGE
    assert stages[1].makes_codes is averages
    assert stages[1].relu is averages
    assert [stage.name for stage in stages] == (["a", "pool"] if averages else ["a", "pool", "relu"])
    assert stages[0].measured == ("a" if averages else "pool")


def test_two_pools_of_one_layer_measure_the_layer_itself() -> None:
    both = network(SHAPE, conv("a", "", (2, 2, 3, 3)), pool("a", PoolKind.MAX), pool("a", PoolKind.MAX, "other"))
    assert cut_into_stages(both)[0].measured == "a"


def test_a_relu_of_the_input_stands_alone() -> None:
    assert [stage.name for stage in cut_into_stages(network(SHAPE, relu("")))] == ["relu"]


def test_batch_norm_must_be_folded_before() -> None:
    norm = FloatBatchNorm(
        name="bn", sources=("",), scale=normal(2), shift=normal(2), mean=normal(2), variance=normal(2) ** 2, epsilon=0.1
    )
    with pytest.raises(SimulationError, match="'bn' must be folded"):
        cut_into_stages(network(SHAPE, norm))
