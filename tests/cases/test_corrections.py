from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from complaints.addresses import address_key, prefix_key
from complaints.cases import touched
from complaints.cases.corrections import apply_reattribution, dismiss_reattribution, revert_reattribution
from complaints.cases.reattribution import preview, propose_reattributions
from complaints.cases.touched import complaints_touched
from complaints.cases.transitions import move_case
from complaints.models import Assignment, Case, Complaint, Contact, Notice, Reattribution
from complaints.notices.links import make_link
from complaints.vocabulary import CaseState, Category, Resolution
from tests.factories import LONG_AGO, NOON, make_assignment, make_case, make_complaint, make_contract, make_network

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _ours(db: None) -> None:
    make_network("192.0.2.0/24")


def give(contract: str, prefix: str = "192.0.2.10/32", **columns: Any) -> None:
    """Correct the records: all of the prefix was `contract`'s."""
    Assignment.objects.filter(key=prefix_key(prefix)).delete()
    make_assignment(contract, prefix, **columns)


def ids() -> list[int]:
    return list(Complaint.objects.order_by("pk").values_list("pk", flat=True))


def propose(**options: Any) -> list[int]:
    """Ask about everything; the ids of the proposals that wait."""
    propose_reattributions(ids(), **({"because": "leases.csv", "actor": "ada", "now": NOON} | options))
    return list(Reattribution.objects.filter(state="proposed").order_by("pk").values_list("pk", flat=True))


def misplaced(**columns: Any) -> Complaint:
    """A complaint in a case of C-1, about an address that is C-2's by now."""
    case = Case.objects.filter(contract__reference="C-1").exclude(state="closed").first() or make_case("C-1")
    give("C-2")
    return make_complaint(case, **columns)


def told(case: Case, step: str = "notify", state: str = "sent") -> Notice:
    return Notice.objects.create(
        case=case, step=step, occurrence=1, to_email="c-1@customer.example", link=make_link(case, now=NOON),
        subject="s", text="t", html="h", message_id=f"<{step}@isp.example>", state=state, queued_at=NOON, due_at=NOON,
    )  # fmt: skip


def lines(case: Case) -> list[tuple[str, str]]:
    return list(case.events.values_list("kind", "actor"))


# -- proposals


def test_a_complaint_in_a_case_is_proposed_and_not_moved() -> None:
    complaint = misplaced()
    looked = propose_reattributions([complaint.pk], because="leases.csv", actor="ada", now=NOON)

    row = Reattribution.objects.get()
    complaint.refresh_from_db()
    assert (looked.asked, looked.filed, looked.proposed) == (1, 0, 1)
    assert complaint.contract
    assert complaint.contract.reference == "C-1"
    assert (row.state, row.because, row.proposed_by, row.decided_at) == ("proposed", "leases.csv", "ada", None)
    assert (row.from_contract, row.to_contract and row.to_contract.reference, row.from_case) == (
        complaint.contract,
        "C-2",
        complaint.case,
    )
    assert (row.before["contract"], row.after["contract"], row.after["method"]) == ("C-1", "C-2", "static")


def test_who_still_is_the_owner_is_not_proposed() -> None:
    make_complaint(make_case("C-1"))
    give("C-1")
    assert propose() == []


def test_proposing_twice_is_proposing_once() -> None:
    misplaced()
    first = propose()
    assert propose(now=NOON + HOUR) == first


def test_a_younger_look_overtakes_an_older_proposal() -> None:
    misplaced()
    [first] = propose()
    give("C-3")
    [second] = propose(because="again.csv", now=NOON + HOUR)

    old, new = Reattribution.objects.get(pk=first), Reattribution.objects.get(pk=second)
    assert (old.state, old.note, old.decided_at) == ("overtaken", "again.csv", NOON + HOUR)
    assert new.to_contract
    assert new.to_contract.reference == "C-3"


def test_a_mended_record_takes_its_proposal_back() -> None:
    misplaced()
    propose()
    give("C-1")
    assert propose() == []
    assert Reattribution.objects.get().state == "overtaken"


