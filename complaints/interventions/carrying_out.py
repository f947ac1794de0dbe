"""Carry out what was decided: a row is claimed, the adapter asked, and the answer written. Lifting is never held.

An order may reach the ISP's system twice, when a worker dies between its answer and our commit; both carry the same
key, by which that system does it once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from complaints.adapters.measures import AskHuman, Order, Refused, TryLater, load_adapters
from complaints.addresses import prefix_text
from complaints.cases.holds import is_held
from complaints.cases.tasks import end_task, open_task
from complaints.cases.transitions import MACHINE
from complaints.claims import dead_claims, insist, new_claim
from complaints.interventions.decisions import NotAllowed, tell, withdraw_measure
from complaints.models import Assignment, Hold, Intervention, LineIdentifier
from complaints.models.assignments import ALL_PORTS
from complaints.registry import by_name
from complaints.vocabulary import CaseState, MeasureKind

log = logging.getLogger(__name__)
State = Intervention.State
STALE_CLAIM = timedelta(minutes=10)
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240)]
MOST_PREFIXES = 1000
CLAIMED_AS = {State.DECIDED: State.APPLYING, State.RELEASE_DUE: State.RELEASING}
BACK_TO = {claimed: waiting for waiting, claimed in CLAIMED_AS.items()}
DONE_AS = {State.APPLYING: State.IN_FORCE, State.RELEASING: State.RELEASED}
TASK = "measure"


def due_interventions(now: datetime, *, limit: int = 500) -> list[int]:
    waiting = [State.RELEASE_DUE] if is_held(Hold.What.MEASURES) else list(CLAIMED_AS)
    due = Intervention.objects.filter(state__in=waiting, due_at__lte=now)
    return list(due.order_by("due_at").values_list("pk", flat=True)[:limit])


def carry_out_due(ids: Iterable[int] | None = None, *, now: datetime | None = None) -> list[int]:
    """Claim what is due (of `ids`, or of all) and carry it out; the cases that something became of."""
    now = now or timezone.now()
    wanted = set(due_interventions(now)) & (set(ids) if ids is not None else set(due_interventions(now)))
    touched = []
    for pk in sorted(wanted):
        measure = claim(pk, now=now)
        if measure is not None and still_wanted(measure, now=now):
            carry_out(measure, now=now)
            touched.append(measure.case_id)
    return touched


def claim(pk: int, *, now: datetime) -> Intervention | None:
    """The row, if it is this worker's alone."""
    for waiting, claimed in CLAIMED_AS.items():
        mine = {"state": claimed, "claim": new_claim(), "claimed_at": now, "tries": F("tries") + 1}
        if Intervention.objects.filter(pk=pk, state=waiting, due_at__lte=now).update(**mine):
            return Intervention.objects.select_related("case", "contract__customer").get(pk=pk)
    return None


def release_dead(*, now: datetime | None = None) -> None:
    """Let what a dead worker held be claimed again."""
    now = now or timezone.now()
    for claimed, waiting in BACK_TO.items():
        held = Intervention.objects.filter(state=claimed).exclude(claim="")
        dead = dead_claims(held.values_list("claim", flat=True).distinct())
        held.filter(Q(claim__in=dead) | Q(claimed_at__lte=now - STALE_CLAIM)).update(state=waiting, claim="")


def still_wanted(measure: Intervention, *, now: datetime) -> bool:
    """A machine's measure is not begun any more once the customer has answered or the fix is being proven."""
    if measure.state != State.APPLYING:
        return True
    stays = (CaseState.ESCALATED, CaseState.NOTIFIED)
    ended = measure.case.state == CaseState.CLOSED
    if not ended and (measure.decided_by != MACHINE or measure.case.state in stays):
        return True
    Intervention.objects.filter(pk=measure.pk, claim=measure.claim).update(state=State.DECIDED, claim="")
    try:
        withdraw_measure(measure, actor=MACHINE, reason="The case moved on before it began", now=now)
    except NotAllowed:
        log.info("measure %s was changed by somebody else meanwhile", measure.pk)
    return False


def carry_out(measure: Intervention, *, now: datetime) -> None:
    adapter = by_name(load_adapters())[settings.MEASURES_ADAPTER]
    try:
        said = adapter.carry_out(order_of(measure, now=now), settings.MEASURES)
    except AskHuman as exc:
        ask_colleague(measure, str(exc), now=now)
    except TryLater as exc:
        postpone(measure, problem=str(exc), now=now)
    except Refused as exc:
        give_up(measure, problem=str(exc), now=now)
    else:
        insist(lambda: finish(measure, DONE_AS[State(measure.state)], now=now, said=said))


