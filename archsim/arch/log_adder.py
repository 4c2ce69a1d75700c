"""An adder of logarithms in a PE; part of `pe_array.py`."""

from dataclasses import dataclass

from archsim.numerics.accumulator import LogAdderKind, LogSum


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAdder:
    """What adds two logarithms in a PE, where psums do not leave the log domain.

    Parameters
    ----------
    kind
        A table of the Gaussian logarithms, or an approximation without one.
    fraction_bits
        Of the running logarithm. [b]
    entries
        Of each of the two tables (sum and difference), a divisor of the differences within reach; None = one for
        every difference.
    reach_octaves
        Differences beyond it add nothing; None = ``fraction_bits`` + 2. Beside ``entries`` it moves no
        cost, only values. [octaves]
    latency_cycles
        From two logarithms to the one of their sum. [cycles]
    """

    kind: LogAdderKind
    fraction_bits: int
    entries: int | None = None
    reach_octaves: int | None = None
    latency_cycles: int = 1

    @property
    def log_sum(self) -> LogSum:
        """The same adder as `numerics/` knows it. Raises ValueError where the settings contradict each other."""
        reach = self.reach_octaves or (self.fraction_bits + 2 if self.entries else 0)
        return LogSum(fraction_bits=self.fraction_bits, kind=self.kind, entries=self.entries or 0, reach_octaves=reach)
