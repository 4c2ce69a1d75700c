"""What a converted network gives for a few inputs, kept as checksums, and checked again later.

Called by `convert/` as a workload is written and by whoever reads one: the last step of every conversion.
"""

from collections.abc import Mapping

from archsim.arch.pe_array import PeArray
from archsim.engine.array_values import run_on_array
from archsim.engine.bit_true import checksum, run_bit_true
from archsim.engine.written import CodeArray
from archsim.errors import WorkloadError
from archsim.workload.coded_network import CodedNetwork, IntArray
from archsim.workload.golden import Golden


def make_golden(network: CodedNetwork, ifmap_codes: IntArray) -> Golden:
    """Run a few inputs, shape (N, *ifmap_shape), and keep the checksum of every layer's codes."""
    found = run_bit_true(network, ifmap_codes)
    return Golden(ifmap=ifmap_codes, checksums={name: checksum(codes) for name, codes in found.items()})


def check_golden(network: CodedNetwork, golden: Golden) -> None:
    """Run the inputs again and compare every layer.

    Raises
    ------
    WorkloadError
        A checksum differs: the first layer that does is named.
    """
    _compare(network, golden, run_bit_true(network, golden.ifmap), "whose codes are not the golden ones")


def check_golden_on_array(network: CodedNetwork, golden: Golden, pe_array: PeArray) -> None:
    """Run the inputs on a clocked PE array and compare every layer.

    Raises
    ------
    WorkloadError
        A checksum differs: the first layer that does is named.
    SimulationError
        The array cannot be clocked.
    """
    array = f"{pe_array.dataflow} array of {pe_array.rows} x {pe_array.columns}"
    found = run_on_array(network, golden.ifmap, pe_array)
    _compare(network, golden, found, f"for which a {array} does not compute the golden codes")


def _compare(network: CodedNetwork, golden: Golden, found: Mapping[str, CodeArray], what: str) -> None:
    for name, codes in found.items():
        value, wanted = checksum(codes), golden.checksums.get(name, "no checksum")
        if value != wanted:
            raise WorkloadError(f"{network.name}: layer {name!r} is the first {what}: {value} for {wanted}")
