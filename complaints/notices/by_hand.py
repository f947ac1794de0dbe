"""An analyst's own words to the customer of a case, or to a reporter: one letter, threaded, and in their name."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.template import Context

from complaints.cases.transitions import add_note
from complaints.models import Case, Notice, ReporterMail
from complaints.notices.acknowledging import facts_of_report
from complaints.notices.compose import DEFAULT_LANGUAGE, facts_of, language_of, letter_for, queue_notice, with_mark
from complaints.notices.letter import as_text, read_letter
from complaints.notices.reporter_mail import Answerable, compose, new_message_id, thread_of

STEP = "message"
MOST_WORDS = 5000


@dataclasses.dataclass(frozen=True, slots=True)
class Preview:
    subject: str
    text: str


def extra_of(words: str) -> dict[str, str]:
    return {"words": words.strip()[:MOST_WORDS]}


def preview(case: Case, words: str) -> Preview:
    """The letter as it would be sent."""
    wanted = str(case.owner.get("language") or DEFAULT_LANGUAGE)
    template = letter_for(STEP, cause=case.cause, category=case.category, language=wanted)
    facts = facts_of(case, language_of(template)) | extra_of(words)
    letter = read_letter(template.render(Context(facts, autoescape=False)))
    return Preview(with_mark(letter.subject, case.number), as_text(letter))


def next_message(case: Case) -> int:
    """The number of the next message: a form carries it, so that what is sent twice goes once."""
    return 1 + (case.notices.filter(step=STEP).aggregate(last=Max("occurrence"))["last"] or 0)


def write_to_customer(case: Case, words: str, *, number: int, actor: str, now: datetime) -> Notice | None:
    """None when nobody can be written to. The same number again finds the first mail."""
    with transaction.atomic():
        known = case.notices.filter(step=STEP, occurrence=number).first()
        notice = known or queue_notice(case, STEP, occurrence=number, now=now, extra=extra_of(words))
        if notice is not None and known is None:
            add_note(case, actor=actor, text=f"Wrote to {notice.to_email}: {words.strip()[:200]}")
    return notice


def write_to_reporter(about: Answerable, complaints: list[Any], words: str, *, now: datetime) -> ReporterMail:
    """By hand, so no limit holds it; the same words to the same mail go once."""
    facts = facts_of_report(complaints) | {"words": words.strip()[:MOST_WORDS]}
    kind = ReporterMail.Kind.MESSAGE
    with transaction.atomic():
        for known in ReporterMail.objects.filter(incoming=about.message, kind=kind):
            if known.facts.get("words") == facts["words"]:
                return known
        return ReporterMail.objects.create(
            incoming=about.message, reporter=about.reporter, kind=kind, message_id=new_message_id(about.message),
            thread=thread_of(about), day=now.date(), slot=None, queued_at=now, due_at=now,
            **compose(about, kind, facts),
        )  # fmt: skip


def phrases(language: str) -> list[tuple[str, str]]:
    """Titles and texts to begin with, in the customer's language: templates/notices/LANGUAGE/phrases.txt."""
    folder = settings.BASE_DIR / "templates" / "notices"
    wanted = [folder / each / "phrases.txt" for each in (language.lower().partition("-")[0], DEFAULT_LANGUAGE)]
    path = next((each for each in wanted if each.is_file()), None)
    parts = path.read_text(encoding="utf-8").split("### ")[1:] if path else []
    return [(title.strip(), text.strip()) for title, _, text in (part.partition("\n") for part in parts)]