def order_of(measure: Intervention, *, now: datetime) -> Order:
    lift = measure.state == State.RELEASING
    accounts = LineIdentifier.objects.filter(contract=measure.contract_id, kind="smtp_user")
    held = Assignment.objects.filter(contract=measure.contract_id, valid_from__lte=now)
    held = held.filter(Q(valid_until=None) | Q(valid_until__gt=now)).order_by("key")[:MOST_PREFIXES]
    return Order(
        key=str(uuid5(NAMESPACE_URL, f"{measure.key}/lift")) if lift else str(measure.key),
        kind=MeasureKind(measure.kind),
        lift=lift,
        contract=measure.contract.reference,
        customer=measure.contract.customer.reference,
        case=measure.case.number,
        prefixes=tuple(held_text(assignment) for assignment in held),
        accounts=tuple(accounts.values_list("value", flat=True)[:MOST_PREFIXES]),
        reason=measure.release_reason if lift else measure.reason,
        decided_by=measure.release_by if lift else measure.decided_by,
        seconded_by="" if lift else measure.seconded_by,
    )


def held_text(assignment: Assignment) -> str:
    ports = (assignment.port_first, assignment.port_last)
    text = prefix_text(bytes(assignment.key))
    return text if ports == ALL_PORTS else f"{text.partition('/')[0]}:{ports[0]}-{ports[1]}"


def ask_colleague(measure: Intervention, what: str, *, now: datetime) -> None:
    """The row stays claimed by nobody in particular until a person says it is done."""
    with transaction.atomic():
        Intervention.objects.filter(pk=measure.pk, claim=measure.claim).update(claim="", problem="")
        case = measure.case
        open_task(TASK, str(measure.pk), title=what, case=case, url=f"/case/{case.pk}", actor=MACHINE, now=now)


def confirm_by_hand(measure: Intervention, *, actor: str, now: datetime) -> None:
    """A person has done what the task asked. Raises NotAllowed when nobody was asked."""
    if measure.state not in DONE_AS or measure.claim:
        raise NotAllowed("this measure does not wait for a person")
    if not finish(measure, DONE_AS[State(measure.state)], now=now, said="done by hand", actor=actor):
        raise NotAllowed("somebody else confirmed it meanwhile")
    end_task(TASK, str(measure.pk), actor=actor, now=now)


def finish(measure: Intervention, state: str, *, now: datetime, said: str, actor: str = MACHINE) -> bool:
    columns = {"in_force_at": now} if state == State.IN_FORCE else {"released_at": now}
    with transaction.atomic():
        mine = Intervention.objects.filter(pk=measure.pk, state=measure.state, claim=measure.claim)
        if not mine.update(state=state, claim="", problem="", tries=0, **columns):
            return False
        measure.refresh_from_db()
        tell(measure, now=now, actor=actor, reason=said[:500])
    return True


def postpone(measure: Intervention, *, problem: str, now: datetime) -> None:
    if measure.tries > len(PAUSES):
        return give_up(measure, problem=f"given up after {measure.tries} tries: {problem}", now=now)
    Intervention.objects.filter(pk=measure.pk, claim=measure.claim).update(
        state=BACK_TO[State(measure.state)], claim="", problem=problem[:2000], due_at=now + PAUSES[measure.tries - 1]
    )
    return None


def give_up(measure: Intervention, *, problem: str, now: datetime) -> None:
    """A line that could not be limited, or worse, not be freed, is a person's work now."""
    what = "lift" if measure.state == State.RELEASING else "begin"
    failed = State.IN_FORCE if measure.state == State.RELEASING else State.FAILED
    with transaction.atomic():
        mine = Intervention.objects.filter(pk=measure.pk, state=measure.state, claim=measure.claim)
        if not mine.update(state=failed, claim="", problem=problem[:2000]):
            return
        measure.refresh_from_db()
        tell(measure, now=now, actor=MACHINE, reason=problem[:500], failed=what)
        title = f"Could not {what} the measure {measure.get_kind_display()} of case {measure.case.number}"
        key, case = f"{measure.pk}/{what}", measure.case
        open_task(
            TASK, key, title=title, text=problem[:2000], case=case, url=f"/case/{case.pk}", actor=MACHINE, now=now
        )
