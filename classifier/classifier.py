"""The one way through: texts in, verdicts out. Every surface calls `Classifier.classify_many`."""

from __future__ import annotations

import gc
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from classifier import fast
from classifier.contacts import ContactCheck, check_many
from classifier.errors import ClassifierError, InputError
from classifier.evidence import Explanation, explain_many
from classifier.guidance import guide, mentioned
from classifier.labels import LABELS, SAFE_LABELS, Label, Lang
from classifier.message import Message, fold_many
from classifier.model import LinearModel, load_model
from classifier.occurrences import Occurrences
from classifier.policy import MODES, Mode, decide_many, distinct_shares, thresholds_of
from classifier.sender import DOUBTFUL, SenderKind, sender_kind
from classifier.sender import wording as sender_wording
from classifier.tokens import TokenizerName
from classifier.verdict import Evidence, Verdict, Warning

MAX_CHARACTERS = 20_000
"""The longest message judged; a longer one is refused, never cut."""
CHUNK = 2_000
CHUNK_CHARACTERS = 200_000
NOTHING = Explanation([], 0.0, 0.0, 0.0)
REASONS_TOML = Path(__file__).with_name("resources") / "reasons.toml"


@cache
def reasons() -> dict[str, dict[str, str]]:
    """The wording of every reason."""
    return tomllib.loads(REASONS_TOML.read_text(encoding="utf-8"))


