"""A program of scripts/ as a module, for the tests that hold a page to it."""

import importlib.util
from pathlib import Path
from types import ModuleType

TOP = Path(__file__).parents[1]


def load_script(name: str) -> ModuleType:
    """Run ``scripts/NAME.py`` as a module; its ``main`` is not called."""
    spec = importlib.util.spec_from_file_location(f"{name}_script", TOP / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
