"""Cutting messages into the parts that evidence shows: the places of signals, and the words between them.

`cut_parts` is plain Python over numbers, which numba compiles as it stands (`classifier.kernels`); without numba it is
run as written, on lists.
"""

from __future__ import annotations

from typing import Any

from classifier.codepoints import ALNUM, DIGIT, IN_NUMBER, NUMBER_MARK, UNIT

# With `classifier.evidence.MAX_SPANS` chosen on spans that a person marked in messages apart from corpus and challenge.
MIN_WEIGHT = 0.05  # log-odds below which a span is not worth showing
NOTHING = -1e-6  # log-odds; a word of no weight speaks against nothing, whichever way it was rounded
MAX_SIGNAL_SPAN = 24  # characters; a longer match is cut into its words
MAX_WORDS_SPAN = 12  # characters to which neighbouring words are joined


def cut_parts(
    first: Any, sizes: Any, kinds: Any, steps: Any,
    placed_first: Any, placed_starts: Any, placed_ends: Any, token_first: Any, token_starts: Any, token_ends: Any,
    sums: Any, taken: Any, part_first: Any, starts: Any, ends: Any, weights: Any, placed: Any,
) -> int:  # fmt: skip
    """Cut each text into signal spans (strongest first, never overlapping) and words; returns the number of parts.

    `kinds` are the bits of each character; `steps` says how a character's weight differs from that of the one before,
    two more a text than it has characters. The signals' places come strongest first, text by text, as do the tokens.
    Neighbouring words of one direction are joined. The arrays from `sums` on are written to: two to work in, then where
    the parts of each text begin, and of each part its span, its weight and its place among the signals, or -1.
    """
    count = 0
    for row in range(len(sizes)):
        at, size = first[row], sizes[row]
        part_first[row] = count
        density = total = sums[0] = 0.0
        for i in range(size):
            density += steps[at + 2 * row + i]
            total += density
            sums[i + 1] = total
            taken[i] = 0
        for p in range(placed_first[row], placed_first[row + 1]):
            start, end = placed_starts[p], placed_ends[p]
            # A span that ends or begins inside a number, an amount or a date is widened to the whole of it.
            if kinds[at + end - 1] & DIGIT:
                while end < size and kinds[at + end] & IN_NUMBER:
                    end += 1
                if end < size and kinds[at + end] & UNIT:
                    end += 1
                while kinds[at + end - 1] & NUMBER_MARK:
                    end -= 1
            if kinds[at + start] & DIGIT:
                while start > 0 and kinds[at + start - 1] & IN_NUMBER:
                    start -= 1
                while kinds[at + start] & NUMBER_MARK:
                    start += 1
            free = end - start <= MAX_SIGNAL_SPAN
            if free:
                for i in range(start, end):
                    if taken[i]:
                        free = False
            if free:
                for i in range(start, end):
                    taken[i] = 1
                starts[count], ends[count], weights[count], placed[count] = start, end, sums[end] - sums[start], p
                count += 1
        last = -1
        for t in range(token_first[row], token_first[row + 1]):
            start, end = token_starts[t], token_ends[t]
            if start >= size:
                continue
            word = False  # bare punctuation is no reason
            for i in range(start, end):
                if kinds[at + i] & ALNUM:
                    word = True
            if taken[start] or taken[end - 1]:  # a word half inside a signal's span keeps its outer half
                while start < end and taken[start]:
                    start += 1
                while end > start and taken[end - 1]:
                    end -= 1
            if start >= end or not word:
                last = -1
                continue
            weight = sums[end] - sums[start]
            if (
                last >= 0
                and ends[last] == start
                and (weights[last] > NOTHING) == (weight > NOTHING)
                and end - starts[last] <= MAX_WORDS_SPAN
            ):
                ends[last], weights[last] = end, weights[last] + weight
            else:
                last = count
                starts[count], ends[count], weights[count], placed[count] = start, end, weight, -1
                count += 1
    part_first[len(sizes)] = count
    return count
