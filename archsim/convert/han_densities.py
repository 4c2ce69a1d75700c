"""How many weights Han et al. kept of each layer of four networks: a table of figures.

Read by `prune.py`. The figures are those of S. Han, J. Pool, J. Tran, W. Dally, "Learning both weights and connections
for efficient neural networks", NIPS 2015, tables 3 to 6. They were recalled, not read from the paper; the densities of
the convolutions of AlexNet and VGG-16 agree within 1 to 2 points with the configurations of two public simulators (an
SCNN model; Sparseloop's artifact has .385, .346, .372 and .369 for AlexNet's conv2 to conv5).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightDensity:
    """Share of the weights that one layer kept, after retraining.

    Parameters
    ----------
    layer
        Its name in the paper.
    kept
        0..1.
    """

    layer: str
    kept: float

    @property
    def is_conv(self) -> bool:
        """Whether it is a convolution, and not a dense layer."""
        return self.layer.startswith("conv")


def _densities(**kept_percent: int) -> tuple[WeightDensity, ...]:
    return tuple(WeightDensity(layer=layer, kept=percent / 100) for layer, percent in kept_percent.items())


HAN_DENSITIES: dict[str, tuple[WeightDensity, ...]] = {
    "lenet_300_100": _densities(fc1=8, fc2=9, fc3=26),
    "lenet5": _densities(conv1=66, conv2=12, fc1=8, fc2=19),
    "alexnet": _densities(conv1=84, conv2=38, conv3=35, conv4=37, conv5=37, fc6=9, fc7=9, fc8=25),
    "vgg16": _densities(
        conv1_1=58,
        conv1_2=22,
        conv2_1=34,
        conv2_2=36,
        conv3_1=53,
        conv3_2=24,
        conv3_3=42,
        conv4_1=32,
        conv4_2=27,
        conv4_3=34,
        conv5_1=35,
        conv5_2=29,
        conv5_3=36,
        fc6=4,
        fc7=4,
        fc8=23,
    ),
}
"""Network -> its weighted layers in running order."""
