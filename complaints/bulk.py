"""Acting on one case or many at once: seen beforehand, done in batches, taken back within a minute.

A DeskAction and its cases are rows. What cannot be taken back is held until the minute is over; the sweep carries it
out, case by case, each in a transaction of its own that also marks it done, so nothing happens twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from complaints.cases.bulk_rules import HELD_BACK, MOST, UNDO, Seen, left_out, left_out_of_closing
from complaints.cases.mentions import ask_mentioned
from complaints.cases.tasks import open_task
from complaints.cases.transitions import (
    ANYBODY,
    MACHINE,
    IllegalTransition,
    StaleCase,
    add_note,
    assign_case,
    move_case,
)
from complaints.checking import addresses_of, queue_check
from complaints.checks import load_checks
from complaints.interacting import NothingToDo, from_stored
from complaints.interacting import carry_out as interact_with
from complaints.models import Case, CheckRun, DeskAction, DeskActionCase, User
from complaints.vocabulary import CaseState, Resolution, Verdict

State, Of = DeskAction.State, DeskActionCase.State
BATCH = 100
SHOWN = timedelta(minutes=3)
OF_ONE = ("interact",)
UNFINISHED = (CheckRun.State.QUEUED, CheckRun.State.RUNNING, CheckRun.State.WAITING)


class TooLate(Exception):
    """It has happened, or somebody took it back before."""


@dataclasses.dataclass(frozen=True, slots=True)
class Looked:
    """What an action would do to a case: nothing, for `why_not`."""

    case: Case
    why_not: str = ""


@dataclasses.dataclass(slots=True)
class Done:
    """Ids to wake."""

    cases: list[int] = dataclasses.field(default_factory=list)
    checks: list[int] = dataclasses.field(default_factory=list)
    notices: list[int] = dataclasses.field(default_factory=list)


def look(kind: str, cases: Sequence[Case], *, stays: dict[int, int], options: dict[str, Any]) -> list[Looked]:
    """What would happen to each. stays: Case.stay as the person saw it."""
    waiting = waiting_actions(cases)
    verdicts = last_verdicts(cases) if options.get("resolution") == Resolution.FIXED_VERIFIED else {}
    return [
        Looked(case, left_out(kind, seen_of(case, stays[case.pk], options, waiting.get(case.pk, ""), verdicts)))
        for case in cases
    ]


def seen_of(case: Case, stay: int, options: dict[str, Any], waits: str, verdicts: dict[int, set[Verdict]]) -> Seen:
    return Seen(
        state=CaseState(case.state),
        moved_on=case.stay != stay,
        waits_for=waits,
        has_address=bool(case.address),
        assignee=case.assignee.username if case.assignee else "",
        last_verdicts=frozenset(verdicts.get(case.pk, ())),
        resolution=Resolution(options["resolution"]) if options.get("resolution") else None,
        to=options.get("to"),
    )


def waiting_actions(cases: Iterable[Case]) -> dict[int, str]:
    """Who is about to do something to which. Notes change nothing, so nobody waits for one."""
    rows = DeskActionCase.objects.filter(case__in=[case.pk for case in cases], state=Of.WAITING)
    rows = rows.exclude(action__kind=DeskAction.Kind.NOTE)
    return dict(rows.values_list("case", "action__user__username"))


def last_verdicts(cases: Iterable[Case]) -> dict[int, set[Verdict]]:
    runs = CheckRun.objects.filter(case__in=[case.pk for case in cases], state=CheckRun.State.DONE)
    last: dict[tuple[int, str, bytes], str] = {}
    for case, name, address, verdict in runs.order_by("finished_at", "id").values_list(
        "case", "check_name", "address", "verdict"
    ):
        last[case, name, bytes(address)] = verdict
    found: dict[int, set[Verdict]] = {}
    for (case, _, _), verdict in last.items():
        found.setdefault(case, set()).add(Verdict(verdict))
    return found


def act(
    kind: str, looked: Sequence[Looked], *, user: User, options: dict[str, Any], stays: dict[int, int], now: datetime
) -> DeskAction:
    """Decide it. What can be undone is done here and now; the rest is held for a minute (bulk_rules.HELD_BACK)."""
    if len(looked) > MOST:
        raise ValueError(f"{len(looked)} cases at once, {MOST} are allowed")
    held = kind in HELD_BACK
    with transaction.atomic():
        action = DeskAction.objects.create(
            user=user,
            kind=kind,
            options=options,
            state=State.HELD if held else State.RUNNING,
            made_at=now,
            due_at=now + UNDO,
        )
        DeskActionCase.objects.bulk_create(
            DeskActionCase(
                action=action,
                case=each.case,
                stay=stays[each.case.pk],
                state=Of.LEFT_OUT if each.why_not else Of.WAITING,
                reason=each.why_not,
            )
            for each in looked
        )
    if not held:
        carry_out(action, now=now)
    return action


def due_actions(now: datetime, *, limit: int) -> list[int]:
    found = DeskAction.objects.filter(state__in=[State.HELD, State.RUNNING], due_at__lte=now)
    return list(found.order_by("due_at").values_list("pk", flat=True)[:limit])


def carry_out_due(ids: Iterable[int], *, now: datetime) -> Done:
    """Those whose minute is over. Beside another worker each case is still done once."""
    done = Done()
    due = DeskAction.objects.filter(pk__in=ids, due_at__lte=now).select_related("user")
    for action in due.order_by("due_at", "pk"):
        running = DeskAction.objects.filter(pk=action.pk, state__in=[State.HELD, State.RUNNING])
        if running.update(state=State.RUNNING):
            more = carry_out(action, now=now)
            done.cases += more.cases
            done.checks += more.checks
            done.notices += more.notices
    return done


def carry_out(action: DeskAction, *, now: datetime) -> Done:
    done = Done()
    while waiting := list(action.cases.filter(state=Of.WAITING).order_by("pk")[:BATCH]):
        cases = Case.objects.select_related("assignee").in_bulk([each.case_id for each in waiting])
        for each in waiting:
            carry_out_one(action, each, cases[each.case_id], done, now=now)
    DeskAction.objects.filter(pk=action.pk, state=State.RUNNING).update(state=State.DONE)
    action.state = State.DONE
    return done


def carry_out_one(action: DeskAction, each: DeskActionCase, case: Case, done: Done, *, now: datetime) -> None:
    mark = DeskActionCase.objects.filter(pk=each.pk, state=Of.WAITING)
    try:
        with transaction.atomic():
            if not mark.update(state=Of.DONE, was={"assignee": case.assignee_id}):
                return
            DOES[action.kind](action, each, case, done, now)
    except (StaleCase, IllegalTransition, NothingToDo) as exc:
        if mark.update(state=Of.LEFT_OUT, reason=str(exc)[:300]) and action.kind in OF_ONE:
            say_it_was_not_done(action, each, case, str(exc), now=now)
    else:
        done.cases.append(case.pk)


def say_it_was_not_done(action: DeskAction, each: DeskActionCase, case: Case, why: str, *, now: datetime) -> None:
    """Nobody looks at a list of results after an act on one case: who wanted it is told, and keeps what they wrote."""
    written = [str(action.options[name]) for name in ("words", "note", "reason") if action.options.get(name)]
    text = "\n\n".join([f"It was not done: {why.rstrip('.')}.", *written])
    title = f"What you wanted for case {case.number} was not done"
    open_task("not-done", str(each.pk), title=title, text=text, to=action.user, actor=MACHINE, now=now, case=case)


def refuse_moved(each: DeskActionCase, case: Case) -> None:
    if case.stay != each.stay:
        raise StaleCase("it had moved on by then")


def close(action: DeskAction, each: DeskActionCase, case: Case, done: Done, now: datetime) -> None:
    refuse_moved(each, case)
    resolution = Resolution(action.options["resolution"])
    # Within the minute another check may have ended.
    verdicts = last_verdicts([case]) if resolution is Resolution.FIXED_VERIFIED else {}
    if problem := left_out_of_closing(seen_of(case, each.stay, action.options, "", verdicts)):
        raise StaleCase(problem)
    who = action.user.get_username()
    move_case(case, CaseState.CLOSED, actor=who, reason=action.options["reason"], resolution=resolution, now=now)


def note(action: DeskAction, each: DeskActionCase, case: Case, done: Done, now: datetime) -> None:
    who = action.user.get_username()
    ask_mentioned(case, add_note(case, actor=who, text=action.options["text"]), actor=who, now=now)


def assign(action: DeskAction, each: DeskActionCase, case: Case, done: Done, now: datetime) -> None:
    """options["was"]: with whom the person saw it, where they saw that."""
    to = User.objects.filter(username=action.options["to"]).first() if action.options.get("to") else None
    if action.options.get("to") and to is None:
        raise IllegalTransition(f"nobody is called {action.options['to']}")
    assign_case(case, to=to, actor=action.user.get_username(), was=action.options.get("was", ANYBODY))


def check(action: DeskAction, each: DeskActionCase, case: Case, done: Done, now: datetime) -> None:
    if case.state == CaseState.CLOSED:
        raise IllegalTransition("closed meanwhile")
    running = case.checks.filter(state__in=UNFINISHED).values_list("check_name", "address")
    under_way = {(name, bytes(address)) for name, address in running}
    wanted = [(every.NAME, address) for address in addresses_of(case) for every in load_checks()]
    runs = [
        queue_check(case, name, address, occasion=f"bulk-{action.pk}", now=now, actor=action.user.get_username())
        for name, address in wanted
        if (name, address) not in under_way
    ]
    done.checks += [run.pk for run in runs if run.state == CheckRun.State.QUEUED]


def interact(action: DeskAction, each: DeskActionCase, case: Case, done: Done, now: datetime) -> None:
    refuse_moved(each, case)
    wish, who = from_stored(action.options), action.user.get_username()
    did = interact_with(case, wish, actor=who, now=now, asked_at=action.made_at)
    done.notices += [did.notice.pk] if did.notice else []


DOES = {"close": close, "note": note, "assign": assign, "check": check, "interact": interact}


def last_undoable(user: User, now: datetime) -> DeskAction | None:
    """The youngest thing that `user` did and may still take back."""
    recent = DeskAction.objects.filter(user=user, due_at__gt=now, due_at__lte=now + UNDO).order_by("-id")[:20]
    return next((action for action in recent if action.state in undoable_states(action)), None)


def undoable_states(action: DeskAction) -> tuple[str, ...]:
    return (State.HELD,) if action.kind in HELD_BACK else (State.DONE,)


def undo(action: DeskAction, *, now: datetime) -> int:
    """Take all of it back; how many cases. Raises TooLate."""
    if now >= action.due_at:
        raise TooLate("A minute has passed: it has happened.")
    with transaction.atomic():
        same = DeskAction.objects.filter(pk=action.pk, state__in=undoable_states(action))
        if not same.update(state=State.UNDONE):
            raise TooLate("It was taken back before, or is happening now.")
        action.state = State.UNDONE
        if action.kind in HELD_BACK:
            return action.cases.filter(state=Of.WAITING).update(state=Of.UNDONE)
        return sum(unassign(each, action) for each in action.cases.filter(state=Of.DONE).select_related("case"))


def unassign(each: DeskActionCase, action: DeskAction) -> int:
    """Write back who had it, unless somebody else was given it meanwhile."""
    given = User.objects.filter(username=action.options["to"]).first() if action.options.get("to") else None
    before = User.objects.filter(pk=each.was.get("assignee")).first() if each.was.get("assignee") else None
    try:
        assign_case(each.case, to=before, actor=action.user.get_username(), was=given.pk if given else None)
    except StaleCase:
        return 0
    return DeskActionCase.objects.filter(pk=each.pk).update(state=Of.UNDONE)


def recent_actions(user: User, now: datetime) -> list[DeskAction]:
    """What `user` did in the last minutes: shown with the way to take it back, or with what came of it."""
    found = DeskAction.objects.filter(user=user, made_at__gt=now - SHOWN).order_by("-id")
    return list(found.prefetch_related("cases")[:3])
