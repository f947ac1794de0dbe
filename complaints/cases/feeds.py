"""What comes in regularly: a reporter that falls silent and a format that starts failing become tasks of the desk.

Kept for each sender of reports made by machines, and for each format as a whole. The tasks end by themselves: when
something comes again, when it is read again, or when a person says that it is no longer expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from complaints.cases.feed_habits import MOST_GAPS, MOST_OUTCOMES, SHORTEST, is_failing, longest_usual
from complaints.cases.positions import Overtaken, finish, next_stretch
from complaints.cases.tasks import end_task, open_task
from complaints.cases.transitions import MACHINE
from complaints.cases.voices import voice_of
from complaints.models import Feed, Reading
from complaints.vocabulary import Disposition

NAME = "feeds"
BATCH = 2_000
STUCK = timedelta(hours=1)  # a mail that waits for so long holds this watch up no more
GONE = timedelta(days=90)
MOST_LOOKED_AT = 2_000
BY_HAND = frozenset({"freetext", ""})  # people write when they like
SILENT, FAILING = "feed-silent", "feed-failing"
ALL = "all feeds"
URL = "/watch#feeds"
HOUR = timedelta(hours=1)
JUST_BEFORE = timedelta(days=3)
MOST_FRESH = 200
Heard = tuple[int, datetime, bool]  # message id, when, whether it was read


def watch_feeds(*, now: datetime, lag: timedelta | None = None, batch: int = BATCH) -> int:
    """Note what was read since, then say what is silent and what fails; how many mails were looked at."""
    looked = hear(now=now, lag=lag, batch=batch)
    tell_silent(now=now)
    tell_failing(now=now)
    return looked


def hear(*, now: datetime, lag: timedelta | None, batch: int) -> int:
    newest = Reading.objects.aggregate(last=Max("pk"))["last"] or 0
    stretch = next_stretch(NAME, newest, now=now, begin=max(0, newest - 50_000), lag=lag)
    waiting = Reading.objects.filter(state=Reading.State.WAITING, pk__gt=stretch.after)
    young = waiting.filter(message__received_at__gt=now - STUCK).order_by("pk").values_list("pk", flat=True).first()
    upto = stretch.upto if young is None else min(stretch.upto, young - 1)
    done = Reading.objects.exclude(state=Reading.State.WAITING).filter(pk__gt=stretch.after, pk__lte=upto)
    columns = ("pk", "message__received_at", "state", "format", "sender", "disposition")
    rows = list(done.order_by("pk").values_list(*columns)[:batch])
    upto = rows[-1][0] if len(rows) == batch else upto
    if upto <= stretch.after:
        return 0
    try:
        with transaction.atomic():
            finish(stretch, upto=upto)
            for feed, heard in feeds_of(rows):
                note(feed, heard)
    except Overtaken:
        return 0
    return len(rows)


def feeds_of(rows: Iterable[tuple[int, datetime, str, str, str, str]]) -> list[tuple[Feed, list[Heard]]]:
    """By format and by sender. Only a report that a machine made begins a feed; what cannot be read belongs to one."""
    found: dict[tuple[str, str], list[Heard]] = {}
    begins: set[tuple[str, str]] = set()
    for pk, at, state, form, sender, disposition in rows:
        is_report = disposition == Disposition.COMPLAINT and form not in BY_HAND
        heard = (pk, at, state == Reading.State.READ)
        for key in ([(form, "")] if form not in BY_HAND else []) + ([("", sender.lower())] if sender else []):
            found.setdefault(key, []).append(heard)
            if is_report:
                begins.add(key)
    known = {(feed.format, feed.sender): feed for feed in stored(found)}
    for key in sorted(begins - known.keys()):
        first = found[key][0][1]
        known[key] = Feed(format=key[0], sender=key[1], first_at=first, last_at=first)
    return [(known[key], heard) for key, heard in sorted(found.items()) if key in known]


def stored(keys: Iterable[tuple[str, str]]) -> list[Feed]:
    keys = list(keys)
    formats, senders = [form for form, sender in keys if not sender], [sender for _, sender in keys if sender]
    found = list(Feed.objects.filter(sender="", format__in=formats))
    for start in range(0, len(senders), 500):
        found += Feed.objects.filter(format="", sender__in=senders[start : start + 500])
    return found


def note(feed: Feed, heard: Sequence[Heard]) -> None:
    """Heard again: hours of silence between, and whether each could be read."""
    for pk, at, is_read in heard:
        hours = (whole_hour(at) - whole_hour(feed.last_at)) // HOUR
        if hours > 0:
            feed.gaps.append(hours)
        feed.last_at = max(feed.last_at, at)
        feed.outcomes.append([pk, int(is_read)])
    feed.gaps, feed.outcomes = feed.gaps[-MOST_GAPS:], feed.outcomes[-MOST_OUTCOMES:]
    feed.save()


def whole_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def tell_silent(*, now: datetime) -> None:
    """A task for each that is longer silent than usual; one for all where nothing comes from anybody."""
    newest = Feed.objects.aggregate(last=Max("last_at"))["last"]
    if newest is None:
        return
    quiet = Feed.objects.filter(last_at__lt=now - timedelta(hours=SHORTEST)).order_by("-last_at")[:MOST_LOOKED_AT]
    silent = {feed.pk: feed for feed in without_doubles([each for each in quiet if is_silent(each, now)])}
    mute = newest < now - timedelta(hours=SHORTEST) and len(silent) > 1
    settle_all(mute, newest, now=now)
    if not mute:
        for feed in silent.values():
            if feed.silent_since is None:
                begin_silence(feed, now=now)
    for feed in Feed.objects.filter(silent_since__isnull=False).exclude(pk__in=silent):
        Feed.objects.filter(pk=feed.pk).update(silent_since=None)
        end_task(SILENT, key_of(feed), actor=MACHINE, now=now)


def without_doubles(feeds: Sequence[Feed]) -> list[Feed]:
    """A format that ended with the last mail of its last sender is told of by that sender."""
    senders = {feed.last_at for feed in feeds if feed.sender}
    return [feed for feed in feeds if feed.sender or feed.last_at not in senders]


def usual_of(feed: Feed) -> int | None:
    """Hours of silence that are usual at most; None: it has no habit that we know of."""
    return longest_usual(feed.gaps, known=feed.last_at - feed.first_at)


def is_silent(feed: Feed, now: datetime) -> bool:
    usual = usual_of(feed)
    return usual is not None and now - feed.last_at > timedelta(hours=usual)


def begin_silence(feed: Feed, *, now: datetime) -> None:
    usual = usual_of(feed)
    with transaction.atomic():
        Feed.objects.filter(pk=feed.pk).update(silent_since=feed.last_at)
        open_task(
            SILENT, key_of(feed), actor=MACHINE, now=now, url=URL,
            title=f"Nothing comes from {feed} any more",
            text=f"The last mail came on {feed.last_at:%Y-%m-%d %H:%M} UTC; at most {usual} hours between are usual."
            f"{perhaps_now(feed)} Has the reporter stopped, is the subscription over, or is mail lost on its way?",
        )  # fmt: skip


def perhaps_now(feed: Feed) -> str:
    """Who of the same domain began to write about when this one ended: it may have changed its address."""
    if not feed.sender:
        return ""
    fresh = Feed.objects.exclude(sender="").exclude(pk=feed.pk).filter(first_at__gte=feed.last_at - JUST_BEFORE)
    same = [each for each in fresh.order_by("first_at")[:MOST_FRESH] if voice_of(each.sender) == voice_of(feed.sender)]
    if not same:
        return ""
    return f" Since {same[0].first_at:%Y-%m-%d} mail comes from {same[0]}: perhaps the address was changed."


def settle_all(mute: bool, newest: datetime, *, now: datetime) -> None:
    if mute:
        open_task(
            SILENT, ALL, actor=MACHINE, now=now, url=URL, title="No feed sends anything any more",
            text=f"The last mail of any came on {newest:%Y-%m-%d %H:%M} UTC. Is our own mail server, its forwarding or"
            " the collector down?",
        )  # fmt: skip
    else:
        end_task(SILENT, ALL, actor=MACHINE, now=now)


def tell_failing(*, now: datetime) -> None:
    lately = Feed.objects.filter(Q(failing_since__isnull=False) | Q(last_at__gte=now - timedelta(hours=2)))
    told: set[int] = set()  # the last mails of the formats that fail: their senders are not told of once more
    for feed in lately.order_by("sender", "-last_at")[:MOST_LOOKED_AT]:
        fails = seems_to_fail(feed) and seems_to_fail(read_again(feed))
        last = feed.outcomes[-1][0] if feed.outcomes else 0
        if fails and feed.failing_since is None and last not in told:
            begin_failing(feed, now=now)
        elif not fails and feed.failing_since is not None:
            Feed.objects.filter(pk=feed.pk).update(failing_since=None)
            end_task(FAILING, key_of(feed), actor=MACHINE, now=now)
        if fails and not feed.sender:
            told.add(last)


def seems_to_fail(feed: Feed) -> bool:
    return is_failing([bool(read) for _, read in feed.outcomes], fails_now=feed.failing_since is not None)


def read_again(feed: Feed) -> Feed:
    """After a mend the same mails are read again: what became of those that could not be."""
    bad = [pk for pk, read in feed.outcomes if not read]
    mended = set(Reading.objects.filter(pk__in=bad, state=Reading.State.READ).values_list("pk", flat=True))
    if mended:
        feed.outcomes = [[pk, 1 if pk in mended else read] for pk, read in feed.outcomes]
        Feed.objects.filter(pk=feed.pk).update(outcomes=feed.outcomes)
    return feed


def begin_failing(feed: Feed, *, now: datetime) -> None:
    unread = sum(not read for _, read in feed.outcomes[-20:])
    with transaction.atomic():
        Feed.objects.filter(pk=feed.pk).update(failing_since=now)
        open_task(
            FAILING, key_of(feed), actor=MACHINE, now=now, url="/unread",
            title=f"Many mails of {feed} cannot be read",
            text=f"{unread} of the last {min(20, len(feed.outcomes))}. The sender may have changed the form of its"
            " reports. They are kept under Unread, and are read again after a mend.",
        )  # fmt: skip


def key_of(feed: Feed) -> str:
    return (feed.sender or f"format {feed.format}")[:200]


def no_longer_expected(feed: Feed, *, actor: str, now: datetime) -> None:
    """A person knows that this one has stopped: it is forgotten, and begins anew if it comes again."""
    with transaction.atomic():
        for kind in (SILENT, FAILING):
            end_task(kind, key_of(feed), actor=actor, now=now)
        feed.delete()


def forget_feeds(*, now: datetime) -> int:
    """Once a night: what nobody heard of for months, unless a task still asks about it."""
    old = Feed.objects.filter(last_at__lt=now - GONE, silent_since=None, failing_since=None)
    return old.delete()[0]
