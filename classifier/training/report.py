"""The corpus in numbers, as Markdown: ``make corpus-report``. Counts, coverage, and how like life it is.

The figures of real messages and the bounds around them are in `resources/reference_statistics.toml`.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from classifier.errors import ClassifierError
from classifier.labels import LABELS, kinds
from classifier.message import fold
from classifier.signals import SignalMatcher, read_toml
from classifier.training.checks import CHANNELS, ERAS, REGISTERS
from classifier.training.corpus import load_challenge, load_corpus
from classifier.training.near_duplicates import groups, near_duplicate_pairs

REFERENCES = Path(__file__).resolve().parent.parent / "resources" / "reference_statistics.toml"
BANDS = {"≤8": 8, "9–16": 16, "17–32": 32, "33–64": 64, "65–128": 128, ">128": np.inf}
EMPTY = "·"

# The facts below are looked up in the folded text: lower case, simplified, half-width punctuation.
_SENDER = r"(?:【[^】\n]{1,24}】|\[[^\]\n\d]{1,20}\]|\{[^}\n\d]{1,20}\})"
_ORGANISATION = "(?:银行|信用卡|金融|金服|消金|支付|贷|卡|公司|中心|租赁|保险|信用联社)"
_MOBILE = r"1(?!06)D{2}[ -]?D{4}[ -]?D{4}"  # 106… are the gateways of companies
_AFTER = r"(?![0-9]|[,.][0-9]| ?[元块万])"  # an amount is not a number to call
PATTERNS = {
    "signature in front": rf"^\s*(?:{_SENDER}|\((?!接|第|续|上条)[\u4e00-\u9fff]{{2,10}}\))",
    "signature at the end": (
        rf"(?:{_SENDER}|\([\u4e00-\u9fff]{{0,8}}{_ORGANISATION}\)|-[\u4e00-\u9fff]{{0,8}}{_ORGANISATION}"
        r"|(?:--|—{1,2}) ?[\u4e00-\u9fff]{2,12})\s*$"
    ),
    "phone number": (
        rf"(?<![0-9a-z.*【])(?:{_MOBILE.replace('D', '[0-9x*]')}|[48]00[ -]?[0-9x*]{{1,4}}[ -]?[0-9x*]{{3,5}}"
        r"|\(?0[0-9x*]{2,3}\)?[ -]?[0-9x*]{2,4}[ -]?[0-9x*]{3,4}|0[2-8]-[0-9x*]{3,4}-[0-9x*]{4}"
        rf"|95[0-9x]{{3}}|12(?:3[0-9]{{2}}|110)|100(?:86|10)){_AFTER}"
        r"|(?:电|拨|询|线|服|打|系|致)[^0-9]{0,3}96[0-9]{3,4}(?![0-9])"
    ),
    # Starred-out numbers are the reader's or a third person's own, not a contact.
    "personal mobile": rf"(?<![0-9a-z.*【]){_MOBILE.replace('D', '[0-9x]')}{_AFTER}",
    "credit-record threat": "征信|信用(?!卡|社|联社|贷|飞|管理|稽查)|失信|不良(?:记录|信息)|央行|人行记录",
    "court threat": "起诉|诉讼|被诉|被告|法院|法庭|立案|仲裁|强制执行|支付令|开庭|传票|司法|法律(?:程序|途径|手段)",
    "amount to the cent": r"(?<![0-9.])[0-9][0-9,]*\.[0-9]{2}(?![0-9.%])",
    **{word: word for word in ("停息挂账", "代办", "反催收", "逾期", "征信", "上岸")},
}
SIGNALS = {
    "link": "contact.link",
    "already paid? ignore": "debt.paid_ignore",
    "platform action": "contact.private_message",
}
MEASURES = (
    *("length", "over 128 characters", "signature in front", "signature at the end", "no signature"),
    *("link", "phone number", "personal mobile", "platform action", "already paid? ignore"),
    *("credit-record threat", "court threat", "without 逾期", "amount to the cent"),
    *("停息挂账", "代办", "反催收", "逾期", "征信", "上岸"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """The messages that a reference figure speaks of; no kinds mean all."""

    title: str
    labels: Sequence[str]
    channels: Sequence[str]
    kinds: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of real messages, `low` to `high` being near enough; `at` is the quantile of a length."""

    group: str
    measure: str
    unit: str
    real: str
    low: float
    high: float
    source: str
    at: float = 0.5


