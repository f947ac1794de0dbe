"""Floods (RFC 6650 section 7.5): what one sender sends beyond a limit is read behind everything else. None is lost.

Each process counts in memory what it reads of each sender. Only a sender who comes near a limit is counted in the
database, where all processes meet: so ordinary mail costs no statement. The time is that of arrival: a backlog that
is read after an outage is no flood.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from zstandard import ZstdError

from complaints.cases.story import Accusation
from complaints.cases.tasks import end_task, open_task
from complaints.cases.transitions import MACHINE
from complaints.models import Flood, Message, Reading, Reporter, SenderMinute

TASK = "flood"
Spell = tuple[str, datetime]  # sender, minute
NEAR = 8  # a process that sees an eighth of a limit asks what the others saw
LOOKED_AT = 16 * 1024  # octets of a mail; its From stands near the top
FROM = re.compile(rb"^from:[^\n]{0,400}?([a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9.-]{1,255})", re.I | re.M)
HOUR = timedelta(hours=1)
OVER = timedelta(minutes=15)  # without a mail that had to be put off, a flood has ended
MOST_SENDERS = 20_000  # in memory


def sender_of(message: Message) -> str:
    """Who says that they sent it; "" where nobody does. Anybody may say so: it costs them a delay alone."""
    try:
        head = message.raw[:LOOKED_AT]
    except ZstdError:
        return ""  # whoever reads it next parks it, and says why
    end = head.find(b"\n\r\n")
    found = FROM.search(head[: end if end >= 0 else None])
    return (found[1].decode("ascii") if found else message.envelope_from).lower()[:320]


@dataclasses.dataclass(slots=True)
class Gauge:
    """What this process has read, of the present hour. untold: not yet added to what all processes saw."""

    hour: datetime | None = None
    hours: Counter[str] = dataclasses.field(default_factory=Counter)
    minutes: Counter[Spell] = dataclasses.field(default_factory=Counter)
    untold: dict[str, Counter[datetime]] = dataclasses.field(default_factory=lambda: defaultdict(Counter))

    def add(self, sender: str, minute: datetime) -> None:
        hour = minute.replace(minute=0)
        if self.hour != hour or len(self.hours) > MOST_SENDERS:
            self.hour = hour
            self.hours.clear()
            self.minutes.clear()
            self.untold.clear()
        self.hours[sender] += 1
        self.minutes[sender, minute] += 1
        self.untold[sender][minute] += 1

    def is_near(self, spell: Spell) -> bool:
        """The sender may have come to a limit, for all that this process knows."""
        limits = ((self.minutes[spell], settings.FLOOD_PER_MINUTE), (self.hours[spell[0]], settings.FLOOD_PER_HOUR))
        return any(limit and count * NEAR >= limit for count, limit in limits)


GAUGE = Gauge()


def let_through(messages: Sequence[Message], *, claim: str, now: datetime, gauge: Gauge | None = None) -> list[Message]:
    """Those to read now. The others are given back, marked to be read later; a task says whose flood it is.

    `messages`: claimed under `claim`. Those that were put off before are let through.
    """
    if not settings.FLOOD_PER_MINUTE and not settings.FLOOD_PER_HOUR:
        return list(messages)
    counter = GAUGE if gauge is None else gauge
    groups: dict[Spell, list[Message]] = defaultdict(list)
    for message in messages:
        if sender := sender_of(message):
            minute = message.received_at.replace(second=0, microsecond=0)
            counter.add(sender, minute)
            groups[sender, minute].append(message)
    near = {key: group for key, group in groups.items() if counter.is_near(key)}
    late = put_off_of(near, counter) if near else set()
    if not late:
        return list(messages)
    put_off(late, groups, claim=claim, now=now)
    return [message for message in messages if message.pk not in late]


def put_off_of(near: dict[Spell, list[Message]], gauge: Gauge) -> set[int]:
    """Ids of the messages that are beyond a limit, the youngest of each minute."""
    named = Reporter.objects.filter(trust=Reporter.Trust.TRUSTED, address__in={sender for sender, _ in near})
    trusted = set(named.values_list("address", flat=True))
    ids = [message.pk for group in near.values() for message in group]
    before = set(Reading.objects.filter(pk__in=ids, later=True).values_list("pk", flat=True))
    found: set[int] = set()
    for (sender, minute), group in sorted(near.items()):
        mine = [message.pk for message in group if message.pk not in before]
        gauge.untold[sender][minute] -= len(group) - len(mine)  # these were counted when they were put off
        note_minutes(sender, gauge.untold.pop(sender, Counter()))
        if sender not in trusted and (over := beyond(sender, minute)) > 0:
            found |= set(mine[-over:])
    return found


def note_minutes(sender: str, counts: Counter[datetime]) -> None:
    """Add what this process saw to what all saw."""
    for minute, count in sorted((+counts).items()):
        _, is_new = SenderMinute.objects.get_or_create(sender=sender, minute=minute, defaults={"mails": count})
        if not is_new:
            SenderMinute.objects.filter(sender=sender, minute=minute).update(mails=F("mails") + count)


def beyond(sender: str, minute: datetime) -> int:
    """How many mails more than the limits allow."""
    rows = SenderMinute.objects.filter(sender=sender, minute__lte=minute)
    of_minute = rows.filter(minute=minute).aggregate(n=Sum("mails"))["n"] or 0
    of_hour = rows.filter(minute__gt=minute - HOUR).aggregate(n=Sum("mails"))["n"] or 0
    limits = ((of_minute, settings.FLOOD_PER_MINUTE), (of_hour, settings.FLOOD_PER_HOUR))
    return max([count - limit for count, limit in limits if limit], default=0)


def put_off(late: set[int], groups: dict[Spell, list[Message]], *, claim: str, now: datetime) -> None:
    with transaction.atomic():
        Reading.objects.filter(pk__in=late, claim=claim, state=Reading.State.WAITING).update(
            later=True, claim="", claimed_at=None
        )
        counts = Counter(sender for (sender, _), group in groups.items() for message in group if message.pk in late)
        for sender, count in sorted(counts.items()):
            begin_or_go_on(sender, count, now=now)


def begin_or_go_on(sender: str, count: int, *, now: datetime) -> None:
    opened = Flood.objects.filter(sender=sender, ended_at=None)
    if not opened.update(put_off=F("put_off") + count, last_at=now):
        Flood.objects.bulk_create(
            [Flood(sender=sender, began_at=now, last_at=now, put_off=count)], ignore_conflicts=True
        )
    url = f"/reporters?{urlencode({'q': sender})}"
    open_task(
        TASK, sender, title=f"Flood from {sender}", actor=MACHINE, now=now, url=url,
        text=f"They send more than {settings.FLOOD_PER_MINUTE} mails a minute, or {settings.FLOOD_PER_HOUR} an hour. "
        "All are kept; what is beyond that is read behind everything else. It ends by itself.",
    )  # fmt: skip


def floods_of(complaints: Sequence[Accusation]) -> QuerySet[Flood]:
    """Those that go on of who sent these: more about the same may be among what is read later."""
    senders = Reporter.objects.filter(pk__in={each.reporter_id for each in complaints if each.reporter_id})
    return Flood.objects.filter(ended_at=None, sender__in=senders.values("address")).order_by("pk")[:5]


def later_ids(*, limit: int) -> list[int]:
    """The oldest that were put off."""
    rows = Reading.objects.filter(state=Reading.State.WAITING, later=True, claimed_at=None)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def end_floods(*, now: datetime) -> int:
    """Close those that have passed: nothing was put off for a while, and all that had been is read."""
    if Reading.objects.filter(state=Reading.State.WAITING, later=True).exists():
        return 0
    ended = 0
    for flood in Flood.objects.filter(ended_at=None, last_at__lt=now - OVER):
        if Flood.objects.filter(pk=flood.pk, ended_at=None, last_at=flood.last_at).update(ended_at=now):
            end_task(TASK, flood.sender, actor=MACHINE, now=now)
            ended += 1
    SenderMinute.objects.filter(minute__lt=now - 2 * HOUR).delete()
    return ended