def test_a_complaint_without_a_case_is_filed_at_once() -> None:
    make_complaint(answer="nobody")
    give("C-2")
    looked = propose_reattributions(ids(), because="leases.csv", now=NOON)
    assert (looked.filed, looked.proposed, looked.cases) == (1, 0, {Case.objects.get().pk})


def test_nothing_is_proposed_while_the_owner_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from complaints.attribution import Holding, chain
    from complaints.vocabulary import Answer

    away = Holding(Answer.UNSURE, reason="The lease server is away", again_at=NOON + HOUR)
    resolver = SimpleNamespace(NAME="far", RANK=1, resolve=lambda questions, around: [away for _ in questions])
    misplaced()
    monkeypatch.setattr(chain, "chain", lambda: [resolver])  # a source of truth, not a function of ours
    assert propose() == []


def test_a_preview_writes_nothing() -> None:
    complaint = misplaced()
    make_complaint(answer="nobody")
    [one, two] = preview(ids())
    assert (one.complaint, one.holding.answer, two.holding.answer) == (complaint, "owner", "owner")
    assert Reattribution.objects.count() == 0


# -- what is touched


class Span(NamedTuple):
    key: bytes
    since: datetime
    until: datetime | None


def span(prefix: str, since: datetime = NOON, until: datetime | None = NOON + HOUR) -> Span:
    return Span(prefix_key(prefix), since, until)


@pytest.fixture(params=["together", "one by one"])
def find(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Span]], list[str]]:
    """Addresses of the complaints found, by either way; the second is for spans that hold more than one portion."""
    if request.param == "one by one":
        monkeypatch.setattr(touched, "PORTION", 1)
    return lambda spans: sorted(Complaint.objects.get(pk=pk).address_text for pk in complaints_touched(spans))


def test_the_first_and_the_last_address_of_a_span_are_in_it(find: Callable[[list[Span]], list[str]]) -> None:
    for last in (7, 8, 15, 16):
        make_complaint(address=f"192.0.2.{last}")
    assert find([span("192.0.2.8/29")]) == ["192.0.2.15", "192.0.2.8"]


def test_several_spans_and_both_families(find: Callable[[list[Span]], list[str]]) -> None:
    make_complaint(address="192.0.2.7")
    make_complaint(address="2001:db8:0:1::1")
    make_complaint(address="2001:db8:0:2::1")
    assert find([span("192.0.2.7/32"), span("2001:db8:0:1::/64")]) == ["192.0.2.7", "2001:db8:0:1::1"]


def test_the_whole_of_ipv4_holds_no_ipv6(find: Callable[[list[Span]], list[str]]) -> None:
    make_complaint(address="255.255.255.255")
    make_complaint(address="2001:db8::1")
    make_complaint(address="0.0.0.0")
    assert find([span("0.0.0.0/0", LONG_AGO, None)]) == ["0.0.0.0", "255.255.255.255"]


def test_a_time_may_be_off_by_a_zone_and_a_mail_two_days_on_its_way(find: Callable[[list[Span]], list[str]]) -> None:
    for number, at in enumerate([NOON - 15 * HOUR, NOON - 14 * HOUR, NOON + 49 * HOUR, NOON + 50 * HOUR]):
        make_complaint(address=f"192.0.2.{number}", seen_at=at)
    assert find([span("192.0.2.0/24")]) == ["192.0.2.1", "192.0.2.2"]


def test_spans_at_the_ends_of_time_are_no_fault(find: Callable[[list[Span]], list[str]]) -> None:
    make_complaint(address="192.0.2.1")
    assert find([span("192.0.2.0/24", touched.BEGIN, touched.END)]) == ["192.0.2.1"]


# -- applying