def read_references(path: Path = REFERENCES) -> tuple[dict[str, Group], list[Figure]]:
    """Read the groups and the figures."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Group(**entry) for name, entry in raw["groups"].items()}, [Figure(**f) for f in raw["figures"]]


def near_duplicate_groups(corpus: pd.DataFrame) -> pd.Series:
    """The near-duplicate group of each message, with the index of the frame."""
    texts = corpus.text.to_list()
    return pd.Series(groups(len(texts), near_duplicate_pairs(texts)), index=corpus.index)


def counts(corpus: pd.DataFrame, challenge: pd.DataFrame, near: pd.Series, by: str) -> pd.DataFrame:
    """Messages, near-duplicate groups, families, origins, contrast pairs and messages of the challenge, by a column.

    The last row counts all; what spans several labels or kinds counts once there, so it is not always the sum.
    """
    corpus = corpus.assign(near=near)

    def row(part: pd.DataFrame, held_out: int) -> dict[str, int]:
        return {
            "messages": len(part),
            "near-duplicate groups": part.near.nunique(),
            "families": part.family.nunique(),
            "real": int((part.origin == "real").sum()),
            "imagined": int((part.origin == "imagined").sum()),
            "contrast pairs": part.pair[part.pair != ""].nunique(),
            "challenge": held_out,
        }

    names = LABELS if by == "label" else kinds()
    rows = [row(corpus[corpus[by] == name], int((challenge[by] == name).sum())) for name in names]
    return pd.DataFrame([*rows, row(corpus, len(challenge))], index=[*names, "all"])


def coverage(rows: pd.Series, columns: pd.Series, order: Sequence[str]) -> pd.DataFrame:
    """Messages by kind and the values of another column, with every kind and every value of `order`."""
    return pd.crosstab(rows, columns).reindex(index=list(kinds()), columns=list(order), fill_value=0)


def length_bands(text: pd.Series) -> pd.Series:
    """The length band of each text, in characters."""
    names = list(BANDS)
    return pd.Series([names[i] for i in np.searchsorted(list(BANDS.values()), text.str.len())], index=text.index)


def products(corpus: pd.DataFrame, most: int = 20) -> pd.DataFrame:
    """Messages by product, the commonest first, and label."""
    table = pd.crosstab(corpus["product"], corpus.label).reindex(columns=list(LABELS), fill_value=0)
    return table.loc[corpus["product"].value_counts().index[:most]]


def facts(corpus: pd.DataFrame) -> pd.DataFrame:
    """What each message shows: its length, and True or False for every other measure."""
    folded = corpus.text.map(lambda text: fold(text).folded)
    matcher = SignalMatcher([s for s in read_toml() if s.id in SIGNALS.values()])
    shown = [{matcher.signals[i].id for i in matcher.match(text)} for text in folded]
    table = pd.DataFrame({"length": corpus.text.str.len()}, index=corpus.index)
    table["over 128 characters"] = table.length > 128
    for name, pattern in PATTERNS.items():
        compiled = re.compile(pattern)
        table[name] = [compiled.search(text) is not None for text in folded]
    for name, signal in SIGNALS.items():
        table[name] = [signal in ids for ids in shown]
    table["no signature"] = ~(table["signature in front"] | table["signature at the end"])
    table["without 逾期"] = ~table["逾期"]
    return table[list(MEASURES)]


def _length_at(quantile: float) -> str:
    return "length, median" if quantile == 0.5 else f"length, p{100 * quantile:g}"


def profile(corpus: pd.DataFrame, found: pd.DataFrame, channel: str = "sms") -> pd.DataFrame:
    """Lengths, and the share of every other measure in per cent, of one channel by label."""
    columns = {}
    for label in LABELS:
        part = found[(corpus.label == label) & (corpus.channel == channel)]
        lengths = {_length_at(quantile): part.length.quantile(quantile) for quantile in (0.1, 0.5, 0.9)}
        shares = 100 * part.drop(columns="length").mean()
        columns[label] = pd.concat([pd.Series({"messages": len(part), **lengths}), shares])
    return pd.DataFrame(columns, dtype=float)


def against_real(
    corpus: pd.DataFrame, found: pd.DataFrame, named: dict[str, Group], figures: Sequence[Figure]
) -> pd.DataFrame:
    """Each reference figure beside the corpus's own, and whether that is within the bounds."""
    rows = []
    for figure in figures:
        group = named[figure.group]
        chosen = corpus.label.isin(group.labels) & corpus.channel.isin(group.channels)
        if group.kinds:
            chosen &= corpus.kind.isin(group.kinds)
        values = found.loc[chosen, figure.measure]
        if figure.measure == "length":
            here, name = float(values.quantile(figure.at)), _length_at(figure.at)
        else:
            here, name = float(values.mean()) * {"%": 100, "‰": 1000}[figure.unit], figure.measure
        within = "yes" if figure.low <= here <= figure.high else "no"
        rows.append(
            {
                "group": group.title,
                "messages": len(values),
                "measure": name,
                "unit": figure.unit,
                "corpus": here,
                "real": figure.real,
                "bounds": f"{figure.low:g}–{figure.high:g}",
                "within bounds": within if len(values) else EMPTY,
            }
        )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame, corner: str | None = None) -> str:
    """A table as Markdown, a zero count or missing value as "·"; `corner` heads the index, which is left out without."""

    def cell(value: object) -> str:
        if isinstance(value, float):
            return EMPTY if np.isnan(value) else f"{value:.1f}".removesuffix(".0")
        return EMPTY if value == 0 else str(value)

    head = [*([] if corner is None else [corner]), *map(str, table.columns)]
    body = [
        [*([] if corner is None else [str(name)]), *map(cell, row)]
        for name, row in zip(table.index, table.itertuples(index=False, name=None), strict=True)
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *body])


