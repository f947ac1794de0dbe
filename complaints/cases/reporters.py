"""What the desk knows of reporters: counted behind the intake, measured every night, changed by people.

Nothing here slows filing down: the counter follows the complaints by their ids. It counts up to the id that was the
highest a minute before, because a transaction that is still open may write a lower one; the night proves the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Case as Vouched
from django.db.models import Max, Sum, When

from complaints.cases.precision import LOOKS_BACK, SAYS, measure
from complaints.models import Case, Complaint, Reporter, ReporterChange, ReporterTally, TallyPosition
from complaints.models.bulk import as_source, quoted_columns, update_rows
from complaints.vocabulary import Resolution

NAME = "reporters"
PORTION = 5_000
MOST = 200_000  # at once: the rest in a minute
SETTLED = timedelta(seconds=60)
DAYS = 30  # of Reporter.recent
PROVED = 3  # days that the night counts again
KEPT = timedelta(days=400)
Key = tuple[int, date, str, str]  # reporter, day, category, format


def tally(*, now: datetime) -> int:
    """Count what came since the last time; how many complaints. Beside another worker, one of us does it."""
    TallyPosition.objects.get_or_create(name=NAME, defaults={"at": now})
    place = TallyPosition.objects.get(name=NAME)
    if now - place.at < SETTLED:
        return 0
    upto, counted, touched = follow(place)
    since = now.astimezone(UTC).date() - timedelta(days=DAYS - 1)
    for start in range(0, len(touched), 500):
        sum_up(since=since, only=touched[start : start + 500])
    if counted < MOST:
        newest = Complaint.objects.aggregate(newest=Max("id"))["newest"] or 0
        TallyPosition.objects.filter(name=NAME, upto=upto).update(ahead=newest, at=now)
    return counted


def follow(place: TallyPosition) -> tuple[int, int, list[int]]:
    """How far it came, how many complaints it counted, and whose. Ends where another worker has counted already."""
    upto, counted, touched = place.upto, 0, set[int]()
    while counted < MOST and (rows := list(rows_between(upto, place.ahead))):
        if not add_tallies(Counter(map(key_of, rows)), upto, rows[-1][0]):
            break
        upto, counted = rows[-1][0], counted + len(rows)
        touched |= {row[1] for row in rows if row[1]}
    return upto, counted, sorted(touched)


def rows_between(after: int, upto: int) -> Iterator[tuple[int, int | None, datetime, str, str]]:
    found = Complaint.objects.filter(id__gt=after, id__lte=upto).order_by("id")
    yield from found.values_list("id", "reporter", "received_at", "category", "format")[:PORTION]


def key_of(row: tuple[int, int | None, datetime, str, str]) -> Key:
    _, reporter, at, category, format_ = row
    return reporter or 0, at.astimezone(UTC).date(), category, format_


def add_tallies(counts: Mapping[Key, int], upto: int, to: int) -> bool:
    """The counts, and the place that they reach to; both or neither."""
    named = sorted((key, count) for key, count in counts.items() if key[0])
    columns = ("reporter_id", "day", "category", "format", "complaints")
    with transaction.atomic():
        if not TallyPosition.objects.filter(name=NAME, upto=upto).update(upto=to):
            return False
        for start in range(0, len(named), 500):
            source, values = as_source(ReporterTally, columns, [(*key, n) for key, n in named[start : start + 500]])
            table = connection.ops.quote_name(ReporterTally._meta.db_table)
            sql = f"""INSERT INTO {table} AS old ({", ".join(quoted_columns(ReporterTally, columns))}) {source}
                ON CONFLICT (reporter_id, day, category, format)
                DO UPDATE SET complaints = old.complaints + excluded.complaints"""
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
    return True


def prove_tallies(*, now: datetime) -> int:
    """Every night: the last days are counted again, and `recent` from all tallies; how many differed."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in range(PROVED)]
    right = counted_again(since=days[-1], upto=TallyPosition.objects.filter(name=NAME).first())
    rows = ReporterTally.objects.filter(day__in=days).values_list("reporter", "day", "category", "format", "complaints")
    was = {(reporter, day, category, kind): count for reporter, day, category, kind, count in rows.iterator()}
    wrong = sorted(key for key, count in right.items() if was.get(key) != count)
    for reporter, day, category, kind in wrong:
        which: dict[str, Any] = {"reporter_id": reporter, "day": day, "category": category, "format": kind}
        ReporterTally.objects.update_or_create(**which, defaults={"complaints": right[reporter, day, category, kind]})
    ReporterTally.objects.filter(day__lt=today - KEPT).delete()
    sum_up(since=today - timedelta(days=DAYS - 1))
    return len(wrong)


