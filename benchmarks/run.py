"""Speed, memory and quality against what a user would write: ``make bench`` (or ``python -m benchmarks.run [--quick]``).

Everything is measured side by side in one process tree; a figure is the median of `REPEATS`, and what counts are the
ratios. Writes benchmarks/README.md and benchmarks/growth.png.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import joblib
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from benchmarks.plain import jieba_words, rjieba_words
from classifier import Classifier
from classifier.batch import Options, score_csv
from classifier.training.corpus import load_challenge, load_corpus

HERE = Path(__file__).resolve().parent
REPEATS = 5
# The child's own peak: ru_maxrss would carry over the parent's.
PEAK = "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
KEYWORDS = (
    "停息挂账|代办|反催收|征信修复|债务优化|解冻费|保证金|验证码|转账|私人账户|注销|退息|套现|提额|包过|黑户|刷流水|加微信"
)


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median wall-clock time."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def command(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run(arguments, check=True, capture_output=True)


def sample(count: int) -> list[str]:
    """Messages in the corpus's own mix of lengths."""
    texts = load_corpus().text
    return [texts.iloc[i % len(texts)] for i in np.random.default_rng(0).permutation(count)]


def peers(train: pd.DataFrame) -> dict[str, Callable[[list[str]], list[str]]]:
    """Name -> function texts -> labels; all trained on the same corpus."""
    found: dict[str, Callable[[list[str]], list[str]]] = {}
    for name, vectorizer, head in (
        (
            "TF-IDF of jieba words + logistic regression",
            TfidfVectorizer(tokenizer=jieba_words, token_pattern=None),
            LogisticRegression(C=10, max_iter=300),
        ),
        (
            "the same with rjieba",
            TfidfVectorizer(tokenizer=rjieba_words, token_pattern=None),
            LogisticRegression(C=10, max_iter=300),
        ),
        ("multinomial naive Bayes on words", CountVectorizer(tokenizer=rjieba_words, token_pattern=None), MultinomialNB()),
    ):
        pipeline = Pipeline([("words", vectorizer), ("head", head)]).fit(train.text, train.label)
        found[name] = lambda texts, p=pipeline: list(p.predict(texts))
    found["keyword rule (fraud or unrelated)"] = lambda texts: [
        "fraud" if hit else "unrelated" for hit in pd.Series(texts).str.contains(KEYWORDS)
    ]
    try:
        import fasttext
    except ImportError:
        print("fasttext is not installed: left out", file=sys.stderr)
        return found
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as handle:
        for text, label in zip(train.text, train.label, strict=True):
            handle.write(f"__label__{label} {' '.join(rjieba_words(text)).replace(chr(10), ' ')}\n")
        handle.flush()
        model = fasttext.train_supervised(handle.name, epoch=25, wordNgrams=2, thread=1, verbose=0)

    def by_fasttext(texts: list[str]) -> list[str]:
        lines = [" ".join(rjieba_words(t)).replace("\n", " ") + "\n" for t in texts]
        return [model.f.predict(line, 1, 0.0, "strict")[0][1].removeprefix("__label__") for line in lines]

    found["fastText on the same words"] = by_fasttext
    return found


