"""What each part is worth: the model with one part left out at a time, on the same held-out families.

``python -m classifier.training.ablation`` trains on half of the families of four fifths of the corpus (`SHARE`), to stay
within a quarter of an hour, and prints a table of the last fifth. Calibration and thresholds play no part: every figure
is of the likeliest label.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from classifier.features import ViewConfig
from classifier.labels import LABELS, SAFE_LABELS
from classifier.message import Message, fold_many
from classifier.model import MANIFEST, LinearModel, quantise, save_model
from classifier.training.attacks import kept_under
from classifier.training.calibration import UNCALIBRATED
from classifier.training.corpus import load_corpus
from classifier.training.figures import macro_f1, pair_accuracy, rate
from classifier.training.train import FOLDS, SEED, Recipe, fit

ATTACKED = 1000
"""Held-out messages that the attacks are tried on, at the middle strength."""
STRENGTH = 0.3
SHARE = 0.5
"""Share of the training families that is used."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A recipe under a name; `folding` off leaves every text as it came."""

    name: str
    recipe: Recipe
    folding: bool = True


def variants() -> list[Variant]:
    """The shipped recipe, and the same with one part left out."""
    full = Recipe()
    views = full.views
    return [
        Variant("everything", full),
        Variant("without words", replace(full, views=replace(views, word_orders=()))),
        Variant("without word pairs", replace(full, views=replace(views, word_orders=(1,)))),
        Variant("without characters", replace(full, views=replace(views, char_orders=()))),
        Variant("without pinyin", replace(full, views=replace(views, pinyin_orders=()))),
        Variant("without signals", replace(full, signals=False)),
        Variant("without folding", full, folding=False),
        Variant("without heavy hiding and padding in augmentation", replace(full, disturb=False)),
        Variant("without augmentation", replace(full, augment=False)),
        Variant("labels alone, no kinds", replace(full, kind_share=0.0)),
        Variant("kinds alone, no labels", replace(full, label_share=0.0)),
        Variant("the bold smoothing alone", replace(full, smoothings=full.smoothings[:1])),
        Variant("the cautious smoothing alone", replace(full, smoothings=full.smoothings[1:])),
        Variant("words alone", replace(full, views=ViewConfig(char_orders=(), pinyin_orders=()), signals=False)),
    ]


def as_they_came(texts: Sequence[str]) -> list[Message]:
    """Messages without folding."""
    return [Message(text, text) for text in texts]


def run(variant: Variant, train: pd.DataFrame, test: pd.DataFrame, jobs: int = 2) -> dict[str, object]:
    """Fit one variant and measure it."""
    folder: Callable[[Sequence[str]], list[Message]] = fold_many if variant.folding else as_they_came
    pipeline = fit(train, folder(train.text.to_list()), variant.recipe, jobs, folder)
    head = pipeline.named_steps["classifier"]
    weights, scales = quantise(head.coef_.T)
    space = pipeline.named_steps["features"].space_
    model = LinearModel(space, weights, scales, head.intercept_, tuple(head.classes_), {"calibration": UNCALIBRATED})

    def predict(texts: list[str]) -> np.ndarray:
        found = [model.score(folder(texts[at : at + 2000])).label_probabilities for at in range(0, len(texts), 2000)]
        best: np.ndarray = np.array(LABELS)[np.concatenate(found).argmax(axis=1)]
        return best

    texts, truth = test.text.to_list(), test.label.to_numpy()
    began = time.perf_counter()
    said = predict(texts)
    spent = time.perf_counter() - began
    some = test.sample(min(ATTACKED, len(test)), random_state=SEED)
    attacks = kept_under(predict, some.text.to_list(), some.label.to_numpy(), (STRENGTH,))
    with tempfile.TemporaryDirectory() as out:
        save_model(model, Path(out))
        size = sum(p.stat().st_size for p in Path(out).iterdir() if p.name != MANIFEST)
    return {
        "macro_f1": macro_f1(truth, said),
        "pairs": pair_accuracy(test.pair.to_numpy(), truth, said)["rate"],
        "danger": rate(np.isin(said, SAFE_LABELS), truth == "fraud")["rate"],
        "alarms": rate(said == "fraud", np.isin(truth, SAFE_LABELS))["rate"],
        "kept": float(np.mean([rows[0]["kept"]["fraud"] for rows in attacks.values()])),
        "attack_alarms": float(np.mean([rows[0]["alarms"] for rows in attacks.values()])),
        "size": size / 1e6,
        "speed": 1e6 * spent / len(texts),
    }


HEADER = """\
# Ablation

Printed by `make ablation`: each row is trained on {trained} messages (half of the families of four folds) and measured on
the last fold ({messages} messages), the likeliest label without abstention. Attacks: the mean over the attack suite at strength
{strength:.0%} on {attacked} held-out messages. The speed is that of scoring alone, on a noisy machine: read the ratios.

| | macro-F1 | pairs right | fraud called lawful | lawful called fraud | fraud kept under attack | more alarms under attack, points | scoring files, MB | µs a message |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""  # noqa: E501


def main() -> None:
    """Print the table."""
    frame = load_corpus()
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    train, test = next(splitter.split(np.zeros(len(frame)), frame.kind, frame.family))
    families = np.random.default_rng(SEED).permutation(frame.family.iloc[train].unique())
    train = train[frame.family.iloc[train].isin(families[: int(SHARE * len(families))]).to_numpy()]
    print(HEADER.format(trained=len(train), messages=len(test), strength=STRENGTH, attacked=ATTACKED), flush=True)
    wanted = sys.argv[1:]
    for variant in variants():
        if wanted and variant.name not in wanted:
            continue
        r = run(variant, frame.iloc[train], frame.iloc[test])
        print(
            f"| {variant.name} | {r['macro_f1']:.3f} | {r['pairs']:.1%} | {r['danger']:.1%} | {r['alarms']:.1%} "
            f"| {r['kept']:.1%} | {100 * float(str(r['attack_alarms'])):+.1f} | {r['size']:.1f} | {r['speed']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
