"""Features: words, characters, toneless pinyin and signals, each a named column; one featuriser for training and scoring.

Characters and syllables are taken over a whole chunk of messages at once: code points in one array, an n-gram a 64-bit
integer, its column found by binary search. Nothing here knows a label.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.message import RESOURCES, Message
from classifier.signals import Signal, SignalMatcher
from classifier.tokens import TokenizerName, cutter

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

URL = re.compile(
    r"(?:https?://|www\.)[^\s\u3000-\u9fff,;!()【】“”]+"
    r"|(?<![a-z0-9@.])(?:[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?\.)+[a-z]{2,8}(?![a-z0-9])(?:/[^\s\u3000-\u9fff,;!()【】“”]*)?"
)
MASK = "\x1f"  # stands for every character of a link: what a host is called is not evidence the corpus can teach
START, END = "\x02", "\x03"
LENGTHS = (("length.to8", 8), ("length.to16", 16), ("length.to32", 32), ("length.to64", 64), ("length.to128", 128))
BITS = 21  # of a code point; three of them fill a 64-bit key


@dataclass(frozen=True, slots=True)
class ViewConfig:
    """What the views hold: n-gram orders, the documents a feature must stand in, and each view's weight."""

    char_orders: tuple[int, ...] = (1, 2, 3)
    pinyin_orders: tuple[int, ...] = (2, 3)
    word_orders: tuple[int, ...] = (1, 2)
    min_df: int = 4
    word_weight: float = 1.0
    char_weight: float = 1.0
    pinyin_weight: float = 0.7
    signal_weight: float = 0.25
    tokenizer: TokenizerName = "rjieba"

    def to_json(self) -> dict[str, Any]:
        """Plain values for the model's metadata."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> ViewConfig:
        """The inverse of `to_json`."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return cls(**values)


@dataclass(slots=True)
class Occurrences:
    """Where the features of one view stand: parallel arrays, ordered by message.

    `rows` numbers the message in the chunk, `columns` the feature, `values` its weight in the vector; `starts` and
    `ends` are folded offsets, empty unless positions were asked for.
    """

    rows: IntArray
    columns: IntArray
    values: FloatArray
    starts: IntArray
    ends: IntArray


@dataclass(slots=True)
class _Grams:
    """Candidate n-grams of one order before the vocabulary: message, integer key, folded span."""

    rows: IntArray
    keys: IntArray
    starts: IntArray
    ends: IntArray


@cache
def _pinyin() -> tuple[npt.NDArray[np.uint16], dict[str, int]]:
    import json

    syllables: list[str] = json.loads((RESOURCES / "pinyin.json").read_text(encoding="ascii"))
    return np.load(RESOURCES / "pinyin.npy", allow_pickle=False), {s: i + 1 for i, s in enumerate(syllables)}


LATIN = re.compile(r"[a-z]{2,}")


def _latin_syllables(run: str, index: dict[str, int]) -> list[tuple[int, int, int]]:
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


def canonical(folded: str) -> str:
    """Return the folded text with every link masked, character for character."""
    if "." not in folded and "://" not in folded:
        return folded
    return URL.sub(lambda m: MASK * len(m[0]), folded)


def _windows(rows: IntArray, ids: IntArray, starts: IntArray, ends: IntArray, order: int, bits: int) -> _Grams:
    """All runs of `order` neighbours inside one message, as integer keys."""
    size = len(ids) - order + 1
    if size <= 0:
        empty = np.zeros(0, np.int64)
        return _Grams(empty, empty, empty, empty)
    keys = ids[:size].copy()
    for step in range(1, order):
        keys <<= bits
        keys |= ids[step : step + size]
    inside = rows[:size] == rows[order - 1 :]
    return _Grams(rows[:size][inside], keys[inside], starts[:size][inside], ends[order - 1 :][inside])


