"""Contacts: the registry of lenders' and authorities' names, hotlines and domains, and the check of a message against it.

A matching number never proves that a message is genuine, since numbers can be forged; another's number under a
lender's signature, or a domain that only looks like the lender's, is evidence against it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from classifier.codepoints import CODE_POINTS, Block, among, code_points, pairs
from classifier.labels import Lang, Wording
from classifier.links import url
from classifier.message import Message

REGISTRY = Path(__file__).with_name("resources") / "contacts.csv"
# Compiled when first used: most messages claim no name.
NUMBER = (
    r"(?<![\d.,*x-])(?:\(?0\d{2,3}\)?[- ]?\d{7,8}|[48]00[- ]?\d{3,4}[- ]?\d{3,4}|9[56]\d{3,6}|1[012]\d{3,4})(?![\d*x.,])"
)
SIGNATURE = r"[【\[(〔]([^】\])〕\n]{2,24})[】\])〕]"
HOST = r"(?:https?://)?([a-z0-9*.-]+\.[a-z]{2,8})"

PUBLIC = {"regulator", "police", "court", "authority", "carrier"}
NO_LENDERS = PUBLIC | {"payment"}  # a way to pay is seldom whom one owes

FindingId = Literal["number_of_another", "lookalike_domain", "number_matches", "domain_matches"]
WORDING: dict[FindingId, Wording] = {
    "number_of_another": Wording(
        "署名是{lender}，留的却是{other}的电话 {value}", "signed as {lender} but gives {value}, the line of {other}"
    ),
    "lookalike_domain": Wording(
        "网址 {value} 像{lender}的，但不是它公布的域名",
        "the address {value} looks like {lender}'s but is not its published domain",
    ),
    "number_matches": Wording(
        "电话 {value} 与{lender}公布的一致（号码可以伪造，不能证明消息是真的）",
        "{value} is {lender}'s published line (numbers can be forged: no proof that the message is genuine)",
    ),
    "domain_matches": Wording(
        "网址 {value} 是{lender}公布的域名（仍请从官方App进入）",
        "{value} is {lender}'s published domain (still, use the official app)",
    ),
}


@dataclass(frozen=True, slots=True)
class Organisation:
    """One row of the registry; empty fields are unknown, never guessed."""

    id: str
    name: str
    aliases: tuple[str, ...]
    kind: str
    hotlines: tuple[str, ...]
    domains: tuple[str, ...]
    complaint: str
    source: str
    second_source: str
    checked: str
    confidence: str

    @property
    def trusted(self) -> bool:
        """Whether public material supports the row; only then may it accuse another or be shown as a hotline."""
        return self.confidence in ("high", "medium")

    def owns(self, number: str) -> bool:
        """Whether a plain number is one of the hotlines; regional 96xxx lines are stored with their area code."""
        own = (plain_number(h) for h in self.hotlines)
        return any(h == number or (number.startswith("96") and h.endswith(number)) for h in own)

    @property
    def hotline(self) -> tuple[str, str] | None:
        """(name, number to call) as the advice may give it: of a lender or platform that can be trusted."""
        known = self.trusted and self.kind not in PUBLIC and self.hotlines
        return (self.name, self.hotlines[0]) if known else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What the registry says of one number or address in a message; offsets into the original text."""

    id: FindingId
    start: int
    end: int
    lender: str
    value: str
    other: str = ""

    def text(self, lang: Lang) -> str:
        """The finding in words."""
        return WORDING[self.id].of(lang).format(lender=self.lender, value=self.value, other=self.other)


@dataclass(frozen=True, slots=True)
class ContactCheck:
    """The organisation a message claims to come from, if any, and what its contacts say of that."""

    claimed: Organisation | None
    findings: tuple[Finding, ...]

    @property
    def contradicts(self) -> bool:
        """Whether a contact is not the signer's."""
        return any(f.id in ("number_of_another", "lookalike_domain") for f in self.findings)


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part for part in (p.strip() for p in cell.split("|")) if part)


def plain_number(number: str) -> str:
    """Digits only."""
    return re.sub(r"\D", "", number)


@cache
def registry() -> tuple[Organisation, ...]:
    """All rows of the registry."""
    if not REGISTRY.exists():
        return ()
    with REGISTRY.open(encoding="utf-8", newline="") as handle:
        return tuple(
            Organisation(
                row["id"],
                row["name"],
                _list(row["aliases"]),
                row["kind"],
                _list(row["hotlines"]),
                _list(row["domains"]),
                row["complaint"],
                row["source"],
                row["second_source"],
                row["checked"],
                row["confidence"],
            )
            for row in csv.DictReader(handle)
        )


