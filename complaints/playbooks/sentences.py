"""A playbook as people say it: one sentence a step, from the words of its conditions and actions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from complaints.playbooks.conditions import CONDITIONS
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
    "escalated": "the escalation notice",
    "solved": "the letter “solved”",
}
CHECK_WORDS = {"relay": "the relay check", "dnsbl": "the blacklists"}
MEASURE_WORDS = {
    "limit_25": "block outgoing tcp/25",
    "lock_account": "lock the mail account",
    "quarantine": "put the line into quarantine",
    "suspend": "suspend the line",
}
AUDIENCE_WORDS = {"cause": "the cause is", "category": "the category is", "contract": "the contract is"}


def sentence(step: Step) -> str:
    """Such as "After 36 hours, if no check is under way: send the reminder."."""
    conditions = " and ".join(conditions_of(step))
    when = moment_words(step) + (f", if {conditions}" if conditions else "")
    return f"{when}: {action_words(step)}."


def moment_words(step: Step) -> str:
    after = f"After {span_words(step.after.total_seconds(), working=step.working)}" if step.after else "At once"
    if step.case_age:
        after += f", not before the case is {span_words(step.case_age.total_seconds())} old"
    return after + (", in working hours only" if step.only_in_hours else "")


def conditions_of(step: Step) -> list[str]:
    return [CONDITIONS[name].words.format(value_words(value)) for name, value in step.when.items()]


def action_words(step: Step) -> str:
    known = ACTIONS.get(step.action)
    return known(step.params) if known else step.action


def value_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{step} {verdict}" for step, verdict in value.items())
    if isinstance(value, list | tuple):
        return " or ".join(str(each).replace("_", " ") for each in value)
    by_identity = {True: "yes", False: "no", None: "not known"}
    if value is None or isinstance(value, bool):
        return by_identity[value]
    return MEASURE_WORDS.get(str(value), str(value))


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
    found = [f"{AUDIENCE_WORDS[field]} {value_words(names)}" for field, names in document.get("for", {}).items()]
    return ("Cases where " + " and ".join(found)) if found else "Every case that no other playbook is closer to"


def state_word(state: str) -> str:
    return STATE_WORDS.get(state, state)


def with_reason(words: str, params: Mapping[str, Any]) -> str:
    return f"{words}, because: {params['reason']}" if params.get("reason") else words


def notify_words(params: Mapping[str, Any]) -> str:
    words = f"send {letter_words(params)}"
    if params.get("deadline"):
        words += f", giving {text_span_words(params['deadline'])}"
    if params.get("move_to"):
        words += f", and move the case to “{state_word(params['move_to'])}”"
    return with_reason(words, params)


def letter_words(params: Mapping[str, Any]) -> str:
    letter = str(params.get("notice", ""))
    return LETTER_WORDS.get(letter, f"the letter {letter}")


def move_words(params: Mapping[str, Any]) -> str:
    words = f"move the case to “{state_word(str(params.get('to', '')))}”"
    return with_reason(words + (", as fixed from now on" if params.get("mark_fixed") else ""), params)


def close_words(params: Mapping[str, Any]) -> str:
    how = str(params.get("resolution", "")).replace("_", " ")
    return with_reason(f"close the case as “{how}” and send {letter_words(params)}", params)


def measure_words(params: Mapping[str, Any]) -> str:
    kind = str(params.get("measure", ""))
    undo = text_span_words(str(params.get("undo", "10m")))
    return with_reason(f"{MEASURE_WORDS.get(kind, kind)}, can be undone for {undo}", params)


ACTIONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "check": lambda p: (
        "run " + " and ".join(CHECK_WORDS.get(each, f"the check {each}") for each in p.get("checks", []))
    ),
    "notify": notify_words,
    "move": move_words,
    "close": close_words,
    "measure": measure_words,
    "release": lambda p: with_reason("lift every measure", p),
    "task": lambda p: f"ask a person: {p.get('title', '')}" + (f" ({p['text']})" if p.get("text") else ""),
}
