from __future__ import annotations

import pytest

from complaints.formats import read_message
from complaints.formats.authentication import authenticated_domain, without_comments
from complaints.formats.header_text import Headers

OURS = "mx.brenn.example"


def proven(*fields: str, sender: str = "Ada <ada@reporter.example>", by: str | None = OURS) -> str | None:
    block = "".join(f"{field}\n" for field in fields) + f"From: {sender}"
    return authenticated_domain(Headers(block.encode()), by)


def result(text: str, server: str = OURS) -> str:
    return f"Authentication-Results: {server}; {text}"


@pytest.mark.parametrize(
    "text",
    [
        "dkim=pass header.d=reporter.example",
        "dkim=pass (2048-bit key; unprotected) header.d=Reporter.Example. header.i=@reporter.example header.b=abc",
        "dkim=fail header.d=reporter.example; dkim=pass header.d=reporter.example",
        'dkim = pass reason="good; really" header.i=@reporter.example',
        "spf=pass smtp.mailfrom=bounce@reporter.example smtp.helo=x.example",
        "spf=pass smtp.mailfrom=reporter.example",
        "dmarc=pass (p=reject dis=none) header.from=reporter.example",
        "dkim/1=pass header . d = reporter.example",
        "iprev=pass policy.iprev=192.0.2.1; dkim=none; spf=pass smtp.mailfrom=<a@reporter.example>",
    ],
)
def test_domain_that_passed_and_is_the_authors_is_proven(text: str):
    assert (proven(result(text)) or "").strip("<>") == "reporter.example"


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "dkim=fail header.d=reporter.example",
        "dkim=neutral (dkim=pass header.d=reporter.example)",
        "dkim=pass header.d=evil.example",
        "dkim=pass header.d=notreporter.example",
        "dkim=pass header.d=example",
        "dkim=passed header.d=reporter.example",
        "spf=pass smtp.helo=reporter.example",
        "spf=softfail smtp.mailfrom=a@reporter.example",
        "dmarc=pass header.from=evil.example",
        'dkim=pass header.d="evil.example reporter.example"',
        "dkim=pass",
    ],
)
def test_everything_else_proves_nothing(text: str):
    assert proven(result(text)) is None


def test_only_our_own_server_is_believed():
    text = "dkim=pass header.d=reporter.example"

    assert proven(result(text, "mx.evil.example")) is None
    assert proven(result(text, "mx.brenn.example.evil.example")) is None
    assert proven(result(text, "MX.Brenn.Example 1")) == "reporter.example"
    assert proven(result(text, '(comment) "mx.brenn.example"')) == "reporter.example"
    assert proven(result(text), by=None) is None
    assert proven(result(text), by="") is None


def test_results_below_a_further_received_line_came_with_the_mail():
    forged = result("dkim=pass header.d=reporter.example")
    received = "Received: from a.example by mx.brenn.example; Tue, 3 Mar 2026 12:00:00 +0000"

    assert proven(received, result("dkim=none"), received, forged) is None
    assert proven(received, result("dkim=none"), forged, received) == "reporter.example"


def test_parent_may_sign_for_its_child_and_a_sibling_belongs_to_the_same_house():
    assert proven(result("dkim=pass header.d=reporter.example"), sender="a@mail.reporter.example") == "reporter.example"
    assert (
        proven(result("spf=pass smtp.mailfrom=x@bounces.reporter.example"), sender="a@reports.reporter.example")
        == "bounces.reporter.example"
    )


@pytest.mark.parametrize(
    "sender",
    [
        "a@reporter.example, b@evil.example",
        "Eve <e@evil.example>, Ada <ada@reporter.example>",
        "a@reporter.example\nFrom: e@evil.example",
        "nobody",
        "",
    ],
)
def test_mail_without_exactly_one_author_is_nobodys(sender: str):
    assert proven(result("dkim=pass header.d=reporter.example"), sender=sender) is None


def test_comments_nest_and_stop_in_quotes():
    assert without_comments('a (b (c) \\) d) e "f (g)" h').split() == ["a", "e", '"f', '(g)"', "h"]


def test_message_keeps_the_proven_domain():
    raw = (result("dkim=pass header.d=reporter.example") + "\nFrom: a@reporter.example\n\nx").encode()

    assert read_message(raw, authserv_id=OURS).authenticated == "reporter.example"
    assert read_message(raw).authenticated is None


def test_hostile_field_is_answered_in_time():
    assert proven(result("(" * 50_000 + ";" * 50_000 + "dkim=" * 50_000)) is None
