"""The shipped model on the challenge set: messages, contrast pairs, behaviour cases, evidence, attacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from classifier.classifier import Classifier
from classifier.labels import LABELS
from classifier.training.corpus import CHALLENGE, load_challenge, load_lines
from classifier.training.figures import pair_accuracy, rate, summarise
from classifier.verdict import Verdict


def probabilities_of(verdicts: list[Verdict]) -> np.ndarray:
    """(n, 4) label probabilities in the order of `LABELS`."""
    return np.array([[v.probabilities[label] for label in LABELS] for v in verdicts])


def behaviour(classifier: Classifier, cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Pass rates of minimum-function, invariance and direction cases (Ribeiro et al., ACL 2020)."""
    first = classifier.classify_many([c["text"] for c in cases], evidence=False)
    second = classifier.classify_many([c.get("changed") or c["text"] for c in cases], evidence=False)
    passed: dict[str, list[bool]] = {"mft": [], "inv": [], "dir": []}
    by_capability: dict[str, list[bool]] = {}
    for case, a, b in zip(cases, first, second, strict=True):
        if case["type"] == "mft":
            good = a.best_label == case["label"]
        elif case["type"] == "inv":
            good = a.best_label == b.best_label
        else:
            before, after = a.probabilities["fraud"], b.probabilities["fraud"]
            good = after > before if case["expect"] == "more_fraud" else after < before
        passed[case["type"]].append(good)
        by_capability.setdefault(case["capability"], []).append(good)
    return {
        **{kind: {"rate": round(float(np.mean(v)), 4), "cases": len(v)} for kind, v in passed.items() if v},
        "by_capability": {k: round(float(np.mean(v)), 3) for k, v in sorted(by_capability.items())},
    }


def evaluate(
    model: Path | None = None, challenge: Path | None = None, *, attacks: bool = False, faithfulness: bool = False
) -> dict[str, Any]:
    """All figures on the challenge set. Raises `CorpusError` where it is missing."""
    folder = challenge or CHALLENGE
    frame = load_challenge(folder)
    classifier = Classifier.load(model)
    verdicts = classifier.classify_many(frame.text.to_list(), evidence=False)
    truth = frame.label.to_numpy()
    said = np.array([v.label for v in verdicts], object)
    best = np.array([v.best_label for v in verdicts])
    report: dict[str, Any] = {
        "model": classifier.version,
        "challenge": summarise(truth, probabilities_of(verdicts), said),
        "pairs": pair_accuracy(frame.pair.to_numpy(), truth, best),
        "by_label": {label: rate(best == label, truth == label) for label in LABELS},
        "confusion": {t: {p: int(((truth == t) & (best == p)).sum()) for p in LABELS} for t in LABELS},
        "behaviour": behaviour(classifier, load_lines(folder, "behaviour")),
    }
    if faithfulness:
        from classifier.training.faithfulness import measure

        report["evidence"] = measure(classifier, load_lines(folder, "spans"))
    if attacks:
        from classifier.training.attacks import run_suite

        report["attacks"] = run_suite(classifier, frame)
    return report


def _percent(entry: dict[str, Any]) -> str:
    low, high = entry["interval"]
    return f"{entry['rate']:.1%} ({entry['errors']}/{entry['of']}, 95 % {low:.1%}–{high:.1%})"


def to_markdown(report: dict[str, Any]) -> str:
    """The report as a page of Markdown."""
    c = report["challenge"]
    a = c["with_abstention"]
    lines = [
        f"Model {report['model']} on the challenge set ({c['messages']} messages, never trained on)",
        "",
        "| figure | value |",
        "| --- | --- |",
        f"| accuracy without abstention | {c['accuracy']:.3f} |",
        f"| macro-F1 | {c['macro_f1']:.3f} |",
        f"| expected calibration error | {c['ece']:.3f} |",
        f"| **fraud called official or collection**, no abstention | {_percent(c['fraud_called_lawful'])} |",
        f"| **fraud called official or collection**, with abstention | {_percent(a['fraud_called_lawful'])} |",
        f"| lawful called fraud, no abstention | {_percent(c['lawful_called_fraud'])} |",
        f"| lawful called fraud, with abstention | {_percent(a['lawful_called_fraud'])} |",
        f"| unrelated called fraud, no abstention | {_percent(c['unrelated_called_fraud'])} |",
        f"| fraud recall, no abstention | {_percent(c['fraud_recall'])} |",
        f"| share answered | {a['answered']:.1%}, right in {a['accuracy_when_answered']:.1%} of them |",
        f"| contrast pairs right on both sides | {report['pairs']['rate']:.1%} of {report['pairs']['pairs']} |",
    ]
    for kind, name in (("mft", "minimum function"), ("inv", "invariance"), ("dir", "direction")):
        entry = report["behaviour"][kind]
        lines.append(f"| behaviour: {name} | {entry['rate']:.1%} of {entry['cases']} |")
    lines += ["", "Confusion (rows: truth; columns: best label)", "", "| | " + " | ".join(LABELS) + " |"]
    lines.append("| --- |" + " --- |" * len(LABELS))
    for truth in LABELS:
        lines.append(f"| {truth} | " + " | ".join(str(report["confusion"][truth][p]) for p in LABELS) + " |")
    if "evidence" in report:
        e = report["evidence"]
        lines += ["", "Evidence", "", "| figure | value |", "| --- | --- |"]
        lines += [f"| {k} | {v} |" for k, v in e.items()]
    if "attacks" in report:
        from classifier.training.attacks import to_table

        lines += ["", "Attacks (label kept, given right before)", "", *to_table(report["attacks"])]
    return "\n".join(lines)
