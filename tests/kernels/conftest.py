"""The slow references and the kernels' plain Python source, as fixtures."""

import importlib.util
import sys
from pathlib import Path

import numba
import pytest

TESTS = Path(__file__).parents[1]


def load_file(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def weight_stationary_oracle():
    return load_file(TESTS / "oracles" / "weight_stationary.py", "oracle_weight_stationary")


@pytest.fixture(scope="session")
def output_stationary_oracle():
    return load_file(TESTS / "oracles" / "output_stationary.py", "oracle_output_stationary")


@pytest.fixture
def uncompiled(monkeypatch):
    """A function that loads a kernel file as plain Python, helpers included: `py_func` would keep those compiled."""

    def load(module):
        monkeypatch.setattr(numba, "njit", lambda **_: lambda function: function)
        return load_file(module.__file__, f"uncompiled_{module.__name__.rpartition('.')[2]}")

    return load
