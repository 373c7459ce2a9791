"""Guidance: the article's advice and the warnings that fit a message, chosen by label, kind and signals.

Wording and rules live in ``resources/guidance.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from classifier.labels import Label, Lang
from classifier.verdict import Advice, Warning

TOML = Path(__file__).with_name("resources") / "guidance.toml"
MOST = 4  # the one thing to do first, and at most three more


@cache
def tables() -> dict[str, Any]:
    """The whole resource."""
    return tomllib.loads(TOML.read_text(encoding="utf-8"))


@cache
def mentioned() -> frozenset[str]:
    """The ids of the signals that some rule asks for."""
    rules = [*tables()["rule"], *tables()["reason"], *tables()["warning"]]
    return frozenset(signal for rule in rules for signal in rule.get("signals", ()))


def _fits(rule: dict[str, Any], label: Label, kind: str, signals: Collection[str]) -> bool:
    best, name = kind.split(".", 1)
    return (
        rule.get("label", label) == label
        and rule.get("best", best) == best
        and name in rule.get("kinds", [name])
        and ("signals" not in rule or any(s in signals for s in rule["signals"]))
    )


def closed_channel_reason(folded: str, signals: Collection[str]) -> str:
    """Which of the article's four reasons fits a message about a closed repayment channel: an advice id."""
    for reason in tables()["reason"]:
        by_signal = any(s in signals for s in reason.get("signals", ()))
        by_words = "words" in reason and re.search(reason["words"], folded)
        if by_signal or by_words or not {"signals", "words"} & reason.keys():
            return str(reason["advice"])
    raise AssertionError("the last reason fits always")


REASON = "?"  # stands for the reason of a closed channel until the message is looked at


@lru_cache(4096)
def _candidates(label: Label, kind: str, signals: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []
    for rule in tables()["rule"]:
        if _fits(rule, label, kind, signals):
            if rule.get("reason"):
                found.append(REASON)
            found += rule.get("advice", ())
    return tuple(dict.fromkeys(found))


def advice_ids(label: Label, kind: str, signals: Collection[str], folded: str) -> list[str]:
    """The ids of the advice for a message, the first the one to do first."""
    found = _candidates(label, kind, mentioned().intersection(signals))[:MOST]
    if REASON in found:
        found = tuple(closed_channel_reason(folded, signals) if id == REASON else id for id in found)
    return list(dict.fromkeys(found))


def advise(
    label: Label, kind: str, signals: Collection[str], folded: str, lang: Lang, contact: tuple[str, str] | None = None
) -> list[Advice]:
    """The advice for a message; `contact` is (name, hotline) of the lender that it names, where known."""
    return list(_rendered(tuple(advice_ids(label, kind, signals, folded)), lang, contact))


def guide(
    label: Label, kind: str, signals: frozenset[str], folded: str, lang: Lang, contact: tuple[str, str] | None = None
) -> tuple[list[Advice], list[Warning]]:
    """`advise` and `warn` in one; messages of one label, kind and signals share what is looked up."""
    advice, warnings = _guide(label, kind, signals, lang, contact)
    return [*advice] if advice is not None else advise(label, kind, signals, folded, lang, contact), [*warnings]


@lru_cache(8192)
def _guide(
    label: Label, kind: str, signals: frozenset[str], lang: Lang, contact: tuple[str, str] | None
) -> tuple[tuple[Advice, ...] | None, tuple[Warning, ...]]:
    """None for the advice where it depends on the message's words."""
    warnings = tuple(warn(label, kind, signals, lang))
    if REASON in _candidates(label, kind, mentioned().intersection(signals))[:MOST]:
        return None, warnings
    return tuple(advise(label, kind, signals, "", lang, contact)), warnings


@lru_cache(4096)
def _rendered(ids: tuple[str, ...], lang: Lang, contact: tuple[str, str] | None) -> tuple[Advice, ...]:
    return tuple(render(id, lang, contact) for id in ids)


@lru_cache(4096)
def render(id: str, lang: Lang, contact: tuple[str, str] | None = None) -> Advice:
    """One advice in one language."""
    entry = tables()["advice"][id]
    text = entry[lang]
    if contact is not None and f"known_{lang}" in entry:
        text = entry[f"known_{lang}"].format(lender=contact[0], hotline=contact[1])
    section = tables()["sections"][entry["section"]][lang]
    if "source" in entry:
        section = f"{section}（{entry['source'][lang]}）" if lang == "zh" else f"{section} ({entry['source'][lang]})"
    return Advice(id, entry["action"], entry["title"][lang], text, section)


def warn(label: Label, kind: str, signals: Collection[str], lang: Lang) -> list[Warning]:
    """The warnings that fit a message, each id once."""
    return list(_warnings(label, kind, mentioned().intersection(signals), lang))


@lru_cache(4096)
def _warnings(label: Label, kind: str, signals: frozenset[str], lang: Lang) -> tuple[Warning, ...]:
    found: dict[str, Warning] = {}
    for rule in tables()["warning"]:
        if _fits(rule, label, kind, signals):
            found.setdefault(rule["id"], Warning(rule["id"], rule[lang]))
    return tuple(found.values())
