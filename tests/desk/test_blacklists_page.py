"""The page of the lists and the card on a case: healthy, parked, held, empty, and how to get out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from complaints.blacklists import mark_asked, record_findings
from complaints.blacklists.health import record_tests
from complaints.models import Case, DeskTask, Listing, ListSweep, ListUse
from tests.blacklists.rows import make_blacklist
from tests.factories import make_case, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_user())
    return client


def say(name: str = "example", status: str = "listed", *, at=None, place: str = "192.0.2.10") -> None:
    row = {"list": name, "place": place, "status": status, "codes": ["127.0.0.2"], "meaning": "trap hit",
           "cause": "spam-source", "txt": "see <b>us</b>"}  # fmt: skip
    record_findings([row], now=at or timezone.now())


def page(client: Client, url: str = "/blacklists") -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_empty_catalogue_says_how_to_fill_it(desk):
    assert "manage.py load_blacklists" in page(desk)


def test_list_shows_its_health_its_budget_and_what_it_says_of_us(desk):
    each = make_blacklist(per_day=500)
    record_tests({("example", 4): None}, now=timezone.now())
    ListUse.objects.create(blacklist=each, day=timezone.now().date(), asked=42)
    say()
    text = page(desk)
    assert ("healthy" in text, '42<span class="meta">of 500' in text) == (True, True)
    assert '1<span class="hidden"> listings of ours by example' in text


def test_parked_list_needs_attention_and_says_why(desk):
    make_blacklist()
    record_tests({("example", 4): "self-test: lists even 127.0.0.1: it lists the world"}, now=timezone.now())
    text = page(desk)
    assert "Needs attention" in text
    assert "Lists even 127.0.0.1: it lists the world." in text
    assert '1<span class="hidden"> need attention' in text  # in the navigation of every page


def test_when_all_lists_fail_alike_the_page_points_at_our_own_resolver(desk):
    for name in ("one", "two"):
        make_blacklist(name)
    record_tests({(name, 4): "self-test: no answer within 2 s" for name in ("one", "two")}, now=timezone.now())
    assert "That is not the lists" in page(desk)


def test_list_that_names_very_many_is_decided_by_a_supervisor(desk, client):
    each = make_blacklist()
    ListSweep.objects.create(blacklist=each, held="began to name 900 of the 1,000 addresses asked at once")
    DeskTask.objects.create(kind="blacklist-held", key="example", title="x", opened_at=timezone.now(), opened_by="m")
    assert "A supervisor decides" in page(desk)
    assert desk.post(f"/blacklists/{each.pk}/release", {"believe": "no"}).status_code == 403

    client.force_login(make_user("carla", is_superuser=True))
    assert "Believe it, open the cases" in page(client)
    client.post(f"/blacklists/{each.pk}/release", {"believe": "no"})
    assert (ListSweep.objects.get().held, DeskTask.objects.get().done_by) == ("", "carla")


def test_page_of_one_list_shows_whom_it_names_now_and_not_whom_it_named(desk):
    each = make_blacklist()
    say(place="192.0.2.7")
    say(place="192.0.2.8")
    say(place="192.0.2.8", status="not-listed")
    text = page(desk, f"/blacklists/{each.pk}")
    assert ("192.0.2.7" in text, "192.0.2.8" in text) == (True, False)
    assert "see &lt;b&gt;us&lt;/b&gt;" in text


def test_page_of_a_list_that_names_nobody_is_no_error(desk):
    assert "It names none of ours" in page(desk, f"/blacklists/{make_blacklist().pk}")


def test_page_of_no_list_is_not_found(desk):
    assert desk.get("/blacklists/77").status_code == 404


@pytest.fixture
def listed_case() -> Case:
    make_blacklist(how="by form", who="whoever runs the machine", delisting="https://bl.example.org/out")
    case = make_case("C-1")
    now = timezone.now()
    Case.objects.filter(pk=case.pk).update(opened_at=now - timedelta(days=3))
    case.refresh_from_db()
    say(at=now - timedelta(days=2), place=case.address_text)
    return case


def test_case_tells_since_when_a_list_names_it(desk, listed_case):
    text = page(desk, f"/case/{listed_case.pk}")
    assert "Named for 2 d, last seen 2 d ago" in text
    assert "Not yet: the fix is not proven" in text
    assert "Asked them" not in text


def test_after_a_proven_fix_the_case_says_what_to_do_and_notes_who_asked(desk, listed_case):
    Case.objects.filter(pk=listed_case.pk).update(state="closed", resolution="fixed_verified", closed_at=timezone.now())
    text = page(desk, f"/case/{listed_case.pk}")
    assert ("By form" in text, "Who may ask: whoever runs the machine" in text, "Asked them" in text) == (True,) * 3
    listing = Listing.objects.get()
    for _ in range(2):
        desk.post(f"/listing/{listing.pk}/asked", {"case": listed_case.pk})
    listing.refresh_from_db()
    assert listing.asked_by == "ada"
    assert [event.data["text"] for event in listed_case.events.filter(kind="note")] == [
        f"example was asked to take {listed_case.address_text} out"
    ]


def test_when_it_is_gone_the_case_says_so(desk, listed_case):
    mark_asked(Listing.objects.get(), case=listed_case, actor="ada", now=timezone.now())
    say(status="not-listed", place=listed_case.address_text)
    text = page(desk, f"/case/{listed_case.pk}")
    assert "Named for 2 d, gone just now" in text
