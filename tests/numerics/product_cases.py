"""Layers of odd shapes for the tests of products."""

from hypothesis import strategies as st

from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.number_format import NumberKind
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.numerics.window import Window


@st.composite
def layers(draw):
    """Shapes of ifmap and weight, and a window; also kernels larger than the image, stride 4, depthwise, holes."""
    groups, per_group = draw(st.sampled_from([(1, 1), (1, 3), (2, 2), (4, 1)]))
    filters = groups * draw(st.integers(1, 6))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    stride = (draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([1, 2, 4])))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
    sides = tuple(
        max(draw(st.integers(1, 6)), dilation[axis] * (kernel[axis] - 1) + 1 - sum(padding[axis])) for axis in range(2)
    )
    window = Window(stride=stride, padding=padding, dilation=dilation, groups=groups)
    images = draw(st.sampled_from([1, 2, 7]))
    return (images, groups * per_group, *sides), (filters, per_group, *kernel), window


def fixed(width, integer, rounding="RND", overflow="SAT", *, signed=True):
    return FixedPoint(
        name="of a test", kind=NumberKind.FIXED_POINT, width_bits=width, integer_bits=integer, signed=signed,
        rounding=RoundingMode(rounding), overflow=OverflowMode(overflow),
    )  # fmt: skip
