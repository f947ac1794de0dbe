"""Acts on one case from its own page: held for a minute or done at once, and taken back by u; how the page says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from complaints import bulk
from complaints.cases.bulk_rules import HELD_BACK, UNDO
from complaints.desk import words
from complaints.desk.acted import ACTED
from complaints.desk.presence import name_of
from complaints.interacting import NothingToDo, Wish, from_stored
from complaints.models import Case, DeskAction, DeskActionCase, User
from complaints.tasks import advance_cases, carry_out_actions, wake, wake_at
from complaints.vocabulary import Resolution

Of = DeskActionCase.State
MOST = 5
LONGEST = 200  # of what was written


@dataclasses.dataclass(frozen=True, slots=True)
class Act:
    """What is about to happen to the case, or did a moment ago. `until`: so long it can be taken back."""

    number: int
    text: str
    until: datetime
    may_undo: bool


def act(request: HttpRequest, case: Case, kind: str, options: dict[str, Any]) -> DeskActionCase:
    """Decide it for this one case, as many at once are decided (complaints/bulk.py). Raises NothingToDo."""
    user: User = request.user  # type: ignore[assignment]
    now, stays = timezone.now(), {case.pk: case.stay}
    looked = bulk.look(kind, [case], stays=stays, options=options)
    if looked[0].why_not:
        raise NothingToDo(f"{looked[0].why_not[0].upper()}{looked[0].why_not[1:]}.")
    action = bulk.act(kind, looked, user=user, options=options, stays=stays, now=now)
    request.session[ACTED] = now.timestamp()
    if kind in HELD_BACK:
        wake_at(carry_out_actions, [action.pk], action.due_at)
    else:
        wake(advance_cases, [case.pk])
    return action.cases.get()


def acts_here(request: HttpRequest, case: Case, now: datetime) -> list[Act]:
    """What waits on this case, and what the reader did to it; asked only where there may be something."""
    user: User = request.user  # type: ignore[assignment]
    recently = now.timestamp() - request.session.get(ACTED, 0.0) < UNDO.total_seconds()
    if not recently and not getattr(case, "waiting_acts", True):
        return []
    mine = DeskAction.objects.filter(user=user, due_at__gt=now).order_by("-id")[:MOST].values_list("pk", flat=True)
    done = Q(state=Of.DONE, action__in=list(mine)) if recently else Q(pk=None)
    rows = DeskActionCase.objects.filter(Q(state=Of.WAITING) | done, case=case).select_related("action__user")
    return [shown(row, user, now) for row in rows.order_by("-pk")[:MOST]]


def shown(row: DeskActionCase, user: User, now: datetime) -> Act:
    action = row.action
    is_mine = action.user_id == user.pk
    who = "You are" if is_mine else f"{name_of(action.user)} is"
    text = given(action.options) if row.state == Of.DONE else f"{who} about to {listed(about(action))}"
    may_undo = is_mine and action.due_at > now and action.state in bulk.undoable_states(action)
    return Act(action.pk, f"{text}.", action.due_at, may_undo)


def given(options: Mapping[str, Any]) -> str:
    return f"You gave this case to {options['to']}" if options.get("to") else "You gave this case back"


def about(action: DeskAction) -> list[str]:
    """What it will do, in words that follow "about to"."""
    options = action.options
    if action.kind == DeskAction.Kind.INTERACT:
        return parts_of(from_stored(options))
    return {
        DeskAction.Kind.CLOSE: lambda: [closing(Resolution(options["resolution"]))],
        DeskAction.Kind.NOTE: lambda: [noting(options["text"])],
        DeskAction.Kind.CHECK: lambda: ["have it checked again"],
        DeskAction.Kind.ASSIGN: lambda: [f"give it to {options.get('to') or 'nobody'}"],
    }[DeskAction.Kind(action.kind)]()


def parts_of(wish: Wish) -> list[str]:
    found = [f"write to the customer “{short(wish.words)}”"] if wish.words else []
    found += [noting(wish.note)] if wish.note else []
    found += [f"decide a measure: {words.MEASURES[wish.measure].lower()}"] if wish.measure else []
    found += ["set a deadline"] if wish.within else []
    if wish.to and wish.resolution:
        return [*found, closing(wish.resolution)]
    return [*found, f"move it to “{words.STATES[wish.to]}”"] if wish.to else found


def closing(resolution: Resolution) -> str:
    return f"close it: {words.RESOLUTIONS[resolution].lower()}"


def noting(text: str) -> str:
    return f"write the note “{short(text)}”"


def short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
