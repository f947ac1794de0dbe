"""What each action does to a case that is played again: the same as actions/ do, without touching the world. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from complaints.cases.clock import Clock, moved
from complaints.cases.states import may_move
from complaints.playbooks.closing import earned, letter_about
from complaints.playbooks.conditions import SURE_OWNER, Facts
from complaints.playbooks.documents import Step
from complaints.playbooks.record import Happening, Ran, Record, Rules
from complaints.playbooks.working_time import ALWAYS, WorkingTime
from complaints.vocabulary import CaseState, CustomerStatus, MeasureKind, Resolution, Verdict

NEAR = timedelta(hours=12)  # a verdict says how it was this long before and after; then somebody may have mended it


class Stopped(Exception):
    """From here on the record cannot say what would have happened; the text says why."""


@dataclasses.dataclass(slots=True)
class Play:
    """The case as it stands at `now` of the virtual clock. letters: [name, occurrence, came back]."""

    record: Record
    now: datetime
    state_since: datetime
    state: CaseState = CaseState.INVESTIGATING
    stay: int = 1
    clock: Clock = dataclasses.field(default_factory=Clock)
    rules: Rules | None = None
    working: WorkingTime = ALWAYS
    status: CustomerStatus = CustomerStatus.NONE
    claimed_at: datetime | None = None
    claimed: bool = False  # by the customer, not taken to be so
    taken_up: bool = False
    runs: list[Ran] = dataclasses.field(default_factory=list)
    letters: list[list[Any]] = dataclasses.field(default_factory=list)
    measures: set[str] = dataclasses.field(default_factory=set)
    let_go: set[str] = dataclasses.field(default_factory=set)
    decided: list[tuple[str, int, str]] = dataclasses.field(default_factory=list)
    tasks: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    happened: list[Happening] = dataclasses.field(default_factory=list)
    unknown: list[str] = dataclasses.field(default_factory=list)
    diagnosed: dict[Any, Any] = dataclasses.field(default_factory=dict)

    def tell(self, kind: str, what: str) -> None:
        self.happened.append(Happening(self.now, kind, what))

    def next_verdict(self) -> datetime | None:
        return min(
            (run.finished_at for run in self.runs if run.finished_at and run.finished_at > self.now), default=None
        )


def carry(play: Play, step: Step, facts: Facts) -> None:
    known = ACTIONS.get(step.action)
    if known is None:
        raise Stopped(f"step {step.id}: what the action {step.action} would have done is not known")
    known(play, step, facts)


def go(play: Play, to: CaseState, *, told: bool = True) -> None:
    if not may_move(play.state, to):
        raise Stopped(f"no case moves from {play.state} to {to}")
    play.clock = moved(
        play.clock, was=play.state, to=to, stay=play.stay + 1,
        state_since=play.state_since, deadline_at=None, now=play.now,
    )  # fmt: skip
    play.state, play.state_since, play.stay = to, play.now, play.stay + 1
    play.let_go.clear()
    if told:
        play.tell("move", to.value)


def write(play: Play, letter: str, occurrence: int) -> None:
    if not play.record.has_contact or any(each[:2] == [letter, occurrence] for each in play.letters):
        return
    play.letters.append([letter, occurrence, False])
    if play.status is CustomerStatus.NONE:
        play.status = CustomerStatus.NOTIFIED
    play.tell("letter", letter)


def check(play: Play, step: Step, facts: Facts) -> None:
    for name in step.params["checks"]:
        if not any((run.step, run.stay, run.check) == (step.id, play.stay, name) for run in play.runs):
            play.runs.extend(found(play, step.id, name))
            play.tell("check", name)


def found(play: Play, step: str, name: str) -> Sequence[Ran]:
    """What the check would have found: the run of the very occasion, or else the nearest in time."""
    ran = [run for run in play.record.ran if run.check == name and abs(run.queued_at - play.now) <= NEAR]
    same = [run for run in ran if (run.step, run.stay) == (step, play.stay)]
    if same:
        return [as_ordered(run, play, step, late=max(run.queued_at - play.now, timedelta(0))) for run in same]
    if ran:
        nearest = min(ran, key=lambda run: (abs(run.queued_at - play.now), run.queued_at))
        group = [run for run in ran if (run.step, run.stay) == (nearest.step, nearest.stay)]
        return [as_ordered(run, play, step, late=timedelta(0)) for run in group]
    play.unknown.append(f"{name} was not run near {play.now:%Y-%m-%d %H:%M %Z}: taken as unknown")
    return [Ran(name, step, play.stay, play.now, play.now, Verdict.UNKNOWN, refused=True)]


def as_ordered(run: Ran, play: Play, step: str, *, late: timedelta) -> Ran:
    """The run as this step has it: it takes as long as it took."""
    took = run.finished_at - run.queued_at if run.finished_at else None
    finished_at = play.now + late + took if took is not None else None
    return dataclasses.replace(run, step=step, stay=play.stay, queued_at=play.now, finished_at=finished_at)


def notify(play: Play, step: Step, facts: Facts) -> None:
    occurrence = play.stay
    if "move_to" in step.params:
        go(play, CaseState(step.params["move_to"]))
        if "deadline" in step.params:
            play.clock = Clock(turn=play.stay)  # a new date is a new turn
    write(play, step.params["notice"], occurrence)


def move(play: Play, step: Step, facts: Facts) -> None:
    go(play, CaseState(step.params["to"]))
    if step.params.get("mark_fixed"):
        play.claimed_at, play.claimed = play.now, False


def close(play: Play, step: Step, facts: Facts) -> None:
    occurrence = play.stay
    wanted = Resolution(step.params["resolution"])
    got = earned(wanted, claimed=play.claimed, status=play.status)
    go(play, CaseState.CLOSED)
    if step.params.get("notice"):
        write(play, letter_about(step.params["notice"], wanted=wanted, got=got), occurrence)


def measure(play: Play, step: Step, facts: Facts) -> None:
    kind = step.params["measure"]
    if (step.id, play.stay, kind) in play.decided:
        return
    may_suspend = kind != MeasureKind.SUSPEND or (play.rules is not None and play.rules.seconded)
    if facts.owner_confidence < SURE_OWNER or facts.protected or not may_suspend or kind in play.measures:
        task(play, step, facts)
        return
    play.decided.append((step.id, play.stay, kind))
    play.measures.add(kind)
    play.tell("measure", kind)


def task(play: Play, step: Step, facts: Facts) -> None:
    if (step.id, play.stay) not in play.tasks:
        play.tasks.append((step.id, play.stay))
        play.tell("task", step.id)


def release(play: Play, step: Step, facts: Facts) -> None:
    if play.measures:
        play.let_go |= play.measures
        play.measures.clear()
        play.tell("release", "all")


ACTIONS: Mapping[str, Callable[[Play, Step, Facts], None]] = {
    "check": check,
    "notify": notify,
    "move": move,
    "close": close,
    "measure": measure,
    "task": task,
    "release": release,
}
