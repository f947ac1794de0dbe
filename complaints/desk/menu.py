"""The menu of the desk: one table. Who adds a page adds a line here; bar, menu and palette are made from it.

A page says which entry is current by `"nav": "…"` in its context.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from django.urls import reverse

BAR = ""  # the group that always stands in the bar; the others fold out of it
GROUPS = (BAR, "Cases", "People", "Network", "Rules and reports", "Set-up")


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu.

    needs: the capabilities (desk/roles.py), with spaces between, without which it is not offered.
    waits: a name of context.WAITING, whose number stands beside the title; `waiting` says what it counts.
    """

    nav: str
    title: str
    url: str
    group: str = BAR
    needs: str = "see_network"
    waits: str = ""
    waiting: str = "wait"


ENTRIES = (
    Entry("queue", "Queue", "desk:queue", needs="see_cases"),
    Entry("unread", "Unread", "desk:unread"),
    Entry(
        "unattributed", "Unattributed", "desk:unattributed", needs="see_cases",
        waits="answers_to_read", waiting="answers to read",
    ),
    Entry("tasks", "Tasks", "desk:tasks", needs="see_cases", waits="open_tasks", waiting="for you"),
    Entry("whose", "Who had it", "desk:whose", needs="see_cases"),
    Entry("enter", "Enter a complaint", "desk:enter", "Cases", needs="see_network work_cases"),
    Entry(
        "approvals", "Approvals", "desk:approvals", "Cases", needs="see_approvals",
        waits="approvals_waiting", waiting="wait for a second person",
    ),
    Entry("corrections", "Corrections", "desk:corrections", "Cases", needs="see_cases", waits="corrections_waiting"),
    Entry("campaigns", "Campaigns", "desk:campaigns", "Cases"),
    Entry("customers", "Customers", "desk:customers", "People", needs="see_cases"),
    Entry(
        "contacts", "Contacts", "desk:contacts", "People",
        waits="unreachable_contracts", waiting="contracts cannot be told",
    ),
    Entry(
        "blacklists", "Blacklists", "desk:blacklists", "Network", waits="lists_to_look_at", waiting="need attention"
    ),
    Entry("watch", "Watch", "desk:watch", "Network", waits="rises_now", waiting="rises"),
    Entry("holds", "Hold", "desk:holds", "Network"),
    Entry("reporters", "Reporters", "desk:reporters", "People"),
    Entry("rules", "Rules", "desk:rules", "Rules and reports"),
    Entry("sender-rules", "Taught senders", "desk:sender-rules", "Rules and reports"),
    Entry("priority", "Priority", "desk:priority", "Rules and reports", needs="see_reports"),
    Entry("playbooks", "Playbooks", "desk:playbooks", "Rules and reports", needs="see_playbooks"),
    Entry("offenders", "Offenders", "desk:offenders", "Rules and reports", needs="see_reports"),
    Entry("read-log", "Read log", "desk:read-log", "Rules and reports", needs="see_read_log"),
    Entry("account", "Your account", "account", "Set-up", needs="see_cases"),
    Entry("resolvers", "Resolvers", "desk:resolvers", "Set-up", needs="configure"),
    Entry("admin", "Admin", "admin:index", "Set-up", needs="configure"),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """An entry as a page shows it. `count`: how many wait, "" for none."""

    nav: str
    title: str
    href: str
    count: str
    waiting: str


class Menu:
    """What the reader may open, with what waits; nothing is asked before a page shows it."""

    def __init__(self, *, can: Callable[[str], bool], count: Callable[[str], str]) -> None:
        self._can, self._count = can, count

    def links(self, group: str) -> Iterator[Link]:
        for entry in ENTRIES:
            if entry.group == group and all(map(self._can, entry.needs.split())):
                count = self._count(entry.waits) if entry.waits else ""
                yield Link(entry.nav, entry.title, reverse(entry.url), count, entry.waiting)

    def bar(self) -> list[Link]:
        return list(self.links(BAR))

    def groups(self) -> list[dict[str, Any]]:
        """Those that hold something for the reader, in the order of GROUPS."""
        found = ((title, list(self.links(title))) for title in GROUPS[1:])
        return [{"title": title, "links": links} for title, links in found if links]
