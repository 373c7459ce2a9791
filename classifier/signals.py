"""Signals: named facts about a message, matched in one linear-time pass (hyperscan, or google-re2).

Entries live in ``resources/signals.toml``; a trained model carries its own compiled copy (``signals.json``), so that
it always scores with the patterns it was trained on. Weights are learned, never set here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifier.chunk import IntArray
from classifier.errors import ModelError

TOML = Path(__file__).with_name("resources") / "signals.toml"
LOOK_BACK = 12  # characters before a match in which `unless` may deny it
FEW = 200  # texts up to which google-re2 locates all patterns: it compiles them faster
SHORT = 200  # characters up to which a simple pattern is located by Python's own engine
REPEATED_GROUP = re.compile(r"\)(?:[*+{])")
UNBOUNDED = re.compile(r"(?<!\\)[*+]|\{[0-9]+,\}")
ANCHOR = re.compile(r"\\[AbBzZ]|\$|(?<!\[)\^")
SENTENCE_END = r"[。!?;\n]"


@dataclass(frozen=True, slots=True)
class Signal:
    """One entry: `pattern` and `unless` are google-re2 expressions over the folded text.

    A computed signal has no pattern: `classifier.features` derives it from the folding or the length.
    """

    id: str
    pattern: str
    unless: str
    zh: str
    en: str
    hit: str = ""
    miss: str = ""


def read_toml(path: Path = TOML) -> list[Signal]:
    """Read the entries and expand their macros, in file order. Raises `ModelError` on an unknown macro."""
    import tomllib

    raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    macros: dict[str, str] = raw.pop("macros")

    def expand(text: str) -> str:
        def one(match: re.Match[str]) -> str:
            if match[1] not in macros:
                raise ModelError(f"{path.name}: unknown macro {{{match[1]}}}.")
            return macros[match[1]]

        return re.sub(r"\{([A-Z]+)\}", one, text)

    return [
        Signal(
            name,
            expand(e.get("pattern", "")),
            expand(e.get("unless", "")),
            e["zh"],
            e["en"],
            e.get("hit", ""),
            e.get("miss", ""),
        )
        for name, e in raw.items()
    ]


def write_json(signals: Iterable[Signal], path: Path) -> None:
    """Write what scoring needs, examples left out."""
    rows = [[s.id, s.pattern, s.unless, s.zh, s.en] for s in signals]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def read_json(path: Path) -> list[Signal]:
    """Read a model's own copy of the signals."""
    return [Signal(*row) for row in json.loads(path.read_text(encoding="utf-8"))]


def compile_database(signals: Sequence[Signal]) -> bytes:
    """Compile all patterns into one hyperscan database, serialised (about 2 s and 3 MB for 170 patterns).

    Raises `ModelError` where a pattern is not understood by hyperscan or by google-re2; the two are held equal by a
    test over the corpus.
    """
    import hyperscan
    import re2

    for signal in signals:
        for expression in (signal.pattern, signal.unless):
            try:
                re2.compile(expression)
            except re2.error as error:
                raise ModelError(f"Signal '{signal.id}': bad pattern ({error}).") from None
    database = hyperscan.Database()
    patterns = [(i, s.pattern) for i, s in enumerate(signals) if s.pattern]
    try:
        database.compile(
            expressions=[pattern.encode() for _, pattern in patterns],
            ids=[i for i, _ in patterns],
            elements=len(patterns),
            flags=hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH,
        )
    except hyperscan.error as error:
        raise ModelError(f"Signals: bad pattern ({error}).") from None
    serialised: bytes = hyperscan.dumpb(database)
    return serialised


def _load_scan(database: bytes) -> Callable[..., Any] | None:
    try:
        import hyperscan
    except ImportError:
        return None
    try:
        loaded = hyperscan.loadb(database, hyperscan.HS_MODE_BLOCK)
        loaded.scratch = hyperscan.Scratch(loaded)
    except hyperscan.error:  # compiled for another processor or version
        return None
    scan: Callable[..., Any] = loaded.scan
    return scan


class _Simple:
    """The signals whose patterns are simple, found out one by one as they are met: most never are in one process."""

    def __init__(self, signals: Sequence[Signal]) -> None:
        self.signals = signals
        self.known: dict[int, bool] = {}

    def __contains__(self, index: int) -> bool:
        if index not in self.known:
            signal = self.signals[index]
            self.known[index] = _simple(signal.pattern) and _simple(signal.unless)
        return self.known[index]


