"""The timings of a DRAM device in YAML, and the `DramTiming` they describe; called by `dram_device_keys.py`.

The rules between them are those that no DRAM can break: a set that breaks one is a slip of the keyboard.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from archsim.arch.dram_device import DramTiming
from archsim.arch.keys import Conflict, Keys
from archsim.arch.value_types import Cycles, PositiveCycles

PAIRS = ("tCCD", "tWTR", "tRRD")
"""Timings that differ between banks of one group (``_L``) and of two (``_S``)."""


class TimingKeys(Keys):
    """``timing_nck``: clocks, by their JEDEC names; ``tRCDRD`` and ``tRCDWR`` stand in for ``tRCD``."""

    stand_ins: ClassVar[Mapping[str, Any]] = {
        **dict.fromkeys(("CL", "CWL", "tRP", "tRAS", "tRTP", "tWR", "tCCD_S", "tCCD_L", "tWTR_S", "tWTR_L"), 1),
        **dict.fromkeys(("tRRD_S", "tRRD_L", "tFAW", "tRFC"), 1),
        "tREFI": 2,
    }

    CL: PositiveCycles
    CWL: PositiveCycles
    tRCD: PositiveCycles | None = None  # noqa: N815 - JEDEC's names, as data sheets print them
    tRCDRD: PositiveCycles | None = None  # noqa: N815
    tRCDWR: PositiveCycles | None = None  # noqa: N815
    tRP: PositiveCycles  # noqa: N815
    tRAS: PositiveCycles  # noqa: N815
    tRC: PositiveCycles | None = None  # noqa: N815
    tRTP: PositiveCycles  # noqa: N815
    tWR: PositiveCycles  # noqa: N815
    tCCD_S: PositiveCycles  # noqa: N815
    tCCD_L: PositiveCycles  # noqa: N815
    tWTR_S: PositiveCycles  # noqa: N815
    tWTR_L: PositiveCycles  # noqa: N815
    tRRD_S: PositiveCycles  # noqa: N815
    tRRD_L: PositiveCycles  # noqa: N815
    tFAW: PositiveCycles  # noqa: N815
    tRTRS: Cycles = 2  # noqa: N815
    tPPD: Cycles = 0  # noqa: N815
    tRFC: PositiveCycles  # noqa: N815
    tREFI: PositiveCycles  # noqa: N815

    def conflicts(self) -> Iterable[Conflict]:
        """Return the timings that no DRAM can have together."""
        yield from self._row_conflicts()
        yield from self._activate_to_column_conflicts()
        for pair in PAIRS:
            yield from self._at_least(f"{pair}_L", f"{pair}_S", "banks of one group are the slower pair")
        yield from self._at_least("tFAW", "tRRD_S", "the window of four activates holds at least one gap between two")
        if self.tREFI <= self.tRFC:
            rule = f"must be more than tRFC (={self.tRFC}): the device would do nothing but refresh"
            yield self._conflict("tREFI", rule, {"tRFC"})

    def build(self) -> DramTiming:
        """Return the timing."""
        read, write = self._trcd()
        return DramTiming(
            cl=self.CL, cwl=self.CWL, trcd_rd=read, trcd_wr=write, trp=self.tRP, tras=self.tRAS, trtp=self.tRTP,
            twr=self.tWR, tccd_s=self.tCCD_S, tccd_l=self.tCCD_L, twtr_s=self.tWTR_S, twtr_l=self.tWTR_L,
            trrd_s=self.tRRD_S, trrd_l=self.tRRD_L, tfaw=self.tFAW, trtrs=self.tRTRS, trfc=self.tRFC,
            trefi=self.tREFI, tppd=self.tPPD,
        )  # fmt: skip

    def _trcd(self) -> tuple[int, int]:
        both = self.tRCD or 1
        return (self.tRCDRD or both, self.tRCDWR or both)

    def _row_conflicts(self) -> Iterable[Conflict]:
        if self.tRC is not None and self.tRC != self.tRAS + self.tRP:
            rule = f"must be tRAS + tRP = {self.tRAS} + {self.tRP} = {self.tRAS + self.tRP}, or be left out"
            yield self._conflict("tRC", rule, {"tRAS", "tRP"})
        longest = max(self._trcd())
        if self.tRAS < longest:
            rule = f"must be at least tRCD (={longest}): the row would close before its first read"
            yield self._conflict("tRAS", rule, {"tRCD", "tRCDRD", "tRCDWR"})

    def _activate_to_column_conflicts(self) -> Iterable[Conflict]:
        apart = (self.tRCDRD, self.tRCDWR)
        names = {"tRCD", "tRCDRD", "tRCDWR"}
        if self.tRCD is None and None in apart:
            yield Conflict(at=(), message="needs tRCD, or tRCDRD and tRCDWR", found=apart, concerns=frozenset(names))
        if self.tRCD is not None and apart != (None, None):
            yield self._conflict("tRCD", "leave it out, or leave out tRCDRD and tRCDWR", names)

    def _at_least(self, key: str, other: str, why: str) -> Iterable[Conflict]:
        if getattr(self, key) < getattr(self, other):
            yield self._conflict(key, f"must be at least {other} (={getattr(self, other)}): {why}", {other})

    def _conflict(self, key: str, message: str, concerns: set[str]) -> Conflict:
        return Conflict(at=(key,), message=message, found=getattr(self, key), concerns=frozenset({key, *concerns}))
