"""Is the evidence true? Comprehensiveness and sufficiency (DeYoung et al., ACL 2020), and agreement with people.

Deleting the cited spans must lower the label's probability more than deleting as many characters elsewhere; keeping
only them must keep more of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from classifier.classifier import Classifier
from classifier.verdict import Verdict

RANDOM_ROUNDS = 5
MIN_LENGTH = 8


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    gone = {i for a, b in spans for i in range(a, b)}
    return "".join(c for i, c in enumerate(text) if i not in gone)


def _only(text: str, spans: Sequence[tuple[int, int]]) -> str:
    kept = {i for a, b in spans for i in range(a, b)}
    return "".join(c for i, c in enumerate(text) if i in kept)


def _random_spans(text: str, spans: Sequence[tuple[int, int]], rng: random.Random) -> list[tuple[int, int]]:
    """As many spans of the same lengths, placed at random."""
    found = []
    for a, b in spans:
        size = b - a
        start = rng.randint(0, max(len(text) - size, 0))
        found.append((start, start + size))
    return found


def cited(verdict: Verdict) -> list[tuple[int, int]]:
    """The spans cited for the verdict: positive weight, with a place in the text."""
    return [(e.start, e.end) for e in verdict.evidence if e.weight > 0 and e.end > e.start]


def measure(classifier: Classifier, annotated: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures over annotated messages ``{"text", "label", "spans"}``.

    `spans_hit` is the share of annotated spans of which at least half the characters are cited (for messages whose
    label the model finds).
    """
    rng = random.Random(0)
    lines = [a for a in annotated if len(a["text"]) >= MIN_LENGTH]
    texts = [a["text"] for a in lines]
    verdicts = classifier.classify_many(texts)

    def p(some: Sequence[str], of: Sequence[Verdict]) -> np.ndarray:
        filled = [t if t.strip() else "。" for t in some]
        judged = classifier.classify_many(filled, evidence=False)
        return np.array([j.probabilities[v.best_label] for j, v in zip(judged, of, strict=True)])

    full = np.array([v.confidence for v in verdicts])
    spans = [cited(v) for v in verdicts]
    drop = full - p([_without(t, s) for t, s in zip(texts, spans, strict=True)], verdicts)
    keep = full - p([_only(t, s) for t, s in zip(texts, spans, strict=True)], verdicts)
    random_drop, random_keep = np.zeros(len(texts)), np.zeros(len(texts))
    for _ in range(RANDOM_ROUNDS):
        chance = [_random_spans(t, s, rng) for t, s in zip(texts, spans, strict=True)]
        random_drop += (full - p([_without(t, s) for t, s in zip(texts, chance, strict=True)], verdicts)) / RANDOM_ROUNDS
        random_keep += (full - p([_only(t, s) for t, s in zip(texts, chance, strict=True)], verdicts)) / RANDOM_ROUNDS
    hits = total = 0
    for line, verdict, mine in zip(lines, verdicts, spans, strict=True):
        if verdict.best_label != line["label"]:
            continue
        marked = {i for a, b in mine for i in range(a, b)}
        for span in line["spans"]:
            at = line["text"].index(span)
            total += 1
            hits += sum(i in marked for i in range(at, at + len(span))) * 2 >= len(span)
    share = np.mean([sum(b - a for a, b in s) / len(t) for t, s in zip(texts, spans, strict=True)])
    return {
        "messages": len(texts),
        "share of the text cited": round(float(share), 3),
        "comprehensiveness (drop when cited spans are deleted)": round(float(drop.mean()), 4),
        "the same for random spans": round(float(random_drop.mean()), 4),
        "sufficiency (drop when only cited spans are kept; lower is better)": round(float(keep.mean()), 4),
        "the same for random spans (sufficiency)": round(float(random_keep.mean()), 4),
        "annotated spans hit": round(hits / total, 4) if total else None,
        "annotated spans": total,
        "largest gap between shown parts and log-odds": round(
            max(abs(v.log_odds - v.bias - v.remainder - sum(e.weight for e in v.evidence)) for v in verdicts), 6
        ),
    }
