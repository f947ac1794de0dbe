"""Who had logged in at the relay: in the line that the relay itself wrote, and in no other."""

from __future__ import annotations

import pytest

from complaints.formats import read_message
from complaints.formats.accounts import Account, accounts_in_received, logins, read_account
from tests.services.pace import cpu_within

RELAY = "192.0.2.25"
TAKEN = f"from relay.isp.example (relay.isp.example [{RELAY}]) by mx.mailhaus.example (Postfix) with ESMTPS id 1"
CLIENT = "from [10.1.1.1] (line7.isp.example [203.0.113.7])"
ANNA = f"{CLIENT} (Authenticated sender: anna@isp.example) by relay.isp.example (Postfix) with ESMTPSA id 2"
FORGED = ANNA.replace("anna@", "victim@")
PASSED_ON = "from {} (x.isp.example [{}]) by relay.isp.example (Postfix) with ESMTP id 3"
FILTER = PASSED_ON.format("localhost", "127.0.0.1")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (ANNA, ["anna@isp.example"]),
        (f"{CLIENT} (using TLSv1.3 with cipher X (256/256 bits)) (No client certificate requested)"
         " (Authenticated sender: anna) by relay.isp.example (Postfix) with ESMTPSA id 2", ["anna"]),
        ("from line7.isp.example ([203.0.113.7]:5122 helo=[10.1.1.1]) by relay.isp.example with esmtpsa (TLS1.3) tls X"
         " (Exim 4.96) (envelope-from <anna@isp.example>) (authenticated_id=anna@isp.example) id 1a-2b",
         ["anna@isp.example"]),
        ("from line7.isp.example ([203.0.113.7] helo=pc) by relay.isp.example with esmtpa (Exim 4.96) (authenticated as"
         " anna) (envelope-from <a@b.example>) id 1a-2b", ["anna"]),
        ("from line7.isp.example ([203.0.113.7]:5122 helo=pc) by relay.isp.example with esmtpsa (Exim 4.96)"
         " (envelope-from <anna@isp.example>) id 1a-2b", []),  # an envelope sender is no login
        (f"{CLIENT} (authenticated bits=0) by relay.isp.example (8.17.1/8.17.1) with ESMTPSA id 4", []),
        (f"{CLIENT} (user=anna mech=PLAIN bits=0) by relay.isp.example (8.17.1/8.17.1) with ESMTPSA id 4", ["anna"]),
        (f"{CLIENT} (authenticated bits=0 user=anna@isp.example) by relay.isp.example with ESMTP id 4",
         ["anna@isp.example"]),
        ("from pc (line7.isp.example [::ffff:203.0.113.7]) (AUTH: LOGIN anna@isp.example, TLS: TLSv1.3)"
         " by relay.isp.example with ESMTPSA id 5", ["anna@isp.example"]),
        ("from [203.0.113.7] (account anna@isp.example HELO [10.1.1.1]) by relay.isp.example (CommuniGate Pro SMTP 6.2)"
         " with ESMTPSA id 6", ["anna@isp.example"]),
        ("from pc (line7.isp.example [203.0.113.7]) by relay.isp.example (OpenSMTPD) with ESMTPSA id 7"
         " (TLSv1.3:X:256:NO) auth=yes user=anna for <b@mailhaus.example>", ["anna"]),
        ("from unknown (HELO pc) (anna@isp.example@203.0.113.7) by 0 with ESMTPA; 3 Mar 2026 12:00:00 -0000", []),
        ("from pc (anna@isp.example@203.0.113.7) by relay.isp.example with ESMTPSA; 3 Mar 2026 12:00:00 -0000",
         ["anna@isp.example"]),
        ("from EX1.isp.example (10.1.1.1) by EX2.isp.example (10.1.1.2) with Microsoft SMTP Server (version=TLS1_2) id"
         " 15.1.2507.6 via Mailbox Transport", []),
        ("from [203.0.113.7] ([203.0.113.7]) by relay.isp.example with ESMTPSA id 8 (envelope-from <anna@isp.example>)",
         []),  # Dovecot's submission service names nobody
        # What the sender may write into an honest line.
        ("from line7.isp.example ([203.0.113.7] helo=pc) by relay.isp.example with esmtpsa (Exim 4.96)"
         ' (envelope-from <"(authenticated_id=victim)"@x.example>) id 1a-2b', []),
        ("from line7.isp.example ([203.0.113.7] helo=pc) by relay.isp.example with esmtpsa (Exim 4.96)"
         ' (envelope-from <"x> (authenticated as victim) <y"@x.example>) (authenticated as anna) id 1a-2b', []),
        ("from line7.isp.example ([203.0.113.7] helo=(authenticated_id=victim)) by relay.isp.example with esmtpsa"
         " (Exim 4.96) (authenticated as anna) id 1a-2b", ["anna"]),
        (ANNA.replace("ESMTPSA", "ESMTPS"), []),  # nobody had logged in, so this is the sender's own text
        (ANNA.replace("anna@isp.example", "an na"), []),
    ],
)  # fmt: skip
def test_line_names_who_had_logged_in(line: str, names: list[str]):
    assert logins(line) == names


