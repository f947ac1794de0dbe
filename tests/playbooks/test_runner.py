"""A case is advanced by the shipped playbook: real rows, a fake clock, check results written as a worker would."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from complaints import checking
from complaints.cases.answers import AnswerKind, record_answer
from complaints.cases.tasks import end_task
from complaints.cases.transitions import move_case
from complaints.desk.telling import tell_customer
from complaints.interventions import carry_out_due
from complaints.models import Case, CheckRun, DeskTask, Intervention, Notice
from complaints.notices.compose import queue_notice
from complaints.playbooks import runner
from complaints.playbooks.runner import advance_case, notify_now, recheck_now
from complaints.vocabulary import CaseState, CheckOutcome, Verdict
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_network

pytestmark = pytest.mark.django_db
ADDRESS = "192.0.2.10"


@pytest.fixture
def case(settings: Settings) -> Case:
    settings.DNS_RESOLVERS = (("127.0.0.1", 9),)
    settings.RELAY_PACE = 0
    make_network("192.0.2.0/24")
    make_assignment("C-1", f"{ADDRESS}/32")
    case = make_case("C-1", address=ADDRESS, due_at=NOON)
    make_complaint(case, address=ADDRESS, seen_at=NOON - timedelta(hours=1))
    return case


def finish_checks(now: datetime, verdict: Verdict = Verdict.BAD, **outcome: Any) -> None:
    """Every check that is queued comes out so; a relay that is bad is proven by its probe in real life."""
    ids = list(CheckRun.objects.filter(state="queued").values_list("pk", flat=True))
    for run in checking.claim_runs(ids, now=now):
        result = verdict if run.check_name == "relay" else Verdict.CLEAN
        assert checking.record_outcome(run, CheckOutcome(verdict=result, reason="as told", **outcome), now=now)


def state(case: Case) -> tuple[str, str]:
    case.refresh_from_db()
    return case.state, case.resolution


def notified(case: Case) -> datetime:
    advance_case(case.pk, now=NOON)
    finish_checks(NOON)
    advance_case(case.pk, now=NOON)
    case.refresh_from_db()
    return NOON


def letters(case: Case) -> list[str]:
    return list(case.notices.order_by("pk").values_list("step", flat=True))


def test_a_new_case_orders_its_checks_once(case: Case) -> None:
    first = advance_case(case.pk, now=NOON)
    second = advance_case(case.pk, now=NOON)

    assert [run.occasion for run in CheckRun.objects.order_by("check_name")] == ["investigate.1", "investigate.1"]
    assert (len(first.checks), first, first.notices) == (2, second, [])


def test_a_proven_relay_is_told_with_its_deadline(case: Case) -> None:
    notified(case)

    assert (case.state, case.cause, case.deadline_at) == ("notified", "open_relay", NOON + timedelta(hours=72))
    assert letters(case) == ["notify"]
    assert case.due_at == NOON + timedelta(hours=24)


def test_advancing_a_told_case_again_writes_no_second_letter(case: Case) -> None:
    notified(case)
    advance_case(case.pk, now=NOON)
    advance_case(case.pk, now=NOON)
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("verdict", [Verdict.CLEAN, Verdict.UNKNOWN])
def test_without_proof_a_single_voice_waits_and_nobody_is_told(case: Case, verdict: Verdict) -> None:
    for hours in (0, 24):
        now = NOON + timedelta(hours=hours)
        advance_case(case.pk, now=now)
        finish_checks(now, verdict)
        advance_case(case.pk, now=now)
        assert (state(case), letters(case)) == (("investigating", ""), [])

    advance_case(case.pk, now=NOON + timedelta(days=7))
    assert (state(case), letters(case)) == (("closed", "stale"), [])


def test_silence_brings_a_reminder_and_then_escalation(case: Case) -> None:
    notified(case)
    for hours in (24, 36, 72):
        now = NOON + timedelta(hours=hours)
        advance_case(case.pk, now=now)
        finish_checks(now)
        advance_case(case.pk, now=now)

    assert (state(case), letters(case)) == (("escalated", ""), ["notify", "remind", "escalated"])


def test_a_fix_is_proven_by_two_spaced_checks(case: Case) -> None:
    notified(case)
    claimed = NOON + timedelta(hours=2)
    record_answer(case, AnswerKind.FIXED, now=claimed)

    advance_case(case.pk, now=claimed)
    finish_checks(claimed, Verdict.CLEAN)
    advance_case(case.pk, now=claimed)
    assert state(case) == ("verifying", "")
    assert case.due_at == claimed + timedelta(minutes=15)

    later = claimed + timedelta(minutes=15)
    advance_case(case.pk, now=later)
    finish_checks(later, Verdict.CLEAN)
    advance_case(case.pk, now=later)
    assert (state(case), letters(case)) == (("closed", "fixed_verified"), ["notify", "solved"])
    assert case.cause == "open_relay"


def test_a_claim_that_the_check_contradicts_goes_back_to_the_customer(case: Case) -> None:
    notified(case)
    record_answer(case, AnswerKind.FIXED, now=NOON)
    advance_case(case.pk, now=NOON)
    finish_checks(NOON, Verdict.BAD)
    advance_case(case.pk, now=NOON)
    assert (state(case), letters(case)) == (("notified", ""), ["notify", "still_open"])


def test_a_check_that_knows_nothing_never_closes(case: Case) -> None:
    notified(case)
    record_answer(case, AnswerKind.FIXED, now=NOON)
    advance_case(case.pk, now=NOON)
    finish_checks(NOON, Verdict.UNKNOWN)
    advance_case(case.pk, now=NOON)
    assert state(case) == ("verifying", "")

    for hours in (6, 24):
        later = NOON + timedelta(hours=hours)
        advance_case(case.pk, now=later)
        finish_checks(later, Verdict.UNKNOWN)
        advance_case(case.pk, now=later)
        assert state(case) == ("verifying", "")


def test_abuse_after_the_claimed_fix_keeps_the_case_open(case: Case) -> None:
    notified(case)
    record_answer(case, AnswerKind.FIXED, now=NOON)
    Case.objects.filter(pk=case.pk).update(last_seen_at=NOON + timedelta(minutes=1))
    advance_case(case.pk, now=NOON + timedelta(minutes=2))
    assert (state(case), letters(case)) == (("notified", ""), ["notify", "still_open"])


@pytest.mark.parametrize(
    ("exactly", "left"), [((True,), "notified"), ((False, True), "notified"), ((False,), "answered")]
)
def test_only_a_complaint_that_says_when_is_new_abuse(case: Case, exactly: tuple[bool, ...], left: str) -> None:
    notified(case)
    record_answer(case, AnswerKind.FIXED, now=NOON)
    younger = NOON + timedelta(minutes=1)
    for known in exactly:
        make_complaint(case, address=ADDRESS, seen_at=younger, seen_exactly=known)
    Case.objects.filter(pk=case.pk).update(last_seen_at=younger)
    advance_case(case.pk, now=NOON + timedelta(minutes=2))
    assert state(case) == (left, "")


def test_a_customer_whose_mail_failed_is_called_and_not_escalated(case: Case) -> None:
    notified(case)
    case.notices.update(state="failed")
    advance_case(case.pk, now=NOON + timedelta(minutes=1))
    assert (state(case), letters(case)) == (("triage", ""), ["notify"])


def test_a_customer_whose_other_mail_is_on_its_way_may_yet_be_told(case: Case) -> None:
    notified(case)
    case.notices.update(state="failed")
    queue_notice(case, "remind", occurrence=case.stay, now=NOON)
    advance_case(case.pk, now=NOON + timedelta(minutes=1))
    assert state(case) == ("notified", "")


@pytest.mark.parametrize("email", ["", "nobody", "two@a.example, b@b.example"])
def test_a_contact_that_cannot_be_written_to_is_an_analysts_turn(case: Case, email: str) -> None:
    Case.objects.filter(pk=case.pk).update(owner=case.owner | {"contact_email": email})
    advance_case(case.pk, now=NOON)
    finish_checks(NOON)
    advance_case(case.pk, now=NOON)
    assert (state(case), letters(case)) == (("triage", ""), [])


def test_verifying_has_a_promise_of_our_own(case: Case) -> None:
    """A check that no worker runs must not leave the case with nobody: the desk sees it when the promise is broken."""
    notified(case)
    record_answer(case, AnswerKind.FIXED, now=NOON)
    assert case.deadline_at == NOON + timedelta(hours=48)


def test_after_an_outage_a_mended_relay_is_verified_and_not_escalated(case: Case) -> None:
    notified(case)
    late = NOON + timedelta(hours=100)
    advance_case(case.pk, now=late)
    assert state(case) == ("notified", "")
    finish_checks(late, Verdict.CLEAN)
    advance_case(case.pk, now=late)
    assert state(case) == ("verifying", "")


def test_a_verdict_that_comes_while_the_case_is_assessed_is_decided_on_in_the_next_round(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance_case(case.pk, now=NOON)
    assess = runner.assess

    def slow_assessment(found: Case, *, now: datetime) -> None:
        assess(found, now=now)
        finish_checks(now)  # another worker writes the proof after the diagnosis was made without it

    with monkeypatch.context() as patched:
        patched.setattr(runner, "assess", slow_assessment)
        advance_case(case.pk, now=NOON)
    assert state(case) == ("investigating", "")

    advance_case(case.pk, now=NOON)
    assert state(case) == ("notified", "")


def test_an_alarm_set_meanwhile_is_not_slept_over(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    notified(case)
    rung = NOON + timedelta(minutes=1)
    assess = runner.assess

    def while_a_complaint_is_filed(found: Case, *, now: datetime) -> None:
        assess(found, now=now)
        Case.objects.filter(pk=found.pk).update(due_at=rung)

    monkeypatch.setattr(runner, "assess", while_a_complaint_is_filed)
    advance_case(case.pk, now=NOON)
    case.refresh_from_db()
    assert case.due_at == rung


def test_an_analyst_may_tell_the_customer_from_triage(case: Case) -> None:
    advance_case(case.pk, now=NOON)
    finish_checks(NOON, Verdict.CLEAN)
    advance_case(case.pk, now=NOON)
    case.refresh_from_db()
    notify_now(case, actor="ada", now=NOON)

    assert (state(case), letters(case)) == (("notified", ""), ["notify"])
    assert case.events.filter(kind="moved").last().actor == "ada"


def test_a_check_by_hand_can_be_repeated(case: Case) -> None:
    assert [run.occasion for run in recheck_now(case, actor="ada", now=NOON)] == ["by-hand.1.1"] * 2
    finish_checks(NOON)
    assert [run.occasion for run in recheck_now(case, actor="ada", now=NOON)] == ["by-hand.1.3"] * 2


def test_a_case_keeps_the_version_it_began_with(case: Case) -> None:
    advance_case(case.pk, now=NOON)
    case.refresh_from_db()
    began_with = case.playbook
    changed = {**began_with.document, "note": "another"}
    runner.begin_with_shipped(now=NOON)
    from complaints.playbooks.loading import activate_playbook

    new = activate_playbook(changed, now=NOON)
    advance_case(case.pk, now=NOON)
    case.refresh_from_db()
    began_with.refresh_from_db()
    assert (case.playbook, new.number, new.state, began_with.state) == (began_with, 2, "active", "draining")


def test_a_customer_who_claims_a_fix_again_and_again_cannot_put_the_case_off_for_ever(case: Case) -> None:
    now = notified(case)
    for _ in range(3):
        now += timedelta(hours=10)
        case.refresh_from_db()
        record_answer(case, AnswerKind.FIXED, now=now)
        advance_case(case.pk, now=now)
        finish_checks(now, Verdict.BAD)
        advance_case(case.pk, now=now)
    assert (state(case), letters(case)) == (("answered", ""), ["notify", "still_open", "still_open"])


def test_who_could_not_be_confirmed_is_tested_again_the_next_day(case: Case) -> None:
    notified(case)
    record_answer(case, AnswerKind.FIXED, now=NOON)
    for moment in (NOON, NOON + timedelta(hours=6)):
        advance_case(case.pk, now=moment)
        finish_checks(moment, Verdict.UNKNOWN)
        advance_case(case.pk, now=moment)
    assert state(case) == ("verifying", "")

    later = NOON + timedelta(hours=24)
    for moment in (later, later + timedelta(minutes=15)):
        advance_case(case.pk, now=moment)
        finish_checks(moment, Verdict.CLEAN)
        advance_case(case.pk, now=moment)
    assert state(case) == ("closed", "fixed_verified")


# --- a line under a measure lets no test message out: it is let go first


def limited(case: Case) -> datetime:
    """Nobody answered in time; the measure was carried out."""
    notified(case)
    begins = NOON + timedelta(hours=80)
    move_case(case, CaseState.ESCALATED, actor="machine", reason="the deadline passed", now=begins)
    make_measure(case, now=begins)
    return begins


def make_measure(case: Case, *, now: datetime) -> Intervention:
    return Intervention.objects.create(
        case=case, contract=case.contract, kind="limit_25", step="limit", occurrence=case.stay, state="in_force",
        reason="x", decided_by="machine", decided_at=now, due_at=now, in_force_at=now,
    )  # fmt: skip


def carry_out(settings: Settings, *, now: datetime) -> None:
    settings.MEASURES_ADAPTER, settings.MEASURES = "command", {"command": "/bin/cat"}
    assert carry_out_due(now=now)


def measures(case: Case) -> list[tuple[str, str]]:
    return list(case.interventions.order_by("pk").values_list("step", "state"))


def test_a_limited_line_is_let_go_before_its_server_is_tested(case: Case, settings: Settings) -> None:
    at = limited(case)
    record_answer(case, AnswerKind.FIXED, now=at)
    advance_case(case.pk, now=at)
    assert measures(case) == [("limit", "release_due")]
    assert not case.checks.filter(occasion__startswith="verify").exists()

    carry_out(settings, now=at)
    advance_case(case.pk, now=at)
    assert case.checks.filter(occasion__startswith="verify.").exists()


def test_a_line_that_was_let_go_and_is_still_open_is_limited_again(case: Case, settings: Settings) -> None:
    at = limited(case)
    record_answer(case, AnswerKind.FIXED, now=at)
    advance_case(case.pk, now=at)
    carry_out(settings, now=at)
    advance_case(case.pk, now=at)
    finish_checks(at, Verdict.BAD)
    advance_case(case.pk, now=at)
    assert (state(case), letters(case)[-1]) == (("notified", ""), "still_open")
    assert measures(case) == [("limit", "released"), ("put-back", "decided")]

    carry_out(settings, now=at + timedelta(minutes=10))
    assert measures(case)[-1] == ("put-back", "in_force")


def test_a_line_that_another_case_still_needs_held_is_not_let_go(case: Case) -> None:
    at = limited(case)
    other = make_case("C-1", category="login_attack", state="escalated")
    record_answer(case, AnswerKind.FIXED, now=at)
    advance_case(case.pk, now=at)

    (measure,) = Intervention.objects.all()
    assert (measure.case, measure.state) == (other, "in_force")
    assert case.checks.filter(occasion__startswith="verify.").exists()


def test_who_has_claimed_in_vain_twice_stays_limited_and_is_talked_to(case: Case) -> None:
    at = limited(case)
    for number in (1, 2):
        queue_notice(case, "still_open", occurrence=100 + number, now=at)
    record_answer(case, AnswerKind.FIXED, now=at)
    advance_case(case.pk, now=at)

    assert state(case)[0] == "answered"
    assert measures(case) == [("limit", "in_force")]


# --- more time is granted once, with a new date; more than that is a person's


def ask_for_time(case: Case, *, at: datetime) -> None:
    case.refresh_from_db()
    record_answer(case, AnswerKind.NEEDS_TIME, text="Our technician is ill", now=at)
    advance_case(case.pk, now=at)
    case.refresh_from_db()


def test_who_asks_for_time_is_granted_it_by_a_letter_that_says_until_when(case: Case) -> None:
    notified(case)
    asked = NOON + timedelta(hours=60)
    ask_for_time(case, at=asked)
    until = asked + timedelta(hours=72)
    assert (case.state, case.deadline_at) == ("notified", until)
    assert case.notices.get(step="more_time").state == "queued"

    for at in (until - timedelta(minutes=1), until - timedelta(minutes=1)):
        advance_case(case.pk, now=at)
        finish_checks(at)
    assert state(case)[0] == "notified"
    advance_case(case.pk, now=until)
    assert state(case)[0] == "escalated"


def test_a_second_request_for_time_is_a_persons(case: Case) -> None:
    notified(case)
    ask_for_time(case, at=NOON + timedelta(hours=10))
    ask_for_time(case, at=NOON + timedelta(hours=20))
    assert (case.state, case.customer_status) == ("answered", "asks_time")
    assert letters(case).count("more_time") == 1


def test_a_relapse_and_a_line_that_is_limited_already_get_no_time_from_a_machine(case: Case) -> None:
    at = limited(case)
    ask_for_time(case, at=at)
    assert state(case)[0] == "answered"

    again = make_case("C-1", category="phishing", cause="open_relay", ladder=1, address=ADDRESS)
    move_case(again, CaseState.NOTIFIED, actor="machine", reason="told", now=at)
    ask_for_time(again, at=at)
    assert state(again)[0] == "answered"


# --- what was seen is told once to who found nothing


def find_nothing(case: Case, *, at: datetime) -> None:
    case.refresh_from_db()
    record_answer(case, AnswerKind.FOUND_NOTHING, text="All clean here", now=at)
    advance_case(case.pk, now=at)
    case.refresh_from_db()


def test_who_found_nothing_is_told_what_was_seen_and_has_their_time_anew(case: Case) -> None:
    notified(case)
    find_nothing(case, at=NOON + timedelta(hours=10))
    assert (case.state, case.deadline_at) == ("notified", NOON + timedelta(hours=82))
    letter = case.notices.get(step="look_again")
    assert ADDRESS in letter.text
    assert "You found nothing; but what sends" in letter.text

    make_complaint(case, address=ADDRESS, seen_at=NOON + timedelta(hours=19))
    Case.objects.filter(pk=case.pk).update(last_seen_at=NOON + timedelta(hours=19))
    find_nothing(case, at=NOON + timedelta(hours=20))
    assert (case.state, case.customer_status) == ("answered", "found_nothing")  # it goes on
    assert letters(case).count("look_again") == 1


def test_who_finds_nothing_again_while_nothing_is_seen_is_watched(case: Case) -> None:
    notified(case)
    find_nothing(case, at=NOON + timedelta(hours=10))
    find_nothing(case, at=NOON + timedelta(hours=30))
    assert (case.state, case.customer_status) == ("verifying", "found_nothing")


def test_a_measure_that_another_case_is_about_to_take_is_no_task_for_a_person(case: Case) -> None:
    notified(case)
    other = make_case("C-1", address=ADDRESS, category="bot", state=CaseState.ESCALATED)
    decided = make_measure(other, now=NOON)
    Intervention.objects.filter(pk=decided.pk).update(state=Intervention.State.DECIDED)
    move_case(case, CaseState.ESCALATED, actor="ada", reason="it goes on", now=NOON)
    advance_case(case.pk, now=NOON)
    assert not DeskTask.objects.exists()
    assert measures(case) == []


def test_who_found_nothing_gets_a_person_where_we_are_not_sure_by_now(case: Case) -> None:
    notified(case)
    Case.objects.filter(pk=case.pk).update(confidence=0.5)
    find_nothing(case, at=NOON + timedelta(hours=10))
    assert (case.state, letters(case)) == ("answered", ["notify"])


def test_a_relay_that_no_test_reaches_closes_by_quiet_alone_and_says_nothing_of_tests(case: Case) -> None:
    notified(case)
    claimed = NOON + timedelta(hours=2)
    record_answer(case, AnswerKind.FIXED, now=claimed)
    for hours in (0, 6, 7, 24, 24 * 6):
        advance_case(case.pk, now=claimed + timedelta(hours=hours))
        finish_checks(claimed + timedelta(hours=hours), Verdict.UNKNOWN)
        advance_case(case.pk, now=claimed + timedelta(hours=hours))
        assert state(case)[0] == "verifying"
    later = claimed + timedelta(days=7, hours=1)
    advance_case(case.pk, now=later)
    finish_checks(later)
    advance_case(case.pk, now=later)
    assert (state(case), letters(case)) == (("closed", "fixed_not_verifiable"), ["notify", "solved"])
    assert "We have tested" not in case.notices.get(step="solved").text


def test_a_new_date_from_a_person_is_kept_by_the_playbook(case: Case) -> None:
    notified(case)
    case.refresh_from_db()
    asked = NOON + timedelta(hours=60)
    record_answer(case, AnswerKind.NEEDS_HELP, text="Could you look at it?", now=asked)
    tell_customer(case, actor="ada", now=asked)
    case.refresh_from_db()
    assert case.deadline_at == asked + timedelta(hours=72)

    advance_case(case.pk, now=NOON + timedelta(hours=90))  # the first date has long passed
    assert state(case)[0] == "notified"


def test_a_second_task_waits_until_the_first_one_about_the_case_is_done(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(category="phishing")
    case.complaints.update(category="phishing")
    case.refresh_from_db()
    advance_case(case.pk, now=NOON)
    finish_checks(NOON, Verdict.CLEAN)
    tell_customer(case, actor="ada", now=NOON)
    case.refresh_from_db()
    move_case(case, CaseState.ESCALATED, actor="ada", reason="it harms people", now=NOON)
    week = NOON + timedelta(days=8)
    for at in (NOON, week):
        advance_case(case.pk, now=at)
    (task,) = DeskTask.objects.all()
    assert task.title.startswith("Look at the page now")

    assert end_task(task.kind, task.key, actor="ada", now=week)
    case.refresh_from_db()
    assert case.due_at == week
    advance_case(case.pk, now=week)
    assert [each.title[:6] for each in DeskTask.objects.order_by("pk")] == ["Look a", "Decide"]
