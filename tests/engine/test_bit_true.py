"""The bit-true layers: integers against a slow oracle, the other families against sums of decoded values."""

import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archsim.engine.bit_true import checksum, classify, encode_images, run_bit_true
from archsim.engine.golden_run import check_golden, make_golden
from archsim.errors import WorkloadError
from archsim.numerics.accumulator_grammar import parse_accumulator
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.format_grammar import parse_format
from archsim.terms import PoolKind
from archsim.workload.coded_network import (
    CodedAdd,
    CodedFlatten,
    CodedNetwork,
    CodedOutput,
    CodedPool,
    CodedProduct,
    CodedRelu,
)
from tests.coded_cases import branchy_network, clustered_network, family_network, product, some_codes
from tests.oracles import bit_true as oracle

S8, U8, LNS8, E4M3 = (parse_format(name) for name in ("int8", "uint8", "lns8", "fp8_e4m3"))


def inputs(network: CodedNetwork, count: int = 2, seed: int = 3) -> np.ndarray:
    assert network.ifmap.format is not None
    return some_codes(np.random.default_rng(seed), network.ifmap.format, (count, *network.ifmap_shape))


def one_layer(layer: Any, fmt: Any, shape: tuple[int, ...], exponent: int = 0) -> CodedNetwork:
    return CodedNetwork(
        name="one", ifmap_shape=shape, ifmap=CodedOutput(format=fmt, exponent=exponent), layers=(layer,)
    )


@pytest.mark.parametrize("seed", range(2))
def test_integers_are_those_of_the_oracle_in_every_layer(seed: int) -> None:
    network = branchy_network(seed)
    codes = inputs(network, seed=seed)
    found, wanted = run_bit_true(network, codes), oracle.run(network, codes)
    assert list(found) == [layer.name for layer in network.layers]
    for name, values in wanted.items():
        assert np.array_equal(found[name], values), name
        assert np.unique(values).size > 1, name  # a layer of one value would prove nothing


def test_kernels_of_a_codebook_run_like_any_others() -> None:
    network = clustered_network()
    codes = inputs(network)
    found, wanted = run_bit_true(network, codes), oracle.run(network, codes)
    assert all(np.array_equal(found[name], values) for name, values in wanted.items())


@pytest.mark.parametrize(
    ("fmt", "accumulator", "exponent", "tolerance"),
    [("fp8_e4m3", "fp32", 0, 1e-5), ("bf16", "fp32", 0, 1e-5), ("fp8_e4m3", "kulisch", 0, 1e-4), ("lns8", "exact", 0, 1e-12),
     ("lns8", "linear<24,12>", -14, 2e-3), ("lns8", "log<10>", 0, 2e-2)],
)  # fmt: skip
def test_sums_are_those_of_the_decoded_values_as_far_as_the_register_allows(
    fmt: str, accumulator: str, exponent: int, tolerance: float
) -> None:
    network = family_network(fmt, accumulator, exponent)
    codes = inputs(network)
    first = network.layers[0]
    assert isinstance(first, CodedProduct)
    assert first.window is not None
    raw = replace(first, output=CodedOutput(format=None, exponent=exponent))
    sums = run_bit_true(replace(network, layers=(raw,)), codes)["c"]
    assert network.ifmap.format is not None
    values = np.ldexp(network.ifmap.format.decode(codes), network.ifmap.exponent)
    patches = np.lib.stride_tricks.sliding_window_view(values, (3, 3), axis=(2, 3))
    exact = np.einsum("ncpqrs,kcrs->nkpq", patches, first.weight.values)
    bias = first.bias_values if first.bias is None else np.ldexp(first.bias, exponent)
    assert bias is not None
    exact += bias[:, None, None]
    got = np.ldexp(sums, exponent) if sums.dtype.kind == "i" else sums
    assert np.abs(got - exact).max() <= tolerance * np.abs(exact).max()
    written = run_bit_true(network, codes)["c"]
    assert first.output.format is not None
    assert np.array_equal(written, first.output.format.encode(np.maximum(got, 0.0), first.output.exponent))


@pytest.mark.parametrize("fmt", ["lns8", "fp8_e4m3", "int8"])
def test_a_maximum_goes_by_value_and_padding_never_wins(fmt: str) -> None:
    form = parse_format(fmt)
    values = form.decode(form.encode(np.array([[-3.0, -1.0, -2.0, -8.0], [0.0, -5.0, 6.0, 7.0]])))
    layer = CodedPool(name="p", sources=("",), kind=PoolKind.MAX, kernel=(1, 2), stride=(1, 1), padding=((0, 0), (1, 1)),
                      output=CodedOutput(format=form, exponent=0))  # fmt: skip
    found = run_bit_true(one_layer(layer, form, (1, 2, 4)), form.encode(values)[None, None])["p"]
    wide = np.pad(values, ((0, 0), (1, 1)), constant_values=-np.inf)
    assert form.decode(found[0, 0]).tolist() == np.maximum(wide[:, :-1], wide[:, 1:]).tolist()


