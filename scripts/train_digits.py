"""Train the small network of workloads/digits_cnn.onnx: `python scripts/train_digits.py [ONNX]`.

Run by hand; needs PyTorch and scikit-learn (the extra ``train``), which nothing else in archsim does. The
images are the 8 x 8 handwritten digits of the UCI machine learning repository (E. Alpaydin and C. Kaynak,
Optical recognition of handwritten digits, 1998, CC BY 4.0) as scikit-learn ships them; the weights are ours.
The graph is written node by node from the trained weights, batch norm unfolded, so that a conversion has
something to fold. One thread and one seed: the same PyTorch on the same machine gives the same file.
"""

import argparse
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from torch import nn

SHIPPED = Path(__file__).parents[1] / "workloads" / "digits_cnn.onnx"
OPSET = 17
IR_VERSION = 8
"""That of onnx 1.12, the first with opset 17: older readers take the file too."""
SEED = 0
TEST_IMAGES = 500
LARGEST_PIXEL = 16.0
CHANNELS = (1, 16, 32, 32)
KERNEL = 3
POOLED_BEHIND = 2
"""The convolution that a pool of 2 x 2 follows: 8 x 8 becomes 4 x 4."""
DENSE_WORDS = CHANNELS[-1] * 4 * 4
CLASSES = 10
EPOCHS = 60
BATCH = 64
PEAK_LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-3

FloatArray = NDArray[np.float32]


class Images(NamedTuple):
    """Pixels 0..1 (N, 1, 8, 8) and labels (N,)."""

    pixels: FloatArray
    labels: NDArray[np.int64]


def main() -> None:
    """Train, print the accuracy on the test images, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", nargs="?", type=Path, default=SHIPPED, help="file to write")
    target = parser.parse_args().onnx
    train, test = split_digits()
    network = train_network(train)
    correct = count_correct(network, test)
    print(f"{correct} of {len(test.labels)} test images ({100 * correct / len(test.labels):.2f} %)")
    model = write_onnx({name: values.numpy() for name, values in network.state_dict().items()})
    onnx.save(model, target)
    print(f"wrote {target} ({target.stat().st_size:,} B)")


def split_digits() -> tuple[Images, Images]:
    """Return the training and the test images: the last 500 of a fixed permutation are the test."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(SEED).permutation(len(labels))
    scaled = (pixels[order] / LARGEST_PIXEL).astype(np.float32).reshape(-1, 1, 8, 8)
    shuffled = labels[order].astype(np.int64)
    return (
        Images(scaled[:-TEST_IMAGES], shuffled[:-TEST_IMAGES]),
        Images(scaled[-TEST_IMAGES:], shuffled[-TEST_IMAGES:]),
    )


def make_network() -> Any:
    """Return the untrained network; its modules have the names of the ONNX nodes."""
    network = nn.Sequential()
    for index, (inner, outer) in enumerate(pairwise(CHANNELS), start=1):
        network.add_module(f"conv{index}", nn.Conv2d(inner, outer, KERNEL, padding=KERNEL // 2, bias=False))
        network.add_module(f"bn{index}", nn.BatchNorm2d(outer))
        network.add_module(f"relu{index}", nn.ReLU())
        if index == POOLED_BEHIND:
            network.add_module(f"pool{index}", nn.MaxPool2d(2))
    network.add_module("flatten", nn.Flatten())
    network.add_module("fc", nn.Linear(DENSE_WORDS, CLASSES))
    return network


def train_network(train: Images) -> Any:
    """Return the network after `EPOCHS` passes over the training images, set to evaluate."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(mode=True)
    network = make_network()
    pixels, labels = torch.from_numpy(train.pixels), torch.from_numpy(train.labels)
    steps = EPOCHS * -(-len(labels) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=PEAK_LEARNING_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(pixels[chosen]), labels[chosen]).backward()
            optimiser.step()
            schedule.step()
    network.eval()
    return network


def count_correct(network: Any, images: Images) -> int:
    """Return for how many images the largest logit is the label's."""
    with torch.no_grad():
        logits = network(torch.from_numpy(images.pixels))
    return int((logits.argmax(dim=1).numpy() == images.labels).sum())


def write_onnx(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """Return the model: one node per module, under its name; batch left open."""
    constants = {name: values for name, values in weights.items() if not name.endswith("num_batches_tracked")}
    nodes = list(_nodes())
    graph = helper.make_graph(
        nodes, "digits_cnn",
        inputs=[helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        outputs=[helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, ["N", CLASSES])],
        initializer=[numpy_helper.from_array(values, name) for name, values in constants.items()],
        doc_string=f"8x8 digits, pixel / {LARGEST_PIXEL:.0f}; made by scripts/train_digits.py",
    )  # fmt: skip
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, producer_name="archsim", opset_imports=[opset], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def _nodes() -> Iterable[onnx.NodeProto]:
    last = "image"
    pads = [KERNEL // 2] * 4
    for index in range(1, len(CHANNELS)):
        yield _node("Conv", f"conv{index}", last, ("weight",), kernel_shape=[KERNEL, KERNEL], pads=pads)
        norm = ("weight", "bias", "running_mean", "running_var")
        yield _node("BatchNormalization", f"bn{index}", f"conv{index}.out", norm, epsilon=nn.BatchNorm2d(1).eps)
        yield _node("Relu", f"relu{index}", f"bn{index}.out")
        last = f"relu{index}.out"
        if index == POOLED_BEHIND:
            yield _node("MaxPool", f"pool{index}", last, kernel_shape=[2, 2], strides=[2, 2])
            last = f"pool{index}.out"
    yield _node("Flatten", "flatten", last, axis=1)
    yield _node("Gemm", "fc", "flatten.out", ("weight", "bias"), transB=1)


def _node(op: str, name: str, source: str, constants: Iterable[str] = (), **attributes: Any) -> onnx.NodeProto:
    inputs = [source, *(f"{name}.{constant}" for constant in constants)]
    return helper.make_node(op, inputs, [f"{name}.out"], name=name, **attributes)


if __name__ == "__main__":
    main()
