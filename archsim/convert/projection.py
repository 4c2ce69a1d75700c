"""What is trained, and the weights that the network runs with while it is: codebooks, masks, rounded weights.

`fine_tune.py` trains through one. The forward pass uses the projected weights; their gradients go straight through
the rounding to the trained arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from archsim.convert.calibrate import best_exponent
from archsim.convert.cluster import PRUNED, ClusteredNetwork, Masks
from archsim.convert.float_network import AnyFloatNode, FloatNetwork
from archsim.convert.gradients import Key, Part, StraightThrough
from archsim.convert.window_cuts import Array
from archsim.errors import SimulationError
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.sign_levels import SignLevels
from archsim.terms import CalibrationMethod

Quantisers = Mapping[Key, StraightThrough]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """The way from the trained arrays to the weights of the forward pass, and of the gradients back.

    Parameters
    ----------
    clustered
        Its codebooks are trained in place of the kernels that point to them; pointers stay, and so does the zero
        entry of pruned kernels. None = every weight is trained for itself.
    masks
        Layer -> True where a weight was kept: the others stay zero, and a filter that has none left keeps its
        bias. In a clustered layer only pruned whole kernels stay, by their entry.
    quantisers
        Trained array -> how it is rounded before it is used. One not named is used as it is.
    """

    clustered: ClusteredNetwork | None = None
    masks: Masks = field(default_factory=dict)
    quantisers: Quantisers = field(default_factory=dict)

    def parameters(self, network: FloatNetwork) -> dict[Key, Array]:
        """Arrays to train, float32: codebooks, weights of the other layers, biases."""
        found: dict[Key, Array] = {}
        for node in network.weighted:
            if not self._is_clustered(node.name):
                found[Part.WEIGHT, node.name] = node.weight.astype(np.float32)
            if node.bias is not None:
                found[Part.BIAS, node.name] = node.bias.astype(np.float32)
        if self.clustered is not None:
            books = self.clustered.codebooks.items()
            found |= {(Part.CODEBOOK, name): book.astype(np.float32) for name, book in books}
        return found

    def used(self, parameters: Mapping[Key, Array]) -> dict[Key, Array]:
        """Trained arrays as they are used: rounded, masked; codebooks are still codebooks."""
        return {key: self._masked(key, self._rounded(key, array)) for key, array in parameters.items()}

    def weights(self, parameters: Mapping[Key, Array]) -> dict[Key, Array]:
        """Weight and bias of every layer."""
        used = self.used(parameters)
        found = {key: array for key, array in used.items() if key[0] is not Part.CODEBOOK}
        for name, layer in self.clustered.layers.items() if self.clustered else ():
            found[Part.WEIGHT, name] = used[Part.CODEBOOK, layer.codebook][layer.pointers]
        return found

    def gradients(self, parameters: Mapping[Key, Array], found: Mapping[Key, Array]) -> dict[Key, Array]:
        """Gradients of the trained arrays from those of weights and biases: a centroid's is the sum of its members'."""
        gradients: dict[Key, Array] = {}
        for key, array in parameters.items():
            through = self._gathered(array, key[1], found) if key[0] is Part.CODEBOOK else found[key]
            if key in self.quantisers:
                through = self.quantisers[key].passes(array, through)
            gradients[key] = self._masked(key, self._without_dead(key, through))
        return gradients

    def rebuilt(self, network: FloatNetwork, parameters: Mapping[Key, Array]) -> FloatNetwork:
        """Return the network with the trained weights, as they were used; clustered kernels equal their entries."""
        weights = self.weights(parameters)
        changed: dict[str, AnyFloatNode] = {}
        for node in network.weighted:
            bias = weights.get((Part.BIAS, node.name))
            changed[node.name] = replace(
                node,
                weight=weights[Part.WEIGHT, node.name].astype(np.float64),
                bias=None if bias is None else bias.astype(np.float64),
            )
        return network.with_nodes(changed)

    def reclustered(self, network: FloatNetwork, parameters: Mapping[Key, Array]) -> ClusteredNetwork:
        """Return the rebuilt network with its trained codebooks."""
        if self.clustered is None:
            raise SimulationError("a projection without codebooks was asked for them")
        books = {key[1]: array for key, array in self.used(parameters).items() if key[0] is Part.CODEBOOK}
        return ClusteredNetwork(
            network=self.rebuilt(network, parameters),
            layers=self.clustered.layers,
            codebooks={name: book.astype(np.float64) for name, book in books.items()},
        )

    def _is_clustered(self, layer: str) -> bool:
        return self.clustered is not None and layer in self.clustered.layers

    def _rounded(self, key: Key, array: Array) -> Array:
        if key not in self.quantisers:
            return array
        return np.asarray(self.quantisers[key].function(array), dtype=np.float32)

    def _masked(self, key: Key, array: Array) -> Array:
        part, owner = key
        if part is Part.WEIGHT and owner in self.masks:
            return np.where(self.masks[owner], array, np.float32(0))
        if part is Part.CODEBOOK and self.clustered is not None and self.clustered.has_pruned(owner):
            array = array.copy()
            array[PRUNED] = 0
        return array

    def _without_dead(self, key: Key, gradient: Array) -> Array:
        """Stop the bias of a filter that has no weight left: a removed channel stays removed."""
        part, owner = key
        if part is not Part.BIAS or owner not in self.masks:
            return gradient
        return np.where(self.masks[owner].reshape(len(gradient), -1).any(axis=1), gradient, np.float32(0))

    def _gathered(self, codebook: Array, name: str, found: Mapping[Key, Array]) -> Array:
        gathered = np.zeros_like(codebook)
        for layer, clusters in self.clustered.layers.items() if self.clustered else ():
            if clusters.codebook == name:
                np.add.at(gathered, clusters.pointers, found[Part.WEIGHT, layer])
        return gathered


def rounded_weights(network: FloatNetwork, fmt: NumberFormat, clustered: ClusteredNetwork | None = None) -> Quantisers:
    """Round every codebook and every weight that is in none to a format; biases stay as they are."""
    rounding = rounded_to(fmt)
    keys = Projection(clustered=clustered).parameters(network)
    return {key: rounding for key in keys if key[0] is not Part.BIAS}


def rounded_to(fmt: NumberFormat) -> StraightThrough:
    """Round an array to a format; its scale follows the values as they are trained.

    Notes
    -----
    Fixed point has no scale, binary and ternary values one per entry of the first axis, the others the least one
    for the whole array that holds its largest magnitude.
    """
    method = CalibrationMethod.NONE if fmt.kind is NumberKind.FIXED_POINT else CalibrationMethod.MAX

    def round_values(values: Array) -> Array:
        exact = values.astype(np.float64)
        if isinstance(fmt, SignLevels):
            codes, scales = fmt.encode_rows(exact)
            rounded = fmt.decode(codes) * scales.reshape(-1, *(1,) * (exact.ndim - 1))
        else:
            exponent = best_exponent(exact, fmt, method)
            rounded = np.ldexp(fmt.decode(fmt.encode(exact, exponent)), exponent)
        return rounded.astype(np.float32)

    return StraightThrough(function=round_values)
