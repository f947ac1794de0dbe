"""Closed by silence is never counted as fixed: neither by a playbook, nor in the letter."""

from datetime import datetime, timedelta

import pytest

from complaints import checking
from complaints.cases.answers import AnswerKind, has_claimed, record_answer
from complaints.models import Assignment, Case, CheckRun
from complaints.playbooks.closing import earned, letter_about
from complaints.playbooks.runner import advance_case
from complaints.vocabulary import CaseState, Category, Cause, CheckOutcome, CustomerStatus, Resolution, Verdict
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_network

FIXED, NO_RESPONSE, STALE = Resolution.FIXED_NOT_VERIFIABLE, Resolution.NO_RESPONSE, Resolution.STALE
ADDRESS = "192.0.2.10"
LONG = timedelta(days=15)  # longer than any line is watched


@pytest.mark.parametrize(
    ("wanted", "claimed", "status", "got"),
    [
        (FIXED, True, CustomerStatus.CLAIMS_FIXED, FIXED),
        (FIXED, False, CustomerStatus.NOTIFIED, NO_RESPONSE),
        (FIXED, False, CustomerStatus.SEEN, NO_RESPONSE),
        (FIXED, False, CustomerStatus.CLAIMS_FIXED, NO_RESPONSE),  # it went on after that
        (FIXED, False, CustomerStatus.FOUND_NOTHING, STALE),
        (FIXED, False, CustomerStatus.DISPUTES, STALE),
        (Resolution.FIXED_VERIFIED, False, CustomerStatus.NOTIFIED, Resolution.FIXED_VERIFIED),  # a probe says so
        (STALE, False, CustomerStatus.NONE, STALE),
    ],
)
def test_a_fix_that_nothing_proves_must_have_been_claimed(
    wanted: Resolution, claimed: bool, status: CustomerStatus, got: Resolution
) -> None:
    assert earned(wanted, claimed=claimed, status=status) is got


def test_who_has_left_the_line_has_mended_nothing() -> None:
    claimed = {"claimed": True, "status": CustomerStatus.CLAIMS_FIXED}
    assert earned(FIXED, **claimed, has_left=True) is STALE  # type: ignore[arg-type]


def test_nobody_is_thanked_for_a_repair_that_nobody_told_of() -> None:
    assert letter_about("solved", wanted=FIXED, got=FIXED) == "solved"
    assert letter_about("solved", wanted=FIXED, got=NO_RESPONSE) == "quiet"
    assert letter_about("another", wanted=FIXED, got=NO_RESPONSE) == "another"


@pytest.fixture
def bot(db: None, settings: object) -> Case:
    """Told, and silent since: taken to be over, and watched."""
    settings.DNS_RESOLVERS = (("127.0.0.1", 9),)  # type: ignore[attr-defined]
    make_network("192.0.2.0/24")
    make_assignment("C-1", f"{ADDRESS}/32")
    case = make_case(
        "C-1", address=ADDRESS, category=Category.BOT, cause=Cause.BOT, state=CaseState.VERIFYING, due_at=NOON,
        fixed_claimed_at=NOON, customer_status=CustomerStatus.NOTIFIED, state_since=NOON,
        last_seen_at=NOON - timedelta(hours=40), first_seen_at=NOON - timedelta(days=2),
    )  # fmt: skip
    for hours in (40, 44, 48):
        make_complaint(case, address=ADDRESS, seen_at=NOON - timedelta(hours=hours))
    return case


def end(case: Case, now: datetime) -> tuple[str, str, list[str]]:
    for at in (now, now):
        advance_case(case.pk, now=at)
        ids = list(CheckRun.objects.filter(state="queued").values_list("pk", flat=True))
        for run in checking.claim_runs(ids, now=at):
            checking.record_outcome(run, CheckOutcome(verdict=Verdict.CLEAN, reason="as told"), now=at)
    advance_case(case.pk, now=now)
    case.refresh_from_db()
    return case.state, case.resolution, list(case.notices.values_list("step", flat=True))


def test_silence_that_nobody_explains_ends_without_an_answer(bot: Case) -> None:
    assert end(bot, NOON + LONG) == ("closed", "no_response", ["quiet"])


def test_who_says_while_it_is_watched_that_it_is_fixed_is_believed_as_before(bot: Case) -> None:
    assert not has_claimed(bot)
    record_answer(bot, AnswerKind.FIXED, now=NOON + timedelta(hours=5))
    assert has_claimed(bot)
    assert bot.fixed_claimed_at == NOON  # it had been quiet since then
    assert record_answer(bot, AnswerKind.FIXED, now=NOON + timedelta(hours=6)) is False
    assert bot.events.filter(kind="customer_answered").count() == 1
    assert end(bot, NOON + LONG) == ("closed", "fixed_not_verifiable", ["solved"])


def test_who_found_nothing_has_nothing_to_answer_for(bot: Case) -> None:
    Case.objects.filter(pk=bot.pk).update(customer_status=CustomerStatus.FOUND_NOTHING)
    assert end(bot, NOON + LONG) == ("closed", "stale", ["quiet"])


def test_a_contract_that_holds_no_line_any_more_is_put_away(bot: Case) -> None:
    record_answer(bot, AnswerKind.FIXED, now=NOON + timedelta(hours=5))
    Assignment.objects.update(valid_until=NOON + timedelta(days=2))
    assert end(bot, NOON + LONG) == ("closed", "stale", ["quiet"])


def test_an_address_that_moved_on_says_nothing_against_the_one_that_stayed(bot: Case) -> None:
    """It is somebody else's by now: no list need speak of it."""
    make_assignment("C-2", "192.0.2.77/32")
    make_complaint(bot, address="192.0.2.77", seen_at=NOON - timedelta(hours=60))
    record_answer(bot, AnswerKind.FIXED, now=NOON + timedelta(hours=5))
    assert end(bot, NOON + LONG) == ("closed", "fixed_not_verifiable", ["solved"])
    states = dict(CheckRun.objects.values_list("state", "reason"))
    assert "held by another contract than C-1 now" in states["refused"]


def test_a_check_that_is_refused_for_another_reason_closes_nothing(bot: Case, settings: object) -> None:
    settings.DNS_RESOLVERS = ()  # type: ignore[attr-defined]
    record_answer(bot, AnswerKind.FIXED, now=NOON + timedelta(hours=5))
    assert end(bot, NOON + LONG) == ("answered", "", [])
