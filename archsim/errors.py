"""What can go wrong, as one tree.

    ArchsimError
    ├── ConfigError      a file or an option that a person wrote (arch, .cfg, --set, table)
    ├── WorkloadError    a network: .yaml, .onnx or topology .csv
    ├── MappingError     a layer that does not fit the arch
    └── SimulationError  our own rule broken: a bug in archsim

The command line prints the first three as one message and exits 2; the last exits 1.
Every floor may raise them; none catches them but `cli`.
"""


class ArchsimError(Exception):
    """Base of every error archsim raises on purpose."""


class ConfigError(ArchsimError):
    """A file or option that describes the hardware is wrong."""


class WorkloadError(ArchsimError):
    """A network file is wrong, or asks for what archsim cannot run."""


class MappingError(ArchsimError):
    """A layer does not fit the arch."""


class SimulationError(ArchsimError):
    """A rule of archsim's own was broken; please report it."""
