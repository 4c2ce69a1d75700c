"""How many images a network classifies rightly, as floats and bit for bit. Called by `pipeline.py`."""

import numpy as np

from archsim.convert.float_network import FloatNetwork
from archsim.convert.float_run import logits
from archsim.convert.image_files import ImageSet
from archsim.engine.bit_true import classify
from archsim.study.conversion import Accuracy
from archsim.workload.coded_network import CodedNetwork


def float_accuracy(network: FloatNetwork, images: ImageSet) -> Accuracy:
    """Classify with floats: the class of the greatest logit, a tie to the lowest."""
    found = logits(network, images.values).argmax(axis=1)
    return _accuracy(found, images)


def coded_accuracy(network: CodedNetwork, images: ImageSet) -> Accuracy:
    """Classify with codes, bit for bit."""
    return _accuracy(classify(network, images.values), images)


def _accuracy(found: np.ndarray, images: ImageSet) -> Accuracy:
    return Accuracy(correct=int((found == images.labels).sum()), images=len(found))
