"""Message: the original text, its folded form, and the way back from every folded character to the original.

Folding undoes hiding (NFKC, invisible marks, look-alike letters, traditional characters, marks between characters,
characters taken apart, contact words in disguise). Homophones are not replaced: that damages one normal message in
twenty; the pinyin view of the features sees them. The tables are compiled by `classifier.training.tables`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from classifier.codepoints import CODE_POINTS, Points, among, code_points, pairs

Flags = npt.NDArray[np.bool_]
RESOURCES = Path(__file__).with_name("resources")
HAN = "\u3400-\u9fff"

# A text in which at least this share of the Han characters is traditional was written that way, not disguised.
TRADITIONAL_TEXT_SHARE = 0.12


NOTHING_HIDDEN: Mapping[str, int] = {}


class Message(NamedTuple):
    """One message and its folded form; a named tuple, since a million of them are made.

    Attributes:
        text: the original, untouched.
        folded: what the signals, words and n-grams look at.
        starts, ends: for each folded character the half-open span ``text[start:end]`` it came from;
            ``None`` when folding kept every character in its place.
        hiding: how often each kind of hiding was undone, e.g. ``{"invisible": 2}``.
    """

    text: str
    folded: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None
    hiding: Mapping[str, int] = NOTHING_HIDDEN

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map the folded span ``[start, end)``, not empty, to the span of the original text that covers it."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


# What a character can be to the folding, as bits: the first two of a character as it was typed, the rest once folded.
MOVES, HIDES, MARK, WEAK, IS_HAN, PART_FIRST, PART_SECOND, HINT = (1 << bit for bit in range(8))


class _Tables:
    """The compiled folding tables, read once: arrays over all code points, of which only the pages in use are memory."""

    def __init__(self) -> None:
        raw: dict[str, Any] = json.loads((RESOURCES / "fold.json").read_text(encoding="ascii"))
        typed = code_points(raw["from"])
        # The one character that each becomes, 0 where it stays or `MOVES`; the last stands for all beyond the table.
        self.target = np.zeros(int(typed.max()) + 2, np.uint32)
        self.target[typed] = code_points(raw["to"])
        self.several: dict[str, str] = raw["several"]
        self.bits = np.zeros(CODE_POINTS, np.uint8)
        self.bits[code_points("".join(self.several))] |= MOVES
        for first, last in raw["dropped"]:
            self.bits[first : last + 1] |= MOVES
        self.kinds: list[str] = ["", *raw["hiding"]]
        self.kind = np.zeros(CODE_POINTS, np.uint8)  # the hiding it stands for, as a place in `kinds`
        for at, ranges in enumerate(raw["hiding"].values(), 1):
            for first, last in ranges:
                self.kind[first : last + 1] = at
                self.bits[first : last + 1] |= HIDES
        hiding = tomllib.loads((RESOURCES / "hiding.toml").read_text(encoding="utf-8"))
        self.split: dict[str, str] = hiding["split"]
        self.weak: str = hiding["between"]["weak"]
        self.strong = "".join(c for c in hiding["between"]["marks"] if c not in self.weak)
        self.rules: list[tuple[str, str]] = hiding["contact"]["rules"]
        self.parts = np.sort(pairs(*code_points("".join(part[:2] for part in self.split)).reshape(-1, 2).T))
        self.bits[0x3400:0xA000] |= IS_HAN
        for chars, bit in (
            (self.strong, MARK),
            (self.weak + " ", WEAK),
            ("".join(part[0] for part in self.split), PART_FIRST),
            ("".join(part[1] for part in self.split), PART_SECOND),
            ("薇徽威维围喂韦巍微vw扣口企蔻球秋叩葫呼典绿星q", HINT),
        ):
            self.bits[code_points(chars)] |= bit

    # Compiled when a message first calls for them: a plain notice needs none.
    @cached_property
    def split_pattern(self) -> re.Pattern[str]:
        """Characters taken apart, the longest first."""
        return re.compile("|".join(map(re.escape, sorted(self.split, key=len, reverse=True))))

    @cached_property
    def between_pattern(self) -> re.Pattern[str]:
        """Marks put between characters."""
        return re.compile(f"(?<=[{HAN}])[{re.escape(self.strong)}]{{1,3}}(?=[{HAN}])")

    @cached_property
    def spaced_pattern(self) -> re.Pattern[str]:
        """Three single characters or more with weak marks or spaces between them."""
        return re.compile(f"(?<![{HAN}])[{HAN}](?:[{re.escape(self.weak)} ][{HAN}]){{2,}}(?![{HAN}])")

    @cached_property
    def contact(self) -> list[tuple[re.Pattern[str], str]]:
        """Contact words in disguise, and what they stand for."""
        return [(re.compile(p), r) for p, r in self.rules]

    @cached_property
    def any_contact(self) -> re.Pattern[str]:
        """Any of `contact`."""
        return re.compile("|".join(p for p, _ in self.rules))

    def fold_of(self, chars: Iterable[str]) -> dict[str, str]:
        """What each of some characters becomes, left out where it stays."""
        found: dict[str, str] = {}
        for char in chars:
            code = ord(char)
            if self.bits[code] & MOVES:
                found[char] = self.several.get(char, "")
            elif code < len(self.target) and self.target[code]:
                found[char] = chr(self.target[code])
        return found

    def hiding_of(self, chars: Iterable[str]) -> dict[str, str]:
        """The kind of hiding that each of some characters stands for, left out where there is none."""
        return {c: self.kinds[at] for c in chars if (at := int(self.kind[ord(c)]))}


@cache
def _tables() -> _Tables:
    return _Tables()


class _Folding:
    """A text on its way through the steps, with its spans."""

    def __init__(self, text: str, starts: list[int], ends: list[int]) -> None:
        self.text, self.starts, self.ends = text, starts, ends

    def replace(self, edits: Iterable[tuple[int, int, str]]) -> int:
        """Replace the given ``(start, end, new)`` spans, in order and apart; return how many there were."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = count = 0
        for start, end, new in edits:
            pieces += (self.text[at:start], new)
            starts += self.starts[at:start]
            ends += self.ends[at:start]
            # Every new character stands for the whole of what it replaces.
            starts += [self.starts[start]] * len(new)
            ends += [self.ends[end - 1]] * len(new)
            at = end
            count += 1
        if count:
            self.text = "".join(pieces) + self.text[at:]
            self.starts = starts + self.starts[at:]
            self.ends = ends + self.ends[at:]
        return count


