"""Advance a case by its playbook: look the facts up, ask the pure schedule what is due, do it, and set the alarm."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import ModuleType

from django.utils import timezone

from complaints.cases.assessment import assess
from complaints.cases.transitions import StaleCase
from complaints.checking import addresses_of, queue_check
from complaints.models import Case, CheckRun, Notice
from complaints.notices.compose import address_problem
from complaints.playbooks.actions import load_actions
from complaints.playbooks.conditions import Facts
from complaints.playbooks.documents import Step, parse_steps
from complaints.playbooks.loading import begin_with_shipped
from complaints.playbooks.schedule import due_steps, next_due_at
from complaints.registry import by_name
from complaints.vocabulary import CaseState, Category, Cause, CustomerStatus, Verdict

MOST_STEPS = 20  # in one go; a playbook that runs in circles stops here and goes on at the next sweep
RECENT = timedelta(days=30)
FINAL = (CheckRun.State.DONE, CheckRun.State.REFUSED)


@dataclasses.dataclass(slots=True)
class Advanced:
    """Rows that now wait for a worker."""

    checks: list[int] = dataclasses.field(default_factory=list)
    notices: list[int] = dataclasses.field(default_factory=list)


def advance_case(case_id: int, *, now: datetime | None = None) -> Advanced:
    """Do everything that is due in the case. Safe to repeat, and to run beside another worker.

    Raises Case.DoesNotExist.
    """
    now = now or timezone.now()
    for _ in range(MOST_STEPS):
        case = Case.objects.select_related("playbook", "relapse_of").get(pk=case_id)
        if case.state == CaseState.CLOSED:
            break
        alarm = case.due_at
        # The runs first: one that finishes while we assess is still pending to this round, so that no step
        # is decided by a verdict that the diagnosis has not seen.
        runs = this_stay(list(case.checks.all()), case.stay)
        assess(case, now=now)
        steps, facts = steps_of(case), facts_of(case, runs, now)
        due = due_steps(steps, facts)
        if not due:
            set_alarm(case, alarm, next_due_at(steps, facts))
            break
        try:
            actions()[due[0].action].carry_out(case, due[0], now=now)
        except StaleCase:
            continue  # somebody else moved it: look again
    return waiting_rows(case_id)


def set_alarm(case: Case, loaded: datetime | None, when: datetime | None) -> None:
    """Only if nobody has rung meanwhile: a complaint that arrived while we looked must not be slept over."""
    Case.objects.filter(pk=case.pk, due_at=loaded, stay=case.stay).update(due_at=when)


def waiting_rows(case_id: int) -> Advanced:
    checks = CheckRun.objects.filter(case=case_id, state=CheckRun.State.QUEUED)
    notices = Notice.objects.filter(case=case_id, state=Notice.State.QUEUED)
    return Advanced(list(checks.values_list("pk", flat=True)), list(notices.values_list("pk", flat=True)))


def steps_of(case: Case) -> list[Step]:
    """The steps of the version the case began with; a case that has none begins with the active one, or the shipped."""
    if case.playbook is None:
        case.playbook = begin_with_shipped(now=timezone.now())
        Case.objects.filter(pk=case.pk, playbook=None).update(playbook=case.playbook)
    return parse_steps(case.playbook.document, actions())


def facts_of(case: Case, runs: Sequence[tuple[str, CheckRun]], now: datetime) -> Facts:
    """`runs`: (step id, run) of this stay."""
    notices = case.notices.filter(occurrence=case.stay).values_list("step", flat=True)
    verdicts: dict[str, dict[str, list[Verdict]]] = {}
    for step, run in runs:
        if run.state in FINAL:
            verdicts.setdefault(step, {}).setdefault(run.check_name, []).append(Verdict(run.verdict or Verdict.UNKNOWN))
    return Facts(
        state=CaseState(case.state),
        state_since=case.state_since,
        now=now,
        category=Category(case.category),
        cause=Cause(case.cause),
        cause_confidence=case.cause_confidence,
        owner_confidence=case.confidence,
        reporters=case.reporter_count,
        trusted_reporters=case.complaints.filter(reporter__authenticated=True)[:1].count(),
        claims_failed=case.notices.filter(step="still_open").count(),
        has_contact=address_problem(str(case.owner.get("contact_email") or "")) is None,
        recent=case.last_seen_at > now - RECENT,
        undelivered=is_undelivered(case),
        quiet=is_quiet(case),
        verdicts=verdicts,
        pending={step for step, run in runs if run.state not in FINAL},
        done={step for step, _ in runs} | set(notices),
    )


def is_quiet(case: Case) -> bool | None:
    """Whether no abuse was seen after the claimed fix. A complaint that does not say when proves neither."""
    claimed = case.fixed_claimed_at
    if claimed is None or case.last_seen_at <= claimed:
        return True
    told_when = set(case.complaints.filter(seen_at__gt=claimed).values_list("seen_exactly", flat=True).distinct())
    return None if told_when == {False} else False


def is_undelivered(case: Case) -> bool:
    """Nobody has been told: the letter that began this stay, and those since, have failed."""
    if case.state != CaseState.NOTIFIED or case.customer_status not in (CustomerStatus.NONE, CustomerStatus.NOTIFIED):
        return False
    letters = set(case.notices.filter(occurrence__gte=case.stay - 1).values_list("state", flat=True))
    return letters == {Notice.State.FAILED}


def this_stay(runs: Sequence[CheckRun], stay: int) -> list[tuple[str, CheckRun]]:
    """(step id, run) of the runs ordered in this stay; an occasion is "<step>.<stay>"."""
    parted = [(*run.occasion.rpartition("."), run) for run in runs]
    return [(step, run) for step, _, number, run in parted if number == str(stay)]


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