class SignalMatcher:
    """All patterns of a list of signals, matched together in time linear in the text.

    With a serialised hyperscan `database` (7 microseconds a message); without one, or where this processor or
    platform cannot load it, with google-re2 alone: the same answers, some thirty times slower.
    """

    def __init__(self, signals: Sequence[Signal], database: bytes | None = None) -> None:
        self.signals = list(signals)
        self._unless = np.array([bool(s.unless) for s in self.signals], bool)
        # Denials that hold or not wherever the text is cut: no anchor, no word boundary.
        self._anywhere = {i for i, s in enumerate(self.signals) if not ANCHOR.search(s.unless)}
        self._simple = _Simple(self.signals)
        self._finders: dict[int, Callable[[str], Iterator[re.Match[str]]] | None] = {}
        self._seen = 0
        self._compiled: dict[tuple[int, bool], tuple[Any, Any]] = {}
        self._scan: Callable[..., Any] | None = None
        self._filter: Any = None
        if database is not None:
            self._scan = _load_scan(database)
        if self._scan is None:
            import re2

            self._filter = re2.Filter()
            self._ids = [i for i, s in enumerate(self.signals) if s.pattern]
            for i in self._ids:
                self._filter.Add(self.signals[i].pattern)
            self._filter.Compile()

    @property
    def engine(self) -> str:
        """The name of the engine in use."""
        return "hyperscan" if self._scan is not None else "re2"

    def match(self, folded: str) -> list[int]:
        """Return the indices of the signals that the folded text shows, ascending."""
        found: list[int] = self.match_many([folded])[1].tolist()
        return found

    def match_many(self, texts: Sequence[str]) -> tuple[IntArray, IntArray]:
        """The signals of each text: parallel arrays of the text's number and the signal's index, both ascending."""
        hits: list[int] = []
        scan = self._scan
        add = hits.append

        def found(index: int, _from: int, _to: int, _flags: int, _context: object) -> None:
            add(index)

        counts: list[int] = []
        self._seen += len(texts)
        for folded in texts:
            before = len(hits)
            if scan is not None:
                scan(folded.encode("utf-8", "replace"), match_event_handler=found)
            else:
                hits += [self._ids[i] for i in self._filter.Match(folded) or ()]
            counts.append(len(hits) - before)
        indices = np.array(hits, np.int64)
        rows = np.repeat(np.arange(len(texts)), counts)
        order = np.lexsort((indices, rows))
        indices = indices[order]
        shown = np.ones(len(indices), bool)
        for at in np.flatnonzero(self._unless[indices]).tolist():
            shown[at] = self._allowed(int(indices[at]), texts[rows[at]])
        return rows[shown], indices[shown]

    def _allowed(self, index: int, folded: str) -> bool:
        _, unless = self._expressions(index, folded)
        if index in self._anywhere and unless.search(folded) is None:
            return True  # what is nowhere in the text is not beside the match either
        return next(iter(self._spans(index, folded)), None) is not None

    def _expressions(self, index: int, folded: str) -> tuple[Any, Any]:
        """The pattern and the denial of a signal, by the engine for a text of this length."""
        quick = self._seen > FEW and len(folded) <= SHORT and index in self._simple
        found = self._compiled.get((index, quick))
        if found is None:
            signal = self.signals[index]
            compiled = _compile if quick else _compile_linear
            found = (compiled(signal.pattern), compiled(signal.unless) if signal.unless else None)
            self._compiled[index, quick] = found
        return found

    def _finder(self, index: int) -> Callable[[str], Iterator[re.Match[str]]] | None:
        """How to locate a simple signal without denials in a short text."""
        if index not in self._finders:
            usable = not self._unless[index] and index in self._simple
            self._finders[index] = _compile(self.signals[index].pattern).finditer if usable else None
        return self._finders[index]

    def _spans(self, index: int, folded: str) -> Iterable[tuple[int, int]]:
        pattern, unless = self._expressions(index, folded)
        for match in pattern.finditer(folded):
            start, end = match.span()
            if unless is not None:
                before = re.split(SENTENCE_END, folded[max(0, start - LOOK_BACK) : start])[-1]
                if unless.search(before + folded[start:end]):
                    continue
            yield start, end

    def spans(self, index: int, folded: str) -> list[tuple[int, int]]:
        """Return the folded spans at which one signal stands, denied ones left out."""
        if len(folded) <= SHORT and self._seen > FEW and (find := self._finder(index)) is not None:
            return [match.span() for match in find(folded)]
        return list(self._spans(index, folded))


def _compile(expression: str) -> re.Pattern[str]:
    """A pattern for Python's own engine, which has much the lower cost a call; classes mean ASCII as in google-re2."""
    return re.compile(expression, re.ASCII)


def _compile_linear(expression: str) -> Any:
    """A pattern for google-re2, loaded when first needed: a short message with simple signals does without."""
    import re2

    return re2.compile(expression)


def _simple(expression: str) -> bool:
    """Whether Python's engine reads an expression as google-re2 does, and cannot take long over a short text.

    With one repeat without a bound the steps are at most the square of the length, and `SHORT` bounds that.
    """
    try:
        _compile(expression)
    except re.error:
        return False
    odd = ANCHOR.search(expression) or REPEATED_GROUP.search(expression) or "[[:" in expression
    return not odd and len(UNBOUNDED.findall(expression)) <= 1
