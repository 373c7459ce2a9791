"""The compiled kernels and the plain way give the same: features bit for bit, verdicts too."""

import random
import sys

import numpy as np
import pytest

from classifier import Classifier, fast
from classifier.classifier import CHUNK
from classifier.lookup import Lookup
from classifier.message import fold_many
from classifier.policy import distinct_share, distinct_shares

pytest.importorskip("numba")
EXTRA = [
    "daikuan xian zhang a o e zzz 代kuan",
    "http://a.cn/1 www.b.com 款1234567890 款",
    "还" * 300,
    "，。",
    "\U00020000贷\U0001f600款",
    "0",
]


@pytest.fixture(scope="module")
def texts(corpus):
    some = random.Random(1).sample(corpus.text.to_list(), 600)
    return some + ["".join(random.Random(2).sample(t, len(t))) for t in some[:200]] + EXTRA + ["。".join(some[:40])]


@pytest.fixture(autouse=True)
def loaded():
    fast.announce(fast.ENOUGH)
    assert fast.kernels(CHUNK)


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setattr(fast, "_kernels", None)
    monkeypatch.setattr(fast, "_missing", True)


def test_features_are_the_same_bit_for_bit(classifier, texts):
    space = classifier.model.space
    chunk = space.read(fold_many(texts))
    words = space._word_arrays(chunk)
    compiled = Lookup(fast.kernels(CHUNK), space).occurrences(chunk, words)
    views = space._plain(chunk, words)
    order = np.argsort(np.concatenate([v.rows for v in views]), kind="stable")
    for name in ("rows", "columns", "values", "starts", "ends"):
        np.testing.assert_array_equal(
            getattr(compiled, name), np.concatenate([getattr(v, name) for v in views])[order], err_msg=name
        )


def test_repetition_is_measured_alike(classifier, texts):
    block = classifier.model.space.read(fold_many(texts)).block
    assert distinct_shares(block).tolist() == [distinct_share(t) for t in block.texts]


def told(verdict):
    """A verdict as JSON has it, weights to six decimals."""
    return verdict.to_dict() | {
        "probabilities": verdict.probabilities,
        "evidence": [(e.start, e.end, e.name, round(e.weight, 6)) for e in verdict.evidence],
    }


def test_verdicts_and_evidence_are_the_same(classifier, texts, request):
    compiled = [told(v) for v in classifier.classify_many(texts)]
    request.getfixturevalue("plain")
    assert [told(v) for v in Classifier.load().classify_many(texts)] == compiled
    assert [told(classifier.classify(t)) for t in texts[:60]] == compiled[:60]


def test_chunks_of_any_size_give_the_same_verdicts(classifier, texts, monkeypatch):
    whole = [told(v) for v in classifier.classify_many(texts)]
    for size, characters in ((7, 200_000), (333, 200_000), (CHUNK, 50)):
        monkeypatch.setattr("classifier.classifier.CHUNK", size)
        monkeypatch.setattr("classifier.classifier.CHUNK_CHARACTERS", characters)
        assert [told(v) for v in classifier.classify_many(texts)] == whole


def test_few_messages_do_not_load_numba():
    import subprocess

    code = (
        "import sys; from classifier import Classifier; c = Classifier.load();"
        "[c.classify_many(['您的贷款已逾期'] * 50) for _ in range(2)];"
        "assert not {'numba', 'llvmlite'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