def test_applying_moves_the_complaint_to_its_owner_with_history_on_both_cases() -> None:
    complaint = misplaced()
    make_complaint(complaint.case, address="192.0.2.11", seen_at=NOON - DAY)  # stays: nobody has that address now
    old = Case.objects.get()
    Reattribution.objects.exclude(complaint=complaint).delete()
    [proposal] = [pk for pk in propose() if Reattribution.objects.get(pk=pk).complaint_id == complaint.pk]

    done = apply_reattribution([proposal], actor="ada", now=NOON + HOUR, note="the lease log was late")

    complaint.refresh_from_db()
    new = Case.objects.get(contract__reference="C-2")
    row = Reattribution.objects.get(pk=proposal)
    assert (done.moved, done.cases) == (1, {old.pk, new.pk})
    assert (complaint.case, complaint.contract, complaint.method) == (new, new.contract, "static")
    assert (row.state, row.decided_by, row.decided_at, row.note, row.to_case) == (
        "applied",
        "ada",
        NOON + HOUR,
        "the lease log was late",
        new,
    )
    assert lines(old) == [("moved_away", "ada")]
    assert lines(new) == [("opened", "machine"), ("moved_here", "ada")]
    assert old.events.get().data == {
        "complaints": 1, "because": "leases.csv",
        "to_case": new.pk, "to_number": new.number, "to_contract": "C-2",
    }  # fmt: skip


def test_the_case_that_is_left_is_counted_anew() -> None:
    case = make_case("C-1", complaint_count=3, first_seen_at=NOON - DAY, last_seen_at=NOON + HOUR, confidence=0.95)
    rest = make_complaint(case, address="192.0.2.11", confidence=0.9)
    make_assignment("C-1", "192.0.2.11/32")
    make_complaint(case, seen_at=NOON - DAY)
    make_complaint(case, seen_at=NOON + HOUR)
    give("C-2")
    apply_reattribution(propose(), actor="ada", now=NOON + HOUR)

    case.refresh_from_db()
    assert (case.state, case.complaint_count, case.first_seen_at, case.last_seen_at, case.confidence) == (
        "investigating",
        1,
        NOON,
        NOON,
        0.9,
    )
    assert (case.address_text, case.due_at, case.headline.endswith("1 complaint from 0 reporters")) == (
        rest.address_text,
        NOON + HOUR,
        True,
    )


def test_a_case_left_without_complaints_is_merged_into_the_right_one() -> None:
    case = misplaced().case
    assert case
    link = make_link(case, now=NOON)
    apply_reattribution(propose(), actor="ada", now=NOON + HOUR)

    case.refresh_from_db()
    link.refresh_from_db()
    new = Case.objects.get(contract__reference="C-2")
    assert (case.state, case.resolution, case.complaint_count, link.revoked_at) == (
        "closed",
        "merged",
        0,
        NOON + HOUR,
    )
    moved = case.events.get(kind="moved").data
    assert moved["reason"] == f"Corrected: its complaints were about another contract's line, see case {new.number}"


@pytest.mark.parametrize(
    ("ours", "reason"),
    [
        (True, "Corrected: it is not known to be this contract's line, so nobody is accused"),
        (False, "Corrected: the address is in none of our networks"),
    ],
)
def test_a_case_whose_complaints_accuse_nobody_any_more_is_closed_as_not_ours(ours: bool, reason: str) -> None:
    case = make_case("C-1", address="192.0.2.10" if ours else "203.0.113.5")
    complaint = make_complaint(case, address=case.address_text)
    apply_reattribution(propose(), actor="ada", now=NOON)

    case.refresh_from_db()
    complaint.refresh_from_db()
    assert (case.state, case.resolution, complaint.case) == ("closed", "not_ours", None)
    assert case.events.get(kind="moved").data["reason"] == reason


def test_applying_twice_has_the_effect_of_once() -> None:
    misplaced()
    waiting = propose()
    apply_reattribution(waiting, actor="ada", now=NOON)
    again = apply_reattribution(waiting, actor="ben", now=NOON + HOUR)

    assert (again.moved, again.overtaken) == (0, 0)
    assert Reattribution.objects.get().decided_by == "ada"
    assert Case.objects.get(contract__reference="C-2").complaint_count == 1


def test_a_complaint_that_moved_meanwhile_is_left_where_it_is() -> None:
    complaint = misplaced()
    waiting = propose()
    elsewhere = make_case("C-9")
    Complaint.objects.filter(pk=complaint.pk).update(case=elsewhere, contract=elsewhere.contract)
    done = apply_reattribution(waiting, actor="ada", now=NOON)

    complaint.refresh_from_db()
    assert (done.moved, done.overtaken, complaint.case) == (0, 1, elsewhere)
    assert Reattribution.objects.get().state == "overtaken"