def test_an_average_of_a_power_of_two_is_a_shift_and_of_three_a_reciprocal() -> None:
    codes = np.array([[[[1, 2, 3, 5, 100, 101]]]])
    out = CodedOutput(format=S8, exponent=0)
    two, three = (
        CodedPool(name="p", sources=("",), kind=PoolKind.AVERAGE, kernel=(1, size), stride=(1, size), padding=((0, 0), (0, 0)), output=out)
        for size in (2, 3)
    )  # fmt: skip
    assert run_bit_true(one_layer(two, S8, (1, 1, 6)), codes)["p"].tolist() == [[[[2, 4, 101]]]]  # 1.5 4 100.5, ties up
    assert run_bit_true(one_layer(three, S8, (1, 1, 6)), codes)["p"].tolist() == [[[[2, 69]]]]  # 6 / 3, 206 / 3


def test_a_reciprocal_is_rounded_to_the_nearest() -> None:
    out = CodedOutput(format=parse_format("fx<9,9,1,TRN,SAT>"), exponent=0)
    layer = CodedPool(name="p", sources=("",), kind=PoolKind.AVERAGE, kernel=(1, 5), stride=(1, 5), padding=((0, 0), (0, 0)),
                      output=out)  # fmt: skip
    found = run_bit_true(one_layer(layer, S8, (1, 1, 5)), np.full((1, 1, 1, 5), 20))["p"]
    assert found.item() == 20  # 2^19 / 5 = 104857.6: 100 * 104858 / 2^19 = 20.00008, 100 * 104857 / 2^19 = 19.99989


def test_an_average_of_logarithms_is_that_of_their_values() -> None:
    layer = CodedPool(name="p", sources=("",), kind=PoolKind.AVERAGE, kernel=(1, 2), stride=(1, 2), padding=((0, 0), (0, 0)),
                      output=CodedOutput(format=LNS8, exponent=0))  # fmt: skip
    codes = LNS8.encode(np.array([[[[1.0, 3.0, -4.0, 4.0]]]]))
    found = run_bit_true(one_layer(layer, LNS8, (1, 1, 4)), codes)["p"]
    assert np.array_equal(found, LNS8.encode(LNS8.decode(codes).reshape(1, 1, 1, 2, 2).mean(axis=-1)))


def test_an_addition_aligns_to_the_finer_operand_and_has_a_bit_to_spare() -> None:
    layers = (
        CodedRelu(name="r", sources=("",)),
        product("c", "r", CodedTensor(codes=np.eye(2, dtype=np.int64), format=S8, exponents=np.array(0)),
                CodedOutput(format=S8, exponent=-3)),
        CodedAdd(name="a", sources=("c", ""), output=CodedOutput(format=parse_format("int10"), exponent=-3)),
    )  # fmt: skip
    network = CodedNetwork(name="n", ifmap_shape=(2,), ifmap=CodedOutput(format=S8, exponent=-1), layers=layers)
    found = run_bit_true(network, np.array([[15, 127]]))
    assert found["c"].tolist() == [[60, 127]]  # saturates
    assert found["a"].tolist() == [[60 + 60, 127 + 508 - 124]]  # 635 saturates at 511


def test_a_relu_of_its_own_writes_the_zero_of_its_format() -> None:
    codes = LNS8.encode(np.array([[-2.0, 0.0, 2.0]]))
    found = run_bit_true(one_layer(CodedRelu(name="r", sources=("",)), LNS8, (3,)), codes)["r"]
    assert found.tolist() == LNS8.encode(np.array([[0.0, 0.0, 2.0]])).tolist()
    assert LNS8.zero_code != 0


def test_a_wrapped_negative_that_became_positive_passes_the_relu() -> None:
    wrap = parse_format("fx<4,4,1,TRN,WRAP>")
    weight = CodedTensor(codes=np.array([[-3]]), format=S8, exponents=np.array(0))
    layer = product("y", "", weight, CodedOutput(format=wrap, exponent=0, relu=True))
    assert run_bit_true(one_layer(layer, S8, (1,)), np.array([[3], [1]]))["y"].tolist() == [[7], [0]]  # -9 wraps to 7


@pytest.mark.parametrize("kept", [True, False])
def test_only_what_is_wanted_is_kept(kept: bool) -> None:
    network = branchy_network()
    found = run_bit_true(network, inputs(network), keep_all=kept)
    assert len(found) == (len(network.layers) if kept else 1)
    assert list(found)[-1] == "logits"


def test_classes_do_not_depend_on_the_batch() -> None:
    network = branchy_network()
    images = np.random.default_rng(0).uniform(-1, 1, (7, *network.ifmap_shape))
    logits = run_bit_true(network, encode_images(network, images))["logits"]
    for batch in (1, 3, 100):
        assert classify(network, images, batch=batch).tolist() == logits.argmax(axis=1).tolist()


