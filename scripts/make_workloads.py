"""Write the regular networks of workloads/: `python scripts/make_workloads.py [DIR]`.

The YAML is what ships and what archsim reads; this script only saves typing. alexnet, lenet5,
lenet_300_100, nin, vgg_cnn_m and vgg_cnn_s are written by hand. A test holds the shipped files to this script's output.
"""

import sys
from pathlib import Path

from network_writer import Network
from pruned_networks import make_pruned

VALUE_OPS_NOTE = "ReLU, bias and batch norm are taken as done on the way out of the array"
CONCAT_NOTE = "A concat moves nothing: its sources write to their place in it"
SOFTMAX_NOTE = "The softmax behind the last layer is left out"


VGG16_ZEROS = (0.016, 0.477, 0.248, 0.387, 0.397, 0.581, 0.587, 0.643, 0.747, 0.854, 0.794, 0.874, 0.885)
"""Zeros in the ifmaps of the 13 convolutions: Chen et al. (Eyeriss), JSSC 52(1), 2017, table of VGG-16; recalled."""
VGG16_ZEROS_NOTE = "zero_fractions.ifmap: Chen et al. (Eyeriss), JSSC 52(1), 2017, recalled, not read from the paper"


def make_vgg(depth: int, convs: tuple[int, ...], zeros: tuple[float, ...] = ()) -> Network:
    """VGG-16 (configuration D) or VGG-19 (E)."""
    source = f"Simonyan and Zisserman, Very deep convolutional networks, ICLR 2015, table 1, {depth} weight layers"
    net = Network(f"vgg{depth}", source, (VALUE_OPS_NOTE, SOFTMAX_NOTE, *((VGG16_ZEROS_NOTE,) if zeros else ())))
    known = iter(zeros)
    for stage, (count, out) in enumerate(zip(convs, (64, 128, 256, 512, 512), strict=True), start=1):
        for index in range(1, count + 1):
            net.conv(f"conv{stage}_{index}", 3, out, ifmap_zeros=next(known, None))
        net.pool(f"pool{stage}", "max_pool", 2, 2)
    for name, columns in (("fc6", 4096), ("fc7", 4096), ("fc8", 1000)):
        net.fc(name, columns)
    return net


RESNET_PAPER = "He et al., Deep residual learning, CVPR 2016, table 1"


def make_basic_resnet(depth: int, blocks: tuple[int, ...]) -> Network:
    """ResNet-18 or -34: two 3x3 convolutions per block."""
    source = f"{RESNET_PAPER}; stride 2 in the first 3x3 of conv3_1, conv4_1 and conv5_1 and in their projection"
    net = Network(f"resnet{depth}", source, (VALUE_OPS_NOTE, SOFTMAX_NOTE))
    net.conv("conv1", 7, 64, stride=2)
    net.pool("pool1", "max_pool", 3, 2, padding=1)
    for stage, (count, out) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=2):
        for block in range(1, count + 1):
            base, entry, stride = f"conv{stage}_{block}", net.last, 2 if stage > 2 and block == 1 else 1
            shortcut = net.conv(f"{base}_proj", 1, out, stride=stride) if stride > 1 else entry
            net.conv(f"{base}_1", 3, out, stride=stride, source=entry)
            net.join(f"{base}_add", "add", [net.conv(f"{base}_2", 3, out), shortcut])
    net.global_pool("pool5")
    net.fc("fc1000", 1000)
    return net


def make_bottleneck_resnet(depth: int, blocks: tuple[int, ...]) -> Network:
    """ResNet-50, -101 or -152: 1x1, 3x3, 1x1 per block, named as the authors' Caffe release names them."""
    source = f"{RESNET_PAPER}; v1.5: stride 2 in the 3x3 (branch2b) of res3a, res4a and res5a and in their branch1"
    net = Network(f"resnet{depth}", source, (VALUE_OPS_NOTE, SOFTMAX_NOTE))
    net.conv("conv1", 7, 64, stride=2)
    net.pool("pool1", "max_pool", 3, 2, padding=1)
    for stage, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=2):
        for block in range(count):
            letter = "abcdef"[block] if count <= 3 or depth == 50 else "a" if block == 0 else f"b{block}"
            base, entry, stride = f"res{stage}{letter}", net.last, 2 if stage > 2 and block == 0 else 1
            shortcut = net.conv(f"{base}_branch1", 1, 4 * width, stride=stride) if block == 0 else entry
            net.conv(f"{base}_branch2a", 1, width, source=entry)
            net.conv(f"{base}_branch2b", 3, width, stride=stride)
            net.join(base, "add", [shortcut, net.conv(f"{base}_branch2c", 1, 4 * width)])
    net.global_pool("pool5")
    net.fc("fc1000", 1000)
    return net