def _count_hiders(text: str, kinds: Mapping[str, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for char in text:
        if char in kinds:
            kind = kinds[char]
            counts[kind] = counts.get(kind, 0) + 1
    traditional = counts.pop("traditional", 0)
    if traditional:
        han = sum("\u3400" <= c <= "\u9fff" for c in text)
        if traditional >= TRADITIONAL_TEXT_SHARE * han and han >= 8:
            counts["traditional_text"] = traditional
        else:
            counts["traditional"] = traditional
    return counts


def _translate(text: str, table: Mapping[str, str]) -> _Folding:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, char in enumerate(text):
        new = table.get(char, char)
        pieces.append(new)
        starts += [at] * len(new)
        ends += [at + 1] * len(new)
    return _Folding("".join(pieces), starts, ends)


def fold(text: str) -> Message:
    """Fold one text. Never raises; a lone surrogate is dropped as an invisible character."""
    return fold_many([text])[0]


def fold_many(texts: Sequence[str]) -> list[Message]:
    """Fold texts. Characters are replaced in all of them at once; few are looked at one by one, as most hide nothing."""
    tables = _tables()
    points = code_points("".join(texts))
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    target = tables.target[np.minimum(points, len(tables.target) - 1)]
    folded_points = np.where(target, target, points)
    folded = folded_points.tobytes().decode("utf-32-le", "surrogatepass")
    suspects, hints = _suspects(tables, points, folded_points, sizes)
    chars = set().union(*(texts[row] for row in np.flatnonzero(suspects | hints).tolist()))
    changed, kinds = tables.fold_of(chars), tables.hiding_of(chars)
    moving = frozenset(c for c, new in changed.items() if len(new) != 1)
    found: list[Message] = []
    start = 0
    for text, size, suspect, hint in zip(texts, sizes.tolist(), suspects.tolist(), hints.tolist(), strict=True):
        replaced = folded[start : start + size]
        start += size
        if suspect or (hint and tables.any_contact.search(replaced)):
            found.append(_fold(text, replaced, tables, changed, kinds, moving))
        else:
            found.append(Message(text, replaced))
    return found


def _suspects(tables: _Tables, points: Points, folded_points: Points, sizes: npt.NDArray[np.int64]) -> tuple[Flags, Flags]:
    """Which texts must be looked at one by one, and which only where they hold a disguised contact word.

    Each test is a necessary condition of what `_fold` looks for.
    """
    typed, folded = tables.bits[points], tables.bits[folded_points]
    rows = np.repeat(np.arange(len(sizes)), sizes)
    hit = typed & (MOVES | HIDES) != 0
    if len(hit) > 1:
        before, after = folded[:-1], folded[1:]
        hit[1:] |= (before & IS_HAN != 0) & (after & MARK != 0)  # and, where a third follows, Han or a mark
        hit[1:-1] &= (typed[1:-1] & (MOVES | HIDES) != 0) | (folded[2:] & (IS_HAN | MARK) != 0)
        parts = np.flatnonzero((before & PART_FIRST != 0) & (after & PART_SECOND != 0))
        hit[parts[among(pairs(folded_points[parts], folded_points[parts + 1]), tables.parts)]] = True
    if len(hit) > 4:
        han, weak = folded & IS_HAN != 0, folded & WEAK != 0
        hit[4:] |= han[:-4] & weak[1:-3] & han[2:-2] & weak[3:-1] & han[4:]
    suspects, hints = np.zeros((2, len(sizes)), bool)
    suspects[rows[hit]] = True
    hints[rows[folded & HINT != 0]] = True
    return suspects, hints


def _fold(
    text: str, folded: str, tables: _Tables, changed: Mapping[str, str], kinds: Mapping[str, str], moving: frozenset[str]
) -> Message:
    """Fold a text that is more than characters replaced by one character each; `folded` has those replaced."""
    hiding: dict[str, int] = {} if kinds.keys().isdisjoint(text) else _count_hiders(text, kinds)
    in_place = moving.isdisjoint(text)
    if not in_place:
        work = _translate(text, changed)
        folded = work.text
    if not (
        tables.between_pattern.search(folded)
        or tables.spaced_pattern.search(folded)
        or tables.split_pattern.search(folded)
        or tables.any_contact.search(folded)
    ):
        if in_place:
            return Message(text, folded, hiding=hiding)
        return Message(text, work.text, work.starts, work.ends, hiding)
    if in_place:
        work = _Folding(folded, [*range(len(text))], [*range(1, len(text) + 1)])
    # Each step may uncover what the next one looks for, so all of them run.
    count = work.replace((m.start(), m.end(), "") for m in tables.between_pattern.finditer(work.text))
    if count:
        hiding["between"] = count
    gaps = [
        (m.start() + i, m.start() + i + 1, "")
        for m in tables.spaced_pattern.finditer(work.text)
        for i in range(1, len(m[0]), 2)
    ]
    if work.replace(gaps):
        hiding["spaced"] = len(gaps)
    count = work.replace((m.start(), m.end(), tables.split[m[0]]) for m in tables.split_pattern.finditer(work.text))
    if count:
        hiding["split"] = count
    for pattern, new in tables.contact:
        count = work.replace((m.start(), m.end(), new) for m in pattern.finditer(work.text) if m[0] != new)
        if count:
            hiding["contact"] = hiding.get("contact", 0) + count
    moved = work.starts[:1] not in ([], [0]) or any(b - a != 1 for a, b in pairwise(work.starts))
    if not moved and len(work.text) == len(text):
        return Message(text, work.text, hiding=hiding)
    return Message(text, work.text, work.starts, work.ends, hiding)
