"""Errors whose text is one clear sentence for the person at the keyboard, in Chinese and English.

The sentences live in ``resources/errors.toml``; an error is raised with the id of its sentence and the values in it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

TOML = Path(__file__).with_name("resources") / "errors.toml"


@cache
def _sentences() -> dict[str, dict[str, str]]:
    import tomllib

    return tomllib.loads(TOML.read_text(encoding="utf-8"))


class ClassifierError(Exception):
    """Base of every error that this package raises on purpose.

    ``str(error)`` is English; `say` gives either language. `id` names the sentence in ``errors.toml``; a text that is
    no id is said as it stands (training and corpus errors, which only developers meet).
    """

    def __init__(self, id: str, **values: object) -> None:
        super().__init__(id)
        self.id = id
        self.values = values

    def say(self, lang: str = "zh") -> str:
        """The sentence in one language."""
        wording = _sentences().get(self.id)
        return wording[lang].format(**self.values) if wording else self.id

    def __str__(self) -> str:
        return self.say("en")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.id, self.values)


def _rebuild(kind: type[ClassifierError], id: str, values: dict[str, object]) -> ClassifierError:
    return kind(id, **values)


class InputError(ClassifierError):
    """The given file or text cannot be read as a message."""


class ModelError(ClassifierError):
    """The model folder is missing, damaged, altered or of an unknown format."""


class CorpusError(ClassifierError):
    """The corpus breaks its schema or its rules."""
