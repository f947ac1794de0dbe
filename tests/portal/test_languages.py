"""The customer's page in every language: whole, chosen by the case or on the page, and kept for this link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from complaints.cases.transitions import move_case
from complaints.models import Intervention
from complaints.notices.about import FAMILIES
from complaints.playbooks.loading import SHIPPED, activate_playbook, read_playbook
from complaints.vocabulary import CaseState, Category, Cause, Resolution
from tests.factories import make_complaint
from tests.notices.rows import make_link_and_token
from tests.portal.test_page import page, told, words

pytestmark = pytest.mark.django_db
FOLDER = Path(settings.BASE_DIR) / "templates" / "portal"
LANGUAGES = ("en", "de", "fr")
TODO = {"en": "What to do", "de": "Was zu tun ist", "fr": "Que faire"}
VARIABLE = re.compile(r"{{\s*([a-z_0-9]+(?:\.[a-z_]+)?)")
PARTS = sorted(str(path.relative_to(FOLDER / "en")) for path in (FOLDER / "en").rglob("*.html"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_of_the_page_is_there(language):
    names = [{str(path.relative_to(FOLDER / each)) for path in (FOLDER / each).rglob("*.html")} for each in LANGUAGES]
    assert names[LANGUAGES.index(language)] == names[0]


@pytest.mark.parametrize(
    "name", sorted(str(path.relative_to(FOLDER / "en")) for path in (FOLDER / "en").rglob("*.html"))
)
def test_a_translated_part_speaks_of_the_same_things(name):
    found = [set(VARIABLE.findall((FOLDER / each / name).read_text())) - {"called"} for each in LANGUAGES]
    assert found[1] - {"called_2", "called_3"} == found[0]
    assert found[2] == found[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("cause", "category"),
    [*((cause, Category.SPAM) for cause in Cause), *((Cause.UNKNOWN, category) for category in FAMILIES)],
)
def test_every_kind_of_abuse_has_its_page_in_the_customers_language(client, cause, category, language):
    case = told(cause=cause, category=category)
    case.owner["language"] = language
    case.save()
    html = page(client, case)
    assert f'<html lang="{language}">' in html
    assert TODO[language] in words(html)
    assert "192.0.2.25" in words(html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", list(CaseState))
def test_every_state_is_told_in_every_language(client, state, language):
    case = told(state=state if state != CaseState.CLOSED else CaseState.NOTIFIED)
    case.owner["language"] = language
    case.save()
    if state == CaseState.CLOSED:
        move_case(case, state, actor="machine", reason="x", resolution=Resolution.FIXED_VERIFIED)
    assert f'<html lang="{language}">' in page(client, case)


def test_a_language_chosen_on_the_page_is_kept_for_this_link_alone(client):
    case = told()
    token = make_link_and_token(case, now=timezone.now())[1]
    assert '<html lang="fr">' in client.get(f"/c/{token}?lang=fr").content.decode()
    assert '<html lang="fr">' in client.get(f"/c/{token}").content.decode()
    assert client.cookies["page_language"]["path"] == f"/c/{token}"


def test_the_languages_are_offered_by_plain_links_in_their_own_words(client):
    links = re.findall(r'<a href="\?lang=(\w+)" lang="(\w+)"[^>]*>([^<]+)</a>', page(client, told()))
    assert links == [("en", "en", "English"), ("de", "de", "Deutsch"), ("fr", "fr", "Français")]


@pytest.mark.parametrize("asked", ["xx", "../../desk", "<script>", ""])
def test_a_language_that_there_is_not_changes_nothing(client, asked):
    token = make_link_and_token(told(), now=timezone.now())[1]
    assert '<html lang="en">' in client.get(f"/c/{token}", {"lang": asked}).content.decode()


def test_a_link_that_does_not_work_is_explained_in_the_browsers_language(client):
    html = client.get(f"/c/{'x' * 43}", headers={"accept-language": "de-AT,en;q=0.5"}).content.decode()
    assert "Dieser Link funktioniert nicht" in html


def test_what_follows_stands_on_the_page_with_its_dates(client):
    playbook = activate_playbook(read_playbook(SHIPPED / "open_relay.yaml"), now=timezone.now())
    text = words(page(client, told(playbook=playbook, state_since=timezone.now(), cause_confidence=0.99)))
    assert "What follows if it stays open" in text
    assert "Outgoing mail on your line is blocked (TCP port 25)" in text


def test_a_measure_in_force_is_shown_with_its_time(client):
    case, now = told(state=CaseState.ESCALATED), timezone.now()
    Intervention.objects.create(
        case=case, contract=case.contract, kind="limit_25", step="x", state="in_force", reason="an inner reason",
        decided_by="machine", decided_at=now, due_at=now, in_force_at=now,
    )  # fmt: skip
    html = page(client, case)
    assert "In force now" in html
    assert f"{timezone.localtime(now):%H}" in html
    assert "an inner reason" not in html


def test_a_login_at_our_relay_is_no_line_of_theirs(client):
    case = told(cause=Cause.STOLEN_MAILBOX)
    make_complaint(case, method="smtp_user", address="192.0.2.25")
    assert "your line 192" not in words(page(client, case))