def test_logits_of_channels_of_different_scales_are_compared_as_values_and_a_tie_goes_to_the_lowest() -> None:
    weight = CodedTensor(codes=np.array([[1], [1], [4], [2]]), format=S8, exponents=np.array([-3, 0, -2, -1]))
    layer = product("y", "", weight, CodedOutput(format=None, exponent=-3))
    network = one_layer(layer, S8, (1,))
    assert run_bit_true(network, np.array([[5]]))["y"].tolist() == [[5, 40, 40, 40]]
    assert classify(network, np.array([[5.0], [-5.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("fmt", ["lns8", "fp8_e4m3"])
def test_logits_with_a_format_are_compared_as_values(fmt: str) -> None:
    form = parse_format(fmt)
    weight = CodedTensor(
        codes=form.encode(np.array([[-4.0], [-1.0], [0.0], [2.0], [1.0]])), format=form, exponents=np.array(0)
    )
    accumulator = "exact" if fmt == "lns8" else "fp32"
    layer = product("y", "", weight, CodedOutput(format=form, exponent=0), accumulator=accumulator)
    assert classify(one_layer(layer, form, (1,)), np.array([[1.0], [-1.0]])).tolist() == [3, 0]


def test_a_checksum_is_of_values_whatever_the_type_that_holds_them() -> None:
    codes = np.array([[1, -2], [3, 4]])
    words = struct.pack("<4q", 1, -2, 3, 4)
    assert (
        checksum(codes)
        == checksum(codes.astype(np.int16))
        == checksum(codes.T.copy().T)
        == f"crc32:{zlib.crc32(words):08x}"
    )
    assert checksum(codes) != checksum(codes.T)
    assert checksum(np.array([1.0])) != checksum(np.array([1.1]))


def test_golden_codes_are_found_again_and_the_first_layer_that_differs_is_named() -> None:
    network = branchy_network()
    golden = make_golden(network, inputs(network))
    check_golden(network, golden)
    layers = list(network.layers)
    third = layers[2]
    assert isinstance(third, CodedProduct)
    codes = third.weight.codes.copy()
    codes[0] += 1
    layers[2] = replace(third, weight=replace(third.weight, codes=codes))
    with pytest.raises(WorkloadError, match="layer 'grouped' is the first whose codes are not the golden ones"):
        check_golden(replace(network, layers=tuple(layers)), golden)


@pytest.mark.parametrize(
    ("formats", "accumulator", "words"),
    [
        (("fp8_e4m3", "fp8_e4m3"), "wrap<16>", "fp8_e4m3 and fp8_e4m3 do not add up in"),
        (("int8", "int8"), "linear<24>", "int8 and int8 are not both logarithmic"),
        (("lns<8,3>", "lns<8,2>"), "log<8>", "lns8 and lns<8,2> have different fraction bits"),
    ],
)
def test_formats_that_an_accumulator_cannot_add_are_named(
    formats: tuple[str, str], accumulator: str, words: str
) -> None:
    ifmap, weights = map(parse_format, formats)
    weight = CodedTensor(codes=weights.encode(np.ones((1, 1))), format=weights, exponents=np.array(0))
    layer = product("y", "", weight, CodedOutput(format=None, exponent=0), accumulator=parse_accumulator(accumulator))
    with pytest.raises(WorkloadError, match=f"layer 'y': {words}"):
        run_bit_true(one_layer(layer, ifmap, (1,)), ifmap.encode(np.ones((1, 1))))


def test_what_cannot_run_is_a_sentence() -> None:
    weight = CodedTensor(codes=np.array([[100]]), format=S8, exponents=np.array([0]))
    raw = product("y", "", weight, CodedOutput(format=None, exponent=1))
    with pytest.raises(WorkloadError, match="layer 'y': its exponent is 1 bits coarser"):
        run_bit_true(one_layer(raw, S8, (1,)), np.array([[1]]))
    far = product("y", "", weight, CodedOutput(format=None, exponent=-60))
    with pytest.raises(WorkloadError, match="too far apart"):
        run_bit_true(one_layer(far, S8, (1,)), np.array([[1]]))
    narrow = product("y", "", weight, CodedOutput(format=None, exponent=0), accumulator="exact<8>")
    with pytest.raises(WorkloadError, match=r"layer 'y': .*8 bits"):
        run_bit_true(one_layer(narrow, S8, (1,)), np.array([[100]]))
    reader = replace(one_layer(replace(raw, output=CodedOutput(format=None, exponent=0)), S8, (1,)))
    with pytest.raises(WorkloadError, match="'f' reads sums"):
        run_bit_true(replace(reader, layers=(*reader.layers, CodedFlatten(name="f", sources=("y",)))), np.array([[1]]))
    stored_only = CodedAdd(name="a", sources=("", ""), output=CodedOutput(format=parse_format("tf32"), exponent=0))
    with pytest.raises(WorkloadError, match="layer 'a': tf32 has no codes"):
        run_bit_true(one_layer(stored_only, S8, (1,)), np.array([[1]]))
    with pytest.raises(WorkloadError, match=r"inputs are \(2,\), must be \(1,\)"):
        run_bit_true(reader, np.array([[1, 2]]))