def throughput(texts: list[str]) -> list[str]:
    challenge, corpus = load_challenge(), load_corpus()
    ours = Classifier.load()
    ours.classify_many(texts[:100])
    functions = peers(corpus)
    functions["**this project, no evidence**"] = lambda some: [
        v.best_label for v in ours.classify_many(some, evidence=False)
    ]
    functions["**this project, with evidence**"] = lambda some: [v.best_label for v in ours.classify_many(some)]
    rows = []
    base = None
    for name, predict in functions.items():
        predict(texts[:200])
        spent = seconds(lambda p=predict: p(texts))
        speed = len(texts) / spent
        base = base or speed
        said = predict(challenge.text.to_list())
        score = f1_score(challenge.label, said, average="macro", zero_division=0)
        fraud = challenge.label.to_numpy() == "fraud"
        danger = np.isin(np.array(said)[fraud], ("official", "collection")).mean()
        rows.append(f"| {name} | {speed:,.0f} | {speed / base:.2f} | {score:.3f} | {danger:.1%} |")
        print(rows[-1], flush=True)
    return [
        f"## Throughput and quality ({len(texts):,} messages, one core, labels without abstention)",
        "",
        "| | messages/s | × plain | macro-F1 on the challenge | fraud called lawful |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]


def cold_start() -> list[str]:
    texts = load_corpus().text.to_list()[:4000]
    labels = load_corpus().label.to_list()[:4000]
    with tempfile.TemporaryDirectory() as folder:
        model, message = Path(folder) / "plain.joblib", Path(folder) / "m.txt"
        message.write_text(texts[0], encoding="utf-8")
        pipeline = Pipeline(
            [("words", TfidfVectorizer(tokenizer=jieba_words, token_pattern=None)), ("head", LogisticRegression())]
        )
        joblib.dump(pipeline.fit(texts, labels), model)
        naive = (
            f"import joblib, jieba, pandas; print(joblib.load({str(model)!r}).predict([open({str(message)!r}).read()])[0])"
        )
        run = "from classifier.cli.main import run; run()"
        rows = {
            "`python -c 'import numpy'`": command(sys.executable, "-c", "import numpy"),
            "written naively (joblib pipeline, jieba, pandas)": command(sys.executable, "-c", naive),
            "**`classify message.txt`**": command(sys.executable, "-c", run, str(message)),
            "**`classify message.txt --label`**": command(sys.executable, "-c", run, str(message), "--label"),
        }
        # In turns, so that a slow minute of the machine falls on all of them.
        runs = [{name: seconds(work, 1) for name, work in rows.items()} for _ in range(3 * REPEATS)]
        times = {name: statistics.median(each[name] for each in runs) for name in rows}
    first, naive_time = list(times.values())[:2]
    return [
        "## Cold start",
        "",
        "| | ms | × import numpy | × naive |",
        "| --- | --- | --- | --- |",
        *(f"| {n} | {1000 * t:.0f} | {t / first:.2f} | {t / naive_time:.2f} |" for n, t in times.items()),
    ]


def by_length() -> list[str]:
    ours = Classifier.load()
    text = "".join(load_corpus().text.to_list()[:200])
    rows = []
    for size, count in ((20, 4000), (60, 4000), (200, 1500), (1000, 300)):
        texts = [text[i * 7 % 1000 : i * 7 % 1000 + size] for i in range(count)]
        bare, full = (seconds(lambda e=e, t=texts: ours.classify_many(t, evidence=e), 3) / count for e in (False, True))
        rows.append(f"| {size} | {1e6 * bare:.0f} | {1e6 * full:.0f} |")
    return ["## By length", "", "| characters | µs a message | with evidence |", "| --- | --- | --- |", *rows]


# Microseconds a message before the engine worked on whole chunks (commit 09fa290), measured on the machine and the day of
# the commit that changed it, in one run with its own figures.
BEFORE = {
    "folding": 8.7,
    "words (rjieba)": 5.1,
    "signals": 11.2,
    "all features": 46.2,
    "weights": 41.5,
    "probabilities": 0.2,
    "contacts": 17.8,
    "measures for the policy": 4.9,
    "all of it, no evidence": 131.3,
    "signals with their places": 35.3,
    "evidence": 94.1,
    "all of it, with evidence": 245.4,
}


def by_stage(texts: list[str]) -> list[str]:
    from classifier.contacts import check_many
    from classifier.evidence import explain_many
    from classifier.message import fold_many
    from classifier.policy import distinct_shares

    ours = Classifier.load()
    ours.classify_many(texts)
    model = ours.model
    space = model.space
    messages = fold_many(texts)
    chunk = space.read(messages)
    views, places = space.occurrences(chunk), space.occurrences(chunk, positions=True)
    linear = model.linear_logits(views, len(messages))
    best = model.scores_from(linear).label_probabilities.argmax(axis=1)
    stages: dict[str, Callable[[], object]] = {
        "folding": lambda: fold_many(texts),
        "words (rjieba)": lambda: space.read(messages).tokens,
        "signals": lambda: space.matcher.match_many([m.folded for m in messages]),
        "all features": lambda: space.occurrences(space.read(messages)),
        "weights": lambda: model.linear_logits(views, len(messages)),
        "probabilities": lambda: model.scores_from(linear),
        "contacts": lambda: check_many(messages, chunk.block),
        "measures for the policy": lambda: (space.measure(space.read(messages)), distinct_shares(chunk.block)),
        "all of it, no evidence": lambda: ours.classify_many(texts, evidence=False),
        "signals with their places": lambda: [
            space.matcher.spans(i, m.folded) for m in messages for i in space.matcher.match(m.folded)
        ],
        "evidence": lambda: explain_many(model, chunk, places, linear, best),
        "all of it, with evidence": lambda: ours.classify_many(texts),
    }
    return [
        "## Where the microseconds go",
        "",
        "Before: the same engine without work on whole chunks and compiled kernels (commit 09fa290).",
        "",
        "| stage | before, µs a message | now |",
        "| --- | --- | --- |",
        *(f"| {name} | {BEFORE[name]:.1f} | {1e6 * seconds(work) / len(texts):.1f} |" for name, work in stages.items()),
    ]


def write_csv(path: Path, count: int) -> None:
    texts = sample(min(count, 50_000))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "text"])
        writer.writerows((i, texts[i % len(texts)]) for i in range(count))


