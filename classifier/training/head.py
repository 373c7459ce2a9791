"""The head: one-against-rest logistic regressions over kinds and over labels, joined into one linear map.

Before each regression every column is scaled by its naive-Bayes log-count ratio for that class (NB-SVM: Wang and
Manning, ACL 2012), which on short texts beats the plain multinomial regression of either target. The regressions over
kinds see how differently one label can be said; those over labels see what its kinds share. Their sum,
``z[kind] = z_kind + label_share * z_label[label of the kind]``, is again linear in the features: that is all that is
shipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from classifier.labels import label_of
from classifier.training.solver import solve


def counts_by_class(matrix: sp.csr_matrix, of: np.ndarray, classes: int, weights: np.ndarray) -> np.ndarray:
    """The weight of the rows of each class that a column stands in, float64, shape (columns, classes)."""
    chosen = sp.csr_matrix((weights, (of, np.arange(len(of)))), shape=(classes, len(of)))
    present = sp.csr_matrix((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
    counts: np.ndarray = (chosen @ present).toarray().T
    return counts


def log_count_ratios(counts: np.ndarray, smoothing: float) -> np.ndarray:
    """log of (share of the column in the class / in all others), for every column and class."""
    inside = counts + smoothing
    outside = counts.sum(axis=1, keepdims=True) - counts + smoothing
    ratios: np.ndarray = np.log(inside / inside.sum(axis=0)) - np.log(outside / outside.sum(axis=0))
    return ratios


class NBLogisticKinds(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Kinds by NB-scaled one-against-rest logistic regressions, stiffened by those of their labels.

    Parameters:
        C, label_C: inverse regularisation of the regressions over kinds and over labels.
        smoothings: what is added to every count of the log-count ratio; the mean of one regression for each.
        label_share: weight of the label's logit in its kinds' logits; 0 leaves labels out.
        kind_share: weight of the kind's own logit; 0 leaves only labels (every kind of a label alike).
        passes: of the solver over all rows; more than these change no figure.
        seed: of the order in which the solver takes the rows.
        n_jobs: threads; the numbers do not depend on it.

    Attributes:
        classes_: the kinds, sorted.
        coef_, intercept_: the joined linear map, shapes (kinds, columns) and (kinds,).
    """

    def __init__(
        self,
        C: float = 20.0,
        label_C: float = 5.0,
        smoothings: tuple[float, ...] = (2.0, 10.0),
        label_share: float = 1.0,
        kind_share: float = 1.0,
        passes: int = 6,
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.C = C
        self.label_C = label_C
        self.smoothings = smoothings
        self.label_share = label_share
        self.kind_share = kind_share
        self.passes = passes
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(self, X: sp.csr_matrix, y: Any, sample_weight: np.ndarray | None = None) -> NBLogisticKinds:
        """Fit on a non-negative sparse matrix (n, columns) and kinds (n,)."""
        y = np.asarray(y)
        weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, float)
        self.classes_, of_kind = np.unique(y, return_inverse=True)
        own = [label_of(kind) for kind in self.classes_]
        names, label_of_kind = np.unique(own, return_inverse=True)
        belongs = np.eye(len(names))[label_of_kind]
        counts = counts_by_class(X, of_kind, len(own), weights)
        targets = np.concatenate([np.eye(len(own), dtype=bool)[of_kind], belongs[of_kind] > 0], axis=1)
        strengths = np.repeat([self.C, self.label_C], [len(own), len(names)])
        bounds = (weights[:, None] * strengths).astype(np.float32)
        found, intercepts = np.zeros((X.shape[1], len(strengths))), np.zeros(len(strengths))
        for smoothing in self.smoothings:
            ratios = np.concatenate(
                [log_count_ratios(counts, smoothing), log_count_ratios(counts @ belongs, smoothing)], axis=1
            )
            each = solve(X, targets, bounds, ratios.astype(np.float32), self.passes, self.seed, self.n_jobs)
            found += each[0] / len(self.smoothings)
            intercepts += each[1] / len(self.smoothings)
        kinds, tops = np.split(found, [len(own)], axis=1)
        self.coef_ = np.ascontiguousarray(
            (self.kind_share * kinds + self.label_share * tops[:, label_of_kind]).T, np.float32
        )
        self.intercept_ = (
            self.kind_share * intercepts[: len(own)] + self.label_share * intercepts[len(own) :][label_of_kind]
        ).astype(np.float32)
        return self

    def decision_function(self, X: sp.csr_matrix) -> np.ndarray:
        """Raw kind logits, shape (n, kinds)."""
        check_is_fitted(self, "coef_")
        logits: np.ndarray = np.asarray(X @ self.coef_.T) + self.intercept_
        return logits

    def predict_proba(self, X: sp.csr_matrix) -> np.ndarray:
        """Softmax of the logits; uncalibrated (the model folder's calibration is fitted out of fold)."""
        logits = self.decision_function(X)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
        return result

    def predict(self, X: sp.csr_matrix) -> np.ndarray:
        """The likeliest kind of each row."""
        predicted: np.ndarray = self.classes_[self.decision_function(X).argmax(axis=1)]
        return predicted
