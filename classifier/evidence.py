"""Evidence: which spans of the original text moved the label's log-odds, and by how much.

The label's log-odds ``log p(label) - log(1 - p(label))`` are not linear in the features, since a label sums its kinds.
Integrated gradients (Sundararajan, Taly and Yan, ICML 2017) along the straight path from the empty message to this one
share the difference out exactly among the features; each feature's share goes to the characters it covers, and the
characters are read out as spans: the places of signals first, words for the rest. All spans, what is not shown
(`remainder`) and the empty message (`bias`) add up to the log-odds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import fast
from classifier.chunk import Chunk
from classifier.labels import Lang
from classifier.model import LinearModel
from classifier.occurrences import FloatArray, Occurrences
from classifier.parts import MIN_WEIGHT, cut_parts
from classifier.verdict import Evidence

Floats = npt.NDArray[np.float64]
# Points on the path from 0 to 1 and their weights: Gauss-Legendre quadrature of eight points, which is nearer to the
# integral than twice as many evenly spread; what it misses is in `remainder`.
_ROOTS = np.array([0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363])
_SHARES = np.array([0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763])
PATH = (1 + np.concatenate([-_ROOTS[::-1], _ROOTS]).astype(np.float32)) / 2
PATH_WEIGHTS = np.concatenate([_SHARES[::-1], _SHARES]) / 2
MAX_SPANS = 10


@dataclass(frozen=True, slots=True)
class Explanation:
    """The evidence for one label of one message; see `classifier.verdict.Verdict` for the sums."""

    spans: list[Evidence]
    log_odds: float
    bias: float
    remainder: float


def _log_sum(logits: Floats) -> Floats:
    """log of the sum of exp over the last axis."""
    most = logits.max(axis=-1, keepdims=True)
    found: Floats = np.log(np.exp(logits - most).sum(axis=-1)) + most[..., 0]
    return found


def _log_odds(logits: FloatArray, inside: npt.NDArray[np.bool_]) -> Floats:
    """log p(label) - log p(not label) for logits of shape (..., kinds)."""
    exact = logits.astype(np.float64)
    return _log_sum(exact[..., inside]) - _log_sum(exact[..., ~inside])


def path_direction(model: LinearModel, linear: FloatArray, label: int) -> Floats:
    """The mean gradient of one label's log-odds in the kind logits along each message's path: (n, kinds) -> (n, kinds).

    Single terms, double sums: how many messages stand side by side is then not seen in the result.
    """
    inside = model.label_index == label
    base = model.base_logits()
    mean = np.empty(linear.shape)
    for group, sign in ((inside, 1), (~inside, -1)):
        powers = PATH[None, :, None] * linear[:, None, group]
        powers += base[group]
        powers -= powers.max(axis=2, keepdims=True)
        np.exp(powers, out=powers)
        exact = powers.astype(np.float64)
        exact *= sign * PATH_WEIGHTS[:, None] / exact.sum(axis=2, keepdims=True)
        mean[:, group] = exact.sum(axis=1)
    return mean


def _shares(model: LinearModel, view: Occurrences, direction: Floats, compiled: ModuleType | None) -> Floats:
    """Each occurrence's share of its message's log-odds."""
    found = np.empty(len(view.rows))
    if compiled is not None:
        compiled.shares(view.rows, view.columns, view.values, model.weights, model.scales, direction, found)
    else:
        _plain_shares(model, view, direction, found)
    found *= 1.0 / model.meta["calibration"]["temperature"]
    return found


def _plain_shares(model: LinearModel, view: Occurrences, direction: Floats, found: Floats) -> None:
    first = np.searchsorted(view.rows, np.arange(len(direction) + 1)).tolist()
    for row, (start, end) in enumerate(pairwise(first)):
        found[start:end] = (model.weights[view.columns[start:end]] * direction[row]).sum(axis=1)
    found *= view.values * model.scales[view.columns]


def _spread(view: Occurrences, each: Floats, first: Any, sizes: Any, steps: Floats, compiled: ModuleType | None) -> None:
    """Share each weight out evenly among its characters, as steps up and down."""
    if compiled is not None:
        compiled.spread(view.rows, view.starts, view.ends, each, first, sizes, steps)
        return
    most = sizes[view.rows]
    starts = np.clip(view.starts, 0, most)
    ends = np.maximum(np.clip(view.ends, 0, most), starts + 1)
    part: Floats = each / (ends - starts)
    steps += np.bincount(first[view.rows] + starts, part, len(steps))
    steps -= np.bincount(first[view.rows] + ends, part, len(steps))


@dataclass(slots=True)
class _Parts:
    """Pieces of folded texts that are shown as a whole: parallel arrays; `signal` is -1 for words."""

    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    weights: Floats
    signals: npt.NDArray[np.int64]

    def take(self, chosen: Any) -> _Parts:
        """Some of them."""
        return _Parts(self.rows[chosen], self.starts[chosen], self.ends[chosen], self.weights[chosen], self.signals[chosen])

    def __add__(self, other: _Parts) -> _Parts:
        names = ("rows", "starts", "ends", "weights", "signals")
        return _Parts(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


def _rank(weights: Floats) -> Floats:
    """What to sort by for the largest first; rounded, so that equal weights stay equal however they were summed."""
    return np.negative(np.round(np.abs(weights), 6), dtype=np.float64)


def _parts(chunk: Chunk, placed: _Parts, steps: Floats, compiled: ModuleType | None) -> _Parts:
    """Cut the texts of a chunk; see `cut_parts`."""
    block, tokens = chunk.block, chunk.shown_tokens
    count = len(block)
    placed = placed.take(np.lexsort((_rank(placed.weights), placed.rows)))
    rows = np.arange(count + 1)
    room = len(placed.rows) + len(tokens.rows)
    longest = int(block.sizes.max(initial=0)) + 1
    given: list[Any] = [
        block.first, block.sizes, block.kinds, steps,
        np.searchsorted(placed.rows, rows), placed.starts, placed.ends,
        np.searchsorted(tokens.rows, rows), tokens.starts, tokens.ends,
    ]  # fmt: skip
    written: list[Any] = [
        np.zeros(longest), np.zeros(longest, np.uint8), np.zeros(count + 1, np.int64),
        np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(room), np.zeros(room, np.int64),
    ]  # fmt: skip
    if compiled is not None:
        found = compiled.cut_parts(*given, *written)
    else:  # on lists, whose items Python reads much faster
        written = [array.tolist() for array in written]
        found = cut_parts(*(array.tolist() for array in given), *written)
        written = [np.array(values) for values in written]
    part_first, starts, ends, weights, place = written[2], *(array[:found] for array in written[3:])
    signals = np.where(place >= 0, np.append(placed.signals, -1)[place], -1) if found else place.astype(np.int64)
    return _Parts(np.repeat(rows[:-1], np.diff(part_first)), starts, ends, weights, signals)


def explain_many(
    model: LinearModel,
    chunk: Chunk,
    occurrences: Sequence[Occurrences],
    linear: FloatArray,
    labels: npt.NDArray[np.int64],
    lang: Lang = "zh",
    most: int = MAX_SPANS,
) -> list[Explanation]:
    """Explain each message's probability of its label (positions in `LABELS`, shape (n,)).

    `occurrences` are those of the chunk, with positions, the signals last; `linear` is `LinearModel.linear_logits`.
    """
    count = len(chunk)
    compiled = fast.kernels(count)
    direction = np.zeros(linear.shape)
    log_odds, bias = np.zeros(count), np.zeros(count)
    for label in sorted(set(labels.tolist())):
        mine, inside = labels == label, model.label_index == label
        direction[mine] = path_direction(model, linear[mine], label)
        log_odds[mine] = _log_odds(model.base_logits() + linear[mine], inside)
        bias[mine] = _log_odds(model.base_logits(), inside)

    sizes = chunk.block.sizes
    first = chunk.block.first + 2 * np.arange(count)  # two steps more a text than characters
    steps = np.zeros(int((sizes + 2).sum()))
    for view in occurrences[:-1]:
        _spread(view, _shares(model, view, direction, compiled), first, sizes, steps, compiled)
    view = occurrences[-1]
    columns = view.columns.astype(np.int64) - model.space.offset("signal")
    signals = _Parts(view.rows, view.starts, view.ends, _shares(model, view, direction, compiled), columns)  # type: ignore[arg-type]
    has_place = signals.ends > signals.starts
    placed, whole = signals.take(has_place), signals.take(~has_place)
    where = Occurrences(placed.rows, placed.signals, view.values[has_place], placed.starts, placed.ends)
    _spread(where, placed.weights, first, sizes, steps, compiled)
    parts = _parts(chunk, placed, steps, compiled) + whole
    parts = parts.take(np.abs(parts.weights) >= MIN_WEIGHT)
    parts = parts.take(np.lexsort((parts.starts, _rank(parts.weights), parts.rows)))
    ranks = np.arange(len(parts.rows)) - np.searchsorted(parts.rows, parts.rows)
    parts = parts.take(ranks < most)
    remainder = log_odds - bias - np.bincount(parts.rows, parts.weights, count)
    spans = _spans(model, chunk, parts, lang)
    return [*map(Explanation, spans, log_odds.tolist(), bias.tolist(), remainder.tolist())]


def _spans(model: LinearModel, chunk: Chunk, parts: _Parts, lang: Lang) -> list[list[Evidence]]:
    """The parts of each message in words, by their places in the original text."""
    named = [(s.id, s.zh if lang == "zh" else s.en) for s in model.space.signals]
    named.append(("words", "用词" if lang == "zh" else "wording"))  # signal -1
    spans: list[list[Evidence]] = [[] for _ in chunk.messages]
    arrays = (parts.rows, parts.starts, parts.ends, parts.weights, parts.signals)
    for row, start, end, weight, signal in zip(*(array.tolist() for array in arrays), strict=True):
        message = chunk.messages[row]
        if message.starts is not None and end > start:
            start, end = message.span(start, end)
        name, note = named[signal]
        spans[row].append(Evidence(start, end, message.text[start:end], name, weight, note))
    return spans
