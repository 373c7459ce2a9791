"""Contacts: the registry of lenders' and authorities' names, hotlines and domains, and the check of a message against it.

A matching number never proves that a message is genuine, since numbers can be forged; another's number under a
lender's signature, or a domain that only looks like the lender's, is evidence against it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from classifier.features import URL
from classifier.labels import Lang, Wording
from classifier.message import Message

REGISTRY = Path(__file__).with_name("resources") / "contacts.csv"
NUMBER = re.compile(
    r"(?<![\d.,*x-])(?:\(?0\d{2,3}\)?[- ]?\d{7,8}|[48]00[- ]?\d{3,4}[- ]?\d{3,4}|9[56]\d{3,6}|1[012]\d{3,4})(?![\d*x.,])"
)
SIGNATURE = re.compile(r"[【\[(〔]([^】\])〕\n]{2,24})[】\])〕]")
HOST = re.compile(r"(?:https?://)?([a-z0-9*.-]+\.[a-z]{2,8})")

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
        longest = sorted(self.by_alias, key=len, reverse=True)
        self.aliases = re.compile("|".join(map(re.escape, longest)) or "(?!)")


@cache
def _index() -> _Index:
    return _Index()


PUBLIC = {"regulator", "police", "court", "authority", "carrier"}


def claimed_organisation(folded: str) -> Organisation | None:
    """The organisation that a message claims to come from: its signature, else the name it opens or closes with."""
    index = _index()
    for signature in SIGNATURE.finditer(folded):
        if whole := index.by_alias.get(signature[1].strip()):
            return whole
        if match := index.aliases.search(signature[1]):
            return index.by_alias[match[0]]
    for part in (folded[:16], folded[-10:]):
        if (match := index.aliases.search(part)) and len(match[0]) >= 4:
            return index.by_alias[match[0]]
    return None


def mentioned_organisation(folded: str) -> Organisation | None:
    """The first lender or platform named anywhere, for the advice only."""
    index = _index()
    for match in index.aliases.finditer(folded):
        org = index.by_alias[match[0]]
        if org.kind not in PUBLIC:
            return org
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


def check(message: Message) -> ContactCheck:
    """Hold a message's numbers and addresses against the registry."""
    folded = message.folded
    claimed = claimed_organisation(folded)
    if claimed is None:
        return ContactCheck(mentioned_organisation(folded), ())
    findings: list[Finding] = []
    others: list[Finding] = []
    own_number = False
    index = _index()
    for match in NUMBER.finditer(folded):
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
    brands = {b for d in claimed.domains if len(b := _brand(d)) >= 3}
    for link in URL.finditer(folded):
        host_match = HOST.match(link[0])
        if host_match is None:
            continue
        host = host_match[1]
        start, end = message.span(link.start() + host_match.start(1), link.start() + host_match.end(1))
        if any(host == d or host.endswith("." + d) for d in claimed.domains):
            findings.append(Finding("domain_matches", start, end, claimed.name, host))
        elif any(b in host for b in brands) or any(h in host for h in map(plain_number, claimed.hotlines) if len(h) >= 5):
            findings.append(Finding("lookalike_domain", start, end, claimed.name, host))
    return ContactCheck(claimed, tuple(findings))