def counted_again(*, since: date, upto: TallyPosition | None) -> Counter[Key]:
    """What the tallies of these days should be, read backwards by the ids until only older ones come."""
    found, below = Counter[Key](), (upto.upto if upto else 0) + 1
    while True:
        mine = Complaint.objects.filter(id__lt=below).order_by("-id")
        rows = list(mine.values_list("id", "reporter", "received_at", "category", "format")[:PORTION])
        keys = [key for row in rows if (key := key_of(row))[1] >= since]
        found.update(key for key in keys if key[0])
        if not keys or len(rows) < PORTION:
            return found
        below = rows[-1][0]


def sum_up(*, since: date, only: Sequence[int] | None = None) -> None:
    """Reporter.recent from the tallies: of all, or of these. Where it dies before, the night does it."""
    tallies, reporters = ReporterTally.objects.filter(day__gte=since), Reporter.objects.filter(recent__gt=0)
    if only is not None:
        tallies, reporters = tallies.filter(reporter__in=only), reporters.filter(pk__in=only)
    recent = dict(tallies.order_by().values("reporter").annotate(n=Sum("complaints")).values_list("reporter", "n"))
    was = dict(reporters.values_list("pk", "recent"))
    both = sorted(was.keys() | recent.keys())
    changed = [(pk, recent.get(pk, 0)) for pk in both if was.get(pk, 0) != recent.get(pk, 0)]
    for start in range(0, len(changed), 500):
        update_rows(Reporter, "id", ("recent",), changed[start : start + 500])


def measure_all(*, now: datetime) -> int:
    """Every night: what each reporter's ended cases say of them; how many reporters changed."""
    told: dict[int, list[End]] = defaultdict(list)
    for reporter, end in ended(since=now - LOOKS_BACK):
        told[reporter].append(end)
    ends = {reporter: their_own(all_ends) for reporter, all_ends in told.items()}
    before = {
        pk: tuple(rest)
        for pk, *rest in Reporter.objects.exclude(measured_at=None).values_list("pk", "right_cases", "wrong_cases")
    }
    rows = []
    for pk in sorted(ends.keys() | {pk for pk, counts in before.items() if any(counts)}):
        found = measure(ends.get(pk, ()), now=now)
        rows.append((pk, found.right, found.wrong, found.right_cases, found.wrong_cases, now))
    columns = ("right", "wrong", "right_cases", "wrong_cases", "measured_at")
    for start in range(0, len(rows), 500):
        update_rows(Reporter, "id", columns, rows[start : start + 500])
    return sum(before.get(row[0]) != row[3:5] for row in rows)


class End(NamedTuple):
    """How and when a case of a reporter was closed; proven: our mail server vouched for one of their mails about it."""

    resolution: Resolution
    at: datetime
    proven: bool


def their_own(ends: Sequence[End]) -> list[tuple[Resolution, datetime]]:
    """What may be held against them: of whom our server vouches for, not what anybody wrote in their name."""
    vouched = [end for end in ends if end.proven]
    return [(end.resolution, end.at) for end in vouched or ends]


def ended(*, since: datetime) -> Iterator[tuple[int, End]]:
    """Reporter and end, of each reporter and case once, case by case: bounded memory, by its index."""
    after = 0
    said = [resolution.value for resolution in SAYS]
    while True:
        rows = Case.objects.filter(id__gt=after, state="closed", closed_at__gt=since, resolution__in=said)
        ends = rows.order_by("id").values_list("pk", "resolution", "closed_at")[:500]
        cases = {pk: (Resolution(end), at) for pk, end, at in ends if at}
        if not cases:
            return
        named = Complaint.objects.filter(case__in=cases).exclude(reporter=None).order_by()
        vouched = Max(Vouched(When(evidence__has_key="authenticated", then=1), default=0))
        for case, reporter, proven in named.values_list("case", "reporter").annotate(proven=vouched):
            yield reporter, End(*cases[case], bool(proven))
        after = max(cases)


class NothingChanged(Exception):
    """It stood so already."""


def change_reporter(reporter: Reporter, *, actor: str, now: datetime, **columns: Any) -> ReporterChange:
    """A person's word about a reporter: trust, wants, no_mail, authenticated, note. Raises NothingChanged."""
    changed = {name: value for name, value in columns.items() if getattr(reporter, name) != value}
    if not changed:
        raise NothingChanged
    text = "; ".join(f"{name.replace('_', ' ')}: {shown(reporter, name)}" for name in changed)
    with transaction.atomic():
        Reporter.objects.filter(pk=reporter.pk).update(**changed)
        for name, value in changed.items():
            setattr(reporter, name, value)
        now_text = "; ".join(shown(reporter, name) for name in changed)
        said = f"{text} → {now_text}"[:500]
        return ReporterChange.objects.create(reporter=reporter, at=now, actor=actor, text=said)


def shown(reporter: Reporter, name: str) -> str:
    value = getattr(reporter, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    named = getattr(reporter, f"get_{name}_display", None)
    return str(named() if named else value)[:80] or "empty"
