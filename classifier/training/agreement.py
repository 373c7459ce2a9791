"""Label quality: ``python -m classifier.training.agreement`` compares the corpus with a second, blind labelling.

``data/second_labels.csv`` holds id, label and whether the second labeller was sure; rows whose message has left the
corpus are passed over.
"""

from __future__ import annotations

import pandas as pd
from sklearn.metrics import cohen_kappa_score

from classifier.training.corpus import ROOT, load_corpus

SECOND = ROOT / "data" / "second_labels.csv"


def compare(corpus: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Agreement and Cohen's kappa on all messages and on those the second labeller was sure of."""
    both = second.merge(corpus[["id", "label"]], on="id", suffixes=("_second", ""))
    rows = {}
    for name, part in (("all", both), ("sure", both[both.sure == "yes"])):
        rows[name] = {
            "messages": len(part),
            "agreement": round(float((part.label == part.label_second).mean()), 4),
            "kappa": round(float(cohen_kappa_score(part.label, part.label_second)), 4),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    """Print the comparison."""
    second = pd.read_csv(SECOND, dtype=str, keep_default_na=False)
    print(compare(load_corpus(), second).to_string())


if __name__ == "__main__":
    main()
