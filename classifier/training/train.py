"""Corpus -> model folder: grouped folds, calibration and thresholds out of fold, the final fit, the scoring files."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from classifier.features import ViewConfig
from classifier.labels import LABELS, label_of
from classifier.message import Message, fold_many
from classifier.model import LinearModel, quantise, save_model
from classifier.policy import MODES
from classifier.signals import Signal
from classifier.training.augmentation import augment, disturb
from classifier.training.calibration import fit_calibration, label_probabilities
from classifier.training.corpus import MESSAGES, corpus_hash, load_corpus
from classifier.training.figures import bootstrap_interval, pair_accuracy, summarise
from classifier.training.head import NBLogisticKinds
from classifier.training.thresholds import apply, choose
from classifier.training.vectorizer import MessageVectorizer, to_matrix

SEED = 20261123
FOLDS = 5
COPY_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run besides the corpus."""

    views: ViewConfig = field(default_factory=ViewConfig)
    C: float = 20.0
    label_C: float = 5.0
    smoothings: tuple[float, ...] = (2.0, 10.0)
    label_share: float = 1.0
    kind_share: float = 1.0
    passes: int = 6
    augment: bool = True
    disturb: bool = True
    disturb_weight: float = 0.1
    signals: bool = True
    max_columns: int = 165_000
    seed: int = SEED


def make_pipeline(recipe: Recipe, jobs: int = 1) -> Pipeline:
    """The scikit-learn pipeline of a recipe, unfitted: vectorizer and logistic regressions."""
    head = NBLogisticKinds(
        C=recipe.C,
        label_C=recipe.label_C,
        smoothings=recipe.smoothings,
        label_share=recipe.label_share,
        kind_share=recipe.kind_share,
        passes=recipe.passes,
        seed=recipe.seed,
        n_jobs=jobs,
    )
    signals: list[Signal] | None = None if recipe.signals else []
    return Pipeline([("features", MessageVectorizer(recipe.views, signals)), ("classifier", head)])


def prune(pipeline: Pipeline, most: int) -> None:
    """Keep the `most` columns whose weights tell the labels apart most; of words and signals all.

    On held-out families this lost nothing against all columns of the same fit, while choosing the columns before the
    fit (a higher document frequency, chi-squared) did.
    """
    space, classifier = pipeline.named_steps["features"].space_, pipeline.named_steps["classifier"]
    if space.size <= most:
        return
    of = np.array([label_of(kind) for kind in classifier.classes_])
    means = np.stack([classifier.coef_[of == label].mean(axis=0) for label in LABELS])
    reach = (means.max(axis=0) - means.min(axis=0)) * space.idf
    reach[: len(space.words)] = np.inf
    reach[space.size - len(space.signals) :] = np.inf
    kept = np.zeros(space.size, bool)
    kept[np.argsort(-reach, kind="stable")[:most]] = True
    space.keep(kept)
    classifier.coef_ = np.ascontiguousarray(classifier.coef_[:, kept])


def fit(
    frame: pd.DataFrame,
    messages: Sequence[Message],
    recipe: Recipe,
    jobs: int = 1,
    folder: Callable[[Sequence[str]], list[Message]] = fold_many,
) -> Pipeline:
    """Fit one pipeline on the rows of `frame`, whose folded texts are `messages`; augments where the recipe says so.

    The vocabulary is learnt from the messages alone; the copies made by augmentation only add rows.
    """
    pipeline = make_pipeline(recipe, jobs)
    features, classifier = pipeline.named_steps["features"], pipeline.named_steps["classifier"]
    target = frame.kind.to_numpy()
    weights = np.ones(len(frame))
    texts: list[Message] = list(messages)
    features.fit(texts)
    if recipe.augment:
        plain = frame.text.to_list()
        copies, origin = augment(plain, frame.label.to_list(), recipe.seed)
        weight = np.full(len(copies), COPY_WEIGHT)
        if recipe.disturb:
            more, of = disturb(plain, frame.kind.to_list(), recipe.seed)
            copies, origin = copies + more, origin + of
            weight = np.concatenate([weight, np.full(len(more), recipe.disturb_weight)])
        texts += folder(copies)
        target = np.concatenate([target, target[origin]])
        weights = np.concatenate([weights, weight])
    classifier.fit(to_matrix(features.space_, texts), target, sample_weight=weights)
    prune(pipeline, recipe.max_columns)
    return pipeline


