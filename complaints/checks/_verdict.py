"""What a battery of attempts means. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from complaints.checks._forms import Attempt
from complaints.vocabulary import CheckOutcome, Verdict

# Refusals of us that say nothing about relaying: the same mail from another client or sender might pass.
REFUSES_CLIENT = re.compile(
    r"client host|blocked using|(?:black|block|deny) ?list|dnsbl|\brbl\b|spamhaus|your (?:ip|host|reverse|server)"
    r"|reverse (?:dns|host)|\bptr\b|helo command rejected|5\.7\.25",
    re.IGNORECASE,
)
REFUSES_SENDER = re.compile(r"domain of sender|sender address rejected|sender domain|5\.1\.[78]\b", re.IGNORECASE)


def judge_relay(
    attempts: Sequence[Attempt], *, skipped: Sequence[str], stopped: str | None, no_server: bool
) -> CheckOutcome:
    """Closed needs every form refused for good; one delay, one silence, one acceptance leaves it open.

    stopped: why the battery was not finished, or None. skipped: forms that did not fit this server.
    """
    on_their_way = [attempt for attempt in attempts if attempt.may_arrive]
    delayed = [attempt for attempt in attempts if attempt.code is not None and 400 <= attempt.code < 500]
    details: dict[str, object] = {"skipped": list(skipped)}
    if on_their_way:
        forms = ", ".join(attempt.form.id for attempt in on_their_way)
        return unknown(f"accepted at DATA ({forms}), waiting for the probe to arrive", details, waiting=True)
    if stopped:
        return unknown(stopped, details | ({"no_server": True} if no_server else {}))
    if about_us := [attempt for attempt in attempts if refuses_us(attempt)]:
        first = about_us[0]
        return unknown(f"blocked, the refusal is about our tester: {first.code} {first.text}", details)
    if delayed:
        first = delayed[0]
        return unknown(f"greylisted or refused for now: {first.code} {first.text}", details | {"retry": True})
    if not attempts:
        return unknown("no form could be tried", details)
    untried = f" ({len(skipped)} did not fit: the server gives no name)" if skipped else ""
    return CheckOutcome(
        verdict=Verdict.CLEAN, reason=f"refused all {len(attempts)} forms tried{untried}", details=details
    )


def refuses_us(attempt: Attempt) -> bool:
    """A refused local-looking sender is an answer to that form; a refusal of our own return path is not."""
    if attempt.code is None or attempt.code < 500:
        return False
    ours = "{bounce}" in attempt.form.sender and REFUSES_SENDER.search(attempt.text)
    return bool(ours or REFUSES_CLIENT.search(attempt.text))


def unknown(reason: str, details: dict[str, object], *, waiting: bool = False) -> CheckOutcome:
    return CheckOutcome(verdict=Verdict.UNKNOWN, reason=reason, details=details, waiting=waiting)
