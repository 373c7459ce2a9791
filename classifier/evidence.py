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

from classifier.features import FloatArray, Occurrences
from classifier.labels import LABELS, Lang
from classifier.message import Message
from classifier.model import LinearModel
from classifier.signals import Signal
from classifier.verdict import Evidence

STEPS = 16  # points on the path; the sum is then within 0.01 of the log-odds, and the rest is in `remainder`
MAX_SPANS = 8
MIN_WEIGHT = 0.10  # log-odds below which a span is not worth showing
MAX_SIGNAL_SPAN = 24  # characters; a longer match is cut into its words


@dataclass(frozen=True, slots=True)
class Explanation:
    """The evidence for one label of one message; see `classifier.verdict.Verdict` for the sums."""

    spans: list[Evidence]
    log_odds: float
    bias: float
    remainder: float


def _log_odds(logits: FloatArray, inside: np.ndarray) -> FloatArray:
    """log p(label) - log p(not label) for logits of shape (..., kinds)."""
    top = logits.max(axis=-1, keepdims=True)
    powers = np.exp(logits - top)
    odds: FloatArray = np.log(powers[..., inside].sum(axis=-1)) - np.log(powers[..., ~inside].sum(axis=-1))
    return odds


def path_direction(model: LinearModel, linear: FloatArray, label: int) -> FloatArray:
    """The mean gradient of the label's log-odds in the kind logits along the path, shape (kinds,)."""
    inside = model.label_index == label
    middle = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
    logits = model.base_logits() + middle[:, None] * linear
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    direction = np.where(
        inside,
        powers / powers[:, inside].sum(axis=1, keepdims=True),
        -powers / powers[:, ~inside].sum(axis=1, keepdims=True),
    )
    mean: FloatArray = direction.mean(axis=0)
    return mean


@dataclass(slots=True)
class _Part:
    """A piece of the folded text that is shown as a whole."""

    start: int
    end: int
    weight: float
    name: str


def explain(
    model: LinearModel,
    message: Message,
    occurrences: Sequence[Occurrences],
    linear: FloatArray,
    label: int,
    lang: Lang = "zh",
    most: int = MAX_SPANS,
) -> Explanation:
    """Explain one message's probability of one label (a position in `LABELS`).

    `occurrences` are this message's alone, with positions; `linear` is its row of `LinearModel.linear_logits`.
    """
    direction = path_direction(model, linear, label)
    inside = model.label_index == label
    scale = 1.0 / model.meta["calibration"]["temperature"]
    size = len(message.folded)
    density = np.zeros(size + 1)
    first_signal = model.space.offset("signal")
    signals = model.space.signals
    whole: list[tuple[int, float]] = []
    placed: list[tuple[int, int, int, float]] = []
    for view in occurrences:
        shares = (model.weights[view.columns] @ direction) * model.scales[view.columns] * view.values * scale
        is_signal = len(view.columns) > 0 and view.columns[0] >= first_signal
        if is_signal:
            for column, start, end, share in zip(
                view.columns.tolist(), view.starts.tolist(), view.ends.tolist(), shares.tolist(), strict=True
            ):
                if end <= start:
                    whole.append((column - first_signal, share))
                else:
                    placed.append((column - first_signal, start, end, share))
                    density[start:end] += share / (end - start)
            continue
        starts, ends = np.clip(view.starts, 0, size), np.clip(view.ends, 0, size)
        width = np.maximum(ends - starts, 1)
        steps = np.zeros(size + 2)
        np.add.at(steps, starts, shares / width)
        np.add.at(steps, np.maximum(ends, starts + 1), -shares / width)
        density += np.cumsum(steps)[: size + 1]
    sums = np.concatenate([[0.0], np.cumsum(density)])
    parts = _parts(model, message, placed, sums)
    log_odds = float(_log_odds(model.base_logits() + linear, inside))
    bias = float(_log_odds(model.base_logits(), inside))
    found = _spans(message, parts, placed, signals, lang)
    for index, share in whole:
        note = signals[index].zh if lang == "zh" else signals[index].en
        found.append(Evidence(0, 0, "", signals[index].id, share, note))
    found = [e for e in found if abs(e.weight) >= MIN_WEIGHT]
    found.sort(key=lambda e: -abs(e.weight))
    shown = found[:most]
    remainder = log_odds - bias - sum(e.weight for e in shown)
    return Explanation(shown, log_odds, bias, remainder)


def _parts(
    model: LinearModel, message: Message, placed: Sequence[tuple[int, int, int, float]], sums: np.ndarray
) -> list[_Part]:
    """Cut the folded text into signal spans (strongest first, never overlapping) and the words between them."""
    size = len(message.folded)
    owner = np.full(size, -1, np.int64)
    order = sorted(range(len(placed)), key=lambda i: -abs(placed[i][3]))
    taken: list[int] = []
    for i in order:
        _, start, end, _ = placed[i]
        if end - start <= MAX_SIGNAL_SPAN and (owner[start:end] < 0).all():
            owner[start:end] = len(taken)
            taken.append(i)
    parts = [
        _Part(placed[i][1], placed[i][2], float(sums[placed[i][2]] - sums[placed[i][1]]), f"@{placed[i][0]}") for i in taken
    ]
    at = 0
    for word in model.space.cut(message.folded):
        start, end = at, at + len(word)
        at = end
        while start < end:  # a word half inside a signal's span keeps its outer half
            if owner[start] >= 0:
                start += 1
                continue
            stop = start
            while stop < end and owner[stop] < 0:
                stop += 1
            if word.strip():
                parts.append(_Part(start, stop, float(sums[stop] - sums[start]), "words"))
            start = stop
    parts.sort(key=lambda p: p.start)
    return parts


def _spans(
    message: Message,
    parts: Sequence[_Part],
    placed: Sequence[tuple[int, int, int, float]],
    signals: Sequence[Signal],
    lang: Lang,
) -> list[Evidence]:
    """Join neighbouring words of one direction and map everything to the original text."""
    joined: list[_Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.name == part.name == "words"
            and last.end == part.start
            and (last.weight > 0) == (part.weight > 0)
            and min(abs(last.weight), abs(part.weight)) >= MIN_WEIGHT / 2
            and part.end - last.start <= MAX_SIGNAL_SPAN // 2
        ):
            last.end, last.weight = part.end, last.weight + part.weight
        else:
            joined.append(_Part(part.start, part.end, part.weight, part.name))
    found = []
    for part in joined:
        start, end = message.span(part.start, part.end)
        name, note = part.name, {"zh": "用词", "en": "wording"}[lang]
        if name.startswith("@"):
            signal = signals[int(name[1:])]
            name, note = signal.id, signal.zh if lang == "zh" else signal.en
        found.append(Evidence(start, end, message.text[start:end], name, part.weight, note))
    return found


def label_position(label: str) -> int:
    """The position of a label in `LABELS`."""
    return LABELS.index(label)
