"""Past cases played again: by the rules that really ran, it comes out as it was; by a draft, as its steps say."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from complaints import checking
from complaints.cases.answers import AnswerKind, record_answer
from complaints.cases.transitions import move_case, record
from complaints.models import Case, CheckRun, Intervention, Notice, PlaybookVersion
from complaints.notices.customer_post import finish
from complaints.playbooks.comparing import why_not_reproduced
from complaints.playbooks.dry_run import DryRun, dry_run
from complaints.playbooks.facts import working_time
from complaints.playbooks.loading import begin_with_shipped
from complaints.playbooks.record import Record
from complaints.playbooks.recorded import as_they_were, records
from complaints.playbooks.replay import replay
from complaints.playbooks.runner import advance_case, notify_now, recheck_now
from complaints.playbooks.versions import activate, make_draft
from complaints.vocabulary import CaseState, Category, CheckOutcome, EventKind, Resolution, Verdict
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_network

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ADDRESS = "192.0.2.10"
END = NOON + timedelta(days=20)
Happens = dict[float, Callable[[Case, datetime], object]]  # hours since NOON → what happens then


@pytest.fixture(autouse=True)
def desk(settings: Settings) -> None:
    settings.DNS_RESOLVERS, settings.RELAY_PACE = (("127.0.0.1", 9),), 0
    make_network("192.0.2.0/24")
    begin_with_shipped(now=NOON)


def live(
    happens: Happens | None = None,
    *,
    relay: Callable[[datetime], Verdict] = lambda at: Verdict.BAD,
    causes: tuple[str, ...] = (),
    until: datetime = END,
    contract: str = "C-1",
    reporters: int = 1,
    **columns: Any,
) -> Case:
    """A case's real life: the real runner and rows, and a clock that goes from alarm to alarm."""
    make_assignment(contract, f"192.0.2.{10 + Case.objects.count()}/32")
    case = make_case(contract, address=f"192.0.2.{10 + Case.objects.count()}", due_at=NOON, **columns)
    for number in range(reporters):
        about = {"reporter": f"trap{number}@lists.example", "confidence": case.confidence}
        make_complaint(case, address=case.address_text, seen_at=NOON - timedelta(hours=1, minutes=number), **about)
    waiting = dict(happens or {})
    for _ in range(500):
        case.refresh_from_db()
        next_one = NOON + timedelta(hours=min(waiting)) if waiting else None
        moments = [at for at in (case.due_at, next_one) if at is not None]
        if not moments or min(moments) > until or case.state == "closed":
            return case
        now = min(moments)
        if now == next_one:
            waiting.pop(min(waiting))(case, now)
        tick(case, now, relay, causes)
    raise AssertionError("the case never came to rest")


def tick(case: Case, now: datetime, relay: Callable[[datetime], Verdict], causes: tuple[str, ...]) -> None:
    for _ in range(5):
        advance_case(case.pk, now=now)
        ids = list(CheckRun.objects.filter(case=case, state="queued").values_list("pk", flat=True))
        for run in checking.claim_runs(ids, now=now):
            verdict = relay(now) if run.check_name == "relay" else Verdict.BAD if causes else Verdict.CLEAN
            details = {"causes": list(causes)} if run.check_name == "dnsbl" else {}
            checking.record_outcome(run, CheckOutcome(verdict=verdict, reason="as told", details=details), now=now)
        if not ids:
            break


def answer(kind: AnswerKind) -> Callable[[Case, datetime], object]:
    return lambda case, now: record_answer(Case.objects.get(pk=case.pk), kind, now=now)


def person(to: CaseState, resolution: Resolution | None = None) -> Callable[[Case, datetime], object]:
    return lambda case, now: move_case(
        Case.objects.get(pk=case.pk), to, actor="ada", reason="looked", resolution=resolution, now=now
    )


def complaint(**columns: Any) -> Callable[[Case, datetime], object]:
    def arrive(case: Case, now: datetime) -> None:
        address = case.address_text
        made = make_complaint(case, address=address, **{"seen_at": now, "received_at": now, **columns})
        Case.objects.filter(pk=case.pk).update(due_at=now, complaint_count=2, last_seen_at=made.seen_at)

    return arrive


def bounce(case: Case, now: datetime) -> None:
    for notice in Notice.objects.filter(case=case, state="queued"):
        Notice.objects.filter(pk=notice.pk).update(state="failed", problem="no such user")
        notice.refresh_from_db()
        finish(notice, now=now)
    Case.objects.filter(pk=case.pk).update(due_at=now)


def lift(case: Case, now: datetime) -> None:
    from complaints.interventions import withdraw_measure

    for measure in Intervention.objects.filter(case=case, state="decided"):
        withdraw_measure(measure, actor="ada", reason="no", now=now)


