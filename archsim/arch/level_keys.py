"""``levels`` of an arch file: SRAM levels from the array outwards, one DRAM level last.

Called by `schema.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, StrictBool, ValidatorFunctionWrapHandler, WrapValidator

from archsim.arch.dram_keys import DramKeys
from archsim.arch.keys import Conflict, Keys, attempt, settle
from archsim.arch.memory_level import SramCell, SramLevel, SramPorts
from archsim.arch.operand_keys import HeldOperand
from archsim.arch.value_types import MAX_SIDE, Bytes, Count, FreeName, PackingBits, PositiveBytes
from archsim.terms import Operand


def _known_ports(ports: Any) -> int | str:
    if isinstance(ports, str) and SramPorts.named(ports):
        return ports
    if isinstance(ports, bool) or not isinstance(ports, int) or not 1 <= ports <= MAX_SIDE:
        raise ValueError(f"must be a number from 1 to {MAX_SIDE}, or a name like '2rw' or '1r1w'")
    return ports


Ports = Annotated[int | str, PlainValidator(_known_ports)]


class SramKeys(Keys):
    """A level of kind ``sram``; the keys are the fields of `SramLevel`, number and kind of ports in one."""

    stand_ins: ClassVar[Mapping[str, Any]] = {"name": "level", "kind": "sram", "holds": ["ifmap"]}

    name: FreeName
    kind: Literal["sram"]
    holds: Annotated[list[HeldOperand], Field(min_length=1)]
    capacity_bytes: PositiveBytes | None = None
    partition_bytes: dict[HeldOperand, PositiveBytes] | None = None
    banks: Count = 1
    ports: Ports = 1
    width_bytes: Count | None = None
    interleave_bytes: Count | None = None
    cell: SramCell = SramCell.LSTP
    double_buffered: StrictBool = True
    keep_bytes: Bytes = 0
    packing_bits: PackingBits | None = None
    keeps_weights: StrictBool = False

    def conflicts(self) -> Iterable[Conflict]:
        """Return what is wrong between capacity, partitions, ports and what is kept."""
        yield from self._capacity_conflicts()
        yield from self._partition_conflicts()
        yield from self._idle_keys()
        if self.capacity_bytes is not None and self.keep_bytes >= self.capacity_bytes:
            rule = f"must be less than capacity_bytes (={self.capacity_bytes}): the layer that runs needs room too"
            yield self._conflict("keep_bytes", rule, {"capacity_bytes"})

    def build(self) -> SramLevel:
        """Return the level."""
        parts = self.partition_bytes
        return SramLevel(
            name=self.name,
            capacity_bytes=sum(parts.values()) if parts is not None else self.capacity_bytes or 0,
            holds=frozenset(self.holds),
            partition_bytes=None if parts is None else tuple(parts.items()),
            banks=self.banks,
            ports=self._ports().count,
            port_kind=self._ports().kind,
            width_bytes=self.width_bytes,
            interleave_bytes=self.interleave_bytes,
            cell=self.cell,
            double_buffered=self.double_buffered,
            keep_bytes=self.keep_bytes,
            packing_bits=self.packing_bits,
            keeps_weights=self.keeps_weights,
        )

    def _ports(self) -> SramPorts:
        return SramPorts(count=self.ports) if isinstance(self.ports, int) else SramPorts.named(self.ports)

    def _capacity_conflicts(self) -> Iterable[Conflict]:
        both = {"capacity_bytes", "partition_bytes"}
        if self.capacity_bytes is None and self.partition_bytes is None:
            rule = "needs capacity_bytes, or partition_bytes with the bytes of each operand"
            yield Conflict(at=(), message=rule, found=self.name, concerns=frozenset(both))
        elif self.capacity_bytes is not None and self.partition_bytes is not None:
            rule = "leave this key out: the capacity is the sum of partition_bytes"
            yield self._conflict("capacity_bytes", rule, both)

    def _partition_conflicts(self) -> Iterable[Conflict]:
        doubles = sorted({operand for operand in self.holds if self.holds.count(operand) > 1})
        if doubles:
            yield self._conflict("holds", f"names {', '.join(doubles)} twice", {"holds"})
        if self.partition_bytes is not None and {Operand.PSUM, Operand.OFMAP} <= set(self.holds):
            yield self._conflict(
                "holds", "leave ofmap out: in a partitioned level it shares the psums' partition", set()
            )
        if self.partition_bytes is not None and set(self.partition_bytes) != set(self.holds):
            rule = f"must give the bytes of exactly what the level holds: {', '.join(sorted(set(self.holds)))}"
            yield self._conflict("partition_bytes", rule, {"holds"})

    def _idle_keys(self) -> Iterable[Conflict]:
        if self.ports != 1 and self.width_bytes is None:
            yield self._conflict("ports", "needs width_bytes: without a width the level never limits", {"width_bytes"})
        yield from self._idle_interleaving()
        if self.keeps_weights and Operand.WEIGHT not in self.holds:
            rule = "keeps the weights of all layers on the chip: the level must hold weight"
            yield self._conflict("keeps_weights", rule, {"holds"})
        if self.keep_bytes and self.partition_bytes is not None:
            rule = "needs capacity_bytes: a partitioned level has no room outside its partitions"
            yield self._conflict("keep_bytes", rule, {"partition_bytes"})
        if self.keep_bytes and not (Operand.IFMAP in self.holds and {Operand.OFMAP, Operand.PSUM} & set(self.holds)):
            rule = "keeps one layer's ofmap as a later layer's ifmap: the level must hold ifmap, and ofmap or psum"
            yield self._conflict("keep_bytes", rule, {"holds"})

    def _idle_interleaving(self) -> Iterable[Conflict]:
        step, width = self.interleave_bytes, self.width_bytes
        if step is None:
            return
        if width is None or self.banks == 1:
            rule = "needs width_bytes and more than one bank: what never limits or has one place has no order of banks"
            yield self._conflict("interleave_bytes", rule, {"width_bytes", "banks"})
        elif step % width:
            rule = f"must be a multiple of width_bytes (={width}): one access stays in one bank"
            yield self._conflict("interleave_bytes", rule, {"width_bytes"})

    def _conflict(self, key: str, message: str, concerns: set[str]) -> Conflict:
        return Conflict(at=(key,), message=message, found=getattr(self, key), concerns=frozenset({key, *concerns}))


def _check_levels(data: Any, handler: ValidatorFunctionWrapHandler) -> list[SramKeys | DramKeys]:
    levels, faults = attempt(handler, data)
    return settle(levels, faults, _conflicts_between(data) if isinstance(data, list) else ())


def _conflicts_between(levels: list[Any]) -> Iterable[Conflict]:
    readable = {index: level for index, level in enumerate(levels) if isinstance(level, dict)}
    yield from _name_conflicts(readable)
    yield from _holder_conflicts(readable)
    if len(readable) == len(levels) and all(level.get("kind") in ("sram", "dram") for level in levels):
        yield from _dram_conflicts(levels)


def _name_conflicts(levels: Mapping[int, dict[str, Any]]) -> Iterable[Conflict]:
    first: dict[str, int] = {}
    for index, level in levels.items():
        name = level.get("name")
        if isinstance(name, str) and first.setdefault(name, index) != index:
            yield Conflict(at=(index, "name"), message="two levels have this name", found=name)


def _holder_conflicts(levels: Mapping[int, dict[str, Any]]) -> Iterable[Conflict]:
    holder: dict[str, int] = {}
    for index, level in levels.items():
        held = level.get("holds")
        for operand in held if isinstance(held, list) else ():
            first = holder.setdefault(str(operand), index)
            if first != index:
                names = f"{levels[first].get('name')!r} and {level.get('name')!r}"
                rule = f"levels {names} both hold {operand}; an operand lives in at most one SRAM level"
                yield Conflict(at=(index, "holds"), message=rule, found=held)


def _dram_conflicts(levels: list[dict[str, Any]]) -> Iterable[Conflict]:
    places = [index for index, level in enumerate(levels) if level["kind"] == "dram"]
    if not places:
        names = [level.get("name") for level in levels]
        yield Conflict(at=(), message="needs one level of kind dram, as the last", found=names)
    for place in places[1:]:
        yield Conflict(at=(place, "kind"), message="a second DRAM level; one is modelled", found="dram")
    if places and places[-1] != len(levels) - 1:
        yield Conflict(
            at=(places[-1],), message="the DRAM level must be the last", found=levels[places[-1]].get("name")
        )


LevelList = Annotated[
    list[Annotated[SramKeys | DramKeys, Field(discriminator="kind")]],
    WrapValidator(_check_levels),
]
