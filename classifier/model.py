"""The model: a linear classifier over kinds, loaded from arrays and JSON without running code.

A model folder holds the feature space, ``weights.npy`` (int8, features x kinds) with ``scales.npy`` (float32, one a
feature: a weight is their product), ``bias.npy``, ``model.json``
(format version, kinds, view settings, calibration, thresholds, figures) and ``manifest.json`` with the sha256 of every
file that scoring reads. `load_model` refuses a folder that does not match its manifest. ``pipeline.joblib``, for
notebooks and further training, is never read here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import fast
from classifier.errors import ModelError
from classifier.features import FeatureSpace, ViewConfig, load_space, save_space
from classifier.labels import LABELS, label_of
from classifier.message import Message
from classifier.occurrences import FloatArray, Occurrences
from classifier.tokens import TokenizerName

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
NOT_FOR_SCORING = {MANIFEST, "pipeline.joblib", "README.md", "ABLATION.md", "CHANGELOG.md", "EVALUATION.md"}


def default_folder() -> Path:
    """The shipped model: beside the package in a wheel, in ``models/default`` of a checkout."""
    packaged = Path(__file__).with_name("models") / "default"
    return packaged if packaged.exists() else Path(__file__).resolve().parents[1] / "models" / "default"


@dataclass(slots=True)
class Scores:
    """What the model says of a chunk of n messages.

    Attributes:
        kind_logits: shape (n, kinds), calibrated.
        kind_probabilities: shape (n, kinds), rows sum to 1.
        label_probabilities: shape (n, 4) in the order of `LABELS`, rows sum to 1.
    """

    kind_logits: FloatArray
    kind_probabilities: FloatArray
    label_probabilities: FloatArray


@dataclass(slots=True)
class LinearModel:
    """Feature space, weights and calibration.

    A kind's calibrated logit is ``(x @ (weights * scales) + bias) / temperature + label_bias[label of the kind]``;
    probabilities are its softmax; a label's probability is the sum of its kinds'.
    """

    space: FeatureSpace
    weights: npt.NDArray[np.int8]
    scales: FloatArray
    bias: FloatArray
    kinds: tuple[str, ...]
    meta: dict[str, Any]

    def __post_init__(self) -> None:
        # Feature by feature: a mapped file is then read only where a message has features.
        self.weights = np.ascontiguousarray(self.weights)
        labels = [label_of(k) for k in self.kinds]
        self._label_index = np.array([LABELS.index(label) for label in labels])
        self._of_label = [np.flatnonzero(self._label_index == at) for at in range(len(LABELS))]
        calibration = self.meta["calibration"]
        self._scale = np.float32(1 / calibration["temperature"])
        self._shift = np.array([calibration["label_bias"][label] for label in labels], np.float32)

    _label_index: Any = None
    _of_label: Any = None
    _scale: Any = None
    _shift: Any = None

    @property
    def label_index(self) -> Any:
        """For each kind the position of its label in `LABELS`, shape (kinds,)."""
        return self._label_index

    def base_logits(self) -> FloatArray:
        """Calibrated logits of an empty feature vector, shape (kinds,)."""
        base: FloatArray = self.bias * self._scale + self._shift
        return base

    def linear_logits(self, occurrences: Sequence[Occurrences], count: int) -> FloatArray:
        """The features' part of the calibrated logits, shape (count, kinds)."""
        total = np.zeros((count, len(self.kinds)))
        compiled = fast.kernels(count)
        for view in occurrences:
            if compiled is not None:
                compiled.add_weights(view.rows, view.columns, view.values, self.weights, self.scales, total)
            else:
                self._plain_sums(view, total)
        logits: FloatArray = total.astype(np.float32) * self._scale
        return logits

    def _plain_sums(self, view: Occurrences, total: npt.NDArray[np.float64]) -> None:
        """Add a view's weights to each message's sums, message by message: the rows of `view` are in order."""
        values = (view.values * self.scales[view.columns]).astype(np.float64)
        first = np.searchsorted(view.rows, np.arange(len(total) + 1)).tolist()
        for row, (start, end) in enumerate(pairwise(first)):
            if end > start:
                # Not by `@`: the first product by BLAS takes 12 MB for its buffers.
                total[row] += (self.weights[view.columns[start:end]] * values[start:end, None]).sum(axis=0)

    def scores_from(self, linear: FloatArray) -> Scores:
        """Turn the features' part of the logits into probabilities."""
        logits = linear + self.base_logits()
        shifted = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
        kind_p = shifted / shifted.sum(axis=1, keepdims=True)
        label_p = np.stack([kind_p[:, mine].sum(axis=1) for mine in self._of_label], axis=1)
        return Scores(logits, kind_p.astype(np.float32), label_p.astype(np.float32))

    def likeliest_kinds(self, scores: Scores) -> list[str]:
        """For each message the likeliest kind of its likeliest label."""
        best = scores.label_probabilities.argmax(axis=1)
        other = self._label_index[None, :] != best[:, None]
        return [self.kinds[at] for at in np.where(other, -1.0, scores.kind_probabilities).argmax(axis=1).tolist()]

    def score(self, messages: Sequence[Message]) -> Scores:
        """Score messages; one row a message, in order."""
        return self.scores_from(self.linear_logits(self.space.occurrences(messages), len(messages)))


