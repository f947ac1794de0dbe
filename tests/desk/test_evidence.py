from __future__ import annotations

import hashlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from complaints.desk.shown_mail import Room, show_mail
from complaints.formats.evidence import Evidence, Text
from complaints.models import Message, Reading
from complaints.pipeline import process_messages
from complaints.vocabulary import Answer
from tests.factories import make_case, make_complaint, make_message
from tests.services.pace import cpu_within

EVIL = b"""From: =?utf-8?q?M=C3=BCller?= <a@x.example>
Subject: <script>alert(1)</script>
X-<svg/onload=alert(2)>: <svg onload=alert(2)>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html

<style>@import "http://evil.example/a.css"</style><img src="http://evil.example/x.png" onerror=alert(3)>
<a href="javascript:alert(1)">click</a> &lt;script&gt;alert(4)&lt;/script&gt; </pre><script>alert(5)</script>
--b
Content-Type: text/plain; name="<img src=x onerror=alert(6)>"

{{ secret }} </pre><script>alert(7)</script>
--b
Content-Type: application/zip; name="../../<b onclick=alert(8)>.zip"
Content-Transfer-Encoding: base64

UEsDBA==
--b
Content-Type: message/rfc822

Subject: "><img src=x onerror=alert(9)>
Received: from <script>alert(10)</script> ([192.0.2.7]) by mx.x.example; Tue, 3 Mar 2026 08:59:41 +0000

</article><iframe src="//evil.example"></iframe>
--b--
"""
SAMPLES = Path(__file__).parent.parent / "samples"


