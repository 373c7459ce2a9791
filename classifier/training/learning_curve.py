"""Do more messages still pay? ``python -m classifier.training.learning_curve`` prints the curve for the data card.

A fifth of the families is held out; growing shares of the others train the pipeline (without augmentation), which is
then measured on the held-out families and on the challenge set. Nothing is chosen by it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from classifier.message import fold_many
from classifier.training.calibration import UNCALIBRATED, label_probabilities
from classifier.training.corpus import load_challenge, load_corpus
from classifier.training.figures import summarise
from classifier.training.train import SEED, Recipe, fit
from classifier.training.vectorizer import to_matrix

SHARES = (0.125, 0.25, 0.5, 1.0)


def _figures(pipeline: Pipeline, texts: list[str], truth: np.ndarray) -> dict[str, Any]:
    head = pipeline.named_steps["classifier"]
    logits = head.decision_function(to_matrix(pipeline.named_steps["features"].space_, fold_many(texts)))
    return summarise(truth, label_probabilities(logits, tuple(head.classes_), UNCALIBRATED))


def curve(jobs: int = 2) -> list[dict[str, float]]:
    """One row a share: messages, held-out macro-F1 and accuracy, challenge accuracy and macro-F1."""
    frame, challenge = load_corpus(), load_challenge()
    recipe = dataclasses.replace(Recipe(), augment=False)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=SEED)
    train, test = next(splitter.split(np.zeros(len(frame)), frame.kind, frame.family))
    families = np.random.default_rng(SEED).permutation(frame.family.iloc[train].unique())
    rows = []
    for share in SHARES:
        kept = set(families[: int(len(families) * share)])
        part = frame.iloc[[i for i in train if frame.family.iloc[i] in kept]]
        pipeline = fit(part, fold_many(part.text.to_list()), recipe, jobs)
        held = _figures(pipeline, frame.text.iloc[test].to_list(), frame.label.iloc[test].to_numpy())
        other = _figures(pipeline, challenge.text.to_list(), challenge.label.to_numpy())
        rows.append(
            {
                "messages": len(part),
                "grouped_f1": held["macro_f1"],
                "challenge_accuracy": other["accuracy"],
                "challenge_f1": other["macro_f1"],
            }
        )
    return rows


def main() -> None:
    """Print the curve as Markdown."""
    print("| messages | macro-F1, families held out | accuracy on the challenge | macro-F1 on the challenge |")
    print("| --- | --- | --- | --- |")
    for row in curve():
        figures = " | ".join(f"{row[name]:.3f}" for name in ("grouped_f1", "challenge_accuracy", "challenge_f1"))
        print(f"| {row['messages']:,} | {figures} |")


if __name__ == "__main__":
    main()
