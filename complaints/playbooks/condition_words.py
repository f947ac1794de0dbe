"""What each condition is called in the editor, and how it is said in a sentence. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

CAUSES = {
    "open_relay": "an open relay",
    "bot": "an infected machine",
    "stolen_mailbox": "a stolen mailbox",
    "web_script": "a web form or script that sends",
    "bulk_mail": "unwanted bulk mail",
    "forwarded": "mail that a user has sent on",
    "forged": "a forged line",
    "harmful_content": "a harmful page or file",
    "attack": "an attack",
    "vulnerable_service": "a vulnerable service",
    "copyright": "somebody else's work",
    "unknown": "not known",
}
CATEGORIES = {
    "bot": "an infected machine",
    "login_attack": "log-in attempts",
    "scan": "scans",
    "ddos": "floods",
    "vulnerable": "a vulnerable service",
    "auth_failure": "mail that fails authentication",
    "not_spam": "mail that is no spam",
    "opt_out": "a wish to be left out",
    "other": "something else",
}
ANSWERS = {
    "none": "was not told yet",
    "notified": "was told and has said nothing",
    "seen": "has opened their page and said nothing",
    "claims_fixed": "says that it is fixed",
    "disputes": "says that it is not their line",
    "asks_help": "asks for help or time",
    "asks_time": "asks for more time",
    "found_nothing": "has looked and found nothing",
}
IN_FORCE = {
    "limit_25": ("outgoing tcp/25 is blocked", "outgoing tcp/25 is not blocked"),
    "lock_account": ("the mail account is locked", "the mail account is not locked"),
    "quarantine": ("the line is in quarantine", "the line is not in quarantine"),
    "suspend": ("the line is suspended", "the line is not suspended"),
}
LET_GO = {
    "limit_25": "outgoing tcp/25 was let go to look",
    "lock_account": "the mail account was let go to look",
    "quarantine": "the line was let out of quarantine to look",
    "suspend": "the suspension was lifted to look",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """label: of its field in the editor. say: the condition with its value, as the part of a sentence after "if"."""

    label: str
    say: Callable[[Any], str]


def either(yes: str, no: str, unknown: str = "") -> Words:
    return Words(yes[0].upper() + yes[1:], lambda value: unknown if value is None else yes if value else no)


def number(text: str) -> Words:
    return Words(text.format("…")[0].upper() + text.format("…")[1:], text.format)


def among(label: str, text: str, known: Mapping[str, str]) -> Words:
    return Words(label, lambda names: text.format(any_of(known.get(each, plain(each)) for each in names)))


def plain(name: str) -> str:
    return str(name).replace("_", " ")


def any_of(parts: Iterable[str]) -> str:
    return listed(parts, "or")


def all_of(parts: Iterable[str]) -> str:
    return listed(parts, "and")


def listed(parts: Iterable[str], last: str) -> str:
    """ "a, b and c"."""
    *most, end = list(parts) or [""]
    return f"{', '.join(most)} {last} {end}" if most else end


def came_out(step: str, verdict: str) -> str:
    said = {"clean": "came out clean", "bad": "came out bad", "unknown": "gave no clear answer"}
    return f"“{step}” {said.get(verdict, verdict)}"


def times(count: Any) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def count_from(first: str, more: str, label: str) -> Words:
    """first: said of 1. more: with the number of times."""
    return Words(label, lambda count: first if count == 1 else more.format(times(count)))


CONDITION_WORDS: Mapping[str, Words] = {
    "finished": Words("The checks of this step are in", "the checks of “{}” are in".format),
    "refused": Words(
        "The address is not theirs alone when this step looks",
        "“{}” had no address of theirs alone to look at".format,
    ),
    "verdict": Words("Checks came out so", lambda wanted: all_of(came_out(*pair) for pair in wanted.items())),
    "may_notify": either(
        "we are sure enough to write to the customer", "we are not sure enough to write to the customer"
    ),
    "may_measure": either("a machine may limit the line", "no machine may limit the line"),
    "quiet": either(
        "no abuse was seen after the fix",
        "abuse was seen after the fix",
        "a complaint came after the fix that does not say when it happened",
    ),
    "delisted": either(
        "no blacklist names the address any more",
        "a blacklist still names the address",
        "nobody can say whether a blacklist still names the address",
    ),
    "settled": either("no check is still running", "a check is still running"),
    "told": either("the customer was written to before", "the customer was never written to"),
    "taken_up": either("a person has taken the case up", "nobody has taken the case up"),
    "may_have_time": either(
        "the customer asks for more time, in time and for the first time",
        "the customer does not ask for time, or had it before",
    ),
    "task_open": either("a task about it waits for a person", "no task about it waits for a person"),
    "may_look_again": either(
        "the customer has looked and found nothing, for the first time",
        "the customer does not say that they found nothing, or said so before",
    ),
    "undelivered": either("no mail has reached the customer", "mail to the customer did not fail"),
    "reachable": either("somebody can be written to", "nobody can be written to"),
    "weak": either("nothing is missing but evidence, and few say so", "more is missing than evidence, or many say so"),
    "found_bad": either("a check found something bad", "no check found anything bad"),
    "unclear_from": count_from(
        "a check of this state gave no clear answer",
        "checks of this state gave no clear answer {} or more",
        "Checks of this state gave no clear answer … times or more",
    ),
    "seen_within": number("abuse was seen in the last {} hours"),
    "unseen_for": number("no abuse was seen for {} hours"),
    "watched": Words(
        "The line was watched as long as its pauses ask, and … hours more",
        lambda hours: (
            "the line was watched as long as its pauses ask"
            + (f", and {hours} {'hour' if hours == 1 else 'hours'} more" if hours else "")
        ),
    ),
    "restrained": either("a measure is in force", "no measure is in force"),
    "held_here": either("a measure of this case holds the line", "no measure of this case holds the line"),
    "let_go": Words(
        "This measure was lifted to look", lambda kind: LET_GO.get(kind, f"{plain(kind)} was lifted to look")
    ),
    "claims_failed_below": count_from(
        "no fix was claimed wrongly",
        "a fix was claimed wrongly less than {}",
        "A fix was claimed wrongly less than … times",
    ),
    "claims_failed_from": count_from(
        "a fix was claimed wrongly before",
        "a fix was claimed wrongly {} or more",
        "A fix was claimed wrongly … times or more",
    ),
    "category_in": among("It is about", "it is about {}", CATEGORIES),
    "cause_in": among("The cause is", "the cause is {}", CAUSES),
    "cause_not_in": among("The cause is not", "the cause is not {}", CAUSES),
    "contract_in": among("The contract is", "the contract is {}", {}),
    "protected": either("the line is protected from machines", "the line is not protected from machines"),
    "complaints_from": number("there are {} complaints or more"),
    "confidence_from": number("the cause is sure to {} % or more"),
    "reporters_from": number("there are {} reporters or more"),
    "ladder_from": count_from("it is a relapse", "it has come back {} or more", "It has come back … times or more"),
    "ladder_below": count_from(
        "it is the first time", "it has come back less than {}", "It has come back less than … times"
    ),
    "points_from": number("the contract has {} relapse points or more"),
    "points_below": number("the contract has fewer than {} relapse points"),
    "answer_in": among("The customer", "the customer {}", ANSWERS),
    "in_force": Words("This measure is in force", lambda kind: IN_FORCE.get(kind, (plain(kind),))[0]),
    "not_in_force": Words("This measure is not in force", lambda kind: IN_FORCE.get(kind, ("", plain(kind)))[1]),
}


def condition_words(when: Mapping[str, Any]) -> str:
    """All conditions of a step, as they are said after "if"."""
    parts: list[str] = []
    for name, value in when.items():
        parts += (
            [came_out(*pair) for pair in value.items()] if name == "verdict" else [CONDITION_WORDS[name].say(value)]
        )
    return all_of(parts)
