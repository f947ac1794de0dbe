"""The ISP's own service, for leases that live elsewhere: asked for what no assignment says, its answers kept.

What it said is believed for the times it spoke of and looked up before it is asked again (outside_answers.py). One that
cannot be reached makes an owner unknown now, to be asked for again; never nobody. After one failure nobody asks for a
while, so that a dead service does not slow the intake (outside_state.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from complaints.adapters.http import NoAnswer
from complaints.adapters.lease_service import MOST_ASKED, Asked, ask_service
from complaints.addresses import address_text
from complaints.attribution import outside_answers as answers
from complaints.attribution import outside_state as state
from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import MOMENT, Stretch, window
from complaints.attribution.lookup import Surroundings
from complaints.attribution.outside_answers import Row, Span
from complaints.attribution.resolvers import Fact
from complaints.attribution.times import utc_text
from complaints.vocabulary import Answer

log = logging.getLogger(__name__)
NAME = "external"
RANK = 30
NOT_USABLE = timedelta(hours=1)  # an answer of nonsense, or of a contract that is not imported yet: asked again then


def resolve(questions: Sequence[Question], around: Surroundings) -> list[Holding | None]:
    if not settings.RESOLVER_URL or not questions:
        return [None] * len(questions)
    now = timezone.now()
    spans = [Span(question.address, question.port or None, until_now(window(question), now)) for question in questions]
    known = answers.look_up(spans)
    unknown = list(dict.fromkeys(span for span in spans if span not in known))
    failed: dict[Span, Holding] = {}
    if unknown:
        found, failed = ask(unknown, now)
        answers.keep(found, now=now)
        known |= found
    return answers.holdings(
        [(question, known.get(span), failed.get(span)) for question, span in zip(questions, spans, strict=True)],
        again_at=now + NOT_USABLE,
    )


def until_now(stretch: Stretch, now: datetime) -> Stretch:
    """Who will have an address in five minutes nobody knows yet."""
    since, until = stretch
    until = min(until, now + MOMENT)
    return (min(since, until - MOMENT), until)


def ask(spans: Sequence[Span], now: datetime) -> tuple[dict[Span, list[Row]], dict[Span, Holding]]:
    """→ (what the service said, and an UNSURE for each that it did not answer usably)."""
    found: dict[Span, list[Row]] = {}
    failed: dict[Span, Holding] = {}
    ends = time.monotonic() + settings.RESOLVER_TIMEOUT  # for all of them: the intake waits
    for start in range(0, len(spans), MOST_ASKED):
        portion = spans[start : start + MOST_ASKED]
        left = ends - time.monotonic()
        if left <= 0 or not state.may_ask(NAME, now=now):
            again_at, problem = state.when_to_ask(NAME, now=now)
            return found, failed | unknown_now(spans[start:], again_at, problem)
        try:
            said = ask_service(
                [as_asked(span) for span in portion],
                url=settings.RESOLVER_URL,
                key=settings.RESOLVER_KEY,
                now=now,
                timeout_s=left,
            )
        except NoAnswer as exc:
            log.warning("the outside resolver does not answer: %s", exc)
            again_at = state.failed(NAME, str(exc), now=now)
            return found, failed | unknown_now(spans[start:], again_at, str(exc))
        state.succeeded(NAME, now=now)
        for span, answer in zip(portion, said, strict=True):
            if isinstance(answer, str):
                log.warning("the outside resolver's answer cannot be used: %s", answer)
                failed |= unknown_now([span], now + NOT_USABLE, answer)
            else:
                found[span] = [Row.of(span, held) for held in answer]
    return found, failed


def as_asked(span: Span) -> Asked:
    return Asked(address_text(span.address), span.port, *span.stretch)


def unknown_now(spans: Sequence[Span], again_at: datetime, problem: str) -> dict[Span, Holding]:
    reason = f"Not known now: the outside source could not be asked or understood ({problem}); it is asked again"
    return dict.fromkeys(spans, Holding(Answer.UNSURE, reason=reason, again_at=again_at))


def health(*, now: datetime) -> list[Fact]:
    if not settings.RESOLVER_URL:
        return [Fact(True, "Off: ABUSEDESK_RESOLVER_URL is empty")]
    facts = [Fact(True, f"Asks {urlsplit(settings.RESOLVER_URL).hostname}, {settings.RESOLVER_TIMEOUT} s a batch")]
    seen = state.seen_of(NAME)
    if seen is None:
        return [*facts, Fact(True, "Was never asked")]
    if seen.succeeded_at:
        facts.append(Fact(True, f"Answered last at {utc_text(seen.succeeded_at)}"))
    if seen.failed_at:
        words = f"Failed last at {utc_text(seen.failed_at)}: {seen.problem}"
        facts.append(Fact(seen.failures == 0, words + (f"; {seen.failures} in a row" if seen.failures > 1 else "")))
    if seen.ask_again_at and seen.ask_again_at > now:
        facts.append(Fact(False, f"Nobody asks it before {utc_text(seen.ask_again_at)}"))
    return facts
