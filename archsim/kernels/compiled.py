"""How a kernel is compiled: by numba, and kept on disk for the next process where there is room to write.

Every kernel in this package is decorated with `compiled`, or with one of its two sisters.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.options import DefaultOptions

_UNCOUNTED: dict[str, Any] = {"_nrt": False} if hasattr(DefaultOptions, "_nrt") else {}
"""Leaves numba's counting of references out; a numba without this option compiles the same, slower code."""


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel on its first call.

    The machine code is cached beside the source, or in the user's cache folder. Where neither can be
    written (a read-only install without a home, as in some containers), each process compiles anew.
    It is used until any file of this package changes; numba by itself would look at the kernel's own only.
    """
    return _cached(kernel, {})


def compiled_in_place(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that works on tuples of arrays in place and makes none: 30 times as fast, for DRAM channels.

    numba would count a reference at every ``state.banks``. Such a kernel can neither allocate an array nor
    assign one slice to another.
    """
    return _cached(kernel, _UNCOUNTED)


def compiled_inline(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a small piece of other kernels into each place that calls it: no call is left in their loops.

    It works in place, as above.
    """
    made: Callable[..., Any] = numba.njit(forceinline=True, **_UNCOUNTED)(kernel)
    return made


def _cached(kernel: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    try:
        made: Callable[..., Any] = numba.njit(cache=True, **options)(kernel)
    except RuntimeError:  # numba: no locator available
        made = numba.njit(**options)(kernel)
    index: Any = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = (index._source_stamp, _package_stamp())
    return made


@cache
def _package_stamp() -> str:
    """Tell one state of this package's source from another: a kernel is as old as the pieces compiled into it."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
