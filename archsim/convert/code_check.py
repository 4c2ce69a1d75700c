"""The check behind the last pass of a conversion: codes in range, exact sums proven. Called by `pipeline.py`."""

from archsim.convert.pass_log import demand
from archsim.numerics.fixed_point import FixedPoint
from archsim.workload.coded_network import CodedNetwork
from archsim.workload.psum_format import needed_width, psum_format


def check_codes(network: CodedNetwork) -> tuple[str, str]:
    """Check every weight and every register of a converted network.

    Returns
    -------
    tuple
        What must hold, and what was found, as sentences.

    Raises
    ------
    SimulationError
        A code lies outside of its format, or exact sums do not fit 64 bits.
    """
    needed, registers, outputs = [0], [0], network.outputs
    for layer in network.products:
        fmt, ifmap = layer.weight.format, outputs[layer.sources[0]]
        assert ifmap.format is not None, "only the last layer leaves sums"
        if isinstance(fmt, FixedPoint):
            lies = fmt.lowest_code <= layer.weight.codes.min() and layer.weight.codes.max() <= fmt.highest_code
            demand(bool(lies), f"a weight of {layer.name!r} lies outside of {fmt.name}")
        width = needed_width(layer, ifmap.format, ifmap.exponent)
        if width:
            needed.append(width)
            registers.append(psum_format(layer, ifmap.format, ifmap.exponent).width_bits)
            demand(registers[-1] <= 64, f"the sums of {layer.name!r} need {registers[-1]} bits")
    if max(needed) == 0:
        return "every code in range", "no exact integer sums: see the layers' accumulators"
    guarded = f"; registers of up to {max(registers)} b hold biases finer" if max(registers) > max(needed) else ""
    return (
        "every code in range, every exact sum proven to fit its register",
        f"sums need up to {max(needed)} b{guarded}",
    )
