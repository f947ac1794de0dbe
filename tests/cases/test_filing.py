from datetime import datetime, timedelta
from typing import Any

import pytest

from complaints.addresses import address_key
from complaints.attribution import Holding
from complaints.cases.accusations import Accusation, identity_of
from complaints.cases.filing import Filed, file_complaints
from complaints.cases.transitions import move_case
from complaints.models import Case, CaseEvent, Complaint, Contract, Message
from complaints.vocabulary import Answer, CaseState, Category, ParsedComplaint, Resolution
from tests.factories import NOON, make_case, make_contract, make_message

pytestmark = pytest.mark.django_db


def accuse(
    message: Message,
    contract: Contract | None,
    *,
    seen_at: datetime = NOON,
    answer: Answer = Answer.OWNER,
    **fields: Any,
) -> Accusation:
    parsed = ParsedComplaint(**{"source_ip": "192.0.2.10", "reporter": "spam@reporter.example", **fields})
    address = address_key(parsed.source_ip) if parsed.source_ip else b""
    return Accusation(
        identity=identity_of(message.pk, parsed, address=address, seen_at=seen_at),
        received_at=NOON,
        format="arf",
        parsed=parsed,
        holding=Holding(answer=answer, contract_id=contract.pk if contract else None, method="static", confidence=0.95),
    )


def test_the_first_complaint_opens_a_case() -> None:
    contract = make_contract("C-1", email="m.brenn@brenn.example")
    filed = file_complaints([accuse(make_message(), contract)], now=NOON)

    case = Case.objects.get()
    assert filed == Filed(1, [case.pk], [case.pk])
    assert (case.contract, case.category, case.state, case.complaint_count) == (contract, "spam", "investigating", 1)
    assert case.owner["contact_email"] == "m.brenn@brenn.example"
    assert [event.kind for event in case.events.all()] == ["opened"]


def test_the_next_complaint_joins_the_active_case() -> None:
    contract = make_contract()
    file_complaints([accuse(make_message(b"one"), contract)], now=NOON)
    later = NOON + timedelta(hours=1)
    filed = file_complaints([accuse(make_message(b"two"), contract, seen_at=later)], now=later)

    case = Case.objects.get()
    assert filed == Filed(1, [], [case.pk])
    assert (case.complaint_count, case.first_seen_at, case.last_seen_at, case.due_at) == (2, NOON, later, later)
    assert Complaint.objects.filter(case=case).count() == 2


def test_filing_twice_has_the_effect_of_once() -> None:
    batch = [accuse(make_message(), make_contract())]
    file_complaints(batch, now=NOON)

    assert file_complaints(batch, now=NOON) == Filed(0, [], [])
    assert (Case.objects.get().complaint_count, Complaint.objects.count(), CaseEvent.objects.count()) == (1, 1, 1)


def test_one_accusation_made_twice_in_a_message_counts_once() -> None:
    message, contract = make_message(), make_contract()
    assert file_complaints([accuse(message, contract), accuse(message, contract)], now=NOON).complaints == 1


def test_each_category_has_its_own_case() -> None:
    message, contract = make_message(), make_contract()
    batch = [accuse(message, contract), accuse(message, contract, category=Category.PHISHING)]
    assert len(file_complaints(batch, now=NOON).opened) == 2


def test_several_addresses_of_one_message_are_several_complaints() -> None:
    message, contract = make_message(), make_contract()
    batch = [accuse(message, contract, source_ip=f"192.0.2.{last}") for last in (1, 2, 3)]

    assert file_complaints(batch, now=NOON).complaints == 3
    assert Case.objects.get().complaint_count == 3


@pytest.mark.parametrize("answer", [Answer.NOT_OURS, Answer.NOBODY, Answer.UNSURE])
def test_without_an_owner_the_complaint_is_kept_and_nobody_is_accused(answer: Answer) -> None:
    file_complaints([accuse(make_message(), None, answer=answer)], now=NOON)
    assert (Complaint.objects.get().answer, Case.objects.count()) == (answer, 0)


@pytest.mark.parametrize("category", [Category.NOT_SPAM, Category.OPT_OUT, Category.AUTH_FAILURE])
def test_feedback_that_is_no_accusation_opens_no_case(category: Category) -> None:
    file_complaints([accuse(make_message(), make_contract(), category=category)], now=NOON)
    assert (Complaint.objects.count(), Case.objects.count()) == (1, 0)


