"""Each layer before and after, for the report. Called by `conversion.py`."""

import numpy as np

from archsim.convert.pipeline import Conversion
from archsim.convert.stored_size import layer_bits
from archsim.numerics.accumulator_grammar import accumulator_name
from archsim.study.conversion import LayerRecord
from archsim.workload.coded_network import CodedOutput, CodedProduct
from archsim.workload.psum_format import needed_width


def layer_records(conversion: Conversion) -> tuple[LayerRecord, ...]:
    """Return a record per product layer, in running order."""
    outputs = conversion.coded.outputs
    return tuple(_record(conversion, layer, outputs[layer.sources[0]]) for layer in conversion.coded.products)


def _record(conversion: Conversion, layer: CodedProduct, ifmap: CodedOutput) -> LayerRecord:
    before = next(node.weight for node in conversion.original.weighted if node.name == layer.name)
    values = layer.weight.values
    assert ifmap.format is not None, "only the last layer leaves sums"
    return LayerRecord(
        name=layer.name,
        weights=values.size,
        ifmap_format=ifmap.format.name,
        weight_format=layer.weight.format.name,
        ofmap_format=layer.output.format.name if layer.output.format else "sums",
        accumulator=accumulator_name(layer.accumulator),
        accumulator_bits=needed_width(layer, ifmap.format, ifmap.exponent),
        weight_bits=layer_bits(layer),
        zero_weights=float(np.mean(values == 0)),
        zero_ifmaps=ifmap_zeros(conversion, layer),
        values_before=before.ravel(),
        values_after=values.ravel(),
    )


def ifmap_zeros(conversion: Conversion, layer: CodedProduct) -> float:
    """Share of zeros in what a layer reads, over the calibration images, as floats, 0..1."""
    source = next(node.sources[0] for node in conversion.original.weighted if node.name == layer.name)
    return conversion.calibrated.measured.ranges[source].zero_fraction
