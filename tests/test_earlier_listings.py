"""What a list said of an address before the contract had it is not held against the contract."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from complaints.addresses import prefix_key
from complaints.cases.assessment import assess
from complaints.checking import record_outcomes
from complaints.checking.earlier_listings import EARLIER, of_their_own
from complaints.models import Case, CheckRun, Listing
from complaints.vocabulary import CheckOutcome, Verdict
from tests.blacklists.rows import make_blacklist
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_network, make_run

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MOVED = NOON - DAY


@pytest.fixture
def case() -> Case:
    """Of C-2, which has the address since yesterday; C-1 had it before."""
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.10/32", kind="lease", valid_from=NOON - 9 * DAY, valid_until=MOVED)
    make_assignment("C-2", "192.0.2.10/32", kind="lease", valid_from=MOVED)
    case = make_case("C-2")
    make_complaint(case, seen_at=NOON)
    return case


def listed(*lists: str) -> CheckOutcome:
    rows = [{"list": name, "place": "192.0.2.10", "status": "listed", "cause": "bot"} for name in lists]
    silent = {"list": "silent", "place": "192.0.2.10", "status": "not-listed", "cause": ""}
    details = {"lists": [*rows, silent], "causes": ["bot"]}
    return CheckOutcome(verdict=Verdict.BAD, reason=f"listed by {', '.join(lists)}", details=details)


def looked_up(case: Case, since: dict[str, datetime]) -> tuple[CheckRun, CheckOutcome]:
    """A look at the lists at noon; they have named the address `since` then."""
    for name, at in since.items():
        list_ = make_blacklist(name)
        Listing.objects.create(
            blacklist=list_, key=prefix_key("192.0.2.10"), status="listed", first_seen_at=at, last_seen_at=NOON
        )
    run = make_run(case, "dnsbl", "", state="running", started_at=NOON)
    return of_their_own([(run, listed(*since))])[0]


def test_a_listing_of_the_one_before_proves_nothing(case: Case) -> None:
    run, outcome = looked_up(case, {"XBL": NOON - 3 * DAY})

    assert (outcome.verdict, outcome.reason) == (
        Verdict.UNKNOWN, "listed since before they had the address by XBL"
    )  # fmt: skip
    assert outcome.details["causes"] == []
    assert [row["status"] for row in outcome.details["lists"]] == [EARLIER, "not-listed"]
    record_outcomes([(run, outcome)], now=NOON)
    assess(case, now=NOON)
    assert case.cause == "unknown"


def test_another_listing_counts_all_the_same(case: Case) -> None:
    _, outcome = looked_up(case, {"XBL": NOON - 3 * DAY, "CBL": NOON - DAY / 2})

    assert (outcome.verdict, outcome.details["causes"]) == (Verdict.BAD, ["bot"])
    assert outcome.reason == "listed by CBL; listed since before they had the address by XBL"


@pytest.mark.parametrize("since", [NOON - DAY / 2, NOON, NOON + DAY])
def test_what_began_since_is_theirs(case: Case, since: datetime) -> None:
    assert looked_up(case, {"XBL": since})[1] == listed("XBL")


def test_who_had_it_before_as_well_is_meant(case: Case) -> None:
    """A line that is cut every night gets a new lease, at times of the same address."""
    make_assignment("C-2", "192.0.2.10/32", kind="lease", valid_from=NOON - 20 * DAY, valid_until=NOON - 10 * DAY)
    assert looked_up(case, {"XBL": NOON - 12 * DAY})[1] == listed("XBL")


def test_of_a_time_of_which_nobody_tells_it_is_believed(case: Case) -> None:
    assert looked_up(case, {"XBL": NOON - 30 * DAY})[1] == listed("XBL")


def test_a_listing_that_is_gone_and_came_back_is_of_its_second_time(case: Case) -> None:
    run, outcome = looked_up(case, {"XBL": NOON - DAY / 2})
    Listing.objects.create(
        blacklist=Listing.objects.get().blacklist, key=prefix_key("192.0.2.10"), status="listed",
        first_seen_at=NOON - 5 * DAY, last_seen_at=NOON - 3 * DAY, gone_at=NOON - 2 * DAY,
    )  # fmt: skip
    assert of_their_own([(run, outcome)]) == [(run, listed("XBL"))]


def test_other_checks_are_left_alone_and_ask_nothing(case: Case, django_assert_num_queries: object) -> None:
    relay = make_run(case, "relay", "", occasion="investigate.2")
    clean = CheckOutcome(verdict=Verdict.CLEAN, reason="not listed", details={"lists": []})
    proven = CheckOutcome(verdict=Verdict.BAD, reason="proven")
    results = [(relay, proven), (make_run(case, "dnsbl", "", occasion="x.1"), clean)]
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert of_their_own(results) == results