def closed_case(contract: Contract, *, at: datetime, resolution: Resolution) -> Case:
    file_complaints([accuse(make_message(b"old"), contract)], now=NOON)
    case = Case.objects.get()
    move_case(case, CaseState.CLOSED, actor="machine", reason="", resolution=resolution, now=at)
    return case


def test_new_abuse_after_the_fix_is_a_relapse_one_step_higher() -> None:
    contract = make_contract()
    closed = closed_case(contract, at=NOON + timedelta(days=1), resolution=Resolution.FIXED_VERIFIED)
    later = NOON + timedelta(days=3)
    file_complaints([accuse(make_message(b"new"), contract, seen_at=later)], now=later)

    relapse = Case.objects.active().get()
    assert (relapse.relapse_of, relapse.ladder) == (closed, 1)


def test_a_late_complaint_about_abuse_before_the_fix_is_no_relapse() -> None:
    contract = make_contract()
    closed = closed_case(contract, at=NOON + timedelta(days=1), resolution=Resolution.FIXED_VERIFIED)
    late = accuse(make_message(b"late"), contract, seen_at=NOON + timedelta(hours=3))
    filed = file_complaints([late], now=NOON + timedelta(days=2))

    assert filed == Filed(1, [], [closed.pk])
    closed.refresh_from_db()
    assert (closed.state, closed.complaint_count) == ("closed", 2)


def test_a_case_closed_without_a_fix_does_not_swallow_complaints() -> None:
    contract = make_contract()
    closed_case(contract, at=NOON + timedelta(days=1), resolution=Resolution.NO_RESPONSE)
    filed = file_complaints([accuse(make_message(b"again"), contract)], now=NOON + timedelta(days=2))
    assert len(filed.opened) == 1


def test_after_half_a_year_a_case_is_a_first_offence_again() -> None:
    contract = make_contract()
    closed_case(contract, at=NOON, resolution=Resolution.NO_RESPONSE)
    later = NOON + timedelta(days=181)
    file_complaints([accuse(make_message(b"again"), contract, seen_at=later)], now=later)
    assert Case.objects.active().get().relapse_of is None


def test_text_that_no_database_takes_is_mended_and_kept() -> None:
    hostile = accuse(
        make_message(), make_contract(), original_subject="NUL \0 and \ud800 half", received=("from \0 [192.0.2.10]",)
    )
    file_complaints([hostile], now=NOON)

    complaint = Complaint.objects.get()
    assert complaint.subject == "NUL \N{REPLACEMENT CHARACTER} and ? half"
    assert complaint.evidence["received"] == ["from \N{REPLACEMENT CHARACTER} [192.0.2.10]"]


def test_five_hundred_complaints_take_few_statements(django_assert_max_num_queries: Any) -> None:
    contracts = [make_contract(f"C-{number}") for number in range(50)]
    message = make_message()
    batch = [
        accuse(
            message,
            contracts[number % 50],
            seen_at=NOON + timedelta(seconds=number),
            reporter=f"r{number % 7}@r.example",
        )
        for number in range(500)
    ]
    with django_assert_max_num_queries(16):
        filed = file_complaints(batch, now=NOON)
    assert (filed.complaints, len(filed.opened)) == (500, 50)


@pytest.mark.parametrize("number", ["0000-1", "2026-", "2026-1x", "26-1", "2026-99999999999999999999", "٢٠٢٦-1", ""])
def test_what_is_no_case_number_finds_nothing(number: str) -> None:
    assert not Case.objects.numbered(number).exists()


def test_a_case_is_found_by_its_number_and_year() -> None:
    file_complaints([accuse(make_message(), make_contract())], now=NOON)
    case = Case.objects.get()
    assert list(Case.objects.numbered(case.number)) == [case]
    assert not Case.objects.numbered(f"2025-{case.pk:05d}").exists()


@pytest.mark.parametrize("resolution", [Resolution.MERGED, Resolution.NOT_OURS, Resolution.NOT_ABUSE])
def test_after_a_case_that_was_no_fault_of_theirs_a_customer_is_a_first_offender(resolution: Resolution) -> None:
    case = make_case()
    move_case(case, CaseState.CLOSED, actor="ada", reason="no fault of theirs", resolution=resolution, now=NOON)
    file_complaints([accuse(make_message(b"new"), case.contract)], now=NOON + timedelta(days=1))

    opened = Case.objects.get(state="investigating")
    assert (opened.relapse_of, opened.ladder) == (None, 0)
