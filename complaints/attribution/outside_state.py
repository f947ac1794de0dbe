"""Whether an outside source answers: one row for all processes, so that one of them finds out for all.

After a failure nobody asks for a pause; then one process tries, by a conditional UPDATE, and the others wait for what
it finds.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F

from complaints.models import ResolverState

PAUSE = timedelta(seconds=30)
LONGEST_BACK_OFF = 6  # doublings of the pause, for those who wait for an answer: half an hour
ENOUGH = timedelta(minutes=1)  # a success is not noted more often: it would be a write a batch


def seen_of(name: str) -> ResolverState | None:
    return ResolverState.objects.filter(name=name).first()


def may_ask(name: str, *, now: datetime) -> bool:
    seen = seen_of(name)
    if seen is None or seen.ask_again_at is None:
        return True
    if now < seen.ask_again_at:
        return False
    claimed = ResolverState.objects.filter(pk=seen.pk, ask_again_at=seen.ask_again_at)
    return bool(claimed.update(ask_again_at=now + PAUSE))


def when_to_ask(name: str, *, now: datetime) -> tuple[datetime, str]:
    """→ (the earliest time at which asking again makes sense, what was wrong last)."""
    seen = seen_of(name)
    if seen is None or seen.ask_again_at is None:
        return now + PAUSE, "there was no time left to ask"
    return max(seen.ask_again_at, now + back_off(seen.failures)), seen.problem


def succeeded(name: str, *, now: datetime) -> None:
    seen = seen_of(name)
    fresh = seen is not None and seen.succeeded_at is not None and now - seen.succeeded_at < ENOUGH
    if fresh and seen is not None and not seen.failures and seen.ask_again_at is None:
        return
    ResolverState.objects.update_or_create(
        name=name, defaults={"succeeded_at": now, "failures": 0, "ask_again_at": None}
    )


def failed(name: str, problem: str, *, now: datetime) -> datetime:
    """Keep it, and say when to ask again."""
    ResolverState.objects.get_or_create(name=name)
    ResolverState.objects.filter(name=name).update(
        failed_at=now, problem=problem[:300], failures=F("failures") + 1, ask_again_at=now + PAUSE
    )
    seen = seen_of(name)
    return now + back_off(seen.failures if seen else 1)


def back_off(failures: int) -> timedelta:
    doublings: int = min(max(failures - 1, 0), LONGEST_BACK_OFF)
    return PAUSE * 2**doublings
