"""What is due in a case, by its playbook: facts in, steps out. Pure.

A playbook document is {"name", "steps": [{"id", "in_state", "action", "after", "when", "with"}, …]}:
`after` is a span since the case entered its state ("36h", "3d", "20s"), `when` names conditions of the
table below, `with` is handed to the action. A step runs at most once a stay in a state.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from complaints.vocabulary import CaseState, Category, Cause, Verdict

SPAN = re.compile(r"(\d+)\s*([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SURE_OWNER = 0.8  # below, no automatic notice: nobody is better than the wrong one
SURE_CAUSE = 0.8
LIKELY_CAUSE = 0.6
# The letters speak of mail that leaves the line. About a scan or a film somebody shared they would be nonsense.
MAIL_ABUSE = frozenset(
    {Category.SPAM, Category.PHISHING, Category.MALWARE, Category.FRAUD, Category.BOT, Category.OTHER}
)


class BadPlaybook(Exception):
    """The document cannot be used; the text says which step and what."""


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """Everything a playbook may ask about a case, looked up once by the runner.

    verdicts: step id → the verdicts of its finished runs in this stay, by check name.
    pending: step ids with a run that has not finished. done: step ids that need not run again in this stay.
    """

    state: CaseState
    state_since: datetime
    now: datetime
    category: Category = Category.SPAM
    cause: Cause = Cause.UNKNOWN
    cause_confidence: float = 0.0
    owner_confidence: float = 0.0
    reporters: int = 0
    trusted_reporters: int = 0
    has_contact: bool = False
    recent: bool = True  # the abuse is not of long ago
    undelivered: bool = False  # every letter since the customer's turn began has failed
    # Whether no abuse was seen after the moment the customer says it was fixed; None: complaints do not say when.
    quiet: bool | None = True
    claims_failed: int = 0  # how often a fix was claimed and our check said otherwise
    verdicts: Mapping[str, Mapping[str, Sequence[Verdict]]] = dataclasses.field(default_factory=dict)
    pending: Collection[str] = ()
    done: Collection[str] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    id: str
    in_state: CaseState
    action: str
    after: timedelta = timedelta(0)
    when: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def may_notify(facts: Facts) -> bool:
    """The safety rule of automatic mail: sure of the owner, and of the cause by proof or by several voices."""
    if not facts.has_contact or facts.owner_confidence < SURE_OWNER:
        return False
    if facts.cause is Cause.UNKNOWN:
        return False
    about_a_relay = facts.category is Category.VULNERABLE and facts.cause is Cause.OPEN_RELAY
    if facts.category not in MAIL_ABUSE and not about_a_relay:
        return False
    if facts.cause_confidence >= SURE_CAUSE:
        return True
    # A relay can be proven by our own check; where that gave no proof, the shape of the mail alone accuses nobody.
    # What was seen long ago may be mended long since, or somebody else's by now.
    if not facts.recent:
        return False
    voices = facts.reporters >= 2 or facts.trusted_reporters >= 1
    return facts.cause is not Cause.OPEN_RELAY and facts.cause_confidence >= LIKELY_CAUSE and voices


def all_verdicts(facts: Facts, step: str) -> list[Verdict]:
    return [verdict for verdicts in facts.verdicts.get(step, {}).values() for verdict in verdicts]


def finished(facts: Facts, step: str) -> bool:
    return step in facts.verdicts and step not in facts.pending


def came_out(facts: Facts, wanted: Mapping[str, str]) -> bool:
    """Every step of `wanted` finished with that verdict: bad if any is bad, clean only if all are, else unknown."""
    return all(
        finished(facts, step) and sum_up(all_verdicts(facts, step)) == verdict for step, verdict in wanted.items()
    )


def sum_up(verdicts: Sequence[Verdict]) -> Verdict:
    if Verdict.BAD in verdicts:
        return Verdict.BAD
    return Verdict.CLEAN if verdicts and set(verdicts) == {Verdict.CLEAN} else Verdict.UNKNOWN


CONDITIONS: dict[str, Callable[[Facts, Any], bool]] = {
    "finished": lambda facts, step: finished(facts, step),
    "verdict": came_out,
    "may_notify": lambda facts, wanted: may_notify(facts) is wanted,
    "quiet": lambda facts, wanted: facts.quiet is wanted,
    "settled": lambda facts, wanted: (not facts.pending) is wanted,  # no check of this stay is under way
    "undelivered": lambda facts, wanted: facts.undelivered is wanted,
    "claims_failed_below": lambda facts, count: facts.claims_failed < count,
    "claims_failed_from": lambda facts, count: facts.claims_failed >= count,
    "cause_in": lambda facts, causes: facts.cause in causes,
    "cause_not_in": lambda facts, causes: facts.cause not in causes,
}


def parse_span(text: str) -> timedelta:
    """A span such as "90s", "36h" or "1d 12h". Raises BadPlaybook."""
    parts = SPAN.findall(text)
    if not parts or SPAN.sub("", text).strip():
        raise BadPlaybook(f"{text!r} is no span of time: write 20s, 15m, 36h, 3d")
    return timedelta(seconds=sum(int(number) * SECONDS[unit] for number, unit in parts))


def parse_steps(document: Mapping[str, Any], actions: Collection[str]) -> list[Step]:
    """The steps of a playbook document, each field checked. Raises BadPlaybook."""
    steps = [parse_step(row, actions) for row in document.get("steps", [])]
    ids = [step.id for step in steps]
    if not steps:
        raise BadPlaybook("a playbook needs steps")
    if len(set(ids)) != len(ids):
        raise BadPlaybook(f"two steps share an id: {sorted({i for i in ids if ids.count(i) > 1})}")
    return steps


def parse_step(row: Mapping[str, Any], actions: Collection[str]) -> Step:
    name = row.get("id", "(no id)")
    unknown = set(row) - {"id", "in_state", "action", "after", "when", "with"}
    if unknown or not {"id", "in_state", "action"} <= set(row):
        raise BadPlaybook(f"step {name}: has {sorted(row)}; needs id, in_state, action; may have after, when, with")
    if row["in_state"] not in list(CaseState):
        raise BadPlaybook(f"step {name}: in_state {row['in_state']!r} is none of {[s.value for s in CaseState]}")
    if row["action"] not in actions:
        raise BadPlaybook(f"step {name}: action {row['action']!r} is none of {sorted(actions)}")
    strange = set(row.get("when", {})) - set(CONDITIONS)
    if strange:
        raise BadPlaybook(f"step {name}: conditions {sorted(strange)} are none of {sorted(CONDITIONS)}")
    return Step(
        id=row["id"],
        in_state=CaseState(row["in_state"]),
        action=row["action"],
        after=parse_span(row.get("after", "0s")),
        when=row.get("when", {}),
        params=row.get("with", {}),
    )


def applies(step: Step, facts: Facts) -> bool:
    """In its state, not yet done in this stay, and every condition but the time holds."""
    if step.in_state is not facts.state or step.id in facts.done:
        return False
    return all(CONDITIONS[name](facts, value) for name, value in step.when.items())


def due_steps(steps: Sequence[Step], facts: Facts) -> list[Step]:
    """What is to be done now, in the playbook's order."""
    return [step for step in steps if applies(step, facts) and facts.state_since + step.after <= facts.now]


def next_due_at(steps: Sequence[Step], facts: Facts) -> datetime | None:
    """When time alone will make a step due; None: only an event can."""
    moments = [facts.state_since + step.after for step in steps if applies(step, facts)]
    return min((moment for moment in moments if moment > facts.now), default=None)
