"""The featuriser as a scikit-learn transformer: texts in, a sparse matrix of named columns out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from classifier.features import FeatureSpace, ViewConfig
from classifier.message import Message, fold
from classifier.signals import Signal, compile_database, read_toml


class MessageVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fold texts and turn them into words, characters, pinyin and signals.

    Parameters:
        config: the views; `ViewConfig()` where None.
        signals: the signals; those of ``resources/signals.toml`` where None.

    Attributes:
        space_: the fitted `classifier.features.FeatureSpace`.
    """

    def __init__(self, config: ViewConfig | None = None, signals: list[Signal] | None = None) -> None:
        self.config = config
        self.signals = signals

    def fit(self, X: Sequence[str | Message], y: Any = None) -> MessageVectorizer:
        """Learn the vocabulary of texts (or of messages already folded)."""
        signals = read_toml() if self.signals is None else self.signals
        database = compile_database(signals) if signals else None
        self.space_ = FeatureSpace.fit(_folded(X), signals, self.config or ViewConfig(), database)
        return self

    def transform(self, X: Sequence[str | Message]) -> sp.csr_matrix:
        """Return a float32 matrix of shape (len(X), columns)."""
        check_is_fitted(self, "space_")
        return to_matrix(self.space_, _folded(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The name of every column."""
        check_is_fitted(self, "space_")
        return np.array(self.space_.names(), dtype=object)


def _folded(texts: Sequence[str | Message]) -> list[Message]:
    return [t if isinstance(t, Message) else fold(t) for t in texts]


def to_matrix(space: FeatureSpace, messages: Sequence[Message], chunk: int = 2000) -> sp.csr_matrix:
    """The feature vectors of messages as one sparse matrix."""
    parts = []
    for at in range(0, len(messages), chunk):
        some = messages[at : at + chunk]
        views = space.occurrences(some)
        rows = np.concatenate([v.rows for v in views])
        columns = np.concatenate([v.columns for v in views])
        values = np.concatenate([v.values for v in views])
        parts.append(sp.csr_matrix((values, (rows, columns)), shape=(len(some), space.size)))
    return sp.vstack(parts, format="csr") if parts else sp.csr_matrix((0, space.size), dtype=np.float32)
