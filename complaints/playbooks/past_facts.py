"""The facts of a case at a past moment, from what was known by then. Pure: facts.py asks the same of the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from complaints.cases.ladder import FORGOTTEN, points_of
from complaints.diagnosis import diagnose_case
from complaints.playbooks.carrying import Play
from complaints.playbooks.conditions import Facts, unclear
from complaints.playbooks.record import Heard, Ran
from complaints.playbooks.watching import MOST_TIMES, watch_span
from complaints.vocabulary import CaseState, CustomerStatus, Diagnosis, Verdict

RECENT = timedelta(days=5)  # as facts.py
LOOKED_AT = 50  # as cases/assessment.py
STILL_OPEN = "still_open"
MORE_TIME, LOOK_AGAIN = "more_time", "look_again"  # as facts.py


def facts_at(play: Play) -> Facts:
    record, now, turn = play.record, play.now, play.clock.turn
    heard = [each for each in record.heard if each.received_at <= now]
    diagnosis = diagnosed(play, heard)
    reporters = {each.reporter for each in heard if each.reporter is not None}
    runs = [run for run in play.runs if run.stay >= turn]
    ended = [run for run in runs if is_over(run, play)]
    verdicts: dict[str, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    ran = {run.step for run in runs if not run.refused}
    for run in ended:
        if run.has_left and run.step in ran:
            continue
        verdicts[run.step][run.check].append(run.verdict)
    stayed = {run.step for run in ended if run.stay == play.stay}
    youngest = sorted(heard, key=lambda each: each.seen_at, reverse=True)
    proven = {(each.voice, each.by_hand) for each in [each for each in youngest if each.voice][:MOST_TIMES]}
    past = [each for each in record.past if now - FORGOTTEN < each.closed_at <= now]
    return Facts(
        state=play.state,
        state_since=play.state_since,
        now=now,
        used=timedelta(seconds=int(play.clock.used.total_seconds())),
        opened_at=record.opened_at,
        working=play.working,
        category=record.category,
        cause=diagnosis.cause,
        cause_confidence=diagnosis.confidence,
        owner_confidence=max((each.confidence for each in heard), default=record.confidence),
        contract_kind=record.contract_kind,
        protected=record.protected,
        complaints=len(heard),
        reporters=len(reporters),
        trusted_reporters=len({voice for voice, by_hand in proven if not by_hand}),
        voices=len({voice for voice, _ in proven}),
        shown=any(each.is_mail for each in heard),
        only_listed={each.format for each in heard} == {"listing"},
        ladder=record.ladder,
        points=points_of(past, now=now),
        customer_status=play.status,
        measures=frozenset(play.measures),
        held_here=frozenset(play.measures),
        let_go=frozenset(play.let_go),
        told=bool(play.letters),
        taken_up=play.taken_up,
        may_have_time=says_for_the_first_time(play, CustomerStatus.ASKS_TIME, MORE_TIME),
        may_look_again=says_for_the_first_time(play, CustomerStatus.FOUND_NOTHING, LOOK_AGAIN),
        claims_failed=sum(name == STILL_OPEN for name, *_ in play.letters),
        has_contact=record.has_contact,
        recent=max((each.seen_at for each in heard), default=record.opened_at) > now - RECENT,
        last_seen=max((each.seen_at for each in heard), default=None),
        watch_until=watch_until(play, youngest),
        task_open=bool(play.tasks),  # when a person would have done it is not known
        undelivered=is_undelivered(play),
        quiet=is_quiet(play, heard),
        delisted=is_delisted(play),
        verdicts=verdicts,
        unclear=len(unclear({step: found for step, found in verdicts.items() if step in stayed})),
        refused={run.step for run in runs} - {run.step for run in runs if not run.has_left},
        pending={run.step for run in runs if not is_over(run, play)},
        done={run.step for run in runs}
        | {name for name, occurrence, _ in play.letters if occurrence >= turn}
        | {step for step, occurrence, _ in play.decided if occurrence >= turn}
        | {step for step, stay in play.tasks if stay >= turn},
    )


def says_for_the_first_time(play: Play, what: CustomerStatus, letter: str) -> bool:
    says = play.status is what and play.clock.paused_in == CaseState.NOTIFIED
    return says and not any(name == letter for name, *_ in play.letters)


def is_over(run: Ran, play: Play) -> bool:
    return run.finished_at is not None and run.finished_at <= play.now


def findings(play: Play) -> list[Ran]:
    """Every run with a finding by now, the oldest first: those of the steps, and those that a person ordered."""
    by_hand = [run for run in play.record.ran if not run.step]
    over = [run for run in (*play.runs, *by_hand) if is_over(run, play) and not run.refused]
    return sorted(over, key=lambda run: run.finished_at or play.now)


def diagnosed(play: Play, heard: Sequence[Heard]) -> Diagnosis:
    """As cases/assessment.py: from the shapes of the youngest complaints and the last run of each check."""
    ended = findings(play)
    key = (len(heard), tuple(id(run) for run in ended))
    if key not in play.diagnosed:
        youngest = sorted(heard, key=lambda each: each.seen_at, reverse=True)[:LOOKED_AT]
        last = {(run.check, run.address): run for run in ended}.values()
        play.diagnosed[key] = diagnose_case(
            [each.shape for each in youngest if each.shape is not None],
            relay=relay_verdict(ended, list(last)),
            listing_causes=[cause for run in last if run.check == "dnsbl" for cause in run.causes],
        )
    found: Diagnosis = play.diagnosed[key]
    return found


def relay_verdict(ended: Sequence[Ran], last: Sequence[Ran]) -> Verdict | None:
    if any(run.check == "relay" and run.verdict is Verdict.BAD for run in ended):
        return Verdict.BAD
    verdicts = {run.verdict for run in last if run.check == "relay"}
    return next((verdict for verdict in (Verdict.UNKNOWN, Verdict.CLEAN) if verdict in verdicts), None)


def is_quiet(play: Play, heard: Sequence[Heard]) -> bool | None:
    claimed = play.claimed_at
    if claimed is None:
        return True
    told_when = {each.seen_exactly for each in heard if each.seen_at > claimed}
    if not told_when:
        return True
    return None if told_when == {False} else False


def watch_until(play: Play, youngest: Sequence[Heard]) -> datetime | None:
    if play.state is not CaseState.VERIFYING:
        return None
    times = [each.seen_at for each in youngest if each.seen_exactly][:MOST_TIMES]
    return (play.claimed_at or play.state_since) + watch_span(times)


def is_undelivered(play: Play) -> bool:
    if play.state is not CaseState.NOTIFIED or play.status not in (CustomerStatus.NONE, CustomerStatus.NOTIFIED):
        return False
    return {failed for _, occurrence, failed in play.letters if occurrence >= play.clock.turn - 1} == {True}


def is_delisted(play: Play) -> bool | None:
    if any(first <= play.now and (gone is None or gone > play.now) for first, gone in play.record.listings):
        return False
    asked = any(run.check == "dnsbl" and run.verdict is not Verdict.UNKNOWN for run in findings(play))
    return True if asked else None
