from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.desk.filters import fields_of, flags_of, rewritten
from complaints.desk.query import FIELDS, WORDS, Query, QueryError, Term, parse


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("watches", Query((), ("watches",))),
        ("state:triage", Query((Term("state", ("triage",)),))),
        ("STATE:Triage", Query((Term("state", ("triage",)),))),
        ("state:triage,answered", Query((Term("state", ("triage", "answered")),))),
        ("-cause:bot", Query((Term("cause", ("bot",), True),))),
        ("cause:open_relay", Query((Term("cause", ("relay",)),))),
        ("cause:open-relay", Query((Term("cause", ("relay",)),))),
        ("cause:stolen", Query((Term("cause", ("mailbox",)),))),
        ("address:192.0.2.7/24", Query((Term("address", ("192.0.2.0/24",)),))),
        ('customer:"Acme GmbH"', Query((Term("customer", ("Acme GmbH",)),))),
        ("priority:40-69", Query((Term("priority", ("40-69",)),))),
        ("2001:db8::1", Query((), ("2001:db8::1",))),
        ("dead:beef::/32", Query((), ("dead:beef::/32",))),
        ("https://shop.example/x", Query((), ("https://shop.example/x",))),
        ('"cheap watches" x', Query((), ("cheap watches", "x"))),
        ("is:late is:late", Query((Term("is", ("late",)),))),
    ],
)
def test_a_text_is_read_as(text: str, query: Query) -> None:
    assert parse(text) == query
    assert parse(str(query)) == query


@pytest.mark.parametrize(
    ("text", "what", "wrong", "allowed"),
    [
        ("a caus:relay", "“caus:” is nothing one can search by", "caus:", "cause"),
        ("state:triage cause:rely", "cause: “rely” is no cause", "rely", "relay"),
        ("older:2", "older: “2” is no length of time", "2", "2d"),
        ("address:300.1.1.1", "address: “300.1.1.1” is no address and no network", "300.1.1.1", "192.0.2.7"),
        ("priority:69-40", "priority: “69-40” is no priority", "69-40", "40-69"),
        ("customer: x", "customer: nothing stands behind the colon", "", "a name, or a number"),
        ("case:x", "case: “x” is no case number", "x", "2026-00012"),
    ],
)
def test_an_error_says_what_where_and_what_is_allowed(text: str, what: str, wrong: str, allowed: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert caught.value.what == what
    assert text[caught.value.start : caught.value.end] == wrong
    assert allowed in caught.value.allowed


WORD = st.text("abcXYZ09.:@\"-,/ '\\é", min_size=1, max_size=12)
TERM = st.one_of(
    st.sampled_from(sorted(WORDS)).flatmap(
        lambda name: st.sampled_from(sorted(WORDS[name])).map(f"{name}:{{}}".format)
    ),
    st.sampled_from(["address:192.0.2.0/24", "older:3w", "priority:70", 'customer:"a b"', "-is:late"]),
)


@given(st.lists(st.one_of(WORD, TERM), max_size=6))
def test_what_is_written_back_reads_as_the_same(pieces: list[str]) -> None:
    try:
        query = parse(" ".join(pieces))
    except QueryError:
        return
    assert parse(str(query)) == query


@given(st.text(max_size=500))
def test_no_text_is_worse_than_an_error(text: str) -> None:
    try:
        wrong = str(parse(text))[:0]
    except QueryError as exc:
        wrong = text[exc.start : exc.end]
    assert wrong in text


def test_form_fields_show_the_query_and_write_it_back() -> None:
    query = parse("state:triage cause:relay is:late watches")
    shown = {field.name: field.value for field in fields_of(query)}

    assert {name: value for name, value in shown.items() if value} == {"state": "triage", "cause": "relay"}
    assert [name for name, _, is_on in flags_of(query) if is_on] == ["late"]
    assert rewritten(query, shown, ["late"]) == query
    assert str(rewritten(query, shown | {"cause": "bot"}, ["late"])) == "state:triage cause:bot is:late watches"
    assert str(rewritten(query, shown | {"state": ""}, [])) == "cause:relay watches"
    assert str(rewritten(query, shown | {"customer": "Acme GmbH"}, ["late", "mine"])) == (
        'state:triage cause:relay is:late customer:"Acme GmbH" is:mine watches'
    )


def test_what_a_form_cannot_show_it_does_not_take_away() -> None:
    query = parse("state:triage,answered -cause:bot older:5d")
    shown = {field.name: field.value for field in fields_of(query)}

    assert (shown["state"], shown["cause"], shown["older"]) == ("", "", "5d")
    assert rewritten(query, shown, []) == query


def test_a_field_refuses_what_the_language_refuses() -> None:
    with pytest.raises(QueryError, match="no address"):
        rewritten(Query(), {"address": "nowhere"}, [])


def test_every_field_has_a_reader() -> None:
    from complaints.desk.narrowings import READERS

    assert set(READERS) == {*FIELDS, "text"}
