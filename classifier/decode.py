"""Bytes -> text, as people's files come: UTF-8 with or without BOM, UTF-16, GB18030 (so GBK); any line ending."""

from __future__ import annotations

import codecs
from pathlib import Path

from classifier.errors import InputError

MAX_BYTES = 1_000_000
"""The largest message file read; a larger one is refused, never cut."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(data: bytes) -> str:
    """Name the encoding of `data`: BOM, UTF-8, UTF-16 without BOM, GB18030, in that order of trust.

    Raises `InputError` where none fits or the bytes are no text.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        if b"\x00" not in data:
            return "utf-8"
    if len(data) % 2 == 0 and len(data) >= 4:
        for name in ("utf-16-le", "utf-16-be"):
            try:
                text = data.decode(name)
            except UnicodeDecodeError:
                continue
            if sum(map(_is_common, text)) >= 0.9 * len(text):
                return name
    if b"\x00" in data:
        raise InputError("file.binary", path="")
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise InputError("file.encoding_unknown", path="") from None
    if sum(ord(c) < 32 and c not in "\r\n\t" for c in text) > len(text) // 20:
        raise InputError("file.binary", path="")
    return "gb18030"


def _is_common(char: str) -> bool:
    code = ord(char)
    return (
        0x20 <= code < 0x7F
        or char in "\r\n\t"
        or 0x4E00 <= code <= 0x9FFF
        or 0x3000 <= code <= 0x303F
        or 0xFF00 <= code <= 0xFFEF
        or 0x2010 <= code <= 0x203F
    )


def text_encoding(name: str) -> str:
    """The codec of a named text encoding, BOM-aware for UTF-8. Raises `InputError` where there is none."""
    try:
        info = codecs.lookup(name)
        "还款".encode(name, "replace").decode(name, "replace")
    except (LookupError, UnicodeError, TypeError, ValueError, AssertionError):
        raise InputError("file.encoding_name", encoding=name) from None
    if info.name in ("idna", "punycode"):
        raise InputError("file.encoding_name", encoding=name)
    return "utf-8-sig" if info.name == "utf-8" else info.name


def decode(data: bytes, encoding: str | None = None, name: object = "-") -> str:
    """Decode one message file, called `name` in errors; line endings become ``\\n``. Raises `InputError`."""
    if len(data) > MAX_BYTES:
        raise InputError("file.too_large", path=name, limit=MAX_BYTES)
    if not data:
        raise InputError("file.empty", path=name)
    if not data.strip(b" \t\r\n"):
        raise InputError("file.blank", path=name)
    try:
        chosen = text_encoding(encoding) if encoding else detect_encoding(data)
        text = data.decode(chosen)
    except UnicodeDecodeError:
        raise InputError("file.encoding_wrong", path=name, encoding=chosen) from None
    except InputError as error:
        raise InputError(error.id, **{**error.values, "path": name}) from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError("file.blank", path=name)
    return text


def read_message(path: Path, encoding: str | None = None) -> str:
    """Read one message file. Raises `InputError` whose sentence names the file."""
    try:
        if path.is_dir():
            raise InputError("file.folder", path=path)
        with path.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError("file.missing", path=path) from None
    except PermissionError:
        raise InputError("file.permission", path=path) from None
    except OSError as error:
        raise InputError("file.unreadable", path=path, detail=error.strerror) from None
    return decode(data, encoding, path)
