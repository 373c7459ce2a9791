"""The rules of the corpus, as code: ``make corpus-check``. Every breach is one line; any breach exits with 1."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from classifier.contacts import registry
from classifier.errors import ClassifierError
from classifier.labels import LABELS, kinds
from classifier.training.corpus import CHALLENGE, MESSAGES, load_challenge, load_corpus, load_lines
from classifier.training.drafts import message_id
from classifier.training.near_duplicates import near_duplicate_pairs

CHANNELS = ["sms", "push", "chat", "post", "call", "letter"]
REGISTERS = ["formal", "plain", "sloppy", "coded"]
ERAS = ["2016-2019", "2020-2022", "2023-2026"]
CONFLICT = 0.93  # similarity from which two messages outside a pair may not differ in label

MOBILE = re.compile(r"(?<![\d.])1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
LONG_NUMBER = re.compile(r"(?<![\da-zA-Z])(?:\d{16,19}|\d{17}[Xx])(?!\d)")
HOST = re.compile(
    r"(?i)(?<![a-z0-9@.*-])((?:[a-z0-9-]{2,}\.)+(?:com|cn|net|cc|top|vip|icu|pw|xyz|org|me|im|site|club|tk|ltd|la|tv|info|app|shop"
    r"|work|ink|co|io|hk|tw))(?![a-z0-9.])"
)


def schema(extra: dict[str, pa.Column] | None = None) -> pa.DataFrameSchema:
    """What every row must look like."""
    return pa.DataFrameSchema(
        {
            "id": pa.Column(str, [pa.Check.str_matches(r"^m[0-9a-f]{11}$")], unique=True),
            "text": pa.Column(str, [pa.Check.str_length(2, 1200), pa.Check(lambda s: s.str.strip() == s)]),
            "channel": pa.Column(str, pa.Check.isin(CHANNELS)),
            "register": pa.Column(str, pa.Check.isin(REGISTERS)),
            "era": pa.Column(str, pa.Check.isin(ERAS)),
            "product": pa.Column(str, pa.Check.str_length(min_value=1)),
            "origin": pa.Column(str, pa.Check.isin(["real", "imagined"])),
            "family": pa.Column(str, pa.Check.str_matches(r"^f\d{5}$")),
            "pair": pa.Column(str),
            "kind": pa.Column(str, pa.Check.isin(list(kinds()))),
            "label": pa.Column(str, pa.Check.isin(list(LABELS))),
            **(extra or {}),
        },
        strict=True,
    )


def schema_breaches(frame: pd.DataFrame, name: str) -> Iterator[str]:
    """Rows that break the schema, or whose id is not their text's."""
    try:
        schema().validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        for case in error.failure_cases.head(20).itertuples():
            yield f"{name}: column {case.column}: {case.check} fails for {case.failure_case!r}"
    for row in frame[frame.id != frame.text.map(message_id)].itertuples():
        yield f"{name}: {row.id} is not the id of its text"
    for text, count in frame.text.value_counts().items():
        if count > 1:
            yield f"{name}: {count} rows have the text {str(text)[:40]!r}"


def pair_breaches(frame: pd.DataFrame, name: str) -> Iterator[str]:
    """Pairs must have two sides of different labels in one family."""
    for pair, side in frame[frame.pair != ""].groupby("pair"):
        if len(side) != 2 or side.label.nunique() != 2 or side.family.nunique() != 1:
            yield f"{name}: pair {pair} needs two messages of different labels in one family"


def privacy_breaches(frame: pd.DataFrame, name: str) -> Iterator[str]:
    """No mobile number of a real range, no whole card or ID number, no link that could live."""
    official = {d for org in registry() for d in org.domains}
    for id, text in zip(frame.id.to_list(), frame.text.to_list(), strict=True):
        for what, pattern in (("mobile number", MOBILE), ("card or ID number", LONG_NUMBER)):
            if match := pattern.search(text):
                yield f"{name}: {id} holds a {what} {match[0]}"
        for host in HOST.findall(text):
            if not any(host.lower() == d or host.lower().endswith("." + d) for d in official):
                yield f"{name}: {id} holds a link that could live: {host}"


def similarity_breaches(corpus: pd.DataFrame, challenge: pd.DataFrame | None) -> Iterator[str]:
    """No near-duplicate across families or between challenge and training, no conflicting labels."""
    frame = corpus if challenge is None else pd.concat([corpus, challenge], ignore_index=True)
    border = len(corpus)
    texts, family, label, pair, ids = (frame[c].to_numpy() for c in ("text", "family", "label", "pair", "id"))
    for a, b, similarity in near_duplicate_pairs(list(texts)):
        same_pair = pair[a] != "" and pair[a] == pair[b]
        if (a < border) != (b < border):
            yield f"challenge {ids[b]} is a near-duplicate of the corpus's {ids[a]} ({similarity:.2f}): {texts[b][:40]!r}"
        elif family[a] != family[b]:
            yield f"{ids[a]} and {ids[b]} are near-duplicates ({similarity:.2f}) of different families"
        if label[a] != label[b] and not same_pair and similarity >= CONFLICT:
            yield f"{ids[a]} ({label[a]}) and {ids[b]} ({label[b]}) say the same: {texts[a][:40]!r} / {texts[b][:40]!r}"


def line_breaches(folder: Path, challenge: pd.DataFrame) -> Iterator[str]:
    """The behaviour cases and spans of the challenge."""
    for case in load_lines(folder, "behaviour"):
        if case["type"] not in ("mft", "inv", "dir") or case["label"] not in LABELS:
            yield f"behaviour {case['id']}: unknown type or label"
        if case["type"] != "mft" and not (case.get("changed") and case.get("expect")):
            yield f"behaviour {case['id']}: needs `changed` and `expect`"
    for line in load_lines(folder, "spans"):
        for span in line["spans"]:
            if span not in line["text"]:
                yield f"spans: {span!r} does not stand in {line['text'][:40]!r}"


def breaches(corpus_folder: Path = MESSAGES, challenge_folder: Path = CHALLENGE) -> Iterator[str]:
    """Every breach of every rule."""
    corpus, challenge = load_corpus(corpus_folder), load_challenge(challenge_folder)
    for frame, name in ((corpus, "corpus"), (challenge, "challenge")):
        yield from schema_breaches(frame, name)
        yield from pair_breaches(frame, name)
        yield from privacy_breaches(frame, name)
    yield from similarity_breaches(corpus, challenge)
    yield from line_breaches(challenge_folder, challenge)


def main() -> None:
    """Print the breaches; exit with 1 where there are any."""
    try:
        found = list(breaches())
    except ClassifierError as error:
        found = [str(error)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"corpus check: {len(found)} breaches")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
