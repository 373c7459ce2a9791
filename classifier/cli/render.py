"""Verdict -> lines for a person. One layout, three dresses: colour (rich), no colour, and plain for screen readers.

A line is a list of (text, style) pieces; styles are names of `STYLES`. Control, bidirectional and other invisible
characters of a message never reach the terminal.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from classifier.labels import LABELS, Lang, kind_name, label_name
from classifier.verdict import Evidence, Verdict

Line = list[tuple[str, str]]
TOML = Path(__file__).resolve().parent.parent / "resources" / "rendering.toml"
STYLES = {
    "": "",
    "head": "bold",
    "dim": "dim",
    "official": "bold green",
    "collection": "bold yellow",
    "fraud": "bold red",
    "unrelated": "bold blue",
    "uncertain": "bold magenta",
    "for": "bold underline",
    "for_strong": "bold reverse",
    "against": "italic",
}
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LISTED = 0.2  # log-odds from which a reason is listed; less is only marked
STRONG = 1.0  # log-odds from which a word is marked strongly
MIN_WIDTH = 24


@cache
def wording() -> dict[str, dict[str, str]]:
    """The sentences of the layout."""
    return tomllib.loads(TOML.read_text(encoding="utf-8"))


def safe(text: str) -> str:
    """Replace what a terminal would act on or hide by a visible dot, one for one; line breaks stay."""
    return "".join(c if c == "\n" else " " if c == "\t" else "·" if unicodedata.category(c) in HIDDEN else c for c in text)


UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def to_json(data: dict[str, Any]) -> str:
    """One line of JSON in which nothing that a terminal would act on stands raw."""
    return UNSEEN.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(data, ensure_ascii=False))


def percent(probability: float) -> str:
    """A probability for a reader: never 100 %, which no message deserves, and never 0 %."""
    return ">99%" if probability > 0.994 else "<1%" if probability < 0.006 else f"{probability:.0%}"


def cells(text: str) -> int:
    """The width of a text on a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def wrap(pieces: Line, width: int, indent: str = "") -> list[Line]:
    """Break a line at `width` cells: between Han characters anywhere, inside Latin words nowhere if it can be helped."""
    lines: list[Line] = []
    current: Line = []
    used = 0
    opening = "（【“〔《("
    closing = "，。、；：！？）】”》〕,.;:!?)%"
    atoms = [(atom, style) for text, style in pieces for atom in _atoms(text)]
    for atom, style in atoms:
        if atom == "\n":
            lines.append(current)
            current, used = [(indent, "")], cells(indent)
            continue
        size = cells(atom)
        reach = size + 2 if atom in opening else size  # an opening mark never ends a line
        if used and used + reach > width and atom not in closing:
            lines.append(current)
            current, used = [(indent, "")], cells(indent)
            if atom == " ":
                continue
        if current and current[-1][1] == style:
            current[-1] = (current[-1][0] + atom, style)
        else:
            current.append((atom, style))
        used += size
    return [*lines, current]


def _atoms(text: str) -> Iterable[str]:
    """Characters, but runs of Latin letters, digits and their marks kept together."""
    word = ""
    for char in text:
        if char.isascii() and not char.isspace():
            word += char
            continue
        if word:
            yield word
            word = ""
        yield char
    if word:
        yield word


def _marked(verdict: Verdict) -> Line:
    """The message cut into pieces, the evidence styled by direction and weight."""
    text = safe(verdict.text).strip("\n")
    lead = len(verdict.text) - len(verdict.text.lstrip("\n"))
    style = [""] * len(text)
    for item in sorted(verdict.evidence, key=lambda e: abs(e.weight)):
        name = "against" if item.weight < 0 else "for_strong" if item.weight >= STRONG else "for"
        for at in range(item.start - lead, item.end - lead):
            if 0 <= at < len(text):
                style[at] = name
    pieces: Line = []
    for char, name in zip(text, style, strict=True):
        if pieces and pieces[-1][1] == name:
            pieces[-1] = (pieces[-1][0] + char, name)
        else:
            pieces.append((char, name))
    return pieces


def _bracketed(pieces: Line) -> Line:
    """The same without colour: brackets around what decided."""
    marks = {"for": "〔{}〕", "for_strong": "〔{}〕"}
    return [(marks.get(name, "{}").format(text), "") for text, name in pieces]


