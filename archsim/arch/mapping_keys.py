"""The keys of ``mapping`` in an arch file: what layers are searched for, and which are mapped by hand.

Part of `schema.py`; `with_mapping` reads the same keys from a file of their own.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from archsim.arch.architecture import Architecture
from archsim.arch.keys import Keys
from archsim.arch.row_mapping import FixedMapping, MappingChoice, RowMapping
from archsim.arch.value_types import MAX_SIDE, Line
from archsim.config_file import read_yaml, validate
from archsim.errors import ConfigError
from archsim.terms import Dataflow, MapObjective

LetterSize = Annotated[int, Field(strict=True, ge=1, le=MAX_SIDE)]


class FixedMappingKeys(Keys):
    """One layer's mapping: the fields of `RowMapping`, and what it is for."""

    stand_ins: ClassVar[Mapping[str, Any]] = {"layer": "layer", **dict.fromkeys("mnepqrt", 1)}

    workload: Line = "*"
    layer: Line
    m: LetterSize
    n: LetterSize
    e: LetterSize
    p: LetterSize
    q: LetterSize
    r: LetterSize
    t: LetterSize
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


SEARCH = "search"
"""What `--mapping` takes beside a file: no layer is mapped by hand."""


def with_mapping(arch: Architecture, text: str) -> Architecture:
    """Return the arch with other mappings in place of its own.

    Parameters
    ----------
    arch
        Row stationary.
    text
        ``search``, or the path of a .yaml with the keys of an arch's ``mapping``.

    Raises
    ------
    ConfigError
        The arch has no such mappings, or faults in the file.
    """
    if arch.pe_array.dataflow is not Dataflow.ROW_STATIONARY:
        raise ConfigError(f"--mapping is for row_stationary arrays; {arch.name!r} is {arch.pe_array.dataflow}")
    if text == SEARCH:
        return replace(
            arch, mapping=replace(arch.mapping, fixed=()), assumptions=(*arch.assumptions, "--mapping search")
        )
    written = read_yaml(Path(text), ConfigError)
    at = ("mapping",) if set(written.data) == {"mapping"} else ()
    read = validate(written, MappingKeys, ConfigError, at)
    objective = read.objective if "objective" in read.model_fields_set else arch.mapping.objective
    choice = replace(read.build(), objective=objective)
    return replace(arch, mapping=choice, assumptions=(*arch.assumptions, f"--mapping {text}"))
