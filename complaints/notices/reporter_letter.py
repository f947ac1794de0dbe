"""The words of a mail to a reporter: templates/notices/LANGUAGE/reporter-KIND.txt, in the form of letter.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine

from complaints.attribution.times import utc_text
from complaints.formats import MalformedComplaint
from complaints.formats.mail import Mail
from complaints.formats.texts import text_of
from complaints.notices.languages import language_of
from complaints.notices.letter import as_text, one_line, read_letter

MOST_LINES = 40  # of the table of complaints; a mail of ours is short (RFC 3834 section 3.1.4)
LONGEST_SUBJECT = 100


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LetterFor:
    """What a letter is written for. subject, sent, message_id: the reporter's own reference, empty where unknown.

    facts: {"complaints": [{"complaint", "address", "port", "at", "missing"}, …]} and what the kind adds.
    """

    kind: str
    language: str
    by_machine: bool
    subject: str
    sent: str
    message_id: str
    facts: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    language: str
    subject: str
    text: str


def write_letter(about: LetterFor) -> Written:
    lines = [dict(line) for line in about.facts.get("complaints", ())]
    context = {
        **about.facts,
        "subject": subject_line(about.subject, by_machine=about.by_machine),
        "their_subject": cut(about.subject),
        "sent": one_line(about.sent),
        "their_id": about.message_id,
        "lines": [line | times_of(line) for line in lines[:MOST_LINES]],
        "more": max(0, len(lines) - MOST_LINES),
        "missing": {what for line in lines for what in line.get("missing", ())},
        "days": settings.REPORTER_WAIT_DAYS,
        "by_machine": about.by_machine,
        "desk_name": settings.DESK_NAME,
        "desk_email": settings.DESK_EMAIL,
    }
    template = Engine.get_default().get_template(f"notices/{about.language}/reporter-{about.kind}.txt")
    letter = read_letter(template.render(Context(context, autoescape=False)))
    return Written(about.language, letter.subject, as_text(letter))


def times_of(line: Mapping[str, Any]) -> dict[str, str]:
    """A letter that comes back quoted must tell nothing: where the zone is missing it names none."""
    at = utc_text(datetime.fromisoformat(line["at"]))
    return {"at": at, "local": at.removesuffix(" UTC")}


def subject_line(subject: str, *, by_machine: bool) -> str:
    """RFC 3834 section 3.1.5: "Auto:" before the subject that is answered. A person's answer is a plain reply."""
    words = cut(subject)
    if by_machine:
        return f"Auto: {words}".strip()
    return words if words.lower().startswith("re:") else f"Re: {words}".strip()


def cut(subject: str) -> str:
    words = one_line(subject)
    return words if len(words) <= LONGEST_SUBJECT else f"{words[: LONGEST_SUBJECT - 1].rstrip()}…"


def language_of_mail(mail: Mail) -> str:
    try:
        text = text_of(mail)
    except MalformedComplaint:
        text = ""
    stated = mail.headers.first("content-language") or ""
    return language_of(text, stated=stated, known=languages(), otherwise=settings.REPORTER_LANGUAGE)


@cache
def languages() -> frozenset[str]:
    """Those that every letter to reporters is written in: a language is added by adding its files."""
    found: dict[str, set[str]] = {}
    for folder in (Path(each) / "notices" for each in Engine.get_default().dirs):
        for path in folder.glob("*/reporter-*.txt"):
            found.setdefault(path.parent.name, set()).add(path.name)
    most = set().union(*found.values()) if found else set()
    return frozenset(language for language, letters in found.items() if letters == most)
