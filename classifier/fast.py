"""When the compiled kernels do the work: numba is an extra, and loading it takes as long as scoring some thousand messages.

Whoever scores announces how many messages there are; the plain way gives the same, bit for bit but for double sums.
"""

from __future__ import annotations

import os
from types import ModuleType

ENOUGH = 4_000
"""Messages announced in one process below which the kernels are not loaded."""
SIDE_BY_SIDE = 100
"""Messages in a chunk below which they are not loaded either: a service that gets them one by one never waits."""
OFF = "CLASSIFY_NO_NUMBA"
"""Environment variable that keeps the kernels away."""

_announced = 0
_kernels: ModuleType | None = None
_missing = bool(os.environ.get(OFF))


def announce(count: int) -> None:
    """Tell that so many messages more will be scored."""
    global _announced
    _announced += count


def kernels(count: int) -> ModuleType | None:
    """The compiled kernels where they are worth it for a chunk of `count` messages, or are loaded already; else None."""
    global _kernels, _missing
    if _kernels is None and not _missing and _announced >= ENOUGH and count >= SIDE_BY_SIDE:
        try:
            from classifier import kernels as compiled
        except (ImportError, RuntimeError):  # not installed, or no folder in which numba may keep what it compiled
            _missing = True
        else:
            _kernels = compiled
    return None if _missing else _kernels
