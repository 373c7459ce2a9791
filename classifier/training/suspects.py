"""Messages whose label is probably wrong, by confident learning (Northcutt, Jiang and Chuang, JAIR 2021).

A message labelled i is suspect where its out-of-fold probability of another label j is at least the mean probability
that j has among the messages labelled j. ``python -m classifier.training.suspects`` fits the grouped folds (as long as
`make train`) and prints the suspects, the surest first, for a person to read.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from classifier.labels import LABELS
from classifier.message import fold_many
from classifier.training.calibration import fit_calibration, label_probabilities
from classifier.training.corpus import load_corpus
from classifier.training.train import Recipe, out_of_fold


def suspects(probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Find suspects from (n, 4) out-of-fold probabilities: columns `row`, `label`, `likelier`, `margin`, surest first."""
    given = np.array([LABELS.index(label) for label in labels])
    usual = np.array([probabilities[given == j, j].mean() if (given == j).any() else 1.0 for j in range(len(LABELS))])
    own = probabilities[np.arange(len(given)), given]
    others = np.where(probabilities >= usual, probabilities, 0.0)
    others[np.arange(len(given)), given] = 0.0
    best = others.argmax(axis=1)
    margin = others.max(axis=1) - own
    rows = np.flatnonzero(margin > 0)
    found = pd.DataFrame(
        {
            "row": rows,
            "label": np.array(LABELS)[given[rows]],
            "likelier": np.array(LABELS)[best[rows]],
            "margin": margin[rows].round(4),
        }
    )
    return found.sort_values("margin", ascending=False, ignore_index=True)


def main() -> None:
    """Print the suspects as TSV: id, kind, likelier label, margin, text."""
    frame = load_corpus()
    kinds = tuple(sorted(frame.kind.unique()))
    logits, _ = out_of_fold(frame, fold_many(frame.text.to_list()), Recipe(), kinds)
    truth = frame.label.to_numpy()
    found = suspects(label_probabilities(logits, kinds, fit_calibration(logits, truth, kinds)), truth)
    for row, likelier, margin in zip(found.row, found.likelier, found.margin, strict=True):
        message = frame.iloc[row]
        text = message.text.replace("\n", "\\n")
        sys.stdout.write(f"{message.id}\t{message.kind}\t{likelier}\t{margin}\t{text}\n")


if __name__ == "__main__":
    main()
