"""Occurrences: where features stand in a chunk of messages, and with what weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32] | npt.NDArray[np.int64]


@dataclass(slots=True)
class Occurrences:
    """Where the features of one view stand: parallel arrays, ordered by message.

    `rows` numbers the message in the chunk, `columns` the feature, `values` its weight in the vector; `starts` and
    `ends` are folded offsets, empty unless positions were asked for.
    """

    rows: Places
    columns: Places
    values: FloatArray
    starts: Places
    ends: Places
