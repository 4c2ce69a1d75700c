import numba
import pytest

from archsim.kernels.compiled import compiled


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
