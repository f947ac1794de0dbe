"""The hop to believe: from the reporter's side inward, the first that came from outside."""

from __future__ import annotations

import pytest

from complaints.formats.received import organisation, outside_hop, read_hop

PRIVATE = "from filter (filter.mailhaus.example [10.4.0.3]) by store.mailhaus.example with LMTP; 3 Mar 2026 08:59:43"
LOCAL = "by store.mailhaus.example (Postfix, from userid 116) id CF8; Tue, 3 Mar 2026 08:59:43 +0000"
HOUSE = "from mx1.mailhaus.example (mx1.mailhaus.example [203.0.113.7]) by mx2.mailhaus.example with ESMTP id 1"
OUTSIDE = "from mail.brenn.example (mail.brenn.example [192.0.2.25]) by mx1.mailhaus.example (Postfix) with ESMTPS id 2"
FORGED = "from bank.example (bank.example [198.51.100.200]) by mx0.mailhaus.example with ESMTP id 3"


@pytest.mark.parametrize(
    ("line", "address", "helo", "name"),
    [
        (OUTSIDE, "192.0.2.25", "mail.brenn.example", "mail.brenn.example"),
        ("from evil (dsl-7.a.example [192.0.2.7]) by mx.a.example with SMTP", "192.0.2.7", "evil", "dsl-7.a.example"),
        ("from evil (unknown [192.0.2.7]) by mx.a.example with SMTP", "192.0.2.7", "evil", None),
        ("from unknown (HELO evil.example) (192.0.2.7) by mx.a.example", "192.0.2.7", "evil.example", None),
        ("from 127.0.0.1 (HELO evil.example) (192.0.2.7) by mx.a.example", "192.0.2.7", "evil.example", None),
        ("from [192.0.2.7] (port=4711 helo=[198.51.100.9]) by mx.a.example", "192.0.2.7", "198.51.100.9", None),
        ("from dsl-7.a.example ([192.0.2.7]:4711 helo=x) by mx.b.example", "192.0.2.7", "x", "dsl-7.a.example"),
        ("from a.example ([192.0.2.7] helo=x [198.51.100.9]) by mx", "192.0.2.7", "x", "a.example"),
        ("from a.example ([192.0.2.7]:25 helo=x) by y (z [198.51.100.9]) by mx", "192.0.2.7", "x", "a.example"),
        ("from [192.0.2.7] (helo=x (z [198.51.100.9])) by mx.a.example", "192.0.2.7", "x", None),
        ("from AM6.example (2001:db8:6e::34) by AM0.example (2001:db8::33)", "2001:db8:6e::34", "AM6.example", None),
        ("from a.example (a.example [IPv6:2001:db8::7]) by mx.a.example", "2001:db8::7", "a.example", "a.example"),
        ("from a.example (a.example [192.0.2.7] (may be forged)) by b", "192.0.2.7", "a.example", "a.example"),
        ("from 192.0.2.7 by mx.a.example with HTTP", "192.0.2.7", "192.0.2.7", None),
        ("from a.example by mx.a.example with SMTP", None, "a.example", None),
        (LOCAL, None, None, None),
        ("", None, None, None),
    ],
)  # fmt: skip
def test_line_is_read_for_what_the_server_saw_not_for_what_it_was_told(line, address, helo, name):
    hop = read_hop(1, line)

    assert (hop.address, hop.helo, hop.name) == (address, helo, name)


def test_first_hop_from_outside_is_believed():
    assert outside_hop([PRIVATE, LOCAL, HOUSE, OUTSIDE, FORGED]) == read_hop(4, OUTSIDE)


def test_forged_line_below_never_wins():
    stranger = OUTSIDE.replace("192.0.2.25", "198.51.100.66")
    ours_forged = "from mail.brenn.example (mail.brenn.example [192.0.2.25]) by mx0.mailhaus.example with ESMTP id 3"

    hop = outside_hop([stranger, ours_forged], is_ours=lambda address: address.startswith("192.0.2."))

    assert hop is not None
    assert hop.address == "198.51.100.66"


@pytest.mark.parametrize(
    "sender",
    [
        "from mx1.mailhaus.example [198.51.100.66]",
        "from mx1.mailhaus.example (HELO mx1.mailhaus.example) (198.51.100.66)",
        "from mx1.mailhaus.example ([198.51.100.66])",
        "from mx1.mailhaus.example (unknown [198.51.100.66])",
        "from x (mx1.mailhaus.example [198.51.100.66] (may be forged))",
    ],
)
def test_name_that_anybody_may_claim_does_not_make_a_hop_the_reporters_own(sender: str):
    hop = outside_hop([f"{sender} by mx2.mailhaus.example with SMTP id 1", OUTSIDE])

    assert hop is not None
    assert hop.address == "198.51.100.66"


def test_private_address_that_is_ours_is_believed():
    hop = outside_hop([PRIVATE, OUTSIDE], is_ours=lambda address: address == "10.4.0.3")

    assert hop is not None
    assert hop.address == "10.4.0.3"


def test_chain_without_any_outside_address_names_nobody():
    assert outside_hop([PRIVATE, LOCAL]) is None


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("mx.brenn.example", "brenn.example"),
        ("brenn.example", "brenn.example"),
        ("a.b.brenn.co.uk", "brenn.co.uk"),
        ("mx1.brenn.com.au.", "brenn.com.au"),
        ("localhost", ""),
        ("192.0.2.1", ""),
    ],
)
def test_organisation_is_the_registered_part_of_a_name(name: str, owner: str):
    assert organisation(name) == owner