def make_mobilenet_v1() -> Network:
    """Width 1.0, 224 x 224."""
    source = "Howard et al., MobileNets, arXiv 1704.04861, 2017, table 1, width 1.0, 224 x 224"
    net = Network("mobilenet_v1", source, (VALUE_OPS_NOTE, SOFTMAX_NOTE))
    net.conv("conv1", 3, 32, stride=2)
    pairs = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for index, (out, stride) in enumerate(pairs, start=2):
        channels = net.shapes[net.last][0]
        net.conv(f"dw{index}", 3, channels, stride=stride, groups=channels)
        net.conv(f"pw{index}", 1, out)
    net.global_pool("pool")
    net.fc("fc", 1000)
    return net


def make_mobilenet_v2() -> Network:
    """Width 1.0, 224 x 224."""
    source = "Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018, table 2, width 1.0"
    net = Network("mobilenet_v2", source, (VALUE_OPS_NOTE, SOFTMAX_NOTE))
    net.conv("conv1", 3, 32, stride=2)
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    index = 1
    for expansion, out, repeats, first_stride in stages:
        for repeat in range(repeats):
            stride, entry, base = first_stride if repeat == 0 else 1, net.last, f"block{index}"
            wide = net.shapes[entry][0] * expansion
            if expansion > 1:
                net.conv(f"{base}_expand", 1, wide)
            net.conv(f"{base}_dw", 3, wide, stride=stride, groups=wide)
            project = net.conv(f"{base}_project", 1, out)
            if repeat > 0:
                net.join(f"{base}_add", "add", [entry, project])
            index += 1
    net.conv("conv_last", 1, 1280)
    net.global_pool("pool")
    net.fc("fc", 1000)
    return net


