"""Bits of weights, counted by hand."""

from archsim.catalog import find_model
from archsim.convert.cluster import ClusterRequest
from archsim.convert.image_files import read_images
from archsim.convert.pipeline import Images, convert_model
from archsim.convert.stored_size import clustered_float_bits, codebook_bits, coded_bits, float_bits, layer_bits
from archsim.workload.coded_network import CodedNetwork
from tests.convert.fake_quant import recipe

IMAGES = Images(calibration=read_images("digits:train:5"))
WORDS = {"conv1": 144, "conv2": 32 * 16 * 9, "conv3": 32 * 32 * 9, "fc": 5120}
CHANNELS = {"conv1": 16, "conv2": 32, "conv3": 32, "fc": 10}


def digits(fmt: str, **how: object) -> CodedNetwork:
    return convert_model(find_model("digits_cnn"), recipe(fmt, **how), IMAGES).coded


def test_integers_have_a_scale_of_a_byte_per_channel_others_none() -> None:
    for layer in digits("int6").products:
        assert layer_bits(layer) == 6 * WORDS[layer.name] + (32 + 8) * CHANNELS[layer.name]
    for fmt, bits in (("fx<10,4>", 10), ("lns8", 8), ("fp4_e2m1", 4)):
        network = digits(fmt)
        assert coded_bits(network) == bits * sum(WORDS.values()) + 32 * sum(CHANNELS.values())
        assert codebook_bits(network) == 0


def test_signs_have_a_scale_of_a_byte_or_of_a_float_per_channel() -> None:
    for fmt, scale_bits in (("ternary", 8), ("ternary_exact", 32)):
        for layer in digits(fmt).products:
            assert layer_bits(layer) == 2 * WORDS[layer.name] + (32 + scale_bits) * CHANNELS[layer.name]


def test_a_clustered_layer_takes_its_pointers_and_the_codebook_counts_once() -> None:
    found = convert_model(find_model("digits_cnn"), recipe("int8", clusters=ClusterRequest(entries=100)), IMAGES)
    sizes = {layer.name: layer_bits(layer) for layer in found.coded.products}
    assert sizes["conv3"] == 7 * 32 * 32 + 32 * 32
    assert sizes["conv2"] == 7 * 32 * 16 + 32 * 32
    assert codebook_bits(found.coded) == 100 * 9 * 8
    assert coded_bits(found.coded) == sum(sizes.values()) + 100 * 9 * 8
    clustering = found.calibrated.measured.clustering
    assert clustering is not None
    pointers = 7 * (32 * 32 + 32 * 16)
    others = 32 * (WORDS["conv1"] + WORDS["fc"] + sum(CHANNELS.values()))
    assert clustered_float_bits(clustering) == pointers + others + 32 * 100 * 9


def test_floats_take_32_bits_each() -> None:
    found = convert_model(find_model("digits_cnn"), recipe("int8"), IMAGES)
    assert float_bits(found.original) == 32 * (sum(WORDS.values()) + sum(CHANNELS.values()))
