"""The sender's number: what it is, in words. No verdict rests on it alone, since numbers can be forged.

Ranges: the Chinese numbering plan (95/96 short numbers, 106 gateway numbers, 1xx service numbers, 400/800 lines) and
the prefixes that the ministry gave to virtual operators (162, 165, 167, 170, 171).
"""

from __future__ import annotations

import re
from typing import Literal

from classifier.labels import Lang, Wording

SenderKind = Literal["short_code", "gateway", "service", "line_400", "landline", "mobile", "virtual", "foreign", "name"]

WORDING: dict[SenderKind, Wording] = {
    "short_code": Wording("发送号码是95/96开头的机构短号", "the sender is an institution's 95/96 short number"),
    "gateway": Wording(
        "发送号码是106开头的群发通道，谁都可以租用", "the sender is a 106 bulk gateway, which anybody can rent"
    ),
    "service": Wording("发送号码是公共服务短号", "the sender is a public service number"),
    "line_400": Wording("发送号码是400/800热线", "the sender is a 400/800 line"),
    "landline": Wording("发送号码是座机", "the sender is a landline"),
    "mobile": Wording("发送号码是个人手机号", "the sender is a personal mobile"),
    "virtual": Wording(
        "发送号码是虚拟运营商号段，骗子常用", "the sender is a virtual-operator number, often used by fraudsters"
    ),
    "foreign": Wording("发送号码来自境外", "the sender is a foreign number"),
    "name": Wording("发送方不是号码", "the sender is not a number"),
}
DOUBTFUL: frozenset[SenderKind] = frozenset({"mobile", "virtual", "foreign"})
"""Senders that a lender's own notice does not come from."""


def sender_kind(sender: str) -> SenderKind:
    """Tell what kind of sender a number or name is."""
    text = re.sub(r"[\s()-]", "", sender)
    if re.match(r"^(?:\+|00)(?!86)", text):
        return "foreign"
    text = re.sub(r"^(?:\+|00)?86(?=1\d{10}$|0?\d{10,11}$|95|96|106)", "", text)
    if not re.fullmatch(r"[0-9*xX]+", text):
        return "name"
    if re.match(r"^1(?:62|65|67|70|71)", text) and len(text) == 11:
        return "virtual"
    if re.match(r"^1[3-9]", text) and len(text) == 11:
        return "mobile"
    if text.startswith("106"):
        return "gateway"
    if re.match(r"^9[56]\d{3,6}$", text):
        return "short_code"
    if re.match(r"^[48]00\d{7}$", text):
        return "line_400"
    if re.match(r"^1\d{2,5}$", text):
        return "service"
    return "landline" if text.startswith("0") else "name"


def wording(kind: SenderKind, lang: Lang) -> str:
    """The sender in words."""
    return WORDING[kind].of(lang)