def mended(hours: float) -> Callable[[datetime], Verdict]:
    return lambda at: Verdict.CLEAN if at >= NOON + timedelta(hours=hours) else Verdict.BAD


LIVES: dict[str, dict[str, Any]] = {
    "silence": {},
    "fixed silently": {"relay": mended(20)},
    "claimed and true": {"happens": {5: answer(AnswerKind.FIXED)}, "relay": mended(4)},
    "claimed and untrue": {"happens": {5: answer(AnswerKind.FIXED)}},
    "claimed untrue three times": {"happens": {h: answer(AnswerKind.FIXED) for h in (5, 9, 14)}},
    "found nothing, twice": {"happens": {5: answer(AnswerKind.FOUND_NOTHING), 30: answer(AnswerKind.FOUND_NOTHING)}},
    "found nothing, then it was mended": {
        "happens": {5: answer(AnswerKind.FOUND_NOTHING), 30: answer(AnswerKind.FIXED)}, "relay": mended(29),
    },
    "claimed, and no test reaches it": {
        "happens": {5: answer(AnswerKind.FIXED)},
        "relay": lambda at: Verdict.BAD if at < NOON + timedelta(hours=4) else Verdict.UNKNOWN,
    },
    "disputed, and back from a person": {
        "happens": {5: answer(AnswerKind.NOT_ME), 30: person(CaseState.NOTIFIED)},
    },
    "asked for help, then a person closed": {
        "happens": {5: answer(AnswerKind.NEEDS_HELP), 9: person(CaseState.CLOSED, Resolution.NOT_ABUSE)},
    },
    "unsure, told by a person": {
        "relay": lambda at: Verdict.CLEAN,
        "reporters": 3,
        "happens": {8: lambda case, now: notify_now(Case.objects.get(pk=case.pk), actor="ada", now=now)},
    },
    "unknown relay": {"relay": lambda at: Verdict.UNKNOWN},
    "proven a day later": {"relay": lambda at: Verdict.BAD if at > NOON + timedelta(hours=1) else Verdict.UNKNOWN},
    "proven a day later, but taken up": {
        "relay": lambda at: Verdict.BAD if at > NOON + timedelta(hours=30) else Verdict.UNKNOWN,
        "happens": {
            25: lambda case, now: record(case, EventKind.NOTE, actor="ada", now=now, text="mine"),
            31: lambda case, now: recheck_now(Case.objects.get(pk=case.pk), actor="ada", now=now),
        },
    },
    "checked by hand, and proven": {
        "relay": lambda at: Verdict.BAD if at > NOON + timedelta(hours=1) else Verdict.UNKNOWN,
        "happens": {3: lambda case, now: recheck_now(Case.objects.get(pk=case.pk), actor="ada", now=now)},
    },
    "checked by hand": {
        "happens": {3: lambda case, now: recheck_now(Case.objects.get(pk=case.pk), actor="ada", now=now)},
    },
    "a relapse": {"ladder": 1},
    "nobody reached": {"happens": {2: bounce}},
    "abuse after the fix": {
        "happens": {5: answer(AnswerKind.FIXED), 5.1: complaint()}, "relay": mended(4),
    },
    "abuse of an unsure time after the fix": {
        "happens": {5: answer(AnswerKind.FIXED), 5.1: complaint(seen_exactly=False)}, "relay": mended(4),
    },
    "a bot": {"causes": ("bot",), "relay": lambda at: Verdict.CLEAN},
    "a vulnerable service": {"category": Category.VULNERABLE},
    "an attack": {"category": Category.SCAN},
    "phishing": {"category": Category.PHISHING},
    "a measure that was withdrawn": {"happens": {72.2: lift}},
    "no contact": {"owner": {"contact_email": ""}},
    "an unsure owner": {"confidence": 0.5},
    "closed at once by a person": {"happens": {0.5: person(CaseState.CLOSED, Resolution.STALE)}},
}  # fmt: skip


def recorded(case: Case) -> Record:
    return records([case.pk], now=END)[0]


@pytest.mark.parametrize("name", LIVES)
def test_the_rules_that_really_ran_come_out_as_it_really_was(name: str) -> None:
    record = recorded(live(**LIVES[name]))

    played = replay(record, as_they_were(), working=working_time())

    assert why_not_reproduced(record, played) == ""
    assert sorted(played.happened) == sorted(record.happened)
    assert played.unknown == ()


def draft(change: Callable[[dict[str, dict[str, Any]]], object]) -> PlaybookVersion:
    document = deepcopy(PlaybookVersion.objects.get(name="open relay").document)
    change({step["id"]: step for step in document["steps"]})
    return make_draft(document, actor="ada", now=NOON)


def words(run: DryRun) -> list[str]:
    assert [each.problem for each in run.not_comparable] == []
    return [total.words for total in run.totals if total.did != total.would] + list(run.shifts)


