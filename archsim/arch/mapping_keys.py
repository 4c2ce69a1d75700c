"""The keys of ``mapping`` in an arch file: what layers are searched for, and which are mapped by hand.

Part of `schema.py`; `read_mappings` reads the same list from a file of its own.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from archsim.arch.keys import Keys
from archsim.arch.row_mapping import FixedMapping, MappingChoice, RowMapping
from archsim.arch.value_types import MAX_SIDE, Line
from archsim.terms import MapObjective

Part = Annotated[int, Field(strict=True, ge=1, le=MAX_SIDE)]


class FixedMappingKeys(Keys):
    """One layer's mapping: the fields of `RowMapping`, and what it is for."""

    stand_ins: ClassVar[Mapping[str, Any]] = {"layer": "layer", **dict.fromkeys("mnepqrt", 1)}

    workload: Line = "*"
    layer: Line
    m: Part
    n: Part
    e: Part
    p: Part
    q: Part
    r: Part
    t: Part
    source: Line = "given by the user"

    def build(self) -> FixedMapping:
        """Return the mapping."""
        letters = RowMapping(m=self.m, n=self.n, e=self.e, p=self.p, q=self.q, r=self.r, t=self.t)
        return FixedMapping(workload=self.workload, layer=self.layer, mapping=letters, source=self.source)


class MappingKeys(Keys):
    """``mapping``: the objective of the search, and layers that are not searched."""

    objective: MapObjective = MapObjective.TIME
    layers: list[FixedMappingKeys] = Field(default_factory=list)

    def build(self) -> MappingChoice:
        """Return the choice."""
        return MappingChoice(objective=self.objective, fixed=tuple(each.build() for each in self.layers))
