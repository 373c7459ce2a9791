"""Mistakes found and mended stay mended: messages written to probe the model, never trained on.

``tests/regression.jsonl``: `text`, `label`, `found` (what an earlier model said) and `open`, true for a mistake that the
shipped model still makes: those are listed so that nobody has to find them again, and are not asserted.
"""

from pathlib import Path

from classifier.training.corpus import load_lines

ROWS = load_lines(Path(__file__).parent, "regression")


def test_mended_mistakes_stay_mended(classifier):
    mended = [row for row in ROWS if not row["open"]]
    said = classifier.classify_many([row["text"] for row in mended], evidence=False)
    assert [r["text"] for r, v in zip(mended, said, strict=True) if v.best_label != r["label"]] == []


def test_no_regression_sample_is_in_the_corpus(corpus):
    assert not {row["text"] for row in ROWS} & set(corpus.text)
