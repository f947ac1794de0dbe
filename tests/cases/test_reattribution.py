from datetime import timedelta
from typing import Any

import pytest

from complaints.attribution import Holding
from complaints.cases import waits
from complaints.cases.filing import file_complaints
from complaints.cases.reattribution import ask_again, ask_due
from complaints.models import AttributionWait, Case, Complaint, Reattribution
from complaints.vocabulary import Answer, Category
from tests.cases.test_filing import accuse
from tests.factories import (
    LONG_AGO,
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_message,
    make_network,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
AGAIN = Holding(Answer.UNSURE, reason="The lease server cannot be reached", again_at=NOON + timedelta(minutes=5))


@pytest.fixture(autouse=True)
def _ours(db: None) -> None:
    make_network("192.0.2.0/24")


def unsure(**columns: Any) -> Complaint:
    return make_complaint(answer="unsure", attribution={"reason": "nobody could say"}, **columns)


def waiting(**columns: Any) -> AttributionWait:
    filled = {"why": "resolver", "started_at": NOON, "due_at": NOON, "complaint": unsure()}
    return AttributionWait.objects.create(**(filled | columns))


def test_a_complaint_whose_owner_is_known_now_is_filed_as_a_fresh_one() -> None:
    contract = make_contract("C-1", email="m.brenn@brenn.example")
    complaint = unsure(seen_at=NOON - HOUR)
    make_assignment(contract)

    looked = ask_again([complaint.pk], now=NOON)

    complaint.refresh_from_db()
    case = Case.objects.get()
    assert (looked.asked, looked.filed, looked.cases) == (1, 1, {case.pk})
    assert (complaint.answer, complaint.contract, complaint.case, complaint.method) == (
        "owner",
        contract,
        case,
        "static",
    )
    assert (case.contract, case.complaint_count, case.first_seen_at) == (contract, 1, NOON - HOUR)
    assert case.owner["contact_email"] == "m.brenn@brenn.example"


def test_its_history_holds_the_answers_before_and_after() -> None:
    complaint = unsure()
    make_assignment("C-1")
    ask_again([complaint.pk], now=NOON + HOUR)

    kept = Reattribution.objects.get()
    assert (kept.state, kept.proposed_by, kept.decided_by, kept.decided_at) == (
        "applied",
        "machine",
        "machine",
        NOON + HOUR,
    )
    assert (kept.before["answer"], kept.before["reason"]) == ("unsure", "nobody could say")
    assert (kept.after["answer"], kept.after["contract"], kept.after["customer"]) == ("owner", "C-1", "K-1")
    assert (kept.from_case, kept.to_case) == (None, Case.objects.get())


def test_asking_twice_has_the_effect_of_once() -> None:
    complaint = unsure()
    make_assignment("C-1")
    ask_again([complaint.pk], now=NOON)

    assert ask_again([complaint.pk], now=NOON).filed == 0
    assert (Case.objects.get().complaint_count, Reattribution.objects.count()) == (1, 1)


def test_a_complaint_in_a_case_is_never_moved_by_asking() -> None:
    case = make_case("C-1")
    complaint = make_complaint(case)
    make_assignment("C-2", valid_from=LONG_AGO)

    assert ask_again([complaint.pk], now=NOON).asked == 0
    complaint.refresh_from_db()
    assert complaint.contract == case.contract


def test_it_joins_the_active_case_of_its_owner() -> None:
    case = make_case("C-1")
    complaint = unsure(seen_at=NOON + HOUR)
    make_assignment("C-1")
    ask_again([complaint.pk], now=NOON + HOUR)

    case.refresh_from_db()
    assert (case.complaint_count, case.last_seen_at, case.due_at) == (2, NOON + HOUR, NOON + HOUR)


def test_an_opt_out_gets_its_owner_and_no_case() -> None:
    complaint = unsure(category=Category.OPT_OUT)
    make_assignment("C-1")
    ask_again([complaint.pk], now=NOON)

    complaint.refresh_from_db()
    assert (complaint.answer, complaint.case, Case.objects.count()) == ("owner", None, 0)


def test_a_port_told_later_names_the_owner_and_stays_out_of_the_identity() -> None:
    make_assignment("C-1", kind="cgnat", port_first=1024, port_last=2047)
    make_assignment("C-2", kind="cgnat", port_first=2048, port_last=3071)
    complaint = unsure()
    ask_again([complaint.pk], now=NOON)
    complaint.refresh_from_db()
    assert (complaint.answer, complaint.attribution["candidates"]) == ("unsure", ["C-1", "C-2"])

    complaint.evidence = {"told": {"port": 2048}}
    complaint.save()
    ask_again([complaint.pk], now=NOON)

    complaint.refresh_from_db()
    assert (complaint.contract and complaint.contract.reference, complaint.port) == ("C-2", 0)


def test_a_time_told_later_is_the_time_of_the_case() -> None:
    make_assignment("C-1", valid_from=LONG_AGO, valid_until=NOON - 6 * HOUR)
    make_assignment("C-2", valid_from=NOON - 6 * HOUR)
    complaint = unsure(seen_exactly=False)
    ask_again([complaint.pk], now=NOON)
    assert not Case.objects.exists()

    complaint.evidence = {"told": {"at": "2026-03-10T01:00:00+01:00"}}
    complaint.save()
    ask_again([complaint.pk], now=NOON)

    case = Case.objects.get()
    assert (case.contract.reference, case.last_seen_at) == ("C-1", NOON - 12 * HOUR)


def test_a_time_without_its_zone_may_be_half_a_day_off() -> None:
    make_assignment("C-1", valid_from=LONG_AGO, valid_until=NOON - 13 * HOUR)
    make_assignment("C-2", valid_from=NOON - 13 * HOUR)
    complaint = unsure(evidence={"zone_unknown": True})
    ask_again([complaint.pk], now=NOON)

    complaint.refresh_from_db()
    assert (complaint.answer, complaint.attribution["candidates"]) == ("unsure", ["C-1", "C-2"])


# -- waits


def test_an_answer_that_says_when_to_ask_again_is_a_wait_from_the_start() -> None:
    fresh = accuse(make_message(), None, answer=Answer.UNSURE)
    object.__setattr__(fresh, "holding", AGAIN)
    file_complaints([fresh, accuse(make_message(b"2"), None, answer=Answer.NOBODY)], now=NOON)

    wait = AttributionWait.objects.get()
    assert (wait.why, wait.due_at, wait.tries, wait.outcome) == ("resolver", AGAIN.again_at, 0, "")
    assert (wait.complaint.answer, wait.reason) == ("unsure", "The lease server cannot be reached")


def test_a_wait_is_asked_when_it_is_due_and_not_before() -> None:
    wait = waiting(due_at=NOON + HOUR)
    make_assignment("C-1")

    assert waits.due_waits(NOON, limit=10) == []
    assert ask_due([wait.complaint_id], now=NOON).asked == 0
    assert waits.due_waits(NOON + HOUR, limit=10) == [wait.complaint_id]
    assert ask_due([wait.complaint_id], now=NOON + HOUR).filed == 1


def test_a_wait_ends_when_somebody_answers() -> None:
    wait = waiting()
    make_assignment("C-1")
    ask_due([wait.complaint_id], now=NOON)

    wait.refresh_from_db()
    assert (wait.outcome, wait.ended_at, wait.tries) == ("answered", NOON, 1)


def test_two_workers_ask_once() -> None:
    wait = waiting()
    assert waits.claim_due([wait.complaint_id], now=NOON) == [wait.complaint_id]
    assert waits.claim_due([wait.complaint_id], now=NOON) == []


def test_a_worker_that_dies_while_it_asks_loses_nothing_but_the_try() -> None:
    wait = waiting()
    waits.claim_due([wait.complaint_id], now=NOON)
    later = NOON + waits.TRY_LASTS
    assert waits.due_waits(later, limit=10) == [wait.complaint_id]
    wait.refresh_from_db()
    assert wait.tries == 1


@pytest.mark.parametrize("tries", range(1, len(waits.PAUSES) + 1))
def test_each_pause_is_kept_while_the_source_is_away(tries: int) -> None:
    wait = AttributionWait(why="resolver", tries=tries, due_at=NOON)
    assert waits.after_asking(wait, AGAIN, is_due=True, now=NOON + HOUR) == {
        "due_at": NOON + HOUR + waits.PAUSES[tries - 1],
        "reason": AGAIN.reason,
    }


def test_the_source_may_ask_for_a_longer_pause() -> None:
    wait = AttributionWait(why="resolver", tries=1, due_at=NOON)
    later = Holding(Answer.UNSURE, again_at=NOON + 5 * HOUR)
    found = waits.after_asking(wait, later, is_due=True, now=NOON)
    assert found
    assert found["due_at"] == NOON + 5 * HOUR


def test_nothing_is_asked_for_ever() -> None:
    wait = AttributionWait(why="resolver", tries=len(waits.PAUSES) + 1, due_at=NOON)
    found = waits.after_asking(wait, AGAIN, is_due=True, now=NOON)
    assert found
    assert (found["outcome"], found["ended_at"]) == ("exhausted", NOON)


def test_an_answer_in_between_does_not_count_as_a_try() -> None:
    wait = AttributionWait(why="resolver", tries=3, due_at=NOON + HOUR)
    assert waits.after_asking(wait, AGAIN, is_due=False, now=NOON) is None


def test_a_reporter_who_never_answers_ends_the_wait_visibly() -> None:
    make_assignment("C-1", kind="cgnat", port_first=1024, port_last=2047)
    make_assignment("C-2", kind="cgnat", port_first=2048, port_last=3071)
    complaint = unsure()
    waits.wait_for_reporter([complaint.pk], reason="the source port", until=NOON + HOUR, now=NOON)
    ask_again([complaint.pk], now=NOON)
    assert AttributionWait.objects.get().outcome == ""

    ask_due([complaint.pk], now=NOON + HOUR)
    assert AttributionWait.objects.get().outcome == "silent"
    assert waits.leave([complaint.pk], now=NOON) == 1


def test_an_analyst_may_have_it_asked_once_more() -> None:
    wait = waiting(outcome="exhausted", ended_at=NOON, tries=13)
    assert waits.try_again([wait.complaint_id], now=NOON + HOUR) == 1
    assert waits.due_waits(NOON + HOUR, limit=10) == [wait.complaint_id]
