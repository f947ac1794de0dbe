from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from complaints.desk import lists
from complaints.models import Reading
from tests.factories import NOON, make_case, make_complaint, make_message

SqlOf = Callable[[Callable[[], object]], list[str]]


def shown(client: Client, url: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="row-(\d+)"', client.get(url).content.decode())]


def make_unread(number: int) -> int:
    message = make_message(b"Subject: %d\n\n" % number, state="unread", envelope_from="angry@x.example")
    Reading.objects.filter(message=message).update(subject=f"<b>{number}</b>", problem="no address is named")
    return message.pk


def test_unread_mail_is_listed_with_its_problem_the_newest_first(ada: Client) -> None:
    first, second = make_unread(1), make_unread(2)
    make_message(b"read", state="read")

    page = ada.get("/unread").content.decode()

    assert shown(ada, "/unread") == [second, first]
    assert "No address is named" in page
    assert f"{NOON:%-d %b %Y, %H:%M} UTC</time>" in page
    assert re.search(r"\d+ (h|d) ago</span>", page)
    assert "angry@x.example" in page
    assert "&lt;b&gt;1&lt;/b&gt;" in page


@pytest.mark.parametrize("url", ["/unread", "/unattributed"])
def test_an_empty_list_says_so(ada: Client, url: str) -> None:
    assert '<div class="empty">' in ada.get(url).content.decode()


@pytest.mark.parametrize(("url", "make"), [("/unread", make_unread), ("/unattributed", lambda n: make_complaint().pk)])
def test_pages_continue_where_the_last_one_ended(ada: Client, url: str, make: Callable[[int], int]) -> None:
    expected = [make(number) for number in range(lists.PAGE + 2)][::-1]

    page = ada.get(url).content.decode()
    behind = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")  # type: ignore[index]

    assert shown(ada, url) + shown(ada, url + behind) == expected


@pytest.mark.parametrize("url", ["/unread", "/unattributed", "/unread?below=9", "/unattributed?answer=unsure&below=9"])
def test_no_list_counts_a_table_or_skips_rows(ada: Client, sql_of: SqlOf, url: str) -> None:
    make_unread(1)
    make_complaint()

    statements = sql_of(lambda: ada.get(url))

    assert len(statements) <= 5
    assert not any("COUNT(" in statement or "OFFSET" in statement for statement in statements)


@pytest.mark.parametrize("below", ["x", "-1", "1e9", "٣", "9" * 40])
def test_a_place_that_was_never_given_out_begins_at_the_top(ada: Client, below: str) -> None:
    assert ada.get("/unread", {"below": below}).status_code == 200


def test_unattributed_complaints_are_told_apart_by_their_answer(ada: Client) -> None:
    ids = {answer: make_complaint(answer=answer).pk for answer in ("nobody", "not-ours", "unsure")}
    make_complaint(make_case())

    assert shown(ada, "/unattributed") == [ids["unsure"], ids["not-ours"], ids["nobody"]]
    for answer, pk in ids.items():
        assert shown(ada, f"/unattributed?answer={answer}") == [pk]
