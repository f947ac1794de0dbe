from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from complaints.models import Reading
from complaints.vocabulary import Answer
from tests.factories import make_case, make_complaint, make_message

EVIL = b"""From: =?utf-8?q?M=C3=BCller?= <a@x.example>
Subject: <script>alert(1)</script>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html

<img src="http://evil.example/x.png"><a href="javascript:alert(1)">click</a>
--b
Content-Type: application/zip; name="<b>.zip"
Content-Transfer-Encoding: base64

UEsDBA==
--b--
"""


def test_a_mail_is_shown_as_text_with_nothing_to_load_or_to_follow(ada: Client) -> None:
    message = make_message(EVIL, state="read")

    page = ada.get(f"/message/{message.pk}").content.decode()

    assert "&lt;img src=&quot;http://evil.example/x.png&quot;&gt;" in page
    assert "Müller" in page
    assert "“&lt;b&gt;.zip”" in page
    assert "4 bytes, not shown" in page
    assert 'evil.example/x.png">' not in page
    assert 'href="javascript' not in page
    assert "<script>alert" not in page


def test_the_raw_mail_is_a_download_that_no_browser_interprets(ada: Client) -> None:
    message = make_message(EVIL)

    response = ada.get(f"/message/{message.pk}/raw")

    assert response.content == EVIL
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="message-{message.pk}.eml.txt"'
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\xff" * 400,
        b"",
        b"Subject: x\nContent-Type: multipart/mixed; boundary=never\n\nbody",
        b"Content-Type: text/plain; charset=nonsense\n\n\xff\xfe",
        b"X: y\n" * 20_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000)),
    ],
    ids=["binary", "empty", "no such boundary", "unknown charset", "many fields", "nested deep"],
)
def test_a_broken_mail_is_still_shown(ada: Client, raw: bytes) -> None:
    message = make_message(raw, state="unread")
    Reading.objects.filter(message=message).update(problem="no format knew it")

    response = ada.get(f"/message/{message.pk}")

    assert response.status_code == 200
    assert "no format knew it" in response.content.decode()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer.NOT_OURS, "Not ours"),
        (Answer.NOBODY, "Ours, but nobody had it then"),
        (Answer.UNSURE, "Unsure"),
    ],
)
def test_the_answers_to_whose_it_was_are_different_words(ada: Client, answer: Answer, words: str) -> None:
    complaint = make_complaint(answer=answer, attribution={"reason": "Because of that", "candidates": ["C-1", "C-2"]})

    page = ada.get(f"/message/{complaint.message_id}").content.decode()

    assert f">{words}</span>" in page
    assert "Because of that" in page
    assert ">C-1</span>" in page
    assert "In no case." in page


def test_a_complaint_names_its_owner_its_case_and_what_was_read(ada: Client) -> None:
    case = make_case()
    evidence = {"source_reason": "Source-IP of the report", "received": ["from a by b"]}
    complaint = make_complaint(case, reporter="fbl@x.example", evidence=evidence)

    page = ada.get(f"/message/{complaint.message_id}").content.decode()

    assert "Customer K-1" in page
    assert f'href="/case/{case.pk}">{case.number}</a>' in page
    assert "Source-IP of the report" in page
    assert "not authenticated" in page


def test_a_mail_with_hundreds_of_complaints_stays_one_page_and_few_queries(
    ada: Client, sql_of: Callable[[Callable[[], object]], list[str]]
) -> None:
    message, case = make_message(state="read"), make_case()
    for port in range(1, 120):
        make_complaint(case, message=message, port=port)

    assert len(sql_of(lambda: ada.get(f"/message/{message.pk}"))) <= 8
    assert "Only the first 100 complaints are shown." in ada.get(f"/message/{message.pk}").content.decode()
