"""Policy: probabilities -> a label, or `uncertain` with its reason.

The thresholds come with the model: they are chosen on out-of-fold predictions so that a fraud called official or
collection, and a lawful notice called fraud, each stay under a stated rate (`classifier.training.thresholds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from classifier.labels import LABELS, SAFE_LABELS, Label

Mode = Literal["cautious", "balanced", "best-guess"]
MODES: tuple[Mode, ...] = ("cautious", "balanced", "best-guess")

MIN_CHARACTERS = 4
"""Han characters, letters and digits below which no message can carry a verdict."""
MIN_KNOWN_SHARE = 0.6
"""Share of characters known to the model below which a text is foreign to it."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One mode's thresholds.

    Attributes:
        max_fraud_when_safe: official or collection is said only where the probability of fraud is at most this.
        min_fraud: fraud is said only where its probability is at least this.
        min_top: any label is said only where its probability is at least this.
    """

    max_fraud_when_safe: float
    min_fraud: float
    min_top: float


MIN_DISTINCT_SHARE = 0.35
"""Share of different 3-grams in a text below which it is mostly repetition, which no real sender writes."""


def distinct_share(folded: str) -> float:
    """The share of a text's 3-grams that are different; 1 for a short text."""
    size = len(folded) - 2
    return len({folded[i : i + 3] for i in range(size)}) / size if size >= 60 else 1.0


def thresholds_of(meta: Mapping[str, Any], mode: Mode) -> Thresholds:
    """The thresholds of one mode from a model's metadata."""
    return Thresholds(**meta["thresholds"][mode])


def decide(
    probabilities: Mapping[str, float],
    thresholds: Thresholds,
    *,
    characters: int,
    known_share: float,
    mode: Mode,
    distinct_share: float = 1.0,
) -> tuple[Label, Label, str | None]:
    """Return (label, best label, reason id or None).

    `characters` counts what carries meaning; `known_share` is the share of characters the model knows,
    `distinct_share` that of different 3-grams. The mode
    ``best-guess`` abstains only where there is nothing to judge.
    """
    best: Label = max(LABELS, key=lambda label: probabilities[label])
    if characters < MIN_CHARACTERS:
        return "uncertain", best, "too_short"
    if known_share < MIN_KNOWN_SHARE:
        return "uncertain", best, "foreign_text"
    if distinct_share < MIN_DISTINCT_SHARE:
        return "uncertain", best, "repetitive"
    if mode == "best-guess":
        return best, best, None
    if best in SAFE_LABELS and probabilities["fraud"] > thresholds.max_fraud_when_safe:
        return "uncertain", best, "possible_fraud"
    if best == "fraud" and probabilities["fraud"] < thresholds.min_fraud:
        return "uncertain", best, "weak_suspicion"
    if probabilities[best] < thresholds.min_top:
        return "uncertain", best, "low_confidence"
    return best, best, None
