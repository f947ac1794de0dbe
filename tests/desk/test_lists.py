from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from complaints.desk import lists
from complaints.models import Complaint, Reading
from complaints.pipeline import process_messages
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

    assert len(statements) <= 6
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


ARF = (Path(__file__).parent.parent / "samples" / "arf" / "source_ip_missing.eml").read_bytes()


def make_parked(raw: bytes = ARF) -> int:
    message = make_message(raw, state="unread")
    Reading.objects.filter(message=message).update(problem="KeyError (arf.py, line 7)", claim="dead", claimed_at=NOON)
    return message.pk


def states() -> dict[int, str]:
    return dict(Reading.objects.values_list("pk", "state"))


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_one_unread_message_is_read_again_and_the_others_wait(ada: Client) -> None:
    one, other = make_parked(), make_unread(2)

    response = ada.post(f"/message/{one}/again")

    assert (response["Location"], told(response)) == ("/unread", ["1 message is being read again."])
    assert states() == {one: "waiting", other: "unread"}
    process_messages([one])
    assert states() == {one: "read", other: "unread"}
    assert Complaint.objects.filter(message=one).count() == 1


def test_all_unread_messages_are_read_again_and_no_other(ada: Client) -> None:
    parked = [make_unread(number) for number in range(3)]
    read = make_message(b"read", state="read").pk

    response = ada.post("/unread/again")

    assert (response["Location"], told(response)) == ("/unread", ["3 messages are being read again."])
    assert states() == dict.fromkeys(parked, "waiting") | {read: "read"}


@pytest.mark.parametrize(("make", "alarms"), [(make_parked, 1), (lambda: None, 0)], ids=["one", "none"])
def test_the_workers_are_woken_after_the_commit_when_there_is_something_to_read(
    ada: Client, django_capture_on_commit_callbacks: Any, make: Callable[[], object], alarms: int
) -> None:
    make()

    with django_capture_on_commit_callbacks() as calls:
        ada.post("/unread/again")

    assert len(calls) == alarms


@pytest.mark.parametrize("url", ["/unread/again", "/message/{}/again"])
def test_reading_again_twice_makes_nothing_twice(ada: Client, url: str) -> None:
    parked = make_parked()

    for _ in range(2):
        response = ada.post(url.format(parked))
        process_messages([parked])

    assert told(response)[-1] == "Nothing was unread, so nothing is read again."
    assert Complaint.objects.count() == 1


def test_a_message_that_was_read_is_not_read_again(ada: Client) -> None:
    read = make_message(state="read").pk

    response = ada.post(f"/message/{read}/again")

    assert told(response) == ["Nothing was unread, so nothing is read again."]
    assert states() == {read: "read"}


def test_a_message_that_does_not_exist_is_not_found(ada: Client) -> None:
    assert ada.post("/message/4711/again").status_code == 404


@pytest.mark.parametrize("url", ["/unread/again", "/message/{}/again"])
def test_no_link_no_stranger_and_no_other_site_makes_anything_be_read_again(
    ada: Client, client: Client, url: str
) -> None:
    parked = make_parked()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = ada.cookies

    assert ada.get(url.format(parked)).status_code == 405
    assert client.post(url.format(parked))["Location"].startswith("/login?")
    assert strict.post(url.format(parked)).status_code == 403
    assert states() == {parked: "unread"}


def test_reading_all_again_says_how_many_before_it_is_done(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Read all again" not in ada.get("/unread").content.decode()
    make_unread(1)
    assert ">Read 1 message again</button>" in ada.get("/unread").content.decode()
    make_unread(2)
    assert ">Read 2 messages again</button>" in ada.get("/unread").content.decode()
    monkeypatch.setattr(lists, "MOST_COUNTED", 1)
    assert ">Read more than 1 messages again</button>" in ada.get("/unread").content.decode()


def test_the_page_of_an_unread_message_offers_to_read_it_again_and_no_other_does(ada: Client) -> None:
    unread, read = make_unread(1), make_message(state="read").pk

    assert f'action="/message/{unread}/again"' in ada.get(f"/message/{unread}").content.decode()
    assert "/again" not in ada.get(f"/message/{read}").content.decode()
