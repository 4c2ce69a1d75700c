"""The networks that come with the onnx package: shapes of real models, weights left out.

`archsim demo` runs one of them; the tests run all nine.
"""

from importlib.util import find_spec
from pathlib import Path

from archsim.errors import WorkloadError


def light_model(name: str) -> Path:
    """Return the file of a light model of the installed onnx package, e.g. ``resnet50``.

    Raises
    ------
    WorkloadError
        The onnx package is not there, or has no such model.
    """
    package = find_spec("onnx")
    if package is None or package.origin is None:
        raise WorkloadError("the onnx package is not installed: pip install onnx")
    path = Path(package.origin).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"
    if not path.is_file():
        raise WorkloadError(f"{path}: this version of the onnx package has no such model")
    return path
