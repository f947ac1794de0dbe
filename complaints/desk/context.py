"""What every page may show: the desk's name, whether this is the demo, what the visitor may open, and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from functools import cached_property, partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest

from complaints.cases.corrections import proposed
from complaints.desk.access import supervises
from complaints.desk.menu import Menu
from complaints.desk.rights import can, is_restricted
from complaints.models import Contract, DeskTask, Hold, Intervention, ReporterAnswer, Rise, Tally

LIST_TASKS = ("blacklist", "blacklist-held")
ALWAYS_TOLD = ("mail_held", "measures_held")  # also to who is restricted to a part of what the others count
MOST = 100
# What the menu counts, each by a small index of those alone.
WAITING: dict[str, Callable[[], QuerySet[Any]]] = {
    "corrections_waiting": proposed,
    "answers_to_read": lambda: ReporterAnswer.objects.filter(state=ReporterAnswer.State.UNCLEAR),
    # Blacklists that are parked, or kept back because they suddenly name very many of us.
    "lists_to_look_at": lambda: DeskTask.objects.filter(kind__in=LIST_TASKS, done_at__isnull=True),
    "open_tasks": lambda: DeskTask.objects.filter(done_at__isnull=True),
    "approvals_waiting": lambda: Intervention.objects.filter(state=Intervention.State.PROPOSED),
    "mail_held": lambda: Hold.objects.filter(what=Hold.What.MAIL, ended_at__isnull=True),
    "measures_held": lambda: Hold.objects.filter(what=Hold.What.MEASURES, ended_at__isnull=True),
    "unreachable_contracts": lambda: Contract.objects.unreachable(),
    # Of the network and of products; those of single contracts stand on their cases.
    "rises_now": lambda: Rise.objects.filter(ended_at__isnull=True).exclude(kind=Tally.Kind.CONTRACT),
}


def site(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"desk_name": settings.DESK_NAME, "demo": settings.DEMO}
    if user := getattr(request, "user", None):
        # Asked by the pages that show them, free on the others.
        found["supervises"] = partial(supervises, user)
        found["can"] = Abilities(user)
        waiting = Waiting(ALWAYS_TOLD if is_restricted(user) else WAITING)
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

    def __init__(self, told: Collection[str]) -> None:
        self.told = told

    @cached_property
    def counts(self) -> Counter[int]:
        parts, values = [], []
        for number, rows in enumerate(WAITING.values()):
            limited = rows().order_by().values("pk")[:MOST]
            sql, params = limited.query.get_compiler(connection=connection).as_sql()
            parts.append(f"SELECT {number} FROM ({sql}) AS kind{number}")  # noqa: S608 - SQL that the ORM wrote
            values += params
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            return Counter(number for (number,) in cursor.fetchall())

    def count(self, name: str) -> str:
        if name not in self.told:
            return ""
        found = self.counts[list(WAITING).index(name)]
        return "99+" if found == MOST else str(found or "")
