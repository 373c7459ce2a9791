import numpy as np
import pytest

from classifier.policy import MODES, Thresholds, decide, decide_many
from classifier.training.thresholds import upper_bound

T = Thresholds(max_fraud_when_safe=0.1, min_fraud=0.7, min_top=0.5)


def p(official=0.0, collection=0.0, fraud=0.0, unrelated=0.0):
    return {"official": official, "collection": collection, "fraud": fraud, "unrelated": unrelated}


@pytest.mark.parametrize(
    ("probabilities", "label", "reason"),
    [
        (p(official=0.95, fraud=0.05), "official", None),
        (p(official=0.8, fraud=0.2), "uncertain", "possible_fraud"),
        (p(fraud=0.6, collection=0.4), "uncertain", "weak_suspicion"),
        (p(fraud=0.9, official=0.1), "fraud", None),
        (p(unrelated=0.4, official=0.35, fraud=0.25), "uncertain", "low_confidence"),
    ],
)
def test_thresholds(probabilities, label, reason):
    said, best, why = decide(probabilities, T, characters=30, known_share=1.0, mode="balanced")
    assert (said, why) == (label, reason)
    assert best == max(probabilities, key=probabilities.get)


def test_too_short_and_foreign_text_are_never_judged():
    assert decide(p(official=1), T, characters=2, known_share=1.0, mode="best-guess")[::2] == ("uncertain", "too_short")
    assert decide(p(official=1), T, characters=30, known_share=0.1, mode="balanced")[::2] == (
        "uncertain",
        "foreign_text",
    )


def test_best_guess_does_not_abstain():
    assert (
        decide(p(official=0.4, fraud=0.35, unrelated=0.25), T, characters=30, known_share=1.0, mode="best-guess")[0]
        == "official"
    )


def test_the_bound_is_the_exact_binomial_one():
    assert upper_bound(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert upper_bound(5, 5) == 1.0
    assert upper_bound(3, 1000) > 0.003


@pytest.mark.parametrize("mode", MODES)
def test_many_messages_are_decided_as_one_by_one(mode):
    rng = np.random.default_rng(0)
    count = 300
    shares = rng.dirichlet(np.full(4, 0.4), count)
    characters, known, distinct = rng.integers(0, 12, count), rng.uniform(0.3, 1, count), rng.uniform(0.2, 1, count)
    together = decide_many(shares, T, characters=characters, known_shares=known, mode=mode, distinct_shares=distinct)
    for at in range(count):
        alone = decide(
            p(*shares[at]),
            T,
            characters=int(characters[at]),
            known_share=float(known[at]),
            mode=mode,
            distinct_share=float(distinct[at]),
        )
        assert together[at] == alone
    assert {reason for _, _, reason in together} >= {"too_short", "foreign_text", "repetitive", None}
