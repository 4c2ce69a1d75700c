"""Which operators the PE array runs, and who makes their layers: one dict.

Read by `onnx_reader.py`.
"""

from collections.abc import Callable

from archsim.convert.conv_layers import make_conv, make_quantised_conv, make_transposed_conv
from archsim.convert.layer_facts import LayerFacts
from archsim.convert.matmul_layers import make_gemm, make_matmul, make_quantised_matmul
from archsim.workload.layer import Layer

ARRAY_OPS: dict[str, Callable[[LayerFacts], tuple[Layer, ...]]] = {
    "Conv": make_conv,
    "ConvInteger": make_conv,
    "QLinearConv": make_quantised_conv,
    "ConvTranspose": make_transposed_conv,
    "Gemm": make_gemm,
    "MatMul": make_matmul,
    "MatMulInteger": make_matmul,
    "QLinearMatMul": make_quantised_matmul,
}
"""Operator of the ONNX standard -> the function that makes its layers."""
