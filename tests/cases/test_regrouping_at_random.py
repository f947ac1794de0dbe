"""Cases merged, split, moved, linked, closed and all of it undone in any order, while complaints come in.

Whatever people do, each complaint stands in one case, the cases count their complaints, and what was done a moment
ago can be undone so that everything stands as before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from complaints.cases.filing import file_complaints
from complaints.cases.regrouping import CannotRegroup, link_case, merge_cases, move_to_case, split_case, unlink_case
from complaints.cases.transitions import IllegalTransition, StaleCase, move_case
from complaints.cases.undoing import CannotUndo, changes_of, undo_change, why_not, whys_not
from complaints.models import Case, CaseChange, CheckRun, Complaint, Contract
from complaints.vocabulary import CaseState, Category, Resolution
from tests.cases.test_filing import accuse
from tests.factories import NOON, make_contract, make_message, make_run

pytestmark = pytest.mark.django_db
CATEGORIES = (Category.SPAM, Category.BOT, Category.VULNERABLE, Category.PHISHING)
ENDS = (Resolution.FIXED_VERIFIED, Resolution.NOT_ABUSE, Resolution.NO_RESPONSE)
REFUSALS = (CannotRegroup, CannotUndo, StaleCase, IllegalTransition)


class Desk:
    """People at work: each act takes a minute and may be refused."""

    def __init__(self, seed: int) -> None:
        self.random, self.minutes = Random(seed), 0
        self.contracts = [make_contract(f"C-{number}", customer=f"K-{number}") for number in range(2)]

    def now(self) -> datetime:
        self.minutes += 1
        return NOON + timedelta(minutes=self.minutes)

    def by(self) -> dict[str, Any]:
        return {"actor": "ada", "reason": "chance", "now": self.now()}

    def an_open_case(self) -> Case:
        return self.random.choice(list(Case.objects.active().order_by("pk")) or self.all_cases())

    def any_case(self) -> Case:
        return self.random.choice(self.all_cases())

    def all_cases(self) -> list[Case]:
        return list(Case.objects.order_by("pk"))

    def some_of(self, case: Case) -> list[int]:
        ids = list(case.complaints.order_by("pk").values_list("pk", flat=True))
        return self.random.sample(ids, self.random.randint(1, len(ids))) if ids else []

    def file(self) -> None:
        now = self.now()
        batch = [self.accusation(f"{self.minutes} {number}", now) for number in range(self.random.randint(1, 4))]
        for pk in file_complaints(batch, now=now).opened:
            make_run(Case.objects.get(pk=pk), "dnsbl", "clean")

    def accusation(self, text: str, now: datetime) -> Any:
        site = f"http://site{self.random.randrange(3)}.example/page"
        return accuse(
            make_message(text.encode()), self.random.choice(self.contracts), category=self.random.choice(CATEGORIES),
            seen_at=now - timedelta(seconds=self.random.randrange(3600)),
            source_ip=f"192.0.2.{10 + self.random.randrange(4)}", reporter=f"x@r{self.random.randrange(4)}.example",
            reported_uris=(site,) if self.random.random() < 0.4 else (),
        )  # fmt: skip

    def merge(self) -> CaseChange:
        return merge_cases(self.an_open_case(), into=self.any_case(), **self.by())

    def split(self) -> CaseChange:
        case = self.an_open_case()
        return split_case(case, complaints=self.some_of(case), **self.by())

    def move(self) -> CaseChange:
        case = self.an_open_case()
        return move_to_case(case, complaints=self.some_of(case), to=self.any_case(), **self.by())

    def link(self) -> CaseChange:
        return link_case(self.any_case(), parent=self.any_case(), **self.by())

    def unlink(self) -> CaseChange:
        return unlink_case(self.any_case(), **self.by())

    def undo(self) -> None:
        done = list(CaseChange.objects.order_by("-pk")[:6])
        if done:
            undo_change(self.random.choice(done), actor="bruno", now=self.now())

    def close(self) -> None:
        end = self.random.choice(ENDS)
        move_case(self.an_open_case(), CaseState.CLOSED, actor="ada", reason="done", resolution=end, now=self.now())

    def do_and_undo(self) -> None:
        act: Callable[[], CaseChange] = self.random.choice([self.merge, self.split, self.move, self.link])
        before = as_it_stands(self.all_cases())
        change = act()
        undo_change(change, actor="bruno", now=self.now())
        assert as_it_stands([case for case in self.all_cases() if case.pk in before["cases"]]) == before


def as_it_stands(cases: list[Case]) -> dict[str, Any]:
    columns = ("state", "complaint_count", "resolution", "merged_into_id", "parent_id", "grouping")
    return {
        "complaints": dict(Complaint.objects.values_list("pk", "case")),
        "checks": dict(CheckRun.objects.values_list("pk", "case")),
        "cases": {case.pk: [getattr(case, name) for name in columns] for case in cases},
    }


def assert_sound() -> None:
    assert not Complaint.objects.filter(case=None).exists()
    for case in Case.objects.select_related("merged_into"):
        times = sorted(case.complaints.values_list("seen_at", flat=True))
        assert case.complaint_count == len(times)
        if case.state != CaseState.CLOSED:
            assert (case.merged_into, case.first_seen_at, case.last_seen_at) == (None, times[0], times[-1])
        elif case.resolution == Resolution.MERGED:
            assert times == []
            assert_ends(case)
        changes = changes_of(case)
        assert whys_not(changes) == [why_not(each) for each in changes]


def assert_ends(case: Case) -> None:
    """What a merged case lives on in is found, however often that was merged again."""
    seen: set[int] = set()
    heir: Case | None = case
    while heir is not None:
        assert heir.pk not in seen
        seen.add(heir.pk)
        heir = heir.merged_into


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_with_cases_each_complaint_stands_in_one_of_them(seed: int) -> None:
    desk = Desk(seed)
    for _ in range(6):
        desk.file()
    acts = (desk.file, desk.merge, desk.merge, desk.split, desk.move, desk.link, desk.unlink, desk.undo, desk.undo,
            desk.close, desk.do_and_undo, desk.do_and_undo)  # fmt: skip
    done = 0
    for _ in range(40):
        try:
            desk.random.choice(acts)()
            done += 1
        except REFUSALS:
            pass
        assert_sound()

    assert done > 10
    assert Contract.objects.count() == 2
