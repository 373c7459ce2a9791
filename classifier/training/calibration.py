"""Calibration of kind logits on out-of-fold predictions, and how good it is.

Temperature and one bias a label minimise the negative log-likelihood of the labels (temperature scaling: Guo et al.,
ICML 2017; the bias is its vector form, tied within a label).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from classifier.labels import LABELS, label_of

UNCALIBRATED: dict[str, Any] = {"temperature": 1.0, "label_bias": dict.fromkeys(LABELS, 0.0)}
"""A calibration that changes nothing."""


def label_matrix(kinds: tuple[str, ...]) -> np.ndarray:
    """(kinds, labels), 1 where the kind belongs to the label."""
    return np.array([[float(label_of(k) == label) for label in LABELS] for k in kinds])


def label_probabilities(logits: np.ndarray, kinds: tuple[str, ...], calibration: dict[str, Any]) -> np.ndarray:
    """Calibrated label probabilities, shape (n, 4), of raw kind logits, shape (n, kinds)."""
    members = label_matrix(kinds)
    shift = members @ np.array([calibration["label_bias"][label] for label in LABELS])
    scaled = logits / calibration["temperature"] + shift
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: np.ndarray = (powers @ members) / powers.sum(axis=1, keepdims=True)
    return result


def fit_calibration(logits: np.ndarray, labels: np.ndarray, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Fit on held-out raw kind logits (n, kinds) and true labels (n,)."""
    target = np.array([LABELS.index(label) for label in labels])

    def unpack(values: np.ndarray) -> dict[str, Any]:
        bias = np.append(values[1:], 0.0)
        return {"temperature": float(np.exp(values[0])), "label_bias": dict(zip(LABELS, map(float, bias), strict=True))}

    def loss(values: np.ndarray) -> float:
        p = label_probabilities(logits, kinds, unpack(values))
        return float(-np.log(np.maximum(p[np.arange(len(target)), target], 1e-12)).mean())

    found = minimize(loss, np.zeros(len(LABELS)), method="L-BFGS-B")
    calibration = unpack(np.round(found.x, 6))
    return {
        "temperature": round(calibration["temperature"], 6),
        "label_bias": {k: round(v, 6) for k, v in calibration["label_bias"].items()},
    }


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """ECE of the top label over equal-width bins of confidence."""
    confidence = probabilities.max(axis=1)
    right = np.array(LABELS)[probabilities.argmax(axis=1)] == labels
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for one in range(bins):
        inside = at == one
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)
