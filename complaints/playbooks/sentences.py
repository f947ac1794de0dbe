"""A playbook as people say it: one sentence a step, from the words of its conditions and actions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from complaints.playbooks.condition_words import all_of, condition_words, plain
from complaints.playbooks.documents import SPAN, Step

UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
STATE_WORDS = {
    "investigating": "Investigating",
    "triage": "Triage",
    "notified": "With the customer",
    "answered": "Answered",
    "verifying": "Being verified",
    "escalated": "Escalated",
    "closed": "Closed",
}
LETTER_WORDS = {
    "notify": "the first notice",
    "remind": "the reminder",
    "still_open": "the letter “still open”",
    "more_time": "the letter “more time”",
    "look_again": "the letter “what we saw”",
    "escalated": "the escalation notice",
    "solved": "the letter “solved”",
    "quiet": "the letter “closed, nothing more seen”",
}
CHECK_WORDS = {"relay": "the relay check", "dnsbl": "the blacklists"}
ORDERS = {"relay": "test for an open relay", "dnsbl": "ask the blacklists"}
MOVES = {
    "investigating": "investigate again",
    "triage": "put the case into triage",
    "notified": "leave the case with the customer",
    "answered": "hand the case to a person",
    "verifying": "begin to verify the fix",
    "escalated": "escalate the case",
}
ENDINGS = {"fixed_verified": "fixed and verified", "fixed_not_verifiable": "fixed, not verifiable"}
MEASURE_WORDS = {
    "limit_25": "block outgoing tcp/25",
    "lock_account": "lock the mail account",
    "quarantine": "put the line into quarantine",
    "suspend": "suspend the line",
}


def sentence(step: Step) -> str:
    """Such as "After 36 hours, if it is the first time: send the reminder."."""
    reason = step.params.get("reason")
    return instruction(step) + (f" Reason: {ended(str(reason))}" if reason else "")


def instruction(step: Step) -> str:
    """The sentence without the reason, which is for the history."""
    return ended(f"{lead(step)}: {action_words(step)}")


def ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def lead(step: Step) -> str:
    """When, and if."""
    moment = moment_words(step)
    if not step.when:
        return moment or "At once"
    conditions = condition_words(step.when)
    return f"{moment}, if {conditions}" if moment else f"If {conditions}"


def moment_words(step: Step) -> str:
    """Empty where nothing but the conditions is waited for."""
    parts = []
    if step.after:
        parts.append(f"after {span_words(step.after.total_seconds(), working=step.working)}")
    if step.case_age:
        parts.append(f"not before the case is {span_words(step.case_age.total_seconds())} old")
    if step.only_in_hours:
        parts.append("in working hours")
    return ", ".join(parts)[:1].upper() + ", ".join(parts)[1:]


def action_words(step: Step) -> str:
    """What is done, without the reason."""
    known = ACTIONS.get(step.action)
    return known(step.params) if known else step.action


def span_words(seconds: float, *, working: bool = False) -> str:
    """In the largest unit that says it without a fraction: 36 hours, 3 days."""
    whole = int(seconds)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if whole % size == 0 and not (unit == "day" and (working or whole < 4 * size)):
            number = whole // size
            return f"{number} {'working ' if working else ''}{unit}{'' if number == 1 else 's'}"
    return f"{whole} seconds"


def text_span_words(text: str) -> str:
    """Of a span as it is written in a document: "1d 12h" is 1 day 12 hours."""
    return " ".join(f"{int(n)} {UNITS[u]}{'' if int(n) == 1 else 's'}" for n, u in SPAN.findall(text)) or text


def audience_words(document: Mapping[str, Any]) -> str:
    """Which cases it is meant for."""
    found = condition_words({f"{field}_in": names for field, names in document.get("for", {}).items()})
    return f"Cases where {found}" if document.get("for") else "Every case that no other playbook is closer to"


def state_word(state: str) -> str:
    return STATE_WORDS.get(state, state)


def move_to(state: Any) -> str:
    return MOVES.get(str(state), f"move the case to “{state_word(str(state))}”")


def notify_words(params: Mapping[str, Any]) -> str:
    words = f"send {letter_words(params)}"
    if params.get("deadline"):
        words += f" and give the customer {text_span_words(params['deadline'])}"
    to = params.get("move_to")
    if not to or (to == "notified" and params.get("deadline")):  # whoever is given time has the case
        return words
    return f"{words}, and {move_to(to)}" if params.get("deadline") else f"{words} and {move_to(to)}"


def letter_words(params: Mapping[str, Any]) -> str:
    letter = str(params.get("notice", ""))
    return LETTER_WORDS.get(letter, f"the letter {letter}")


def move_words(params: Mapping[str, Any]) -> str:
    return move_to(params.get("to")) + (", as if the customer had said so now" if params.get("mark_fixed") else "")


def close_words(params: Mapping[str, Any]) -> str:
    how = str(params.get("resolution", ""))
    closing = f"close the case as “{ENDINGS.get(how, plain(how))}”"
    return f"{closing} and send {letter_words(params)}" if params.get("notice") else f"{closing} without a letter"


def measure_words(params: Mapping[str, Any]) -> str:
    kind = str(params.get("measure", ""))
    undo = text_span_words(str(params.get("undo", "10m")))
    return f"{MEASURE_WORDS.get(kind, kind)}; for {undo} a person can still stop it"


def task_words(params: Mapping[str, Any]) -> str:
    more = f" ({params['text']})" if params.get("text") else ""
    return f"ask a person: {params.get('title', '')}{more}"


ACTIONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "check": lambda p: all_of(ORDERS.get(each, f"run the check {each}") for each in p.get("checks", [])),
    "notify": notify_words,
    "move": move_words,
    "close": close_words,
    "measure": measure_words,
    "release": lambda p: "lift every measure",
    "task": task_words,
}
