"""Play a past case again by other rules, with a virtual clock, as far as its record tells what the world did. Pure.

The facts of every moment are rebuilt from what was known then; the schedule that asks them is the one that runs cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from complaints.playbooks.carrying import Play, Stopped, carry, go
from complaints.playbooks.choosing import choose, fits
from complaints.playbooks.documents import BadPlaybook, Step
from complaints.playbooks.past_facts import facts_at
from complaints.playbooks.record import Active, Outside, Record, Replayed, Rules
from complaints.playbooks.schedule import due_steps, next_due_at
from complaints.playbooks.working_time import ALWAYS, WorkingTime
from complaints.vocabulary import CaseState, CustomerStatus

MOST_STEPS = 20  # in one go, as the runner
MOST_MOMENTS = 2000
UNTOLD = (CaseState.INVESTIGATING, CaseState.TRIAGE)
OPEN_FOR_ANSWERS = (CaseState.NOTIFIED, CaseState.ESCALATED, CaseState.ANSWERED, CaseState.VERIFYING)
ANSWERS = {
    "fixed": (CustomerStatus.CLAIMS_FIXED, CaseState.VERIFYING),
    "needs_help": (CustomerStatus.ASKS_HELP, CaseState.ANSWERED),
    "needs_time": (CustomerStatus.ASKS_TIME, CaseState.ANSWERED),
    "found_nothing": (CustomerStatus.FOUND_NOTHING, CaseState.ANSWERED),
    "not_me": (CustomerStatus.DISPUTES, CaseState.ANSWERED),
}


def replay(record: Record, active: Active, *, working: WorkingTime = ALWAYS) -> Replayed:
    """What the playbooks of `active` do with the case, until its record ends or tells no more."""
    play = Play(record=record, now=record.opened_at, state_since=record.opened_at, working=working)
    try:
        run(play, active)
    except Stopped as exc:
        return result(play, stopped=str(exc))
    except BadPlaybook as exc:
        return result(play, stopped=f"no playbook was there for it: {exc}")
    return result(play)


def result(play: Play, *, stopped: str = "") -> Replayed:
    at = play.now if stopped else None
    followed = play.rules.name if play.rules else ""
    return Replayed(tuple(play.happened), play.state, followed, at, stopped, tuple(dict.fromkeys(play.unknown)))


def run(play: Play, active: Active) -> None:
    """From moment to moment: what the outside does, what is known by then, and what is due."""
    outside = sorted(play.record.outside, key=lambda event: event.at)
    wakes = sorted({*(h.received_at for h in play.record.heard), *by_hand(play.record), *(e.at for e in outside)})
    due: datetime | None = play.now
    for _ in range(MOST_MOMENTS):
        moments = [at for at in (due, wakes[0] if wakes else None, play.next_verdict()) if at is not None]
        if not moments or min(moments) > play.record.ends_at or play.state is CaseState.CLOSED:
            return
        play.now = max(min(moments), play.now)
        wakes = [at for at in wakes if at > play.now]
        while outside and outside[0].at <= play.now:
            take(play, outside.pop(0))
        due = advance(play, active)
    raise Stopped("it went in circles")


def by_hand(record: Record) -> list[datetime]:
    return [ran.finished_at for ran in record.ran if not ran.step and ran.finished_at]


def advance(play: Play, active: Active) -> datetime | None:
    """As the runner: one due step after the other; when time alone will make the next one due."""
    carried: set[tuple[str, int]] = set()
    for _ in range(MOST_STEPS):
        if play.state is CaseState.CLOSED:
            return None
        facts = facts_at(play)
        steps = follow(play, active, cause=facts.cause)
        due = [step for step in due_steps(steps, facts) if (step.id, play.stay) not in carried]
        if not due:
            return next_due_at(steps, facts)
        carried.add((due[0].id, play.stay))
        carry(play, due[0], facts)
    return play.now + timedelta(minutes=1)


def follow(play: Play, active: Active, *, cause: str) -> list[Step]:
    """The steps of the version that the case follows by now: see runner.playbook_of."""
    about = {"category": play.record.category.value, "cause": cause, "contract": play.record.contract_kind.value}
    if play.rules is None or play.state in UNTOLD or not fits(play.rules.document, about):
        there = active(play.now)
        chosen = choose([rules.document for rules in there], **about)
        found = next(rules for rules in there if rules.document is chosen)
        if play.rules is None or play.rules.name != found.name:
            play.rules = found
    rules: Rules = play.rules
    return list(rules.steps)


def take(play: Play, event: Outside) -> None:
    """What the customer, a person or the mail did then. Raises Stopped where it only fits what really had happened."""
    TAKEN[event.kind](play, event)


def take_answer(play: Play, event: Outside) -> None:
    if play.state not in OPEN_FOR_ANSWERS:
        raise Stopped("the customer answered a letter that would not have been written by then")
    status, to = ANSWERS[event.what]
    if event.what == "fixed" and play.state is to:
        if not play.claimed:
            play.status, play.claimed = status, True
        return
    play.status = status
    if event.what == "fixed":
        play.claimed_at, play.claimed = event.at, True
    if play.state is not to:
        go(play, to, told=False)


def take_person(play: Play, event: Outside) -> None:
    if play.state is not event.was or event.to is None:
        was = event.was.value if event.was else "nowhere"
        raise Stopped(f"a person moved the case while it was {was}; by then it would have been {play.state.value}")
    if event.what:
        play.letters.append([event.what, play.stay, False])
    go(play, event.to, told=False)


def take_up(play: Play, event: Outside) -> None:
    play.taken_up = True


def take_bounce(play: Play, event: Outside) -> None:
    there = [letter for letter in play.letters if letter[0] == event.what]
    if not there:
        raise Stopped("a letter came back that would not have been written by then")
    for letter in there:
        letter[2] = True
    if all(failed for _, _, failed in play.letters) and play.status is CustomerStatus.NOTIFIED:
        play.status = CustomerStatus.NONE


def take_saw(play: Play, event: Outside) -> None:
    if play.status is CustomerStatus.NOTIFIED:
        play.status = CustomerStatus.SEEN


def take_measure(play: Play, event: Outside) -> None:
    if event.kind == "measure_on":
        play.measures.add(event.what)
    elif event.what in play.measures:
        play.measures.discard(event.what)
        play.let_go.add(event.what)


TAKEN: Mapping[str, Callable[[Play, Outside], None]] = {
    "answer": take_answer,
    "person": take_person,
    "taken_up": take_up,
    "bounce": take_bounce,
    "saw": take_saw,
    "measure_on": take_measure,
    "measure_off": take_measure,
}
