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
FOR_STRANGER = f"{FROM_OUTSIDE} for <victim@mailhaus.example>; 3 Mar 2026"
FOR_OWN_USER = f"{FROM_OUTSIDE} for <info@brenn.example>; 3 Mar 2026"
FROM_INSIDE = "from pc7 (pc7.brenn.example [10.1.1.7]) by mail.brenn.example (Postfix) with ESMTP id 2"
FROM_OWN_HOST = "from web.brenn.example (web.brenn.example [192.0.2.26]) by mail.brenn.example with ESMTP id 2"
LOGGED_IN = "from evil (unknown [198.51.100.7]) by mail.brenn.example (Postfix) with ESMTPSA id 2"
LOGGED_IN_EXIM = "from [198.51.100.7] (helo=evil) by mail.brenn.example with esmtpa (Exim 4.96) id 2"
LOGGED_IN_SENDMAIL = "from evil (unknown [198.51.100.7]) (authenticated bits=0) by mail.brenn.example with ESMTP"
LOGGED_IN_ELSEWHERE = "from evil (unknown [198.51.100.7]) by mail.other.example (Postfix) with ESMTPSA id 2"
LOGGED_IN_INSIDE = "from pc7 (pc7.brenn.example [10.1.1.7]) by mail.brenn.example (Postfix) with ESMTPSA id 2"
LOCAL = "by mail.brenn.example (Postfix, from userid 33) id 2; Tue, 3 Mar 2026 08:59:30 +0000"
LOCAL_ROOT = "by mail.brenn.example (Postfix, from userid 0) id 2; Tue, 3 Mar 2026 08:59:30 +0000"
EXIM_LOCAL = "from www-data by mail.brenn.example with local (Exim 4.96) id 2; Tue, 3 Mar 2026 08:59:30 +0000"
ELSEWHERE = "from mx.evil.example (unknown [198.51.100.9]) by mx.mailhaus.example with ESMTP id 1; 3 Mar 2026"
NAMES_US = "from mail (unknown [192.0.2.25]) by relay3.evil.example with ESMTP id 2; 3 Mar 2026"


def diagnose(*received: str, **fields):
    return diagnose_complaint(ParsedComplaint(source_ip=SOURCE, received=received, **fields))


@pytest.mark.parametrize(
    ("received", "cause", "confidence"),
    [
        ([SERVER, FROM_OUTSIDE], Cause.OPEN_RELAY, 0.62),
        ([SERVER, FOR_STRANGER], Cause.OPEN_RELAY, 0.75),
        ([SERVER, FOR_OWN_USER], Cause.FORWARDED, 0.75),
        ([SERVER, FROM_OUTSIDE_ODD], Cause.OPEN_RELAY, 0.4),
        ([SERVER, LOGGED_IN], Cause.STOLEN_MAILBOX, 0.62),
        ([SERVER, LOGGED_IN_EXIM], Cause.STOLEN_MAILBOX, 0.62),
        ([SERVER, LOGGED_IN_SENDMAIL], Cause.STOLEN_MAILBOX, 0.62),
        ([SERVER, LOCAL], Cause.WEB_SCRIPT, 0.61),
        ([SERVER, EXIM_LOCAL], Cause.WEB_SCRIPT, 0.61),
        ([HOME_LINE], Cause.BOT, 0.75),  # a home line, and a name that is not its own
        ([BOTH], Cause.BOT, 0.75),
        ([SHORT_HELO], Cause.BOT, 0.51),
        ([OTHERS_ADDRESS], Cause.BOT, 0.51),
        ([ELSEWHERE, NAMES_US], Cause.FORGED, 0.67),  # whoever wrote the lower line could name anybody
        ([FROM_OUTSIDE], Cause.FORGED, 0.5),  # the accused address is nowhere
        ([SERVER], Cause.UNKNOWN, 0.0),
        ([SERVER, FROM_INSIDE], Cause.UNKNOWN, 0.0),
        ([SERVER, FROM_OWN_HOST], Cause.UNKNOWN, 0.0),
        ([SERVER, LOCAL_ROOT], Cause.UNKNOWN, 0.0),
        ([SERVER, LOGGED_IN_ELSEWHERE], Cause.UNKNOWN, 0.0),  # a line that the accused server did not write
        ([SERVER, LOGGED_IN_INSIDE], Cause.UNKNOWN, 0.0),  # the customer's own machine: nothing stolen in that
        ([], Cause.UNKNOWN, 0.0),
    ],
)
def test_way_of_the_mail_suggests_a_cause(received: list[str], cause: Cause, confidence: float):
    diagnosis = diagnose(*received)

    assert (diagnosis.cause, diagnosis.confidence) == (cause, confidence)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"traces": ("x-php-originating-script: 33:wp-mailer.php",)}, Cause.WEB_SCRIPT),
        ({"traces": ("x-source-args: /usr/sbin/proxyexec -q -d /home/shop/public_html",)}, Cause.WEB_SCRIPT),
        ({"traces": ("list-unsubscribe: <https://news.brenn.example/u>", "dkim: brenn.example")}, Cause.BULK_MAIL),
        ({"traces": ("precedence: bulk", "from: news@brenn.example")}, Cause.BULK_MAIL),
        ({"traces": ("precedence: first-class",)}, Cause.UNKNOWN),
        ({"original_subject": "BC_192.0.2.25"}, Cause.OPEN_RELAY),
        ({"original_subject": "BC_192.0.2.26"}, Cause.UNKNOWN),  # somebody else's address
        (
            {"original_subject": "Super webscan open relay check succeded, hostname = 192.0.2.25"},
            Cause.OPEN_RELAY,
        ),
        ({"original_mail_from": "SRS0=x7=bank.example=win@brenn.example"}, Cause.UNKNOWN),  # no relaying to explain
    ],
)
def test_what_stands_in_the_mail_suggests_a_cause(fields: dict[str, object], cause: Cause):
    assert diagnose(SERVER, **fields).cause is cause


