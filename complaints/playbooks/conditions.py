"""What a playbook may ask about a case: the facts, looked up once by the runner, and the conditions on them. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from complaints.playbooks.working_time import ALWAYS, WorkingTime
from complaints.vocabulary import CaseState, Category, Cause, ContractKind, CustomerStatus, Verdict

NEVER = datetime.max.replace(tzinfo=UTC)
SURE_OWNER = 0.8  # below, no automatic notice: nobody is better than the wrong one
SURE_CAUSE = 0.8
LIKELY_CAUSE = 0.6
MANY = 3  # reporters: so many are not told to wait
# Abuse that leaves the line as mail: what is wrong there is a cause that must be found before anybody is accused.
MAIL_ABUSE = frozenset(
    {Category.SPAM, Category.PHISHING, Category.MALWARE, Category.FRAUD, Category.BOT, Category.OTHER}
)
# What the reporter has seen is itself the proof; there is no cause to be found behind it. The harmful page, too, while
# nothing says that it came as mail.
SAID_BY_REPORTERS = frozenset(
    {Category.VULNERABLE, Category.COPYRIGHT, Category.LOGIN_ATTACK, Category.SCAN, Category.DDOS}
)
SAID_IF_NO_CAUSE = frozenset({Category.PHISHING, Category.MALWARE, Category.FRAUD})
NOBODYS_FAULT = frozenset({Cause.FORWARDED, Cause.FORGED})  # nobody is told of these by a machine


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """Everything a playbook may ask about a case.

    used: of the customer's turn, before this stay; the clock stands still while a person reads their answer.
    verdicts: step id → the verdicts of its finished runs in this turn, by check name.
    pending: step ids with a run that has not finished. done: step ids that need not run again in this turn.
    measures: kinds of the measures in force, of whichever case. held_here: those of this case by now.
    let_go: of this case, lifted in this stay. ladder: relapses before this case. points: see cases/ladder.py.
    """

    state: CaseState
    state_since: datetime
    now: datetime
    used: timedelta = timedelta(0)
    opened_at: datetime | None = None
    working: WorkingTime = ALWAYS
    category: Category = Category.SPAM
    cause: Cause = Cause.UNKNOWN
    cause_confidence: float = 0.0
    owner_confidence: float = 0.0
    contract_kind: ContractKind = ContractKind.BUSINESS
    protected: bool = False  # a hospital, an emergency line, a VIP: never cut off by a machine
    complaints: int = 1
    reporters: int = 0
    trusted_reporters: int = 0  # proven by DKIM or SPF, and reporting by machine
    voices: int = 0  # independent ones that are proven so: a domain is one voice
    shown: bool = False  # somebody has sent the mail itself along, or lines of it, and not words alone
    only_listed: bool = False  # nobody complains but blacklists: each of them is a reporter here
    ladder: int = 0
    points: float = 0.0
    customer_status: CustomerStatus = CustomerStatus.NONE
    measures: Collection[str] = ()
    held_here: Collection[str] = ()
    let_go: Collection[str] = ()
    has_contact: bool = False
    recent: bool = True  # the abuse is not of long ago
    last_seen: datetime | None = None  # the youngest abuse; None: not known
    watch_until: datetime | None = None  # until when the line must stay quiet: see watching.py
    task_open: bool = False  # the playbook has asked a person about this case, who has not said that it is done
    undelivered: bool = False  # every letter since the customer's turn began has failed
    # Whether no abuse was seen after the moment the customer says it was fixed; None: complaints do not say when.
    quiet: bool | None = True
    delisted: bool | None = None  # no blacklist that named the address names it still; None: not known
    told: bool = False  # the customer was ever written to in this case
    may_have_time: bool = False  # the customer asks for time only, for the first time, and before it has run out
    may_look_again: bool = False  # they looked and found nothing, for the first time, and before the time has run out
    taken_up: bool = False  # a person has the case, or has done something in it that only people decide
    claims_failed: int = 0  # how often a fix was claimed and our check said otherwise
    verdicts: Mapping[str, Mapping[str, Sequence[Verdict]]] = dataclasses.field(default_factory=dict)
    unclear: int = 0  # steps of this stay whose checks are in and gave no clear answer
    refused: Collection[str] = ()  # step ids that had nothing to look at: no address is the customer's any more
    pending: Collection[str] = ()
    done: Collection[str] = ()


def may_notify(facts: Facts) -> bool:
    """The safety rule of automatic mail: sure of the owner, and of the cause by proof or by several voices.

    Where reporters say what they saw themselves, several voices or one that can be trusted must say it, and lately.
    """
    if not facts.has_contact or facts.owner_confidence < SURE_OWNER or facts.cause in NOBODYS_FAULT:
        return False
    voices = facts.reporters >= 2 or facts.trusted_reporters >= 1
    if facts.cause is Cause.UNKNOWN and facts.category in MAIL_ABUSE and not facts.only_listed and facts.voices >= 2:
        # That something is wrong is sure; what it is, the letter leaves open. Words alone may name another by a slip.
        return facts.recent and (facts.shown or facts.voices >= MANY)
    about_a_relay = facts.category is Category.VULNERABLE and facts.cause is Cause.OPEN_RELAY
    if is_said_by_reporters(facts) and not about_a_relay:
        return facts.recent and voices
    if facts.cause is Cause.UNKNOWN or (facts.category not in MAIL_ABUSE and not about_a_relay):
        return False
    if facts.cause_confidence >= SURE_CAUSE:
        # One list alone may be wrong; our own proof (it makes the cause a relay) or a second list must say so too.
        return not facts.only_listed or facts.reporters >= 2 or facts.cause is Cause.OPEN_RELAY
    # A relay can be proven by our own check; where that gave no proof, the shape of the mail alone accuses nobody.
    # What was seen long ago may be mended long since, or somebody else's by now.
    return facts.recent and voices and facts.cause is not Cause.OPEN_RELAY and facts.cause_confidence >= LIKELY_CAUSE


def is_said_by_reporters(facts: Facts) -> bool:
    """Blacklists speak of mail alone: they are no voice in this."""
    if facts.only_listed:
        return False
    no_cause = facts.cause in (Cause.UNKNOWN, Cause.HARMFUL_CONTENT)
    return facts.category in SAID_BY_REPORTERS or (facts.category in SAID_IF_NO_CAUSE and no_cause)


def may_measure(facts: Facts) -> bool:
    """The safety rule of automatic measures: all that a notice needs, and nobody whom a cut line could kill."""
    return may_notify(facts) and not facts.protected and facts.customer_status is not CustomerStatus.DISPUTES


def finished(facts: Facts, step: str) -> bool:
    return step in facts.verdicts and step not in facts.pending


def came_out(facts: Facts, wanted: Mapping[str, str]) -> bool:
    """Every step of `wanted` finished with that verdict: bad if any is bad, clean only if all are, else unknown."""
    return all(
        finished(facts, step) and sum_up(all_verdicts(facts, step)) == verdict for step, verdict in wanted.items()
    )


def all_verdicts(facts: Facts, step: str) -> list[Verdict]:
    return [verdict for verdicts in facts.verdicts.get(step, {}).values() for verdict in verdicts]


def sum_up(verdicts: Sequence[Verdict]) -> Verdict:
    if Verdict.BAD in verdicts:
        return Verdict.BAD
    return Verdict.CLEAN if set(verdicts) == {Verdict.CLEAN} else Verdict.UNKNOWN


def unclear(verdicts: Mapping[str, Mapping[str, Sequence[Verdict]]]) -> list[str]:
    """The steps of `verdicts` that came out unknown."""
    return [step for step, by_check in verdicts.items() if sum_up(list(chain(*by_check.values()))) is Verdict.UNKNOWN]


def is_weak(facts: Facts) -> bool:
    """Nothing is missing but evidence, and few have brought any: waiting may help, and a person could not do more.

    Of one voice, the evidence of whose line it was may be missing, too."""
    few = MANY if facts.owner_confidence >= SURE_OWNER else 2
    return facts.has_contact and facts.reporters < few


def found_bad(facts: Facts) -> bool:
    return any(Verdict.BAD in all_verdicts(facts, step) for step in facts.verdicts)


def seen_within(facts: Facts, hours: float) -> bool:
    """What is not known to be over is taken to go on."""
    return facts.last_seen is None or facts.now - facts.last_seen <= timedelta(hours=hours)


def unseen_from(facts: Facts, hours: float) -> datetime:
    return NEVER if facts.last_seen is None else facts.last_seen + timedelta(hours=hours)


def watched_from(facts: Facts, hours: float) -> datetime:
    return NEVER if facts.watch_until is None else facts.watch_until + timedelta(hours=hours)


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """holds(facts, value of the document); shape: how the editor and the loader read the value. Words for it:
    condition_words.py."""

    holds: Callable[[Facts, Any], bool]
    shape: str
    moment: Callable[[Facts, Any], datetime] | None = None  # from when on it holds, for what time alone brings about


CONDITIONS: dict[str, Condition] = {
    "finished": Condition(lambda f, step: finished(f, step), "step"),
    "verdict": Condition(came_out, "verdicts"),
    "refused": Condition(lambda f, step: step in f.refused, "step"),
    "may_notify": Condition(lambda f, yes: may_notify(f) is yes, "bool"),
    "may_measure": Condition(lambda f, yes: may_measure(f) is yes, "bool"),
    "quiet": Condition(lambda f, wanted: f.quiet is wanted, "tristate"),
    "delisted": Condition(lambda f, wanted: f.delisted is wanted, "tristate"),
    "settled": Condition(lambda f, yes: (not f.pending) is yes, "bool"),
    "told": Condition(lambda f, yes: f.told is yes, "bool"),
    "taken_up": Condition(lambda f, yes: f.taken_up is yes, "bool"),
    "may_have_time": Condition(lambda f, yes: f.may_have_time is yes, "bool"),
    "task_open": Condition(lambda f, yes: f.task_open is yes, "bool"),
    "may_look_again": Condition(lambda f, yes: f.may_look_again is yes, "bool"),
    "undelivered": Condition(lambda f, yes: f.undelivered is yes, "bool"),
    "reachable": Condition(lambda f, yes: f.has_contact is yes, "bool"),
    "weak": Condition(lambda f, yes: is_weak(f) is yes, "bool"),
    "found_bad": Condition(lambda f, yes: found_bad(f) is yes, "bool"),
    "unclear_from": Condition(lambda f, n: f.unclear >= n, "number"),
    "seen_within": Condition(seen_within, "number"),
    "unseen_for": Condition(lambda f, hours: unseen_from(f, hours) <= f.now, "number", unseen_from),
    "watched": Condition(lambda f, hours: watched_from(f, hours) <= f.now, "number", watched_from),
    "restrained": Condition(lambda f, yes: bool(f.measures) is yes, "bool"),
    "held_here": Condition(lambda f, yes: bool(f.held_here) is yes, "bool"),
    "let_go": Condition(lambda f, kind: kind in f.let_go, "measure"),
    "claims_failed_below": Condition(lambda f, n: f.claims_failed < n, "number"),
    "claims_failed_from": Condition(lambda f, n: f.claims_failed >= n, "number"),
    "category_in": Condition(lambda f, names: f.category in names, "categories"),
    "cause_in": Condition(lambda f, names: f.cause in names, "causes"),
    "cause_not_in": Condition(lambda f, names: f.cause not in names, "causes"),
    "contract_in": Condition(lambda f, names: f.contract_kind in names, "contracts"),
    "protected": Condition(lambda f, yes: f.protected is yes, "bool"),
    "complaints_from": Condition(lambda f, n: f.complaints >= n, "number"),
    "confidence_from": Condition(lambda f, percent: round(f.cause_confidence * 100) >= percent, "number"),
    "reporters_from": Condition(lambda f, n: f.reporters >= n, "number"),
    "ladder_from": Condition(lambda f, n: f.ladder >= n, "number"),
    "ladder_below": Condition(lambda f, n: f.ladder < n, "number"),
    "points_from": Condition(lambda f, n: f.points >= n, "number"),
    "points_below": Condition(lambda f, n: f.points < n, "number"),
    "answer_in": Condition(lambda f, names: f.customer_status in names, "answers"),
    "in_force": Condition(lambda f, kind: kind in f.measures, "measure"),
    "not_in_force": Condition(lambda f, kind: kind not in f.measures, "measure"),
}