@pytest.mark.parametrize(
    ("lines", "accounts"),
    [
        ([TAKEN, ANNA], ("anna@isp.example",)),
        ([PASSED_ON.format("x", "10.9.9.9"), TAKEN, ANNA, FORGED], ("anna@isp.example",)),
        ([TAKEN, FILTER, ANNA], ("anna@isp.example via 127.0.0.1",)),
        ([TAKEN, PASSED_ON.format("x", "10.0.0.5"), ANNA], ("anna@isp.example via 10.0.0.5",)),
        ([TAKEN, PASSED_ON.format("x", "10.0.0.5"), FILTER, PASSED_ON.format("x", "2001:db8::5"), ANNA],
         ("anna@isp.example via 10.0.0.5 via 127.0.0.1 via 2001:db8::5",)),
        # A line of a customer, by whom the mail came in without a log-in: what stands below it is his own.
        ([TAKEN, PASSED_ON.format("x", "203.0.113.7"), FORGED], ("victim@isp.example via 203.0.113.7",)),
        ([TAKEN, "by relay.isp.example (Postfix, from userid 33) id 4", FORGED], ()),
        ([TAKEN], ()),
        ([ANNA, TAKEN], ()),  # below the line that names the relay stands nothing
        ([FORGED], ()),
        ([ANNA, TAKEN, FORGED], ()),  # the reporter took his own lines away: the relay's is the first
        ([TAKEN.replace(RELAY, "192.0.2.26"), ANNA], ()),
        ([TAKEN, ANNA.replace("by relay", "(auth=LOGIN:bruno) by relay")], ()),  # two names: neither
        ([TAKEN, *[PASSED_ON.format("x", f"10.0.0.{n}") for n in range(1, 7)], ANNA], ()),
        ([], ()),
    ],
)  # fmt: skip
def test_account_is_read_where_the_relay_wrote_it(lines: list[str], accounts: tuple[str, ...]):
    assert accounts_in_received(lines, RELAY) == accounts


def test_relay_is_known_by_ipv6_in_any_spelling():
    taken = TAKEN.replace(f"[{RELAY}]", "[IPv6:2001:0DB8:0:0::25]")

    assert accounts_in_received([taken, ANNA], "2001:db8::25") == ("anna@isp.example",)


REPORT = f"""From: fbl@mailhaus.example
Subject: report
Date: Tue, 3 Mar 2026 12:30:00 +0000
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

An abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Source-IP: {RELAY}

--b
Content-Type: message/rfc822

Received: {TAKEN}; Tue, 3 Mar 2026 12:00:00 +0000
Received: {ANNA};
 Tue, 3 Mar 2026 12:00:00 +0000
X-Customer-Id: =?utf-8?q?47=31=31?=
Subject: win

text
--b--
"""


@pytest.mark.parametrize("raw", [REPORT, REPORT.replace("Subject: report", "Subject: report\njunk")])
def test_accounts_of_a_report_are_those_of_the_relay_and_of_the_headers_that_are_asked_for(raw: str):
    (complaint,) = read_message(raw.encode(), account_headers=("x-customer-id", "x-other")).complaints

    assert complaint.accounts == ("anna@isp.example", "4711 in x-customer-id")
    assert read_message(raw.encode()).complaints[0].accounts == ("anna@isp.example",)


def test_header_that_stands_there_twice_says_both():
    raw = REPORT.replace("Subject: win", "X-Customer-Id: 4712\nX-Customer-Id: 4711\nX-Customer-Id: \nSubject: win")
    (complaint,) = read_message(raw.encode(), account_headers=("x-customer-id",)).complaints

    assert complaint.accounts[1:] == ("4711 in x-customer-id", "4712 in x-customer-id")


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("anna", Account("anna")),
        ("anna via 10.0.0.5 via ::1", Account("anna", ("10.0.0.5", "::1"))),
        ("relay: anna in x-auth", Account("relay: anna", header="x-auth")),
        ("a in b in x-auth", Account("a in b", header="x-auth")),
    ],
)
def test_account_says_what_it_rests_on(text: str, account: Account):
    assert read_account(text) == account


@pytest.mark.parametrize("piece", ["(authenticated ", '"', "<", "(user=a ", "(auth=", "from a (a@", "auth=yes user=("])
def test_hostile_line_is_read_in_time(piece: str):
    line = (piece * 2000)[:1900] + " with ESMTPSA"

    with cpu_within(1):
        accounts_in_received([TAKEN, *[line] * 100], RELAY)
