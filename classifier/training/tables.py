"""Compile the folding and pinyin tables from Unicode, OpenCC, pypinyin and `resources/hiding.toml`.

Run ``python -m classifier.training.tables`` after editing ``hiding.toml``. The tables are shipped, so that scoring
needs neither library. Sources: Unicode NFKC (the `unicodedata` of the running Python), OpenCC ``t2s`` characters
(Apache-2.0), pypinyin's most frequent reading (MIT).
"""

from __future__ import annotations

import json
import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
HAN_FIRST, HAN_LAST = 0x3400, 0x9FFF
DROPPED = {"Cf", "Mn", "Me", "Cc", "Cs"}
KEPT = {"\n", "\t"}


def _class_of(char: str, folded: str, traditional: bool) -> str:
    """Name the hiding that a fold undoes; "" where the fold is ordinary typing (case, full-width punctuation)."""
    if folded == "":
        return "invisible"
    if traditional:
        return "traditional"
    width = unicodedata.east_asian_width(char)
    if char.lower() == folded or (width in "FH" and not folded.isalnum()) or char.isspace():
        return ""
    if width in "FH":
        return "wide"
    if folded.isalnum() and folded.isascii() and not "\u2160" <= char <= "\u217f":  # Roman numerals: Ⅱ类户
        return "fancy"
    return ""


def fold_table() -> dict[str, list[str]]:
    """Return {character: [folded, hiding class]} for every character that folding changes."""
    from opencc import OpenCC

    simplify = OpenCC("t2s").convert
    hiding = tomllib.loads((RESOURCES / "hiding.toml").read_text(encoding="utf-8"))
    table: dict[str, list[str]] = {}
    for code in [*range(0x20000), *range(0xE0000, 0xE0200)]:
        char = chr(code)
        if char in KEPT:
            continue
        category = unicodedata.category(char)
        if category in DROPPED:
            table[char] = ["\n" if char == "\r" else "", "" if char == "\r" else "invisible"]
            continue
        folded = unicodedata.normalize("NFKC", char).lower()
        folded = "".join(c for c in folded if unicodedata.category(c) not in DROPPED) or folded
        traditional = False
        if len(folded) == 1 and HAN_FIRST <= ord(folded) <= HAN_LAST:
            simple = simplify(folded)
            traditional = simple != folded and len(simple) == 1
            folded = simple if traditional else folded
        if category == "Zs" or category in ("Zl", "Zp"):
            folded = " "
        if folded != char:
            table[char] = [folded, _class_of(char, folded, traditional)]
    for name, kind in (("emoji", "emoji"), ("lookalike", "fancy")):
        for char, folded in hiding[name].items():
            table[char] = [folded, kind]
    table["\r"] = ["", ""]
    return table


def _ranges(chars: Iterable[str]) -> list[list[int]]:
    """Characters as ranges of code points, both ends included."""
    ranges: list[list[int]] = []
    for code in sorted(map(ord, chars)):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ranges


def packed(table: dict[str, list[str]]) -> dict[str, Any]:
    """The fold table as scoring reads it: few long strings and ranges, which load ten times as fast as pairs."""
    single = {c: folded for c, (folded, _) in sorted(table.items()) if len(folded) == 1}
    return {
        "from": "".join(single),
        "to": "".join(single.values()),
        "several": {c: folded for c, (folded, _) in table.items() if len(folded) > 1},
        "dropped": _ranges(c for c, (folded, _) in table.items() if not folded),
        "hiding": {
            kind: _ranges(c for c, (_, k) in table.items() if k == kind)
            for kind in sorted({k for _, k in table.values()} - {""})
        },
    }


def pinyin_tables() -> tuple[list[str], np.ndarray]:
    """Return the toneless syllables and, for code points 0..0xFFFF, the syllable's index + 1 (0 where none)."""
    from pypinyin import Style, pinyin
    from pypinyin.constants import PINYIN_DICT

    index: dict[str, int] = {}
    readings = np.zeros(0x10000, dtype=np.uint16)
    for code in range(HAN_FIRST, HAN_LAST + 1):
        if code not in PINYIN_DICT:
            continue
        syllable = pinyin(chr(code), style=Style.NORMAL, errors="ignore")
        if not syllable:
            continue
        text = syllable[0][0].replace("ü", "v")
        if text.isascii() and text.isalpha():
            readings[code] = index.setdefault(text, len(index)) + 1
    return list(index), readings


def main() -> None:
    """Write ``fold.json``, ``pinyin.json`` and ``pinyin.npy`` beside the other resources."""
    (RESOURCES / "fold.json").write_text(
        json.dumps(packed(fold_table()), ensure_ascii=True, separators=(",", ":"), sort_keys=True), encoding="ascii"
    )
    syllables, readings = pinyin_tables()
    (RESOURCES / "pinyin.json").write_text(json.dumps(syllables), encoding="ascii")
    np.save(RESOURCES / "pinyin.npy", readings)
    print(f"pinyin: {len(syllables)} syllables, {int((readings > 0).sum())} characters")


if __name__ == "__main__":
    main()
