"""Cases merged beside each other, and while complaints come in: each complaint stands in one case, and is counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.filing import file_complaints
from complaints.cases.regrouping import CannotRegroup, link_case, merge_cases
from complaints.cases.transitions import StaleCase
from complaints.cases.undoing import CannotUndo, undo_change
from complaints.models import Case, CaseChange, Complaint
from complaints.vocabulary import Category
from tests.cases.test_correction_races import together
from tests.cases.test_filing import accuse
from tests.factories import NOON, make_case, make_complaint, make_contract, make_message

pytestmark = pytest.mark.django_db(transaction=True)


def pair(number: int = 0) -> tuple[Case, Case]:
    contract = make_contract(f"C-{number}")
    spam, bot = (
        make_case(contract, category=category, complaint_count=5) for category in (Category.SPAM, Category.BOT)
    )
    for case in (spam, bot):
        for minute in range(5):
            make_complaint(case, seen_at=NOON + timedelta(minutes=minute))
    return spam, bot


def merge(case: Case, into: Case) -> str:
    try:
        merge_cases(Case.objects.get(pk=case.pk), into=Case.objects.get(pk=into.pk), actor="ada", reason="", now=NOON)
    except (CannotRegroup, StaleCase):
        return "refused"
    return "merged"


def counts() -> dict[str, tuple[str, int, int]]:
    return {each.category: (each.state, each.complaint_count, each.complaints.count()) for each in Case.objects.all()}


@pytest.mark.parametrize("number", range(3))
def test_two_people_merge_two_cases_into_each_other_and_one_of_them_does(number: int) -> None:
    spam, bot = pair(number)

    assert sorted(together(lambda: merge(spam, bot), lambda: merge(bot, spam))) == ["merged", "refused"]
    assert sorted(counts().values()) == [("closed", 0, 0), ("investigating", 10, 10)]


@pytest.mark.parametrize("number", range(5))
def test_what_is_filed_while_its_case_is_merged_stands_in_the_one_that_lives_on(number: int) -> None:
    spam, bot = pair(number)
    batch = [accuse(make_message(b"new"), spam.contract, category=Category.BOT, seen_at=NOON + timedelta(hours=1))]

    together(lambda: merge(bot, spam), lambda: file_complaints(batch, now=NOON))

    assert counts() == {"spam": ("investigating", 11, 11), "bot": ("closed", 0, 0)}
    assert Complaint.objects.filter(case=spam).count() == 11


def test_a_merging_is_undone_once() -> None:
    spam, bot = pair()
    change = merge_cases(bot, into=spam, actor="ada", reason="", now=NOON)

    def undo() -> str:
        try:
            undo_change(CaseChange.objects.get(pk=change.pk), actor="ada", now=NOON)
        except CannotUndo:
            return "refused"
        return "undone"

    assert sorted(together(undo, undo, undo)) == ["refused", "refused", "undone"]
    assert counts() == {"spam": ("investigating", 5, 5), "bot": ("investigating", 5, 5)}


@pytest.mark.parametrize("number", range(3))
def test_two_cases_do_not_become_parts_of_each_other(number: int) -> None:
    spam, bot = pair(number)

    def link(child: Case, parent: Case) -> str:
        try:
            link_case(child, parent=parent, actor="ada", reason="", now=NOON)
        except CannotRegroup:
            return "refused"
        return "linked"

    assert sorted(together(lambda: link(spam, bot), lambda: link(bot, spam))) == ["linked", "refused"]
    assert Case.objects.exclude(parent=None).count() == 1
