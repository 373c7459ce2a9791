"""The corpus: reading it, and what a row must look like."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.errors import CorpusError
from classifier.labels import kinds, label_of

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = ROOT / "data" / "messages"
CHALLENGE = ROOT / "data" / "challenge"


def load_corpus(folder: Path = MESSAGES) -> pd.DataFrame:
    """Read ``<folder>/<label>/<kind>.csv``; columns of the files plus `kind` and `label`, sorted by id.

    Raises `CorpusError` where the folder holds no messages or a kind is not in the taxonomy.
    """
    known = set(kinds())
    frames = []
    for path in sorted(folder.glob("*/*.csv")):
        kind = f"{path.parent.name}.{path.stem}"
        if kind not in known:
            raise CorpusError("corpus.kind", file=path.name, kind=kind)
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame["kind"], frame["label"] = kind, label_of(kind)
        frames.append(frame)
    if not frames:
        raise CorpusError("corpus.missing", folder=folder)
    return pd.concat(frames, ignore_index=True).sort_values("id", ignore_index=True)


def corpus_hash(frame: pd.DataFrame) -> str:
    """A hash of what training sees: id, kind, text and family, in order."""
    digest = hashlib.sha256()
    for row in frame[["id", "kind", "text", "family"]].itertuples(index=False):
        digest.update("\x1f".join(row).encode("utf-8") + b"\x1e")
    return digest.hexdigest()


def load_challenge(folder: Path = CHALLENGE) -> pd.DataFrame:
    """Read the challenge messages (pairs included): `messages.csv` with the columns of the corpus, `kind` and `label`."""
    path = folder / "messages.csv"
    if not path.is_file():
        raise CorpusError("corpus.missing", folder=folder)
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame["label"] = [label_of(k) for k in frame.kind]
    return frame


def load_lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """Read ``<folder>/<name>.jsonl`` (behaviour cases, spans)."""
    text = (folder / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]
