"""What of the checks a customer may see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.models import Case
from complaints.notices.evidence import Blacklists, blacklists, other_host, relay_proof, shown_line, transcript_extract
from complaints.vocabulary import Verdict
from tests.factories import NOON
from tests.notices.rows import BACK, FORMS, TOKEN, make_proof, make_relay_case, make_run, said

DETAILS = {"transcript": said(), "forms": FORMS}


def seen(case: Case) -> Blacklists:
    found = blacklists(case)
    assert found is not None
    return found


def test_the_extract_begins_at_the_mail_from_of_the_form_that_worked():
    lines = transcript_extract(DETAILS, "sender-own-host")
    assert lines[0] == "> MAIL FROM:<relaycheck@mail.brenn.example>"
    assert lines[-1] == "250 2.0.0 Ok: queued as 4Xy1z"
    assert len(lines) == 8


def test_the_extract_of_an_unknown_form_begins_at_the_first_mail_from():
    assert transcript_extract(DETAILS, None)[0].startswith("> MAIL FROM:<probe-k7q2…@bounce")


def test_an_empty_transcript_gives_no_lines():
    assert transcript_extract({}, "plain") == ()


@pytest.mark.parametrize(
    ("direction", "text", "shown"),
    [
        (">", f"RCPT TO:<{TOKEN}@probe.example>", "> RCPT TO:<probe-k7q2…@probe.example>"),
        (">", f"RCPT TO:<{TOKEN.upper()}%probe.example@h>", "> RCPT TO:<PROBE-K7Q2…%probe.example@h>"),
        (">", f"RCPT TO:<probe.example!{TOKEN}@h>", "> RCPT TO:<probe.example!probe-k7q2…@h>"),
        ("<", f"250 <{BACK}@bounce.probe.example> sender ok", "250 <probe-k7q2…@bounce.probe.example> sender ok"),
        ("<", "250 anna@firm.example will be told", "250 …@firm.example will be told"),
        ("<", "550 <relaycheck@firm.example> no", "550 <relaycheck@firm.example> no"),
        ("<", "250 a\n\n## Heading", "250 a ## Heading"),
    ],
)
def test_tokens_are_shortened_and_mailboxes_hidden(direction, text, shown):
    assert shown_line(direction, text) == shown


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        ("192.0.2.25", ""),
        ("192.0.2.25:41000", ""),
        ("198.51.100.9:25", "198.51.100.9"),
        ("[2001:db8::1]:25", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_the_delivering_host_is_named_when_it_is_another_one(peer, found):
    assert other_host(peer, "192.0.2.25") == found


@pytest.mark.django_db
def test_only_a_run_with_verdict_bad_is_a_proof():
    case = make_relay_case()
    make_run(case, verdict=Verdict.CLEAN)
    make_run(case, verdict=Verdict.UNKNOWN)
    assert relay_proof(case) is None
    make_proof(case)
    proof = relay_proof(case)
    assert proof is not None
    assert proof.forms == ("sender-own-host",)


@pytest.mark.django_db
def test_the_newest_look_at_the_blacklists_counts():
    case = make_relay_case()
    assert blacklists(case) is None
    make_run(case, "dnsbl", verdict=Verdict.BAD)
    assert [each.name for each in seen(case).listed] == ["Example SBL"]
    assert seen(case).silent == ("Deaf list",)
    gone = {"lists": [{"list": "Example SBL", "status": "not-listed"}]}
    make_run(case, "dnsbl", verdict=Verdict.CLEAN, at=NOON + timedelta(hours=1), details=gone)
    assert seen(case).listed == ()


@pytest.mark.django_db
def test_a_removal_link_that_is_no_web_address_is_not_offered():
    case = make_relay_case()
    make_run(
        case,
        "dnsbl",
        verdict="bad",
        details={"lists": [{"list": "L", "status": "listed", "delisting": "javascript:x"}]},
    )
    assert seen(case).listed[0].delisting == ""