INCEPTIONS = {  # 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


def make_googlenet() -> Network:
    """Inception v1 without the two training heads, named as Caffe's bvlc_googlenet."""
    source = "Szegedy et al., Going deeper with convolutions, CVPR 2015, table 1; pools round up, as Caffe's do"
    net = Network("googlenet", source, (VALUE_OPS_NOTE, CONCAT_NOTE, SOFTMAX_NOTE))
    net.conv("conv1_7x7_s2", 7, 64, stride=2)
    net.pool("pool1_3x3_s2", "max_pool", 3, 2, is_ceil=True)
    net.lrn("pool1_norm1")
    net.conv("conv2_3x3_reduce", 1, 64)
    net.conv("conv2_3x3", 3, 192)
    net.lrn("conv2_norm2")
    net.pool("pool2_3x3_s2", "max_pool", 3, 2, is_ceil=True)
    for name, (one, three_in, three, five_in, five, proj) in INCEPTIONS.items():
        if name in ("4a", "5a"):
            net.pool(f"pool{int(name[0]) - 1}_3x3_s2", "max_pool", 3, 2, is_ceil=True)
        base, entry = f"inception_{name}", net.last
        parts = [net.conv(f"{base}_1x1", 1, one)]
        net.conv(f"{base}_3x3_reduce", 1, three_in, source=entry)
        parts.append(net.conv(f"{base}_3x3", 3, three))
        net.conv(f"{base}_5x5_reduce", 1, five_in, source=entry)
        parts.append(net.conv(f"{base}_5x5", 5, five))
        net.pool(f"{base}_pool", "max_pool", 3, 1, padding=1, source=entry)
        net.join(f"{base}_output", "concat", [*parts, net.conv(f"{base}_pool_proj", 1, proj)])
    net.global_pool("pool5_7x7_s1")
    net.fc("loss3_classifier", 1000)
    return net


def make_squeezenet() -> Network:
    """Version 1.0."""
    source = (
        "Iandola et al., SqueezeNet, arXiv 1602.07360, 2016, table 1: v1.0, 111 x 111 after conv1 as a 227 input gives"
    )
    conv10_note = (
        "conv10 makes 13 x 13 as in the paper's table; the Caffe release pads it to 15 x 15 (28,672,000 MACs more)"
    )
    notes = (VALUE_OPS_NOTE, CONCAT_NOTE, SOFTMAX_NOTE, conv10_note)
    net = Network("squeezenet", source, notes, ifmap=(3, 227))
    net.conv("conv1", 7, 96, stride=2, padding=0)
    net.pool("pool1", "max_pool", 3, 2, is_ceil=True)
    for index, squeeze in zip(range(2, 10), (16, 16, 32, 32, 48, 48, 64, 64), strict=True):
        base = f"fire{index}"
        entry = net.conv(f"{base}_squeeze1x1", 1, squeeze)
        one = net.conv(f"{base}_expand1x1", 1, 4 * squeeze)
        three = net.conv(f"{base}_expand3x3", 3, 4 * squeeze, source=entry)
        net.join(f"{base}_concat", "concat", [one, three])
        if index in (4, 8):
            net.pool(f"pool{index}", "max_pool", 3, 2, is_ceil=True)
    net.conv("conv10", 1, 1000)
    net.global_pool("pool10")
    return net


def add_attention(net: Network, prefix: str, tokens: int, shape: tuple[int, int], *, entry: list[str],
                  cached: tuple[str, str, int] | None = None) -> None:  # fmt: skip
    """Add the projections, scores, softmax, context and output projection of multi-head attention.

    ``shape`` = (hidden, heads); ``cached`` = (k layer, v layer, tokens before these ones).
    """
    hidden, heads = shape
    query, key, value = (net.matmul(f"{prefix}{part}_proj", tokens, hidden, hidden, inputs=entry) for part in "qkv")
    seen = tokens
    if cached is not None:
        seen += cached[2]
        key = net.vector(f"{prefix}k_cache", "concat", seen * hidden, inputs=[cached[0], key])
        value = net.vector(f"{prefix}v_cache", "concat", seen * hidden, inputs=[cached[1], value])
    head = hidden // heads
    net.matmul(f"{prefix}scores", tokens, head, seen, batches=heads, inputs=[query], weight_input=key)
    net.vector(f"{prefix}softmax", "softmax", heads * tokens * seen)
    net.matmul(f"{prefix}context", tokens, seen, head, batches=heads, weight_input=value)
    net.matmul(f"{prefix}out_proj", tokens, hidden, hidden)


def add_feed_forward(net: Network, prefix: str, tokens: int, hidden: int) -> None:
    """Add hidden -> 4 x hidden -> GELU -> hidden."""
    net.matmul(f"{prefix}ffn_up", tokens, hidden, 4 * hidden)
    net.vector(f"{prefix}gelu", "gelu", tokens * 4 * hidden)
    net.matmul(f"{prefix}ffn_down", tokens, 4 * hidden, hidden)


def make_bert_base() -> Network:
    """One encoder layer of BERT-base on 128 tokens."""
    source = "Devlin et al., BERT, NAACL 2019, BERT-base: hidden 768, 12 heads, feed-forward 3072; one of 12 layers"
    notes = ("One encoder layer, 128 tokens", "Bias and the scaling of scores are taken as done on the way out of the array",
             "The first residual's other operand is the layer's input, from outside")  # fmt: skip
    net = Network("bert_base", source, notes)
    tokens, hidden = 128, 768
    add_attention(net, "", tokens, (hidden, 12), entry=[])
    net.vector("attention_add", "add", tokens * hidden, inputs=["out_proj"])
    norm = net.vector("attention_norm", "layer_norm", tokens * hidden, weight_words=2 * hidden)
    add_feed_forward(net, "", tokens, hidden)
    net.vector("ffn_add", "add", tokens * hidden, inputs=["ffn_down", norm])
    net.vector("ffn_norm", "layer_norm", tokens * hidden, weight_words=2 * hidden)
    return net


def make_decoder_block() -> Network:
    """One decoder block: a prompt of 512 tokens, then one more token against its cache."""
    source = ("Radford et al., Language models are unsupervised multitask learners, 2019 (block); "
              "Brown et al., NeurIPS 2020, table 2.1, GPT-3 6.7B (hidden 4096, 32 heads)")  # fmt: skip
    notes = ("Prefill of 512 tokens, then one decode token that sees 513: the cache of 512 and itself",
             "Bias and the scaling of scores are taken as done on the way out of the array",
             "The causal mask saves no work: all scores of the prefill are computed",
             "The first residual's other operand is the block's input, from outside", CONCAT_NOTE)  # fmt: skip
    net = Network("decoder_block", source, notes)
    hidden = 4096
    for prefix, tokens, cached in (
        ("prefill_", 512, None),
        ("decode_", 1, ("prefill_k_proj", "prefill_v_proj", 512)),
    ):
        norm = net.vector(f"{prefix}norm1", "layer_norm", tokens * hidden, weight_words=2 * hidden, inputs=[])
        add_attention(net, prefix, tokens, (hidden, 32), entry=[norm], cached=cached)
        residual = net.vector(f"{prefix}attention_add", "add", tokens * hidden, inputs=[f"{prefix}out_proj"])
        net.vector(f"{prefix}norm2", "layer_norm", tokens * hidden, weight_words=2 * hidden)
        add_feed_forward(net, prefix, tokens, hidden)
        net.vector(f"{prefix}ffn_add", "add", tokens * hidden, inputs=[f"{prefix}ffn_down", residual])
    return net


TPU_PAPER = "Jouppi et al., In-datacenter performance analysis of a tensor processing unit, ISCA 2017, tables 1 and 3"


def make_tpu_products(app: str, layers: int, weights: int, positions: int = 1) -> Network:
    """One of the TPU paper's apps as equal square products: only layers, weights and their reuse are published."""
    side = round((weights / layers) ** 0.5)
    net = Network(f"tpu_{app}", f"{TPU_PAPER}: {app.upper()} has {layers} layers and {weights // 10**6}M weights", (
        f"Assumed: all layers alike and square, {side} = sqrt(weights / layers) values in and out; the paper gives no shapes",
        f"{positions} products per weight and image; the paper's batch is the user's to give",
        "Activations are taken as done on the way out of the array",
    ))  # fmt: skip
    for index in range(1, layers + 1):
        net.matmul(f"layer{index}", positions, side, side)
    return net


def make_tpu_cnn0() -> Network:
    """CNN0: 2888 MACs per weight at a batch of 8 are ofmaps of 19 x 19."""
    channels = round((8_000_000 / 16 / 9) ** 0.5)
    net = Network("tpu_cnn0", f"{TPU_PAPER}: CNN0 has 16 layers, 8M weights, 2888 operations per weight at batch 8", (
        "Assumed: all layers alike, 3 x 3 kernels on 19 x 19 = 2888 / 8 ofmap positions, "
        f"{channels} = sqrt(weights / layers / 9) channels in and out; the paper gives no shapes",
        "Activations are taken as done on the way out of the array",
    ), (channels, 19))  # fmt: skip
    for index in range(1, 17):
        net.conv(f"layer{index}", 3, channels)
    return net


def make_all() -> list[Network]:
    """Return every generated network."""
    return [
        make_vgg(16, (2, 2, 3, 3, 3), VGG16_ZEROS), make_vgg(19, (2, 2, 4, 4, 4)),
        make_basic_resnet(18, (2, 2, 2, 2)), make_basic_resnet(34, (3, 4, 6, 3)),
        make_bottleneck_resnet(50, (3, 4, 6, 3)), make_bottleneck_resnet(101, (3, 4, 23, 3)),
        make_bottleneck_resnet(152, (3, 8, 36, 3)), make_mobilenet_v1(), make_mobilenet_v2(), make_googlenet(),
        make_squeezenet(), make_bert_base(), make_decoder_block(),
        make_tpu_products("mlp0", 5, 20_000_000), make_tpu_products("mlp1", 4, 5_000_000),
        make_tpu_products("lstm0", 58, 52_000_000), make_tpu_products("lstm1", 56, 34_000_000),
        make_tpu_cnn0(), make_tpu_products("cnn1", 89, 100_000_000, positions=55), *make_pruned(),
    ]  # fmt: skip


def main() -> None:
    """Write every generated network into the directory given, or into workloads/."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "workloads"
    for network in make_all():
        (directory / f"{network.name}.yaml").write_text(network.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
