"""Golden examples: the full explanation of one message of every kind, in both languages, as a reader sees it.

``python -m tests.golden`` writes them anew after a change of model or wording; read the difference before committing it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from classifier import Classifier
from classifier.cli.render import layout, to_text
from classifier.labels import Lang

HERE = Path(__file__).parent
LANGS: tuple[Lang, ...] = ("zh", "en")
WIDTH = 80


def examples() -> list[dict[str, str]]:
    return tomllib.loads((HERE / "messages.toml").read_text(encoding="utf-8"))["example"]


def explanations(classifier: Classifier, lang: Lang) -> dict[str, str]:
    """Heading -> the explanation of one example, log-odds left out: they differ in the last digit between machines."""
    found: dict[str, str] = {}
    shown = examples()
    verdicts = classifier.classify_many([e["text"] for e in shown], lang=lang)
    for number, (example, verdict) in enumerate(zip(shown, verdicts, strict=True), 1):
        text = to_text(layout(verdict, lang, WIDTH))
        found[f"{number} {example['kind']}"] = re.sub(r"[（(][+−][\d.]+[）)]", "", text).rstrip()
    return found


def path(lang: Lang) -> Path:
    return HERE / f"explanations.{lang}.md"


def page(sections: dict[str, str]) -> str:
    return "\n".join(f"## {heading}\n```\n{text}\n```\n" for heading, text in sections.items())


def read(lang: Lang) -> dict[str, str]:
    parts = re.findall(r"^## ([^\n]+)\n```\n(.*?)\n```$", path(lang).read_text(encoding="utf-8"), re.M | re.S)
    return dict(parts)
