"""The life of a playbook's version: drafted, changed, seconded, activated, drained. Who did it is written down.

Every verb is one transaction, and changes nothing when somebody else was quicker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from complaints.cases.branches import numbered
from complaints.models import Case, PlaybookChange, PlaybookVersion
from complaints.notices.compose import NoSuchLetter, letter_for
from complaints.playbooks.actions import load_actions
from complaints.playbooks.documents import BadPlaybook, Step, parse_steps
from complaints.playbooks.loading import checked as checked_document
from complaints.playbooks.parameters import suspends
from complaints.registry import by_name

State, What = PlaybookVersion.State, PlaybookChange.What
MOST_TITLE, MOST_NOTE = 200, 2000
COUNTED = 1000  # open cases of a version; from there on "1000 or more"


class NotNow(Exception):
    """The version cannot be changed like that now; the text says why, for the person who asked."""


class StaleDraft(NotNow):
    """Somebody else changed the draft since it was loaded."""


def steps_of_version(version: PlaybookVersion) -> list[Step]:
    return parse_steps(version.document, by_name(load_actions()))


def checked(document: Any) -> dict[str, Any]:
    """As the loader checks it, and that its letters are written. Raises BadPlaybook naming step and field."""
    found = checked_document(document)
    for field, most in (("title", MOST_TITLE), ("note", MOST_NOTE)):
        if not isinstance(found.get(field, ""), str) or len(found.get(field, "")) > most:
            raise BadPlaybook(f"{field}: is a text of {most} characters at most")
    for step in parse_steps(found, by_name(load_actions())):
        if letter := step.params.get("notice"):
            check_letter(step, str(letter))
    return found


def check_letter(step: Step, letter: str) -> None:
    try:
        letter_for(letter, cause="unknown", category="other", language="en")
    except NoSuchLetter:
        raise BadPlaybook(f"step {step.id}: notice: no letter is written for {letter!r}") from None


def make_draft(document: Mapping[str, Any], *, actor: str, now: datetime, text: str = "") -> PlaybookVersion:
    """A new version of the document's name, that rules no case yet.

    Raises:
        BadPlaybook: the document cannot be used.
        NotNow: there is a draft of this name already.
    """
    found = checked(document)
    name = found["name"]
    try:
        with transaction.atomic():
            last = PlaybookVersion.objects.filter(name=name).aggregate(last=Max("number"))["last"] or 0
            told = PlaybookChange.objects.filter(name=name).aggregate(last=Max("number"))["last"] or 0
            version = PlaybookVersion.objects.create(
                name=name, number=max(last, told) + 1, state=State.DRAFT, document=found,
                created_at=now, created_by=actor, changed_at=now, changed_by=actor,
            )  # fmt: skip
            tell(version, What.DRAFTED, actor=actor, now=now, text=text)
    except IntegrityError:
        raise NotNow(f"there is a draft of {name!r} already: change that one, or throw it away first") from None
    return version


def change_draft(
    version: PlaybookVersion, document: Mapping[str, Any], *, actor: str, now: datetime, text: str = ""
) -> None:
    """Put `document` in place of the draft's. What a second person agreed to was another one: they are asked again.

    Raises:
        BadPlaybook: the document cannot be used, or has another name.
        StaleDraft: it was changed, activated or thrown away since it was loaded.
    """
    found = checked(document)
    if found["name"] != version.name:
        raise BadPlaybook(f"name: a draft of {version.name!r} keeps its name; load {found['name']!r} as a new playbook")
    columns = {"document": found, "changed_at": now, "changed_by": actor, "seconded_by": ""}
    with transaction.atomic():
        update(version, State.DRAFT, **columns)
        tell(version, What.CHANGED, actor=actor, now=now, text=text)


def second(version: PlaybookVersion, *, actor: str, now: datetime) -> None:
    """A second person has read it and agrees: only then may its steps suspend.

    Raises:
        NotNow: the same person wrote or activated it, or it drains.
        StaleDraft: it was changed since it was loaded.
    """
    if version.state == State.DRAINING:
        raise NotNow("it drains: nobody needs to agree to it any more")
    if actor in authors(version):
        raise NotNow("it needs a second person: you wrote or activated it yourself")
    with transaction.atomic():
        update(version, State(version.state), seconded_by=actor)
        tell(version, What.SECONDED, actor=actor, now=now)


def authors(version: PlaybookVersion) -> set[str]:
    return {version.created_by, version.changed_by, version.activated_by} - {""}


def activate(version: PlaybookVersion, *, actor: str, now: datetime) -> None:
    """From now on new cases follow it; the version before it drains.

    Raises:
        BadPlaybook: it cannot be used any more, or no playbook would be left for every case.
        NotNow: it suspends, and a second person has not agreed.
        StaleDraft: it was changed since it was loaded.
    """
    checked(version.document)
    if any(suspends(step) for step in steps_of_version(version)) and version.seconded_by in ("", actor):
        raise NotNow("it suspends customers: a second person, who is not you, must agree first")
    columns = {"state": State.ACTIVE, "activated_by": actor, "activated_at": now}
    with transaction.atomic():
        PlaybookVersion.objects.filter(name=version.name, state=State.ACTIVE).update(state=State.DRAINING)
        update(version, State.DRAFT, **columns)
        check_general_left()
        tell(version, What.ACTIVATED, actor=actor, now=now)


def retire(version: PlaybookVersion, *, actor: str, now: datetime) -> None:
    """No new case follows it; those that do, keep it. Raises NotNow, BadPlaybook."""
    with transaction.atomic():
        update(version, State.ACTIVE, state=State.DRAINING)
        check_general_left()
        tell(version, What.RETIRED, actor=actor, now=now)


def discard_draft(version: PlaybookVersion, *, actor: str, now: datetime) -> None:
    """Throw the draft away; that it was there stays in the history. Raises StaleDraft."""
    with transaction.atomic():
        gone, _ = PlaybookVersion.objects.filter(pk=version.pk, state=State.DRAFT, revision=version.revision).delete()
        if not gone:
            raise StaleDraft(changed_meanwhile(version))
        tell(version, What.DISCARDED, actor=actor, now=now)


def update(version: PlaybookVersion, was: str, **columns: Any) -> None:
    """The conditional update that is the lock. Raises StaleDraft; call it inside a transaction."""
    rows = PlaybookVersion.objects.filter(pk=version.pk, state=was, revision=version.revision)
    if not rows.update(revision=F("revision") + 1, **columns):
        raise StaleDraft(changed_meanwhile(version))
    version.refresh_from_db()


def changed_meanwhile(version: PlaybookVersion) -> str:
    return f"{version} was changed by somebody else since you opened it: look at it again"


def check_general_left() -> None:
    """Every case must find a playbook: one that is meant for all has to stay. Raises BadPlaybook."""
    active = PlaybookVersion.objects.filter(state=State.ACTIVE).values_list("document", flat=True)
    if not any(not document.get("for") for document in active):
        raise BadPlaybook("for: no active playbook would be left for every case; one without 'for' has to stay")


def tell(version: PlaybookVersion, what: str, *, actor: str, now: datetime, text: str = "") -> None:
    PlaybookChange.objects.create(
        name=version.name, number=version.number, at=now, actor=actor, what=what, text=text[:500]
    )


def open_cases(versions: Iterable[PlaybookVersion]) -> dict[int, int]:
    """How many open cases follow each, counted to COUNTED at most, by the index of the open ones alone."""
    ids = [version.pk for version in versions]
    found = Counter(
        number for number, _ in numbered(Case.objects.active().filter(playbook=pk).values("pk")[:COUNTED] for pk in ids)
    )
    return {pk: found[number] for number, pk in enumerate(ids)}
