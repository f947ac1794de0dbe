"""After the fix: who asked which list, and when it let go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from complaints.blacklists import delisted, mark_asked, record_findings, ways_out
from complaints.blacklists.health import record_tests
from complaints.models import Case, Listing
from tests.blacklists.rows import make_blacklist
from tests.factories import make_run
from tests.notices.rows import make_link_and_token, make_relay_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    make_blacklist(how="by form", who="whoever runs the machine", delisting="https://bl.example.org/out")
    case = make_relay_case()
    Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(days=2))
    case.refresh_from_db()
    return case


def say(case: Case, status: str = "listed", *, ago: timedelta = timedelta(0), cause: str = "spam-source") -> None:
    row = {"list": "example", "place": case.address_text, "status": status, "codes": ["127.0.0.2"],
           "meaning": "trap hit", "cause": cause}  # fmt: skip
    record_findings([row], now=timezone.now() - ago)


def close(case: Case, resolution: str = "fixed_verified") -> None:
    Case.objects.filter(pk=case.pk).update(state="closed", resolution=resolution, closed_at=timezone.now())
    case.refresh_from_db()


def test_asking_makes_sense_only_after_the_proven_fix(case):
    say(case, ago=timedelta(days=1))
    assert ways_out(case).ready is False
    close(case)
    assert ways_out(case).ready is True


@pytest.mark.parametrize("resolution", ["no_response", "stale", "terminated"])
def test_case_that_was_closed_without_a_fix_is_not_ready(case, resolution):
    close(case, resolution)
    assert ways_out(case).ready is False


def test_policy_listing_needs_no_delisting(case):
    say(case, "policy", cause="policy")
    assert ways_out(case).listings == ()


def test_listing_that_began_after_the_case_is_somebody_elses_matter(case):
    close(case)
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(hours=1))
    case.refresh_from_db()
    say(case)
    assert ways_out(case).listings == ()


def test_list_that_was_asked_is_looked_at_again_at_once(case):
    say(case)
    now = timezone.now()
    assert mark_asked(Listing.objects.get(), case=case, actor="ada", now=now)
    assert not mark_asked(Listing.objects.get(), case=case, actor="bob", now=now)
    listing = Listing.objects.get()
    assert (listing.asked_by, listing.look_at) == ("ada", now)


def test_delisted_is_unknown_until_the_lists_were_asked(case):
    assert delisted(case) is None
    make_run(case, "dnsbl", verdict="unknown")
    assert delisted(case) is None
    make_run(case, "dnsbl", verdict="clean", occasion="verify.2")
    assert delisted(case) is True


def test_delisted_is_told_by_what_the_lists_say_now(case):
    say(case)
    make_run(case, "dnsbl", verdict="bad")
    assert delisted(case) is False
    say(case, "not-listed")
    assert delisted(case) is True


def test_delisted_is_unknown_while_the_list_that_names_it_is_parked(case):
    say(case)
    record_tests({("example", 4): "self-test: lists even 127.0.0.1: it lists the world"}, now=timezone.now())
    assert delisted(case) is None


def test_list_that_is_off_holds_no_case_open(case):
    say(case)
    make_run(case, "dnsbl", verdict="bad")
    Listing.objects.get().blacklist.__class__.objects.update(enabled=False)
    assert delisted(case) is True


def test_customer_learns_what_to_do_and_says_that_it_is_done(case, client: Client):
    _, token = make_link_and_token(case, now=timezone.now())
    say(case)
    assert "Getting off the blacklists" not in client.get(f"/c/{token}").content.decode()

    close(case)
    text = client.get(f"/c/{token}").content.decode()
    assert ("Getting off the blacklists" in text, "Who may ask: whoever runs the machine" in text) == (True, True)
    answer = client.post(f"/c/{token}/asked", {"listing": Listing.objects.get().pk})
    assert answer.status_code == 302
    assert Listing.objects.get().asked_by == "customer"
    assert "It still names your address" in client.get(f"/c/{token}").content.decode()

    say(case, "not-listed")
    assert "No longer names your address since" in client.get(f"/c/{token}").content.decode()


def test_customer_cannot_mark_a_listing_of_somebody_else(case, client: Client):
    _, token = make_link_and_token(case, now=timezone.now())
    close(case)
    row = {"list": "example", "place": "203.0.113.9", "status": "listed", "codes": [], "meaning": "", "cause": "bot"}
    record_findings([row], now=timezone.now())
    for given in (str(Listing.objects.get().pk), "nonsense", "-1", ""):
        assert client.post(f"/c/{token}/asked", {"listing": given}).status_code == 302
    assert Listing.objects.get().asked_at is None
