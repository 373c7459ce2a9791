"""A chunk of texts as one array of code points, and what every code point is: the ground of all work on whole chunks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

CODE_POINTS = 0x110000
Points = npt.NDArray[np.uint32]
Rows = npt.NDArray[np.int64]

# What a code point can be, as bits.
ALNUM, LETTER, DIGIT, IN_NUMBER, NUMBER_MARK, UNIT, LATIN, SEEN = (1 << bit for bit in range(8))
_kinds = np.zeros(CODE_POINTS, np.uint8)  # filled as characters are met


def code_points(text: str) -> Points:
    """The code points of a text, lone surrogates included."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def pairs(first: Points, second: Points) -> Rows:
    """Two code points each as one key."""
    keys: Rows = first.astype(np.int64) << 21 | second
    return keys


def among(keys: Rows, listed: Rows) -> npt.NDArray[np.bool_]:
    """Which keys are in a sorted list, which may not be empty."""
    at = np.minimum(np.searchsorted(listed, keys), len(listed) - 1)
    found: npt.NDArray[np.bool_] = listed[at] == keys
    return found


def _kind(char: str) -> int:
    alnum, digit = char.isalnum(), char.isdigit()
    return (
        SEEN
        | ALNUM * alnum
        | LETTER * (alnum and not digit)
        | DIGIT * digit
        | IN_NUMBER * (char in "0123456789.,:-")
        | NUMBER_MARK * (char in ".,:-")
        | UNIT * (char in "元月日天期%")
        | LATIN * ("a" <= char <= "z")
    )


def kinds_of(points: Points) -> npt.NDArray[np.uint8]:
    """The bits of each code point."""
    found = _kinds[points]
    new = found == 0
    if new.any():
        for code in set(points[new].tolist()):
            _kinds[code] = _kind(chr(code))
        found = _kinds[points]
    return found


class Block:
    """Texts side by side: their code points in one array, text after text.

    Attributes:
        texts: the texts.
        points: the code points of all of them.
        sizes, first: the number of characters of each text, and where it begins in `points`.
        rows: for each code point the text it stands in.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.points = code_points("".join(texts))
        self.sizes: Rows = np.fromiter(map(len, texts), np.int64, len(texts))
        self.first: Rows = np.cumsum(self.sizes) - self.sizes
        self.rows: Rows = np.repeat(np.arange(len(texts)), self.sizes)

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def kinds(self) -> npt.NDArray[np.uint8]:
        """The bits of each code point."""
        return kinds_of(self.points)

    def having(self, places: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which texts hold at least one of the marked places of `points`."""
        found = np.zeros(len(self.texts), bool)
        found[self.rows[: len(places)][places]] = True
        return found
