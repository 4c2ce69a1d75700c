"""The log of a conversion: what each pass had to keep, what was measured, and what it cost. Used by `pipeline.py`."""

from dataclasses import dataclass, field
from time import perf_counter

from archsim.convert.evaluate import coded_accuracy, float_accuracy
from archsim.convert.float_network import FloatNetwork
from archsim.convert.image_files import ImageSet
from archsim.convert.stored_size import coded_bits, float_bits
from archsim.errors import SimulationError
from archsim.study.conversion import Accuracy, PassRecord
from archsim.workload.coded_network import CodedNetwork


@dataclass(slots=True, kw_only=True)
class PassLog:
    """Records in running order; the clock runs from one record to the next.

    Parameters
    ----------
    evaluation
        Images that accuracies are measured on; None = none are.
    """

    evaluation: ImageSet | None
    records: list[PassRecord] = field(default_factory=list)
    started: float = field(default_factory=perf_counter)

    def float_pass(self, name: str, invariant: str, measured: str, network: FloatNetwork, *, bits: int = 0) -> None:
        """Record a pass that leaves floats; ``bits`` where the weights take other than 32 each. [b]"""
        accuracy = float_accuracy(network, self.evaluation) if self.evaluation else None
        self._record(name, invariant, measured, accuracy, bits or float_bits(network))

    def same_values(self, name: str, invariant: str, measured: str) -> None:
        """Record a pass that changes no value: accuracy and size stay those of the pass before."""
        before = self.records[-1]
        self._record(name, invariant, measured, before.accuracy, before.weight_bits)

    def coded_pass(self, name: str, invariant: str, measured: str, network: CodedNetwork) -> Accuracy | None:
        """Record a pass that leaves codes; return their accuracy."""
        accuracy = coded_accuracy(network, self.evaluation) if self.evaluation else None
        self._record(name, invariant, measured, accuracy, coded_bits(network))
        return accuracy

    def _record(self, name: str, invariant: str, measured: str, accuracy: Accuracy | None, bits: int) -> None:
        now = perf_counter()
        self.records.append(
            PassRecord(
                name=name,
                invariant=invariant,
                measured=measured,
                accuracy=accuracy,
                weight_bits=bits,
                seconds=now - self.started,
            )
        )
        self.started = now


def demand(holds: bool, sentence: str) -> None:
    """Raise where an invariant of a pass does not hold.

    Raises
    ------
    SimulationError
        It does not.
    """
    if not holds:
        raise SimulationError(f"a pass of the conversion broke its rule: {sentence}")
