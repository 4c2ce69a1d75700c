"""Whether every layer that a user maps by hand is there; called by `cli.py` for `--mapping FILE`."""

from fnmatch import fnmatchcase

from archsim.arch.architecture import Architecture
from archsim.config_file import did_you_mean
from archsim.errors import ConfigError
from archsim.workload.layer import ArrayLayer
from archsim.workload.network import Workload


def check_mapped_layers(arch: Architecture, workload: Workload) -> None:
    """Refuse mappings of layers that the network has not; those of other networks are let be.

    Raises
    ------
    ConfigError
        Every such mapping, one line each, with the nearest name.
    """
    names = [layer.name for layer in workload.layers if isinstance(layer, ArrayLayer)]
    faults = [
        f"--mapping: layer {each.layer!r} matches no layer of {workload.name!r} that the array runs."
        f"{did_you_mean(each.layer, names)}"
        for each in arch.mapping.fixed
        if fnmatchcase(workload.name, each.workload) and not any(fnmatchcase(name, each.layer) for name in names)
    ]
    if faults:
        raise ConfigError("\n".join(faults))
