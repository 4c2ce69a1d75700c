import numba
import numpy as np
import pytest

from archsim.kernels.compiled import compiled, compiled_in_place


def test_a_kernel_compiles_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = numba.njit

    def refuse(function=None, *, cache=False):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return plain(function)

    monkeypatch.setattr(numba, "njit", refuse)

    def double(value):
        return 2 * value

    assert compiled(double)(21) == 42


def test_a_cached_kernel_is_as_old_as_any_file_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def double(value):
        return 2 * value

    monkeypatch.setattr("archsim.kernels.compiled._package_stamp", lambda: "before")
    before = compiled(double)._cache._cache_file._source_stamp
    monkeypatch.setattr("archsim.kernels.compiled._package_stamp", lambda: "after")
    assert compiled(double)._cache._cache_file._source_stamp != before


def test_a_kernel_that_works_in_place_on_a_tuple_of_arrays_changes_them() -> None:
    @compiled_in_place
    def raise_first(pair):
        first, second = pair
        first[0] = max(first[0], second[0])

    low, high = np.array([1]), np.array([5])
    raise_first((low, high))
    assert low[0] == 5
