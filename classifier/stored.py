"""Weights that stay in their file until many messages ask for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier.occurrences import Places

Rows = Callable[[Places], npt.NDArray[np.int8]]


class StoredWeights:
    """The weights (features, kinds) of a model as they are stored: kind after kind, a byte a feature.

    One message needs some hundred features of a hundred thousand: `rows_of` goes through the file and keeps those
    alone, in 3 ms and without the 12 MB of the whole. Reading through a mapping would count as much as the whole.
    """

    FEW = 16
    """Times that it is worth going through the file; then None is returned, and the whole should be read."""

    def __init__(self, path: Path, weights: npt.NDArray[np.int8]) -> None:
        self.shape = weights.shape
        self.weights = weights
        self.offset: int = getattr(weights, "offset", 0)
        by_kind = self.offset and weights.flags.f_contiguous and hasattr(os, "pread")
        self.file = path.open("rb", buffering=0) if by_kind else None
        self.last = np.zeros(0, np.int64), np.zeros((0, weights.shape[1]), np.int8)
        self.count = 0

    def read(self) -> npt.NDArray[np.int8]:
        """All weights, feature by feature, as messages ask for them."""
        if self.file is None:
            return np.ascontiguousarray(self.weights)
        whole = np.empty(self.shape, np.int8)
        self._fill(whole, np.arange(self.shape[0]))
        return whole

    def _fill(self, rows: npt.NDArray[np.int8], columns: npt.NDArray[np.int64]) -> None:
        assert self.file is not None
        features, kinds = self.shape
        for kind in range(kinds):
            data = os.pread(self.file.fileno(), features, self.offset + kind * features)
            rows[:, kind] = np.frombuffer(data, np.int8)[columns]

    def rows_of(self, columns: Places) -> Rows | None:
        """A function from some of these features to their weights; None where the whole should be read."""
        if self.file is None:
            return None
        listed, rows = self.last
        wanted = np.array(sorted(set(columns.tolist())), np.int64)
        if not np.array_equal(wanted, listed):
            self.count += 1
            if self.count > self.FEW:
                return None
            rows = np.empty((len(wanted), self.shape[1]), np.int8)
            self._fill(rows, wanted)
            self.last = wanted, rows
        return lambda some: rows[np.searchsorted(wanted, some)]
