"""The command line. Bodies are thin: everything is done by the library.

Exit codes: 0 done, 1 it failed, 2 usage, 3 a verdict named by --fail-on was found.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from classifier import __version__
from classifier.errors import ClassifierError, InputError

F = TypeVar("F", bound=Callable[..., Any])
EXIT_FAILED, EXIT_FOUND = 1, 3
LABEL_CHOICE = click.Choice(["official", "collection", "fraud", "unrelated", "uncertain"])


class DefaultGroup(click.Group):
    """A group whose first argument may be a file: then the command is `message`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `message` in front where no command is named."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h", "--version"):
            args = ["message", *args]
        return super().parse_args(ctx, args)


def _options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    def apply(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


common = _options(
    click.option(
        "--lang", type=click.Choice(["zh", "en"]), default="zh", envvar="CLASSIFY_LANG", help="输出语言 / language."
    ),
    click.option(
        "--mode",
        type=click.Choice(["cautious", "balanced", "best-guess"]),
        default="balanced",
        help="把握到什么程度才下判断；best-guess 总给最像的一种 / when to abstain.",
    ),
    click.option("--model", type=click.Path(path_type=Path), default=None, help="模型文件夹 / another model folder."),
    click.option("--tokenizer", type=click.Choice(["rjieba", "jieba"]), default=None, help="分词器 / tokenizer."),
    click.option("--encoding", default=None, help="输入文件的编码，缺省自动识别 / input encoding."),
    click.option(
        "--fail-on",
        type=LABEL_CHOICE,
        multiple=True,
        help="出现这种判断时以退出码 3 结束 / exit with 3 when this verdict is found.",
    ),
)


@click.group(cls=DefaultGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="classify")
def cli() -> None:
    """这条借贷消息是真的吗？判断一条消息是官方通知、正规催收还是诈骗，并说明理由。

    \b
    classify message.txt            判断文件里的一条消息
    classify --text "……"            判断一段文字
    cat message.txt | classify -    从标准输入读
    classify batch messages.csv -o scored.csv
    \b
    退出码：0 完成，1 出错，2 用法不对，3 出现了 --fail-on 指定的判断。
    """


@cli.command()
@click.argument("files", nargs=-1)
@click.option("--text", "texts", multiple=True, help="直接给出消息文字 / the message itself.")
@click.option("--sender", default=None, help="发送号码 / the sender's number.")
@click.option("--json", "as_json", is_flag=True, help="每条消息一行 JSON / one JSON object a line.")
@click.option("--label", "only_label", is_flag=True, help="只输出标签 / the label only.")
@click.option("--brief", is_flag=True, help="每条消息一行 / one line a message.")
@click.option("--plain", is_flag=True, help="不画图不着色，便于读屏 / no bars, no colour, for screen readers.")
@common
def message(
    files: tuple[str, ...],
    texts: tuple[str, ...],
    sender: str | None,
    as_json: bool,
    only_label: bool,
    brief: bool,
    plain: bool,
    lang: Any,
    mode: Any,
    model: Path | None,
    tokenizer: Any,
    encoding: str | None,
    fail_on: tuple[str, ...],
) -> None:
    """判断一条或几条消息（可省略命令名）：FILES 是文件，- 是标准输入。"""
    from classifier.classifier import Classifier
    from classifier.cli import render
    from classifier.decode import MAX_BYTES, decode, read_message

    if not files and not texts:
        raise click.UsageError(InputError("input.none").say(lang))
    failed = False
    inputs: list[tuple[str, str]] = [("--text", text) for text in texts]
    for name in files:
        try:
            if name == "-":
                if sys.stdin is None:
                    raise InputError("stream.closed")
                inputs.append(("-", decode(sys.stdin.buffer.read(MAX_BYTES + 1), encoding)))
            else:
                inputs.append((name, read_message(Path(name), encoding)))
        except ClassifierError as error:
            click.echo(error.say(lang), err=True)
            failed = True
    classifier = Classifier.load(model, tokenizer)
    found = False
    several = len(inputs) > 1
    for source, text in inputs:
        name = render.safe(source).replace("\n", "·")
        try:
            verdict = classifier.classify(text, sender, mode=mode, lang=lang)
        except ClassifierError as error:
            click.echo(error.say(lang), err=True)
            failed = True
            continue
        found |= verdict.label in fail_on
        if as_json:
            named = {"source": name} if several else {}
            click.echo(render.to_json(named | verdict.to_dict()))
        elif only_label or brief:
            line = verdict.label if only_label else render.brief(verdict, lang)
            click.echo(f"{name}\t{line}" if several else line)
        else:
            if several:
                click.echo(f"── {name} " + "─" * 20 if not plain else name)
            colour = _colour() and not plain
            width = min(shutil.get_terminal_size((80, 24)).columns, 100)
            lines = render.layout(verdict, lang, width, colour=colour, plain=plain)
            if colour:
                render.print_colour(lines)
            else:
                click.echo(render.to_text(lines))
            if several:
                click.echo()
    sys.exit(EXIT_FAILED if failed else EXIT_FOUND if found else 0)


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@cli.command()
@click.argument("source", metavar="MESSAGES.CSV")
@click.option("-o", "--output", default=None, help="输出文件，缺省为标准输出 / output file, standard output by default.")
@click.option("--text-column", default=None, help="消息正文所在的列 / the column of the message.")
@click.option("--sender-column", default=None, help="发送号码所在的列 / the column of the sender.")
@click.option("--prefix", default="", help="给新增的列名加前缀 / prefix of the added columns.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, help="进程数 / processes.")
@click.option("--no-evidence", is_flag=True, help="不列证据，快一倍 / leave evidence out, twice as fast.")
@click.option("--force", is_flag=True, help="覆盖已有的输出文件 / overwrite the output.")
@click.option("--quiet", is_flag=True, help="不显示进度和小结 / no progress, no summary.")
@common
def batch(
    source: str,
    output: str | None,
    text_column: str | None,
    sender_column: str | None,
    prefix: str,
    workers: int,
    no_evidence: bool,
    force: bool,
    quiet: bool,
    lang: Any,
    mode: Any,
    model: Path | None,
    tokenizer: Any,
    encoding: str | None,
    fail_on: tuple[str, ...],
) -> None:
    """给 CSV 里的消息逐行打分：原有行列不变，后面添上判断。"""
    from classifier.batch import Options, score_csv
    from classifier.cli.render import wording
    from classifier.labels import label_name

    out = None if output in (None, "-") else Path(str(output))
    path = Path(source)
    if out is not None and source != "-" and out.resolve() == path.resolve():
        raise InputError("csv.same_file", path=out)
    if out is not None and out.exists() and not force:
        raise InputError("csv.exists", path=out)
    options = Options(str(model) if model else None, tokenizer, mode, lang, not no_evidence)
    began = time.perf_counter()
    if sys.stdin is None or sys.stdout is None:
        raise InputError("stream.closed")
    handle = sys.stdin.buffer if source == "-" else _open(path)
    size = 0 if source == "-" else path.stat().st_size
    with click.progressbar(
        length=max(size, 1),
        label=wording()["batch.label"][lang],
        file=sys.stderr,
        hidden=quiet or not sys.stderr.isatty(),
    ) as bar:
        summary = score_csv(
            handle,
            out,
            options,
            name=source,
            text_column=text_column,
            sender_column=sender_column,
            encoding=encoding,
            prefix=prefix,
            workers=workers,
            progress=lambda count: bar.update(count - bar.pos),
        )
    if not quiet:
        counts = ("、" if lang == "zh" else ", ").join(
            f"{label_name(label, lang)} {count}" for label, count in summary.labels.most_common()
        )
        click.echo(
            wording()["batch.done"][lang].format(
                rows=summary.rows,
                seconds=time.perf_counter() - began,
                counts=counts or "-",
                errors=summary.errors,
                path=output or "-",
            ),
            err=True,
        )
    sys.exit(EXIT_FOUND if any(summary.labels[label] for label in fail_on) else 0)


def _open(path: Path) -> Any:
    try:
        if path.is_dir():
            raise InputError("file.folder", path=path)
        return path.open("rb")
    except FileNotFoundError:
        raise InputError("file.missing", path=path) from None
    except PermissionError:
        raise InputError("file.permission", path=path) from None


def _training() -> None:
    """Fail in one sentence where the training extra is not installed."""
    try:
        import pandas  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError:
        raise ClassifierError("extra.missing") from None


@cli.command()
@click.option("--corpus", type=click.Path(path_type=Path), default=None, help="语料文件夹 / corpus folder.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help="模型文件夹 / model folder.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, help="线程数 / threads.")
def train(corpus: Path | None, output: Path | None, jobs: int) -> None:
    """用语料重新训练模型 / retrain on a corpus."""
    _training()
    from classifier.model import default_folder
    from classifier.training.card import write_card
    from classifier.training.corpus import MESSAGES
    from classifier.training.train import train as run_training

    out = output or default_folder()
    run_training(out, corpus or MESSAGES, jobs=jobs, say=lambda text: click.echo(text, err=True))
    write_card(out)


@cli.command()
@click.option("--model", type=click.Path(path_type=Path), default=None, help="模型文件夹 / model folder.")
@click.option("--challenge", type=click.Path(path_type=Path), default=None, help="测试集文件夹 / challenge folder.")
@click.option("--attacks", is_flag=True, help="对抗攻击测试 / the attack suite.")
@click.option("--faithfulness", is_flag=True, help="证据忠实度 / faithfulness of the evidence.")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON.")
def evaluate(model: Path | None, challenge: Path | None, attacks: bool, faithfulness: bool, as_json: bool) -> None:
    """在从不用于训练的测试集上评估 / evaluate on the challenge set, which is never trained on."""
    _training()
    from classifier.training import evaluation

    report = evaluation.evaluate(model, challenge, attacks=attacks, faithfulness=faithfulness)
    click.echo(json.dumps(report, ensure_ascii=False, indent=1) if as_json else evaluation.to_markdown(report))


@cli.command()
@click.option("--model", type=click.Path(path_type=Path), default=None, help="模型文件夹 / model folder.")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", envvar="CLASSIFY_LANG")
def info(model: Path | None, as_json: bool, lang: Any) -> None:
    """模型、语料、版本与指标 / model, corpus, versions and figures."""
    from classifier.cli.info import describe
    from classifier.model import load_model

    loaded = load_model(model)
    click.echo(json.dumps(loaded.meta, ensure_ascii=False, indent=1) if as_json else describe(loaded, lang))


def run() -> None:
    """The console script: errors are one sentence on stderr and exit code 1, never a traceback."""
    lang = "en" if _wants_english(sys.argv[1:]) else "zh"
    if sys.stdout is None:
        sys.exit(EXIT_FAILED)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows a question mark
    try:
        cli(standalone_mode=False)
    except ClassifierError as error:
        click.echo(error.say(lang), err=True)
        sys.exit(EXIT_FAILED)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("已中断。" if lang == "zh" else "Interrupted.", err=True)
        sys.exit(EXIT_FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except OSError as error:
        click.echo(f"{error.filename or ''}: {error.strerror}", err=True)
        sys.exit(EXIT_FAILED)


def _wants_english(arguments: list[str]) -> bool:
    if "--lang=en" in arguments:
        return True
    if "--lang" in arguments[:-1]:
        return arguments[arguments.index("--lang") + 1] == "en"
    return os.environ.get("CLASSIFY_LANG") == "en"
