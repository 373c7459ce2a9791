"""Writers' drafts -> the corpus: ``python -m classifier.training.drafts OUT DRAFT...``.

What OUT already holds is kept and joined by the new messages. With ``OUT`` ending in ``.csv`` all messages go into that
one file, with a column `kind` (the challenge set).

A draft is a text file. A header line ``# kind=label.name channel=.. register=.. era=.. product=.. origin=real|imagined
[source=..]`` holds for the messages below it, one a line (``\\n`` for a line break). ``< `` lines hold the source that
the next messages rewrite; they are checked against and never kept. A pair line is ``@name label.kind text`` under a
header with ``kind=mixed``. The messages of one source, of one header, of one pair and of one near-duplicate group make
a family, so that grouped folds never meet a message's sisters.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.errors import CorpusError
from classifier.training.near_duplicates import groups, near_duplicate_pairs

COLUMNS = ("id", "text", "channel", "register", "era", "product", "origin", "family", "pair")
SHARED_RUN = 10  # characters in a row that a rewriting may not share with its source


@dataclass(frozen=True, slots=True)
class Draft:
    """One message of a draft file; `kin` names what ties it to its family."""

    kind: str
    text: str
    head: dict[str, str]
    kin: str
    pair: str


def message_id(text: str) -> str:
    """A stable id made of the text alone."""
    return "m" + hashlib.sha256(text.encode("utf-8")).hexdigest()[:11]


def shares_run(source: str, text: str, length: int = SHARED_RUN) -> str | None:
    """Return a run of `length` characters (digits and masks aside) that both texts hold, or None."""
    a, b = (re.sub(r"\s", "", t) for t in (source, text))
    runs = {a[i : i + length] for i in range(len(a) - length + 1)}
    for i in range(len(b) - length + 1):
        run = b[i : i + length]
        if run in runs and not re.fullmatch(r"[\dxX*.,，:-]+", run):
            return run
    return None


def read_drafts(path: Path) -> Iterator[Draft]:
    """Yield the messages of one draft file. Raises `CorpusError` where a message repeats a run of its source."""
    head: dict[str, str] = {}
    sources: list[str] = []
    block = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("//"):
            continue
        if line.startswith("# "):
            head = dict(part.split("=", 1) for part in line[2:].split())
            sources, block = [], block + 1
            continue
        if line.startswith("< "):
            sources.append(line[2:])
            continue
        kind, text, pair = head["kind"], line, ""
        if match := re.match(r"@(\S+) (\w+\.\w+)\s+(.*)", line):
            pair, kind, text = f"{path.stem}-{match[1]}", match[2], match[3]
        text = text.replace("\\n", "\n").strip()
        for source in sources:
            if run := shares_run(source, text):
                raise CorpusError(f"{path.name}:{number} shares “{run}” with its source; reword it.")
        yield Draft(kind, text, head, head.get("source") or pair or f"{path.stem}-b{block}", pair)


def to_rows(drafts: Sequence[Draft]) -> dict[str, list[dict[str, str]]]:
    """Return {kind: rows} with families made; an exact repeat of a text is left out."""
    unique: dict[str, Draft] = {}
    for draft in drafts:
        unique.setdefault(draft.text, draft)
    kept = [*unique.values()]
    sides = Counter(d.pair for d in kept)
    first_of: dict[str, int] = {}
    links = [(first_of.setdefault(d.kin, i), i, 1.0) for i, d in enumerate(kept)]
    family = groups(len(kept), [*links, *near_duplicate_pairs([d.text for d in kept])])
    rows: dict[str, list[dict[str, str]]] = {}
    for draft, number in zip(kept, family, strict=True):
        head = draft.head
        row = {name: head.get(name, "") for name in COLUMNS}
        row |= {"id": message_id(draft.text), "text": draft.text, "family": f"f{number:05d}"}
        row["pair"] = draft.pair if sides[draft.pair] == 2 else ""
        rows.setdefault(draft.kind, []).append(row)
    return rows


def write_rows(rows: dict[str, list[dict[str, str]]], folder: Path) -> None:
    """Write one CSV a kind below `folder`, sorted by id."""
    for kind, members in rows.items():
        label, name = kind.split(".", 1)
        path = folder / label / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(sorted(members, key=lambda r: r["id"]))


def write_one(rows: dict[str, list[dict[str, str]]], path: Path) -> None:
    """Write all kinds into one CSV with a column `kind`, sorted by id."""
    members = [{"kind": kind, **row} for kind, some in rows.items() for row in some]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, ("kind", *COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(members, key=lambda r: r["id"]))


def read_rows(folder: Path) -> Iterator[Draft]:
    """Yield the messages that a corpus folder already holds, each with its family as its kin."""
    for path in sorted(folder.glob("*/*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                kind = f"{path.parent.name}.{path.stem}"
                yield Draft(kind, row["text"], row, row["family"], row["pair"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Add draft files to the CSVs of a corpus folder; families are numbered anew over old and new together."""
    out, *files = sys.argv[1:] if arguments is None else arguments
    held = [] if out.endswith(".csv") else list(read_rows(Path(out)))
    drafts = held + [draft for file in files for draft in read_drafts(Path(file))]
    rows = to_rows(drafts)
    (write_one if out.endswith(".csv") else write_rows)(rows, Path(out))
    print(f"{sum(map(len, rows.values()))} messages of {len(rows)} kinds written to {out}")


if __name__ == "__main__":
    main()
