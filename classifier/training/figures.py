"""The figures that every report prints: accuracy, macro-F1, the dangerous error, false alarms, abstention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from classifier.labels import LABELS, SAFE_LABELS
from classifier.training.calibration import expected_calibration_error
from classifier.training.thresholds import interval


def rate(errors: np.ndarray, among: np.ndarray) -> dict[str, Any]:
    """A rate with its counts and its 95 % Clopper-Pearson interval."""
    count, hits = int(among.sum()), int((errors & among).sum())
    low, high = interval(hits, count)
    share = hits / count if count else 0.0
    return {"rate": round(share, 4), "errors": hits, "of": count, "interval": [round(low, 4), round(high, 4)]}


def macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Macro-F1 over the four labels."""
    return float(f1_score(truth, said, labels=list(LABELS), average="macro", zero_division=0))


def bootstrap_interval(truth: np.ndarray, said: np.ndarray, groups: np.ndarray, rounds: int = 200) -> list[float]:
    """95 % interval of macro-F1 by resampling families, seed fixed."""
    generator = np.random.default_rng(0)
    members = pd.Series(np.arange(len(truth))).groupby(groups).apply(np.array).to_list()
    scores = []
    for _ in range(rounds):
        picked = np.concatenate([members[i] for i in generator.integers(0, len(members), len(members))])
        scores.append(macro_f1(truth[picked], said[picked]))
    return [round(float(v), 4) for v in np.percentile(scores, [2.5, 97.5])]


def pair_accuracy(pairs: np.ndarray, truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    """Share of contrast pairs of which both sides are right."""
    frame = pd.DataFrame({"pair": pairs, "right": truth == said})
    both = frame[frame.pair != ""].groupby("pair").right.agg(["all", "size"])
    both = both[both["size"] == 2]
    return {"rate": round(float(both["all"].mean()), 4) if len(both) else None, "pairs": len(both)}


def summarise(truth: np.ndarray, probabilities: np.ndarray, said: np.ndarray | None = None) -> dict[str, Any]:
    """Figures of predictions: without abstention from `probabilities` (n, 4), with it from the labels `said`."""
    best = np.array(LABELS)[probabilities.argmax(axis=1)]
    is_fraud, is_lawful = truth == "fraud", np.isin(truth, SAFE_LABELS)
    out: dict[str, Any] = {
        "messages": len(truth),
        "accuracy": round(float((best == truth).mean()), 4),
        "macro_f1": round(macro_f1(truth, best), 4),
        "ece": round(expected_calibration_error(probabilities, truth), 4),
        "fraud_recall": rate(best == "fraud", is_fraud),
        "fraud_called_lawful": rate(np.isin(best, SAFE_LABELS), is_fraud),
        "lawful_called_fraud": rate(best == "fraud", is_lawful),
        "unrelated_called_fraud": rate(best == "fraud", truth == "unrelated"),
    }
    if said is not None:
        answered = said != "uncertain"
        out["with_abstention"] = {
            "answered": round(float(answered.mean()), 4),
            "accuracy_when_answered": round(float((said == truth)[answered].mean()), 4) if answered.any() else None,
            "fraud_called_lawful": rate(np.isin(said, SAFE_LABELS), is_fraud),
            "lawful_called_fraud": rate(said == "fraud", is_lawful),
            "fraud_recall": rate(said == "fraud", is_fraud),
        }
    return out
