"""Augmentation at training time: copies of messages as they might have come, never kept in the corpus.

Each copy changes what carries no meaning: the signature is dropped, moved or added, a courtesy tail is added or
dropped, a character is hidden as senders of any label hide it (lawful senders dodge filters too), punctuation is lost,
sentences about something else or courtesies are put around it. Heavy hiding uses the changes of the attack suite
(`classifier.training.attacks`) with other draws. The random generator is seeded; the same corpus gives the same copies.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from classifier.training.attacks import homophone, pinyin_full, pinyin_initial, shape, split_parts

TOML = Path(__file__).resolve().parent.parent / "resources" / "augmentation.toml"
SHARE = 0.6
"""Share of messages that get a copy."""
SIGNATURE = re.compile(r"^(【[^】]{2,16}】)(.+)$|^(.+?)(【[^】]{2,16}】)$", re.S)


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(TOML.read_text(encoding="utf-8"))


def _signature(text: str, rng: random.Random) -> str:
    match = SIGNATURE.match(text)
    if match is None:
        return str(rng.choice(_tables()["signatures"])) + text if len(text) > 12 else text
    signature, body = (match[1], match[2]) if match[1] else (match[4], match[3])
    return rng.choice((body, body + signature, signature + body))


def _courtesy(text: str, rng: random.Random) -> str:
    for tail in _tables()["tails"]:
        if text.endswith(str(tail)):
            return text[: -len(tail)]
    tail = str(rng.choice(_tables()["tails"]))
    return text.rstrip("。.!！") + rng.choice("。，, ") + tail


def _lender_tail(text: str, rng: random.Random) -> str:
    """The already-paid sentence or the hotline that lenders put after half of their notices, or both."""
    tables = _tables()
    number = rng.choice(("400-", "4008", "95", "021-", "0755-", "400 ")) + "".join(
        rng.choices("0123456789", k=rng.choice((3, 6, 7)))
    )
    tails = [rng.choice(tables["already_paid"]), rng.choice(tables["hotline"]).format(number=number)]
    chosen = rng.sample(tails, rng.choice((1, 1, 2)))
    match = SIGNATURE.match(text)
    body, signature = (match[3], match[4]) if match and match[4] else (text, "")
    return body.rstrip("。.!！，, ") + rng.choice("。，,；") + rng.choice("。，").join(chosen) + signature


def _punctuation(text: str, rng: random.Random) -> str:
    lost, kept = rng.choice((("，。：！", ",.:!"), ("，。！；", "    "), ("，。、", "\0\0\0")))
    return text.translate(str.maketrans(lost, kept)).replace("\0", "")


def _insert(text: str, rng: random.Random) -> str:
    han = [i for i in range(1, len(text)) if "\u4e00" <= text[i] <= "\u9fff" and "\u4e00" <= text[i - 1] <= "\u9fff"]
    mark = rng.choice(_tables()["marks"])
    for at in sorted(rng.sample(han, min(len(han), rng.randint(1, 3))), reverse=True):
        text = text[:at] + mark + text[at:]
    return text


def _homophone(text: str, rng: random.Random) -> str:
    table: dict[str, str] = _tables()["homophones"]
    spots = [i for i, c in enumerate(text) if c in table]
    for at in rng.sample(spots, min(len(spots), rng.randint(1, 3))):
        text = text[:at] + rng.choice(table[text[at]]) + text[at + 1 :]
    return text


def _pinyin(text: str, rng: random.Random) -> str:
    table: dict[str, str] = _tables()["pinyin"]
    spots = [i for i, c in enumerate(text) if c in table]
    for at in sorted(rng.sample(spots, min(len(spots), rng.randint(1, 4))), reverse=True):
        text = text[:at] + table[text[at]] + text[at + 1 :]
    return text


LENDER_SHARE = {"official": 0.25, "collection": 0.5, "fraud": 0.04, "unrelated": 0.02}
"""How often a copy gets a lender's tail: as often as its label's real senders write one; fraud and others seldom."""
MOVES: tuple[Callable[[str, random.Random], str], ...] = (
    _signature, _signature, _courtesy, _punctuation, _insert, _homophone, _homophone, _pinyin,
)  # fmt: skip


HEAVY_SHARE, PADDED_SHARE, COURTEOUS_SHARE = 0.2, 0.2, 0.1
"""Shares of messages that get one more copy: hidden in many places, padded with other matters, with courtesies."""
HEAVY = (homophone, homophone, pinyin_full, pinyin_initial, shape, split_parts)
DAILY = frozenset(
    f"unrelated.{k}" for k in ("chat", "social", "public_service", "delivery", "telecom", "marketing", "code")
)


def _padded(text: str, pads: Sequence[str], rng: random.Random) -> str:
    """One to three short texts about something else, before or after."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        pad, gap = rng.choice(pads), rng.choice(("，", "。", " ", "\n", ""))
        text = pad + gap + text if rng.random() < 0.5 else text + gap + pad
    return text


def _courteous(text: str, rng: random.Random) -> str:
    """One to three courtesies of notices, which anybody can copy."""
    tables = _tables()
    for _ in range(rng.choice((1, 2, 3))):
        where = rng.random()
        if where < 0.35:
            text = rng.choice(tables["heads"]) + text
        elif where < 0.55:
            text = rng.choice(tables["signatures"]) + text
        else:
            text += rng.choice("。，;") + rng.choice(tables["tails"])
    return text


def disturb(texts: Sequence[str], kinds: Sequence[str], seed: int) -> tuple[list[str], list[int]]:
    """Copies for robustness, and the index of each one's original: heavy hiding and padding, alike for all labels."""
    rng = random.Random(seed)
    pads = [t for t, k in zip(texts, kinds, strict=True) if k in DAILY and 4 <= len(t) <= 40]
    copies: list[str] = []
    origin: list[int] = []
    for index, text in enumerate(texts):
        draw = rng.random()
        if draw < HEAVY_SHARE:
            copy = rng.choice(HEAVY)(text, rng.choice((0.1, 0.2, 0.3, 0.4, 0.5)), rng)
        elif draw < HEAVY_SHARE + PADDED_SHARE and pads:
            copy = _padded(text, pads, rng)
        elif draw < HEAVY_SHARE + PADDED_SHARE + COURTEOUS_SHARE:
            copy = _courteous(text, rng)
        else:
            continue
        if copy != text and copy.strip():
            copies.append(copy)
            origin.append(index)
    return copies, origin


def augment(texts: Sequence[str], labels: Sequence[str], seed: int) -> tuple[list[str], list[int]]:
    """Return copies and, for each, the index of the text it was made from.

    Hiding and lost punctuation come to all labels alike, since they decide nothing; a lender's tail comes as often as
    each label's real senders write one.
    """
    copies: list[str] = []
    origin: list[int] = []
    rng = random.Random(seed)
    for index, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if rng.random() >= SHARE:
            continue
        moves = rng.sample(MOVES, 1 if rng.random() < 0.6 else 2)
        copy = text
        for move in moves:
            copy = move(copy, rng)
        if len(text) > 14 and rng.random() < LENDER_SHARE[label]:
            copy = _lender_tail(copy, rng)
        if copy != text and copy.strip():
            copies.append(copy)
            origin.append(index)
    return copies, origin
