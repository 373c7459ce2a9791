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

import numpy as np
import numpy.typing as npt

from classifier.features import FloatArray, Occurrences
from classifier.labels import Lang
from classifier.message import Message
from classifier.model import LinearModel
from classifier.signals import Signal
from classifier.verdict import Evidence

STEPS = 16  # points on the path; the sum is then within 0.01 of the log-odds, and the rest is in `remainder`
# Chosen on spans that a person marked in real messages apart from corpus and challenge.
MAX_SPANS = 10
MIN_WEIGHT = 0.05  # log-odds below which a span is not worth showing
MAX_SIGNAL_SPAN = 24  # characters; a longer match is cut into its words
MAX_WORDS_SPAN = 12  # characters to which neighbouring words are joined


@dataclass(frozen=True, slots=True)
class Explanation:
    """The evidence for one label of one message; see `classifier.verdict.Verdict` for the sums."""

    spans: list[Evidence]
    log_odds: float
    bias: float
    remainder: float


def _log_odds(logits: FloatArray, inside: np.ndarray) -> FloatArray:
    """log p(label) - log p(not label) for logits of shape (..., kinds)."""
    exact = logits.astype(np.float64)
    odds: FloatArray = np.logaddexp.reduce(exact[..., inside], axis=-1) - np.logaddexp.reduce(exact[..., ~inside], axis=-1)
    return odds


def path_direction(model: LinearModel, linear: FloatArray, label: int) -> FloatArray:
    """The mean gradient of one label's log-odds in the kind logits along each message's path: (n, kinds) -> (n, kinds)."""
    inside = model.label_index == label
    middle = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
    logits = model.base_logits() + middle[None, :, None] * linear[:, None, :]
    powers = np.empty_like(logits)
    for group, sign in ((inside, 1), (~inside, -1)):
        part = np.exp(logits[..., group] - logits[..., group].max(axis=2, keepdims=True))
        powers[..., group] = sign * part / part.sum(axis=2, keepdims=True)
    mean: FloatArray = powers.mean(axis=1)
    return mean


@dataclass(slots=True)
class _Part:
    """A piece of the folded text that is shown as a whole; `signal` is its place in `Placed`, or -1 for words."""

    start: int
    end: int
    weight: float
    signal: int


Placed = list[tuple[int, int, int, float]]
"""Signals with a place: (index of the signal, start, end, share)."""


def explain_many(
    model: LinearModel,
    messages: Sequence[Message],
    occurrences: Sequence[Occurrences],
    linear: FloatArray,
    labels: npt.NDArray[np.int64],
    lang: Lang = "zh",
    most: int = MAX_SPANS,
) -> list[Explanation]:
    """Explain each message's probability of its label (positions in `LABELS`, shape (n,)).

    `occurrences` are those of the chunk, with positions, the signals last; `linear` is `LinearModel.linear_logits`.
    """
    count = len(messages)
    direction = np.zeros_like(linear)
    log_odds, bias = np.zeros(count), np.zeros(count)
    for label in np.unique(labels):
        mine, inside = labels == label, model.label_index == label
        direction[mine] = path_direction(model, linear[mine], int(label))
        log_odds[mine] = _log_odds(model.base_logits() + linear[mine], inside)
        bias[mine] = _log_odds(model.base_logits(), inside)
    scale = np.float32(1.0 / model.meta["calibration"]["temperature"])

    def shares_of(view: Occurrences) -> FloatArray:
        shares: FloatArray = np.einsum("ij,ij->i", model.weights[view.columns].astype(np.float32), direction[view.rows])
        return shares * model.scales[view.columns] * view.values * scale

    sizes = np.fromiter((len(m.folded) for m in messages), np.int64, count)
    first = np.cumsum(sizes + 2) - (sizes + 2)  # where each message's characters begin in one long array
    steps = np.zeros(int((sizes + 2).sum()) + 1)
    for view in occurrences[:-1]:
        if not len(view.rows):
            continue
        most_at = sizes[view.rows]
        starts = np.clip(view.starts, 0, most_at)
        ends = np.maximum(np.clip(view.ends, 0, most_at), starts + 1)
        each = shares_of(view) / (ends - starts)
        steps += np.bincount(first[view.rows] + starts, each, len(steps))
        steps -= np.bincount(first[view.rows] + ends, each, len(steps))
    placed: list[Placed] = [[] for _ in messages]
    whole: list[list[tuple[int, float]]] = [[] for _ in messages]
    signal_view = occurrences[-1]
    first_signal = model.space.offset("signal")
    for row, column, start, end, share in zip(
        signal_view.rows.tolist(),
        (signal_view.columns - first_signal).tolist(),
        signal_view.starts.tolist(),
        signal_view.ends.tolist(),
        shares_of(signal_view).tolist(),
        strict=True,
    ):
        if end > start:
            placed[row].append((column, start, end, share))
            steps[first[row] + start] += share / (end - start)
            steps[first[row] + end] -= share / (end - start)
        else:
            whole[row].append((column, share))
    density = np.cumsum(steps)
    signals = model.space.signals
    words_note = "用词" if lang == "zh" else "wording"
    found: list[Explanation] = []
    for row, message in enumerate(messages):
        at, size = int(first[row]), int(sizes[row])
        sums = np.concatenate([[0.0], np.cumsum(density[at : at + size])]).tolist()
        spans = [
            _evidence(message, part, placed[row], signals, words_note, lang)
            for part in _parts(model, message.folded, placed[row], sums)
            if abs(part.weight) >= MIN_WEIGHT
        ]
        spans += [
            Evidence(0, 0, "", signals[i].id, share, signals[i].zh if lang == "zh" else signals[i].en)
            for i, share in whole[row]
            if abs(share) >= MIN_WEIGHT
        ]
        spans.sort(key=lambda e: -abs(e.weight))
        shown = spans[:most]
        rest = float(log_odds[row] - bias[row]) - sum(e.weight for e in shown)
        found.append(Explanation(shown, float(log_odds[row]), float(bias[row]), rest))
    return found


