"""@name in a note: whoever is named finds it among their tasks, if they may see the case."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import datetime

from complaints.cases.scope import scope_of
from complaints.models import Case, CaseEvent, DeskTask, User

KIND = "mention"
NAME = re.compile(r"(?<![\w@./-])@([\w][\w.+-]{0,148}\w|\w)")
MOST = 10  # in one note
FAR_BACK = 200  # entries of the history, for the note may be found in it when much has happened since


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """`unknown`: names that nobody at the desk has who may see the case."""

    people: Sequence[User]
    unknown: Sequence[str]


def names_in(text: str) -> list[str]:
    """In the order of the text, each once, in small letters. Pure."""
    return list(dict.fromkeys(name.lower() for name in NAME.findall(text)))[:MOST]


def asked_in(case: Case, text: str, *, actor: str) -> Asked:
    """Whom a note of `actor` with this text asks; nobody asks themselves."""
    wanted = names_in(text)
    if not wanted:
        return Asked((), ())
    by_name = {user.username.lower(): user for user in User.objects.filter(is_active=True)}
    found = {name: by_name[name] for name in wanted if name in by_name and may_see(by_name[name], case)}
    people = [user for user in found.values() if user.username != actor]
    return Asked(people, [name for name in wanted if name not in found])


def ask_mentioned(case: Case, note: CaseEvent, *, actor: str, now: datetime) -> Asked:
    """A task for each person that `note` names. Safe to repeat."""
    text = str(note.data.get("text") or "")
    asked = asked_in(case, text, actor=actor)
    told = {
        "title": f"{actor} asks you about case {case.number}",
        "text": text,
        "url": f"/case/{case.pk}?shown={FAR_BACK}#event-{note.pk}",
        "case": case,
        "opened_at": now,
        "opened_by": actor,
    }
    for user in asked.people:
        DeskTask.objects.get_or_create(
            kind=KIND, key=f"{note.pk}:{user.pk}", done_at=None, defaults=told | {"to": user}
        )
    return asked


def may_see(user: User, case: Case) -> bool:
    return user.is_superuser or Case.objects.filter(scope_of(user, Case), pk=case.pk).exists()
