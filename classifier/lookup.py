"""A vocabulary as open-addressing tables, and the compiled pass over a chunk that uses them."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from classifier.chunk import Chunk, IntArray, pinyin
from classifier.occurrences import Occurrences

if TYPE_CHECKING:
    from classifier.features import FeatureSpace

LOAD = 0.4  # share of a table's slots in use: fewer is faster, and larger


def _latin_key(syllable: str) -> int:
    key = 0
    for letter in syllable:
        key = key << 5 | ord(letter) - 96
    return key


class Lookup:
    """The tables of one `FeatureSpace`: 0 Latin syllables, then word pairs, characters by order, syllables by order."""

    def __init__(self, kernels: ModuleType, space: FeatureSpace) -> None:
        self.kernels, self.space = kernels, space
        self.syllable_of, index = pinyin()
        views: list[list[tuple[int, IntArray, int]]] = [
            [(2, space.pairs, space.offset("pair"))] if len(space.pairs) else [],
            [(n, space.chars[n], space.offset(f"char{n}")) for n in sorted(space.chars)],
            [(n, space.pinyin[n], space.offset(f"pinyin{n}")) for n in sorted(space.pinyin)],
        ]
        short = {s: i for s, i in index.items() if len(s) <= 6 and s.isascii() and s.isalpha() and s.islower()}
        latin = np.fromiter(map(_latin_key, short), np.int64, len(short))
        tables = [(latin, np.fromiter(short.values(), np.int64, len(short)))]
        tables += [(keys, offset + np.arange(len(keys))) for view in views for _, keys, offset in view]
        bits = [max(2, int(np.ceil(np.log2(len(keys) / LOAD + 1)))) for keys, _ in tables]
        sizes = np.left_shift(1, np.array(bits))
        self.base = np.cumsum(sizes) - sizes
        self.shift = 64 - np.array(bits)
        self.slots = np.full((int(sizes.sum()), 2), -1, np.int64)
        for (keys, values), base, shift in zip(tables, self.base.tolist(), self.shift.tolist(), strict=True):
            kernels.fill(keys.astype(np.int64), values, self.slots, base, shift)
        self.orders = np.array([1, *(order for view in views for order, _, _ in view)])
        self.view_first = 1 + np.cumsum([0, *map(len, views)])
        config = space.config
        self.weights = np.array([config.word_weight, config.char_weight, config.pinyin_weight])

    def occurrences(self, chunk: Chunk, words: tuple[IntArray, IntArray, IntArray, IntArray]) -> Occurrences:
        """The occurrences of words, characters and syllables, message by message."""
        block = chunk.block
        rows, ids, starts, ends = words
        word_first = np.searchsorted(rows, np.arange(len(block) + 1))
        of_words, of_chars, of_syllables = np.diff(self.view_first).tolist()
        room = len(ids) * (1 + of_words) + len(block.points) * (of_chars + of_syllables) + 2 * of_chars * len(block)
        out: list[npt.NDArray[np.int32]] = [np.empty(room, np.int32) for _ in range(4)]
        values = np.empty(room, np.float32)
        count = self.kernels.text_features(
            chunk.points, block.first, block.sizes, word_first, ids, starts, ends, len(self.space.words),
            self.slots, self.base, self.shift, self.orders, self.view_first, self.weights,
            self.syllable_of, self.space.idf, out[0], out[1], values, out[2], out[3],
        )  # fmt: skip
        return Occurrences(out[0][:count], out[1][:count], values[:count], out[2][:count], out[3][:count])