def report(corpus: pd.DataFrame, challenge: pd.DataFrame) -> str:
    """The whole report."""
    near = near_duplicate_groups(corpus)
    by_kind = counts(corpus, challenge, near, "kind")
    found = facts(corpus)
    named, figures = read_references()
    compared = against_real(corpus, found, named, figures)
    outside = int((compared["within bounds"] == "no").sum())
    of_kind = {
        "channel": coverage(corpus.kind, corpus.channel, CHANNELS),
        "length in characters": coverage(corpus.kind, length_bands(corpus.text), list(BANDS)),
        "register": coverage(corpus.kind, corpus.register, REGISTERS),
        "era": coverage(corpus.kind, corpus.era, ERAS),
    }
    parts = [
        "# The corpus in numbers",
        "Printed by `make corpus-report`. “·” stands for none.",
        "## Counts",
        "The row “all” counts a group, family or pair once, however many labels or kinds it spans.",
        markdown(counts(corpus, challenge, near, "label"), "label"),
        markdown(by_kind, "kind"),
        "### Smallest kinds",
        markdown(by_kind.drop(index="all").sort_values("messages", kind="stable").head(10), "kind"),
        "## Coverage",
    ]
    for name, table in of_kind.items():
        parts += [f"### Kind and {name}: {int((table == 0).to_numpy().sum())} empty cells", markdown(table, "kind")]
    parts += [
        "### Product and label, the 20 commonest products",
        markdown(products(corpus), "product"),
        "## Likeness to life",
        "### SMS by label",
        "Lengths in characters, all else in per cent of the messages.",
        markdown(profile(corpus, found), "measure"),
        f"### Against real messages: {outside} of {len(compared)} figures out of bounds",
        "The real figures, their sources and the bounds: `classifier/resources/reference_statistics.toml`.",
        markdown(compared),
    ]
    return "\n\n".join(parts)


def main() -> None:
    """Print the report."""
    try:
        print(report(load_corpus(), load_challenge()))
    except ClassifierError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
