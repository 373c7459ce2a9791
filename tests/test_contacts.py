import re

import pytest

from classifier.codepoints import Block
from classifier.contacts import NO_LENDERS, _index, check, check_many, mentioned_organisation, plain_number, registry
from classifier.message import fold
from classifier.sender import sender_kind


def test_the_registry_is_large_unique_and_sourced():
    rows = registry()
    assert len(rows) >= 200
    assert len({r.id for r in rows}) == len(rows)
    names = [a.lower() for r in rows for a in (r.name, *r.aliases)]
    assert len(set(names)) == len(names)
    assert all(len(name) >= 2 for name in names)  # the search goes by the first two characters
    for row in rows:
        assert row.source
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", row.checked)
        assert row.confidence in ("high", "medium", "low")
        assert row.confidence != "high" or row.second_source
        for number in row.hotlines:
            assert re.fullmatch(r"[\d-]{3,15}", number), (row.id, number)
        for domain in row.domains:
            assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain), (row.id, domain)


def test_a_trusted_number_of_two_owners_is_of_one_group():
    owners = {}
    for row in registry():
        for number in row.hotlines:
            if row.trusted:
                owners.setdefault(plain_number(number), []).append(row.id)
    shared = {n: ids for n, ids in owners.items() if len(ids) > 1}
    allowed = ("95511", "95188", "95516")  # Ping An, Ant, UnionPay groups
    for number, ids in shared.items():
        assert number in allowed or len({i.split("_")[0].split("-")[0] for i in ids}) == 1, (number, ids)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("【浙江泰隆商业银行】您的贷款逾期，请致电95588", "number_of_another"),  # the error of the article's side list
        ("【招商银行】您好，详询95555", "number_matches"),
        ("【工商银行】请点 icbc-cn.example 更新", "lookalike_domain"),
        ("【招商银行】请登录 cmbchina.com", "domain_matches"),
    ],
)
def test_findings(text, finding):
    message = fold(text)
    found = check(message).findings
    assert [f.id for f in found] == [finding]
    assert text[found[0].start : found[0].end].lower() == found[0].value
    assert found[0].text("zh")
    assert found[0].text("en")


def test_a_message_without_a_known_signer_has_no_findings():
    assert check(fold("您好，请致电95588，或点 icbc-cn.example")).findings == ()


def test_a_regulators_line_is_nobodys_contradiction():
    assert not check(fold("【招商银行】谨防诈骗，请拨打96110或110")).contradicts


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("95588", "short_code"), ("106912345678", "gateway"), ("12378", "service"), ("400-810-8866", "line_400"),
        ("010-66000000", "landline"), ("13900000000", "mobile"), ("+8613900000000", "mobile"), ("17000000000", "virtual"),
        ("+85260000000", "foreign"), ("0044 20 7000", "foreign"), ("招商银行", "name"),
    ],
)  # fmt: skip
def test_senders(sender, kind):
    assert sender_kind(sender) == kind


def test_names_are_found_as_one_large_expression_would(corpus):
    index = _index()
    aliases = re.compile("|".join(map(re.escape, sorted(index.by_alias, key=len, reverse=True))))
    messages = [fold(t) for t in corpus.text.sample(2000, random_state=3)]
    block = Block([m.folded for m in messages])
    places = dict(index.places(block))
    checks = check_many(messages, block)
    for row, message in enumerate(messages):
        folded, mine = message.folded, places.get(row, [])
        found = index.search(folded, mine, 0, len(folded))
        expected = aliases.search(folded)
        assert (found and found[1]) == (expected and expected[0])
        lenders = (index.by_alias[m[0]] for m in aliases.finditer(folded))
        assert mentioned_organisation(folded, mine) == next((o for o in lenders if o.kind not in NO_LENDERS), None)
        assert checks[row] == check(message)
