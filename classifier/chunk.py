"""A chunk of messages as the featuriser reads it: masked links, characters, syllables and words, each worked out once.

Code points stand in one array, an n-gram is a 64-bit integer. Nothing here knows a vocabulary or a label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from classifier.codepoints import Block, Points, code_points
from classifier.links import MASK, mask_links
from classifier.message import RESOURCES, Message

IntArray = npt.NDArray[np.int64]
START, END = "\x02", "\x03"
BITS = 21  # of a code point; three of them fill a 64-bit key
SYLLABLE_BITS = 9
LATIN_RUN = r"[a-z]{2,}"
Syllables = tuple[IntArray, IntArray, IntArray, IntArray]


@dataclass(slots=True)
class Grams:
    """Candidate n-grams of one order before the vocabulary: message, integer key, folded span."""

    rows: IntArray
    keys: IntArray
    starts: IntArray
    ends: IntArray


@dataclass(slots=True)
class Tokens:
    """The words of a chunk, in order: the message each stands in, and its folded span; links stay in as masks."""

    words: list[str]
    rows: IntArray
    starts: IntArray
    ends: IntArray


@cache
def pinyin() -> tuple[npt.NDArray[np.uint16], dict[str, int]]:
    """The syllable of every code point (0 where none), and the number of every syllable."""
    syllables: list[str] = json.loads((RESOURCES / "pinyin.json").read_text(encoding="ascii"))
    return np.load(RESOURCES / "pinyin.npy", allow_pickle=False), {s: i + 1 for i, s in enumerate(syllables)}


def latin_syllables(run: str, index: dict[str, int]) -> list[tuple[int, int, int]]:
    """Cut a run of Latin letters into pinyin syllables, longest first: (start, end, syllable); [] where it is none."""
    found: list[tuple[int, int, int]] = []
    at = 0
    while at < len(run):
        for size in range(min(6, len(run) - at), 0, -1):
            syllable = index.get(run[at : at + size])
            if syllable and (size > 1 or run[at] in "aoe"):
                found.append((at, at + size, syllable))
                at += size
                break
        else:
            return []
    return found


def windows(rows: IntArray, ids: IntArray, starts: IntArray, ends: IntArray, order: int, bits: int) -> Grams:
    """All runs of `order` neighbours inside one message, as integer keys."""
    size = len(ids) - order + 1
    if size <= 0:
        empty = np.zeros(0, np.int64)
        return Grams(empty, empty, empty, empty)
    keys = ids[:size].copy()
    for step in range(1, order):
        keys <<= bits
        keys |= ids[step : step + size]
    inside = rows[:size] == rows[order - 1 :]
    return Grams(rows[:size][inside], keys[inside], starts[:size][inside], ends[order - 1 :][inside])


class Chunk:
    """The raw material of some messages, shared by the views, the policy and the evidence."""

    def __init__(self, messages: Sequence[Message], cut: Callable[[str], list[str]]) -> None:
        self.messages = messages
        self.cut = cut
        self.block = Block([m.folded for m in messages])
        self.texts, self.points, self.masked = mask_links(self.block)

    def __len__(self) -> int:
        return len(self.messages)

    @cached_property
    def _characters(self) -> tuple[IntArray, IntArray, IntArray]:
        """(rows, code point, start): digits alike and at most two in a row, the message's start and end as characters."""
        points: Points = code_points(START + (END + START).join(self.texts) + END)
        lengths = self.block.sizes + 2
        rows = np.repeat(np.arange(len(self)), lengths)
        offsets = np.arange(len(points)) - np.repeat(np.cumsum(lengths) - lengths, lengths) - 1
        digit = (points >= 48) & (points <= 57)
        third = digit.copy()
        third[2:] &= digit[1:-1] & digit[:-2]
        third[:2] = False
        keep = ~(third | (points == ord(MASK)) | (points == 32) | (points == 9) | (points == 10))
        return rows[keep], np.where(digit, 48, points)[keep].astype(np.int64), offsets[keep]

    def chars(self, order: int) -> Grams:
        """Character n-grams."""
        rows, points, offsets = self._characters
        return windows(rows, points, offsets, offsets + 1, order, BITS)

    @cached_property
    def syllables(self) -> Syllables:
        """(rows, syllable, start, end) of every Han character and every Latin run that spells pinyin."""
        table, index = pinyin()
        char_rows, points, offsets = self._characters
        small = points < 0x10000
        syllable = np.zeros(len(points), np.int64)
        syllable[small] = table[points[small]]
        has = syllable > 0
        rows, values, starts = char_rows[has], syllable[has], offsets[has]
        ends = starts + 1
        extra = [
            (row, s, m.start() + a, m.start() + b)
            for row, text in enumerate(self.texts)
            for m in re.finditer(LATIN_RUN, text)
            for a, b, s in latin_syllables(m[0], index)
        ]
        if extra:
            more = np.array(extra, np.int64)
            rows = np.concatenate([rows, more[:, 0]])
            values = np.concatenate([values, more[:, 1]])
            starts = np.concatenate([starts, more[:, 2]])
            ends = np.concatenate([ends, more[:, 3]])
            order = np.lexsort((starts, rows))
            rows, values, starts, ends = rows[order], values[order], starts[order], ends[order]
        return rows, values, starts, ends

    def pinyin(self, order: int) -> Grams:
        """N-grams of toneless syllables."""
        return windows(*self.syllables, order, SYLLABLE_BITS)

    @cached_property
    def tokens(self) -> Tokens:
        """The words of the masked texts."""
        return cut_many(self.texts, self.block, self.cut)

    @cached_property
    def shown_tokens(self) -> Tokens:
        """The words of the folded texts themselves, links cut as well."""
        return cut_many(self.block.texts, self.block, self.cut) if self.masked else self.tokens


def cut_many(texts: Sequence[str], block: Block, cut: Callable[[str], list[str]]) -> Tokens:
    """Cut texts with one call; `END` between them is a token of its own to jieba, whatever stands beside it."""
    words = cut(END.join(texts) + END) if texts else []
    sizes = np.fromiter(map(len, words), np.int64, len(words))
    ends = np.cumsum(sizes)
    begins = block.first + np.arange(len(block))  # of each text, an `END` after each
    last = np.searchsorted(ends, begins + block.sizes + 1)  # the place of each text's `END`
    rows = np.repeat(np.arange(len(block)), np.diff(last, prepend=-1))
    ends -= begins[rows]
    return Tokens(words, rows, ends - sizes, ends)
