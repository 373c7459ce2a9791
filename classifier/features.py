"""Features: words, characters, toneless pinyin and signals, each a named column; one featuriser for training and scoring.

Everything is taken over a whole chunk of messages at once: an n-gram is a 64-bit integer, its column found by binary
search, or, for many messages, by the compiled kernels. Nothing here knows a label.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import fast
from classifier.chunk import BITS, END, SYLLABLE_BITS, Chunk, Grams, IntArray, pinyin, windows
from classifier.codepoints import ALNUM, CODE_POINTS, LETTER, Points
from classifier.links import MASK
from classifier.lookup import Lookup
from classifier.message import Message
from classifier.occurrences import FloatArray, Occurrences
from classifier.signals import Signal, SignalMatcher
from classifier.tokens import TokenizerName, cutter

LENGTH_LIMITS = (8, 16, 32, 64, 128)
LENGTHS = (*(f"length.to{most}" for most in LENGTH_LIMITS), "length.longer")
NOT_A_WORD = -1
MOST_REMEMBERED = 50_000


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


def word_name(token: str) -> str:
    """The name under which a token is counted: numbers by their length only."""
    if token[0].isdigit() and token.replace(".", "").replace(",", "").isdigit():
        return "0" * min(len(token), 6)
    return token


def counts_as_word(token: str) -> bool:
    """Whether a token can be a word feature: not a link, not white space, not the end of a text."""
    return not (token.isspace() or MASK in token or token == END)


class _WordIds(dict[str, int]):
    """Token -> its word's column, `unknown` where it has none, `NOT_A_WORD` where it is no word; remembers what it met."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__((word, at) for at, word in enumerate(words))
        self.unknown = len(words)
        self.most = len(words) + MOST_REMEMBERED

    def __missing__(self, token: str) -> int:
        found = self.get(word_name(token), self.unknown) if counts_as_word(token) else NOT_A_WORD
        if len(self) < self.most:
            self[token] = found
        return found


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
    packed: bytes | None = None  # the database as it is shipped, unpacked when it is first needed
    _word_ids: dict[str, int] = field(default_factory=dict)
    _matcher: SignalMatcher | None = None
    _lookup: Lookup | None = None
    _known_points: npt.NDArray[np.bool_] | None = None
    _cut: Callable[[str], list[str]] | None = None

    def __post_init__(self) -> None:
        self.prepare()

    def __getstate__(self) -> dict[str, Any]:
        kept = {
            name: getattr(self, name)
            for name in ("config", "signals", "words", "pairs", "chars", "pinyin", "idf", "tokenizer")
        }
        return kept | {"database": self.unpacked()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.packed = None
        for name, value in state.items():
            setattr(self, name, value)
        self.prepare()

    def prepare(self) -> None:
        """Build the look-up tables from the fitted parts."""
        self._word_ids = _WordIds(self.words)
        self._matcher = None
        self._lookup = None
        self._known_points = None
        self._cut = None

    def unpacked(self) -> bytes | None:
        """The serialised hyperscan database."""
        return zlib.decompress(self.packed) if self.packed is not None else self.database

    @property
    def matcher(self) -> SignalMatcher:
        """The signals, compiled on first use."""
        if self._matcher is None:
            self._matcher = SignalMatcher(self.signals, self.unpacked())
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
        _, index = pinyin()
        syllable = {i: s for s, i in index.items()}

        def unpack(key: int, order: int, bits: int) -> list[int]:
            return [(key >> (bits * (order - 1 - i))) & ((1 << bits) - 1) for i in range(order)]

        names = [f"word:{w}" for w in self.words]
        names += [f"pair:{self.words[k >> 32]}+{self.words[k & 0xFFFFFFFF]}" for k in self.pairs.tolist()]
        for n in sorted(self.chars):
            names += [f"char{n}:" + "".join(map(chr, unpack(k, n, BITS))) for k in self.chars[n].tolist()]
        for n in sorted(self.pinyin):
            keys = self.pinyin[n].tolist()
            names += [f"pinyin{n}:" + " ".join(syllable[s] for s in unpack(k, n, SYLLABLE_BITS)) for k in keys]
        return names + [f"signal:{s.id}" for s in self.signals]

    # -- fitting ------------------------------------------------------------------------------------------------
    @classmethod
    def fit(
        cls, messages: Sequence[Message], signals: Sequence[Signal], config: ViewConfig, database: bytes | None = None
    ) -> FeatureSpace:
        """Learn vocabulary and inverse document frequencies from messages."""
        space = cls(config, list(signals), database=database)
        chunk = Chunk(messages, space.cut)
        count = len(messages)

        def vocabulary(rows: IntArray, keys: IntArray) -> tuple[IntArray, IntArray]:
            order = np.argsort(keys, kind="stable")  # rows ascend already, and go on doing so for each key
            keys, rows = keys[order], rows[order]
            again = np.zeros(len(keys), bool)
            again[1:] = (keys[1:] == keys[:-1]) & (rows[1:] == rows[:-1])
            values, df = np.unique(keys[~again], return_counts=True)
            kept = df >= config.min_df
            return values[kept], df[kept]

        idf: list[IntArray] = []
        seen = {
            (row, word_name(t))
            for row, t in zip(chunk.tokens.rows.tolist(), chunk.tokens.words, strict=True)
            if counts_as_word(t)
        }
        df_words = Counter(word for _, word in seen)
        if 1 in config.word_orders:
            space.words = sorted(w for w, n in df_words.items() if n >= config.min_df)
        idf.append(np.array([df_words[w] for w in space.words], np.int64))
        space.prepare()
        if 2 in config.word_orders:
            grams = windows(*space._word_arrays(chunk), 2, 32)
            good = (grams.keys >> 32 < len(space.words)) & (grams.keys & 0xFFFFFFFF < len(space.words))
            space.pairs, df = vocabulary(grams.rows[good], grams.keys[good])
            idf.append(df)
        for n in config.char_orders:
            grams = chunk.chars(n)
            space.chars[n], df = vocabulary(grams.rows, grams.keys)
            idf.append(df)
        if config.pinyin_orders:
            for n in config.pinyin_orders:
                grams = chunk.pinyin(n)
                space.pinyin[n], df = vocabulary(grams.rows, grams.keys)
                idf.append(df)
        df_all = np.concatenate([*idf, np.full(len(space.signals), count)])
        space.idf = (np.log((1 + count) / (1 + df_all)) + 1).astype(np.float32)
        return space

    def keep(self, columns: npt.NDArray[np.bool_]) -> None:
        """Drop the n-gram columns that are False in `columns`; words and signals always stay."""
        sizes = np.cumsum([size for _, size in self.blocks])
        blocks = dict(zip((name for name, _ in self.blocks), np.split(columns, sizes), strict=False))
        kept = [np.ones(len(self.words), bool), blocks["pair"]]
        self.pairs = self.pairs[blocks["pair"]]
        for name, grams in (("char", self.chars), ("pinyin", self.pinyin)):
            for n in sorted(grams):
                kept.append(blocks[f"{name}{n}"])
                grams[n] = grams[n][kept[-1]]
        self.idf = self.idf[np.concatenate([*kept, np.ones(len(self.signals), bool)])]
        self.prepare()

    def _word_arrays(self, chunk: Chunk) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """(rows, word id or len(words) where unknown, start, end) of all tokens that are words."""
        tokens = chunk.tokens
        ids = np.fromiter(map(self._word_ids.__getitem__, tokens.words), np.int64, len(tokens.words))
        counted = ids != NOT_A_WORD
        return tokens.rows[counted], ids[counted], tokens.starts[counted], tokens.ends[counted]

    # -- transforming -------------------------------------------------------------------------------------------
    def read(self, messages: Sequence[Message]) -> Chunk:
        """Messages as `occurrences`, `measure` and the evidence read them, so that each thing is worked out once."""
        return Chunk(messages, self.cut)

    def occurrences(self, messages: Sequence[Message] | Chunk, positions: bool = False) -> list[Occurrences]:
        """Return the features of a chunk of messages, signals last; each view's vector has length `weight`.

        Signals have their places only where `positions` are asked for.
        """
        chunk = messages if isinstance(messages, Chunk) else self.read(messages)
        words = self._word_arrays(chunk)
        if kernels := fast.kernels(len(chunk)):
            if self._lookup is None:
                self._lookup = Lookup(kernels, self)
            found = [self._lookup.occurrences(chunk, words)]
        else:
            found = self._plain(chunk, words)
        return [*found, self._signal_occurrences(chunk.messages, positions)]

    def _plain(self, chunk: Chunk, words: tuple[IntArray, IntArray, IntArray, IntArray]) -> list[Occurrences]:
        """The occurrences of words, characters and syllables by numpy alone, block by block."""
        config = self.config
        views: list[tuple[list[Occurrences], float]] = []
        if self.words:
            parts = [self._known(Grams(*words), None, "word")]
            if len(self.pairs):
                parts.append(self._known(windows(*words, 2, 32), self.pairs, "pair"))
            views.append((parts, config.word_weight))
        if self.chars:
            parts = [self._known(chunk.chars(n), self.chars[n], f"char{n}") for n in sorted(self.chars)]
            views.append((parts, config.char_weight))
        if self.pinyin:
            parts = [self._known(chunk.pinyin(n), self.pinyin[n], f"pinyin{n}") for n in sorted(self.pinyin)]
            views.append((parts, config.pinyin_weight))
        found: list[Occurrences] = []
        for parts, weight in views:
            squares = np.zeros(len(chunk))
            for part in parts:
                part.values = self.idf[part.columns]
                squares += np.bincount(part.rows, part.values.astype(np.float64) ** 2, len(chunk))
            scale = (weight / np.sqrt(np.maximum(squares, 1e-12))).astype(np.float32)
            for part in parts:
                part.values = part.values * scale[part.rows]
            found += parts
        return found

    def _known(self, grams: Grams, vocabulary: IntArray | None, block: str) -> Occurrences:
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
        matcher = self.matcher
        texts = [m.folded for m in messages]
        rows, indices = matcher.match_many(texts)
        more = self._computed(messages)
        if positions:
            spans = [
                matcher.spans(index, texts[row]) or [(0, 0)]
                for row, index in zip(rows.tolist(), indices.tolist(), strict=True)
            ]
            counts = np.fromiter(map(len, spans), np.int64, len(spans))
            rows, indices = np.repeat(rows, counts), np.repeat(indices, counts)
            shared = np.concatenate([np.repeat(counts, counts), np.ones(len(more[0]), np.int64)])
            flat = np.array([span for several in spans for span in several], np.int64).reshape(-1, 2)
            places = np.concatenate([flat, np.zeros((len(more[0]), 2), np.int64)])
        rows, indices = np.concatenate([rows, more[0]]), np.concatenate([indices, more[1]])
        order = np.argsort(rows, kind="stable")
        rows, columns = rows[order], indices[order] + first
        if not positions:
            nowhere = np.zeros(len(rows), np.int64)
            return Occurrences(rows, columns, np.full(len(rows), weight, np.float32), nowhere, nowhere)
        starts, ends = places[order].T
        return Occurrences(rows, columns, (weight / shared[order]).astype(np.float32), starts, ends)

    def _computed(self, messages: Sequence[Message]) -> tuple[IntArray, IntArray]:
        """(message, index) of the signals that are no patterns: the length, and the kinds of hiding undone."""
        index = {s.id: i for i, s in enumerate(self.signals) if not s.pattern}
        of_length = np.array([index.get(name, -1) for name in LENGTHS])
        indices = of_length[length_bands([m.folded for m in messages])]
        rows = np.flatnonzero(indices >= 0)
        hidden = [
            (row, index[f"hiding.{kind}"])
            for row, message in enumerate(messages)
            if message.hiding
            for kind in message.hiding
            if f"hiding.{kind}" in index
        ]
        more = np.array(hidden, np.int64).reshape(-1, 2)
        return np.concatenate([more[:, 0], rows]), np.concatenate([more[:, 1], indices[rows]])

    def measure(self, messages: Sequence[Message] | Chunk) -> tuple[IntArray, npt.NDArray[np.float64]]:
        """For each message the number of letters and digits, and the share of its letters that the vocabulary knows."""
        block = (messages if isinstance(messages, Chunk) else self.read(messages)).block
        letter = block.kinds & LETTER != 0
        count = len(block)
        characters = np.bincount(block.rows[block.kinds & ALNUM != 0], minlength=count)
        letters = np.bincount(block.rows[letter], minlength=count)
        recognised = np.bincount(block.rows[letter & self._knows(block.points)], minlength=count)
        return characters, recognised / np.maximum(letters, 1)

    def _knows(self, points: Points) -> npt.NDArray[np.bool_]:
        """Which code points stand in some character n-gram of the vocabulary, whatever its order."""
        if self._known_points is None:
            self._known_points = np.zeros(CODE_POINTS, bool)
            for order, keys in self.chars.items():
                for at in range(order):
                    self._known_points[keys >> BITS * at & (1 << BITS) - 1] = True
        return self._known_points[points]


def length_bands(texts: Sequence[str]) -> IntArray:
    """The place in `LENGTHS` of each text's length."""
    sizes = np.fromiter((len(text.strip()) for text in texts), np.int64, len(texts))
    return np.searchsorted(LENGTH_LIMITS, sizes)


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
    if (database := space.unpacked()) is not None:
        (folder / "signals.hsdb").write_bytes(zlib.compress(database, 9))


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
        packed=database.read_bytes() if database.exists() else None,
        tokenizer=tokenizer,
    )