class Inventory(HTMLParser):
    """What a browser would find in the part of the page that shows the mail."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.handlers: list[str] = []
        self.marked: list[str] = []
        self.in_mark = False
        self.feed(page[page.index('<main id="main"') : page.index("</main>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.in_mark = tag == "mark"

    def handle_endtag(self, tag: str) -> None:
        self.in_mark = False

    def handle_data(self, data: str) -> None:
        if self.in_mark:
            self.marked.append(" ".join(data.split()))


def test_a_mail_is_shown_as_text_with_nothing_to_load_or_to_follow(ada: Client) -> None:
    message = make_message(EVIL, state="read")
    reason = {
        "source_reason": "Received line 1: from <script>alert(10)</script> [192.0.2.7]",
        "received": ["from <script>alert(10)</script> ([192.0.2.7]) by mx.x.example; Tue, 3 Mar 2026 08:59:41 +0000"],
    }
    make_complaint(message=message, address="192.0.2.7", evidence=reason)

    page = ada.get(f"/message/{message.pk}").content.decode()
    found = Inventory(page)

    ours = "/whose?address=192.0.2.7&at=2026-03-10T12%3A00%3A00%2B00%3A00"
    assert found.links == {f"/message/{message.pk}/raw", ours}
    assert found.handlers == []
    assert found.tags.isdisjoint({"script", "style", "img", "iframe", "svg"})
    assert found.marked == [reason["received"][0]] * 2  # in the complaint, and in the original
    for text in ("Müller", "javascript:alert(1)", "{{ secret }}", "&lt;/article&gt;&lt;iframe"):
        assert text in page


def test_attachments_are_named_measured_and_hashed_and_nothing_opens_them(ada: Client) -> None:
    message = make_message(EVIL, state="read")

    page = ada.get(f"/message/{message.pk}").content.decode()

    digest = hashlib.sha256(b"PK\x03\x04").hexdigest()
    row = f'<td>application/zip</td><td>4\xa0bytes</td><td class="mono">{digest}</td>'
    assert f"<td>&lt;b onclick=alert(8)&gt;.zip</td>{row}" in page


def file_sample(raw: bytes) -> Message:
    message = make_message(raw)
    process_messages([message.pk])
    return message


@pytest.mark.parametrize(
    ("sample", "line", "address"),
    [
        ("source_ip_missing", "from mail.brenn-kunde.example (mail.brenn-kunde.example [192.0.2.25])", "192.0.2.25"),
        ("forged_lower_received_lines", "from dsl-198-51-100-77.lines.example (dsl-198", "198.51.100.77"),
    ],
)
def test_the_line_that_named_the_address_is_marked_in_the_original_and_no_other(
    ada: Client, sample: str, line: str, address: str
) -> None:
    message = file_sample((SAMPLES / "arf" / f"{sample}.eml").read_bytes())

    page = ada.get(f"/message/{message.pk}").content.decode()

    in_complaint, in_original = Inventory(page).marked
    assert in_complaint == in_original
    assert in_original.startswith(line)
    assert page.count(f"this line made it {address}") == 2
    assert '<details id="mail-1-headers" open>' in page
    assert '<details id="mail-headers">' in page


def test_a_line_pasted_into_a_text_is_marked_however_it_is_folded(ada: Client) -> None:
    line = "from a.example ([192.0.2.7]) by mx.x.example; Tue, 3 Mar 2026 08:59:41 +0000"
    text = "Subject: spam from you\n\nReceived: " + line.replace(" by", "\n\tby") + "\nSubject: win\n\nwin"
    evidence = {"source_reason": "Received line 1: from a.example [192.0.2.7]", "received": [line]}
    complaint = make_complaint(message=make_message(text.encode()), address="192.0.2.7", evidence=evidence)

    assert Inventory(ada.get(f"/message/{complaint.message_id}").content.decode()).marked == [line, line]


@pytest.mark.parametrize(
    "evidence",
    [
        {"source_reason": "Source-IP field", "received": ["from a by b"]},
        {"source_reason": "Received line 9: from a [192.0.2.7]", "received": ["from a by b"]},
        {"source_reason": "Received line 0: from a [192.0.2.7]", "received": ["from a by b"]},
        {"source_reason": "Received line 1: from a [192.0.2.7]"},
        {"source_reason": "Received line 1: from a [192.0.2.7]", "received": [""]},
        {},
    ],
)
def test_nothing_is_marked_when_no_line_named_the_address(ada: Client, evidence: dict[str, object]) -> None:
    message = make_message(b"Received: from a by b\n\nhello")
    make_complaint(message=message, evidence=evidence)

    assert "this line made it" not in ada.get(f"/message/{message.pk}").content.decode()


def test_a_mail_in_a_mail_stands_in_a_block_of_its_own(ada: Client) -> None:
    message = file_sample((SAMPLES / "arf" / "source_ip_missing.eml").read_bytes())

    page = ada.get(f"/message/{message.pk}").content.decode()

    assert '<article class="card original" aria-labelledby="mail-1">' in page
    assert "Original mail: Sie haben gewonnen! € 10.000</h3>" in page
    inside = page[page.index('id="mail-1"') :]
    assert "Click here to get your prize: http://lotterie.example/win" in inside
    assert inside.index("Gewinnspiel") < inside.index('id="mail-1-headers"')


def test_a_long_mail_is_cut_with_a_note_and_the_way_to_all_of_it(ada: Client) -> None:
    message = make_message(b"X: y\n" * 300 + b"\n" + b"z" * 50_000)

    page = ada.get(f"/message/{message.pk}").content.decode()

    assert "Header, 200 fields" in page
    assert "Only the first 200 of 300 header fields are shown." in page
    assert "only the first 40000 of 50000 characters are shown" in page
    assert f'<a href="/message/{message.pk}/raw" download>The raw mail</a> has all of it.' in page
    assert "z" * 40_001 not in page


def test_a_mail_full_of_mails_stays_one_page(ada: Client) -> None:
    inner = b"--c\nContent-Type: message/rfc822\n\nSubject: inner\n\n" + b"w" * 30_000 + b"\n"
    outer = b"Content-Type: multipart/mixed; boundary=c\n\n" + inner * 60 + b"--c--\n"
    message = make_message(outer)

    page = ada.get(f"/message/{message.pk}").content.decode()

    assert page.count("w" * 1000) <= 400
    assert "No more than 400,000 characters are shown." in page
    assert len(page) < 450_000


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


def test_looking_for_the_lines_in_hostile_texts_takes_no_time() -> None:
    texts = (Text("text/plain", None, "Received: " + "a " * 19_000, 38_010),) * 10
    lines = {"a " * 490 + str(number): "192.0.2.7" for number in range(100)}

    with cpu_within(1):
        show_mail(Evidence(texts=texts), lines, Room())


def test_what_else_a_structured_report_says_is_shown_line_by_line(ada: Client) -> None:
    extra = {"xarf3": {"Protocol": "tcp", "tags": ["a", "b"]}, "note": "<b>x</b>" + "y" * 500, "empty": None}
    complaint = make_complaint(make_case(), evidence={"extra": extra, "authenticated": "provider.example"})
    page = ada.get(f"/message/{complaint.message_id}").content.decode()

    assert "xarf3.Protocol: tcp" in page
    assert page.count("xarf3.tags: ") == 2
    assert "note: &lt;b&gt;x&lt;/b&gt;yyy" in page
    assert "y" * 300 not in page
    assert "empty" not in page
    assert "provider.example" in page


def test_what_a_mail_without_complaints_is_stands_there_in_words(ada: Client) -> None:
    message = make_message()
    Reading.objects.filter(pk=message.pk).update(state="read", disposition="probe")
    page = ada.get(f"/message/{message.pk}").content.decode()
    assert "it is the test mail of our own relay check, come back." in page
