"""The self-tests of the lists, remembered for all processes. A list that fails is parked, and comes back by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from complaints.checks import Health
from complaints.models import Blacklist, DeskTask, ListHealth

COUNTS_FOR = timedelta(hours=1)  # how long a passed test is believed
TESTED_EVERY = timedelta(hours=24)  # also while nobody asks, so that the desk sees a list die
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(hours=1)
# Once may be a lost packet or a resolver that starts: only the second time in a row is it about the list.
TASK = "blacklist"
MACHINE = "machine"
PASSING = ("no answer within", "the resolver says SERVFAIL", "the resolver cannot be asked", "no resolver")


def known_health(lists: Iterable[Blacklist]) -> dict[tuple[str, int], Health]:
    """By name and family, for a batch of checks; a test that is due again is left out."""
    rows = ListHealth.objects.filter(blacklist__in=[each.pk for each in lists]).select_related("blacklist")
    return {
        (row.blacklist.name, row.family): Health(row.problem or None, counts_until(row).timestamp()) for row in rows
    }


def counts_until(row: ListHealth) -> datetime:
    return row.test_at if row.problem else row.tested_at + COUNTS_FOR


def record_tests(tested: Mapping[tuple[str, int], str | None], *, now: datetime) -> None:
    """`tested`: the problem, or None for a test passed, by name of the list and family."""
    ids = dict(Blacklist.objects.filter(name__in={name for name, _ in tested}).values_list("name", "pk"))
    for (name, family), problem in sorted(tested.items()):
        if name in ids:
            record_test(ids[name], family, problem, now=now)


def record_test(blacklist_id: int, family: int, problem: str | None, *, now: datetime) -> None:
    before = ListHealth.objects.filter(blacklist=blacklist_id, family=family).first()
    failures = (before.failures if before else 0) + 1 if problem else 0
    parked = before.parked_since if before and problem else None
    if problem and parked is None and (failures > 1 or not any(word in problem for word in PASSING)):
        parked = now
    with transaction.atomic():
        ListHealth.objects.update_or_create(
            blacklist_id=blacklist_id,
            family=family,
            defaults={
                "tested_at": now,
                "passed_at": (before.passed_at if before else None) if problem else now,
                "problem": problem or "",
                "failures": failures,
                "parked_since": parked,
                "test_at": now + (retry_after(failures) if problem else TESTED_EVERY),
            },
        )
        if parked or (before and before.parked_since):
            keep_task(blacklist_id, now=now)


def retry_after(failures: int) -> timedelta:
    return min(FIRST_RETRY * 2 ** min(failures - 1, 10), LAST_RETRY)


def keep_task(blacklist_id: int, *, now: datetime) -> None:
    """One open task for the desk while the list is parked; it closes itself when the list is back."""
    rows = ListHealth.objects.filter(blacklist=blacklist_id, parked_since__isnull=False).select_related("blacklist")
    row = rows.order_by("family").first()
    name = Blacklist.objects.values_list("name", flat=True).get(pk=blacklist_id)
    open_tasks = DeskTask.objects.filter(kind=TASK, key=name, done_at__isnull=True)
    if row is None:
        open_tasks.update(done_at=now, done_by=MACHINE)
        return
    told = {
        "title": f"The blacklist {name} is parked: its answers do not count",
        "text": f"{row.problem}. It comes back by itself when it passes its test; a list that is dead is switched off.",
    }
    if not open_tasks.update(**told):
        DeskTask.objects.get_or_create(
            kind=TASK,
            key=name,
            done_at=None,
            defaults={**told, "url": "/blacklists", "opened_at": now, "opened_by": MACHINE},
        )


def due_for_test(*, now: datetime) -> list[tuple[Blacklist, int]]:
    """Enabled lists, by family, that were never tested or are due again."""
    lists = list(Blacklist.objects.filter(enabled=True))
    later = set(
        ListHealth.objects.filter(blacklist__in=[each.pk for each in lists], test_at__gt=now).values_list(
            "blacklist_id", "family"
        )
    )
    wanted = [(each, family) for each in lists for family in (4, 6) if f"ipv{family}" in each.families]
    return [(each, family) for each, family in wanted if (each.pk, family) not in later]


def parked() -> list[ListHealth]:
    """What the desk is asked to look at: the longest parked first."""
    rows = ListHealth.objects.filter(parked_since__isnull=False, blacklist__enabled=True)
    return list(rows.select_related("blacklist").order_by("parked_since", "blacklist__name"))
