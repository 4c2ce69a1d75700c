"""The networks that Han et al. pruned, as variants of the plain ones; used by `make_workloads.py`.

Weights are zero as in the paper's tables (`archsim/convert/han_densities.py`); where the zeros of ifmaps come from stands
in the notes of each.
"""

from typing import Any

from network_writer import Network

from archsim.convert.han_densities import HAN_DENSITIES

HAN = "Han et al., Learning both weights and connections, NIPS 2015"
VALUE_OPS_NOTE = "ReLU, bias and batch norm are taken as done on the way out of the array"
SOFTMAX_NOTE = "The softmax behind the last layer is left out"
WEIGHTS_NOTE = f"zero_fractions.weight: 1 - share of weights kept, {HAN}, table {{}}, recalled, not read from the paper"
ACT_NOTE = (
    f"zero_fractions.ifmap of {{}}: 1 - Act% of the layer before, {HAN}, table {{}}, recalled, not read from the paper"
)
PIXELS_NOTE = "zero_fractions.ifmap of {}: zero pixels of the first 5,000 MNIST test images, measured"
DRAWN_NOTE = "Which weights and values are zero is not published: they are drawn, independently of each other, unless told otherwise"
MNIST_ZERO_PIXELS = 0.8182

VGG16_IFMAPS = (0.0, 0.5, 0.11, 0.21, 0.19, 0.37, 0.31, 0.29, 0.5, 0.55, 0.61, 0.67, 0.68, 0.81, 0.62, 0.58)
ALEXNET_IFMAPS = (0.0001, 0.387, 0.725, 0.793, 0.776, 0.66, 0.64, 0.6)
LENET5_IFMAPS = (MNIST_ZERO_PIXELS, 0.18, 0.28, 0.45)
LENET_300_100_IFMAPS = (MNIST_ZERO_PIXELS, 0.62, 0.35)


def make_pruned() -> list[Network]:
    """Return the four."""
    return [_vgg16(), _alexnet(), _lenet5(), _lenet_300_100()]


def _vgg16() -> Network:
    notes = (
        "zero_fractions.ifmap of convolutions: SCNN (Parashar et al., ISCA 2017), figure 1, as digitised in a public simulator's "
        "configurations (james98kr/SCNN_simulation)",
        ACT_NOTE.format("fc6 to fc8", 6),
        "Assumed: the Act% of conv5_3 holds behind pool5 too, as the digitised shares behind pool1 and pool2 are those of Han's table",
    )
    net = _network("vgg16", "Simonyan and Zisserman, ICLR 2015, table 1, 16 weight layers", 6, notes)
    zeros = _zeros("vgg16", VGG16_IFMAPS)
    for stage, (count, out) in enumerate(zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), strict=True), start=1):
        for index in range(1, count + 1):
            name = f"conv{stage}_{index}"
            net.conv(name, 3, out, **zeros[name])
        net.pool(f"pool{stage}", "max_pool", 2, 2)
    _dense(net, zeros, fc6=4096, fc7=4096, fc8=1000)
    return net


def _alexnet() -> Network:
    notes = (
        "zero_fractions.ifmap of convolutions: Chen et al. (Eyeriss), JSSC 52(1), 2017, recalled; those of an AlexNet that was not "
        "pruned",
        ACT_NOTE.format("fc6 to fc8", 5),
        "Assumed: the Act% of conv5 holds behind pool5 too",
    )
    net = _network("alexnet", "Krizhevsky et al., NIPS 2012; layers as in alexnet.yaml", 5, notes, (3, 227))
    zeros = _zeros("alexnet", ALEXNET_IFMAPS)
    net.conv("conv1", 11, 96, stride=4, padding=0, **zeros["conv1"])
    net.lrn("norm1")
    net.pool("pool1", "max_pool", 3, 2)
    net.conv("conv2", 5, 256, groups=2, **zeros["conv2"])
    net.lrn("norm2")
    net.pool("pool2", "max_pool", 3, 2)
    net.conv("conv3", 3, 384, **zeros["conv3"])
    net.conv("conv4", 3, 384, groups=2, **zeros["conv4"])
    net.conv("conv5", 3, 256, groups=2, **zeros["conv5"])
    net.pool("pool5", "max_pool", 3, 2)
    _dense(net, zeros, fc6=4096, fc7=4096, fc8=1000)
    return net


def _lenet5() -> Network:
    notes = (
        "This is the LeNet-5 that Han et al. pruned, Caffe's: 20 and 50 filters and max pools, not the one of lenet5.yaml",
        PIXELS_NOTE.format("conv1"),
        ACT_NOTE.format("conv2, fc1 and fc2", 4),
        "Assumed: the Act% of conv1 and conv2 holds behind their max pools too, where fewer values are zero",
    )
    source = "LeCun et al., Proc. IEEE 86(11), 1998, as Caffe's MNIST example changes it"
    net = _network("lenet5", source, 4, notes, (1, 28))
    zeros = _zeros("lenet5", LENET5_IFMAPS)
    for index, out in ((1, 20), (2, 50)):
        net.conv(f"conv{index}", 5, out, padding=0, **zeros[f"conv{index}"])
        net.pool(f"pool{index}", "max_pool", 2, 2)
    _dense(net, zeros, fc1=500, fc2=10)
    return net


def _lenet_300_100() -> Network:
    notes = (PIXELS_NOTE.format("fc1"), ACT_NOTE.format("fc2 and fc3", 3))
    net = _network("lenet_300_100", "LeCun et al., Proc. IEEE 86(11), 1998", 3, notes, (784, 1))
    _dense(net, _zeros("lenet_300_100", LENET_300_100_IFMAPS), fc1=300, fc2=100, fc3=10)
    return net


def _network(plain: str, source: str, table: int, notes: tuple[str, ...], ifmap: tuple[int, int] = (3, 224)) -> Network:
    said = (VALUE_OPS_NOTE, SOFTMAX_NOTE, WEIGHTS_NOTE.format(table), *notes, DRAWN_NOTE)
    return Network(f"{plain}_pruned", f"{source}; pruned as {HAN}, table {table}", said, ifmap)


def _zeros(plain: str, ifmaps: tuple[float, ...]) -> dict[str, dict[str, Any]]:
    """Return what `Network.conv` and `Network.fc` take of each layer."""
    return {
        layer.layer: {"ifmap_zeros": zeros, "weight_zeros": round(1.0 - layer.kept, 4)}
        for layer, zeros in zip(HAN_DENSITIES[plain], ifmaps, strict=True)
    }


def _dense(net: Network, zeros: dict[str, dict[str, Any]], **columns: int) -> None:
    for name, count in columns.items():
        net.fc(name, count, **zeros[name])
