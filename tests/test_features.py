import numpy as np
import pytest

from classifier.features import FeatureSpace, ViewConfig
from classifier.links import MASK, canonical
from classifier.message import fold
from classifier.signals import read_toml
from classifier.training.vectorizer import MessageVectorizer, to_matrix

TEXTS = ["您的贷款已逾期", "您的贷款将到期", "逾期贷款找我", "加微信办逾期贷款", "今晚吃饭吗", "今晚吃饭吧"]


@pytest.fixture(scope="module")
def space():
    return FeatureSpace.fit([fold(t) for t in TEXTS], read_toml(), ViewConfig(min_df=2))


def test_every_column_has_one_name(space):
    names = space.names()
    assert len(names) == space.size == len(space.idf)
    assert len(set(names)) == len(names)
    assert {"word:逾期", "char2:贷款", "pinyin2:dai kuan", "signal:debt.overdue"} <= set(names)


def test_each_view_has_its_weight_as_length(space):
    row = to_matrix(space, [fold("您的贷款已逾期")]).toarray()[0]
    names = np.array(space.names())
    for view, weight in (("word", 1.0), ("char", 1.0), ("pinyin", 0.7)):
        member = [n.startswith(view) or (view == "word" and n.startswith("pair")) for n in names]
        assert np.linalg.norm(row[member]) == pytest.approx(weight, rel=1e-5)


def test_links_and_digits_teach_nothing_of_their_own(space):
    assert canonical("请登录 t.example/aB3 更新") == "请登录 " + MASK * 13 + " 更新"
    one, other = (to_matrix(space, [fold(f"您的贷款已逾期{n}天")]) for n in (37, 52))
    assert (one != other).nnz == 0


def test_positions_cover_what_they_name(space):
    message = fold("加V❤办逾期贷丨款")
    for view in space.occurrences([message], positions=True):
        names = space.names()
        for column, start, end in zip(view.columns, view.starts, view.ends, strict=True):
            name = names[column]
            if name.startswith("char"):
                shown = "\x02" + message.folded + "\x03"
                assert shown[start + 1 : end + 1] == name.split(":", 1)[1]
            if name.startswith("word"):
                assert message.folded[start:end] == name.split(":", 1)[1]


def test_a_message_scores_alike_alone_and_in_company(space):
    together = to_matrix(space, [fold(t) for t in TEXTS])
    for row, text in enumerate(TEXTS):
        assert (together[row] != to_matrix(space, [fold(text)])).nnz == 0


def test_pinyin_sees_through_homophones_and_latin(space):
    vectorizer = MessageVectorizer(ViewConfig(min_df=2)).fit(TEXTS)
    names = list(vectorizer.get_feature_names_out())
    column = names.index("pinyin2:dai kuan")
    for text in ("代宽", "daikuan", "dai款"):
        assert vectorizer.transform([text])[0, column] > 0