def test_a_draft_that_changes_nothing_would_have_done_the_same() -> None:
    for number, name in enumerate(["silence", "claimed and true", "claimed and untrue"]):
        live(**LIVES[name], contract=f"C-{number}")
    run = dry_run(draft(lambda steps: None), now=END)
    assert (len(run.compared), words(run), run.differing) == (3, [], [])


def test_who_escalates_earlier_is_told_with_what_follows() -> None:
    live()
    version = draft(lambda steps: steps["escalate"].update(after="48h"))

    run = dry_run(version, now=END)

    [case] = run.differing
    assert words(run) == ["1 check fewer", "1 case escalated earlier"]
    escalated = [each.at for each in case.would if each.what == "escalated" and each.kind == "move"]
    assert escalated == [NOON + timedelta(hours=48)]


def test_letters_that_would_not_have_been_written_are_counted() -> None:
    live()
    assert words(dry_run(draft(lambda steps: steps["remind"].update(when={"ladder_from": 5})), now=END)) == [
        "1 letter fewer"
    ]


def test_a_check_that_was_never_run_is_unknown_and_said() -> None:
    live(**LIVES["silence"])
    look = {"id": "look-late", "in_state": "escalated", "action": "check", "after": "8d", "with": {"checks": ["relay"]}}
    document = deepcopy(PlaybookVersion.objects.get(name="open relay").document)
    document["steps"].append(look)

    [case] = dry_run(make_draft(document, actor="ada", now=NOON), now=END).compared

    assert case.unknown == ("relay was not run near 2026-03-21 12:00 UTC: taken as unknown",)


def test_a_check_at_another_time_finds_what_was_found_nearest() -> None:
    live(relay=mended(23))
    version = draft(lambda steps: steps["look-again"].update(after="20h"))

    [case] = dry_run(version, now=END).compared

    assert case.unknown == ()
    assert [each.what for each in case.would if each.kind == "move"][:2] == ["notified", "verifying"]


def test_an_answer_to_a_letter_that_would_not_have_been_written_ends_what_is_known() -> None:
    live(**LIVES["claimed and true"])
    version = draft(lambda steps: steps["notify"].update(after="8h"))

    [case] = dry_run(version, now=END).compared

    assert case.stopped == "the customer answered a letter that would not have been written by then"
    assert case.until == NOON + timedelta(hours=5)


def test_a_persons_move_that_does_not_fit_ends_what_is_known() -> None:
    live(**LIVES["unsure, told by a person"])
    PlaybookVersion.objects.get(name="mail abuse")
    document = deepcopy(PlaybookVersion.objects.get(name="mail abuse").document)
    step = next(step for step in document["steps"] if step["id"] == "unsure")
    step["after"] = "9h"
    [case] = dry_run(make_draft(document, actor="ada", now=NOON), now=END).compared

    assert case.stopped == "a person moved the case while it was triage; by then it would have been investigating"


def test_a_case_that_its_own_rules_do_not_explain_is_set_aside_with_the_reason() -> None:
    case = live()
    Notice.objects.filter(case=case, step="remind").update(queued_at=NOON + timedelta(hours=50))

    run = dry_run(draft(lambda steps: None), now=END)

    assert run.compared == []
    assert run.not_comparable[0].problem == (
        "letter remind really was at 2026-03-12 14:00 UTC,"
        " and in the replay of its own version is at 2026-03-12 00:00 UTC"
    )


def test_the_version_that_was_active_then_explains_the_case() -> None:
    old = live(contract="C-1")
    faster = draft(lambda steps: steps["escalate"].update(after="30h"))
    activate(faster, actor="ada", now=NOON - timedelta(days=1))
    new = live(contract="C-2")

    found = records([old.pk, new.pk], now=END)
    PlaybookVersion.objects.filter(pk=faster.pk).update(activated_at=NOON + timedelta(minutes=1))

    assert why_not_reproduced(found[0], replay(found[0], as_they_were(), working=working_time())) == ""
    assert why_not_reproduced(found[1], replay(found[1], as_they_were(), working=working_time())) != ""


def test_more_cases_than_are_played_are_sampled_and_it_says_so() -> None:
    for number in range(3):
        live(contract=f"C-{number}", until=NOON + timedelta(hours=1))
    run = dry_run(draft(lambda steps: None), now=END, most=2)
    assert (run.found, run.is_sample, len(run.compared) + len(run.not_comparable)) == (3, True, 2)


def test_a_dry_run_writes_nothing() -> None:
    live()
    version = draft(lambda steps: None)
    with CaptureQueriesContext(connection) as queries:
        dry_run(version, now=END)
    statements = [query["sql"] for query in queries.captured_queries]
    assert [sql for sql in statements if not sql.startswith("SELECT")] == []
