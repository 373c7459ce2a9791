"""CSV scoring: every row and column kept in order, verdict columns added, memory flat, the output complete or absent."""

from __future__ import annotations

import codecs
import csv
import itertools
import multiprocessing
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from classifier.classifier import Classifier, check_text
from classifier.decode import detect_encoding, text_encoding
from classifier.errors import InputError
from classifier.labels import LABELS, Lang
from classifier.policy import Mode
from classifier.tokens import TokenizerName

ADDED = (
    "label",
    "best_label",
    *(f"p_{label}" for label in LABELS),
    "kind",
    "reason",
    "evidence",
    "advice",
    "model_version",
    "error",
)
TEXT_COLUMNS = (
    "text", "message", "content", "sms", "body", "msg", "短信", "短信内容", "消息", "消息内容", "内容", "正文", "文本",
)  # fmt: skip
SENDER_COLUMNS = ("sender", "from", "发送号码", "发件人", "号码")
MOST_NAME = 12
SURROGATE = re.compile("[\udc80-\udcff]")
CHUNK_ROWS = 2_000
SAMPLE = 1 << 20
csv.field_size_limit(1 << 27)


@dataclass(frozen=True, slots=True)
class Options:
    """How rows are scored."""

    model: str | None = None
    tokenizer: TokenizerName | None = None
    mode: Mode = "balanced"
    lang: Lang = "zh"
    evidence: bool = True


@dataclass(slots=True)
class Summary:
    """What a run did."""

    rows: int = 0
    errors: int = 0
    labels: Counter[str] = field(default_factory=Counter)


