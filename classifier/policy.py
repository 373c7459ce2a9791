"""Policy: probabilities -> a label, or `uncertain` with its reason.

The thresholds come with the model: they are chosen on out-of-fold predictions so that a fraud called official or
collection, and a lawful notice called fraud, each stay under a stated rate (`classifier.training.thresholds`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from classifier import fast
from classifier.codepoints import Block
from classifier.labels import LABELS, SAFE_LABELS, Label

Shares = npt.NDArray[np.float64]
FRAUD = LABELS.index("fraud")
IS_SAFE = np.array([label in SAFE_LABELS for label in LABELS])

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


SHORT = 62
"""Characters below which a text is not held to be repetition."""


def distinct_share(folded: str) -> float:
    """The share of a text's 3-grams that are different; 1 for a short text."""
    size = len(folded) - 2
    return len({folded[i : i + 3] for i in range(size)}) / size if len(folded) >= SHORT else 1.0


def distinct_shares(block: Block) -> Shares:
    """`distinct_share` of each text."""
    compiled = fast.kernels(len(block))
    if compiled is None:
        return np.array([distinct_share(text) for text in block.texts])
    counts = np.empty(len(block), np.int64)
    compiled.distinct_threes(block.points, block.first, np.where(block.sizes < SHORT, 0, block.sizes), counts)
    shares: Shares = np.where(block.sizes < SHORT, 1.0, counts / np.maximum(block.sizes - 2, 1))
    return shares


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
    """Decide on one message; see `decide_many`."""
    return decide_many(
        np.array([[probabilities[label] for label in LABELS]]),
        thresholds,
        characters=np.array([characters]),
        known_shares=np.array([known_share]),
        mode=mode,
        distinct_shares=np.array([distinct_share]),
    )[0]


def decide_many(
    probabilities: Shares,
    thresholds: Thresholds,
    *,
    characters: npt.NDArray[np.int64],
    known_shares: Shares,
    mode: Mode,
    distinct_shares: Shares,
) -> list[tuple[Label, Label, str | None]]:
    """For each message (label, best label, reason id or None), the first rule that applies.

    `probabilities` are in the order of `LABELS`; `characters` counts what carries meaning, `known_shares` is the share
    of characters the model knows, `distinct_shares` that of different 3-grams. The mode ``best-guess`` abstains only
    where there is nothing to judge.
    """
    best = probabilities.argmax(axis=1)
    top, fraud = probabilities.max(axis=1), probabilities[:, FRAUD]
    rules = [
        ("too_short", characters < MIN_CHARACTERS),
        ("foreign_text", known_shares < MIN_KNOWN_SHARE),
        ("repetitive", distinct_shares < MIN_DISTINCT_SHARE),
    ]
    if mode != "best-guess":
        rules += [
            ("possible_fraud", IS_SAFE[best] & (fraud > thresholds.max_fraud_when_safe)),
            ("weak_suspicion", (best == FRAUD) & (fraud < thresholds.min_fraud)),
            ("low_confidence", top < thresholds.min_top),
        ]
    reasons = [reason for reason, _ in rules]
    first = np.select([applies for _, applies in rules], [*range(len(rules))], len(rules))
    outcomes: list[list[tuple[Label, Label, str | None]]] = [
        [*(("uncertain", label, reason) for reason in reasons), (label, label, None)] for label in LABELS
    ]
    return [outcomes[b][f] for b, f in zip(best.tolist(), first.tolist(), strict=True)]