def peak_of(path: Path, out: Path) -> int:
    code = (
        "import sys; from pathlib import Path; from classifier.batch import Options, score_csv;"
        "score_csv(open(sys.argv[1], 'rb'), Path(sys.argv[2]), Options(evidence=False));" + PEAK
    )
    done = subprocess.run([sys.executable, "-c", code, str(path), str(out)], check=True, capture_output=True, text=True)
    return int(done.stdout)


def growth(sizes: list[int]) -> list[str]:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows, points = [], []
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in.csv", Path(folder) / "out.csv"
        for count in sizes:
            write_csv(source, count)
            began = time.perf_counter()
            with source.open("rb") as handle:
                score_csv(handle, out, Options(evidence=False))
            spent = time.perf_counter() - began
            began = time.perf_counter()
            with source.open(encoding="utf-8", newline="") as handle, io.StringIO() as sink:
                csv.writer(sink).writerows(csv.reader(handle))
            floor = time.perf_counter() - began
            peak = peak_of(source, out) / 1024
            points.append((count, spent))
            rows.append(f"| {count:,} | {spent:.1f} | {1e6 * spent / count:.0f} | {floor:.2f} | {peak:.0f} |")
            print(rows[-1], flush=True)
    fig, ax = plt.subplots(figsize=(6, 4))
    ax.loglog(*zip(*points, strict=True), "o-")
    ax.set_xlabel("rows")
    ax.set_ylabel("seconds")
    ax.grid(True, which="both", alpha=0.3)
    fig.savefig(HERE / "growth.png", dpi=100, bbox_inches="tight")
    return [
        "## Growth of `classify batch --no-evidence`",
        "",
        "| rows | seconds | µs a row | floor: reading and writing the CSV, s | peak MB |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
        "![growth](growth.png)",
    ]


def workers(count: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in.csv", Path(folder) / "out.csv"
        write_csv(source, count)
        run = "from classifier.cli.main import run; run()"
        times = {}
        for n in (1, 2):
            arguments = ["batch", str(source), "-o", str(out), "--force", "--quiet", "--no-evidence", "--workers", str(n)]
            times[n] = seconds(command(sys.executable, "-c", run, *arguments), 3)
    return [
        f"## Workers ({count:,} rows, end to end)",
        "",
        "| workers | seconds | × one |",
        "| --- | --- | --- |",
        *(f"| {n} | {t:.1f} | {times[1] / t:.2f} |" for n, t in times.items()),
    ]


def memory() -> list[str]:
    def resident(code: str) -> float:
        done = subprocess.run([sys.executable, "-c", code + ";" + PEAK], check=True, capture_output=True, text=True)
        return int(done.stdout.split()[-1]) / 1024

    bare = resident("import numpy")
    loaded = resident("from classifier import Classifier; Classifier.load().classify('您的贷款已逾期，请尽快还款')")
    return [
        "## Memory",
        "",
        f"Python with numpy: {bare:.0f} MB; with the shipped model loaded and one message judged: {loaded:.0f} MB "
        f"(+{loaded - bare:.0f}).",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument("--full", action="store_true", help="growth up to 2,000,000 rows (about ten minutes more)")
    options = parser.parse_args()
    quick = options.quick
    sizes = [1_000, 10_000] if quick else [1_000, 10_000, 100_000] + ([500_000, 2_000_000] if options.full else [])
    texts = sample(4_000 if quick else 20_000)
    parts = [
        ["# Benchmarks", "", "Printed by `make bench`; machines are noisy, so read the ratios. Median of several runs."],
        cold_start(),
        throughput(texts),
        by_stage(texts[:4000]),
        by_length(),
        memory(),
        workers(20_000 if quick else 200_000),
        growth(sizes),
    ]
    page = "\n\n".join("\n".join(part) for part in parts) + "\n"
    (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
