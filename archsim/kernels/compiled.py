"""How a kernel is compiled: by numba, and kept on disk for the next process where there is room to write.

Every kernel in this package is decorated with `compiled`.
"""

from collections.abc import Callable
from typing import Any

import numba


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel on its first call.

    The machine code is cached beside the source, or in the user's cache folder. Where neither can be
    written (a read-only install without a home, as in some containers), each process compiles anew.
    """
    try:
        made: Callable[..., Any] = numba.njit(cache=True)(kernel)
    except RuntimeError:  # numba: no locator available
        made = numba.njit(kernel)
    return made
