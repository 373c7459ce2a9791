import json
import shutil

import joblib
import numpy as np
import pytest

from classifier import Classifier, ModelError
from classifier.labels import LABELS
from classifier.message import fold
from classifier.model import default_folder, load_model
from classifier.training.calibration import label_probabilities
from classifier.training.train import Recipe, train

SCORING_LIMIT = 15_000_000


def test_scoring_arrays_equal_the_scikit_learn_pipeline_on_every_message(classifier, corpus):
    pipeline = joblib.load(default_folder() / "pipeline.joblib")
    model = classifier.model
    texts = corpus.text.to_list()
    expected = label_probabilities(
        pipeline.decision_function(texts), tuple(pipeline.named_steps["classifier"].classes_), model.meta["calibration"]
    )
    for at in range(0, len(texts), 2000):
        scores = model.score([fold(t) for t in texts[at : at + 2000]])
        np.testing.assert_allclose(scores.label_probabilities, expected[at : at + 2000], atol=2e-4)


def test_scoring_files_are_small_and_hold_no_code():
    folder = default_folder()
    files = [folder / name for name in json.loads((folder / "manifest.json").read_text())]
    assert sum(f.stat().st_size for f in files) <= SCORING_LIMIT
    assert {f.suffix for f in files} <= {".npy", ".json", ".txt", ".hsdb"}
    for file in files:
        if file.suffix == ".npy":
            np.load(file, allow_pickle=False)


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(default_folder(), folder, ignore=shutil.ignore_patterns("pipeline.joblib"))
    return folder


def test_a_copy_of_the_folder_loads(copy):
    assert Classifier.load(copy).classify("您的贷款已逾期，请尽快还款").label


def test_an_altered_file_is_refused(copy):
    data = bytearray((copy / "weights.npy").read_bytes())
    data[-1] ^= 1
    (copy / "weights.npy").write_bytes(data)
    with pytest.raises(ModelError) as error:
        Classifier.load(copy)
    assert error.value.id == "model.refused"
    assert "weights.npy" in str(error.value)


def test_a_missing_file_an_unknown_format_and_an_empty_folder_are_refused(copy, tmp_path):
    from classifier.model import sha256

    (copy / "bias.npy").unlink()
    with pytest.raises(ModelError):
        Classifier.load(copy)
    with pytest.raises(ModelError):
        Classifier.load(tmp_path)
    fresh = tmp_path / "fresh"
    shutil.copytree(default_folder(), fresh, ignore=shutil.ignore_patterns("pipeline.joblib"))
    meta = json.loads((fresh / "model.json").read_text(encoding="utf-8"))
    (fresh / "model.json").write_text(json.dumps(meta | {"format_version": 99}), encoding="utf-8")
    manifest = json.loads((fresh / "manifest.json").read_text())
    (fresh / "manifest.json").write_text(json.dumps(manifest | {"model.json": sha256(fresh / "model.json")}))
    with pytest.raises(ModelError) as error:
        Classifier.load(fresh)
    assert error.value.id == "model.format"


def test_a_manifest_may_not_point_outside(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"../evil": "0" * 64}))
    with pytest.raises(ModelError):
        load_model(copy)


def test_training_twice_gives_the_same_scoring_bytes(tmp_path, corpus):
    small = tmp_path / "corpus"
    rows = corpus.groupby("kind").head(24)
    for kind, part in rows.groupby("kind"):
        label, name = kind.split(".")
        path = small / label / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        part.drop(columns=["kind", "label"]).to_csv(path, index=False)
    for out in ("one", "two"):
        train(tmp_path / out, small, Recipe(), jobs=1)
    manifests = [(tmp_path / out / "manifest.json").read_text() for out in ("one", "two")]
    assert manifests[0] == manifests[1]
    assert Classifier.load(tmp_path / "one").classify("您的贷款已逾期，请尽快还款").best_label in LABELS
