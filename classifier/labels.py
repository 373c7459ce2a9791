"""The labels, and the kinds below them, as `resources/kinds.toml` lists them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

Label = Literal["official", "collection", "fraud", "unrelated", "uncertain"]
Lang = Literal["zh", "en"]

LABELS: tuple[Label, ...] = ("official", "collection", "fraud", "unrelated")
SAFE_LABELS: tuple[Label, ...] = ("official", "collection")
"""The labels under which a fraud would be called genuine: the dangerous error."""

KINDS_TOML = Path(__file__).with_name("resources") / "kinds.toml"


@dataclass(frozen=True, slots=True)
class Wording:
    """One thing said in both languages."""

    zh: str
    en: str

    def of(self, lang: Lang) -> str:
        """Return the wording in one language."""
        return self.zh if lang == "zh" else self.en


@cache
def _tables() -> tuple[dict[str, Wording], dict[str, Wording]]:
    raw = tomllib.loads(KINDS_TOML.read_text(encoding="utf-8"))
    labels = {name: Wording(**w) for name, w in raw["labels"].items()}
    kinds = {f"{label}.{kind}": Wording(**w) for label in LABELS for kind, w in raw[label].items()}
    return labels, kinds


def kinds() -> tuple[str, ...]:
    """All kinds as ``label.name``, in the order of the resource."""
    return tuple(_tables()[1])


def label_of(kind: str) -> Label:
    """The label a kind belongs to."""
    return cast(Label, kind.split(".", 1)[0])


def label_name(label: str, lang: Lang) -> str:
    """What a label is called."""
    return _tables()[0][label].of(lang)


def kind_name(kind: str, lang: Lang) -> str:
    """What a kind is called; the kind itself when it is a model's own that the resource does not know."""
    found = _tables()[1].get(kind)
    return found.of(lang) if found else kind
