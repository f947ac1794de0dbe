"""What the customer's page says, as data: which step they are at, what happens now, what was found.

Words are in templates/portal/<language>/; here is decided which of them apply. Nothing of the reporters,
of the mail complained about or of the desk's notes passes through this file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from complaints.blacklists import ways_out
from complaints.cases.answers import has_claimed
from complaints.models import Case, CaseEvent, CheckRun, Listing
from complaints.notices.about import ABOUT_ADDRESSES, Ahead, ahead, events, measures, place_of, theme_of, urls
from complaints.notices.compose import called
from complaints.notices.evidence import Blacklists, RelayProof, blacklists, relay_proof
from complaints.notices.letter import one_line
from complaints.notices.moments import Moment, moment
from complaints.playbooks.facts import LOOK_AGAIN, MORE_TIME
from complaints.playbooks.outlook import outlook
from complaints.vocabulary import CaseState, Cause, CustomerStatus, EventKind, Resolution, Verdict

STEPS = ("found", "told", "fixing", "checking", "solved")
SOLVED = frozenset({Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE})
CLEARED = frozenset({Resolution.NOT_ABUSE, Resolution.NOT_OURS})
IN_FLIGHT = frozenset({CheckRun.State.QUEUED, CheckRun.State.RUNNING, CheckRun.State.WAITING})
ANSWERABLE = frozenset({CaseState.NOTIFIED, CaseState.ESCALATED, CaseState.ANSWERED, CaseState.VERIFYING})
MEASURES = {"decided": "measure_decided", "in_force": "measure_in_force", "released": "measure_released"}
SOON = timedelta(minutes=1)  # before the second check: whoever still looks wants to see it happen
STARTING = timedelta(minutes=2)  # after "I have fixed it": until then the order of the check is on its way


class Now(StrEnum):
    """What happens at this moment, from the customer's side."""

    LOOKING = "looking"  # the desk has not written yet
    YOUR_TURN = "your_turn"
    STILL_OPEN = "still_open"
    CHECKING = "checking"
    PROBE_ACCEPTED = "probe_accepted"  # the server took our test mail; does it deliver it?
    SECOND_CHECK = "second_check"
    WATCHING = "watching"  # no test can prove it; a quiet time must
    PERSON = "person"
    ESCALATED = "escalated"
    SOLVED = "solved"
    CLEARED = "cleared"
    CLOSED = "closed"


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """One line of the history; `key` chooses the sentence, `text` is what the customer wrote."""

    at: Moment
    key: str
    text: str = ""
    by_desk: bool = False


def present(case: Case, *, now: datetime, language: str) -> dict[str, Any]:
    proof, lists = relay_proof(case), blacklists(case)
    log, place = list(case.events.order_by("at", "pk")), place_of(case)
    about, seen = theme_of(case.cause, case.category), events(case)
    facts = {
        "case": case,
        "number": case.number,
        "address": case.address_text,
        "cause": case.cause,
        "category": case.category,
        "about": about,
        "place": place.kind,
        "place_name": place.name,
        "events": seen,
        "urls": urls(case) if place.kind == "site" or about in ABOUT_ADDRESSES else [],
        "measures": measures(case, language),
        "ahead": what_follows(case, now=now, language=language),
        "customer_name": one_line(str(case.owner.get("customer_name") or "")),
        "since": moment(case.first_seen_at, language),
        "last_seen": moment(case.last_seen_at, language),
        "proof": proof,
        "proof_at": proof and moment(proof.at, language),
        "lists": lists,
        "lists_at": lists and moment(lists.at, language),
        "ways": ways(case, language),
        "history": history(log, language),
        **deadline(case, now=now, language=language),
        **status(case, now=now, language=language, proof=proof, lists=lists),
    }
    return facts | called(facts, language)


def what_follows(case: Case, *, now: datetime, language: str) -> list[Ahead]:
    """What comes by time alone, before it happens; a case that follows no playbook yet promises nothing."""
    if case.playbook is None or case.state not in (CaseState.NOTIFIED, CaseState.ESCALATED):
        return []
    return ahead(outlook(case, now=now), language)


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """One list that named the line, and how to be removed. asked, gone: when, if it was so."""

    listing: Listing
    asked: Moment | None
    gone: Moment | None


def ways(case: Case, language: str) -> list[Way]:
    """Only after the proven fix: before it, most lists would name the line again at once."""
    found = ways_out(case)
    return [
        Way(
            each,
            asked=moment(each.asked_at, language) if each.asked_at else None,
            gone=moment(each.gone_at, language) if each.gone_at else None,
        )
        for each in (found.listings if found.ready else ())
    ]


def to_ask(case: Case) -> list[Listing]:
    found = ways_out(case)
    return found.to_do if found.ready else []


def status(
    case: Case,
    *,
    now: datetime,
    language: str,
    proof: RelayProof | None = None,
    lists: Blacklists | None = None,
) -> dict[str, Any]:
    """The part that changes while the page is open."""
    runs = list(case.checks.filter(queued_at__gte=case.state_since).order_by("queued_at", "pk"))
    happening = what_happens(case, runs, now=now)
    claimed = case.fixed_claimed_at
    next_look = moment(case.due_at, language) if case.due_at and case.due_at > now else None
    place = place_of(case)
    known = {"place": place.kind, "place_name": place.name, "address": case.address_text}
    return called(known, language) | {
        "now": happening,
        "version": f"{case.state}.{case.stay}.{happening}.{next_look.hour if next_look else ''}",
        "checking": case.state == CaseState.VERIFYING,
        "steps": steps(case),
        "can_answer": case.state in ANSWERABLE,
        "can_claim": case.state in ANSWERABLE and not (case.state == CaseState.VERIFYING and has_claimed(case)),
        "poll_s": poll_seconds(happening, due=case.due_at, now=now),
        "next_look": next_look,
        "claims_fixed": case.customer_status == CustomerStatus.CLAIMS_FIXED,
        **answered_by_machine(case),
        "failed_at": moment(proof.at, language) if proof and failed_after(proof.at, claimed) else None,
        "new_complaints": case.complaints.filter(seen_at__gt=claimed).count() if claimed else 0,
        "listed": [entry.name for entry in lists.listed] if lists else [],
        "closed_at": moment(case.closed_at, language) if case.closed_at else None,
    }


