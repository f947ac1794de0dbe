"""What the reporters write is read back by the product as the truth it was written from."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from complaints.demo.reporters import REPORTERS, complaint_mail
from complaints.demo.spam import spam_from
from complaints.demo.strays import STRAYS, Occasion
from complaints.demo.world import LEASE, SHARED_ADDRESS, UNASSIGNED, build_world
from complaints.diagnosis import diagnose_complaint
from complaints.formats.reading import read_message
from complaints.vocabulary import Category, Cause, Disposition, ParsedComplaint, ParsedMessage

BORN = datetime(2026, 3, 10, 12, tzinfo=UTC)
AT = datetime(2026, 3, 10, 12, 5, 7, tzinfo=UTC)
WORLD = build_world(born_at=BORN)
DESK = "abuse@isp.example"
ARF = [reporter for reporter in REPORTERS if reporter.style == "arf"]


def is_ours(address: str) -> bool:
    return address.startswith(("127.77.", "2001:db8:77:"))


def read(mail: bytes) -> ParsedMessage:
    return read_message(mail, is_ours=is_ours, probe_domain="probe.isp.example")


def holder_in(complaint: ParsedComplaint, *, at: datetime | None = None) -> str | None:
    """Who held the named address at the named time (or `at`), by the truth of the world."""
    assert complaint.source_ip is not None
    assert complaint.arrival_date is not None
    return WORLD.holder(complaint.source_ip, at or complaint.arrival_date, complaint.source_port)


def spam(contract: str, *, seed: int = 1):
    return spam_from(WORLD.host_of(contract), random.Random(seed), seen_at=AT, number=1000 + seed)


@pytest.mark.parametrize("reporter", REPORTERS, ids=lambda reporter: reporter.domain)
@pytest.mark.parametrize("contract", ["C-2001", "C-2041", "C-2031"])
@pytest.mark.parametrize("seed", range(8))
def test_complaint_says_address_time_and_category(reporter, contract, seed):
    original = spam(contract, seed=seed)

    message = read(complaint_mail(reporter, original, written_at=AT, to=DESK))

    assert message.disposition is Disposition.COMPLAINT
    assert message.problem is None
    [found] = message.complaints
    assert (found.source_ip, found.arrival_date, found.category) == (original.address, AT, Category.SPAM)
    assert found.reporter == reporter.address


@pytest.mark.parametrize("reporter", ARF, ids=lambda reporter: reporter.domain)
def test_port_of_a_shared_line_is_said_by_those_who_know_why(reporter):
    original = spam("C-2051")

    [found] = read(complaint_mail(reporter, original, written_at=AT, to=DESK)).complaints

    assert found.source_port == (original.port if reporter.names_port else None)


@pytest.mark.parametrize("reporter", [r for r in REPORTERS if r.style != "words"], ids=lambda r: r.domain)
@pytest.mark.parametrize(
    ("contract", "cause"),
    [("C-2001", Cause.OPEN_RELAY), ("C-2003", Cause.OPEN_RELAY), ("C-2041", Cause.BOT), ("C-2051", Cause.BOT)],
)
def test_original_has_the_shape_of_its_cause(reporter, contract, cause):
    [found] = read(complaint_mail(reporter, spam(contract), written_at=AT, to=DESK)).complaints

    diagnosis = diagnose_complaint(found)

    assert (diagnosis.cause, diagnosis.confidence >= 0.6) == (cause, True)


def test_reporters_of_one_run_name_the_same_original():
    mails = [complaint_mail(reporter, spam("C-2001"), written_at=AT, to=DESK) for reporter in ARF]

    assert len({read(mail).complaints[0].original_message_id for mail in mails}) == 1
    assert len(set(mails)) == len(ARF)


def test_repeated_sending_is_the_same_mail():
    first, second = (complaint_mail(REPORTERS[0], spam("C-2001"), written_at=AT, to=DESK) for _ in range(2))
    assert first == second


def stray(kind: str):
    return STRAYS[kind](Occasion(WORLD, random.Random(3), AT, 77, DESK))


DISPOSITIONS = {
    "not_ours": Disposition.COMPLAINT,
    "nobody": Disposition.COMPLAINT,
    "port_missing": Disposition.COMPLAINT,
    "port_forgotten": Disposition.COMPLAINT,
    "former_holder": Disposition.COMPLAINT,
    "ended_ipv6": Disposition.COMPLAINT,
    "login_attack": Disposition.COMPLAINT,
    "auto_reply": Disposition.AUTO_REPLY,
    "bounce": Disposition.BOUNCE,
    "broken": Disposition.UNREADABLE,
    "question": Disposition.OTHER,
    "own_format": Disposition.UNREADABLE,
    "seller": Disposition.COMPLAINT,
}


@pytest.mark.parametrize("kind", sorted(STRAYS))
def test_stray_mail_is_what_it_is(kind):
    assert read(stray(kind).mail).disposition is DISPOSITIONS[kind]


def test_foreign_address_is_outside_our_networks():
    [found] = read(stray("not_ours").mail).complaints
    assert (found.source_ip or "").startswith("198.51.100.")


@pytest.mark.parametrize(
    ("kind", "address"), [("nobody", UNASSIGNED), ("port_missing", SHARED_ADDRESS), ("port_forgotten", SHARED_ADDRESS)]
)
def test_complaint_that_names_no_holder(kind, address):
    [found] = read(stray(kind).mail).complaints

    assert (found.source_ip, found.source_port) == (address, None)
    assert holder_in(found) is None


def test_old_abuse_is_of_the_former_holder():
    [found] = read(stray("former_holder").mail).complaints

    assert holder_in(found) != holder_in(found, at=AT)
    assert holder_in(found) is not None


def test_ended_ipv6_lease_had_a_holder_before():
    [found] = read(stray("ended_ipv6").mail).complaints

    assert holder_in(found) is None
    assert holder_in(found, at=BORN - 2 * LEASE) is not None


def test_log_in_attack_is_its_own_category_on_the_line_of_a_bot():
    [found] = read(stray("login_attack").mail).complaints

    assert found.category is Category.LOGIN_ATTACK
    assert holder_in(found) == "C-2041"
