"""Merging, splitting, moving and linking cases; and taking each back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from complaints.cases.filing import file_complaints
from complaints.cases.regrouping import CannotRegroup, link_case, merge_cases, move_to_case, split_case, unlink_case
from complaints.cases.transitions import StaleCase, move_case
from complaints.cases.undoing import CannotUndo, undo_change, why_not, whys_not
from complaints.checking.outcomes import record_outcome, record_outcomes
from complaints.models import Case, CaseChange, CheckRun, Complaint, Intervention, Notice, PortalLink
from complaints.notices.compose import queue_notice
from complaints.notices.links import find_link, token_of
from complaints.notices.replies import record_replies
from complaints.vocabulary import CaseState, Category, CheckOutcome, MeasureKind, Resolution, Verdict
from tests.cases.test_filing import accuse
from tests.factories import NOON, make_case, make_complaint, make_contract, make_message, make_run

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
BY = {"actor": "ada", "reason": "the same machine", "now": LATER}


def case_with(complaints: int, contract: object = "C-1", **columns: object) -> Case:
    case = make_case(contract, complaint_count=complaints, **columns)  # type: ignore[arg-type]
    for number in range(complaints):
        address = f"192.0.2.{10 + number}"
        make_complaint(case, address=address, reporter=f"r{number}@r.example", seen_at=NOON + timedelta(minutes=number))
    return case


def two_cases() -> tuple[Case, Case]:
    spam = case_with(2)
    return spam, case_with(1, spam.contract, category=Category.BOT)


def row(case: Case) -> tuple[object, ...]:
    case.refresh_from_db()
    return case.state, case.resolution, case.complaint_count, case.reporter_count, case.merged_into_id


def history(case: Case) -> list[str]:
    return list(case.events.order_by("pk").values_list("kind", flat=True))


def test_a_merged_case_is_closed_and_its_complaints_live_on() -> None:
    spam, bot = two_cases()

    merge_cases(bot, into=spam, **BY)

    assert row(bot) == ("closed", "merged", 0, 0, spam.pk)
    assert row(spam) == ("investigating", "", 3, 2, None)
    assert (history(bot), history(spam)) == (["moved", "merged"], ["merged"])
    assert spam.events.get().data == {
        "complaints": 1, "reason": "the same machine",
        "from_case": bot.pk, "from_number": bot.number, "from_contract": "C-1",
    }  # fmt: skip


def test_checks_links_and_measures_go_along_and_count_for_no_step_of_the_other() -> None:
    spam, bot = two_cases()
    run = make_run(bot, "relay", "")
    link = PortalLink.objects.create(case=bot, nonce=b"n", token_hash=b"h", created_at=NOON, expires_at=LATER)
    measure = Intervention.objects.create(
        case=bot, contract=bot.contract, kind=MeasureKind.LIMIT_25, step="limit", state="in_force", reason="x",
        decided_by="machine", decided_at=NOON, due_at=NOON,
    )  # fmt: skip

    change = merge_cases(bot, into=spam, **BY)

    for each in (run, link, measure):
        each.refresh_from_db()
    assert (run.case, run.occasion, link.case) == (spam, f"merged-{run.pk}", spam)
    assert (measure.case, measure.state) == (spam, "in_force")
    undo_change(change, actor="ada", now=LATER)
    for each in (run, link, measure):
        each.refresh_from_db()
    assert (run.case, run.occasion, link.case) == (bot, "investigate.1", bot)
    assert (measure.case, measure.step) == (bot, "limit")


@pytest.mark.parametrize("many", [False, True])
def test_a_check_that_ends_after_the_merging_speaks_to_the_case_that_lives_on(many: bool) -> None:
    spam, bot = two_cases()
    run = make_run(bot, "dnsbl", "", state=CheckRun.State.RUNNING, claim="mine")  # as a worker has loaded it
    merge_cases(bot, into=spam, **BY)
    Case.objects.filter(pk=spam.pk).update(due_at=None)
    outcome = CheckOutcome(verdict=Verdict.CLEAN, reason="not listed")

    if many:
        record_outcomes([(run, outcome)], now=LATER)
    else:
        record_outcome(run, outcome, now=LATER)

    spam.refresh_from_db()
    assert (history(bot), history(spam)) == (["moved", "merged"], ["merged", "check_done"])
    assert spam.due_at == LATER


def test_an_answer_to_a_letter_about_the_merged_case_stands_in_the_one_that_lives_on() -> None:
    spam, bot = two_cases()
    move_case(spam, CaseState.NOTIFIED, actor="machine", reason="", now=NOON)
    letter = queue_notice(bot, "notify", occurrence=1, now=NOON)
    assert letter
    Notice.objects.filter(pk=letter.pk).update(state="sent", sent_at=NOON)
    merge_cases(bot, into=spam, **BY)

    raw = f"From: c@x.example\r\nSubject: Re\r\nIn-Reply-To: {letter.message_id}\r\n\r\nIt is mended.\r\n"
    assert record_replies([make_message(raw.encode())], now=LATER).cases == [spam.pk]
    assert (history(spam)[-2:], row(spam)[0]) == (["customer_answered", "moved"], "answered")


def test_the_page_behind_an_old_letter_shows_the_case_that_lives_on() -> None:
    spam, bot = two_cases()
    letter = queue_notice(bot, "notify", occurrence=1, now=NOON)
    assert letter
    assert letter.link
    Notice.objects.filter(pk=letter.pk).update(state="sent", sent_at=NOON)
    merge_cases(bot, into=spam, **BY)

    found = find_link(token_of(letter.link) or "", now=LATER)
    assert found
    assert found.case == spam


def test_a_letter_that_has_not_gone_is_taken_back() -> None:
    spam, bot = two_cases()
    queue_notice(bot, "notify", occurrence=1, now=NOON)

    merge_cases(bot, into=spam, **BY)

    assert bot.notices.get().state == "withdrawn"


def test_what_comes_later_for_the_merged_case_joins_the_other_and_goes_back_with_the_undoing() -> None:
    spam, bot = two_cases()
    change = merge_cases(bot, into=spam, **BY)
    batch = [accuse(make_message(c.value.encode()), spam.contract, category=c) for c in (Category.BOT, Category.SPAM)]
    file_complaints(batch, now=LATER)
    assert (row(spam)[2], Case.objects.active().count()) == (5, 1)

    undo_change(change, actor="ada", now=LATER)

    assert row(spam) == ("investigating", "", 3, 3, None)
    assert row(bot) == ("investigating", "", 2, 2, None)
    assert history(bot) == ["moved", "merged", "undone"]


def test_an_undone_merge_gives_the_case_its_state_and_its_deadline_back() -> None:
    spam, bot = two_cases()
    move_case(bot, CaseState.NOTIFIED, actor="machine", reason="", now=NOON, deadline_at=LATER)

    undo_change(merge_cases(bot, into=spam, **BY), actor="ada", now=LATER)

    bot.refresh_from_db()
    assert (bot.state, bot.state_since, bot.deadline_at, bot.closed_at, bot.stay) == ("notified", NOON, LATER, None, 4)


def test_what_was_merged_before_follows() -> None:
    spam, bot = two_cases()
    scan = case_with(1, spam.contract, category=Category.SCAN)
    merge_cases(scan, into=bot, **BY)
    bot.refresh_from_db()

    change = merge_cases(bot, into=spam, **BY)
    assert row(scan)[4] == spam.pk
    undo_change(change, actor="ada", now=LATER)
    assert row(scan)[4] == bot.pk


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda case: make_case(make_contract("C-2")), "is about another contract"),
        (lambda case: case, "into itself"),
        (
            lambda case: make_case(case.contract, state="closed", resolution="stale", closed_at=NOON),
            "is closed and stays as it is",
        ),
    ],
)
def test_what_cannot_be_merged(other: object, why: str) -> None:
    case = case_with(1)

    with pytest.raises(CannotRegroup, match=why):
        merge_cases(case, into=other(case), **BY)  # type: ignore[operator]
    assert (row(case)[0], CaseChange.objects.count()) == ("investigating", 0)


def test_a_case_that_moved_meanwhile_is_not_merged() -> None:
    spam, bot = two_cases()
    Case.objects.filter(pk=spam.pk).update(stay=2)

    with pytest.raises(StaleCase):
        merge_cases(bot, into=spam, **BY)
    assert row(bot)[0] == "investigating"


def test_splitting_by_an_address_takes_what_comes_about_it_along() -> None:
    case = case_with(3)
    theirs = case.complaints.order_by("pk")[2]

    change = split_case(case, complaints=[theirs.pk], **BY)

    part = change.to_case
    assert (part.grouping, part.category, part.owner, part.complaint_count) == (
        "address:192.0.2.12", "spam", case.owner, 1,
    )  # fmt: skip
    assert row(case)[2] == 2
    assert (history(case), history(part)) == (["split"], ["opened", "split"])
    batch = [accuse(make_message(b"%d" % last), case.contract, source_ip=f"192.0.2.{last}") for last in (12, 13)]
    file_complaints(batch, now=LATER)
    assert (row(case)[2], row(part)[2]) == (3, 2)


def test_a_split_that_no_address_tells_apart_takes_only_what_was_chosen() -> None:
    case = make_case()
    first = make_complaint(case, seen_at=NOON)
    make_complaint(case, seen_at=LATER)

    part = split_case(case, complaints=[first.pk], **BY).to_case

    assert part.grouping == f"part:{first.pk}"
    file_complaints([accuse(make_message(), case.contract)], now=LATER)
    assert row(part)[2] == 1


def test_an_undone_split_closes_the_part_and_brings_all_back() -> None:
    case = case_with(2)
    change = split_case(case, complaints=[case.complaints.order_by("pk")[1].pk], **BY)
    file_complaints([accuse(make_message(), case.contract, source_ip="192.0.2.11")], now=LATER)

    undo_change(change, actor="ada", now=LATER)

    assert row(case)[2] == 3
    assert row(change.to_case) == ("closed", "merged", 0, 0, case.pk)


@pytest.mark.parametrize("which", ["all", "none", "others"])
def test_a_split_needs_some_and_leaves_some(which: str) -> None:
    case = case_with(2)
    ids = {
        "all": list(case.complaints.values_list("pk", flat=True)),
        "none": [],
        "others": [make_complaint(make_case(make_contract("C-2"))).pk],
    }

    with pytest.raises(CannotRegroup):
        split_case(case, complaints=ids[which], **BY)
    assert Case.objects.filter(contract=case.contract).count() == 1


def test_complaints_move_to_another_case_of_the_contract_and_back() -> None:
    spam, bot = two_cases()
    one = spam.complaints.order_by("pk")[0]

    change = move_to_case(spam, complaints=[one.pk], to=bot, **BY)

    assert (row(spam)[2], row(bot)[2]) == (1, 2)
    assert (history(spam), history(bot)) == (["moved_away"], ["moved_here"])
    undo_change(change, actor="ada", now=LATER)
    assert (row(spam)[2], row(bot)[2]) == (2, 1)
    assert Complaint.objects.get(pk=one.pk).case == spam


def test_cases_of_two_contracts_can_be_linked_and_the_link_ends_again() -> None:
    child, parent = case_with(1), make_case(make_contract("C-2"))

    change = link_case(child, parent=parent, **BY)
    child.refresh_from_db()
    assert (child.parent, history(child), history(parent)) == (parent, ["linked"], ["linked"])
    undo_change(change, actor="ada", now=LATER)
    child.refresh_from_db()
    assert child.parent is None

    link_case(child, parent=parent, **BY)
    child.refresh_from_db()
    unlink_case(child, **BY)
    child.refresh_from_db()
    assert child.parent is None


def test_no_case_becomes_a_part_of_itself() -> None:
    first, second, third = (make_case(make_contract(f"C-{number}")) for number in range(3))
    link_case(second, parent=first, **BY)
    link_case(third, parent=second, **BY)

    with pytest.raises(CannotRegroup):
        link_case(first, parent=third, **BY)


def test_nothing_is_undone_twice() -> None:
    spam, bot = two_cases()
    change = merge_cases(bot, into=spam, **BY)
    undo_change(change, actor="ada", now=LATER)

    with pytest.raises(CannotUndo, match="already"):
        undo_change(change, actor="ada", now=LATER)
    assert history(bot).count("undone") == 1


def test_what_happened_since_stands_against_an_undoing() -> None:
    spam, bot = two_cases()
    change = merge_cases(bot, into=spam, **BY)
    spam.refresh_from_db()
    queue_notice(spam, "notify", occurrence=1, now=LATER)

    change.refresh_from_db()
    assert why_not(change) == "The customer has been written to since."
    with pytest.raises(CannotUndo):
        undo_change(change, actor="ada", now=LATER)
    assert row(bot)[0] == "closed"
    assert CaseChange.objects.get().undone_at is None


def test_a_case_closed_since_stands_against_an_undoing() -> None:
    spam, bot = two_cases()
    change = merge_cases(bot, into=spam, **BY)
    spam.refresh_from_db()
    move_case(spam, CaseState.CLOSED, actor="ada", reason="", resolution=Resolution.NOT_ABUSE, now=LATER)

    assert why_not(CaseChange.objects.get(pk=change.pk)) == f"Case {spam.number} is closed meanwhile."


def test_nothing_is_put_into_a_case_whose_fix_is_being_verified() -> None:
    spam, other = two_cases()
    Case.objects.filter(pk=spam.pk).update(state=CaseState.VERIFYING)
    spam.refresh_from_db()
    first = other.complaints.values_list("pk", flat=True)[:1]

    for verb in (
        lambda: merge_cases(other, into=spam, **BY),
        lambda: move_to_case(other, complaints=first, to=spam, **BY),
    ):
        with pytest.raises(CannotRegroup, match="being verified"):
            verb()
    assert merge_cases(spam, into=other, **BY).to_case == other


def test_a_measure_that_was_decided_since_a_split_stays_on_the_line_when_it_is_undone() -> None:
    case = case_with(2)
    change = split_case(case, complaints=case.complaints.values_list("pk", flat=True)[:1], **BY)
    part = change.to_case
    measure = Intervention.objects.create(
        case=part, contract=part.contract, kind=MeasureKind.LIMIT_25, state="in_force", step="by-hand",
        decided_at=LATER, decided_by="ada", due_at=LATER,
    )  # fmt: skip

    undo_change(change, actor="ada", now=LATER)

    measure.refresh_from_db()
    assert (measure.case_id, measure.state) == (case.pk, "in_force")


def test_five_changes_of_a_case_are_judged_in_one_statement(django_assert_num_queries: Any) -> None:
    spam, other = case_with(12), make_case(make_contract("C-2"))
    ids = list(spam.complaints.order_by("pk").values_list("pk", flat=True))
    for pk in ids[:3]:
        split_case(spam, complaints=[pk], **BY)
        spam.refresh_from_db()
    link_case(spam, parent=other, **BY)
    part = split_case(spam, complaints=[ids[3]], **BY).to_case
    changes = list(CaseChange.objects.select_related("from_case", "to_case").order_by("-pk"))

    with django_assert_num_queries(1):
        found = whys_not(changes)

    again = "Complaints of these cases were moved again since: undo that first."
    assert found == ["", "", again, again, again]
    assert found == [why_not(each) for each in changes]
    assert part.pk == changes[0].to_case_id