def answered_by_machine(case: Case) -> dict[str, bool]:
    """What a letter answers without a person: once a case, while it is their turn."""
    written = set(case.notices.filter(step__in=(MORE_TIME, LOOK_AGAIN)).values_list("step", flat=True))
    is_their_turn = case.state == CaseState.NOTIFIED
    return {
        "can_ask_time": is_their_turn and MORE_TIME not in written,
        "can_look_again": is_their_turn and LOOK_AGAIN not in written,
    }


def what_happens(case: Case, runs: Sequence[CheckRun], *, now: datetime) -> Now:
    if case.state == CaseState.CLOSED:
        return Now.SOLVED if case.resolution in SOLVED else Now.CLEARED if case.resolution in CLEARED else Now.CLOSED
    if case.state == CaseState.VERIFYING:
        return while_verifying(case, runs, now=now)
    if case.state == CaseState.NOTIFIED:
        return Now.STILL_OPEN if case.fixed_claimed_at else Now.YOUR_TURN
    if case.state == CaseState.ANSWERED or (case.state == CaseState.TRIAGE and was_told(case)):
        return Now.PERSON
    return Now.ESCALATED if case.state == CaseState.ESCALATED else Now.LOOKING


def while_verifying(case: Case, runs: Sequence[CheckRun], *, now: datetime) -> Now:
    if any(run.state == CheckRun.State.WAITING for run in runs):
        return Now.PROBE_ACCEPTED
    if any(run.state in IN_FLIGHT for run in runs):
        return Now.CHECKING
    if any(run.verdict == Verdict.CLEAN and run.check_name == "relay" for run in runs):
        return Now.SECOND_CHECK
    if case.cause != Cause.OPEN_RELAY and now - case.state_since > STARTING:
        return Now.WATCHING
    return Now.CHECKING


def steps(case: Case) -> list[dict[str, str]]:
    """The bar: each step is done, now or to come."""
    current = STEPS.index(step_of(case))
    if case.state == CaseState.CLOSED:
        current = len(STEPS)
    marks = ["done" if index < current else "now" if index == current else "later" for index in range(len(STEPS))]
    return [{"key": key, "mark": mark} for key, mark in zip(STEPS, marks, strict=True)]


def step_of(case: Case) -> str:
    if case.state == CaseState.CLOSED:
        return "solved"
    if case.state == CaseState.VERIFYING or (case.state == CaseState.TRIAGE and was_told(case)):
        return "checking"
    return "fixing" if case.state in ANSWERABLE else "found"


def was_told(case: Case) -> bool:
    return case.customer_status != CustomerStatus.NONE


def failed_after(at: datetime, claimed: datetime | None) -> bool:
    return claimed is not None and at >= claimed


def poll_seconds(happening: Now, *, due: datetime | None, now: datetime) -> int:
    """How often the open page asks again; 0: not at all. `due`: when the case is looked at next."""
    is_soon = happening is Now.SECOND_CHECK and due is not None and due - now < SOON
    if is_soon or happening in (Now.CHECKING, Now.PROBE_ACCEPTED):
        return 2
    return 10 if happening in (Now.SECOND_CHECK, Now.WATCHING, Now.LOOKING) else 0


def deadline(case: Case, *, now: datetime, language: str) -> dict[str, Any]:
    """Only while it is the customer's: in other states the date is the desk's own promise."""
    if case.state != CaseState.NOTIFIED or case.deadline_at is None:
        return {"deadline": None, "deadline_passed": False}
    return {"deadline": moment(case.deadline_at, language), "deadline_passed": case.deadline_at <= now}


def history(log: Sequence[CaseEvent], language: str) -> list[Past]:
    """Youngest first. Kinds that are not named here are the desk's own business."""
    told = []
    for event in log:
        key = sentence_for(event)
        if key:
            by_desk = event.kind == EventKind.CUSTOMER_ANSWERED and event.actor != "customer"
            told.append(Past(moment(event.at, language), key, str(event.data.get("text") or "")[:5000], by_desk))
    return told[::-1]


def sentence_for(event: CaseEvent) -> str | None:
    data = event.data
    if event.kind == EventKind.MOVED:
        if data.get("to") == CaseState.CLOSED:
            return "solved" if data.get("resolution") in SOLVED else "closed"
        return "escalated" if data.get("to") == CaseState.ESCALATED else None
    if event.kind == EventKind.MEASURE:
        return MEASURES.get(str(data.get("state")))
    if event.kind == EventKind.CHECK_DONE:
        return f"{data.get('name')}_{data.get('verdict')}"
    if event.kind == EventKind.CUSTOMER_ANSWERED:
        return f"answer_{data.get('answer')}"
    return {
        EventKind.OPENED: "opened",
        EventKind.NOTICE_SENT: "told",
        EventKind.CUSTOMER_SAW: "seen",
    }.get(EventKind(event.kind))
