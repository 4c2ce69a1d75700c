"""Float network + formats + scales -> CodedNetwork: every weight and bias a code, every ofmap a scale.

Pass 7 of the conversion (`pipeline.py`). Which tensor has which format is decided in `format_plan.py`, its scale in
`calibrate.py`, the codes of weights in `weight_codes.py`, biases and accumulators in `sums.py`.
"""

from collections.abc import Mapping

from archsim.convert.float_network import (
    FloatAdd,
    FloatArray,
    FloatConv,
    FloatDense,
    FloatFlatten,
    FloatPool,
    FloatRelu,
)  # fmt: skip
from archsim.convert.format_plan import FormatPlan
from archsim.convert.measured import Calibrated, Measured
from archsim.convert.recipe import Recipe
from archsim.convert.stages import Stage
from archsim.convert.sums import ProductScale, plan_sums
from archsim.convert.weight_codes import code_weights
from archsim.errors import SimulationError, WorkloadError
from archsim.numerics.window import Window
from archsim.workload.coded_network import (
    ClusterCode,
    CodedAdd,
    CodedFlatten,
    CodedLayer,
    CodedNetwork,
    CodedOutput,
    CodedPool,
    CodedProduct,
    CodedRelu,
)  # fmt: skip


def quantise(calibrated: Calibrated, plan: FormatPlan) -> CodedNetwork:
    """Write every weight and bias as a code and fix the scale of every ofmap.

    Raises
    ------
    WorkloadError
        An accumulator that the recipe wants exact is too narrow: the width needed is named, for every such layer.
    """
    ifmap = CodedOutput(format=plan.ifmap, exponent=calibrated.exponents["", plan.ifmap])
    outputs: dict[str, CodedOutput] = {"": ifmap}
    layers: list[CodedLayer] = []
    faults: list[str] = []
    for stage in calibrated.measured.stages:
        outputs[stage.name] = _output(calibrated, plan, stage, outputs)
        try:
            layers.append(_layer(calibrated, plan, stage, outputs))
        except WorkloadError as problem:
            faults.append(str(problem))
    if faults:
        raise WorkloadError("\n".join(faults))
    network = calibrated.measured.network
    return CodedNetwork(name=network.name, ifmap_shape=network.ifmap_shape, ifmap=ifmap, layers=tuple(layers))


def coded_in(measured: Measured, recipe: Recipe) -> CodedNetwork:
    """Write a measured network in the formats of a recipe; raises as `quantise`."""
    return quantise(*measured.plan(recipe))


def _output(calibrated: Calibrated, plan: FormatPlan, stage: Stage, outputs: Mapping[str, CodedOutput]) -> CodedOutput:
    """Return how a stage writes its ofmap; what moves codes only writes them as it reads them."""
    if not stage.makes_codes:
        before = outputs[stage.sources[0]]
        return CodedOutput(format=before.format, exponent=before.exponent)
    fmt = plan.ofmaps[stage.name]
    exponent = 0 if fmt is None else calibrated.exponents[stage.measured, fmt]
    return CodedOutput(format=fmt, exponent=exponent, relu=stage.relu)


def _layer(calibrated: Calibrated, plan: FormatPlan, stage: Stage, outputs: Mapping[str, CodedOutput]) -> CodedLayer:
    """Return a stage as a layer of codes; ``outputs`` says how the tensors so far, its own included, are written."""
    node, name, sources, output = stage.node, stage.name, stage.sources, outputs[stage.name]
    if isinstance(node, FloatConv | FloatDense):
        return _product(calibrated, plan, stage, outputs)
    if isinstance(node, FloatPool):
        return CodedPool(name=name, sources=sources, kind=node.kind, kernel=node.kernel, stride=node.stride,
                         padding=node.padding, output=output, counts_padding=node.counts_padding)  # fmt: skip
    if isinstance(node, FloatAdd):
        return CodedAdd(name=name, sources=sources, output=output)
    if isinstance(node, FloatFlatten):
        return CodedFlatten(name=name, sources=sources)
    if isinstance(node, FloatRelu):
        return CodedRelu(name=name, sources=sources)
    raise SimulationError(f"node {name!r} ({type(node).__name__}) makes no layer")


def _product(
    calibrated: Calibrated, plan: FormatPlan, stage: Stage, outputs: Mapping[str, CodedOutput]
) -> CodedProduct:
    node, recipe, ifmap, output = stage.node, calibrated.recipe, outputs[stage.sources[0]], outputs[stage.name]
    assert isinstance(node, FloatConv | FloatDense), "only products have weights"
    assert ifmap.format is not None, "only the logits are sums, and nobody reads them"
    clusters, codebook = _codebook(calibrated, node.name)
    weight = code_weights(node, plan.weights[stage.name], recipe, codebook)
    scale = ProductScale(ifmap=ifmap, weight=weight, largest_sum=calibrated.measured.ranges[node.name].largest)
    sums = plan_sums(node, scale, recipe)
    if output.format is None:
        output = CodedOutput(format=None, exponent=sums.exponent, relu=stage.relu)
    return CodedProduct(
        name=stage.name,
        sources=stage.sources,
        window=_window(node),
        weight=weight,
        bias=sums.bias,
        bias_exponents=sums.bias_exponents,
        bias_values=sums.bias_values,
        accumulator=sums.accumulator,
        accumulator_exponent=sums.exponent,
        output=output,
        clusters=clusters,
    )


def _codebook(calibrated: Calibrated, layer: str) -> tuple[ClusterCode | None, FloatArray | None]:
    """Return where a layer's kernels point and what they point to, if they do."""
    clustering = calibrated.measured.clustering
    if clustering is None or layer not in clustering.layers:
        return None, None
    found = clustering.layers[layer]
    codebook = clustering.codebooks[found.codebook]
    return ClusterCode(codebook=found.codebook, pointers=found.pointers, entries=len(codebook)), codebook


def _window(node: FloatConv | FloatDense) -> Window | None:
    if isinstance(node, FloatDense):
        return None
    return Window(stride=node.stride, padding=node.padding, dilation=node.dilation, groups=node.groups)
