"""Inner loops compiled by numba: one pass over characters, words and syllables, and the sums over weights.

Every kernel has its plain twin (named beside it), which is the reference and does the work where numba is not
installed or the messages are too few to load it for; a test holds the two equal. Sums are taken in double precision,
so that their order cannot be seen in what is rounded to single. Imported by `classifier.fast` alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from classifier import parts

MIX = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True)
def fill(keys: Any, values: Any, table: Any, base: int, shift: int) -> None:
    """Enter keys into one open-addressing table; the slots ``[base, base + 2 ** (64 - shift))`` are its own.

    A slot is a key and its value side by side, so that a look-up costs one line of the cache; no value is -1.
    """
    mask = (np.int64(1) << np.int64(64 - shift)) - 1
    for i in range(len(keys)):
        slot = np.int64((np.uint64(keys[i]) * MIX) >> np.uint64(shift))
        while table[base + slot, 1] >= 0:
            slot = (slot + 1) & mask
        table[base + slot, 0], table[base + slot, 1] = keys[i], values[i]


@njit(cache=True, nogil=True, inline="always")
def _look_up(key: Any, table: Any, base: Any, shift: Any) -> Any:
    mask = (np.int64(1) << np.int64(64 - shift)) - 1
    slot = np.int64((np.uint64(key) * MIX) >> np.uint64(shift))
    while True:
        value = table[base + slot, 1]
        if value < 0 or table[base + slot, 0] == key:
            return value
        slot = (slot + 1) & mask


@njit(cache=True, nogil=True)
def text_features(
    points: Any, first: Any, sizes: Any, word_first: Any, words: Any, word_starts: Any, word_ends: Any, word_count: Any,
    tables: Any, base: Any, shift: Any, orders: Any, view_first: Any, weights: Any,
    syllable_of: Any, idf: Any, rows: Any, columns: Any, values: Any, starts: Any, ends: Any,
) -> int:  # fmt: skip
    """The occurrences of words, characters and syllables, message by message; returns how many (`FeatureSpace._plain`).

    Tables: 0 Latin syllables, then the pairs, the character orders, the syllable orders; `orders` gives each one's,
    ``view_first[v]:view_first[v + 1]`` those of the view v (words, characters, syllables). The arrays after `idf` are
    written to.
    """
    out = 0
    longest = 0
    for n in sizes:
        longest = max(longest, n)
    ids = np.empty(longest + 2, np.int64)
    id_starts = np.empty(longest + 2, np.int32)
    id_ends = np.empty(longest + 2, np.int32)
    keys, slots = np.empty(longest + 2, np.int64), np.empty(longest + 2, np.int64)
    held, column_of = np.empty(longest + 2, np.int64), np.empty(longest + 2, np.int64)
    for row in range(len(sizes)):
        at, size = first[row], sizes[row]
        # --- words and pairs
        begin, squares = out, 0.0
        for w in range(word_first[row], word_first[row + 1]):
            if words[w] < word_count:
                rows[out], columns[out], starts[out], ends[out] = row, words[w], word_starts[w], word_ends[w]
                square = np.float64(idf[words[w]])
                squares += square * square
                out += 1
        total = squares
        for table in range(view_first[0], view_first[1]):
            squares = 0.0
            for w in range(word_first[row], word_first[row + 1] - 1):
                if words[w] < word_count and words[w + 1] < word_count:
                    key = (np.int64(words[w]) << 32) | np.int64(words[w + 1])
                    column = _look_up(key, tables, base[table], shift[table])
                    if column >= 0:
                        rows[out], columns[out], starts[out], ends[out] = row, column, word_starts[w], word_ends[w + 1]
                        square = np.float64(idf[column])
                        squares += square * square
                        out += 1
            total += squares
        scale = np.float32(weights[0] / np.sqrt(max(total, 1e-12)))
        for i in range(begin, out):
            values[i] = idf[columns[i]] * scale
        # --- characters, then syllables
        for view in range(1, 3):
            if view_first[view] == view_first[view + 1]:
                continue
            count = 0
            if view == 1:
                ids[0], id_starts[0], id_ends[0], count = 2, -1, 0, 1
                for i in range(size):
                    point = points[at + i]
                    if 48 <= point <= 57:
                        if i >= 2 and 48 <= points[at + i - 1] <= 57 and 48 <= points[at + i - 2] <= 57:
                            continue
                        point = 48
                    elif point == 31 or point == 32 or point == 9 or point == 10:
                        continue
                    ids[count], id_starts[count], id_ends[count] = point, i, i + 1
                    count += 1
                ids[count], id_starts[count], id_ends[count] = 3, size, size + 1
                count += 1
                bits = 21
            else:
                bits = 9
                i = 0
                while i < size:
                    point = points[at + i]
                    if point < 97 or point > 122:
                        if point < 65536 and syllable_of[point] > 0:
                            ids[count], id_starts[count], id_ends[count] = syllable_of[point], i, i + 1
                            count += 1
                        i += 1
                        continue
                    end = i + 1
                    while end < size and 97 <= points[at + end] <= 122:
                        end += 1
                    # A run of two Latin letters or more: cut into syllables, longest first, all or nothing.
                    kept = count
                    spot = i if end - i >= 2 else end
                    while spot < end:
                        found = -1
                        for length in range(min(6, end - spot), 0, -1):
                            head = points[at + spot]
                            if length == 1 and head != 97 and head != 111 and head != 101:
                                break
                            key = np.int64(0)
                            for j in range(length):
                                key = (key << 5) | np.int64(points[at + spot + j] - 96)
                            found = _look_up(key, tables, base[0], shift[0])
                            if found >= 0:
                                ids[count], id_starts[count], id_ends[count] = found, spot, spot + length
                                count += 1
                                spot += length
                                break
                        if found < 0:
                            count = kept
                            break
                    i = end
            begin, total = out, 0.0
            for table in range(view_first[view], view_first[view + 1]):
                order, squares = orders[table], 0.0
                mask = (np.int64(1) << np.int64(64 - shift[table])) - 1
                # All first slots at once, then what they hold: the memory is asked for many at a time.
                for i in range(count - order + 1):
                    key = ids[i]
                    for j in range(1, order):
                        key = (key << bits) | ids[i + j]
                    keys[i] = key
                    slots[i] = np.int64((np.uint64(key) * MIX) >> np.uint64(shift[table]))
                for i in range(count - order + 1):
                    held[i], column_of[i] = tables[base[table] + slots[i], 0], tables[base[table] + slots[i], 1]
                for i in range(count - order + 1):
                    key, column = keys[i], column_of[i]
                    if column >= 0 and held[i] != key:
                        slot = slots[i]
                        while column >= 0 and tables[base[table] + slot, 0] != key:
                            slot = (slot + 1) & mask
                            column = tables[base[table] + slot, 1]
                    if column >= 0:
                        rows[out], columns[out] = row, column
                        starts[out], ends[out] = id_starts[i], id_ends[i + order - 1]
                        square = np.float64(idf[column])
                        squares += square * square
                        out += 1
                total += squares
            scale = np.float32(weights[view] / np.sqrt(max(total, 1e-12)))
            for i in range(begin, out):
                values[i] = idf[columns[i]] * scale
    return out


@njit(cache=True, nogil=True)
def add_weights(rows: Any, columns: Any, values: Any, weights: Any, scales: Any, total: Any) -> None:
    """Add each occurrence's weights to its message's sums (`LinearModel._plain_sums`)."""
    kinds = weights.shape[1]
    at, count = 0, len(rows)
    while at < count:
        row, one = rows[at], columns[at]
        value = np.float64(values[at] * scales[one])
        if at + 1 < count and rows[at + 1] == row:  # two at a time: half as many sums are read and written
            two = columns[at + 1]
            other = np.float64(values[at + 1] * scales[two])
            for k in range(kinds):
                total[row, k] += value * weights[one, k] + other * weights[two, k]
            at += 2
        else:
            for k in range(kinds):
                total[row, k] += value * weights[one, k]
            at += 1


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def shares(rows: Any, columns: Any, values: Any, weights: Any, scales: Any, direction: Any, out: Any) -> None:
    """Each occurrence's share of its message's log-odds (`classifier.evidence._plain_shares`)."""
    kinds = weights.shape[1]
    for i in range(len(rows)):
        mine, theirs = direction[rows[i]], weights[columns[i]]
        part = 0.0
        for k in range(kinds):
            part += mine[k] * theirs[k]
        out[i] = part * np.float64(values[i] * scales[columns[i]])


@njit(cache=True, nogil=True)
def spread(rows: Any, starts: Any, ends: Any, each: Any, first: Any, sizes: Any, steps: Any) -> None:
    """Spread each share evenly over its characters, as steps up and down (`classifier.evidence._plain_spread`)."""
    for i in range(len(rows)):
        size = sizes[rows[i]]
        start = min(max(starts[i], 0), size)
        end = max(min(max(ends[i], 0), size), start + 1)
        part = each[i] / (end - start)
        at = first[rows[i]]
        steps[at + start] += part
        steps[at + end] -= part


@njit(cache=True, nogil=True)
def distinct_threes(points: Any, first: Any, sizes: Any, out: Any) -> None:
    """The number of different 3-grams of each text (`classifier.policy.distinct_share`)."""
    longest = 0
    for n in sizes:
        longest = max(longest, n)
    room, bits = 4, 2
    while room < 2 * longest:
        room, bits = room * 2, bits + 1
    keys, stamps = np.empty(room, np.int64), np.full(room, -1, np.int64)
    for row in range(len(sizes)):
        count = 0
        for i in range(first[row], first[row] + sizes[row] - 2):
            key = (np.int64(points[i]) << 42) | (np.int64(points[i + 1]) << 21) | np.int64(points[i + 2])
            slot = np.int64((np.uint64(key) * MIX) >> np.uint64(64 - bits))
            while stamps[slot] == row and keys[slot] != key:
                slot = (slot + 1) & (room - 1)
            if stamps[slot] != row:
                stamps[slot], keys[slot] = row, key
                count += 1
        out[row] = count


cut_parts = njit(cache=True, nogil=True)(parts.cut_parts)
