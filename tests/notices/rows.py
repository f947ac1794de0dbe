"""Rows that a letter or a page tells of: check runs as the checks write them, and complaints with secrets in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from complaints.models import Case, CheckRun, Complaint, PortalLink, ProbeArrival, Reporter
from complaints.notices.compose import queue_notice
from complaints.notices.links import make_link, token_of
from complaints.vocabulary import Category, Cause, Verdict
from tests.factories import NOON, make_case, make_contact, make_contract, make_message

REPORTER, TRAP = "victim@reporter.example", "trap-7@spamtrap.example"
TOKEN, BACK = "probe-k7q2abcdefghijklmn-abcdefgh23456734", "probe-k7q2abcdefghijklmn-zzzzzzzz77777722"
SAID = [
    ("<", "220 mail.brenn.example ESMTP Postfix"),
    (">", "EHLO relaycheck.isp.example"),
    ("<", "250 mail.brenn.example"),
    (">", f"MAIL FROM:<{BACK}@bounce.probe.example>"),
    ("<", "250 2.1.0 Ok"),
    (">", f"RCPT TO:<{TOKEN}@probe.example>"),
    ("<", "554 5.7.1 Relay access denied"),
    (">", "RSET"),
    ("<", "250 2.0.0 Ok"),
    (">", "MAIL FROM:<relaycheck@mail.brenn.example>"),
    ("<", "250 2.1.0 Ok"),
    (">", f"RCPT TO:<{TOKEN}@PROBE.example>"),
    ("<", f"250 2.1.5 <{TOKEN}@PROBE.example> ok, cc anna.privat@brenn.example"),
    (">", "DATA"),
    ("<", "354 End data with <CR><LF>.<CR><LF>"),
    (">", "(probe message, 1184 bytes)"),
    ("<", "250 2.0.0 Ok: queued as 4Xy1z"),
    (">", "QUIT"),
]
FORMS = [
    {"form": "plain", "recipient": f"<{TOKEN}@probe.example>", "accepted": False, "code": 554, "stage": "rcpt"},
    {"form": "sender-own-host", "recipient": f"<{TOKEN}@PROBE.example>", "accepted": True, "code": 250, "stage": "end"},
]
LISTS = [
    {"list": "Example SBL", "zone": "sbl.example", "status": "listed", "codes": ["127.0.0.2"], "txt": TRAP,
     "meaning": "sends spam", "cause": "spam-source", "delisting": "https://sbl.example/remove", "how": "after repair"},
    {"list": "Example PBL", "zone": "pbl.example", "status": "policy", "codes": ["127.0.0.10"], "meaning": "dynamic"},
    {"list": "Quiet list", "zone": "quiet.example", "status": "not-listed", "codes": []},
    {"list": "Deaf list", "zone": "deaf.example", "status": "unknown", "reason": "no answer within 3 s"},
]  # fmt: skip


def queued(case: Case, step: str = "notify", *, occurrence: int = 1, now: datetime = NOON, **extra: Any) -> Any:
    notice = queue_notice(case, step, occurrence=occurrence, now=now, extra=extra)
    assert notice is not None
    return notice


def make_link_and_token(case: Case, *, now: datetime = NOON) -> tuple[PortalLink, str]:
    link = make_link(case, now=now)
    token = token_of(link)
    assert token is not None
    return link, token


def make_relay_case(*, cause: Cause = Cause.OPEN_RELAY, now: datetime = NOON, **columns: Any) -> Case:
    """Open since a week, 57 complaints, written to m.brenn@brenn.example, to be fixed in a day."""
    contract = make_contract("C-10442", email="")
    contract.customer.name = "Atelier Brenn SARL"
    contract.customer.save()
    if not contract.contacts.exists():
        make_contact(contract, email="m.brenn@brenn.example", name="Marie Brenn")
    week: dict[str, Any] = {"first_seen_at": now - timedelta(days=7), "last_seen_at": now - timedelta(hours=2)}
    counts: dict[str, Any] = {"complaint_count": 57, "reporter_count": 41, "deadline_at": now + timedelta(hours=23)}
    return make_case(contract, cause=cause, address="192.0.2.25", opened_at=now, **(week | counts | columns))


def make_run(
    case: Case, check: str = "relay", *, verdict: Verdict | str, at: datetime = NOON, **columns: Any
) -> CheckRun:
    details = {"transcript": said(), "forms": FORMS} if check == "relay" else {"lists": LISTS}
    filled: dict[str, Any] = {"state": CheckRun.State.DONE, "finished_at": at, "details": details, "queued_at": at}
    occasion = f"test-{case.checks.count()}"
    return CheckRun.objects.create(
        case=case, check_name=check, address=case.address, occasion=occasion, verdict=verdict, **(filled | columns)
    )


def make_proof(case: Case, *, at: datetime = NOON, peer: str = "192.0.2.25", form: str = "sender-own-host") -> CheckRun:
    run = make_run(case, verdict=Verdict.BAD, at=at)
    message = make_message(f"Subject: probe {run.pk}\r\n\r\n".encode(), state="read")
    ProbeArrival.objects.create(run=run, form=form, message=message, peer=peer, arrived_at=at)
    return run


def make_complaint(case: Case, *, seen_at: datetime = NOON) -> Complaint:
    """With everything in it that the customer must never learn."""
    raw = f"From: {REPORTER}\r\nSubject: cheap pills\r\n\r\n{TRAP} {seen_at}\r\n".encode()
    reporter, _ = Reporter.objects.get_or_create(address=REPORTER, defaults={"first_seen_at": NOON})
    return Complaint.objects.create(
        message=make_message(raw, state="read"),
        address=case.address,
        seen_at=seen_at,
        received_at=seen_at,
        category=Category.SPAM,
        format="arf",
        subject="cheap pills",
        evidence={"original_rcpt_to": [TRAP], "reporter": REPORTER},
        reporter=reporter,
        answer="owner",
        contract=case.contract,
        case=case,
    )


def said() -> list[dict[str, Any]]:
    return [{"t": index / 10, "dir": direction, "text": text} for index, (direction, text) in enumerate(SAID)]
