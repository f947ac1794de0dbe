"""What reporters tell when they are asked, in many phrasings; and what must not be read from an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.notices.told import NOTHING, Asked, Told, told_facts
from tests.services.pace import cpu_within

AT = datetime(2026, 3, 10, 11, 50, 44, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
A, B = "203.0.113.7", "203.0.113.8"
PORT = Asked(A, AT, ("port",))
TIME, ZONE, SECOND = (Asked(A, AT, (what,)) for what in ("time", "zone", "second"))
BOTH = Asked(A, AT, ("port", "time"))


def told(text: str, *asked: Asked) -> Told | list[Told]:
    found = told_facts(text, asked, received_at=NOW)
    return found[0] if len(asked) == 1 else found


@pytest.mark.parametrize(
    "text",
    [
        "51234",
        "Hi, it was 51234, thanks. Lena",
        "Port 51234",
        "The source port was 51234.",
        "source port: 51234",
        "Source-Port = 51234",
        "src_port=51234 dst_port=25",
        "SRC=203.0.113.7 DST=198.51.100.9 PROTO=TCP SPT=51234 DPT=25",
        "sport 51234, dport 2525",
        "the destination port was 25, the source port 51234 (TCP)",
        "Der Quellport war 51234, der Zielport 2525",
        "Quellport: 51234",
        "Le port source était 51234",
        "203.0.113.7:51234",
        "203.0.113.7:51234 -> 198.51.100.9:2525",
        "203[.]0[.]113[.]7:51234",
        "[203.0.113.7]:51234",
        "::ffff:203.0.113.7 port 51234",
        "203.0.113.7 (port 51234)",
        "203.0.113.7  2026-03-10 11:50:44 UTC  port 51234  TCP",
        "203.0.113.7 | 2026-03-10T11:50:44Z | 51234",
        "203.0.113.7;10.03.2026 12:50:44 +0100;51234",
        "Mar 10 11:50:44 mx postfix/smtpd[17]: connect from unknown[203.0.113.7]:51234",
        "Failed password for root from 203.0.113.7 port 51234 ssh2",
        "client @0x7f 203.0.113.7#51234 (x.example): query",
        "Hello,\n\nthe source port was 51234,\nprotocol TCP.\n\nLena Hoff, phone 030 1234567",
        "It is 203.0.113.7, and the\nsource port was 51234",
        "remote port 51234, local port 2525",
        "port 51234, and once more: port 51234",
    ],
)
def test_a_port_in_many_phrasings(text):
    assert told(text, PORT) == Told(port=51234)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "we do not log ports, sorry",
        "Port 25",
        "25",
        "the destination port was 51234",
        "port 51234 or port 51235",
        "203.0.113.7:51234 or 51235\n203.0.113.7:51234",
        "203.0.113.7:51234 at 2026-03-09 08:00:00 UTC",
        "source port 51234, at 2026-03-10 13:50:44 UTC",
        "203.0.113.7\nsource port 51234\n203.0.113.7\nsource port 51235",
        "port 51234 or 51235",
        "source port 51234 or 51235",
        "source ports 51234-51240",
        "203.0.113.7:51234 or 51235",
        "203.0.113.7 51234 pid 4711",
        "source port 0",
        "source port 70000",
        "source port 512345",
        "51234 51235",
        "203.0.113.7 51234 51235",
        "203.0.113.7,51234,198.51.100.9,25",
        "203.0.113.7 51234 198.51.100.9 40000",
        "198.51.100.9:51234",
        "203.0.113.70 port 51234",
        "your port 51234",
        "It was in 2026 on 10 March at 11:50:44 UTC",
        "my phone is 1234 56789",
        "version 203.0.113.7",
    ],
)
def test_a_port_is_never_guessed(text):
    assert told(text, PORT) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-10 11:50:40 UTC",
        "2026-03-10T11:50:40Z",
        "2026-03-10T12:50:40+01:00",
        "it was at 2026-03-10 12:50:40 +0100",
        "Tue, 10 Mar 2026 12:50:40 +0100",
        "10.03.2026 12:50:40 MEZ",
        "10/Mar/2026:12:50:40 +0100",
        "All times are CET.\n\n2026-03-10 12:50:40",
        "203.0.113.7 - - [10/Mar/2026:12:50:40 +0100] GET /",
    ],
)
@pytest.mark.parametrize("asked", [TIME, SECOND, ZONE], ids=["time", "second", "zone"])
def test_a_time_needs_its_zone_and_may_stand_in_many_forms(text, asked):
    assert told(text, asked) == Told(at=datetime(2026, 3, 10, 11, 50, 40, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-10 11:50:40",
        "yesterday at noon UTC",
        "11:50:40 UTC",
        "2026-03-10 11:50:40 IST",
        "2026-03-10 11:50:40 CST",
        "2026-03-10 11:50:40 UTC or 2026-03-10 11:52:40 UTC",
        "2026-03-11 11:50:40 UTC",
        "2025-03-10 11:50:40 UTC",
        "203.0.113.9 2026-03-10 11:50:40 UTC",
    ],
)
def test_a_time_is_never_guessed(text):
    assert told(text, TIME) == NOTHING


@pytest.mark.parametrize(
    ("text", "hours"),
    [("UTC", 0), ("It is CET.", 1), ("+0530", 5.5), ("our server runs on GMT+2", 2), ("UTC-3", -3), ("MESZ", 2),
     ("the zone is +02:00", 2)],
)  # fmt: skip
def test_the_zone_alone_places_the_reported_time(text, hours):
    assert told(text, ZONE) == Told(at=AT - timedelta(hours=hours))


@pytest.mark.parametrize("text", ["", "local time", "CET or CEST", "IST", "met our admin", "it was 10-12 hours"])
def test_a_zone_is_never_guessed(text):
    assert told(text, ZONE) == NOTHING


def test_a_zone_that_nobody_asked_for_changes_nothing():
    assert told("CET, port 51234", PORT) == Told(port=51234)


def test_of_a_log_of_many_connections_the_line_of_the_event_counts():
    log = "".join(f"203.0.113.7:{51000 + n} 2026-03-10T11:{45 + n}:44Z\n" for n in range(9))
    assert told(log, PORT) == Told(port=51005)
    assert told(log, TIME) == NOTHING


def test_port_and_time_together():
    both = Told(51234, datetime(2026, 3, 10, 11, 50, 40, tzinfo=UTC))
    assert told("Source port 51234\nTime: 2026-03-10 12:50:40 +0100", BOTH) == both
    assert told("203.0.113.7 2026-03-10 11:50:40 UTC 51234", BOTH) == both


def test_half_an_answer_is_half_an_answer():
    half = told("source port 51234, the time we do not have", BOTH)
    assert half == Told(port=51234)
    assert not half.answers(BOTH)
    assert half.answers(PORT)


LATER = AT + timedelta(hours=2)


def test_a_table_tells_each_address_its_own():
    text = f"{A}  port 40001\n{B}:40002\n198.51.100.9 port 40003\n"
    assert told(text, PORT, Asked(B, AT, ("port",))) == [Told(40001), Told(40002)]


def test_several_addresses_and_one_port_tell_nothing():
    assert told("the port was 51234", PORT, Asked(B, AT, ("port",))) == [NOTHING, NOTHING]


def test_what_is_told_of_one_address_is_not_taken_for_the_other():
    assert told(f"{A} port 40001", PORT, Asked(B, AT, ("port",))) == [Told(40001), NOTHING]


def test_two_events_of_one_address_are_told_apart_by_their_times():
    text = f"{A} 2026-03-10 11:50:44 UTC port 40001\n{A} 2026-03-10 13:50:44 UTC port 40002\n"
    assert told(text, PORT, Asked(A, LATER, ("port",))) == [Told(40001), Told(40002)]


def test_two_events_of_one_address_without_times_tell_nothing():
    assert told(f"{A} port 40001", PORT, Asked(A, LATER, ("port",))) == [NOTHING, NOTHING]


def test_ipv6():
    asked = Asked("2001:db8::7", AT, ("port",))
    assert told("[2001:db8::7]:51234", asked) == Told(51234)
    assert told("2001:0db8::0007 port 51234", asked) == Told(51234)


@given(st.text(alphabet="0123456789.: portsPSUTC+-,\n[]", max_size=300))
def test_whatever_is_read_could_be_so(text):
    found = told_facts(text, [BOTH], received_at=NOW)[0]
    assert found.port is None or 0 < found.port < 65536
    assert found.at is None or found.at <= NOW + timedelta(minutes=15)


@pytest.mark.parametrize("piece", ["port ", "203.0.113.7 ", "1", "source port is ", "2026-03-10 ", "+01", ": ", "a::"])
def test_hostile_answers_take_no_time(piece):
    with cpu_within(4):
        told_facts(piece * (100_000 // len(piece)), [BOTH], received_at=NOW)
        told_facts((piece * 190 + "\n") * 2000, [BOTH], received_at=NOW)
