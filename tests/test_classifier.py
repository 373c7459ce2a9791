import json
import pickle
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import MAX_CHARACTERS, Classifier, InputError
from classifier.classifier import reasons
from classifier.labels import LABELS
from classifier.verdict import SCHEMA_VERSION

MESSAGES = {
    "official": "【招商银行】您尾号3306的信用卡10月账单应还1352.29元，到期还款日10月25日，如已还款请忽略。",
    "collection": "尊敬的客户，您在我司的分期已逾期12天，欠款2418.60元，请尽快登录App还清，以免影响征信。",
    "fraud": "您好，这边是平台客服，您的还款通道已关闭，请把欠款转到专员的个人账户，我帮您销账。",
    "unrelated": "【菜鸟驿站】您的包裹已到小区东门店，取件码6-2-3018，请今晚21点前领取",
}


@pytest.mark.parametrize("label", LABELS)
def test_a_plain_message_of_each_label(classifier, label):
    verdict = classifier.classify(MESSAGES[label])
    assert verdict.label == label
    assert verdict.kind.startswith(label + ".")
    assert verdict.reason is None
    assert sum(verdict.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_shown_parts_add_up(classifier):
    for text in MESSAGES.values():
        v = classifier.classify(text)
        assert v.bias + v.remainder + sum(e.weight for e in v.evidence) == pytest.approx(v.log_odds, abs=1e-3)
        for e in v.evidence:
            assert v.text[e.start : e.end] == e.text


def test_evidence_spans_do_not_overlap(classifier):
    spans = sorted(
        (e.start, e.end) for e in classifier.classify(MESSAGES["fraud"]).evidence if e.weight and e.end > e.start
    )
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_evidence_points_into_the_original_of_a_disguised_message(classifier):
    text = "加V❤办理停\u200b息挂丨账，先交500元服务费"
    verdict = classifier.classify(text)
    assert verdict.best_label == "fraud"
    assert all(text[e.start : e.end] == e.text for e in verdict.evidence)
    assert any(w.id == "hidden_characters" for w in verdict.warnings)


def test_the_json_contract(classifier):
    data = classifier.classify(MESSAGES["fraud"], sender="13000000000").to_dict()
    assert data["schema_version"] == SCHEMA_VERSION
    assert json.loads(json.dumps(data, ensure_ascii=False)) == data
    assert set(data) == {
        "schema_version", "model_version", "label", "best_label", "reason", "reason_text", "kind", "confidence",
        "probabilities", "evidence", "log_odds", "bias", "remainder", "guidance", "warnings", "mode", "text",
    }  # fmt: skip


def test_order_length_and_chunks_do_not_matter(classifier, corpus, monkeypatch):
    texts = random.Random(3).sample(corpus.text.to_list(), 150)
    whole = [v.to_dict() for v in classifier.classify_many(texts)]
    assert [d["text"] for d in whole] == texts
    monkeypatch.setattr("classifier.classifier.CHUNK", 7)
    parts = [v.to_dict() for v in classifier.classify_many(texts)]
    for a, b in zip(whole, parts, strict=True):
        assert a["label"] == b["label"]
        assert a["kind"] == b["kind"]
        assert a["probabilities"] == pytest.approx(b["probabilities"], abs=1e-5)


def test_without_evidence_the_verdict_is_the_same(classifier, corpus):
    texts = random.Random(4).sample(corpus.text.to_list(), 100)
    for a, b in zip(classifier.classify_many(texts), classifier.classify_many(texts, evidence=False), strict=True):
        assert (a.label, a.kind, a.reason) == (b.label, b.kind, b.reason)
        assert all(e.name.startswith("registry.") for e in b.evidence)  # looked up, not learnt


def test_too_short_is_uncertain_with_its_reason_and_never_reads_as_safe(classifier):
    verdict = classifier.classify("好的")
    assert (verdict.label, verdict.reason) == ("uncertain", "too_short")
    assert verdict.guidance[0].id == "uncertain_check"
    assert verdict.reason_text == reasons()["too_short"]["zh"]


def test_foreign_text_is_uncertain(classifier):
    verdict = classifier.classify("Привет, как дела? Это сообщение не о кредите вовсе, друг мой")
    assert (verdict.label, verdict.reason) == ("uncertain", "foreign_text")


def test_modes(classifier):
    text = "好的，打完通知一声"
    assert classifier.classify(text, mode="best-guess").label == classifier.classify(text).best_label
    answered = {
        mode: sum(v.label != "uncertain" for v in classifier.classify_many(list(MESSAGES.values()) * 3, mode=mode))
        for mode in ("cautious", "balanced", "best-guess")
    }
    assert answered["cautious"] <= answered["balanced"] <= answered["best-guess"]


def test_what_cannot_be_judged_is_refused(classifier):
    for bad, id in (
        ("", "text.blank"),
        ("  \n", "text.blank"),
        ("还" * (MAX_CHARACTERS + 1), "text.too_long"),
        (3.5, "text.not_text"),
    ):
        with pytest.raises(InputError) as error:
            classifier.classify(bad)
        assert error.value.id == id
        assert pickle.loads(pickle.dumps(error.value)).say("zh") == error.value.say("zh")


def test_another_lenders_number_under_a_signature(classifier):
    verdict = classifier.classify("【招商银行】您尾号3306的信用卡本期账单1352.29元，10月25日到期，详询95588")
    assert (verdict.label, verdict.reason) == ("uncertain", "contact_mismatch")
    assert any("工商银行" in e.note for e in verdict.evidence)


def test_the_signers_own_number_is_named_but_proves_nothing(classifier):
    verdict = classifier.classify("【招商银行】您的还款通道已关闭，请把欠款转到专员个人账户，详询95555")
    assert verdict.best_label == "fraud"
    assert any(e.name == "registry.number_matches" and e.weight == 0 for e in verdict.evidence)


def test_the_advice_names_the_real_hotline(classifier):
    assert "95555" in classifier.classify(MESSAGES["official"]).guidance[0].text


def test_no_verdict_rests_on_the_sender_alone(classifier):
    for text in MESSAGES.values():
        for sender in ("95555", "13000000000", "+85260000000"):
            assert classifier.classify(text, sender).best_label == classifier.classify(text).best_label
    assert any(w.id == "sender_foreign" for w in classifier.classify(MESSAGES["fraud"], "+85260000000").warnings)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=80).filter(lambda t: t.strip()))
def test_any_text_gets_a_verdict(text):
    verdict = CLASSIFIER.classify(text)
    assert verdict.label in {*LABELS, "uncertain"}
    assert verdict.guidance
    assert all(text[e.start : e.end] == e.text for e in verdict.evidence)


CLASSIFIER = Classifier.load()


@pytest.mark.parametrize(
    "text", ["还" * 20000, "您的还款通道已关闭，请转到专员个人账户。" * 130, MESSAGES["fraud"] + "还款" * 100]
)
def test_repetition_is_uncertain_and_its_numbers_are_finite(classifier, text):
    verdict = classifier.classify(text)
    assert (verdict.label, verdict.reason) == ("uncertain", "repetitive")
    assert abs(verdict.log_odds) < 1e6
    json.dumps(verdict.to_dict(), allow_nan=False)


def test_a_single_text_is_not_a_list_of_texts(classifier):
    with pytest.raises(TypeError):
        classifier.classify_many("您的贷款已逾期")
