"""Complaints of one spam run become one campaign, across customers and reporters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from complaints.cases.campaigns import find_campaigns, forget_campaigns, recount_campaigns
from complaints.models import Campaign, CampaignMark, CampaignMember, Complaint, Message, Reading
from tests.cases.test_campaign_marks import LOAN, WATCHES
from tests.factories import NOON, make_case, make_complaint, make_contract, make_message

pytestmark = pytest.mark.django_db
NOW = timedelta(0)


def look(at: datetime = NOON, **given: int) -> int:
    return find_campaigns(now=at, lag=NOW, **given)


def complain(number: int, *, reporter: str = "r@r.example", **columns: object) -> Complaint:
    case = make_case(make_contract(f"C-{number}", customer=f"K-{number}"))
    return make_complaint(case, reporter=reporter, **{"subject": "", **columns})  # type: ignore[arg-type]


def report(text: str, number: int) -> Message:
    """A report with the mail complained about inside."""
    raw = f"Subject: complaint {number}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    raw += "--b\r\n\r\nsee below\r\n--b\r\n"
    raw += f"Content-Type: message/rfc822\r\n\r\nSubject: s{number}\r\n\r\n{text}\r\n--b--\r\n"
    message = make_message(raw.encode(), state="read")
    Reading.objects.filter(message=message).update(complaint_count=1)
    return message


def together() -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for complaint, campaign in CampaignMember.objects.order_by("pk").values_list("complaint", "campaign"):
        found.setdefault(campaign, []).append(complaint)
    return list(found.values())


def test_complaints_of_three_customers_about_one_subject_are_one_campaign() -> None:
    ids = [complain(n, reporter=f"r{n}@r.example", subject=f"Swiss watches, only {n} pieces left").pk for n in range(3)]
    complain(9, subject="Hello")

    assert look() == 4

    campaign = Campaign.objects.get()
    assert together() == [ids]
    assert (campaign.complaint_count, campaign.case_count, campaign.customer_count, campaign.reporter_count) == (
        3, 3, 3, 3,
    )  # fmt: skip
    assert (campaign.subject, campaign.first_seen_at) == ("Swiss watches, only 0 pieces left", NOON)


def test_what_comes_later_joins() -> None:
    first = complain(1, original_message_id="a1b2c3d4e5@spam.example")
    look()
    second = complain(2, original_message_id="a1b2c3d4e5@spam.example", seen_at=NOON + timedelta(hours=2))
    look(NOON + timedelta(hours=2))

    assert together() == [[first.pk, second.pk]]
    assert Campaign.objects.get().last_seen_at == NOON + timedelta(hours=2)
    assert list(CampaignMember.objects.order_by("pk").values_list("by", flat=True)) == ["first", "id"]


def test_nothing_is_looked_at_twice() -> None:
    complain(1, original_message_id="a1b2c3d4e5@spam.example")

    assert [look(), look(), CampaignMember.objects.count()] == [1, 0, 1]


def test_the_texts_of_the_mails_join() -> None:
    ids = [complain(n, message=report(f"{WATCHES} Order {n}", n)).pk for n in range(2)]
    stirred = complain(5, message=report(WATCHES.replace("Dear friend", "Hello Mister"), 5)).pk
    other = complain(6, message=report(LOAN, 6)).pk
    look()

    assert together() == [[*ids, stirred], [other]]


def test_a_complaint_that_belongs_to_two_makes_them_one() -> None:
    first = complain(1, original_message_id="a1b2c3d4e5@spam.example")
    second = complain(2, subject="Swiss watches, only few pieces left")
    look()
    assert together() == [[first.pk], [second.pk]]
    third = complain(3, original_message_id="a1b2c3d4e5@spam.example", subject="Swiss watches, only few pieces left")
    look()

    assert together() == [[first.pk, second.pk, third.pk]]
    old, new = Campaign.objects.order_by("pk")
    assert (new.merged_into, new.complaint_count, old.complaint_count) == (old, 0, 3)


def test_within_a_batch_as_well() -> None:
    a = complain(1, original_message_id="a1b2c3d4e5@spam.example")
    b = complain(2, subject="Swiss watches, only few pieces left")
    c = complain(3, original_message_id="a1b2c3d4e5@spam.example", subject="Swiss watches, only few pieces left")
    look()

    assert together() == [[a.pk, b.pk, c.pk]]
    assert Campaign.objects.count() == 1


def test_a_batch_ends_where_it_is_full_and_the_next_goes_on() -> None:
    for number in range(5):
        complain(number, original_message_id="a1b2c3d4e5@spam.example")

    assert [look(batch=2), look(batch=2), look(batch=2), look(batch=2)] == [2, 2, 1, 0]
    assert Campaign.objects.get().complaint_count == 5


def test_a_subject_comes_again_after_days_without_meaning_the_same_run() -> None:
    complain(1, subject="Swiss watches, only few pieces left")
    look()
    complain(2, subject="Swiss watches, only few pieces left")
    look(NOON + timedelta(days=4))

    assert [len(ids) for ids in together()] == [1, 1]


@pytest.mark.parametrize("columns", [{"answer": "not-ours"}, {"ruling": "ignored"}, {"category": "scan"}])
def test_what_is_not_of_our_network_or_ignored_or_no_mail_belongs_to_no_campaign(columns: dict[str, Any]) -> None:
    make_complaint(subject="Swiss watches, only few pieces left", **columns)
    assert (look(), together()) == (1, [])


def test_what_was_held_or_had_no_owner_is_counted_in_its_campaign_when_it_has_a_case() -> None:
    subject = "Swiss watches, only few pieces left"
    first, second = make_contract("C-1", customer="K-1"), make_contract("C-2", customer="K-2")
    held = make_complaint(contract=first, subject=subject, ruling="held")
    lonely = make_complaint(subject=subject, answer="nobody")
    look()
    campaign = Campaign.objects.get()
    assert (campaign.complaint_count, campaign.case_count) == (2, 0)

    Complaint.objects.filter(pk=held.pk).update(case=make_case(first), ruling="")
    Complaint.objects.filter(pk=lonely.pk).update(case=make_case(second), contract=second)
    recount_campaigns(now=NOON)

    campaign.refresh_from_db()
    assert (campaign.case_count, campaign.customer_count) == (2, 2)


def test_a_younger_id_waits_until_older_ones_must_have_been_committed() -> None:
    complain(1, subject="Swiss watches, only few pieces left")
    lag = timedelta(minutes=2)

    assert find_campaigns(now=NOON, lag=lag) == 0
    assert find_campaigns(now=NOON + lag, lag=lag) == 1


def test_old_marks_are_forgotten_with_what_stayed_alone() -> None:
    complain(1, subject="Swiss watches, only few pieces left")
    both = [complain(n, original_message_id="a1b2c3d4e5@spam.example").pk for n in (2, 3)]
    look()

    assert forget_campaigns(now=NOON + timedelta(days=15)) == 2
    assert (CampaignMark.objects.count(), together()) == (0, [both])
