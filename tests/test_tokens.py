import random

from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier
from classifier.message import fold
from classifier.tokens import cutter


def test_rjieba_gives_jiebas_tokens_on_the_corpus(corpus):
    ours, reference = cutter("rjieba"), cutter("jieba")
    for text in corpus.text:
        folded = fold(text).folded
        assert ours(folded) == reference(folded), text


@given(st.text(alphabet=st.sampled_from("还款贷征信逾期您的加微a1.，% \n停息挂账催收qx-验证码"), max_size=40))
def test_rjieba_gives_jiebas_tokens_on_fuzzed_text(text):
    assert cutter("rjieba")(text) == cutter("jieba")(text)


@given(st.text(max_size=40))
def test_tokens_joined_give_the_text_back(text):
    folded = fold(text).folded
    assert "".join(cutter()(folded)) == folded


def test_either_tokenizer_gives_the_same_verdicts(corpus):
    texts = random.Random(0).sample(corpus.text.to_list(), 200)
    one = Classifier.load(tokenizer="rjieba").classify_many(texts, evidence=False)
    other = Classifier.load(tokenizer="jieba").classify_many(texts, evidence=False)
    assert [v.to_dict() for v in one] == [v.to_dict() for v in other]


def test_the_hosts_own_dictionary_is_left_alone():
    import rjieba

    cutter("rjieba")("停息挂账")
    assert rjieba.cut("停息挂账", False) == ["停息", "挂账"]
