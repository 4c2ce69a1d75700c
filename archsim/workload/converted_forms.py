"""The keys that a converted workload adds to a layer and to the top of a workload YAML.

`layer_forms.py` hangs them on its forms; `coded_read.py` makes a `CodedNetwork` of what they say and of the arrays
beside the file.
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from archsim.numerics.accumulator import Accumulator
from archsim.numerics.accumulator_grammar import parse_accumulator
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat
from archsim.numerics.operand_formats import OperandFormats
from archsim.workload.layer_formats import WeightClusters

MAX_EXPONENT = 4096
"""Largest magnitude of one exponent: beyond it lies a slip of the keyboard."""
MAX_ENTRIES = 1 << 24
"""Kernels of one codebook."""


def _known_format(name: str) -> str:
    return _known(name, parse_format)


def _known_accumulator(name: str) -> str:
    return _known(name, parse_accumulator)


def _known(name: str, parse: Callable[[str], object]) -> str:
    try:
        parse(name)
    except ValueError as problem:
        first, *others = str(problem).splitlines()
        raise ValueError(f"{first} {others[-1].strip(' ^')}" if others else first) from problem
    return name


Name = Annotated[str, Field(min_length=1)]
FormatName = Annotated[str, AfterValidator(_known_format)]
AccumulatorName = Annotated[str, AfterValidator(_known_accumulator)]
Exponent = Annotated[int, Field(strict=True, ge=-MAX_EXPONENT, le=MAX_EXPONENT)]
Entries = Annotated[int, Field(strict=True, ge=1, le=MAX_ENTRIES)]
Shape = Annotated[
    tuple[Annotated[int, Field(strict=True, ge=1, le=MAX_ENTRIES)], ...], Field(min_length=1, max_length=3)
]
Images = Annotated[int, Field(strict=True, ge=1, le=1 << 20)]
Flag = Annotated[bool, Field(strict=True)]
Checksum = Annotated[str, StringConstraints(pattern=r"^crc32:[0-9a-f]{8}$")]


class Keys(BaseModel):
    """A mapping that knows all of its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FormatsForm(Keys):
    """Keys of ``formats`` of a product: the words of each operand."""

    ifmap: FormatName
    weight: FormatName
    psum: FormatName
    ofmap: FormatName

    def build(self) -> OperandFormats:
        """Return the formats."""
        return OperandFormats(
            ifmap=parse_format(self.ifmap), weight=parse_format(self.weight),
            psum=parse_format(self.psum), ofmap=parse_format(self.ofmap),
        )  # fmt: skip


class VectorFormatsForm(Keys):
    """Keys of ``formats`` of a layer without weights."""

    ifmap: FormatName
    ofmap: FormatName

    def build(self) -> OperandFormats:
        """Return the formats; parameters, where there are some, are written as the ifmap, psums as the ofmap."""
        ifmap, ofmap = parse_format(self.ifmap), parse_format(self.ofmap)
        return OperandFormats(ifmap=ifmap, weight=ifmap, psum=ofmap, ofmap=ofmap)


class ClustersForm(Keys):
    """Keys of ``clusters``: the codebook that the kernels of a layer point into."""

    codebook: Name
    entries: Entries

    def build(self, kernel_words: int) -> WeightClusters:
        """Return the clusters of kernels of so many weights."""
        return WeightClusters(codebook=self.codebook, entries=self.entries, kernel_words=kernel_words)


class AddArithmeticForm(Keys):
    """Keys of ``arithmetic`` of a residual addition."""

    ofmap_exponent: Exponent
    relu: Flag = False


class PoolArithmeticForm(AddArithmeticForm):
    """Keys of ``arithmetic`` of a pool; ``counts_padding`` is of averages."""

    ifmap_exponent: Exponent
    counts_padding: Flag = False


class ProductArithmeticForm(AddArithmeticForm):
    """Keys of ``arithmetic`` of a product: how products add up and how the sums are written.

    ``raw_sums``: they are not, they leave as they are.
    """

    accumulator: AccumulatorName
    ifmap_exponent: Exponent
    accumulator_exponent: Exponent = 0
    raw_sums: Flag = False

    @property
    def sums(self) -> Accumulator:
        """The accumulator."""
        return parse_accumulator(self.accumulator)


class IfmapForm(Keys):
    """Keys of ``ifmap``: shape of one input, and how it is written. With this key a workload is a converted one."""

    shape: Shape
    format: FormatName
    exponent: Exponent

    @property
    def number_format(self) -> NumberFormat:
        """The format."""
        return parse_format(self.format)


class GoldenForm(Keys):
    """Keys of ``golden``: checksums of the codes that each layer makes of the ``golden.ifmap`` array."""

    images: Images
    checksums: dict[Name, Checksum]