def check_text(text: object) -> str:
    """Return the text, or raise `InputError` where it cannot be judged as a message."""
    if not isinstance(text, str):
        raise InputError("text.not_text", type=type(text).__name__)
    if not text.strip():
        raise InputError("text.blank")
    if len(text) > MAX_CHARACTERS:
        raise InputError("text.too_long", length=len(text), limit=MAX_CHARACTERS)
    return text


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where to cut texts into chunks of few messages and few characters: the arrays of one chunk stay small."""
    start = characters = 0
    for at, text in enumerate(texts):
        if at > start and (at - start >= CHUNK or characters + len(text) > CHUNK_CHARACTERS):
            yield start, at
            start, characters = at, 0
        characters += len(text)
    if start < len(texts):
        yield start, len(texts)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the cyclic garbage collector: verdicts form no cycles, and it would walk all of them over and over."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Classifier:
    """Classifies Chinese messages about debts. Thread-safe for reading; picklable by its folder, not by itself."""

    def __init__(self, model: LinearModel) -> None:
        self.model = model

    @classmethod
    def load(cls, path: str | Path | None = None, tokenizer: TokenizerName | None = None) -> Classifier:
        """Load a model folder, the shipped one by default.

        Raises `classifier.errors.ModelError` where the folder is missing, altered or of another format.
        """
        return cls(load_model(Path(path) if path is not None else None, tokenizer))

    @property
    def version(self) -> str:
        """The model's version."""
        return str(self.model.meta["version"])

    def classify(self, text: str, sender: str | None = None, *, mode: Mode = "balanced", lang: Lang = "zh") -> Verdict:
        """Classify one message. Raises `InputError` where the text is empty or longer than `MAX_CHARACTERS`."""
        return self.classify_many([text], [sender], mode=mode, lang=lang)[0]

    def classify_many(
        self,
        texts: Sequence[str],
        senders: Sequence[str | None] | None = None,
        *,
        mode: Mode = "balanced",
        lang: Lang = "zh",
        evidence: bool = True,
    ) -> list[Verdict]:
        """Classify messages: one verdict each, in order.

        With ``evidence=False`` the verdicts carry no evidence and the work is done in about half the time. Raises
        `InputError` where a text is empty or too long; check rows with `check_text` first where they may be.
        """
        if isinstance(texts, str | bytes):
            raise TypeError("classify_many takes a list of texts; use classify for one text")
        if mode not in MODES:
            raise ClassifierError("mode.unknown", mode=mode)
        if senders is not None and len(senders) != len(texts):
            raise ValueError(f"{len(senders)} senders for {len(texts)} texts")
        for text in texts:
            check_text(text)
        fast.announce(len(texts))
        verdicts: list[Verdict] = []
        with _uncollected():
            for start, end in _chunks(texts):
                of = senders[start:end] if senders is not None else [None] * (end - start)
                verdicts += self._chunk(texts[start:end], of, mode, lang, evidence)
        return verdicts

    def _chunk(
        self, texts: Sequence[str], senders: Sequence[str | None], mode: Mode, lang: Lang, evidence: bool
    ) -> Iterator[Verdict]:
        model = self.model
        messages = fold_many(texts)
        chunk = model.space.read(messages)
        views = model.space.occurrences(chunk, positions=evidence)
        linear = model.linear_logits(views, len(messages))
        scores = model.scores_from(linear)
        thresholds = thresholds_of(model.meta, mode)
        explanations = [NOTHING] * len(messages)
        if evidence:
            best_labels = scores.label_probabilities.argmax(axis=1)
            explanations = explain_many(model, chunk, views, linear, best_labels, lang)
        label_probabilities = scores.label_probabilities.astype(np.float64)
        characters, known_shares = model.space.measure(chunk)
        decisions = decide_many(
            label_probabilities,
            thresholds,
            characters=characters,
            known_shares=known_shares,
            mode=mode,
            distinct_shares=distinct_shares(chunk.block),
        )
        checks = check_many(messages, chunk.block)
        kinds = model.likeliest_kinds(scores)
        signals = self._signals(views[-1], len(messages))
        wording, version = reasons(), self.version
        for row, (message, (label, best, reason), probability) in enumerate(
            zip(messages, decisions, label_probabilities.tolist(), strict=True)
        ):
            probabilities: dict[str, float] = dict(zip(LABELS, probability))  # noqa: B905
            contacts, kind, shown = checks[row], kinds[row], signals[row]
            sender = sender_kind(senders[row] or "") if senders[row] else None
            if sender is not None or contacts.findings:
                label, reason = _doubts(label, reason, probabilities, contacts, sender, thresholds.max_fraud_when_safe)
            explanation = explanations[row]
            claimed = contacts.claimed
            hotline = claimed.hotline if claimed is not None else None
            advice, warnings = guide(label, kind, shown, message.folded, lang, hotline)
            yield Verdict(
                message.text,
                label,
                best,
                reason,
                wording[reason][lang] if reason else None,
                kind,
                probabilities,
                explanation.spans + _contact_evidence(contacts, message, lang)
                if contacts.findings
                else [*explanation.spans],
                advice,
                warnings + _sender_warning(sender, lang) if sender else warnings,
                explanation.log_odds,
                explanation.bias,
                explanation.remainder,
                version,
                mode,
            )

    def _signals(self, view: Occurrences, count: int) -> list[frozenset[str]]:
        """The ids of the signals of each message, those that the guidance asks for."""
        names = [s.id for s in self.model.space.signals]
        asked = np.array([name in mentioned() for name in names], bool)
        columns = view.columns - self.model.space.offset("signal")
        kept = asked[columns]
        found = [frozenset[str]()] * count
        for row, column in zip(view.rows[kept].tolist(), columns[kept].tolist(), strict=True):
            found[row] |= {names[column]}
        return found


def _doubts(
    label: Label,
    reason: str | None,
    probabilities: dict[str, float],
    contacts: ContactCheck,
    sender: SenderKind | None,
    most_fraud: float,
) -> tuple[Label, str | None]:
    """Turn a lawful label into `uncertain` where the contacts or the sender speak against it."""
    if label in SAFE_LABELS and contacts.contradicts:
        return "uncertain", "contact_mismatch"
    if label in SAFE_LABELS and sender in DOUBTFUL and probabilities["fraud"] > most_fraud / 3:
        return "uncertain", "sender_doubtful"
    return label, reason


def _contact_evidence(contacts: ContactCheck, message: Message, lang: Lang) -> list[Evidence]:
    """The registry's findings; they carry no learned weight, and so none is shown."""
    return [
        Evidence(f.start, f.end, message.text[f.start : f.end], f"registry.{f.id}", 0.0, f.text(lang))
        for f in contacts.findings
    ]


def _sender_warning(sender: SenderKind | None, lang: Lang) -> list[Warning]:
    return [Warning(f"sender_{sender}", sender_wording(sender, lang))] if sender else []
