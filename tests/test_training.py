import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from classifier.errors import CorpusError
from classifier.labels import LABELS, kinds
from classifier.training import checks
from classifier.training.augmentation import augment
from classifier.training.calibration import expected_calibration_error, fit_calibration, label_probabilities
from classifier.training.drafts import read_drafts, shares_run, to_rows
from classifier.training.head import NBLogisticKinds
from classifier.training.near_duplicates import groups, near_duplicate_pairs
from classifier.training.solver import solve
from classifier.training.suspects import suspects

KINDS = tuple(f"{label}.a" for label in LABELS)


def test_near_duplicates_are_found_and_grouped():
    texts = ["您的贷款已逾期12天请尽快还款", "今晚一起吃饭吗", "您的贷款已逾期35天请尽快还款", "明天去爬山好不好"]
    pairs = near_duplicate_pairs(texts)
    assert [(a, b) for a, b, _ in pairs] == [(0, 2)]
    assert list(groups(4, pairs)) == [0, 1, 0, 2]


def test_a_rewriting_may_not_share_a_run_with_its_source(tmp_path):
    assert shares_run("请您于今日内登录手机银行还款谢谢", "烦请您于今日内登录手机银行还款") is not None
    assert shares_run("卡号6217000012345678", "卡6217000012345678尾") is None
    draft = tmp_path / "d.txt"
    head = "# kind=official.bill channel=sms register=plain era=2020-2022 product=any origin=real source=s1\n"
    draft.write_text(head + "< 请您于今日内登录手机银行还款谢谢\n烦请您于今日内登录手机银行还款\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="shares"):
        list(read_drafts(draft))


def test_pairs_and_sources_become_families(tmp_path):
    draft = tmp_path / "d.txt"
    rest = "channel=sms register=plain era=2020-2022 product=any origin=imagined"
    draft.write_text(
        f"# kind=mixed {rest}\n@p1 official.bill 您的账单已出请按时还款\n@p1 fraud.fake_collector 您的账单已出请转我微信\n"
        f"# kind=unrelated.chat {rest}\n今晚吃什么\n到家了吗\n",
        encoding="utf-8",
    )
    rows = to_rows(list(read_drafts(draft)))
    bill, fake = rows["official.bill"][0], rows["fraud.fake_collector"][0]
    assert bill["pair"] == fake["pair"] == "d-p1"
    assert bill["family"] == fake["family"] != rows["unrelated.chat"][0]["family"]
    assert len({r["family"] for r in rows["unrelated.chat"]}) == 1


def test_augmentation_is_seeded_and_changes_what_it_copies():
    texts = ["【某某金融】尊敬的客户，您的贷款已逾期12天，请尽快还款，如有疑问请联系客服。"] * 40
    first = augment(texts, ["collection"] * 40, 1)
    assert first == augment(texts, ["collection"] * 40, 1)
    copies, origin = first
    assert 10 < len(copies) == len(origin)
    assert all(copy != texts[i] for copy, i in zip(copies, origin, strict=True))


@pytest.fixture
def frame(corpus):
    return corpus.head(30).copy()


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("channel", "fax", "channel"),
        ("id", "m00000000000", "not the id of its text"),
        ("text", " 空格开头", "text"),
        ("family", "x", "family"),
    ],
)
def test_schema_breaches_are_named(frame, column, value, complaint):
    assert list(checks.schema_breaches(frame, "corpus")) == []
    frame.loc[frame.index[0], column] = value
    assert any(complaint in line for line in checks.schema_breaches(frame, "corpus"))


@pytest.mark.parametrize("text", ["请致电13912345678", "卡号6217000012345678901", "点 pay-now.top/x", "登录 abc.com.cn"])
def test_live_contacts_are_found(frame, text):
    assert list(checks.privacy_breaches(frame, "corpus")) == []
    frame.loc[frame.index[0], "text"] = text
    assert len(list(checks.privacy_breaches(frame, "corpus"))) == 1


def test_a_near_duplicate_between_challenge_and_corpus_is_found(corpus):
    part = corpus.head(50)
    copy = part.head(1).assign(family="f99999")
    assert any("near-duplicate" in line for line in checks.similarity_breaches(part, copy))