def _reason(item: Evidence, label: str, lang: Lang) -> str:
    words = wording()
    quoted = safe(item.text).replace("\n", " ")
    if item.weight == 0:
        return words["fact"][lang].format(note=item.note)
    sign = "+" if item.weight > 0 else "−"
    key = "cited" if quoted else "whole"
    if item.name == "words":
        key = "word"
    return words[key][lang].format(text=quoted, note=item.note, weight=f"{sign}{abs(item.weight):.1f}")


def layout(verdict: Verdict, lang: Lang, width: int = 80, *, colour: bool = False, plain: bool = False) -> list[Line]:
    """The whole explanation as lines at most `width` cells wide."""
    words = wording()
    width = max(width, MIN_WIDTH)
    say = {name: entry[lang] for name, entry in words.items()}
    lines: list[Line] = []

    def paragraph(pieces: Line, indent: str = "") -> None:
        lines.extend(wrap(pieces, width, indent))

    label = verdict.label
    if label == "uncertain":
        paragraph([(say["verdict"], "head"), (label_name(label, lang), label)])
        paragraph(
            [
                (
                    say["uncertain"].format(
                        reason=verdict.reason_text,
                        best=label_name(verdict.best_label, lang),
                        percent=percent(verdict.confidence),
                    ),
                    "",
                )
            ]
        )
    else:
        name = f"{label_name(label, lang)}{say['kind'].format(kind=kind_name(verdict.kind, lang))}"
        paragraph([(say["verdict"], "head"), (name, label)])
        sure = "sure_high" if verdict.confidence >= 0.9 else "sure_mid" if verdict.confidence >= 0.7 else "sure_low"
        paragraph([(say[sure].format(percent=percent(verdict.confidence)), "")])
    if plain:
        listed = say["list_separator"].join(f"{label_name(k, lang)} {percent(verdict.probabilities[k])}" for k in LABELS)
        paragraph([(say["probabilities"] + listed, "")])
    else:
        longest = max(cells(label_name(k, lang)) for k in LABELS)
        for k in LABELS:
            bar = "█" * round(verdict.probabilities[k] * 20)
            pad = " " * (longest - cells(label_name(k, lang)))
            lines.append(
                [
                    (f"  {label_name(k, lang)}{pad} ", ""),
                    (bar.ljust(20, "░"), k),
                    (f" {percent(verdict.probabilities[k]):>4}", ""),
                ]
            )
    lines.append([])
    for warning in verdict.warnings:
        paragraph([(say["warning"], "head"), (warning.text, "")], "  ")
    if verdict.warnings:
        lines.append([])
    lines.append([(say["message"], "head")])
    marked = _marked(verdict)
    body = marked if colour else [(t, "") for t, _ in marked] if plain else _bracketed(marked)
    paragraph([("  ", ""), *body], "  ")
    lines.append([])
    best = label_name(verdict.best_label, lang)
    for direction, items in (
        (
            "why",
            [e for e in verdict.evidence if e.weight >= LISTED][:5] or [e for e in verdict.evidence if e.weight > 0][:1],
        ),
        ("why_not", [e for e in verdict.evidence if e.weight <= -LISTED][:3]),
        ("facts", [e for e in verdict.evidence if e.weight == 0]),
    ):
        if items:
            lines.append([(say[direction].format(label=best), "head")])
            for item in items:
                paragraph([("  · ", "dim"), (_reason(item, best, lang), "")], "    ")
    if any(e.weight for e in verdict.evidence):
        lines.append([])
    lines.append([(say["advice"], "head")])
    for number, advice in enumerate(verdict.guidance, 1):
        paragraph([(f"  {number}. ", ""), (advice.title, "head")], "     ")
        paragraph([("     " + advice.text, "")], "     ")
        paragraph([("     " + say["section"].format(section=advice.section), "dim")], "     ")
    lines.append([])
    paragraph([(say["limits"], "dim")])
    return lines


def to_text(lines: Sequence[Line]) -> str:
    """Lines without any style."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def print_colour(lines: Sequence[Line]) -> None:
    """Lines in colour on the terminal, by rich."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((text, STYLES[style]) for text, style in line)))


def brief(verdict: Verdict, lang: Lang) -> str:
    """One line: label, probability, the strongest reason, the first thing to do."""
    why = next((e for e in verdict.evidence if e.weight > 0), None)
    reason = verdict.reason_text or (why.note if why and why.name != "words" else f"“{safe(why.text)}”" if why else "")
    name = label_name(verdict.label, lang)
    return wording()["brief"][lang].format(
        label=name,
        percent=percent(verdict.confidence),
        reason=reason.replace("\n", " "),
        advice=verdict.guidance[0].title,
    )
