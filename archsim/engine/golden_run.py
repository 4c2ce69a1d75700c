"""What a converted network gives for a few inputs, kept as checksums, and checked again later.

Called by `convert/` as a workload is written and by whoever reads one: the last step of every conversion.
"""

from archsim.engine.bit_true import checksum, run_bit_true
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
    found = make_golden(network, golden.ifmap).checksums
    for name, value in found.items():
        if golden.checksums.get(name) != value:
            wanted = golden.checksums.get(name, "no checksum")
            raise WorkloadError(
                f"{network.name}: layer {name!r} is the first whose codes are not the golden ones: {value} for {wanted}"
            )
