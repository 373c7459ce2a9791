import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.message import fold, fold_many

TRICKY = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("贷款还征信加薇徽v❤❶①Ａ𝟏\u200b\u0301丨*_ 亻弋讠正銀貸，。【】ⅷ㎡ﬁ\ud800"),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "folded", "hiding"),
    [
        ("贷丨款", "贷款", "between"),
        ("代*办", "代办", "between"),
        ("停 息 挂 账", "停息挂账", "spaced"),
        ("亻弋办征信", "代办征信", "split"),
        ("加V❤", "加微信", "contact"),
        ("薇信同号", "微信同号", "contact"),
        ("贷\u200b款", "贷款", "invisible"),
        ("➊➋❸", "123", "fancy"),
        ("请把錢转来谢谢您了", "请把钱转来谢谢您了", "traditional"),
    ],
)
def test_hiding_is_undone_and_named(text, folded, hiding):
    message = fold(text)
    assert message.folded == folded
    assert hiding in message.hiding


def test_ordinary_notice_is_not_called_hidden():
    assert fold("【招商银行】您尾号3306的信用卡，本期应还1352.29元（已还请忽略）！").hiding == {}


def test_text_in_traditional_characters_is_not_a_disguise():
    assert set(fold("台端本期信用卡帳單應繳金額為新臺幣三千元，請於期限前繳納").hiding) == {"traditional_text"}


def test_homophones_are_left_alone():
    assert fold("戴款请环").folded == "戴款请环"


@given(TRICKY)
def test_every_folded_span_maps_into_the_original(text):
    message = fold(text)
    for start in range(len(message.folded)):
        a, b = message.span(start, start + 1)
        assert 0 <= a < b <= len(text)
    whole = [message.span(i, i + 1)[0] for i in range(len(message.folded))]
    assert whole == sorted(whole)


@given(TRICKY)
def test_a_character_that_folding_keeps_stays_on_its_place(text):
    message = fold(text)
    for at, char in enumerate(message.folded):
        a, b = message.span(at, at + 1)
        source = text[a:b]
        if b - a == 1 and char == source:
            assert text[a] == char
        if b - a == 1 and unicodedata.normalize("NFKC", source) == source and source.isascii() and source.isalnum():
            assert char == source.lower() or message.hiding


@given(TRICKY)
def test_folding_twice_changes_nothing_visible(text):
    once = fold(text).folded
    again = fold(once)
    assert len(again.folded) <= len(once)


@given(st.lists(TRICKY, max_size=8))
def test_texts_are_folded_together_as_alone(texts):
    assert fold_many(texts) == [fold(t) for t in texts]