class _Chunk:
    """The raw material of a list of messages, shared by the views."""

    def __init__(self, messages: Sequence[Message], cut: Callable[[str], list[str]]) -> None:
        self.messages = messages
        self.texts = [canonical(m.folded) for m in messages]
        self.cut = cut
        joined = START + (END + START).join(self.texts) + END
        points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
        lengths = np.fromiter((len(t) for t in self.texts), np.int64, len(self.texts)) + 2
        rows = np.repeat(np.arange(len(self.texts)), lengths)
        offsets = np.arange(len(points)) - np.repeat(np.cumsum(lengths) - lengths, lengths) - 1
        digit = (points >= 48) & (points <= 57)
        third = digit.copy()
        third[2:] &= digit[1:-1] & digit[:-2]
        third[:2] = False
        keep = ~(third | (points == ord(MASK)) | (points == 32) | (points == 9) | (points == 10))
        points = np.where(digit, 48, points)
        self.points, self.rows, self.offsets = points[keep], rows[keep], offsets[keep]

    def chars(self, order: int) -> _Grams:
        """Character n-grams, digits made alike and at most two in a row, the message's start and end as characters."""
        return _windows(self.rows, self.points, self.offsets, self.offsets + 1, order, BITS)

    def syllables(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """(rows, syllable, start, end) of every Han character and every Latin run that spells pinyin."""
        table, index = _pinyin()
        small = self.points < 0x10000
        syllable = np.zeros(len(self.points), np.int64)
        syllable[small] = table[self.points[small]]
        has = syllable > 0
        rows, values, starts = self.rows[has], syllable[has], self.offsets[has]
        ends = starts + 1
        extra = [
            (row, s, m.start() + a, m.start() + b)
            for row, text in enumerate(self.texts)
            for m in LATIN.finditer(text)
            for a, b, s in _latin_syllables(m[0], index)
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

    def words(self) -> list[list[str]]:
        """The tokens of every message; links stay in as runs of `MASK`."""
        return [self.cut(text) for text in self.texts]


def word_name(token: str) -> str:
    """The name under which a token is counted: numbers by their length only."""
    if token[0].isdigit() and token.replace(".", "").replace(",", "").isdigit():
        return "0" * min(len(token), 6)
    return token


def counts_as_word(token: str) -> bool:
    """Whether a token can be a word feature: not a link, not white space."""
    return not (token.isspace() or MASK in token)


@dataclass(slots=True)
class FeatureSpace:
    """A fitted vocabulary: which n-gram, word or signal is which column, and its inverse document frequency.

    Columns are numbered words, word pairs, characters by order, syllables by order, signals.
    """

    config: ViewConfig
    signals: list[Signal]
    words: list[str] = field(default_factory=list)
    pairs: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    chars: dict[int, IntArray] = field(default_factory=dict)
    pinyin: dict[int, IntArray] = field(default_factory=dict)
    idf: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    database: bytes | None = None
    tokenizer: TokenizerName | None = None
    _word_ids: dict[str, int] = field(default_factory=dict)
    _matcher: SignalMatcher | None = None
    _cut: Callable[[str], list[str]] | None = None

    def __post_init__(self) -> None:
        self.prepare()

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: getattr(self, name)
            for name in ("config", "signals", "words", "pairs", "chars", "pinyin", "idf", "database", "tokenizer")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.prepare()

    def prepare(self) -> None:
        """Build the look-up tables from the fitted parts."""
        self._word_ids = {w: i for i, w in enumerate(self.words)}
        self._matcher = None
        self._cut = None

    @property
    def matcher(self) -> SignalMatcher:
        """The signals, compiled on first use."""
        if self._matcher is None:
            self._matcher = SignalMatcher(self.signals, self.database)
        return self._matcher

    @property
    def cut(self) -> Callable[[str], list[str]]:
        """The tokenizer, loaded on first use."""
        if self._cut is None:
            self._cut = cutter(self.tokenizer or self.config.tokenizer)
        return self._cut

    # -- columns ------------------------------------------------------------------------------------------------
    @property
    def blocks(self) -> list[tuple[str, int]]:
        """The blocks of columns in order, each (name, size)."""
        return [
            ("word", len(self.words)),
            ("pair", len(self.pairs)),
            *((f"char{n}", len(self.chars[n])) for n in sorted(self.chars)),
            *((f"pinyin{n}", len(self.pinyin[n])) for n in sorted(self.pinyin)),
            ("signal", len(self.signals)),
        ]

    @property
    def size(self) -> int:
        """The number of columns."""
        return sum(size for _, size in self.blocks)

    def offset(self, block: str) -> int:
        """The first column of a block."""
        at = 0
        for name, size in self.blocks:
            if name == block:
                return at
            at += size
        raise KeyError(block)

    def names(self) -> list[str]:
        """A readable name for every column, e.g. ``word:逾期``, ``char2:还款``, ``signal:fee.before_service``."""
        _, index = _pinyin()
        syllable = {i: s for s, i in index.items()}

        def unpack(key: int, order: int, bits: int) -> list[int]:
            return [(key >> (bits * (order - 1 - i))) & ((1 << bits) - 1) for i in range(order)]

        names = [f"word:{w}" for w in self.words]
        names += [f"pair:{self.words[k >> 32]}+{self.words[k & 0xFFFFFFFF]}" for k in self.pairs.tolist()]
        for n in sorted(self.chars):
            names += [f"char{n}:" + "".join(map(chr, unpack(k, n, BITS))) for k in self.chars[n].tolist()]
        for n in sorted(self.pinyin):
            names += [f"pinyin{n}:" + " ".join(syllable[s] for s in unpack(k, n, 9)) for k in self.pinyin[n].tolist()]
        return names + [f"signal:{s.id}" for s in self.signals]

    # -- fitting ------------------------------------------------------------------------------------------------
    @classmethod
    def fit(
        cls, messages: Sequence[Message], signals: Sequence[Signal], config: ViewConfig, database: bytes | None = None
    ) -> FeatureSpace:
        """Learn vocabulary and inverse document frequencies from messages."""
        space = cls(config, list(signals), database=database)
        chunk = _Chunk(messages, space.cut)
        count = len(messages)

        def vocabulary(rows: IntArray, keys: IntArray) -> tuple[IntArray, IntArray]:
            seen = np.unique(np.stack([keys, rows]), axis=1)[0] if len(keys) else keys
            values, df = np.unique(seen, return_counts=True)
            kept = df >= config.min_df
            return values[kept], df[kept]

        idf: list[IntArray] = []
        tokens = chunk.words()
        df_words: dict[str, int] = {}
        for row in tokens:
            for word in {word_name(t) for t in row if counts_as_word(t)}:
                df_words[word] = df_words.get(word, 0) + 1
        if 1 in config.word_orders:
            space.words = sorted(w for w, n in df_words.items() if n >= config.min_df)
        idf.append(np.array([df_words[w] for w in space.words], np.int64))
        space.prepare()
        if 2 in config.word_orders:
            rows, ids, starts, ends = space._word_arrays(tokens)
            grams = _windows(rows, ids, starts, ends, 2, 32)
            good = (grams.keys >> 32 < len(space.words)) & (grams.keys & 0xFFFFFFFF < len(space.words))
            space.pairs, df = vocabulary(grams.rows[good], grams.keys[good])
            idf.append(df)
        for n in config.char_orders:
            grams = chunk.chars(n)
            space.chars[n], df = vocabulary(grams.rows, grams.keys)
            idf.append(df)
        if config.pinyin_orders:
            syllables = chunk.syllables()
            for n in config.pinyin_orders:
                grams = _windows(*syllables, n, 9)
                space.pinyin[n], df = vocabulary(grams.rows, grams.keys)
                idf.append(df)
        df_all = np.concatenate([*idf, np.full(len(space.signals), count)])
        space.idf = (np.log((1 + count) / (1 + df_all)) + 1).astype(np.float32)
        return space

    def keep(self, columns: npt.NDArray[np.bool_]) -> None:
        """Drop the n-gram columns that are False in `columns`; words and signals always stay."""
        blocks = dict(
            zip((n for n, _ in self.blocks), np.split(columns, np.cumsum([s for _, s in self.blocks])), strict=False)
        )
        chosen = [blocks["pair"]]
        self.pairs = self.pairs[blocks["pair"]]
        for name, grams in (("char", self.chars), ("pinyin", self.pinyin)):
            for n in sorted(grams):
                chosen.append(blocks[f"{name}{n}"])
                grams[n] = grams[n][chosen[-1]]
        words, signals = len(self.words), len(self.signals)
        kept = np.concatenate([np.ones(words, bool), *chosen, np.ones(signals, bool)])
        self.idf = self.idf[kept]

    def _word_arrays(self, tokens: Sequence[Sequence[str]]) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """(rows, word id or len(words) where unknown, start, end) of all tokens."""
        unknown = len(self.words)
        ids = self._word_ids
        rows: list[int] = []
        values: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        for row, words in enumerate(tokens):
            at = 0
            for word in words:
                end = at + len(word)
                if counts_as_word(word):
                    rows.append(row)
                    values.append(ids.get(word_name(word), unknown))
                    starts.append(at)
                    ends.append(end)
                at = end
        return tuple(np.array(x, np.int64) for x in (rows, values, starts, ends))  # type: ignore[return-value]

    # -- transforming -------------------------------------------------------------------------------------------
    def occurrences(self, messages: Sequence[Message], positions: bool = False) -> list[Occurrences]:
        """Return the features of a chunk of messages, view by view; each view's vector has length `weight`."""
        chunk = _Chunk(messages, self.cut)
        config = self.config
        views: list[tuple[list[Occurrences], float]] = []
        if self.words:
            rows, ids, starts, ends = self._word_arrays(chunk.words())
            parts = [self._known(_Grams(rows, ids, starts, ends), None, "word")]
            if len(self.pairs):
                parts.append(self._known(_windows(rows, ids, starts, ends, 2, 32), self.pairs, "pair"))
            views.append((parts, config.word_weight))
        if self.chars:
            parts = [self._known(chunk.chars(n), self.chars[n], f"char{n}") for n in sorted(self.chars)]
            views.append((parts, config.char_weight))
        if self.pinyin:
            syllables = chunk.syllables()
            parts = [self._known(_windows(*syllables, n, 9), self.pinyin[n], f"pinyin{n}") for n in sorted(self.pinyin)]
            views.append((parts, config.pinyin_weight))
        found: list[Occurrences] = []
        for parts, weight in views:
            squares = np.zeros(len(messages))
            for part in parts:
                part.values = self.idf[part.columns]
                squares += np.bincount(part.rows, part.values.astype(np.float64) ** 2, len(messages))
            scale = (weight / np.sqrt(np.maximum(squares, 1e-12))).astype(np.float32)
            for part in parts:
                part.values = part.values * scale[part.rows]
            found += parts
        found.append(self._signal_occurrences(messages, positions))
        return found

    def _known(self, grams: _Grams, vocabulary: IntArray | None, block: str) -> Occurrences:
        """Keep the n-grams of the vocabulary and number their columns."""
        if vocabulary is None:
            known = grams.keys < len(self.words)
            columns = grams.keys[known]
        elif len(vocabulary) == 0:
            known = np.zeros(len(grams.keys), bool)
            columns = np.zeros(0, np.int64)
        else:
            at = np.searchsorted(vocabulary, grams.keys)
            at[at == len(vocabulary)] = 0
            known = vocabulary[at] == grams.keys
            columns = at[known]
        values = np.zeros(0, np.float32)
        return Occurrences(grams.rows[known], columns + self.offset(block), values, grams.starts[known], grams.ends[known])

    def _signal_occurrences(self, messages: Sequence[Message], positions: bool) -> Occurrences:
        """Signals of each message; a signal that stands at several places shares its weight among them."""
        first, weight = self.offset("signal"), self.config.signal_weight
        rows: list[int] = []
        columns: list[int] = []
        values: list[float] = []
        starts: list[int] = []
        ends: list[int] = []
        matcher = self.matcher
        computed = {s.id: i for i, s in enumerate(self.signals) if not s.pattern}
        for row, message in enumerate(messages):
            for index in matcher.match(message.folded):
                spans = (matcher.spans(index, message.folded) if positions else None) or [(0, 0)]
                for start, end in spans:
                    rows.append(row)
                    columns.append(first + index)
                    values.append(weight / len(spans))
                    starts.append(start)
                    ends.append(end)
            for name in computed_signals(message):
                if name in computed:
                    rows.append(row)
                    columns.append(first + computed[name])
                    values.append(weight)
                    starts.append(0)
                    ends.append(0)
        return Occurrences(
            np.array(rows, np.int64),
            np.array(columns, np.int64),
            np.array(values, np.float32),
            np.array(starts, np.int64),
            np.array(ends, np.int64),
        )

    def measure(self, messages: Sequence[Message]) -> tuple[IntArray, npt.NDArray[np.float64]]:
        """For each message the number of letters and digits, and the share of its letters that the vocabulary knows."""
        lengths = np.fromiter((len(m.folded) for m in messages), np.int64, len(messages))
        joined = "".join(m.folded for m in messages)
        points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        rows = np.repeat(np.arange(len(messages)), lengths)
        values, inverse = np.unique(points, return_inverse=True)
        chars = [chr(v) for v in values.tolist()]
        known = np.isin(values, self.chars[1]) if 1 in self.chars else np.zeros(len(values), bool)
        alnum = np.array([c.isalnum() for c in chars], bool)[inverse]
        letter = np.array([c.isalnum() and not c.isdigit() for c in chars], bool)[inverse]
        characters = np.bincount(rows[alnum], minlength=len(messages))
        letters = np.bincount(rows[letter], minlength=len(messages))
        recognised = np.bincount(rows[letter & known[inverse]], minlength=len(messages))
        return characters, recognised / np.maximum(letters, 1)


def computed_signals(message: Message) -> Iterable[str]:
    """Names of the signals that follow from the folding and the length."""
    for kind in message.hiding:
        yield f"hiding.{kind}"
    size = len(message.folded.strip())
    yield next((name for name, most in LENGTHS if size <= most), "length.longer")


def save_space(space: FeatureSpace, folder: Path) -> None:
    """Write a feature space as arrays and plain text."""
    from classifier.signals import write_json

    (folder / "words.txt").write_text("\n".join(space.words), encoding="utf-8")
    np.save(folder / "word_pairs.npy", space.pairs)
    for name, grams in (("chars", space.chars), ("pinyin", space.pinyin)):
        for n, keys in grams.items():
            np.save(folder / f"{name}{n}.npy", keys)
    np.save(folder / "idf.npy", space.idf)
    write_json(space.signals, folder / "signals.json")
    if space.database is not None:
        (folder / "signals.hsdb").write_bytes(zlib.compress(space.database, 9))


def load_space(folder: Path, config: ViewConfig, tokenizer: TokenizerName | None = None) -> FeatureSpace:
    """Read what `save_space` wrote; runs no code from the files."""
    from classifier.signals import read_json

    words = (folder / "words.txt").read_text(encoding="utf-8")
    database = folder / "signals.hsdb"
    return FeatureSpace(
        config=config,
        signals=read_json(folder / "signals.json"),
        words=words.split("\n") if words else [],
        pairs=np.load(folder / "word_pairs.npy", allow_pickle=False),
        chars={n: np.load(folder / f"chars{n}.npy", allow_pickle=False) for n in config.char_orders},
        pinyin={n: np.load(folder / f"pinyin{n}.npy", allow_pickle=False) for n in config.pinyin_orders},
        idf=np.load(folder / "idf.npy", allow_pickle=False),
        database=zlib.decompress(database.read_bytes()) if database.exists() else None,
        tokenizer=tokenizer,
    )
