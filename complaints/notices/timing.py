"""When a letter goes: not before it can be taken back, not at night, not too many a day, and several as one. Pure.

Moments in and out are aware. Times of the day are those of the desk's zone.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
MORNING = time(8)  # of a digest, where no quiet hours say when the day begins
MOST_IN_DIGEST = 50  # letters told by one mail; the others follow in the next
JUST_NOW = timedelta(hours=1)  # a letter within that time of what the customer did is the answer that they wait for
# A measure begins, or strangers are being harmed right now.
URGENT_STEPS = frozenset({"escalated"})
URGENT_CATEGORIES = frozenset({"ddos", "phishing"})
ALONE = frozenset({"withdrawn", "message"})  # an apology, or a person's own words, are no item of a list


@dataclasses.dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` to `ends`, mostly over midnight."""

    begins: time
    ends: time

    @classmethod
    def parse(cls, text: str) -> QuietHours | None:
        """ "21:00-07:00"; nothing for an empty text. Raises ValueError."""
        if not text.strip():
            return None
        found = HOURS.fullmatch(text.strip())
        first, second, third, fourth = (int(each) for each in found.groups()) if found else (0, 0, 0, 0)
        if (first, second) == (third, fourth):
            raise ValueError(f"{text!r} are no hours: write 21:00-07:00")
        return cls(time(first, second), time(third, fourth))

    def hold(self, at: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """undo: how long a decided letter can be taken back. a_day: mails to one address; 0: as many as there are."""

    zone: ZoneInfo
    undo: timedelta = timedelta(0)
    quiet: QuietHours | None = None
    a_day: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    """One that is due. to: the address, in lower case. brand: in whose name; 0: the desk's own."""

    key: int
    case: int
    to: str
    language: str
    brand: int = 0
    alone: bool = False
    at_once: bool = False


def goes_at_once(*, step: str, category: str, since_answer: timedelta | None) -> bool:
    """Whether it wakes people up. since_answer: since the customer last did something in the case."""
    if step in URGENT_STEPS or category in URGENT_CATEGORIES:
        return True
    return since_answer is not None and since_answer <= JUST_NOW


def first_due(decided_at: datetime, *, at_once: bool, rules: Rules) -> datetime:
    """Letters decided within the same undo time become due together, so that one mail can tell them all."""
    if at_once:
        return decided_at + rules.undo
    return after_quiet(rounded_up(decided_at + rules.undo, rules.undo), rules)


def rounded_up(at: datetime, grid: timedelta) -> datetime:
    if not grid:
        return at
    over = timedelta(seconds=at.timestamp() % grid.total_seconds())
    return at + grid - over if over else at


def after_quiet(at: datetime, rules: Rules) -> datetime:
    """`at` itself outside quiet hours, else their end."""
    local = at.astimezone(rules.zone)
    if rules.quiet is None or not rules.quiet.hold(local.time()):
        return at
    day = local.date() if local.time() < rules.quiet.ends else local.date() + timedelta(days=1)
    return on_day(datetime.combine(day, rules.quiet.ends), rules)


def next_digest(now: datetime, rules: Rules) -> datetime:
    """Tomorrow, when the day begins: what today's limit held back is told then, in one mail."""
    tomorrow = now.astimezone(rules.zone).date() + timedelta(days=1)
    return on_day(datetime.combine(tomorrow, rules.quiet.ends if rules.quiet else MORNING), rules)


def day_began(now: datetime, rules: Rules) -> datetime:
    return on_day(datetime.combine(now.astimezone(rules.zone).date(), time(0)), rules)


def on_day(local: datetime, rules: Rules) -> datetime:
    return local.replace(tzinfo=rules.zone).astimezone(UTC)


def in_mails(letters: Iterable[Letter]) -> list[list[Letter]]:
    """What goes as one mail: letters of several cases to one address, in one language and one name."""
    mails: list[list[Letter]] = []
    open_for: dict[tuple[str, str, int], list[Letter]] = {}
    for letter in letters:
        key = (letter.to, letter.language, letter.brand)
        if letter.alone or letter.at_once:
            mails.append([letter])
        elif has_room(open_for.get(key, ()), letter):
            open_for[key].append(letter)
        else:
            open_for[key] = [letter]
            mails.append(open_for[key])
    return mails


def has_room(mail: Sequence[Letter], letter: Letter) -> bool:
    """Two letters of one case are two mails: each is a message of its own in the case's thread."""
    return 0 < len(mail) < MOST_IN_DIGEST and all(each.case != letter.case for each in mail)


def waits_until(now: datetime, *, sent_today: int, at_once: bool, rules: Rules) -> datetime | None:
    """When a mail that is due may go; None: now. The night is asked for again: an outage or a hold may end in it."""
    if not may_go(sent_today=sent_today, at_once=at_once, rules=rules):
        return next_digest(now, rules)
    morning = now if at_once else after_quiet(now, rules)
    return morning if morning > now else None


def may_go(*, sent_today: int, at_once: bool, rules: Rules) -> bool:
    return at_once or not rules.a_day or sent_today < rules.a_day