def test_calibration_undoes_overconfidence():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 3000)
    logits = rng.normal(0, 1, (3000, 4)) + 1.5 * np.eye(4)[truth]
    labels = np.array(LABELS)[truth]
    plain = {"temperature": 1.0, "label_bias": dict.fromkeys(LABELS, 0.0)}
    loud = label_probabilities(logits * 4, KINDS, plain)
    calm = label_probabilities(logits * 4, KINDS, fit_calibration(logits * 4, labels, KINDS))
    assert expected_calibration_error(calm, labels) < 0.03 < expected_calibration_error(loud, labels)
    np.testing.assert_allclose(calm.sum(axis=1), 1)


def test_the_head_is_linear_and_learns():
    rng = np.random.default_rng(0)
    y = np.array([KINDS[i] for i in rng.integers(0, 4, 200)])
    X = sp.csr_matrix(
        (rng.random((200, 12)) < 0.2) + np.repeat(np.eye(4)[[KINDS.index(k) for k in y]], 3, axis=1), dtype=np.float32
    )
    head = NBLogisticKinds().fit(X, y)
    assert (head.predict(X) == y).mean() > 0.9
    np.testing.assert_allclose(head.decision_function(X), X @ head.coef_.T + head.intercept_, rtol=1e-5)
    np.testing.assert_allclose(head.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_every_kind_has_its_file_and_at_least_a_hundred_messages(corpus):
    counts = corpus.kind.value_counts()
    assert set(counts.index) == set(kinds())
    assert counts.min() >= 100


def test_no_family_is_torn_by_pairs(corpus):
    assert (corpus[corpus.pair != ""].groupby("pair").family.nunique() == 1).all()
    assert isinstance(corpus, pd.DataFrame)


def test_drafts_join_what_a_corpus_holds(tmp_path):
    from classifier.training.drafts import main

    head = "# kind=unrelated.chat channel=chat register=plain era=2020-2022 product=any origin=imagined\n"
    for name, text in (("a", "今晚吃什么呀"), ("b", "明天去爬山吗\n今晚吃什么呀")):
        (tmp_path / f"{name}.txt").write_text(head + text + "\n", encoding="utf-8")
        main([str(tmp_path / "corpus"), str(tmp_path / f"{name}.txt")])
    frame = pd.read_csv(tmp_path / "corpus" / "unrelated" / "chat.csv", dtype=str)
    assert sorted(frame.text) == ["今晚吃什么呀", "明天去爬山吗"]
    assert frame.id.is_unique


def test_suspects_are_messages_that_look_like_another_label():
    probabilities = np.array([[0.9, 0.05, 0.05, 0.0]] * 3 + [[0.02, 0.02, 0.95, 0.01]] * 3 + [[0.05, 0.02, 0.92, 0.01]])
    labels = np.array(["official"] * 3 + ["fraud"] * 3 + ["official"])
    found = suspects(probabilities, labels)
    assert found.row.to_list() == []  # 0.92 is under what fraud usually has
    probabilities[-1] = [0.01, 0.01, 0.97, 0.01]
    found = suspects(probabilities, labels)
    assert (found.row.to_list(), found.likelier.to_list()) == ([6], ["fraud"])


def _problem(seed=3, rows=300, columns=60, tasks=5):
    rng = np.random.default_rng(seed)
    X = sp.random(rows, columns, 0.2, format="csr", dtype=np.float32, random_state=rng)
    truth = rng.normal(size=(columns, tasks)) * 4
    targets = X @ truth + rng.normal(size=(rows, tasks)) * 0.5 > 0.3
    bounds = (rng.uniform(0.2, 1, size=(rows, 1)) * np.array([1, 2, 5, 10, 20.0])).astype(np.float32)
    return X, targets, bounds, rng.uniform(0.3, 2, size=(columns, tasks)).astype(np.float32)


def test_the_solver_finds_the_logistic_regressions_of_scikit_learn():
    X, targets, bounds, scales = _problem()
    weights, intercepts = solve(X, targets, bounds, scales, passes=60, seed=0)
    for t in range(targets.shape[1]):
        scaled = X.multiply(scales[:, t]).tocsr()
        exact = LogisticRegression(C=1.0, solver="liblinear", dual=False, tol=1e-8, max_iter=10_000)
        exact.fit(scaled, targets[:, t], sample_weight=bounds[:, t])
        found = X @ weights[:, t] + intercepts[t]
        assert np.abs(found - exact.decision_function(scaled)).max() < 0.1
        assert np.abs(found).max() > 2


def test_the_solver_gives_the_same_whatever_the_threads():
    problem = _problem()
    one, two = (solve(*problem, passes=3, seed=1, jobs=jobs) for jobs in (1, 2))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
