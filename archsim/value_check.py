"""Whether a chip's array computes what a converted workload says: `archsim run --check`. Called by `cli.py`."""

from pathlib import Path

from archsim.arch.architecture import Architecture
from archsim.catalog import workload_path
from archsim.engine.golden_run import check_golden_on_array
from archsim.errors import WorkloadError
from archsim.workload.coded_store import read_converted


def check_values(workload: str | Path, arch: Architecture) -> str:
    """Run the golden inputs of a converted workload through an arch's array, every register, and compare every layer.

    Returns
    -------
    str
        What was compared, a sentence.

    Raises
    ------
    WorkloadError
        The workload is not a converted one with golden inputs, or a layer's codes are not the golden ones: it is named.
    """
    path = workload_path(workload)
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise WorkloadError(f"{path}: has no golden outputs to check; archsim convert writes them")
    found = read_converted(path)
    if found.golden is None:
        raise WorkloadError(f"{path}: has no golden outputs to check; archsim convert writes them")
    check_golden_on_array(found.network, found.golden, arch.pe_array)
    images, layers = len(found.golden.ifmap), len(found.golden.checksums)
    return f"checked: {images} inputs through the array of {arch.name} give the golden codes of all {layers} layers"
