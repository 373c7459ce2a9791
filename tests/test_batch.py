import csv
import io
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from classifier.batch import ADDED, Options, score_csv
from classifier.cli.main import cli
from classifier.errors import InputError

FRAUD = "您的还款通道已关闭，请把欠款转到专员的个人账户，我帮您销账"
PARCEL = "【菜鸟驿站】您的包裹已到小区东门店，取件码6-2-3018，请今晚领取"


def run(*arguments):
    return CliRunner().invoke(cli, ["batch", *map(str, arguments)], catch_exceptions=True)


def read(path, encoding="utf-8-sig"):
    with path.open(encoding=encoding, newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["编号", "短信内容", "备注"])
        writer.writerow(["1", FRAUD, "a,b"])
        writer.writerow(["2", "第一行\n第二行，" + PARCEL, '引号"内'])
        writer.writerow(["3", "", "空"])
        writer.writerow(["4"])
        writer.writerow(["5", PARCEL, "x", "多出来的"])
    return path


def test_every_row_and_column_is_kept_in_order(source, tmp_path):
    out = tmp_path / "out.csv"
    result = run(source, "-o", out)
    assert result.exit_code == 0, result.output
    with out.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    with source.open(encoding="utf-8", newline="") as handle:
        before = list(csv.reader(handle))
    assert rows[0] == [*before[0], *ADDED]
    assert len(rows) == len(before)
    for old, new in zip(before[1:], rows[1:], strict=True):
        assert new[: min(len(old), 3)] == old[:3]
    assert rows[-1][-1] == "多出来的"
    scored = read(out)
    assert [r["label"] for r in scored] == ["fraud", "unrelated", "", "", "unrelated"]
    assert [bool(r["error"]) for r in scored] == [False, False, True, True, False]
    assert float(scored[0]["p_fraud"]) > 0.5
    assert scored[0]["advice"]
    assert scored[0]["evidence"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(tmp_path, encoding):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes(f"id,text\r\n1,{FRAUD}\r\n".encode(encoding))
    assert run(path, "-o", out).exit_code == 0
    assert read(out)[0]["text"] == FRAUD
    assert read(out)[0]["label"] == "fraud"


def test_workers_and_chunks_change_nothing(tmp_path, corpus):
    path = tmp_path / "in.csv"
    corpus.sample(260, random_state=5)[["id", "text"]].to_csv(path, index=False)
    outputs = []
    for workers in (1, 2):
        out = tmp_path / f"out{workers}.csv"
        with path.open("rb") as handle:
            score_csv(handle, out, Options(), workers=workers)
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("content", "options", "id"),
    [
        ("", (), "file.empty"),
        ("a,b\n1,2\n", (), "csv.ask_column"),
        ("a,b\n1,2\n", ("--text-column", "c"), "csv.no_column"),
        ("text,label\nx,1\n", (), "csv.duplicate_column"),
        ("\n\n", (), "csv.no_header"),
    ],
)
def test_a_file_that_cannot_be_scored_leaves_nothing_behind(tmp_path, content, options, id):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(content, encoding="utf-8")
    result = run(path, "-o", out, *options)
    assert isinstance(result.exception, InputError)
    assert result.exception.id in (id, "file.empty")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv"]


def test_prefix_makes_room_for_a_label_column(tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(f"text,label\n{FRAUD},1\n", encoding="utf-8")
    assert run(path, "-o", out, "--prefix", "pred_").exit_code == 0
    assert (read(out)[0]["label"], read(out)[0]["pred_label"]) == ("1", "fraud")


def test_the_output_is_not_overwritten_unasked(source, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("mine")
    assert run(source, "-o", out).exception.id == "csv.exists"
    assert out.read_text() == "mine"
    assert run(source, "-o", out, "--force").exit_code == 0
    assert run(source, "-o", source, "--force").exception.id == "csv.same_file"


def test_fail_on(source, tmp_path):
    assert run(source, "-o", tmp_path / "a.csv", "--fail-on", "fraud").exit_code == 3
    assert run(source, "-o", tmp_path / "b.csv", "--fail-on", "collection").exit_code == 0


def test_invalid_bytes_survive(tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes(b"id,text\n" + f"1,{FRAUD}\n".encode() * 30000 + b"2,\xff\xfe broken\n")
    with path.open("rb") as handle:
        summary = score_csv(handle, out, Options(evidence=False))
    assert summary.rows == 30001
    assert out.read_bytes().splitlines()[-1].startswith(b"2,\xff\xfe broken")


def test_memory_is_flat_in_the_number_of_rows(tmp_path):
    code = """
import io, resource, sys
from pathlib import Path
from classifier.batch import Options, score_csv
class Rows(io.RawIOBase):
    def __init__(self, n): self.left, self.buffer = n, b"id,text\\n"
    def read(self, size=-1):
        while len(self.buffer) < size and self.left:
            self.left -= 1
            self.buffer += f"{self.left},您的贷款已逾期{self.left}天，请尽快还款\\n".encode()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data
def peak(n):
    score_csv(Rows(n), Path(sys.argv[1]), Options(evidence=False))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = peak(4000)
print(peak(24000) / small)
"""
    ratio = float(
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "flat.csv")], capture_output=True, text=True, check=True
        ).stdout
    )
    assert ratio < 1.15


def test_standard_output_carries_data_only(source):
    result = subprocess.run(
        [sys.executable, "-c", "from classifier.cli.main import run; run()", "batch", str(source)],
        capture_output=True,
        check=True,
    )
    rows = list(csv.DictReader(io.StringIO(result.stdout.decode("utf-8"))))
    assert len(rows) == 5
    assert "共 5 行" in result.stderr.decode("utf-8")
    assert json.dumps(rows[0]["label"]) == '"fraud"'


def test_one_bad_byte_does_not_change_the_encoding(tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = [f"{i},{FRAUD}\n".encode() for i in range(200)]
    path.write_bytes(b"id,text\n" + b"".join(rows) + b"x,ab\xff " + FRAUD.encode() + b"\n")
    assert run(path, "-o", out, "--no-evidence").exit_code == 0
    with out.open(encoding="utf-8", errors="surrogateescape", newline="") as handle:
        scored = list(csv.DictReader(handle))
    assert {r["label"] for r in scored[:200]} == {"fraud"}
    assert [bool(r["error"]) for r in scored] == [False] * 200 + [True]
    assert b"ab\xff" in out.read_bytes()


def test_a_worker_that_cannot_start_is_one_sentence(source, tmp_path):
    result = run(source, "-o", tmp_path / "o.csv", "--workers", 2, "--model", tmp_path / "none")
    assert result.exception.id == "model.missing"
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters(tmp_path, delimiter):
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(f"id{delimiter}text\n1{delimiter}{FRAUD}\n", encoding="utf-8")
    assert run(path, "-o", out).exit_code == 0
    assert out.read_text(encoding="utf-8").splitlines()[1].startswith(f"1{delimiter}{FRAUD}{delimiter}fraud{delimiter}")


def test_a_first_message_is_not_taken_for_a_header(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(f"{FRAUD}\n{PARCEL}\n", encoding="utf-8")
    assert run(path).exception.id == "csv.ask_column"


def test_a_link_is_followed_and_its_mode_kept(source, tmp_path):
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    assert run(source, "-o", link, "--force").exit_code == 0
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") != "old"
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("encoding", ["hex", "rot13", "undefined", "idna", "nonsense"])
def test_an_encoding_that_is_none(source, encoding):
    assert run(source, "--encoding", encoding).exception.id == "file.encoding_name"