def csv_encoding(sample: bytes, name: object) -> str:
    """The encoding of a CSV file by its first bytes."""
    if not sample.strip():
        raise InputError("file.empty", path=name)
    if b"\x00" not in sample:
        text = codecs.getincrementaldecoder("utf-8-sig")("replace").decode(sample, final=False)
        foreign = sum(not c.isascii() for c in text)
        if text.count("\ufffd") <= 0.02 * foreign:  # a few bad bytes do not make another encoding
            return "utf-8-sig"
    try:
        return detect_encoding(sample[: len(sample) // 2 * 2] if len(sample) >= SAMPLE else sample)
    except InputError as error:
        if error.id == "file.encoding_unknown" and len(sample) >= SAMPLE:
            return "gb18030"  # the sample may end inside a character
        raise InputError(error.id, path=name) from None


def find_column(header: Sequence[str], wanted: str | None, path: object) -> int:
    """The position of the message column. Raises `InputError` that lists the columns where it cannot be told."""
    names = [h.strip().lower() for h in header]
    shown = "、".join(header)
    if wanted is not None:
        if wanted in header:
            return list(header).index(wanted)
        if wanted.strip().lower() in names:
            return names.index(wanted.strip().lower())
        raise InputError("csv.no_column", path=path, column=wanted, columns=shown)
    for name in TEXT_COLUMNS:
        if name in names:
            return names.index(name)
    if len(header) == 1 and len(names[0]) <= MOST_NAME:  # longer, it is no name but the first message
        return 0
    raise InputError("csv.ask_column", path=path, columns=shown)


def find_sender(header: Sequence[str], wanted: str | None, path: object) -> int | None:
    """The position of the sender column, if there is one."""
    if wanted is not None:
        return find_column(header, wanted, path)
    names = [h.strip().lower() for h in header]
    return next((names.index(n) for n in SENDER_COLUMNS if n in names), None)


def score_rows(
    classifier: Classifier, texts: Sequence[str], senders: Sequence[str | None], options: Options
) -> list[list[str]]:
    """The added cells of each text; a text that cannot be judged has only its error."""
    good: list[int] = []
    cells: list[list[str]] = [[] for _ in texts]
    for at, text in enumerate(texts):
        try:
            check_text(text)
        except InputError as error:
            cells[at] = [""] * (len(ADDED) - 1) + [error.say(options.lang)]
        else:
            good.append(at)
    verdicts = classifier.classify_many(
        [texts[i] for i in good],
        [senders[i] for i in good],
        mode=options.mode,
        lang=options.lang,
        evidence=options.evidence,
    )
    for at, v in zip(good, verdicts, strict=True):
        evidence = "；".join(
            f"{e.text or e.note}({e.weight:+.2f})".replace("\n", " ") for e in v.evidence[:3] if e.weight > 0
        )
        cells[at] = [
            v.label,
            v.best_label,
            *(f"{v.probabilities[label]:.4f}" for label in LABELS),
            v.kind,
            v.reason or "",
            evidence,
            v.guidance[0].title,
            v.model_version,
            InputError("csv.bad_bytes").say(options.lang) if SURROGATE.search(texts[at]) else "",
        ]
    return cells


_worker: tuple[Classifier, Options] | None = None


def _start_worker(options: Options) -> None:
    global _worker
    _worker = Classifier.load(options.model, options.tokenizer), options


def _work(task: tuple[list[str], list[str | None]]) -> list[list[str]]:
    assert _worker is not None
    return score_rows(_worker[0], task[0], task[1], _worker[1])


@contextmanager
def atomic_output(path: Path | None) -> Iterator[IO[str]]:
    """A text file that appears under its name only when complete; standard output where `path` is None."""
    if path is None:
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")  # type: ignore[union-attr]
        yield sys.stdout
        sys.stdout.flush()
        return
    if path.is_dir():
        raise InputError("file.folder", path=path)
    path = path.resolve()
    if path.exists() and not path.is_file():  # a pipe or device: written to, never replaced
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
            yield handle
        return
    umask = os.umask(0)
    os.umask(umask)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise InputError("output.unwritable", path=path, detail=error.strerror) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
            yield handle
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class _Counting:
    """A byte stream that knows how much of it was read, for the progress bar."""

    def __init__(self, raw: IO[bytes], count: int) -> None:
        self.raw, self.count = raw, count

    def read(self, size: int) -> bytes:
        data = self.raw.read(size)
        self.count += len(data)
        return data


def score_csv(
    source: IO[bytes],
    out: Path | None,
    options: Options,
    *,
    name: object = "-",
    text_column: str | None = None,
    sender_column: str | None = None,
    encoding: str | None = None,
    prefix: str = "",
    workers: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Score a CSV stream row by row and write it with the verdict columns added.

    A row that cannot be judged keeps its cells and says why in the error column; a row with more cells than the header
    keeps the surplus at its end. `progress` is told the bytes read. Raises `InputError` where the file as a whole is
    not a readable CSV.
    """
    sample = source.read(SAMPLE)
    chosen = text_encoding(encoding) if encoding else csv_encoding(sample, name)
    counting = _Counting(source, len(sample))
    summary = Summary()
    try:
        lines = _lines(sample, counting, chosen)
        first = next(lines, "")
        delimiter = max(",\t;", key=first.count) if "," not in first else ","
        reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
        header = next(reader, None)
        if not header or not any(h.strip() for h in header):
            raise InputError("csv.no_header", path=name)
        column = find_column(header, text_column, name)
        sender = find_sender(header, sender_column, name)
        added = [prefix + a for a in ADDED]
        for h in header:
            if h in added:
                raise InputError("csv.duplicate_column", path=name, column=h)
        with atomic_output(out) as handle, _scorer(options, workers) as score:
            if chosen == "utf-8-sig" and sample.startswith(codecs.BOM_UTF8):
                handle.write("\ufeff")
            writer = csv.writer(handle, delimiter=delimiter, lineterminator="\r\n" if b"\r\n" in sample[:65536] else "\n")
            writer.writerow([*header, *added])
            chunks = iter(lambda: list(islice(reader, CHUNK_ROWS)), [])
            for rows, cells in score(chunks, column, sender):
                for row, more in zip(rows, cells, strict=True):
                    pad = [""] * (len(header) - len(row))
                    writer.writerow([*row[: len(header)], *pad, *more, *row[len(header) :]])
                    summary.labels[more[0]] += 1
                    summary.errors += bool(more[-1])
                summary.rows += len(rows)
                progress(counting.count)
    except BrokenProcessPool:
        raise InputError("csv.worker_died", path=name) from None
    except (csv.Error, UnicodeError) as error:
        raise InputError("csv.not_csv", path=name, detail=error) from None
    del summary.labels[""]
    return summary


def _lines(sample: bytes, source: _Counting, encoding: str) -> Iterator[str]:
    """Decoded lines; bytes that are not valid in the encoding survive as surrogates and are written back as they were."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    rest = ""
    data = sample
    while True:
        text = rest + decoder.decode(data, final=not data)
        pieces = text.split("\n")
        rest = pieces.pop()
        for piece in pieces:
            yield piece + "\n"
        if not data:
            break
        data = source.read(1 << 16)
    if rest:
        yield rest


Chunks = Iterator[list[list[str]]]
Scorer = Callable[[Chunks, int, int | None], Iterator[tuple[list[list[str]], list[list[str]]]]]


def _task(rows: list[list[str]], column: int, sender: int | None) -> tuple[list[str], list[str | None]]:
    def cell(row: list[str], at: int | None) -> str:
        return row[at] if at is not None and at < len(row) else ""

    return [cell(r, column) for r in rows], [cell(r, sender) or None for r in rows]


@contextmanager
def _scorer(options: Options, workers: int) -> Iterator[Scorer]:
    """A function from chunks of rows to the same chunks with their cells, in order, on one or several processes."""
    if workers <= 1:
        classifier = Classifier.load(options.model, options.tokenizer)

        def alone(chunks: Chunks, column: int, sender: int | None) -> Iterator[tuple[Any, Any]]:
            for rows in chunks:
                texts, senders = _task(rows, column, sender)
                yield rows, score_rows(classifier, texts, senders, options)

        yield alone
        return
    Classifier.load(options.model, options.tokenizer)  # what is wrong with the model is said here, once
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (options,)) as pool:

        def together(chunks: Chunks, column: int, sender: int | None) -> Iterator[tuple[Any, Any]]:
            waiting: list[tuple[list[list[str]], Any]] = []
            for rows in chunks:
                waiting.append((rows, pool.submit(_work, _task(rows, column, sender))))
                if len(waiting) > 3 * workers:  # bounded: memory stays flat
                    done, result = waiting.pop(0)
                    yield done, result.result()
            for done, result in waiting:
                yield done, result.result()

        yield together
