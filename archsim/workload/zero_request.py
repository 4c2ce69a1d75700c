"""`--zeros`: a text that says how the zeros of a whole network are drawn, and how many where nobody knows.

runs:8                     zeros of ifmaps in runs of 8 on average
0.44,channels:0.3          44 % zeros in ifmaps that say nothing, more of them in some channels
weight=0.6                 60 % zeros in weights that say nothing
runs:8,images:0.05         as the first, fractions of images with a standard deviation of 0.05
"""

from collections.abc import Iterable
from dataclasses import dataclass

from archsim.errors import ConfigError, WorkloadError
from archsim.terms import Operand
from archsim.workload.zero_pattern import ZeroKind, ZeroPattern

GRAMMAR = (
    "[ifmap=|weight=]PARTS; parts, with commas: a share of zeros 0..1, iid, runs:LENGTH, channels:SPREAD, images:STD"
)
OPERANDS = (Operand.IFMAP, Operand.WEIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroRequest:
    """What one text asks for.

    Parameters
    ----------
    operand
        IFMAP or WEIGHT, of every layer.
    share
        Of zeros where none is known; None = none there.
    pattern
        How zeros fall; None = as the workload says.
    """

    operand: Operand
    share: float | None
    pattern: ZeroPattern | None

    @property
    def in_words(self) -> str:
        """For a report."""
        share = "" if self.share is None else f"a share of {self.share:g} where none is known"
        how = "" if self.pattern is None else f"drawn {self.pattern.in_words}"
        if self.pattern not in (None, ZeroPattern()):
            how += ", as far as a layer's share lets them"
        return f"zeros of {self.operand}s: {', '.join(filter(None, (share, how)))} (--zeros)"


def parse_zeros(texts: Iterable[str]) -> tuple[ZeroRequest, ...]:
    """Read the texts of `--zeros`, at most one per operand.

    Raises
    ------
    ConfigError
        A text means nothing, its numbers are out of range, or two are of one operand.
    """
    found: dict[Operand, ZeroRequest] = {}
    for text in texts:
        try:
            request = _parse(text)
        except (ValueError, WorkloadError) as problem:
            raise ConfigError(f"--zeros {text!r}: {problem}. Give {GRAMMAR}") from None
        if request.operand in found:
            raise ConfigError(f"--zeros {text!r}: zeros of {request.operand}s are asked for twice")
        found[request.operand] = request
    return tuple(found.values())


def _parse(text: str) -> ZeroRequest:
    head, mark, rest = text.partition("=")
    if mark and head not in OPERANDS:
        raise ValueError(f"{head!r} is neither ifmap nor weight")
    share: float | None = None
    keys: dict[str, float] = {}
    kinds: list[ZeroKind] = []
    for part in (rest if mark else text).split(","):
        name, colon, number = part.strip().partition(":")
        if name in list(ZeroKind) and bool(colon) is (name != ZeroKind.IID):
            kinds.append(ZeroKind(name))
        elif not (name == "images" and colon) and share is None and not colon:
            share = _share(name)
            continue
        elif name != "images" or "images_std" in keys:
            raise ValueError(f"{part!r} is no part, or one too many")
        if colon:
            keys[{"runs": "mean_run", "channels": "spread", "images": "images_std"}[name]] = _number(number)
    if len(kinds) > 1:
        raise ValueError("zeros fall in one way only")
    pattern = ZeroPattern(kind=kinds[0] if kinds else ZeroKind.IID, **keys) if kinds or keys else None
    operand = Operand(head) if mark else Operand.IFMAP
    if pattern is not None and operand is Operand.WEIGHT and pattern.images_std:
        raise ValueError("weights are the same for every image")
    return ZeroRequest(operand=operand, share=share, pattern=pattern)


def _share(text: str) -> float:
    share = _number(text)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share of zeros (={text}) must lie in 0..1")
    return share


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
