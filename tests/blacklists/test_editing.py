from __future__ import annotations

import pytest
from django.test import Client

from complaints.blacklists import blacklists, load_catalogue
from complaints.blacklists.editing import BlacklistForm
from complaints.models import Blacklist
from tests.factories import make_user

pytestmark = pytest.mark.django_db
GIVEN = {
    "name": "own", "zone": "bl.isp.example", "families": ["ipv4"], "six_by": "128", "answers": "codes", "enabled": "on",
    "codes_text": "127.0.0.2  spam-source,bot  hit a trap\n127.0.0.10 policy dynamic range", "errors_text": "",
    "cause": "reputation", "weight": "0.5", "per_second": "20", "per_day": "1000", "in_flight": "20", "source": "us",
}  # fmt: skip


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_user("root", is_superuser=True, is_staff=True))
    return client


def test_list_written_in_the_form_is_asked_as_it_was_written(admin):
    response = admin.post("/admin/complaints/blacklist/add/", GIVEN)
    assert response.status_code == 302
    (each,) = blacklists()
    assert [(str(code.first), code.causes, code.meaning) for code in each.codes] == [
        ("127.0.0.2", ("spam-source", "bot"), "hit a trap"),
        ("127.0.0.10", ("policy",), "dynamic range"),
    ]


def test_every_shipped_list_can_be_saved_unchanged(admin):
    load_catalogue()
    for row in Blacklist.objects.all():
        form = BlacklistForm(instance=row)
        data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
        again = BlacklistForm({k: v for k, v in data.items() if v is not None and v is not False}, instance=row)
        assert again.is_valid(), (row.name, again.errors)
        assert again.save(commit=False).differences == {}, row.name


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("codes_text", "127.0.0.2 weather rain", "none of allow, attack, backscatter"),
        ("codes_text", "127.0.0.2 bot", "Line 1: write the answer, its causes and what it means"),
        ("codes_text", "10.0.0.1 bot infected", "127.x.y.z, 127.x.y.z-z or 127.x.y.* is wanted"),
        ("codes_text", "127.0.0.2 bot a\n127.0.0.2 bot b", "Line 2: 127.0.0.2 is there twice"),
        ("errors_text", "127.0.0.255", "Line 1: write the answer and what it means"),
        ("zone", "bl..example", "is no domain name"),
        ("weight", "7", "weight: a number from 0 to 1 is wanted"),
        ("cause", "weather", "is none of"),
        ("name", "Ünfit name", "“slug”"),
    ],
)
def test_mistake_is_named_and_nothing_is_saved(admin, field, value, complaint):
    response = admin.post("/admin/complaints/blacklist/add/", GIVEN | {field: value})
    assert response.status_code == 200
    assert complaint in response.content.decode().replace("&#x27;", "'")
    assert not Blacklist.objects.exists()


def test_what_was_changed_is_shown_beside_the_shipped_value(admin):
    load_catalogue()
    Blacklist.objects.filter(name="psbl").update(weight=0.1)
    assert "shipped, changed here (weight: shipped 0.6)" in admin.get("/admin/complaints/blacklist/").content.decode()


def test_list_is_never_deleted(admin):
    load_catalogue()
    pk = Blacklist.objects.get(name="psbl").pk
    assert admin.post(f"/admin/complaints/blacklist/{pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"delisting": "javascript:alert(1)"}, "Enter an address that begins with https:// or http://"),
        ({"delisting": "https://x y"}, "Enter an address that begins with https:// or http://"),
        ({"key": "two words"}, "Enter letters, digits, _ and - only, at most 63 between two dots"),
        ({"key": "x" * 64}, "Enter letters, digits, _ and - only, at most 63 between two dots"),
    ],
)
def test_what_would_become_a_bad_link_or_a_bad_question_is_refused(given: dict[str, str], fault: str):
    form = BlacklistForm({**GIVEN, **given})

    assert form.errors == {name: [fault] for name in given}


def test_a_good_link_and_a_key_of_several_labels_are_taken():
    assert BlacklistForm({**GIVEN, "delisting": "https://lists.example/remove", "key": "a1_b-2.customer"}).is_valid()
