import numpy as np
import pandas as pd
import pytest

from classifier.labels import LABELS, kinds, label_of
from classifier.training.report import (
    BANDS,
    MEASURES,
    Figure,
    Group,
    against_real,
    counts,
    coverage,
    facts,
    length_bands,
    markdown,
    read_references,
    report,
)

ROWS = [
    ("collection.overdue_notice", "sms", "real", "f1", "", "【甲银行】您的账单已逾*期3天，欠1,352.29元，已还请忽略。"),
    ("collection.overdue_notice", "sms", "imagined", "f1", "", "您的贷款12000.00元超期未还，将上报征信，致电400-123-4567"),
    ("official.bill", "push", "imagined", "f2", "p1", "账单已出，还款日8日"),
    ("fraud.phishing_bank", "sms", "imagined", "f2", "p1", "账单异常，打12033445566处理，点 t.example/a1"),
]


@pytest.fixture
def tiny():
    frame = pd.DataFrame(ROWS, columns=["kind", "channel", "origin", "family", "pair", "text"])
    return frame.assign(label=frame.kind.map(label_of), register="plain", era="2023-2026", product="any")


def test_counts_add_up_and_a_pair_of_two_labels_counts_once_in_all(tiny):
    table = counts(tiny, tiny[:1], pd.Series([0, 0, 1, 2]), "label")
    assert table.loc["collection"].to_dict() == {
        "messages": 2,
        "near-duplicate groups": 1,
        "families": 1,
        "real": 1,
        "imagined": 1,
        "contrast pairs": 0,
        "challenge": 1,
    }
    assert table["contrast pairs"].to_dict() == dict(zip([*LABELS, "all"], [1, 0, 1, 0, 1], strict=True))
    assert table.loc["all", ["messages", "families", "near-duplicate groups"]].to_list() == [4, 2, 3]


def test_coverage_shows_every_kind_and_its_empty_cells(tiny):
    bands = length_bands(pd.Series(["字" * n for n in (2, 8, 9, 16, 17, 64, 65, 128, 129)]))
    assert bands.to_list() == ["≤8", "≤8", "9–16", "9–16", "17–32", "33–64", "65–128", "65–128", ">128"]
    table = coverage(tiny.kind, length_bands(tiny.text), list(BANDS))
    assert list(table.index) == list(kinds())
    assert table.loc["official.bill"].to_list() == [0, 1, 0, 0, 0, 0]
    assert "| official.bill | · | 1 | · | · | · | · |" in markdown(table, "kind").splitlines()


def test_facts_tell_hotline_mobile_and_amount_apart_and_see_through_hiding(tiny):
    found = facts(tiny)
    assert found["逾期"].to_list() == [True, False, False, False]
    assert found["already paid? ignore"].to_list() == [True, False, False, False]
    assert found["no signature"].to_list() == [False, True, True, True]
    assert found["phone number"].to_list() == [False, True, False, True]
    assert found["personal mobile"].to_list() == [False, False, False, True]
    assert found["amount to the cent"].to_list() == [True, True, False, False]
    assert found["credit-record threat"].to_list() == [False, True, False, False]
    assert found["link"].to_list() == [False, False, False, True]


def test_a_figure_out_of_bounds_is_said_and_an_empty_group_is_not_judged(tiny):
    named = {"sms": Group("SMS", ["collection"], ["sms"]), "letters": Group("letters", ["official"], ["letter"])}
    figures = [
        Figure("sms", "already paid? ignore", "%", "25", 12, 50, "."),
        Figure("sms", "already paid? ignore", "‰", "25", 12, 50, "."),
        Figure("sms", "length", "characters", "88", 59, 132, ".", at=0.5),
        Figure("letters", "length", "characters", "88", 59, 132, "."),
    ]
    table = against_real(tiny, facts(tiny), named, figures)
    assert table["within bounds"].to_list() == ["yes", "no", "no", "·"]
    assert table["corpus"].to_list()[:2] == [50, 500]
    assert np.isnan(table["corpus"].iloc[3])
    assert "| letters | · | length, median | characters | · | 88 | 59–132 | · |" in markdown(table)


def test_the_references_are_whole_and_the_report_holds_every_part(tiny):
    named, figures = read_references()
    for figure in figures:
        assert figure.measure in MEASURES
        assert set(named[figure.group].kinds) <= set(kinds())
        assert figure.low < figure.high
        assert figure.source.endswith(".")
        if figure.real.replace(".", "").isdigit():
            assert figure.low <= float(figure.real) <= figure.high
    text = report(tiny, tiny)
    for heading in ("Counts", "Smallest kinds", "Kind and era", "Product and label", "Against real messages"):
        assert heading in text
