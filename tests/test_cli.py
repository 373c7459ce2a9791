import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from classifier.cli.main import cli
from classifier.training.corpus import ROOT

FRAUD = "您好，这边是平台客服，您的还款通道已关闭，请把欠款转到专员的个人账户，我帮您销账。"
PARCEL = "【菜鸟驿站】您的包裹已到小区东门店，取件码6-2-3018，请今晚21点前领取"


def classify(*arguments, stdin=None, env=None, cwd=None):
    return subprocess.run(
        [sys.executable, "-c", "from classifier.cli.main import run; run()", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        check=False,
    )


def out(result):
    return result.stdout.decode("utf-8")


def err(result):
    return result.stderr.decode("utf-8")


@pytest.fixture
def message(tmp_path):
    path = tmp_path / "message.txt"
    path.write_text(FRAUD, encoding="utf-8")
    return path


def test_a_file_is_judged_and_explained(message):
    result = classify(str(message))
    assert result.returncode == 0
    for part in ("判断：疑似诈骗", "为什么像", "现在怎么办", "出自还款通道关闭一文", "96110"):
        assert part in out(result)
    assert "\x1b" not in out(result)


def test_english(message):
    result = classify(str(message), "--lang", "en")
    assert "Verdict: suspected fraud" in out(result)
    assert "What to do now" in out(result)


def test_stdin_text_label_and_brief(message):
    assert out(classify("-", "--label", stdin=FRAUD.encode("gb18030"))) == "fraud\n"
    assert out(classify("--text", PARCEL, "--label")) == "unrelated\n"
    assert out(classify(str(message), "--brief")).startswith("疑似诈骗 ")


def test_several_files_go_on_after_a_bad_one(message, tmp_path):
    result = classify(str(message), str(tmp_path / "none.txt"), str(message), "--label")
    assert result.returncode == 1
    assert out(result).count("fraud") == 2
    assert err(result).strip().endswith("找不到这个文件。")


def test_json_is_one_object_a_line(message):
    lines = out(classify(str(message), "--text", PARCEL, "--json")).splitlines()
    assert [json.loads(line)["label"] for line in lines] == ["unrelated", "fraud"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--text", FRAUD, "--fail-on", "fraud", "--label"], 3),
        (["--text", PARCEL, "--fail-on", "fraud", "--label"], 0),
        (["--text", "   "], 1),
        (["message"], 2),
        (["--no-such-option"], 2),
        (["--text", FRAUD, "--model", "/nowhere"], 1),
    ],
)
def test_exit_codes(arguments, code):
    result = classify(*arguments)
    assert result.returncode == code
    assert "Traceback" not in err(result)
    if code in (1, 2):
        assert err(result).strip()


def test_control_and_bidirectional_characters_never_reach_the_terminal():
    result = classify("--text", "您的\x1b[31m贷款\u202e已逾期\x07，请转\u2066到个人账户\x9b2J")
    for bad in ("\x1b", "\u202e", "\x07", "\u2066", "\x9b"):
        assert bad not in out(result)


def test_plain_has_no_bars(message):
    text = out(classify(str(message), "--plain"))
    assert "█" not in text
    assert "各种可能：" in text


def test_lines_fit_sixty_columns(message):
    from classifier.cli.render import cells

    text = out(classify(str(message), env={"COLUMNS": "60"}))
    assert max(map(cells, text.splitlines())) <= 62  # closing punctuation may hang over


def test_a_cold_run_imports_no_training_library(message):
    code = (
        "import sys; from click.testing import CliRunner; from classifier.cli.main import cli;"
        f"r = CliRunner().invoke(cli, [{str(message)!r}]); assert r.exit_code == 0, r.output;"
        "heavy = set('sklearn scipy pandas jieba joblib matplotlib rich opencc pypinyin numba llvmlite numpy.ma'"
        ".split()) & set(sys.modules);"
        "print(sorted(heavy))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def test_info():
    result = CliRunner().invoke(cli, ["info"])
    assert result.exit_code == 0
    assert "F1" in result.output


def test_help_names_the_exit_codes():
    assert "退出码" in CliRunner().invoke(cli, ["--help"]).output


def test_every_example_of_the_readme_is_what_the_commands_print():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = readme.split("```console\n")[1:]
    assert len(blocks) >= 2
    for block in blocks:
        shown = block.split("```")[0]
        command, _, expected = shown.partition("\n")
        arguments = command.removeprefix("$ classify ").split()
        result = classify(*arguments, cwd=ROOT, env={"COLUMNS": "80"})
        assert out(result).rstrip() == expected.rstrip(), command


def test_the_examples_folder_shows_every_label(classifier):
    expected = {
        "1-official": "official", "2-collection": "collection", "3-fraud-agent": "fraud",
        "4-fraud-closed-channel": "fraud", "5-unrelated": "unrelated", "6-maintenance": "official",
        "7-uncertain": "uncertain", "8-warning": "official",
    }  # fmt: skip
    for path in sorted(Path(ROOT / "data" / "examples").glob("*.txt")):
        assert classifier.classify(path.read_text(encoding="utf-8")).label == expected[path.stem], path.stem


def test_json_holds_nothing_a_terminal_would_act_on():
    result = classify("--text", "您的还款\x9b31m通道\u202e已关闭，转到个人账户", "--json")
    assert json.loads(out(result))["text"] == "您的还款\x9b31m通道\u202e已关闭，转到个人账户"
    assert not {"\x9b", "\u202e"} & set(out(result))


def test_a_file_name_is_shown_without_its_control_characters(tmp_path):
    path = tmp_path / "a\x1b[31m\nb.txt"
    path.write_text(FRAUD, encoding="utf-8")
    result = classify(str(path), "--text", PARCEL, "--label")
    assert "\x1b" not in out(result)
    assert len(out(result).splitlines()) == 2


@pytest.mark.parametrize("encoding", ["gbk", "latin-1", "ascii"])
def test_a_terminal_of_another_encoding(message, encoding):
    result = classify(str(message), env={"PYTHONIOENCODING": encoding})
    assert result.returncode == 0, err(result)
    assert "Traceback" not in err(result)
