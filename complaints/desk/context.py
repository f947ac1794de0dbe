"""What every page may show: the desk's name, whether this is the demo, what the visitor may open, and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from functools import cached_property, partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest

from complaints.cases.branches import numbered
from complaints.cases.corrections import proposed
from complaints.desk.access import among, supervises, visible
from complaints.desk.menu import Menu
from complaints.desk.rights import can, is_restricted
from complaints.desk.tasks_page import tasks_for
from complaints.models import Contract, DeskTask, Hold, Intervention, ReporterAnswer, Rise, Tally, User

LIST_TASKS = ("blacklist", "blacklist-held")
MOST = 100
Reader = User | AnonymousUser
# What the menu counts, each by a small index of those alone.
WAITING: dict[str, Callable[[Reader], QuerySet[Any]]] = {
    "corrections_waiting": lambda user: among(user, proposed()),
    "answers_to_read": lambda user: ReporterAnswer.objects.filter(state=ReporterAnswer.State.UNCLEAR),
    # Blacklists that are parked, or kept back because they suddenly name very many of us.
    "lists_to_look_at": lambda user: DeskTask.objects.filter(kind__in=LIST_TASKS, done_at__isnull=True),
    "open_tasks": lambda user: tasks_for(user),
    "approvals_waiting": lambda user: visible(user, Intervention).filter(state=Intervention.State.PROPOSED),
    "mail_held": lambda user: Hold.objects.filter(what=Hold.What.MAIL, ended_at__isnull=True),
    "measures_held": lambda user: Hold.objects.filter(what=Hold.What.MEASURES, ended_at__isnull=True),
    "unreachable_contracts": lambda user: Contract.objects.unreachable(),
    # Of the network and of products; those of single contracts stand on their cases.
    "rises_now": lambda user: Rise.objects.filter(ended_at__isnull=True).exclude(kind=Tally.Kind.CONTRACT),
}
# What who is restricted is told of: it counts their part alone, or says what stands still for everybody.
TOLD_A_PART = ("corrections_waiting", "open_tasks", "approvals_waiting", "mail_held", "measures_held")


def site(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"desk_name": settings.DESK_NAME, "demo": settings.DEMO}
    if user := getattr(request, "user", None):
        # Asked by the pages that show them, free on the others.
        found["supervises"] = partial(supervises, user)
        found["can"] = Abilities(user)
        waiting = Waiting(user, TOLD_A_PART if is_restricted(user) else WAITING)
        found |= {name: partial(waiting.count, name) for name in WAITING}
        found["menu"] = Menu(can=partial(can, user), count=waiting.count)
    return found


class Abilities:
    """{% if can.close_cases %}: what the reader may do, asked only by the pages that want to know."""

    def __init__(self, user: Any) -> None:
        self.user = user

    def __getitem__(self, name: str) -> bool:
        return can(self.user, name)


class Waiting:
    """How many of each kind wait, counted to 99 at most: one statement for a page, when the first is asked for."""

    def __init__(self, user: Reader, told: Collection[str]) -> None:
        self.user, self.told = user, list(told)

    @cached_property
    def counts(self) -> Counter[int]:
        asked = (WAITING[name](self.user).order_by().values("pk")[:MOST] for name in self.told)
        return Counter(number for number, _ in numbered(asked))

    def count(self, name: str) -> str:
        if name not in self.told:
            return ""
        found = self.counts[self.told.index(name)]
        return "99+" if found == MOST else str(found or "")