class _Index:
    def __init__(self) -> None:
        self.by_alias: dict[str, Organisation] = {}
        self.by_number: dict[str, list[Organisation]] = {}
        for org in registry():
            for alias in (org.name, *org.aliases):
                self.by_alias.setdefault(alias.lower(), org)
            for number in (*org.hotlines, *_list(org.complaint)):
                self.by_number.setdefault(plain_number(number), []).append(org)
        self.by_start: dict[str, list[str]] = {}
        for alias in sorted(self.by_alias, key=len, reverse=True):
            self.by_start.setdefault(alias[:2], []).append(alias)
        self.bits = np.zeros(CODE_POINTS, np.uint8)  # 1 the first character of a name, 2 the second
        self.bits[code_points("".join(start[0] for start in self.by_start))] |= 1
        self.bits[code_points("".join(start[1] for start in self.by_start))] |= 2
        self.starts = np.sort(pairs(*code_points("".join(self.by_start)).reshape(-1, 2).T))

    def places(self, block: Block) -> list[tuple[int, list[int]]]:
        """(row, places where the first two characters of a name stand) of the texts that have any."""
        bits = self.bits[block.points]
        may = np.flatnonzero((bits[:-1] & 1 != 0) & (bits[1:] & 2 != 0))
        keys = pairs(block.points[may], block.points[may + 1])
        may = may[among(keys, self.starts) & (block.rows[may] == block.rows[may + 1])]
        rows = block.rows[may]
        found: list[tuple[int, list[int]]] = []
        last = -1
        for row, place in zip(rows.tolist(), (may - block.first[rows]).tolist(), strict=True):
            if row != last:
                found.append((row, []))
                last = row
            found[-1][1].append(place)
        return found

    def search(self, folded: str, places: Sequence[int], start: int, end: int) -> tuple[int, str] | None:
        """The first name that stands inside ``folded[start:end]``, the longest of those that begin there."""
        for place in places:
            if start <= place < end:
                for alias in self.by_start[folded[place : place + 2]]:
                    if folded.startswith(alias, place, end):
                        return place, alias
        return None


@cache
def _index() -> _Index:
    return _Index()


def claimed_organisation(folded: str, places: Sequence[int]) -> Organisation | None:
    """The organisation that a message claims to come from: its signature, else the name it opens or closes with.

    `places` are those of `_Index.places`, as in the functions below.
    """
    index = _index()
    for signature in _compiled(SIGNATURE).finditer(folded):
        if whole := index.by_alias.get(signature[1].strip()):
            return whole
        if match := index.search(folded, places, *signature.span(1)):
            return index.by_alias[match[1]]
    size = len(folded)
    for start, end in ((0, min(16, size)), (max(0, size - 10), size)):
        if (match := index.search(folded, places, start, end)) and len(match[1]) >= 4:
            return index.by_alias[match[1]]
    return None


def mentioned_organisation(folded: str, places: Sequence[int]) -> Organisation | None:
    """The first lender named anywhere, for the advice only."""
    index = _index()
    at = 0
    while match := index.search(folded, places, at, len(folded)):
        org = index.by_alias[match[1]]
        if org.kind not in NO_LENDERS:
            return org
        at = match[0] + len(match[1])
    return None


def _brand(domain: str) -> str:
    parts = domain.split(".")
    return (
        parts[-3]
        if len(parts) > 2 and parts[-2] in ("com", "net", "org", "gov")
        else parts[-2]
        if len(parts) > 1
        else domain
    )


NO_CONTACTS = ContactCheck(None, ())


def check(message: Message) -> ContactCheck:
    """Hold a message's numbers and addresses against the registry."""
    return check_many([message], Block([message.folded]))[0]


def check_many(messages: Sequence[Message], block: Block) -> list[ContactCheck]:
    """`check` of each message; `block` holds their folded texts. Most name nobody, and are not looked at one by one."""
    found = [NO_CONTACTS] * len(messages)
    for row, places in _index().places(block):
        message = messages[row]
        claimed = claimed_organisation(message.folded, places)
        if claimed is None:
            found[row] = ContactCheck(mentioned_organisation(message.folded, places), ())
        else:
            found[row] = ContactCheck(claimed, _findings(message, claimed))
    return found


def _findings(message: Message, claimed: Organisation) -> tuple[Finding, ...]:
    """What the registry says of the contacts in a message that claims to come from an organisation."""
    folded = message.folded
    findings: list[Finding] = []
    others: list[Finding] = []
    own_number = False
    index = _index()
    for match in _compiled(NUMBER).finditer(folded):
        number = plain_number(match[0])
        owners = index.by_number.get(number, [])
        start, end = message.span(*match.span())
        if claimed.owns(number):
            own_number = True
            findings.append(Finding("number_matches", start, end, claimed.name, match[0]))
        elif owners and all(o.kind not in PUBLIC and o.trusted for o in owners) and claimed.kind not in PUBLIC:
            others.append(Finding("number_of_another", start, end, claimed.name, match[0], owners[0].name))
    if not own_number:
        findings += others
    if "." not in folded and "://" not in folded:
        return tuple(findings)
    brands = {b for d in claimed.domains if len(b := _brand(d)) >= 3}
    for link in url().finditer(folded):
        host_match = _compiled(HOST).match(link[0])
        if host_match is None:
            continue
        host = host_match[1]
        start, end = message.span(link.start() + host_match.start(1), link.start() + host_match.end(1))
        if any(host == d or host.endswith("." + d) for d in claimed.domains):
            findings.append(Finding("domain_matches", start, end, claimed.name, host))
        elif any(b in host for b in brands) or any(h in host for h in map(plain_number, claimed.hotlines) if len(h) >= 5):
            findings.append(Finding("lookalike_domain", start, end, claimed.name, host))
    return tuple(findings)
