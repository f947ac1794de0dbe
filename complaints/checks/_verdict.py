"""What a battery of attempts means. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from complaints.checks._forms import Attempt
from complaints.checks._smtp import NoServer
from complaints.checks._visit import Findings
from complaints.vocabulary import CheckOutcome, Verdict

# Refusals of us that say nothing about relaying: the same mail from another client or sender might pass.
REFUSES_CLIENT = re.compile(
    r"client host|blocked using|(?:black|block|deny) ?list|dnsbl|\brbl\b|spamhaus|your (?:ip|host|reverse|server)"
    r"|reverse (?:dns|host)|\bptr\b|helo command rejected|5\.7\.25",
    re.IGNORECASE,
)
REFUSES_SENDER = re.compile(r"domain of sender|sender address rejected|sender domain|5\.1\.[78]\b", re.IGNORECASE)

# Where only customers with a password are served (RFC 6409 section 4.3), "client host rejected: access denied" is
# how Postfix tells everybody else to go.
LOG_IN_PORTS = frozenset({587, 465})
SENDS_AWAY = re.compile(r"rejected: access denied", re.IGNORECASE)


def judge_relay(found: Sequence[Findings], *, is_proven: bool = False) -> CheckOutcome:
    """Closed needs every form refused for good on every port; one delay, one silence, one acceptance leaves it open.

    found: the port that was asked for, then those that were tried beside it and count where a mail server answers.
    details["retry"]: the same check may well come out otherwise in a while.
    """
    servers = [each for each in found if counts(each, first=each is found[0])]
    attempts = [attempt for each in servers for attempt in each.attempts]
    details: dict[str, object] = {"skipped": [form.id for form in found[0].skipped]}
    if on_their_way := [attempt for attempt in attempts if attempt.may_arrive]:
        forms = ", ".join(dict.fromkeys(attempt.form.id for attempt in on_their_way))
        tail = "and the probe has arrived" if is_proven else "waiting for the probe to arrive"
        return unknown(f"accepted at DATA ({forms}), {tail}", details, waiting=True)
    if not any(each.connections for each in found) and all(isinstance(each.stopped, NoServer) for each in found):
        ports = " or ".join(str(each.port) for each in found)
        return unknown(f"no mail server reachable on port {ports}", details | {"no_server": True})
    if stopped := next((each for each in servers if each.stopped), None):
        where = "" if stopped is found[0] else f"on port {stopped.port}: "
        retry = {"retry": True} if may_change(stopped) else {}
        return unknown(f"{where}{stopped.stopped}", details | retry)
    if about_us := next((attempt for attempt in attempts if refuses_us(attempt)), None):
        reason = f"blocked, the refusal is about our tester: {about_us.code} {about_us.text}"
        return unknown(reason, details)
    if delayed := next((attempt for attempt in attempts if is_delayed(attempt)), None):
        return unknown(f"greylisted or refused for now: {delayed.code} {delayed.text}", details | {"retry": True})
    if not attempts:
        return unknown("no form could be tried", details)
    return CheckOutcome(verdict=Verdict.CLEAN, reason=refused_all(servers), details=details)


def counts(each: Findings, *, first: bool) -> bool:
    """Whether a mail server stands behind that port. What speaks no SMTP relays nothing; what sends us away might."""
    if first:
        return not (isinstance(each.stopped, NoServer) and not each.connections)
    if each.greeted or each.banner:
        return True
    return each.connections > 0 and each.stopped is not None and each.stopped.for_now


def may_change(each: Findings) -> bool:
    """Whether what stopped us may be over in a while; also a server that goes away while we talk to it."""
    gone = isinstance(each.stopped, NoServer) and each.connections > 0
    return gone or (each.stopped is not None and each.stopped.for_now)


def is_delayed(attempt: Attempt) -> bool:
    return attempt.code is not None and 400 <= attempt.code < 500


def refused_all(servers: Sequence[Findings]) -> str:
    most = max(servers, key=lambda each: len({attempt.form.id for attempt in each.attempts}))
    forms, skipped = len({attempt.form.id for attempt in most.attempts}), len(named_forms(most))
    untried = f" ({skipped} did not fit: the server gives no name)" if skipped else ""
    ports = f" on ports {', '.join(str(each.port) for each in servers)}" if len(servers) > 1 else ""
    return f"refused all {forms} forms tried{ports}{untried}"


def named_forms(found: Findings) -> list[str]:
    """Forms left out because the server gives no name of its own."""
    spelled = ((form, form.sender + form.recipient + form.helo) for form in found.skipped)
    return [form.id for form, text in spelled if "{host}" in text or "{domain}" in text]


def refuses_us(attempt: Attempt) -> bool:
    """A refused local-looking sender or name is an answer to that form; a refusal of our own return path is not."""
    if attempt.code is None or attempt.code < 500 or attempt.form.helo:
        return False
    if attempt.port in LOG_IN_PORTS and SENDS_AWAY.search(attempt.text):
        return False
    ours = "{bounce}" in attempt.form.sender and REFUSES_SENDER.search(attempt.text)
    return bool(ours or REFUSES_CLIENT.search(attempt.text))


def unknown(reason: str, details: dict[str, object], *, waiting: bool = False) -> CheckOutcome:
    return CheckOutcome(verdict=Verdict.UNKNOWN, reason=reason, details=details, waiting=waiting)
