"""Message: the original text, its folded form, and the way back from every folded character to the original.

Folding undoes hiding (NFKC, invisible marks, look-alike letters, traditional characters, marks between characters,
characters taken apart, contact words in disguise). Homophones are not replaced: that damages one normal message in
twenty; the pinyin view of the features sees them. The tables are compiled by `classifier.training.tables`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

RESOURCES = Path(__file__).with_name("resources")
HAN = "\u3400-\u9fff"

# A text in which at least this share of the Han characters is traditional was written that way, not disguised.
TRADITIONAL_TEXT_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class Message:
    """One message and its folded form.

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
    hiding: dict[str, int] = field(default_factory=dict)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map the folded span ``[start, end)``, not empty, to the span of the original text that covers it."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


class _Tables:
    """The compiled folding tables, read once."""

    def __init__(self) -> None:
        raw: dict[str, list[str]] = json.loads((RESOURCES / "fold.json").read_text(encoding="ascii"))
        self.translate = {ord(c): folded for c, (folded, _) in raw.items()}
        self.moving = frozenset(c for c, (folded, _) in raw.items() if len(folded) != 1)
        self.hiders = {c: kind for c, (_, kind) in raw.items() if kind}
        self.hiding_chars = frozenset(self.hiders)
        hiding = tomllib.loads((RESOURCES / "hiding.toml").read_text(encoding="utf-8"))
        split: dict[str, str] = hiding["split"]
        longest_first = sorted(split, key=len, reverse=True)
        self.split = split
        self.split_pattern = re.compile("|".join(map(re.escape, longest_first)))
        self.split_first = frozenset(part[0] for part in split)
        strong = "".join(c for c in hiding["between"]["marks"] if c not in hiding["between"]["weak"])
        self.marks = frozenset(strong)
        self.between_pattern = re.compile(f"(?<=[{HAN}])[{re.escape(strong)}]{{1,3}}(?=[{HAN}])")
        self.spaced_pattern = re.compile(
            f"(?<![{HAN}])[{HAN}](?:[{re.escape(hiding['between']['weak'])} ][{HAN}]){{2,}}(?![{HAN}])"
        )
        self.contact_hints = re.compile("[薇徽威维围喂韦巍微vw扣口企蔻球秋叩葫呼典绿星q]")
        self.contact = [(re.compile(p), r) for p, r in hiding["contact"]["rules"]]


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


def _count_hiders(text: str, tables: _Tables) -> dict[str, int]:
    counts: dict[str, int] = {}
    for char in text:
        kind = tables.hiders.get(char)
        if kind:
            counts[kind] = counts.get(kind, 0) + 1
    traditional = counts.pop("traditional", 0)
    if traditional:
        han = sum("\u3400" <= c <= "\u9fff" for c in text)
        if traditional >= TRADITIONAL_TEXT_SHARE * han and han >= 8:
            counts["traditional_text"] = traditional
        else:
            counts["traditional"] = traditional
    return counts


def _translate(text: str, tables: _Tables) -> _Folding:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, char in enumerate(text):
        new = tables.translate.get(ord(char), char)
        pieces.append(new)
        starts += [at] * len(new)
        ends += [at + 1] * len(new)
    return _Folding("".join(pieces), starts, ends)


class _Screen:
    """Which of the tables' characters occur in some texts, as small searches: most messages hide nothing."""

    def __init__(self, texts: Sequence[str], tables: _Tables) -> None:
        present = set("".join(texts))
        self.hides = _any_of(present & tables.hiding_chars)
        self.moves = _any_of(present & tables.moving)
        self.translate = {ord(c): new for c in present if (new := tables.translate.get(ord(c))) is not None}
        folded = present.union(*self.translate.values())
        self.marked = _any_of(folded & tables.marks)
        self.splits = _any_of(folded & tables.split_first)


def _any_of(chars: Iterable[str]) -> Callable[[str], object]:
    listed = "".join(sorted(chars))
    return re.compile(f"[{re.escape(listed)}]").search if listed else lambda _: None


def fold(text: str) -> Message:
    """Fold one text. Never raises; a lone surrogate is dropped as an invisible character."""
    return fold_many([text])[0]


def fold_many(texts: Sequence[str]) -> list[Message]:
    """Fold texts; what they share is looked up once."""
    tables = _tables()
    screen = _Screen(texts, tables)
    return [_fold(text, tables, screen) for text in texts]


def _fold(text: str, tables: _Tables, screen: _Screen) -> Message:
    hiding = _count_hiders(text, tables) if screen.hides(text) else {}
    folded = text.translate(screen.translate) if screen.translate else text
    in_place = not screen.moves(text)
    between = screen.marked(folded) and tables.between_pattern.search(folded)
    spaced = tables.spaced_pattern.search(folded)
    split = screen.splits(folded) and tables.split_pattern.search(folded)
    contact = tables.contact_hints.search(folded) and any(p.search(folded) for p, _ in tables.contact)
    if not (between or spaced or split or contact):
        if in_place:
            return Message(text, folded, hiding=hiding)
        work = _translate(text, tables)
        return Message(text, work.text, work.starts, work.ends, hiding)
    work = _Folding(folded, [*range(len(text))], [*range(1, len(text) + 1)]) if in_place else _translate(text, tables)
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
