"""archsim: what a network would cost on an accelerator, and why.

The public face, as a table; each name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.arch.architecture import Architecture
    from archsim.catalog import load_arch, load_workload
    from archsim.cost.energy_table import load_energy_table
    from archsim.errors import ArchsimError
    from archsim.study.recost import recost
    from archsim.study.result import RunResult
    from archsim.study.saved_run import load_run
    from archsim.study.simulate import simulate
    from archsim.workload.mask_files import load_masks
    from archsim.workload.network import Workload
    from archsim.zero_sources import load_on_images

_FACE = {
    "load_arch": "archsim.catalog",
    "load_workload": "archsim.catalog",
    "simulate": "archsim.study.simulate",
    "RunResult": "archsim.study.result",
    "load_run": "archsim.study.saved_run",
    "recost": "archsim.study.recost",
    "load_masks": "archsim.workload.mask_files",
    "load_on_images": "archsim.zero_sources",
    "load_energy_table": "archsim.cost.energy_table",
    "Architecture": "archsim.arch.architecture",
    "Workload": "archsim.workload.network",
    "ArchsimError": "archsim.errors",
}

__all__ = [
    "Architecture",
    "ArchsimError",
    "RunResult",
    "Workload",
    "load_arch",
    "load_energy_table",
    "load_masks",
    "load_on_images",
    "load_run",
    "load_workload",
    "recost",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'archsim' has no attribute {name!r}")
    return getattr(import_module(_FACE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
