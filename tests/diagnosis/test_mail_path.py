"""The shapes of a mail's way, by table: what each says of the cause, how surely, and why."""

from __future__ import annotations

import pytest

from complaints.diagnosis import diagnose_complaint
from complaints.vocabulary import Category, Cause, ParsedComplaint

SOURCE = "192.0.2.25"
SERVER = "from mail.brenn.example (mail.brenn.example [192.0.2.25]) by mx.mailhaus.example with ESMTP id 1; 3 Mar 2026"
HOME_LINE = "from mail.brenn.example (dyn-192-0-2-25.lines.example [192.0.2.25]) by mx.mailhaus.example with SMTP id 1"
SHORT_HELO = "from user-pc (unknown [192.0.2.25]) by mx.mailhaus.example with SMTP id 1"
BOTH = "from user-pc (dyn-192-0-2-25.lines.example [192.0.2.25]) by mx.mailhaus.example with SMTP id 1"
OTHERS_ADDRESS = "from [198.51.100.1] (unknown [192.0.2.25]) by mx.mailhaus.example with SMTP id 1"
FROM_OUTSIDE = "from bank.example (bank.example [198.51.100.7]) by mail.brenn.example (Postfix) with SMTP id 2"
FROM_OUTSIDE_ODD = "from bank.example (bank.example [198.51.100.7]) by mail.other.example (Postfix) with SMTP id 2"
FROM_INSIDE = "from pc7 (pc7.brenn.example [10.1.1.7]) by mail.brenn.example (Postfix) with ESMTP id 2"
FROM_OWN_HOST = "from web.brenn.example (web.brenn.example [192.0.2.26]) by mail.brenn.example with ESMTP id 2"
LOGGED_IN = "from evil (unknown [198.51.100.7]) by mail.brenn.example (Postfix) with ESMTPSA id 2"
LOGGED_IN_EXIM = "from [198.51.100.7] (helo=evil) by mail.brenn.example with esmtpa (Exim 4.96) id 2"
LOGGED_IN_SENDMAIL = "from evil (unknown [198.51.100.7]) (authenticated bits=0) by mail.brenn.example with ESMTP"
LOGGED_IN_ELSEWHERE = "from evil (unknown [198.51.100.7]) by mail.other.example (Postfix) with ESMTPSA id 2"
LOCAL = "by mail.brenn.example (Postfix, from userid 33) id 2; Tue, 3 Mar 2026 08:59:30 +0000"


def diagnose(*received: str, **fields):
    return diagnose_complaint(ParsedComplaint(source_ip=SOURCE, received=received, **fields))


@pytest.mark.parametrize(
    ("received", "cause", "confidence"),
    [
        ([SERVER, FROM_OUTSIDE], Cause.OPEN_RELAY, 0.6),
        ([SERVER, FROM_OUTSIDE_ODD], Cause.OPEN_RELAY, 0.4),
        ([SERVER, LOGGED_IN], Cause.STOLEN_MAILBOX, 0.6),
        ([SERVER, LOGGED_IN_EXIM], Cause.STOLEN_MAILBOX, 0.6),
        ([SERVER, LOGGED_IN_SENDMAIL], Cause.STOLEN_MAILBOX, 0.6),
        ([HOME_LINE], Cause.BOT, 0.6),  # a home line, and a name that is not its own
        ([BOTH], Cause.BOT, 0.6),
        ([SHORT_HELO], Cause.BOT, 0.5),
        ([OTHERS_ADDRESS], Cause.BOT, 0.5),
        ([SERVER], Cause.UNKNOWN, 0.0),
        ([SERVER, FROM_INSIDE], Cause.UNKNOWN, 0.0),
        ([SERVER, FROM_OWN_HOST], Cause.UNKNOWN, 0.0),
        ([SERVER, LOCAL], Cause.UNKNOWN, 0.0),
        ([SERVER, LOGGED_IN_ELSEWHERE], Cause.UNKNOWN, 0.0),  # a line that the accused server did not write
        ([FROM_OUTSIDE], Cause.UNKNOWN, 0.0),  # the accused address is nowhere
        ([], Cause.UNKNOWN, 0.0),
    ],
)
def test_way_of_the_mail_suggests_a_cause(received: list[str], cause: Cause, confidence: float):
    diagnosis = diagnose(*received)

    assert (diagnosis.cause, diagnosis.confidence) == (cause, confidence)


def test_envelope_sender_made_for_each_recipient_suggests_bulk_mail():
    diagnosis = diagnose(SERVER, original_mail_from="bounce-17-anna=mailhaus.example@news.brenn.example")

    assert (diagnosis.cause, diagnosis.confidence) == (Cause.BULK_MAIL, 0.4)


def test_ordinary_envelope_sender_suggests_nothing():
    assert diagnose(SERVER, original_mail_from="win@lotterie.example").cause is Cause.UNKNOWN


def test_lines_above_the_accused_address_are_the_reporters_own():
    inside = "from mx.mailhaus.example (mx.mailhaus.example [203.0.113.7]) by store.mailhaus.example with ESMTP id 0"

    assert diagnose(inside, SERVER, FROM_OUTSIDE) == diagnose_complaint(
        ParsedComplaint(source_ip=SOURCE, received=(inside, SERVER, FROM_OUTSIDE))
    )
    assert diagnose(inside, SERVER, FROM_OUTSIDE).reasons == (
        "Received line 3: the mail came to mail.brenn.example from outside (bank.example [198.51.100.7])",
        "and left again",
    )


def test_doubt_about_a_line_is_said():
    assert diagnose(SERVER, FROM_OUTSIDE_ODD).reasons[-1] == (
        "the name in that line is not the one the server gave itself: the line may be forged"
    )


@pytest.mark.parametrize("category", [Category.SCAN, Category.COPYRIGHT, Category.NOT_SPAM, Category.OPT_OUT])
def test_complaint_that_is_not_about_sent_mail_gets_no_cause(category: Category):
    assert diagnose(SERVER, FROM_OUTSIDE, category=category).cause is Cause.UNKNOWN


def test_unknown_cause_has_a_reason_too():
    assert diagnose().reasons == ("no Received line shows the accused address handing the mail over",)