@pytest.mark.parametrize(
    "fields",
    [
        {"traces": ("delivered-to: info@brenn.example",)},
        {"original_mail_from": "SRS0=x7=bank.example=win@brenn.example"},
    ],
)
def test_what_came_in_for_an_own_user_and_left_again_was_forwarded(fields: dict[str, object]):
    assert diagnose(SERVER, FROM_OUTSIDE, **fields).cause is Cause.FORWARDED


def test_the_reporters_own_delivery_field_is_no_forwarding():
    assert diagnose(SERVER, FROM_OUTSIDE, traces=("delivered-to: anna@mailhaus.example",)).cause is Cause.OPEN_RELAY


def test_envelope_sender_made_for_each_recipient_suggests_bulk_mail():
    diagnosis = diagnose(SERVER, original_mail_from="bounce-17-anna=mailhaus.example@news.other.example")

    assert (diagnosis.cause, diagnosis.confidence) == (Cause.BULK_MAIL, 0.41)


def test_ordinary_envelope_sender_suggests_nothing():
    assert diagnose(SERVER, original_mail_from="win@lotterie.example").cause is Cause.UNKNOWN


def test_lines_above_the_accused_address_are_the_reporters_own():
    inside = "from mx.mailhaus.example (mx.mailhaus.example [203.0.113.7]) by store.mailhaus.example with ESMTP id 0"

    assert diagnose(inside, SERVER, FROM_OUTSIDE).reasons == (
        "Received line 3: the mail came to mail.brenn.example from outside (bank.example [198.51.100.7]) "
        "and left again",
    )


def test_doubt_about_a_line_is_said():
    assert diagnose(SERVER, FROM_OUTSIDE_ODD).reasons == (
        "Received line 2: the mail came to mail.other.example from outside (bank.example [198.51.100.7]) and left "
        "again; the name in that line is not the one the server gave itself: the line may be forged",
    )


@pytest.mark.parametrize(
    ("category", "cause"),
    [
        (Category.SCAN, Cause.ATTACK),
        (Category.LOGIN_ATTACK, Cause.ATTACK),
        (Category.BOT, Cause.BOT),
        (Category.COPYRIGHT, Cause.COPYRIGHT),
        (Category.VULNERABLE, Cause.VULNERABLE_SERVICE),
        (Category.NOT_SPAM, Cause.UNKNOWN),
        (Category.OPT_OUT, Cause.UNKNOWN),
        (Category.AUTH_FAILURE, Cause.UNKNOWN),
    ],
)
def test_what_is_not_about_sent_mail_is_told_by_what_the_reporter_saw(category: Category, cause: Cause):
    assert diagnose(SERVER, FROM_OUTSIDE, category=category).cause is cause


@pytest.mark.parametrize("category", [Category.PHISHING, Category.MALWARE, Category.FRAUD])
def test_a_page_is_harmful_content_and_a_phishing_mail_has_the_cause_of_its_way(category: Category):
    page = diagnose(category=category, reported_uris=("http://192.0.2.25/login",))
    assert page.cause is Cause.HARMFUL_CONTENT
    assert diagnose(SERVER, LOGGED_IN, category=category).cause is Cause.STOLEN_MAILBOX


def test_unknown_cause_has_a_reason_too():
    assert diagnose().reasons == ("no Received line shows the accused address handing the mail over",)
