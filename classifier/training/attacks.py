"""Attacks on messages of all labels: ten and more ways to hide, pad and shuffle, at three strengths, and a greedy one.

An attack is a function (text, strength, generator) -> text. The figure is the share of messages that keep their label,
given that it was right before. The greedy attacker tries single-character changes and keeps those that lower the
probability of the right label most.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from classifier.classifier import Classifier
from classifier.labels import LABELS, SAFE_LABELS

Attack = Callable[[str, float, random.Random], str]
STRENGTHS = (0.1, 0.3, 0.5)
RESOURCES = Path(__file__).resolve().parent.parent / "resources"
OFFICIAL_PADS = ("尊敬的客户您好，", "【官方通知】", "感谢您的支持与配合。", "如已处理请忽略本短信。", "退订回T")
UNRELATED_PADS = ("今天天气不错，", "晚上一起吃饭吧。", "快递已放在门口，", "会议改到下午三点。", "记得给孩子带水杯，")
GREEDY_MESSAGES, GREEDY_STEPS = 60, 6


@cache
def _tables() -> dict[str, Any]:
    from opencc import OpenCC
    from pypinyin import Style, pinyin

    hiding = tomllib.loads((RESOURCES / "hiding.toml").read_text(encoding="utf-8"))
    split: dict[str, str] = {}
    for parts, char in hiding["split"].items():
        split.setdefault(char, parts)
    by_sound: dict[str, list[str]] = {}
    common = [chr(c) for c in range(0x4E00, 0x9FA6) if _is_common(chr(c))]
    sound = {c: pinyin(c, style=Style.NORMAL)[0][0] for c in common}
    for char, syllable in sound.items():
        by_sound.setdefault(syllable, []).append(char)
    emoji = {v: k for k, v in hiding["emoji"].items() if len(v) == 1}
    return {
        "split": split,
        "sound": sound,
        "by_sound": by_sound,
        "emoji": emoji,
        "traditional": OpenCC("s2t").convert,
    }


def _is_common(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _swap(text: str, strength: float, rng: random.Random, change: Callable[[str], str]) -> str:
    """Change a share of the Han characters."""
    return "".join(change(c) if "\u4e00" <= c <= "\u9fff" and rng.random() < strength else c for c in text)


def homophone(text: str, strength: float, rng: random.Random) -> str:
    """Another common character of the same sound."""
    t = _tables()
    return _swap(text, strength, rng, lambda c: rng.choice(t["by_sound"].get(t["sound"].get(c, ""), [c])))


def pinyin_full(text: str, strength: float, rng: random.Random) -> str:
    """Characters written in pinyin."""
    return _swap(text, strength, rng, lambda c: _tables()["sound"].get(c, c))


def pinyin_initial(text: str, strength: float, rng: random.Random) -> str:
    """Characters written by the first letter of their pinyin."""
    return _swap(text, strength / 2, rng, lambda c: _tables()["sound"].get(c, c)[0])


def split_parts(text: str, strength: float, rng: random.Random) -> str:
    """Characters taken apart."""
    return _swap(text, strength * 2, rng, lambda c: _tables()["split"].get(c, c))


def traditional(text: str, strength: float, rng: random.Random) -> str:
    """Traditional forms."""
    return _swap(text, strength, rng, lambda c: _tables()["traditional"](c))


LOOK_ALIKE = dict(
    zip(
        "己已末未人入日贷货微征借账款代办还信期催收费转退停挂协商",
        "已己未末入人曰货贷徽怔惜帐欵伐为坏倌斯摧攸赀砖褪渟桂胁啇",
        strict=True,
    )
)


def shape(text: str, strength: float, rng: random.Random) -> str:
    """Characters that look alike."""
    return _swap(text, strength * 2, rng, lambda c: LOOK_ALIKE.get(c, c))


def insertion(text: str, strength: float, rng: random.Random) -> str:
    """Marks between characters."""
    return _swap(text, strength, rng, lambda c: c + rng.choice("*_丨|~^·"))


def spaces(text: str, strength: float, rng: random.Random) -> str:
    """Spaces between characters."""
    return _swap(text, strength, rng, lambda c: c + " ")


def zero_width(text: str, strength: float, rng: random.Random) -> str:
    """Invisible characters."""
    return _swap(text, strength, rng, lambda c: c + rng.choice("\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def fancy(text: str, strength: float, rng: random.Random) -> str:
    """Full-width and fancy letters and digits."""

    def dress(c: str) -> str:
        if c.isascii() and c.isalnum() and rng.random() < strength * 2:
            return rng.choice((chr(ord(c) + 0xFEE0), _fancy(c)))
        return c

    return "".join(map(dress, text))


def _fancy(c: str) -> str:
    if c.isdigit():
        return chr(0x1D7CE + int(c))
    return chr(0x1D400 + ord(c) - ord("A")) if c.isupper() else chr(0x1D41A + ord(c) - ord("a"))


def emoji(text: str, strength: float, rng: random.Random) -> str:
    """Emoji in place of words, and strewn in."""
    text = _swap(text, strength * 2, rng, lambda c: _tables()["emoji"].get(c, c))
    return text + rng.choice(("✨", "🔥", "💰", "❗")) * (1 + int(strength * 4))


def official_padding(text: str, strength: float, rng: random.Random) -> str:
    """The courtesies of official notices around the message."""
    count = 1 if strength < 0.2 else 2 if strength < 0.4 else 3
    for pad in rng.sample(OFFICIAL_PADS, count):
        text = pad + text if pad.endswith(("，", "】")) else text + pad
    return text


def unrelated_padding(text: str, strength: float, rng: random.Random) -> str:
    """Sentences about something else."""
    for pad in rng.sample(UNRELATED_PADS, 1 if strength < 0.2 else 2 if strength < 0.4 else 3):
        text = pad + text if rng.random() < 0.5 else text + pad
    return text


def shuffle(text: str, strength: float, rng: random.Random) -> str:
    """Clauses in another order."""
    pieces = [p for p in text.replace("。", "，").split("，") if p]
    for _ in range(max(1, int(strength * len(pieces)))):
        a, b = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        pieces[a], pieces[b] = pieces[b], pieces[a]
    return "，".join(pieces) or text


ATTACKS: dict[str, Attack] = {
    "homophone": homophone,
    "pinyin": pinyin_full,
    "pinyin initials": pinyin_initial,
    "look-alike shapes": shape,
    "split characters": split_parts,
    "traditional": traditional,
    "marks inserted": insertion,
    "spaces inserted": spaces,
    "zero-width": zero_width,
    "fancy letters": fancy,
    "emoji": emoji,
    "official-looking padding": official_padding,
    "unrelated padding": unrelated_padding,
    "clauses shuffled": shuffle,
}


def _best(classifier: Classifier, texts: list[str]) -> np.ndarray:
    return np.array([v.best_label for v in classifier.classify_many(texts, evidence=False)])


def greedy(classifier: Classifier, text: str, label: str, rng: random.Random) -> tuple[str, bool]:
    """Change single characters (homophone, pinyin, mark) where it hurts most; (text, whether the label held)."""
    moves = (homophone, pinyin_full, insertion)
    for _ in range(GREEDY_STEPS):
        spots = [i for i, c in enumerate(text) if "\u4e00" <= c <= "\u9fff"]
        if not spots:
            break
        tries = []
        for at in rng.sample(spots, min(len(spots), 12)):
            for move in moves:
                tries.append(text[:at] + move(text[at], 1.0, rng) + text[at + 1 :])
        judged = classifier.classify_many(tries, evidence=False)
        worst = min(range(len(tries)), key=lambda i: judged[i].probabilities[label])
        text = tries[worst]
        if judged[worst].best_label != label:
            return text, False
    return text, True


def kept_under(
    predict: Callable[[list[str]], np.ndarray],
    texts: list[str],
    truth: np.ndarray,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
) -> dict[str, list[dict[str, Any]]]:
    """Attack every text; `predict` gives the best label of each.

    ``kept[label]`` is the share that keep the label, among those that had the right one; ``alarms`` the rise of the
    share of lawful messages called fraud.
    """
    before = predict(texts)
    right = before == truth
    lawful = np.isin(truth, SAFE_LABELS)
    out: dict[str, list[dict[str, Any]]] = {}
    for name, attack in ATTACKS.items():
        out[name] = []
        for strength in strengths:
            rng = random.Random(seed)
            after = predict([attack(t, strength, rng).strip() or t for t in texts])
            kept = {label: round(float((after == truth)[right & (truth == label)].mean()), 4) for label in LABELS}
            alarms = float((after == "fraud")[lawful].mean() - (before == "fraud")[lawful].mean())
            out[name].append({"strength": strength, "kept": kept, "alarms": round(alarms, 4)})
    return out


def run_suite(classifier: Classifier, frame: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """Attack every message of `frame` as `kept_under` does, and some frauds with the greedy attacker."""
    texts, truth = frame.text.to_list(), frame.label.to_numpy()
    out: dict[str, Any] = dict(kept_under(lambda some: _best(classifier, some), texts, truth, seed=seed))
    right = _best(classifier, texts) == truth
    rng = random.Random(seed)
    picked = [i for i in range(len(texts)) if right[i] and truth[i] == "fraud"]
    rng.shuffle(picked)
    picked = picked[:GREEDY_MESSAGES]
    held = [greedy(classifier, texts[i], "fraud", rng)[1] for i in picked]
    out["greedy"] = {"messages": len(picked), "changes": GREEDY_STEPS, "fraud_kept": round(float(np.mean(held)), 4)}
    return out


def to_table(attacks: dict[str, Any]) -> list[str]:
    """The suite as a Markdown table: label kept at the three strengths."""
    head = " / ".join(f"{s:.0%}" for s in STRENGTHS)
    lines = [
        f"| attack ({head}) | " + " | ".join(LABELS) + " | more lawful called fraud, points |",
        "| --- |" + " --- |" * 5,
    ]
    for name, rows in attacks.items():
        if name == "greedy":
            continue
        cells = [" / ".join(f"{r['kept'][label]:.1%}" for r in rows) for label in LABELS]
        alarms = " / ".join(f"{100 * r['alarms']:+.1f}" for r in rows)
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {alarms} |")
    g = attacks["greedy"]
    lines += [
        "",
        f"Greedy attacker, up to {g['changes']} changed characters: "
        f"{g['fraud_kept']:.1%} of {g['messages']} frauds still called fraud.",
    ]
    return lines
