"""The model card: written by the code that trained the model, from the metadata it saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from classifier.labels import LABELS, kinds, label_name
from classifier.training.thresholds import TARGETS


def _percent(entry: dict[str, Any]) -> str:
    low, high = entry["interval"]
    return f"{entry['rate']:.2%} ({entry['errors']} of {entry['of']}; 95 % interval {low:.2%} to {high:.2%})"


def render(meta: dict[str, Any]) -> str:
    """The card as Markdown."""
    f, a = meta["figures"], meta["figures"]["with_abstention"]
    c = f["cautious"]
    low, high = f["macro_f1_interval"]
    lines = [
        "# Model card: `models/default`",
        "",
        "Written by `make train`; every number below is from `model.json` (`classify info --json`). Figures on the",
        "challenge set, the attack suite and the faithfulness of the evidence are printed by `classify evaluate",
        "--attacks --faithfulness` and kept in [EVALUATION.md](EVALUATION.md); what each part is worth is printed by",
        "`make ablation` and kept in [ABLATION.md](ABLATION.md); what changed between models stands in",
        "[CHANGELOG.md](CHANGELOG.md).",
        "",
        "## What it is",
        f"Version `{meta['version']}`. Linear: naive-Bayes-scaled logistic regressions over {len(meta['kinds'])} kinds and",
        "over the four labels, each the mean of two smoothings, joined into one linear map over jieba words, characters,",
        "toneless pinyin and named signals;",
        "a label's probability is the sum of its kinds'. Scoring reads arrays and JSON only.",
        "",
        "Intended use: to help a person or a team judge a Chinese message about a debt. It advises; it does not decide. Not",
        "for: scoring people, blocking messages unseen, languages other than Chinese, proof in a dispute.",
        "",
        "## Trained on",
        f"{meta['corpus']['messages']} messages in {meta['corpus']['families']} families, all written for this project",
        "([data card](../../data/README.md)): "
        + ", ".join(f"{label_name(k, 'en')} {meta['labels'][k]}" for k in LABELS)
        + ".",
        f"Corpus sha256 `{meta['corpus']['sha256'][:16]}…`, seed {meta['recipe']['seed']}.",
        "",
        "## Figures on grouped folds",
        "Five folds split by family; calibration and thresholds chosen on the other folds than they are reported on.",
        "",
        "| figure | value |",
        "| --- | --- |",
        f"| macro-F1, no abstention | {f['macro_f1']} (95 % interval {low} to {high}) |",
        f"| accuracy, no abstention | {f['accuracy']} |",
        f"| expected calibration error | {f['ece']} |",
        f"| **fraud called official or collection**, no abstention | {_percent(f['fraud_called_lawful'])} |",
        f"| **fraud called official or collection**, balanced | {_percent(a['fraud_called_lawful'])} |",
        f"| **fraud called official or collection**, cautious | {_percent(c['fraud_called_lawful'])} |",
        f"| lawful called fraud, no abstention | {_percent(f['lawful_called_fraud'])} |",
        f"| lawful called fraud, balanced | {_percent(a['lawful_called_fraud'])} |",
        f"| unrelated called fraud, no abstention | {_percent(f['unrelated_called_fraud'])} |",
        f"| fraud recall, no abstention | {_percent(f['fraud_recall'])} |",
        f"| fraud recall, balanced | {_percent(a['fraud_recall'])} |",
        f"| answered, balanced | {a['answered']:.1%}, right in {a['accuracy_when_answered']:.1%} |",
        f"| answered, cautious | {c['answered']:.1%}, right in {c['accuracy_when_answered']:.1%} |",
        f"| contrast pairs right on both sides | {f['pairs']['rate']:.1%} of {f['pairs']['pairs']} |",
        "",
        "## Thresholds",
        "Chosen so that the exact binomial upper bound (95 %) of each error on held-out folds stays under the stated rate.",
        "They hold for messages like the corpus and do not transfer to another domain: choose them anew on your own labels.",
        "",
        "| mode | fraud called lawful, at most | lawful called fraud, at most | thresholds |",
        "| --- | --- | --- | --- |",
    ]
    for mode, (danger, alarm, _) in TARGETS.items():
        lines.append(f"| {mode} | {danger:.1%} | {alarm:.1%} | `{json.dumps(meta['thresholds'][mode])}` |")
    lines += [
        "",
        "Both errors at every threshold t: official or collection is said only where p(fraud) ≤ t; fraud only where it is ≥ t.",
        "",
        "| t | fraud called lawful | lawful called fraud |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {t:.2f} | {danger:.2%} | {alarm:.2%} |" for t, danger, alarm in f["thresholds"]]
    lines += [
        "",
        "## Known limits",
        "- The corpus is written, not collected. On messages nobody here wrote the figures are lower; see the data card's record.",
        "- One message is judged alone: the same words can come from a partner and from a scammer, and `uncertain` is then the honest answer.",
        "- A number or a signature proves nothing: both can be forged.",
        "- Thresholds abstain often, by intent: calling a scam safe is the worst error.",
        "",
        "## Labels and kinds",
        *(
            f"- **{label}** ({label_name(label, 'zh')}): "
            + ", ".join(k.split(".")[1] for k in kinds() if k.startswith(label + "."))
            for label in LABELS
        ),
        "",
    ]
    return "\n".join(lines)


def write_card(folder: Path) -> None:
    """Write the card beside the model."""
    meta = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(render(meta), encoding="utf-8")