def test_complaints_that_swap_their_cases_leave_both_counted_right() -> None:
    one, two = make_case("C-1"), make_case("C-2")
    make_complaint(one, address="192.0.2.10")
    make_complaint(two, address="192.0.2.20", seen_at=NOON + HOUR)
    give("C-2", "192.0.2.10/32")
    give("C-1", "192.0.2.20/32")
    apply_reattribution(propose(), actor="ada", now=NOON + DAY)

    one.refresh_from_db()
    two.refresh_from_db()
    assert [(c.state, c.complaint_count, c.first_seen_at, c.last_seen_at) for c in (one, two)] == [
        ("investigating", 1, NOON + HOUR, NOON + HOUR),
        ("investigating", 1, NOON, NOON),
    ]


def test_a_closed_case_stays_closed_without_its_complaints() -> None:
    case = make_case("C-1")
    make_complaint(case)
    move_case(case, CaseState.CLOSED, actor="ada", reason="fixed", resolution=Resolution.FIXED_VERIFIED, now=NOON)
    give("C-2")
    apply_reattribution(propose(), actor="ada", now=NOON + HOUR)

    case.refresh_from_db()
    assert (case.state, case.resolution, case.complaint_count, case.due_at) == ("closed", "fixed_verified", 0, None)
    assert Case.objects.filter(contract__reference="C-2").count() == 1


def test_each_category_goes_to_its_own_case() -> None:
    make_complaint(make_case("C-1"))
    make_complaint(make_case("C-1", category=Category.SCAN))
    give("C-2")
    apply_reattribution(propose(), actor="ada", now=NOON)
    assert sorted(Case.objects.filter(contract__reference="C-2").values_list("category", flat=True)) == ["scan", "spam"]


def test_a_thousand_corrections_are_applied_in_few_statements(django_assert_max_num_queries: Any) -> None:
    case = make_case("C-1")
    make_complaint(case)
    give("C-2")
    first = Complaint.objects.get()
    Complaint.objects.bulk_create(
        Complaint(
            message=first.message, address=first.address, seen_at=NOON, category="spam", port=number + 1, case=case,
            received_at=NOON, format="arf", answer="owner", contract=case.contract, method="static", confidence=0.95,
        )
        for number in range(999)
    )  # fmt: skip
    waiting = propose()
    with django_assert_max_num_queries(3 * 1000 + 120):
        done = apply_reattribution(waiting, actor="ada", now=NOON)
    assert (done.moved, Case.objects.get(contract__reference="C-2").complaint_count) == (1000, 1000)


# -- who was told


@pytest.mark.parametrize(("state", "expected"), [("sent", "wrong"), ("sending", "wrong"), ("queued", "no")])
def test_a_contract_that_was_told_of_what_was_not_theirs_is_a_task(state: str, expected: str) -> None:
    case = misplaced().case
    assert case
    told(case, state=state)
    done = apply_reattribution(propose(), actor="ada", now=NOON)

    assert done.told == ({case.pk} if expected == "wrong" else set())
    assert Reattribution.objects.get().told == expected


def test_a_case_that_goes_on_for_other_complaints_needs_no_letter_of_correction() -> None:
    case = misplaced().case
    assert case
    make_complaint(case, address="192.0.2.11")
    make_assignment("C-1", "192.0.2.11/32")
    told(case)
    assert apply_reattribution(propose(), actor="ada", now=NOON).told == set()


# -- dismissing and undoing


def test_dismissing_leaves_everything_and_says_so_in_the_history() -> None:
    complaint = misplaced()
    dismissed = dismiss_reattribution(propose(), actor="ada", now=NOON + HOUR, note="the new file is wrong")

    case = Case.objects.get()
    complaint.refresh_from_db()
    row = Reattribution.objects.get()
    assert (dismissed.moved, complaint.case, case.due_at) == (1, case, NOON + HOUR)
    assert (row.state, row.decided_by, row.note) == ("dismissed", "ada", "the new file is wrong")
    assert case.events.get().data == {"complaints": 1, "because": "leases.csv", "reason": "the new file is wrong"}


