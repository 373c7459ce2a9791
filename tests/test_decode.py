import pytest

from classifier.decode import MAX_BYTES, decode, read_message
from classifier.errors import InputError

TEXT = "【建设银行】您的贷款将于明日扣款，请确保余额充足。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
def test_files_as_people_have_them(tmp_path, encoding):
    path = tmp_path / "m.txt"
    path.write_bytes((TEXT + "\r\n第二行").encode(encoding))
    assert read_message(path) == TEXT + "\n第二行"


@pytest.mark.parametrize(
    ("data", "id"),
    [
        (b"", "file.empty"),
        (b" \r\n\t ", "file.blank"),
        ("\ufeff　".encode(), "file.blank"),
        (b"\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", "file.binary"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", "file.binary"),
        (b"\x81", "file.encoding_unknown"),
        (b"a" * (MAX_BYTES + 1), "file.too_large"),
    ],
)
def test_what_is_no_message_is_refused(data, id):
    with pytest.raises(InputError) as error:
        decode(data, name="x")
    assert error.value.id == id


def test_missing_file_and_folder(tmp_path):
    for path, id in ((tmp_path / "none", "file.missing"), (tmp_path, "file.folder")):
        with pytest.raises(InputError) as error:
            read_message(path)
        assert error.value.id == id


def test_named_encoding():
    assert decode("還款".encode("big5"), "big5") == "還款"
    with pytest.raises(InputError) as error:
        decode("還款".encode("big5"), "nonsense")
    assert error.value.id == "file.encoding_name"