def out_of_fold(
    frame: pd.DataFrame, messages: Sequence[Message], recipe: Recipe, kinds: tuple[str, ...], jobs: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Raw logits of every message by a model that never saw its family: (n, classes), and the fold of each."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=recipe.seed)
    folds = np.zeros(len(frame), int)
    logits = np.full((len(frame), len(kinds)), -30.0)
    for number, (train, test) in enumerate(splitter.split(np.zeros(len(frame)), frame.kind, frame.family)):
        pipeline = fit(frame.iloc[train], [messages[i] for i in train], recipe, jobs)
        matrix = to_matrix(pipeline.named_steps["features"].space_, [messages[i] for i in test])
        classifier = pipeline.named_steps["classifier"]
        columns = [kinds.index(k) for k in classifier.classes_]
        logits[np.ix_(test, columns)] = classifier.decision_function(matrix)
        folds[test] = number
    return logits, folds


def cross_fitted(logits: np.ndarray, folds: np.ndarray, frame: pd.DataFrame, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Figures on the folds, calibration and thresholds chosen on the OTHER folds than they are reported on."""
    truth = frame.label.to_numpy()
    probabilities = np.zeros((len(frame), len(LABELS)))
    said = {mode: np.empty(len(frame), object) for mode in MODES}
    for number in np.unique(folds):
        here, there = folds == number, folds != number
        calibration = fit_calibration(logits[there], truth[there], kinds)
        chosen_on = label_probabilities(logits[there], kinds, calibration)
        probabilities[here] = label_probabilities(logits[here], kinds, calibration)
        for mode in MODES:
            said[mode][here] = apply(probabilities[here], choose(chosen_on, truth[there], mode))
    best = np.array(LABELS)[probabilities.argmax(axis=1)]
    figures = summarise(truth, probabilities, said["balanced"])
    figures["macro_f1_interval"] = bootstrap_interval(truth, best, frame.family.to_numpy())
    figures["pairs"] = pair_accuracy(frame.pair.to_numpy(), truth, best)
    figures["cautious"] = summarise(truth, probabilities, said["cautious"])["with_abstention"]
    return figures


def threshold_table(probabilities: np.ndarray, truth: np.ndarray) -> list[list[float]]:
    """Rows [t, fraud called lawful with p(fraud) <= t, lawful called fraud with p(fraud) >= t]."""
    best = np.array(LABELS)[probabilities.argmax(axis=1)]
    fraud_p = probabilities[:, LABELS.index("fraud")]
    fraud, lawful = truth == "fraud", np.isin(truth, ("official", "collection"))
    safe = np.isin(best, ("official", "collection"))
    return [
        [
            round(t, 2),
            round(float((fraud & safe & (fraud_p <= t)).sum() / fraud.sum()), 4),
            round(float((lawful & (best == "fraud") & (fraud_p >= t)).sum() / lawful.sum()), 4),
        ]
        for t in np.arange(0.05, 1.0, 0.05)
    ]


def train(
    out: Path,
    corpus: Path = MESSAGES,
    recipe: Recipe | None = None,
    jobs: int = 2,
    say: Callable[[str], None] = lambda _: None,
) -> LinearModel:
    """Train on a corpus folder and write the model folder `out`; the same corpus gives the same scoring bytes."""
    recipe = recipe or Recipe()
    frame = load_corpus(corpus)
    kinds = tuple(sorted(frame.kind.unique()))
    say(f"{len(frame)} messages, {len(kinds)} kinds, {frame.family.nunique()} families")
    messages = fold_many(frame.text.to_list())
    logits, folds = out_of_fold(frame, messages, recipe, kinds, jobs)
    figures = cross_fitted(logits, folds, frame, kinds)
    say(f"grouped folds: macro-F1 {figures['macro_f1']}, fraud called lawful {figures['fraud_called_lawful']['rate']}")
    truth = frame.label.to_numpy()
    calibration = fit_calibration(logits, truth, kinds)
    probabilities = label_probabilities(logits, kinds, calibration)
    thresholds = {mode: asdict(choose(probabilities, truth, mode)) for mode in MODES}
    figures["thresholds"] = threshold_table(probabilities, truth)

    pipeline = fit(frame, messages, recipe, jobs)
    classifier = pipeline.named_steps["classifier"]
    classifier.n_jobs = 1
    weights, scales = quantise(classifier.coef_.T)
    # The pipeline keeps exactly the numbers that are shipped, so that the two can be held equal.
    classifier.coef_ = np.ascontiguousarray((weights * scales[:, None]).T.astype(np.float32))
    classifier.intercept_ = classifier.intercept_.astype(np.float32)
    meta = {
        "version": f"{corpus_hash(frame)[:8]}",
        "corpus": {"sha256": corpus_hash(frame), "messages": len(frame), "families": int(frame.family.nunique())},
        "labels": frame.label.value_counts().sort_index().to_dict(),
        "recipe": asdict(recipe),
        "calibration": calibration,
        "thresholds": thresholds,
        "figures": figures,
        "versions": {
            "python": platform.python_version(),
            **{n: version(n) for n in ("numpy", "scipy", "scikit-learn", "rjieba", "google-re2", "hyperscan")},
        },
    }
    space = pipeline.named_steps["features"].space_
    model = LinearModel(space, weights, scales, classifier.intercept_, tuple(classifier.classes_), meta)
    save_model(model, out)
    joblib.dump(pipeline, out / "pipeline.joblib", compress=("lzma", 3))
    say(f"written to {out}")
    return model
