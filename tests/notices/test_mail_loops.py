"""RFC 3834 section 2 as a table: which mails a machine may answer, which a person may, and which nobody may."""

from __future__ import annotations

import pytest

from complaints.formats.header_text import Headers
from complaints.notices.mail_loops import Incoming, return_path_of, why_silent

LENA = "lena@studio-hoff.example"
HUMAN = {"From": f"Lena Hoff <{LENA}>", "Subject": "Spam from your network", "Message-ID": "<1@studio-hoff.example>"}

DESKS = ("abuse@isp.example", "abuse@brand.example")


def incoming(
    fields: dict[str, str] | None = None, *, return_path: str | None = LENA, format: str = "freetext"
) -> Incoming:
    text = "\n".join(f"{name}: {value}" for name, value in (HUMAN | (fields or {})).items())
    return Incoming(
        headers=Headers(text.encode()),
        return_path=return_path,
        format=format,
        desks=DESKS,
    )


def test_a_person_who_writes_by_hand_may_be_answered():
    assert why_silent(incoming()) is None
    assert why_silent(incoming({"Auto-Submitted": "no"})) is None
    assert why_silent(incoming({"Auto-Submitted": "no; owner=x"})) is None
    assert why_silent(incoming(return_path="lena+tag@mail.studio-hoff.example")) is None


NEVER = {
    "null sender": incoming(return_path=""),
    "bounce": incoming({"Content-Type": 'multipart/report; report-type=delivery-status; boundary="x"'}),
    "feedback report": incoming({"Content-Type": "multipart/report; report-type=feedback-report; boundary=x"}),
    "feedback report in a wrapping": incoming(format="arf"),
    "microsoft's loop": incoming(format="jmrp"),
    "vacation": incoming({"Auto-Submitted": "auto-replied"}),
    "vacation with a comment": incoming({"Auto-Submitted": "Auto-Replied (vacation)"}),
    "sieve's notice": incoming({"Auto-Submitted": "auto-notified; owner-email=x"}),
    "old vacation": incoming({"Precedence": "auto_reply"}),
    "autoresponder's mark": incoming({"X-Autoreply": "yes"}),
    "exim's bounce": incoming({"X-Failed-Recipients": "a@b.example"}),
    "mailer-daemon as author": incoming({"From": "MAILER-DAEMON@mx.example"}),
    "mailer-daemon": incoming(return_path="Mailer-Daemon@mx.example"),
    "list owner": incoming(return_path="owner-talk@lists.example"),
    "list request": incoming(return_path="talk-request@lists.example"),
    "verp of a list": incoming(return_path="bounce+17=lena@lists.example"),
    "no-reply": incoming({"From": "noreply@studio-hoff.example"}),
    "do-not-reply": incoming({"From": "Do-Not-Reply@studio-hoff.example"}),
    "our own address": incoming({"From": "Abuse <abuse@isp.example>"}),
    "our own address with a tag": incoming({"From": "Abuse <abuse+x@isp.example>"}),
    "our own bounce address": incoming(return_path="bounce+r3-0123456789@isp.example"),
    "our own mail come back": incoming({"Message-ID": "<reporter-3.0123456789abcdef@isp.example>"}),
    "our own notice come back": incoming({"Message-ID": "<case-2026-00012.notify-1.0123456789abcdef@isp.example>"}),
    "our own mail sent on": incoming({"X-Abuse-Case": "2026-00012"}),
    "two authors": incoming({"From": "lena@studio-hoff.example\nFrom: max@studio-hoff.example"}),
    "no author": incoming({"From": ""}),
}


@pytest.mark.parametrize("name", NEVER)
def test_nobody_ever_answers(name):
    assert why_silent(NEVER[name], by_hand=True)
    assert why_silent(NEVER[name])


BY_HAND = {
    "script": incoming({"Auto-Submitted": "auto-generated"}),
    "script of tomorrow": incoming({"Auto-Submitted": "auto-something"}),
    "mailing list": incoming({"List-Id": "<talk.lists.example>"}),
    "list of old": incoming({"Precedence": "list"}),
    "bulk": incoming({"Precedence": "bulk"}),
    "junk": incoming({"Precedence": "Junk"}),
    "exchange": incoming({"X-Auto-Response-Suppress": "DR, OOF, AutoReply"}),
    "answer to our mail": incoming({"In-Reply-To": "<reporter-3.0123456789abcdef@isp.example>"}),
    "thread with our notice": incoming({"References": "<a@b.example> <case-2026-00012.notify-1.01ab@isp.example>"}),
    "subject": incoming({"Subject": "Automatic reply: spam"}),
    "subject of RFC 3834": incoming({"Subject": "Auto: spam"}),
    "uploaded": incoming(return_path=None),
    "sent in another's name": incoming(return_path="victim@somewhere.example"),
    "log watcher": incoming(format="fail2ban"),
    "stream of findings": incoming(format="shadowserver"),
    "thirty-one hops": incoming({"Received": "\n".join(["x"] + ["Received: x"] * 30)}),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_person_may_answer_and_a_machine_may_not(name):
    assert why_silent(BY_HAND[name])
    assert why_silent(BY_HAND[name], by_hand=True) is None


def test_thirty_hops_are_honest():
    assert why_silent(incoming({"Received": "\n".join(["x"] + ["Received: x"] * 29)})) is None


@pytest.mark.parametrize(
    ("envelope", "has_envelope", "header", "found"),
    [
        ("a@b.example", True, "<x@y.example>", "a@b.example"),
        ("", True, "<x@y.example>", ""),
        ("", False, "<x@y.example>", "x@y.example"),
        ("", False, "<>", ""),
        ("", False, "", None),
        ("<>", True, "", ""),
    ],
)
def test_the_return_path_is_the_envelopes_sender_as_far_as_it_is_known(envelope, has_envelope, header, found):
    headers = Headers(f"Return-Path: {header}".encode() if header else b"From: a@b.example")
    assert return_path_of(headers, envelope_from=envelope, has_envelope=has_envelope) == found