def quantise(weights: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Round weights (features, kinds) to int8 with one scale a feature; ``int8 * scale`` is what is shipped."""
    scales = np.abs(weights).max(axis=1) / 127
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    return np.rint(weights / scales[:, None]).astype(np.int8), scales


def sha256(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def save_model(model: LinearModel, folder: Path) -> None:
    """Write the scoring files and their manifest; the bytes depend on the model alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.is_file() and old.name not in NOT_FOR_SCORING:
            old.unlink()
    save_space(model.space, folder)
    np.save(folder / "weights.npy", np.ascontiguousarray(model.weights))
    np.save(folder / "scales.npy", model.scales)
    np.save(folder / "bias.npy", model.bias.astype(np.float32))
    meta = {"format_version": FORMAT_VERSION, "kinds": list(model.kinds), **model.meta}
    meta["views"] = model.space.config.to_json()
    (folder / "model.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name not in NOT_FOR_SCORING)
    manifest = {p.name: sha256(p) for p in files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _check_manifest(folder: Path) -> None:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelError("model.missing", folder=folder, name=MANIFEST)
    try:
        manifest: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        items = sorted(manifest.items())
    except (ValueError, AttributeError):
        raise ModelError("model.damaged", folder=folder, detail=MANIFEST) from None
    for name, expected in items:
        if Path(name).name != name:
            raise ModelError("model.refused", folder=folder, name=name)
        file = folder / name
        if not file.is_file():
            raise ModelError("model.missing", folder=folder, name=name)
        if sha256(file) != expected:
            raise ModelError("model.refused", folder=folder, name=name)
    if "model.json" not in manifest:
        raise ModelError("model.damaged", folder=folder, detail="model.json")


def load_model(folder: Path | None = None, tokenizer: TokenizerName | None = None) -> LinearModel:
    """Load a model folder; the shipped one when none is named.

    Raises `ModelError` where the folder is missing, incomplete, altered or of another format version.
    """
    folder = default_folder() if folder is None else Path(folder)
    _check_manifest(folder)
    meta: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if meta.get("format_version") != FORMAT_VERSION:
        raise ModelError("model.format", folder=folder, found=meta.get("format_version"), known=FORMAT_VERSION)
    try:
        space = load_space(folder, ViewConfig.from_json(meta["views"]), tokenizer)
        weights = np.load(folder / "weights.npy", mmap_mode="r", allow_pickle=False)
        scales = np.load(folder / "scales.npy", allow_pickle=False)
        bias = np.load(folder / "bias.npy", allow_pickle=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("model.damaged", folder=folder, detail=error) from None
    if weights.shape != (space.size, len(meta["kinds"])) or len(scales) != space.size or weights.dtype != np.int8:
        raise ModelError("model.damaged", folder=folder, detail="weights.npy")
    return LinearModel(space, weights, scales, bias, tuple(meta["kinds"]), meta)
