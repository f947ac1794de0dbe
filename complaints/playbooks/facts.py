"""What a playbook may ask about a case, looked up once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from holidays import country_holidays

from complaints.blacklists import delisted
from complaints.cases.answers import CUSTOMER
from complaints.cases.ladder import FORGOTTEN, PastCase, points_of
from complaints.cases.protection import contract_kind, is_protected
from complaints.cases.transitions import MACHINE
from complaints.cases.voices import voice_of
from complaints.checking import addresses_of, is_not_theirs_alone
from complaints.models import Case, CheckRun, Intervention, Notice
from complaints.notices.compose import address_problem
from complaints.notices.mail_loops import NO_MACHINE
from complaints.playbooks.conditions import Facts, unclear
from complaints.playbooks.watching import MOST_TIMES, watch_span
from complaints.playbooks.working_time import WorkingTime
from complaints.vocabulary import CaseState, Category, Cause, CustomerStatus, EventKind, Resolution, Verdict

RECENT = timedelta(days=5)  # what was seen longer ago may be mended by now
FINAL = (CheckRun.State.DONE, CheckRun.State.REFUSED)
IN_FORCE = (
    Intervention.State.IN_FORCE,
    Intervention.State.APPLYING,
    Intervention.State.RELEASE_DUE,
    Intervention.State.RELEASING,
)
# A step that was decided is not decided again while its measure waits for its moment, or for a second person.
UNDER_WAY = (*IN_FORCE, Intervention.State.DECIDED, Intervention.State.PROPOSED)
StepRun = tuple[str, CheckRun]
PLAYBOOK_TASK = "playbook"
# Letters by which a machine answers once in a case, by the answer they are for.
MORE_TIME, LOOK_AGAIN = "more_time", "look_again"
BY_VOICES = ("may_notify", "may_measure")  # the conditions that count voices
# What shows that a person has taken a case up. A check by hand does not: the machine waits for that very proof.
BY_PEOPLE = (
    EventKind.MOVED,
    EventKind.NOTE,
    EventKind.ASSIGNED,
    EventKind.MEASURE,
    EventKind.TASK,
    EventKind.NOTICE_QUEUED,
    EventKind.NOTICE_WITHDRAWN,
    EventKind.MERGED,
    EventKind.SPLIT,
    EventKind.UNDONE,
)


def facts_of(case: Case, runs: Sequence[StepRun], now: datetime, *, asked: Collection[str] | None = None) -> Facts:
    """`runs`: (step id, run) of this turn. `case` comes with its contract and customer. asked: the conditions that the
    facts are for, where that is known: what none of them looks at is not looked up, and stays as if it were not so."""

    def wanted(*names: str) -> bool:
        return asked is None or not asked_for.isdisjoint(names)

    asked_for = frozenset(asked or ())
    verdicts: dict[str, dict[str, list[Verdict]]] = {}
    ran = {step for step, run in runs if run.state != CheckRun.State.REFUSED}
    for step, run in runs:
        if run.state in FINAL and not (step in ran and has_left(run)):
            verdicts.setdefault(step, {}).setdefault(run.check_name, []).append(Verdict(run.verdict or Verdict.UNKNOWN))
    if case.state == CaseState.VERIFYING and wanted("verdict"):
        leave_unknown(verdicts, unchecked(case, runs))
    stayed = {step for step, run in runs if run.occasion == f"{step}.{case.stay}"}
    notices = set(case.notices.filter(occurrence__gte=case.turn).values_list("step", flat=True))
    on_the_line = Intervention.objects.filter(contract=case.contract_id)
    # What is held, or about to be, need not be held again.
    on_the_line = on_the_line.filter(Q(case=case) | Q(state__in=UNDER_WAY))
    held = list(on_the_line.values_list("case", "step", "occurrence", "kind", "state"))
    measures = [(step, occurrence, kind, state) for of, step, occurrence, kind, state in held if of == case.pk]
    tasks = case.tasks.filter(kind=PLAYBOOK_TASK).values_list("key", flat=True)
    proven = proven_voices(case) if wanted(*BY_VOICES) else set()
    return Facts(
        state=CaseState(case.state),
        state_since=case.state_since,
        now=now,
        used=timedelta(seconds=case.clock_used_s),
        opened_at=case.opened_at,
        working=working_time(),
        category=Category(case.category),
        cause=Cause(case.cause),
        cause_confidence=case.cause_confidence,
        owner_confidence=case.confidence,
        contract_kind=contract_kind(case),
        protected=is_protected(case),
        complaints=case.complaint_count,
        reporters=case.reporter_count,
        trusted_reporters=len({voice for voice, by_hand in proven if not by_hand}),
        voices=len({voice for voice, _ in proven}),
        shown=wanted(*BY_VOICES) and case.cause == Cause.UNKNOWN and is_shown(case),
        only_listed=wanted(*BY_VOICES) and is_only_listed(case),
        ladder=case.ladder,
        points=ladder_points(case.contract_id, now=now) if wanted("points_from", "points_below") else 0.0,
        customer_status=CustomerStatus(case.customer_status),
        measures={kind for *_, kind, state in held if state in UNDER_WAY},
        held_here={kind for of, *_, kind, state in held if of == case.pk and state in IN_FORCE},
        let_go=let_go(case) if wanted("let_go") else (),
        told=wanted("told") and (case.notices.exists() or case.forwards.exists()),
        taken_up=wanted("taken_up") and is_taken_up(case),
        may_have_time=wanted("may_have_time") and says_for_the_first_time(case, CustomerStatus.ASKS_TIME, MORE_TIME),
        may_look_again=wanted("may_look_again")
        and says_for_the_first_time(case, CustomerStatus.FOUND_NOTHING, LOOK_AGAIN),
        claims_failed=claims_failed(case) if wanted("claims_failed_below", "claims_failed_from") else 0,
        has_contact=address_problem(str(case.owner.get("contact_email") or "")) is None,
        recent=case.last_seen_at > now - RECENT,
        last_seen=case.last_seen_at,
        watch_until=watch_until(case),
        task_open=wanted("task_open") and case.tasks.filter(kind=PLAYBOOK_TASK, done_at=None).exists(),
        undelivered=is_undelivered(case),
        quiet=is_quiet(case),
        delisted=delisted(case) if wanted("delisted") else None,
        verdicts=verdicts,
        unclear=len(unclear({step: found for step, found in verdicts.items() if step in stayed})),
        refused={step for step, _ in runs} - {step for step, run in runs if not has_left(run)},
        pending={step for step, run in runs if run.state not in FINAL},
        done={step for step, _ in runs}
        | notices
        | {step for step, occurrence, *_ in measures if occurrence >= case.turn}
        | {step for step, turn in (key_parts(key) for key in tasks) if turn >= case.turn},
    )


def has_left(run: CheckRun) -> bool:
    """Of several addresses, one that is not theirs any more, or not theirs alone, is nothing to wait for."""
    return run.state == CheckRun.State.REFUSED and is_not_theirs_alone(run.reason)


def unchecked(case: Case, runs: Sequence[StepRun]) -> set[str]:
    """Steps whose checks have not looked at every address that the case names by now: of one that came later, they
    say nothing, and a fix is proven everywhere or not at all."""
    looked: dict[str, set[bytes]] = {}
    for step, run in runs:
        looked.setdefault(step, set()).add(bytes(run.address))
    here = set(addresses_of(case)) if looked else set()
    return {step for step, addresses in looked.items() if here - addresses}


def leave_unknown(verdicts: dict[str, dict[str, list[Verdict]]], steps: set[str]) -> None:
    for step in steps & verdicts.keys():
        for found in verdicts[step].values():
            found.append(Verdict.UNKNOWN)


def let_go(case: Case) -> set[str]:
    """Lifted since the case came to where it is."""
    lifted = case.interventions.filter(state=Intervention.State.RELEASED, released_at__gte=case.state_since)
    return set(lifted.values_list("kind", flat=True))


def says_for_the_first_time(case: Case, what: CustomerStatus, letter: str) -> bool:
    """Said while it was their turn, and nothing was done to the line yet; `letter` answers it, once a case."""
    says = case.customer_status == what and case.clock_paused_in == CaseState.NOTIFIED
    return says and not case.notices.filter(step=letter).exists()


def claims_failed(case: Case) -> int:
    return case.notices.filter(step="still_open", recipient=1).count()


def task_key(case: Case, step_id: str) -> str:
    """The key of the desk task that a playbook step makes; key_parts reads it back."""
    return f"{case.pk}/{step_id}/{case.stay}"


def key_parts(key: str) -> tuple[str, int]:
    _, _, rest = key.partition("/")
    step, _, stay = rest.rpartition("/")
    return step, int(stay) if stay.isdigit() else 0


def this_turn(runs: Sequence[CheckRun], turn: int) -> list[StepRun]:
    """(step id, run) of the runs ordered since this turn began; an occasion is "<step>.<stay>"."""
    parted = [(*run.occasion.rpartition("."), run) for run in runs]
    return [(step, run) for step, _, number, run in parted if number.isdigit() and int(number) >= turn]


def is_quiet(case: Case) -> bool | None:
    """Whether no abuse was seen after the claimed fix. A complaint that does not say when proves neither."""
    claimed = case.fixed_claimed_at
    if claimed is None or case.last_seen_at <= claimed:
        return True
    told_when = set(case.complaints.filter(seen_at__gt=claimed).values_list("seen_exactly", flat=True).distinct())
    return None if told_when == {False} else False


def proven_voices(case: Case) -> set[tuple[str, bool]]:
    """(voice, whether a person wrote it by hand) of the youngest complaints that our own mail server vouches for."""
    rows = case.complaints.exclude(evidence__authenticated=None).order_by("-seen_at")
    return {
        (voice_of(str(domain)), format in NO_MACHINE)
        for domain, format in rows.values_list("evidence__authenticated", "format")[:MOST_TIMES]
    }


def watch_until(case: Case) -> datetime | None:
    """From the claimed fix on; asked only where it matters."""
    if case.state != CaseState.VERIFYING:
        return None
    exact = case.complaints.filter(seen_exactly=True).order_by("-seen_at")
    times = exact.values_list("seen_at", flat=True)[:MOST_TIMES]
    return (case.fixed_claimed_at or case.state_since) + watch_span(list(times))


def is_shown(case: Case) -> bool:
    return case.complaints.filter(evidence__has_key="received").exists()


def is_only_listed(case: Case) -> bool:
    formats = set(case.complaints.order_by().values_list("format", flat=True).distinct())
    return formats == {"listing"}


def is_taken_up(case: Case) -> bool:
    if case.assignee_id is not None:
        return True
    return case.events.filter(kind__in=BY_PEOPLE).exclude(actor__in=(MACHINE, CUSTOMER)).exists()


def is_undelivered(case: Case) -> bool:
    """Nobody has been told: the letter that began this turn, and those since, have failed."""
    if case.state != CaseState.NOTIFIED or case.customer_status not in (CustomerStatus.NONE, CustomerStatus.NOTIFIED):
        return False
    letters = set(case.notices.filter(occurrence__gte=case.turn - 1).values_list("state", flat=True))
    return letters == {Notice.State.FAILED}


def ladder_points(contract_id: int, *, now: datetime) -> float:
    closed = Case.objects.filter(contract=contract_id, state=CaseState.CLOSED, closed_at__gt=now - FORGOTTEN)
    rows = closed.values_list("category", "resolution", "closed_at")
    past = [PastCase(Category(category), Resolution(resolution), at) for category, resolution, at in rows if at]
    return points_of(past, now=now)


@lru_cache(maxsize=1)
def working_time() -> WorkingTime:
    """The desk's hours and its country's holidays, by the settings; both were checked at start."""
    return WorkingTime.parse(
        settings.WORKING_HOURS,
        zone=ZoneInfo(settings.DISPLAY_TIME_ZONE),
        holidays=public_holidays(settings.HOLIDAYS) if settings.HOLIDAYS else frozenset(),
    )


def public_holidays(place: str) -> Collection[date]:
    """Of "FR" or "DE-BY"; year by year as they are asked for."""
    country, _, part = place.partition("-")
    return country_holidays(country, subdiv=part or None)
