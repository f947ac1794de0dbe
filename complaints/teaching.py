"""Teaching a sender's format: a rule is proposed from marked text, tried on that sender's stored mails, put in use.

Rules are never changed; a better one is a new version that takes the old one's place, and each complaint's
`source_reason` names the rule that read it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db import transaction

from complaints.formats.errors import MalformedComplaint
from complaints.formats.header_text import bare_address
from complaints.formats.mail import Mail
from complaints.formats.taught import FIELDS, LONGEST_BEFORE, BadPattern, TaughtRule, compiled, read_by
from complaints.models import Complaint, Message, Reading, Reporter, SenderRule
from complaints.vocabulary import Category, ParsedComplaint

State = SenderRule.State
WHERE = ("source_ip", "reported_uri")  # a rule must find one of them
MOST_TRIED = 30
MOST_AGAIN, PATIENCE_S = 500, 5.0  # somebody waits for the page
MOST_LOOKED_THROUGH = 2_000
SHORTEST_BEFORE = 3


class BadRule(ValueError):
    """The rule cannot be used. problems: sentence by field name; "" for the rule as a whole."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclasses.dataclass(frozen=True, slots=True)
class Tried:
    """What a rule makes of one stored mail. before: how many complaints were read of it so far."""

    message: Message
    reading: Reading
    complaints: tuple[ParsedComplaint, ...]
    before: int
    is_meant: bool
    problem: str = ""


def propose_rule(
    *,
    message: Message,
    sender: str,
    fields: Mapping[str, Mapping[str, str]],
    category: Category,
    phrase: str = "",
    replaces: SenderRule | None = None,
    by: str,
    now: datetime,
) -> SenderRule:
    """A draft, which decides nothing yet. Raises BadRule."""
    sender, phrase = sender.strip().lower(), " ".join(phrase.split())
    kept = {name: dict(each) for name, each in fields.items() if each.get("before") or each.get("pattern")}
    problems = dict(problems_of(message, sender, kept, phrase))
    if problems:
        raise BadRule(problems)
    return SenderRule.objects.create(
        sender=sender,
        phrase=phrase,
        category=category.value,
        fields=kept,
        version=replaces.version + 1 if replaces else 1,
        replaces=replaces,
        message=message,
        created_by=by,
        created_at=now,
    )


def problems_of(
    message: Message, sender: str, fields: Mapping[str, Mapping[str, str]], phrase: str
) -> Iterator[tuple[str, str]]:
    author = sender_of(message)
    if sender not in (author, "@" + author.rpartition("@")[2]) or "@" not in author:
        yield "sender", f"The mail is from {author or 'nobody'}: the rule can be for that address or for its domain"
    if len(phrase) > 200:
        yield "phrase", "At most 200 characters"
    if not any(name in fields for name in WHERE):
        yield "", "Mark the address or the page that is accused: a rule that finds neither reads nothing"
    for name, each in fields.items():
        if name not in FIELDS:
            yield name, f"There is no field {name}: {', '.join(FIELDS)}"
        elif each.get("pattern"):
            try:
                compiled(each["pattern"])
            except BadPattern as exc:
                yield name, str(exc).capitalize()
        elif len(each["before"].strip()) < SHORTEST_BEFORE or len(each["before"]) > LONGEST_BEFORE:
            yield (
                name,
                f"The text before it must be {SHORTEST_BEFORE} to {LONGEST_BEFORE} characters long",
            )


def sender_of(message: Message) -> str:
    try:
        return (bare_address(Mail(message.raw).headers.first("from")) or "").lower()
    except MalformedComplaint:
        return ""


def try_rule(rule: SenderRule, *, most: int = MOST_TRIED) -> list[Tried]:
    """On the newest mails of that sender that are stored, the one it was shown on first. Writes nothing."""
    taught = rule.taught
    found = [try_on(taught, message) for message in stored_mails(rule.sender, first=rule.message_id, most=most)]
    return sorted(found, key=lambda tried: tried.message.pk != rule.message_id)


def try_on(rule: TaughtRule, message: Message) -> Tried:
    complaints: tuple[ParsedComplaint, ...] = ()
    is_meant, problem = False, ""
    try:
        mail = Mail(message.raw)
        if is_meant := rule.is_meant(mail):
            complaints = tuple(read_by(rule, mail))
            problem = "; ".join(mail.problems)
    except MalformedComplaint as exc:
        problem = str(exc)
    return Tried(message, message.reading, complaints, message.reading.complaint_count, is_meant, problem)


def stored_mails(sender: str, *, first: int | None, most: int) -> list[Message]:
    """Unread ones by their reading's sender, read ones by the complaints of that reporter: both by an index."""
    ends = sender if sender.startswith("@") else ""
    parked = Reading.objects.filter(state=Reading.State.UNREAD).order_by("-pk").values_list("pk", "sender")
    ids = [
        pk
        for pk, who in parked[:MOST_LOOKED_THROUGH]
        if (who.lower().endswith(ends) if ends else who.lower() == sender)
    ]
    wanted = {"address__endswith": ends} if ends else {"address": sender}
    # Looked up first: who has complained seldom would be searched for among all complaints.
    reporters = list(Reporter.objects.filter(**wanted).values_list("pk", flat=True)[:MOST_LOOKED_THROUGH])
    by_them = Complaint.objects.filter(reporter__in=reporters).order_by("-received_at", "-pk")
    read = by_them.values_list("message", flat=True)[: most * 5]
    chosen = dict.fromkeys([first, *ids[:most], *read] if first else [*ids[:most], *read])
    rows = Message.objects.filter(pk__in=list(chosen)[:most]).select_related("reading")
    return list(rows.order_by("-pk"))


def put_in_use(rule: SenderRule, *, by: str, now: datetime) -> list[int]:
    """In the place of the version before it; ids of unread mails of that sender, to be read again. Safe to repeat."""
    with transaction.atomic():
        drafts = SenderRule.objects.filter(pk=rule.pk, state=State.DRAFT)
        if not drafts.update(state=State.ACTIVE, changed_by=by, changed_at=now):
            return []
        if rule.replaces_id:
            old = SenderRule.objects.filter(pk=rule.replaces_id, state=State.ACTIVE)
            old.update(state=State.RETIRED, changed_by=by, changed_at=now)
    shown = Reading.objects.filter(pk=rule.message_id, state=Reading.State.READ, complaint_count=0)
    shown.update(state=Reading.State.UNREAD, problem=f"To be read again by {rule}")
    return to_read_again(rule)


def to_read_again(rule: SenderRule) -> list[int]:
    """Unread mails of that sender that the rule reads. A slow expression is not tried for long: what is left is read
    again in any case, which harms nothing."""
    taught, until = rule.taught, time.monotonic() + PATIENCE_S
    mails = stored_mails(rule.sender, first=rule.message_id, most=MOST_AGAIN)
    parked = [message for message in mails if is_parked(message.reading)]
    return [each.pk for each in parked if time.monotonic() > until or try_on(taught, each).complaints]


def retire_rule(rule: SenderRule, *, by: str, now: datetime) -> bool:
    """Out of use; what it read stays as it was filed."""
    alive = SenderRule.objects.filter(pk=rule.pk).exclude(state=State.RETIRED)
    return bool(alive.update(state=State.RETIRED, changed_by=by, changed_at=now))


def is_parked(reading: Reading) -> bool:
    return reading.state == Reading.State.UNREAD


def taught_rules() -> list[TaughtRule]:
    """Those in use, the newest first: the one that was shown last knows the sender best."""
    return [rule.taught for rule in SenderRule.objects.filter(state=State.ACTIVE).order_by("-pk")]
