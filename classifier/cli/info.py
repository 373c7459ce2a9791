"""`classify info`: what the loaded model is and how good it is known to be."""

from __future__ import annotations

from typing import Any

from classifier import __version__
from classifier.labels import Lang, label_name
from classifier.model import LinearModel


def describe(model: LinearModel, lang: Lang) -> str:
    """Version, corpus, features, figures of the grouped folds; every number is read from the model's metadata."""
    meta, figures = model.meta, model.meta["figures"]
    zh = lang == "zh"
    answered = figures["with_abstention"]
    low, high = figures["macro_f1_interval"]

    def percent(entry: dict[str, Any]) -> str:
        first, last = entry["interval"]
        return f"{entry['rate']:.2%} [{first:.2%}, {last:.2%}]"

    counts = "、" if zh else ", "
    labels = counts.join(f"{label_name(k, lang)} {n}" for k, n in meta["labels"].items())
    rows = [
        ("程序版本" if zh else "program", __version__),
        ("模型版本" if zh else "model", meta["version"]),
        (
            "语料" if zh else "corpus",
            f"{meta['corpus']['messages']} / {meta['corpus']['families']} families ({labels})",
        ),
        ("类别数" if zh else "kinds", str(len(model.kinds))),
        ("特征数" if zh else "features", ", ".join(f"{name} {size}" for name, size in model.space.blocks)),
        ("信号引擎" if zh else "signal engine", model.space.matcher.engine),
        ("宏平均F1（按家族分折）" if zh else "macro-F1 (grouped folds)", f"{figures['macro_f1']} [{low}, {high}]"),
        ("校准误差 ECE" if zh else "ECE", str(figures["ece"])),
        (
            "诈骗被当成正规（不弃权）" if zh else "fraud called lawful (no abstention)",
            percent(figures["fraud_called_lawful"]),
        ),
        (
            "诈骗被当成正规（弃权后）" if zh else "fraud called lawful (with abstention)",
            percent(answered["fraud_called_lawful"]),
        ),
        (
            "正规被当成诈骗（弃权后）" if zh else "lawful called fraud (with abstention)",
            percent(answered["lawful_called_fraud"]),
        ),
        ("给出判断的比例" if zh else "share answered", f"{answered['answered']:.1%}"),
        ("库版本" if zh else "trained with", ", ".join(f"{k} {v}" for k, v in meta["versions"].items())),
    ]
    return "\n".join(f"{name}: {value}" for name, value in rows)
