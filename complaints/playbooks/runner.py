"""Advance a case by its playbook: look the facts up, ask the pure schedule what is due, do it, and set the alarm."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from functools import lru_cache
from types import ModuleType
from typing import Any

from django.utils import timezone

from complaints.cases.assessment import assess
from complaints.cases.corrections import is_in_question
from complaints.cases.protection import contract_kind
from complaints.cases.transitions import StaleCase
from complaints.checking import addresses_of, queue_check
from complaints.models import Case, CheckRun, Intervention, Notice, PlaybookVersion
from complaints.notices.forwarding import forward_complaints
from complaints.notices.taking_back import was_taken_back
from complaints.playbooks.actions import load_actions
from complaints.playbooks.choosing import choose, fits
from complaints.playbooks.documents import Step, parse_steps
from complaints.playbooks.facts import facts_of, this_turn
from complaints.playbooks.loading import active_playbooks, begin_with_shipped
from complaints.playbooks.schedule import due_steps, next_due_at
from complaints.registry import by_name
from complaints.vocabulary import CaseState
from complaints.waiting import has_fallen_behind

MOST_STEPS = 20  # in one go; a playbook that runs in circles stops here and goes on at the next sweep
# All that is done while it is in question whether this was the contract's line, or while the letter is taken back.
HARMLESS = ("check", "move")
LOOKED_AGAIN = timedelta(minutes=10)
WAITING_MEASURES = (Intervention.State.DECIDED, Intervention.State.RELEASE_DUE)
MACHINES_TURN = (CaseState.INVESTIGATING, CaseState.VERIFYING)
LATENESS = timedelta(hours=24)
UNTOLD = (CaseState.INVESTIGATING, CaseState.TRIAGE)


@dataclasses.dataclass(slots=True)
class Advanced:
    """Rows that now wait for a worker."""

    checks: list[int] = dataclasses.field(default_factory=list)
    notices: list[int] = dataclasses.field(default_factory=list)
    measures: list[int] = dataclasses.field(default_factory=list)


def advance_case(case_id: int, *, now: datetime | None = None) -> Advanced:
    """Do everything that is due in the case. Safe to repeat, and to run beside another worker.

    Raises Case.DoesNotExist.
    """
    now = now or timezone.now()
    carried: set[tuple[str, int]] = set()
    for _ in range(MOST_STEPS):
        case = Case.objects.select_related("playbook", "relapse_of", "contract__customer").get(pk=case_id)
        if case.state == CaseState.CLOSED:
            break
        alarm = case.due_at
        # The runs first: one that finishes while we assess is still pending to this round, so that no step
        # is decided by a verdict that the diagnosis has not seen.
        runs = this_turn(list(case.checks.all()), case.turn)
        assess(case, now=now)
        steps = steps_of(case)
        facts = facts_of(case, runs, now, asked={name for s in steps if s.in_state == case.state for name in s.when})
        wanted = due_steps(steps, facts)
        if wanted and (is_in_question(case) or was_taken_back(case)):
            wanted = [step for step in wanted if step.action in HARMLESS]
        known = without_closing(wanted, now=now)
        due = [step for step in known if (step.id, case.stay) not in carried]  # one that leaves no row behind
        if not due:
            pass_on_more(case, now=now)
            moments = [next_due_at(steps, facts), now + LOOKED_AGAIN if known != wanted else None]
            set_alarm(case, alarm, min(filter(None, moments), default=None))
            break
        carried.add((due[0].id, case.stay))
        try:
            actions()[due[0].action].carry_out(case, due[0], now=now)
        except StaleCase:
            continue  # somebody else moved it: look again
    return waiting_rows(case_id)


def without_closing(due: list[Step], *, now: datetime) -> list[Step]:
    """While mail waits to be read: it may say that it goes on."""
    open_still = [step for step in due if step.action != "close"]
    return open_still if open_still != due and has_fallen_behind(now=now) else due


def pass_on_more(case: Case, *, now: datetime) -> None:
    """A reseller's desk that was told gets the complaints that came later, too."""
    if case.forwards.exists() and not is_in_question(case):
        forward_complaints(case, now=now)


def set_alarm(case: Case, loaded: datetime | None, when: datetime | None) -> None:
    """Only if nobody has rung meanwhile: a complaint that arrived while we looked must not be slept over.

    Where the machine waits on purpose, the desk's promise waits with it; one that waits for a check keeps it.
    """
    columns: dict[str, Any] = {"due_at": when}
    if when and case.state in MACHINES_TURN and case.deadline_at and case.deadline_at < when:
        columns["deadline_at"] = when + LATENESS
    Case.objects.filter(pk=case.pk, due_at=loaded, stay=case.stay).update(**columns)


def waiting_rows(case_id: int) -> Advanced:
    checks = CheckRun.objects.filter(case=case_id, state=CheckRun.State.QUEUED)
    notices = Notice.objects.filter(case=case_id, state=Notice.State.QUEUED)
    measures = Intervention.objects.filter(case=case_id, state__in=WAITING_MEASURES)
    return Advanced(*(list(rows.values_list("pk", flat=True)) for rows in (checks, notices, measures)))


def steps_of(case: Case) -> list[Step]:
    return parse_steps(playbook_of(case).document, actions())


def playbook_of(case: Case) -> PlaybookVersion:
    """The version that the case follows.

    While nobody has been told, it is the one meant most closely for what we think of the case by now. From then on
    it stays, for nobody changes the rules midway, until the case turns out to be something that it is not meant for.
    A newer version of the same playbook is left to newer cases.
    """
    about = {"category": case.category, "cause": case.cause, "contract": contract_kind(case)}
    if case.playbook is not None and case.state not in UNTOLD and fits(case.playbook.document, about):
        return case.playbook
    active = active_playbooks() or begin_with_shipped(now=timezone.now())
    documents = [version.document for version in active]
    chosen = active[documents.index(choose(documents, **about))]
    if case.playbook is not None and case.playbook.name == chosen.name:
        return case.playbook
    Case.objects.filter(pk=case.pk, playbook=case.playbook).update(playbook=chosen)
    case.playbook = chosen
    return chosen


@lru_cache(maxsize=1)
def actions() -> dict[str, ModuleType]:
    return by_name(load_actions())


def notify_now(case: Case, *, actor: str, now: datetime | None = None) -> None:
    """An analyst decides to write to the customer: the playbook's own notify step, with their name on it.

    Raises IllegalTransition, StaleCase.
    """
    now = now or timezone.now()
    step = next(step for step in steps_of(case) if step.action == "notify" and step.params.get("notice") == "notify")
    actions()["notify"].carry_out(case, step, now=now, actor=actor)


def recheck_now(case: Case, *, actor: str, now: datetime | None = None) -> list[CheckRun]:
    """Order every check once more on the case's addresses; the results wake the case."""
    now = now or timezone.now()
    number = case.checks.filter(occasion__startswith="by-hand.").count() + 1
    return [
        queue_check(case, check, address, occasion=f"by-hand.{case.stay}.{number}", now=now, actor=actor)
        for address in addresses_of(case)
        for check in ("relay", "dnsbl")
    ]
