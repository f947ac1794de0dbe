"""The tabs of the queue: each is a search, and a sum over the counts that triggers keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from complaints.cases.counting import Counted, count_queue, late_before
from complaints.cases.queue import DESK
from complaints.desk.access import among, is_restricted
from complaints.desk.query import Query, parse
from complaints.desk.tasks_page import tasks_for
from complaints.models import Case, User
from complaints.vocabulary import CaseState

REST = [state.value for state in CaseState if state not in (*DESK, CaseState.CLOSED)]
OPEN = [*(state.value for state in DESK), *REST]
CAP = 1_000  # cases of a restricted user that are looked at, to count theirs


@dataclasses.dataclass(frozen=True, slots=True)
class Tab:
    """title, the search it stands for, how its count is made, and what an empty one means and asks for."""

    name: str
    title: str
    query: Query
    count: Callable[[Counted], int]
    empty: tuple[str, str]
    newest_first: bool = False


def in_state(state: CaseState) -> Callable[[Counted], int]:
    return lambda counted: counted.of("case", state.value)


def needs_you(counted: Counted, holder: str = "") -> int:
    """Cases that are the desk's turn, and the late ones of the other turns."""
    return counted.of("case", *DESK, holder=holder) + counted.of("late", *REST, holder=holder)


TABS = (
    Tab(
        "you", "Needs you", parse("turn:you"), needs_you,
        ("Nothing needs you", "The rest is with customers or with the machine. New work appears here by itself."),
    ),
    Tab(
        "mine", "Mine", parse("is:mine"), lambda counted: counted.of("case", *OPEN, holder="mine"),
        ("Nothing is assigned to you", "Press a on a case, or choose “Assign” there, and it stands here."),
    ),
    Tab(
        "unassigned", "Unassigned", parse("turn:you is:unassigned"), lambda counted: needs_you(counted, "nobody"),
        ("Somebody has each case", "Cases that need the desk and that nobody has taken stand here."),
    ),
    Tab(
        "triage", "Triage", parse("state:triage"), in_state(CaseState.TRIAGE),
        ("Nothing to decide", "Cases come here when the machine is not sure enough to accuse anybody."),
    ),
    Tab(
        "answered", "Answered", parse("state:answered"), in_state(CaseState.ANSWERED),
        ("No unread answers", "Disputes and questions of customers come here; plain fixes are verified without you."),
    ),
    Tab(
        "late", "Overdue", parse("is:late"), lambda counted: counted.of("late"),
        ("Nothing is overdue", "Cases whose deadline passed, ours or the customer's, stand here."),
    ),
    Tab(
        "escalated", "Escalated", parse("state:escalated"), in_state(CaseState.ESCALATED),
        ("Nothing is escalated", "Cases come here when the deadline passed without a proven fix."),
    ),
    Tab(
        "customers", "With customers", parse("state:notified"), in_state(CaseState.NOTIFIED),
        ("No customer has to act", "Cases stand here after a notice, until the customer answers or time is up."),
    ),
    Tab(
        "verifying", "Being verified", parse("state:verifying"), in_state(CaseState.VERIFYING),
        ("Nothing is being verified", "Cases come here when a customer says it is fixed: clean checks close them."),
    ),
    Tab(
        "investigating", "Investigating", parse("state:investigating"), in_state(CaseState.INVESTIGATING),
        ("Nothing is being investigated", "New cases stand here for the minutes that their first checks take."),
    ),
    Tab(
        "open", "All open", parse("is:open"), lambda counted: counted.of("case", *OPEN),
        ("No open case", "Either your network is clean, or no complaint mail arrives: see “Unread”, and the README."),
    ),
    Tab(
        "closed", "Closed", parse("is:closed"), in_state(CaseState.CLOSED),
        ("No closed case yet", "Cases appear here once their fix is proven, or an analyst closes them with a reason."),
        newest_first=True,
    ),
)  # fmt: skip
YOURS = ("you", "mine", "unassigned", "triage", "answered", "late")
TAB = {tab.name: tab for tab in TABS}
# Other lists that wait for a person, beside the cases.
LISTS: tuple[tuple[str, str, Callable[[User, Counted], str]], ...] = (
    ("Unread messages", "desk:unread", lambda user, counted: f"{counted.of('unread'):,}"),
    ("Unattributed", "desk:unattributed", lambda user, counted: f"{counted.of('unattributed'):,}"),
    ("Tasks", "desk:tasks", lambda user, counted: tasks_text(user)),
)


def tab_of(query: Query) -> Tab | None:
    """The tab in which this search narrows; the narrowest of those it could be."""
    fitting = [tab for tab in TABS if query.covers(tab.query)]
    return max(fitting, key=lambda tab: len(tab.query.terms), default=None)


def counts_for(user: User, now: datetime) -> Counted:
    """Whoever may see all is told by the kept counts; a restricted user's own cases are looked at."""
    if not is_restricted(user):
        return count_queue(user_id=user.pk, now=now)
    rows = among(user, Case.objects.active()).values_list("state", "assignee", "deadline_at")[:CAP]
    return counted_of(rows, user.pk, late_before(now))


def counted_of(rows: Iterable[tuple[str, int | None, datetime | None]], user_id: int, late: datetime) -> Counted:
    numbers: dict[tuple[str, str, str], int] = {}
    for state, assignee, deadline in rows:
        who = "nobody" if assignee is None else "mine" if assignee == user_id else "others"
        for what in ("case", "late") if deadline and deadline < late else ("case",):
            numbers[what, state, who] = numbers.get((what, state, who), 0) + 1
    return Counted(numbers)


def count_text(count: int, *, capped: bool) -> str:
    return f"{CAP - 1}+" if capped and count >= CAP - 1 else f"{count:,}"


def shown_tabs(user: User, counted: Counted, current: Tab | None) -> list[dict[str, Any]]:
    capped = is_restricted(user)
    return [
        {
            "name": tab.name,
            "title": tab.title,
            # How many a restricted user has closed is not looked at.
            "count": "" if capped and tab.name == "closed" else count_text(tab.count(counted), capped=capped),
            "current": tab is current,
            "is_yours": tab.name in YOURS,
        }
        for tab in TABS
    ]


def shown_lists(user: User, counted: Counted) -> list[dict[str, Any]]:
    if is_restricted(user):
        return []
    return [{"title": title, "url": url, "count": count(user, counted)} for title, url, count in LISTS]


def tasks_text(user: User) -> str:
    """Those that this reader can do: few, so they are looked at."""
    return count_text(len(tasks_for(user).values_list("pk")[: CAP - 1]), capped=True)
