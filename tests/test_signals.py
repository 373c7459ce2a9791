import pytest

from classifier.message import fold
from classifier.signals import SignalMatcher, compile_database, read_toml

SIGNALS = read_toml()
PATTERNED = [s for s in SIGNALS if s.pattern]
MATCHER = SignalMatcher(SIGNALS, compile_database(SIGNALS))
POSITION = {s.id: i for i, s in enumerate(SIGNALS)}


def test_there_are_many_signals_with_unique_names():
    assert len(PATTERNED) >= 150
    assert len({s.id for s in SIGNALS}) == len(SIGNALS)


@pytest.mark.parametrize("signal", PATTERNED, ids=lambda s: s.id)
def test_hit_and_miss_examples(signal):
    assert POSITION[signal.id] in MATCHER.match(fold(signal.hit).folded)
    assert POSITION[signal.id] not in MATCHER.match(fold(signal.miss).folded)
    assert signal.zh
    assert signal.en


def test_both_engines_agree_on_the_corpus(corpus):
    slow = SignalMatcher(SIGNALS)
    assert slow.engine == "re2"
    for text in corpus.text.sample(1500, random_state=1):
        folded = fold(text).folded
        assert MATCHER.match(folded) == slow.match(folded), text


def test_a_database_of_another_machine_falls_back():
    matcher = SignalMatcher(SIGNALS, b"not a database at all" * 20)
    assert matcher.engine == "re2"
    assert POSITION["debt.overdue"] in matcher.match("您的贷款已逾期12天")


def test_time_grows_linearly_with_hostile_text():
    import time

    def seconds(text):
        began = time.perf_counter()
        MATCHER.match(text)
        return time.perf_counter() - began

    piece = "转转转个人个人不不不费费费交交交放款"
    short = min(seconds(piece * 100) for _ in range(5))
    long = min(seconds(piece * 1000) for _ in range(5))
    assert long < 60 * short + 0.05  # quadratic growth would be a hundredfold


def test_denied_fee_is_not_a_demanded_fee():
    demanded = POSITION["fee.before_service"]
    assert demanded in MATCHER.match("需要先交保证金才能放款")
    assert demanded not in MATCHER.match("我行放款前不会要求您先交任何费用")


def test_both_ways_to_locate_a_signal_agree_on_the_corpus(corpus, monkeypatch):
    quick, linear = SignalMatcher(SIGNALS, compile_database(SIGNALS)), MATCHER
    quick._seen = 10**6
    assert sum(i in quick._simple for i in range(len(SIGNALS))) >= 100
    monkeypatch.setattr(MATCHER, "_seen", -(10**6))
    for text in corpus.text.sample(3000, random_state=2):
        folded = fold(text).folded
        shown = linear.match(folded)
        assert quick.match(folded) == shown
        for index in shown:
            assert quick.spans(index, folded) == linear.spans(index, folded), (SIGNALS[index].id, folded)
