"""What the program says of one message: frozen records and their JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from classifier.labels import Label

SCHEMA_VERSION = 1

Action = Literal[
    "contact_platform",
    "negotiate_plan",
    "seek_legal_help",
    "ignore_and_report",
    "check_announcement",
    "pay_on_time",
    "no_action",
]


class Evidence(NamedTuple):
    """A span of the original text that speaks for or against the verdict.

    Attributes:
        start, end: half-open offsets into the original text, in characters; both 0 where the fact has no place of
            its own (a length, a sender).
        text: ``original[start:end]``.
        name: the signal's id, or ``words``.
        weight: log-odds that the span adds to the label's probability; negative where it speaks against.
        note: what the span is taken for, in words.
    """

    start: int
    end: int
    text: str
    name: str
    weight: float
    note: str


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do, from the article's guidance; `section` names the part of the article it rests on."""

    id: str
    action: Action
    title: str
    text: str
    section: str


@dataclass(frozen=True, slots=True)
class Warning:
    """Something the reader should know beside the verdict."""

    id: str
    text: str


class Verdict(NamedTuple):
    """The answer to one message; a named tuple, since a million of them are made.

    Attributes:
        label: one of the four labels, or ``uncertain``, which is never a synonym of safe.
        best_label: the likeliest of the four labels, without abstention.
        reason: an id such as ``low_confidence`` where `label` is not `best_label`, else None.
        reason_text: the reason in words, else None.
        kind: the likeliest kind of `best_label`, e.g. ``fraud.credit_repair``.
        probabilities: {label: p} over the four labels, sums to 1.
        evidence: spans with their log-odds for `best_label`, largest first.
        bias, remainder: log-odds of the empty message, and of all that is not shown; with the weights of `evidence`
            they add up to `log_odds`.
    """

    text: str
    label: Label
    best_label: Label
    reason: str | None
    reason_text: str | None
    kind: str
    probabilities: dict[str, float]
    evidence: list[Evidence]
    guidance: list[Advice]
    warnings: list[Warning]
    log_odds: float
    bias: float
    remainder: float
    model_version: str
    mode: str = "balanced"

    @property
    def confidence(self) -> float:
        """The probability of `best_label`."""
        return self.probabilities[self.best_label]

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract; fields are only ever added within one schema version."""
        out: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "model_version": self.model_version}
        out |= {
            "label": self.label,
            "best_label": self.best_label,
            "reason": self.reason,
            "reason_text": self.reason_text,
            "kind": self.kind,
            "confidence": round(self.confidence, 6),
            "probabilities": {k: round(v, 6) for k, v in self.probabilities.items()},
            "evidence": [e._asdict() | {"weight": round(e.weight, 4)} for e in self.evidence],
            "log_odds": round(self.log_odds, 4),
            "bias": round(self.bias, 4),
            "remainder": round(self.remainder, 4),
            "guidance": [asdict(a) for a in self.guidance],
            "warnings": [asdict(w) for w in self.warnings],
            "mode": self.mode,
            "text": self.text,
        }
        return out
