"""What the customer's page shows in every state, and what it never shows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from complaints.cases.transitions import add_note, move_case, record
from complaints.models import Brand, Case, CheckRun
from complaints.notices.about import THEMES, theme_of
from complaints.vocabulary import CaseState, Cause, CustomerStatus, EventKind, Resolution, Verdict
from tests.notices.rows import (
    BACK,
    REPORTER,
    TOKEN,
    TRAP,
    make_complaint,
    make_link_and_token,
    make_proof,
    make_relay_case,
    make_run,
)

pytestmark = pytest.mark.django_db


def told(**columns: Any) -> Case:
    """A relay case the customer was written to, with proof and blacklists of yesterday."""
    now = timezone.now()
    filled = {"state": CaseState.NOTIFIED, "customer_status": CustomerStatus.NOTIFIED, "now": now, **columns}
    case = make_relay_case(**filled)
    make_proof(case, at=now - timedelta(days=1))
    make_run(case, "dnsbl", verdict="bad", at=now - timedelta(days=1))
    return case


def verifying(**columns: Any) -> Case:
    now = timezone.now()
    case = told(state=CaseState.VERIFYING, customer_status="claims_fixed", fixed_claimed_at=now, **columns)
    record(case, EventKind.CUSTOMER_ANSWERED, actor="customer", now=now, answer="fixed", text="")
    return case


def page(client, case: Case, door: str = "") -> str:
    token = make_link_and_token(case, now=timezone.now())[1]
    response = client.get(f"/c/{token}{door}")
    assert response.status_code == 200
    return response.content.decode()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def current_step(html: str) -> str:
    return words(re.findall(r'<li class="now".*?</li>', html, re.DOTALL)[0])


@pytest.mark.parametrize(
    ("state", "columns", "step", "title"),
    [
        (CaseState.INVESTIGATING, {"customer_status": "none"}, "Found", "still looking"),
        (CaseState.TRIAGE, {"customer_status": "none"}, "Found", "still looking"),
        (CaseState.TRIAGE, {"customer_status": "seen"}, "We check", "A person is reading"),
        (CaseState.NOTIFIED, {}, "You are fixing it", "Please fix it by"),
        (CaseState.ANSWERED, {"customer_status": "asks_help"}, "You are fixing it", "A person is reading"),
        (CaseState.ANSWERED, {"customer_status": "claims_fixed"}, "You are fixing it", "We could not confirm it yet"),
        (CaseState.ESCALATED, {}, "You are fixing it", "The date has passed"),
        (CaseState.VERIFYING, {"customer_status": "claims_fixed"}, "We check", "We are checking now"),
    ],
)
def test_every_open_state_says_where_we_are(client, state, columns, step, title):
    html = page(client, told(state=state, **columns))
    assert current_step(html).startswith(step)
    assert title in words(html)


@pytest.mark.parametrize(
    ("resolution", "title"),
    [
        (Resolution.FIXED_VERIFIED, "Solved. Thank you!"),
        (Resolution.FIXED_NOT_VERIFIABLE, "Solved. Thank you!"),
        (Resolution.NOT_ABUSE, "It was not you"),
        (Resolution.NO_RESPONSE, "This case is closed"),
    ],
)
def test_a_closed_case_says_how_it_ended_and_asks_nothing(client, resolution, title):
    case = told()
    move_case(case, CaseState.CLOSED, actor="machine", reason="x", resolution=resolution)
    html = page(client, case)
    assert title in html
    assert "<form" not in html
    assert "every " not in html


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_headline_and_steps_of_its_own(client, cause):
    html = page(client, told(cause=cause))
    headline = words(re.findall(r"<h1>.*?</h1>", html, re.DOTALL)[0])
    assert len(headline) > 20
    assert "What to do" in html
    assert "192.0.2.25" in html


def test_the_headlines_of_what_it_can_be_about_differ(client):
    headlines = {}
    for number, cause in enumerate(Cause):
        case = make_relay_case(state=CaseState.NOTIFIED, cause=cause, category=f"c{number}")
        headline = re.findall(r"<h1>(.*?)</h1>", page(client, case))[0]
        headlines.setdefault(headline, set()).add(theme_of(cause, case.category))
    assert sorted(theme for (theme,) in headlines.values()) == sorted([*THEMES, "unknown"])


def test_the_first_screen_tells_since_when_how_many_and_until_when(client, settings):
    settings.DISPLAY_TIME_ZONE = "Europe/Paris"
    text = words(page(client, told()))
    assert "41 different people or companies have complained to us" in text
    assert "1 blacklist now names your line" in text
    assert "(Europe/Paris)" in text
    assert "may limit your line 192.0.2.25 until it is fixed" in text


def test_nothing_that_belongs_to_others_is_on_the_page(client):
    case = told()
    make_complaint(case, seen_at=timezone.now())
    add_note(case, actor="ada", text="customer sounds like a spammer")
    record(case, EventKind.ASSIGNED, actor="ada", to="bert")
    html = page(client, case).lower()
    for secret in (REPORTER, TRAP, "cheap pills", TOKEN, BACK, "anna.privat", "sounds like", "bert", "ada"):
        assert secret not in words(html)


def test_what_the_customer_wrote_is_shown_as_text(client):
    case = told()
    case.owner["customer_name"] = "<img src=x onerror=alert(1)>"
    case.save()
    record(case, EventKind.CUSTOMER_ANSWERED, actor="customer", answer="needs_help", text="<script>alert(1)</script>")
    html = page(client, case)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_list_that_gives_a_script_as_its_address_gets_no_link(client):
    case = told()
    CheckRun.objects.filter(check_name="dnsbl").update(
        details={"lists": [{"list": "<b>Evil</b>", "status": "listed", "delisting": "javascript:alert(1)"}]}
    )
    html = page(client, case)
    assert "javascript:" not in html
    assert "&lt;b&gt;Evil&lt;/b&gt;" in html


def test_the_technician_finds_the_conversation_and_the_settings(client):
    text = words(page(client, told()))
    assert "&gt; RCPT TO:&lt;probe-k7q2…@PROBE.example&gt;" in text
    assert "sender-own-host" in text
    for server in ("Postfix", "Exim", "sendmail", "Exchange", "OpenSMTPD"):
        assert server in text


def test_the_lists_that_gave_no_answer_are_called_unknown(client):
    assert "No answer, so not known: Deaf list" in words(page(client, told()))


def test_while_the_check_runs_the_page_asks_every_two_seconds_and_without_scripts_reloads(client):
    case = verifying()
    make_run(case, verdict="", state=CheckRun.State.RUNNING, at=timezone.now())
    html = page(client, case)
    assert 'hx-trigger="every 2s"' in html
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in html
    assert 'aria-live="polite"' in html
    assert "I have fixed it, check now" not in html


def test_who_is_watched_without_having_said_anything_may_still_say_that_it_is_fixed(client):
    case = told(state=CaseState.VERIFYING, fixed_claimed_at=timezone.now())
    assert "I have fixed it, check now" in page(client, case)


def test_an_accepted_test_message_is_not_yet_a_result(client):
    case = verifying()
    make_run(case, verdict="", state=CheckRun.State.WAITING, at=timezone.now())
    assert "Your server has accepted our test message" in words(page(client, case))


def test_after_a_clean_check_the_second_one_is_announced_with_its_time(client, settings):
    settings.DISPLAY_TIME_ZONE = "UTC"
    due = timezone.now() + timedelta(minutes=14)
    case = verifying(due_at=due)
    make_run(case, verdict=Verdict.CLEAN, at=timezone.now())
    text = words(page(client, case))
    assert "First check passed" in text
    assert f"at about {due:%H:%M} (UTC)" in text


@pytest.mark.parametrize(("minutes", "every"), [(14, "10s"), (0.9, "2s"), (-1, "2s")])
def test_shortly_before_the_second_check_the_page_asks_more_often(client, minutes, every):
    case = verifying(due_at=timezone.now() + timedelta(minutes=minutes))
    make_run(case, verdict=Verdict.CLEAN, at=timezone.now())
    assert f'hx-trigger="every {every}"' in page(client, case)


def test_a_failed_repair_says_still_open_with_the_time_of_the_test(client):
    case = told(fixed_claimed_at=timezone.now() - timedelta(minutes=10))
    make_proof(case, at=timezone.now())
    text = words(page(client, case))
    assert "Still open" in text
    assert "a test message still went through your server" in text
    assert "I have fixed it, check now" in text


def test_the_live_block_says_what_is_new_and_reloads_the_page_when_the_case_has_moved(client):
    case = verifying()
    token = make_link_and_token(case, now=timezone.now())[1]
    seen = f"/c/{token}/status?seen=verifying.{case.stay}.an-older-word."
    make_run(case, verdict="", state=CheckRun.State.RUNNING, at=timezone.now())
    response = client.get(seen)
    assert "We are checking now" in response.content.decode()
    assert "<html" not in response.content.decode()
    assert client.get(f"/c/{token}/status?seen=verifying.{case.stay}.checking.").status_code == 204
    move_case(case, CaseState.NOTIFIED, actor="machine", reason="x")
    assert client.get(seen)["HX-Refresh"] == "true"


def test_the_date_is_not_the_customers_while_the_desk_has_the_case(client):
    text = words(page(client, told(state=CaseState.ANSWERED)))
    assert "Please fix it by" not in text


def test_a_date_that_has_passed_is_said_to_have_passed(client):
    assert "has passed" in words(page(client, told(deadline_at=timezone.now() - timedelta(hours=1))))


@pytest.mark.parametrize("door", ["", "/status?seen=notified.1.your_turn."])
def test_the_page_is_kept_by_nobody_and_indexed_by_nobody(client, door):
    token = make_link_and_token(told(), now=timezone.now())[1]
    for response in (client.get(f"/c/{token}{door}"), client.get(f"/c/{'x' * 43}{door}")):
        assert response["Cache-Control"] == "private, no-store"
        assert response["Referrer-Policy"] == "same-origin"
        assert "noindex" in response["X-Robots-Tag"]


def test_the_page_loads_nothing_from_elsewhere_and_brings_no_inline_code(client):
    case = verifying()
    html = page(client, case)
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', re.sub(r"<a .*?>", "", html))
    assert all(each.startswith(("/", "data:,")) for each in loaded)
    assert " style=" not in html
    assert "<style" not in html
    assert not re.findall(r"<script(?![^>]* src=)", html)
    assert not re.findall(r"\son\w+=", html)


def test_the_demo_says_that_it_is_one(client, settings):
    assert "Demo: a simulated" not in page(client, told())
    settings.DEMO = True
    assert "minutes instead of days, exist only here" in page(client, Case.objects.get())
    assert "exist only here" in client.get(f"/c/{'x' * 43}").content.decode()


@pytest.mark.parametrize("language", ["en", "rm", "nl-BE", "../../desk", ""])
def test_a_language_without_pages_is_served_in_english_and_says_so_to_the_reader_aloud(client, language):
    case = told()
    case.owner["language"] = language
    case.save()
    html = page(client, case)
    assert '<html lang="en">' in html
    assert f"Since {case.first_seen_at:%A}" in words(html)


def test_a_brand_shows_its_name_its_colour_and_how_it_is_reached(client):
    case = make_relay_case(state=CaseState.NOTIFIED)
    case.owner["brand"] = "nord"
    case.save()
    brand = Brand.objects.create(
        name="nord", title="Nordnetz", email="abuse@nordnetz.example", phone="+49 40 5550100", colour="#7a1f3d",
        signature="Nordnetz GmbH\nKiel",
    )  # fmt: skip
    shown = client.get(f"/c/{make_link_and_token(case, now=timezone.now())[1]}").content.decode()
    assert '<span class="brand">Nordnetz</span>' in shown
    assert "abuse@nordnetz.example" in shown
    assert "+49 40 5550100" in shown
    assert "Nordnetz GmbH<br>Kiel" in shown
    style = f"/c/brand/{brand.pk}.css"
    assert f'href="{style}?7a1f3d"' in shown
    assert client.get(style).content == b":root { --brand: #7a1f3d; --on-brand: #fff }\n"


def test_a_brand_without_a_colour_has_no_style_sheet(client):
    brand = Brand.objects.create(name="nord", title="Nordnetz")
    assert client.get(f"/c/brand/{brand.pk}.css").status_code == 404
