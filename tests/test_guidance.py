import pytest

from classifier.guidance import MOST, advice_ids, advise, closed_channel_reason, tables, warn
from classifier.labels import LABELS, kind_name, kinds, label_name

ACTIONS = {
    "contact_platform", "negotiate_plan", "seek_legal_help", "ignore_and_report", "check_announcement", "pay_on_time",
    "no_action",
}  # fmt: skip


def test_every_advice_is_complete_and_reachable():
    entries = tables()["advice"]
    reachable = {a for r in tables()["rule"] for a in r.get("advice", ())} | {r["advice"] for r in tables()["reason"]}
    assert reachable == set(entries)
    for entry in entries.values():
        assert entry["action"] in ACTIONS
        assert entry["section"] in tables()["sections"]
        assert entry["zh"]
        assert entry["en"]
        assert ("known_zh" in entry) == ("known_en" in entry)
        if entry["section"] == "beyond":
            assert entry["source"]


def test_the_article_is_whole():
    ids = set(tables()["advice"])
    assert len([i for i in ids if i.startswith("why_")]) == 4
    assert {"do_call", "do_negotiate", "do_help", "do_beware"} <= ids
    assert len([i for i in ids if i.startswith("avoid_")]) == 4
    assert "cost_default" in ids


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_gets_one_to_four_pieces_in_both_languages(kind):
    label = kind.split(".")[0]
    for lang in ("zh", "en"):
        found = advise(label, kind, set(), "", lang)
        assert 1 <= len(found) <= MOST
        assert kind_name(kind, lang) != kind
    more = {"official": ["uncertain_notice"], "collection": ["uncertain_debt"], "fraud": ["uncertain_bait"]}
    assert advice_ids("uncertain", kind, set(), "") == ["uncertain_check", *more.get(label, [])]


@pytest.mark.parametrize(
    ("text", "signals", "reason"),
    [
        ("因系统升级还款通道暂停", {"debt.maintenance"}, "why_maintenance"),
        ("本平台已停业清退,还款通道关闭", set(), "why_platform"),
        ("还款通道已关闭,请致电协商", {"conduct.call_service"}, "why_tactic"),
        ("严重逾期,还款通道已关闭", {"debt.overdue"}, "why_risk"),
    ],
)
def test_the_reason_of_a_closed_channel(text, signals, reason):
    assert closed_channel_reason(text, signals) == reason
    assert reason in advice_ids("official", "official.channel_notice", signals, text)


def test_abusive_collection_is_warned_of_but_stays_collection():
    assert [w.id for w in warn("collection", "collection.abusive", {"conduct.threat"}, "zh")] == ["abusive_collection"]
    assert warn("fraud", "fraud.fake_legal", {"conduct.police_pose"}, "zh") == []


def test_a_known_hotline_is_named():
    assert "95555" in advise("collection", "collection.agency", set(), "", "zh", ("招商银行", "95555"))[0].text


def test_labels_have_names():
    assert [label_name(label, "zh") for label in (*LABELS, "uncertain")] == [
        "官方平台",
        "正规催收",
        "疑似诈骗",
        "与借贷无关",
        "无法判断",
    ]
