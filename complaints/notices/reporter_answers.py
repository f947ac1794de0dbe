"""Reporters who answer our question by mail: what they tell goes to their complaints, and attribution is asked again.

An answer counts when it names the Message-ID of our question and comes from the address that we wrote to, or from the
one that complained. What a machine cannot read clearly it does not guess: it waits for a person, with its text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from complaints.attribution.times import utc_text
from complaints.cases.questions import Told as Known
from complaints.cases.questions import told_of
from complaints.cases.reattribution import ask_again
from complaints.cases.transitions import MACHINE
from complaints.formats.authentication import authenticated_domain
from complaints.formats.header_text import bare_address
from complaints.formats.mail import Mail
from complaints.formats.reporter_reply import ids_answered
from complaints.models import AttributionWait, Complaint, Message, ReporterAnswer, ReporterMail
from complaints.models.text import storable
from complaints.notices.own_words import MOST_READ, MOST_WORDS, words_of
from complaints.notices.told import NOTHING, Asked, Told, says_nothing, told_facts
from complaints.vocabulary import Answer

State = ReporterAnswer.State
OUR_LETTER = re.compile(
    r"RFC\s+6302|NNNNN"
)  # stands in every letter that asks, and is left when lines were broken anew
BECAUSE = "the reporter answered our question"
NOT_CLEAR = "A machine cannot tell for sure what the answer says."
SAYS_NOTHING = "It names no port and no time, and takes nothing back: a machine has put it away."
NOT_ENOUGH = "What the reporter tells does not say whose line it was either."
NOT_ASKED = "It answers a mail of ours that asked nothing."


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    told: dict[int, list[int]]  # complaints that something was told of, by message
    strays: list[Message]  # they name a mail that we never wrote


def record_answers(messages: Sequence[Message], *, now: datetime) -> Answered:
    """Each answer once. What a machine can read of it is kept with its complaints, which `ask_about` asks about again.

    Those have a wait that is due at once: should we die between the two, the sweep asks.
    """
    told: dict[int, list[int]] = {}
    strays: list[Message] = []
    for message in messages:
        mail = Mail(message.raw)
        ours = mail_answered(mail)
        if ours is None:
            strays.append(message)
        elif not ReporterAnswer.objects.filter(message=message).exists():
            told[message.pk] = record_answer(message, mail, ours, now=now)
    return Answered(told, strays)


def ask_about(answered: Answered, *, now: datetime) -> set[int]:
    """The cases that got complaints. Outside every transaction: a source of truth may be a service far away."""
    cases = ask_again(sorted({pk for ids in answered.told.values() for pk in ids}), now=now, because=BECAUSE).cases
    for message, ids in answered.told.items():
        if ids and Complaint.objects.filter(pk__in=ids, answer=Answer.UNSURE.value).exists():
            used = ReporterAnswer.objects.filter(message=message, state=State.USED)
            used.update(state=State.UNCLEAR, problem=NOT_ENOUGH)
    return cases


def mail_answered(mail: Mail) -> ReporterMail | None:
    ids = ids_answered(mail.headers)[-20:]
    sent = ReporterMail.objects.select_related("reporter").exclude(state=ReporterMail.State.WITHHELD)
    return sent.filter(message_id__in=ids).order_by("-pk").first()


def record_answer(message: Message, mail: Mail, ours: ReporterMail, *, now: datetime) -> list[int]:
    """The complaints that it tells something of."""
    waiting = waiting_complaints(ours)
    words = words_of(mail, most=MOST_READ)
    theirs = without_lines_of(ours.text, words)
    problem = problem_of(mail, ours) or (NOT_CLEAR if OUR_LETTER.search(theirs) else "")
    facts = [NOTHING] * len(waiting)
    if not problem:
        facts = told_facts(theirs, [asked for _, asked in waiting], received_at=message.received_at)
    by_id = {pk: told for (pk, _), told in zip(waiting, facts, strict=True) if told != NOTHING}
    unclear = [asked for (_, asked), told in zip(waiting, facts, strict=True) if not told.answers(asked)]
    with transaction.atomic():
        keep_told(by_id, by=message.pk, now=now)
        is_empty = not problem and bool(unclear) and not by_id and says_nothing(theirs)
        if not problem and unclear:
            problem = SAYS_NOTHING if is_empty else NOT_CLEAR
        is_settled = not waiting and ours.kind == ReporterMail.Kind.ASK_MISSING
        state = State.READ if is_empty else State.UNCLEAR if problem and not is_settled else State.USED
        ReporterAnswer.objects.create(
            mail=ours,
            message=message,
            text=storable(words, MOST_WORDS),
            told=[{"complaint": pk, **as_json(told)} for pk, told in by_id.items()],
            state=state,
            read_by=MACHINE if is_empty else "",
            problem=storable(problem, 500),
            at=now,
        )
    return sorted(by_id)


def without_lines_of(letter: str, words: str) -> str:
    """Some programs quote without marks: what we wrote ourselves must tell us nothing."""
    ours = {line.strip() for line in letter.splitlines() if len(line.strip()) > 5}
    return "\n".join(line for line in words.splitlines() if line.strip() not in ours)


def problem_of(mail: Mail, ours: ReporterMail) -> str:
    sender = (bare_address(mail.headers.first("from")) or "").lower()
    if sender not in (ours.to_email.lower(), ours.reporter.address.lower()):
        return f"It comes from {sender or 'nobody'}, and we wrote to {ours.to_email}."
    if not is_proven(mail, ours):
        return f"Nothing proves that {sender} wrote it, as it was proven of the complaint."
    return "" if ours.kind == ReporterMail.Kind.ASK_MISSING else NOT_ASKED


def is_proven(mail: Mail, ours: ReporterMail) -> bool:
    """As well as the complaint was: whoever had a copy of our question knows its Message-ID, and can write any From."""
    asked_about = [each["complaint"] for each in ours.facts.get("complaints", ())]
    known = Complaint.objects.filter(pk__in=asked_about).values_list("evidence", flat=True)
    domains = {domain for evidence in known if (domain := evidence.get("authenticated"))}
    return not domains or authenticated_domain(mail.headers, settings.AUTHSERV_ID) in domains


def waiting_complaints(ours: ReporterMail) -> list[tuple[int, Asked]]:
    """Those that we asked about and still cannot attribute, with what is missing after earlier answers."""
    lines = {each["complaint"]: each for each in ours.facts.get("complaints", ()) if each.get("missing")}
    open_ones = Complaint.objects.filter(pk__in=lines, answer=Answer.UNSURE.value, case=None)
    return [(each.pk, as_asked(lines[each.pk], told_of(each))) for each in open_ones.only("evidence").order_by("pk")]


def as_asked(line: Mapping[str, Any], known: Known) -> Asked:
    given = {"port": known.port is not None}
    missing = tuple(what for what in line["missing"] if not given.get(what, known.at is not None))
    return Asked(line["address"], datetime.fromisoformat(line["at"]), missing)


def keep_told(told: Mapping[int, Told], *, by: int, now: datetime) -> None:
    """Keep what was told (by the message `by`) with the complaints; their waits are over."""
    for complaint in Complaint.objects.filter(pk__in=list(told)).only("pk", "evidence"):
        known = complaint.evidence.get("told") or {}
        news = {name: value for name, value in as_json(told[complaint.pk]).items() if value is not None}
        complaint.evidence = complaint.evidence | {"told": {"port": None, "at": None} | known | news | {"message": by}}
        complaint.save(update_fields=["evidence"])
    AttributionWait.objects.filter(complaint__in=list(told), outcome="").update(due_at=now)


def as_json(told: Told) -> dict[str, int | str | None]:
    return {"port": told.port, "at": told.at.isoformat() if told.at else None}


def settle_answer(answer: ReporterAnswer, told: Mapping[int, Told], *, by: str, now: datetime) -> set[int]:
    """A person has read it: what they read from it is told, and it waits no more. The cases that got complaints."""
    with transaction.atomic():
        mine = ReporterAnswer.objects.filter(pk=answer.pk, state=State.UNCLEAR)
        if not mine.update(state=State.READ, read_by=by):
            return set()
        facts = {pk: each for pk, each in told.items() if each != NOTHING}
        keep_told(facts, by=answer.message_id, now=now)
    return ask_again(sorted(facts), now=now, because=BECAUSE).cases


def in_words(told: Told) -> str:
    parts = [f"port {told.port}"] * (told.port is not None) + ([utc_text(told.at)] if told.at else [])
    return ", ".join(parts)