def test_undoing_brings_the_old_answer_back_with_a_history_of_its_own() -> None:
    complaint = misplaced(confidence=0.9, attribution={"reason": "as it was"})
    [pk] = propose()
    apply_reattribution([pk], actor="ada", now=NOON)
    undone = revert_reattribution([pk], actor="ben", now=NOON + HOUR, note="wrong file")

    complaint.refresh_from_db()
    inverse = Reattribution.objects.get(reverts=pk)
    fresh = Case.objects.get(contract__reference="C-1", state="investigating")
    assert (undone.moved, complaint.case, complaint.confidence) == (1, fresh, 0.9)
    assert (complaint.answer, complaint.method, complaint.attribution) == ("owner", "static", {"reason": "as it was"})
    assert (inverse.state, inverse.decided_by, inverse.note) == ("applied", "ben", "wrong file")
    assert (fresh.relapse_of, fresh.ladder) == (None, 0)
    assert Case.objects.get(contract__reference="C-2").resolution == "merged"


def test_undoing_tells_which_case_stands_for_the_one_that_was_closed_meanwhile() -> None:
    old = misplaced().case
    assert old
    [pk] = propose()
    apply_reattribution([pk], actor="ada", now=NOON)

    undone = revert_reattribution([pk], actor="ben", now=NOON + HOUR)

    old.refresh_from_db()
    fresh = Case.objects.get(contract__reference="C-1", state="investigating")
    assert (undone.instead, old.state) == ({old.pk: fresh.pk}, "closed")
    because = f"a correction was undone; case {old.number} stays closed"
    assert fresh.events.get(kind="moved_here").data["because"] == because


def test_undoing_into_a_case_that_is_still_open_needs_no_other() -> None:
    kept = make_complaint(misplaced().case, address="192.0.2.44")
    pk = propose()[0]
    apply_reattribution([pk], actor="ada", now=NOON)

    undone = revert_reattribution([pk], actor="ben", now=NOON + HOUR)

    assert undone.instead == {}
    assert Complaint.objects.get(pk=Reattribution.objects.get(pk=pk).complaint_id).case == kept.case


def test_undoing_twice_has_the_effect_of_once() -> None:
    misplaced()
    [pk] = propose()
    apply_reattribution([pk], actor="ada", now=NOON)
    revert_reattribution([pk], actor="ada", now=NOON)
    assert revert_reattribution([pk], actor="ada", now=NOON).moved == 0


def test_what_was_undone_needs_no_letter_any_more() -> None:
    case = misplaced().case
    assert case
    told(case)
    [pk] = propose()
    apply_reattribution([pk], actor="ada", now=NOON)
    revert_reattribution([pk], actor="ada", now=NOON)
    assert Reattribution.objects.get(pk=pk).told == "left"


# -- frozen


def test_the_owner_of_a_case_is_frozen_as_it_was_when_it_opened() -> None:
    make_complaint(answer="nobody")
    contract = make_contract("C-2", email="anna@customer.example")
    give("C-2")
    propose()
    was = Case.objects.get().owner

    contract.customer.name = "Somebody Else"
    contract.customer.save()
    Contact.objects.update(email="new@customer.example", name="New", language="de")
    contract.product = "DSL 100"
    contract.save()
    give("C-3")
    apply_reattribution(propose(), actor="ada", now=NOON)

    case = Case.objects.get(contract=contract)
    assert case.owner == was
    assert (was["contact_email"], was["language"], was["customer_name"]) == (
        "anna@customer.example",
        "en",
        "Customer K-1",
    )


def test_the_case_a_complaint_moves_to_freezes_the_owner_of_that_moment() -> None:
    misplaced()
    Contact.objects.filter(contract__reference="C-2").update(language="fr")
    apply_reattribution(propose(), actor="ada", now=NOON)
    assert Case.objects.get(contract__reference="C-2").owner["language"] == "fr"


def test_an_address_key_is_what_is_compared() -> None:
    assert touched.addresses_of(prefix_key("192.0.2.8/30")) == (address_key("192.0.2.8"), address_key("192.0.2.11"))