def _parts(model: LinearModel, folded: str, placed: Placed, sums: list[float]) -> list[_Part]:
    """Cut the folded text into signal spans (strongest first, never overlapping) and the words between them.

    `sums` are running sums of the characters' weights. Neighbouring words of one direction are joined.
    """
    taken = bytearray(len(folded))
    parts: list[_Part] = []
    for i in sorted(range(len(placed)), key=lambda i: -abs(placed[i][3])):
        _, start, end, _ = placed[i]
        start, end = _whole_number(folded, start, end)
        if end - start <= MAX_SIGNAL_SPAN and not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            parts.append(_Part(start, end, sums[end] - sums[start], i))
    last: _Part | None = None
    at = 0
    for word in model.space.cut(folded):
        start, end = at, at + len(word)
        at = end
        if taken[start] or taken[end - 1]:  # a word half inside a signal's span keeps its outer half
            while start < end and taken[start]:
                start += 1
            while end > start and taken[end - 1]:
                end -= 1
        if start >= end or not any(c.isalnum() for c in word):  # bare punctuation is no reason
            last = None
            continue
        weight = sums[end] - sums[start]
        if (
            last is not None
            and last.end == start
            and (last.weight > 0) == (weight > 0)
            and end - last.start <= MAX_WORDS_SPAN
        ):
            last.end, last.weight = end, last.weight + weight
        else:
            last = _Part(start, end, weight, -1)
            parts.append(last)
    return parts


def _whole_number(folded: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span that ends or begins inside a number, an amount or a date."""
    inside = "0123456789.,:-"
    if folded[end - 1].isdigit():
        while end < len(folded) and folded[end] in inside:
            end += 1
        if end < len(folded) and folded[end] in "元月日天期%":
            end += 1
        while folded[end - 1] in ".,:-":
            end -= 1
    if folded[start].isdigit():
        while start > 0 and folded[start - 1] in inside:
            start -= 1
        while folded[start] in ".,:-":
            start += 1
    return start, end


def _evidence(
    message: Message, part: _Part, placed: Placed, signals: Sequence[Signal], words_note: str, lang: Lang
) -> Evidence:
    start, end = message.span(part.start, part.end)
    name, note = "words", words_note
    if part.signal >= 0:
        signal = signals[placed[part.signal][0]]
        name, note = signal.id, signal.zh if lang == "zh" else signal.en
    return Evidence(start, end, message.text[start:end], name, part.weight, note)
