"""When the compiled kernels do the work: numba is an extra, and loading it takes longer than scoring a few messages."""

from __future__ import annotations

import os
from types import ModuleType

ENOUGH = 200
"""Messages in one chunk below which the kernels are not loaded; once they are, they serve every chunk."""
OFF = "CLASSIFY_NO_NUMBA"
"""Environment variable that keeps the kernels away."""

_kernels: ModuleType | None = None
_missing = bool(os.environ.get(OFF))


def kernels(count: int) -> ModuleType | None:
    """The compiled kernels where they are worth it for `count` messages, else None: the plain way gives the same."""
    global _kernels, _missing
    if _kernels is None and not _missing and count >= ENOUGH:
        try:
            from classifier import kernels as compiled
        except (ImportError, RuntimeError):  # not installed, or no folder in which numba may keep what it compiled
            _missing = True
        else:
            _kernels = compiled
    return None if _missing else _kernels
