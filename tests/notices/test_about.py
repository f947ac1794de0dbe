"""Which letter a case gets, and what the shared sentences know: the theme, the place, the measures, what comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from complaints.models import HostedName, Intervention, LineIdentifier
from complaints.notices.about import events, inert, measures, place_of, theme_of, themes
from complaints.notices.compose import letter_for
from complaints.vocabulary import CaseState, Category, Cause, MeasureKind, Resolution
from tests.factories import NOON, make_case, make_complaint, make_shared_machine
from tests.notices.rows import make_relay_case, queued

pytestmark = pytest.mark.django_db
State = Intervention.State


@pytest.mark.parametrize(
    ("cause", "category", "letter"),
    [
        ("open_relay", "spam", "open_relay"),
        ("open_relay", "vulnerable", "open_relay"),
        ("bot", "spam", "bot"),
        ("unknown", "bot", "bot"),
        ("stolen_mailbox", "phishing", "stolen_mailbox"),
        ("bulk_mail", "spam", "bulk_mail"),
        ("unknown", "phishing", "content"),
        ("unknown", "malware", "content"),
        ("unknown", "fraud", "content"),
        ("bot", "copyright", "copyright"),
        ("copyright", "spam", "copyright"),
        ("web_script", "spam", "web_script"),
        ("web_script", "phishing", "web_script"),
        ("forwarded", "spam", "forwarded"),
        ("harmful_content", "phishing", "content"),
        ("attack", "spam", "attack"),
        ("vulnerable_service", "vulnerable", "service"),
        ("unknown", "opt_out", "bulk_mail"),
        ("forged", "phishing", "content"),
        ("bot", "login_attack", "attack"),
        ("unknown", "scan", "attack"),
        ("unknown", "ddos", "attack"),
        ("bot", "vulnerable", "service"),
    ],
)
def test_the_letter_fits_what_the_case_is_about(cause, category, letter):
    assert letter_for("notify", cause=cause, category=category, language="en").name == f"notices/en/notify.{letter}.txt"
    assert theme_of(cause, category) == letter


@pytest.mark.parametrize("category", ["spam", "other", "auth_failure"])
def test_without_a_cause_the_letter_about_mail_is_the_general_one(category):
    assert letter_for("notify", cause="unknown", category=category, language="en").name == "notices/en/notify.txt"
    assert theme_of("unknown", category) == "unknown"


def test_a_letter_of_the_category_is_closer_than_that_of_its_family():
    assert themes("unknown", "login_attack") == ["login_attack", "attack"]


def make_measure(case, kind: str = "limit_25", state: str = State.IN_FORCE, **columns: Any) -> Intervention:
    filled = {"reason": "x", "decided_by": "machine", "decided_at": NOON, "due_at": NOON + timedelta(minutes=30)}
    return Intervention.objects.create(
        case=case, contract=case.contract, kind=kind, step=f"s{Intervention.objects.count()}", state=state,
        **(filled | columns),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "columns", "stage"),
    [
        (State.PROPOSED, {}, None),
        (State.DECIDED, {}, "planned"),
        (State.APPLYING, {}, "planned"),
        (State.IN_FORCE, {"in_force_at": NOON}, "in_force"),
        (State.RELEASE_DUE, {"in_force_at": NOON}, "lifting"),
        (State.RELEASED, {"in_force_at": NOON, "released_at": NOON + timedelta(hours=1)}, "lifted"),
        (State.WITHDRAWN, {}, None),
        (State.FAILED, {}, None),
    ],
)
def test_the_customer_is_told_of_what_is_decided_and_of_nothing_else(state, columns, stage):
    case = make_case(state=CaseState.ESCALATED)
    make_measure(case, state=state, **columns)
    assert [each.stage for each in measures(case, "en")] == ([stage] if stage else [])


def test_a_case_closed_as_fixed_lifts_its_measure_unless_another_case_needs_it():
    case = make_case(state=CaseState.ESCALATED)
    make_measure(case, in_force_at=NOON)
    case.state, case.closed_at, case.resolution = CaseState.CLOSED, NOON, Resolution.FIXED_VERIFIED
    case.save()
    assert [each.stage for each in measures(case, "en")] == ["lifting"]
    make_case(case.contract, category=Category.SCAN, state=CaseState.ESCALATED)
    assert [each.stage for each in measures(case, "en")] == ["in_force"]


def test_the_escalated_letter_says_what_begins_when_and_how_it_is_averted(settings):
    settings.DISPLAY_TIME_ZONE = "UTC"
    case = make_relay_case(state=CaseState.ESCALATED)
    text = flat(queued(case, "escalated", coming=[(NOON + timedelta(minutes=30), "limit_25")]))
    assert "From Tuesday 10 March 2026, 12:30 (UTC) on, outgoing mail on your line is blocked" in text
    assert "Until then you can avert it" in text


def test_the_escalated_letter_says_since_when_a_measure_is_in_force(settings):
    settings.DISPLAY_TIME_ZONE = "UTC"
    case = make_relay_case(state=CaseState.ESCALATED)
    make_measure(case, in_force_at=NOON)
    assert "In force since: Tuesday 10 March 2026, 12:00 (UTC)" in flat(queued(case, "escalated"))


def test_without_a_measure_a_person_decides():
    case = make_relay_case(state=CaseState.ESCALATED)
    assert "now with a person at our abuse desk" in flat(queued(case, "escalated", coming=[(NOON, "person")]))


def test_the_first_letter_names_the_measure_that_follows_and_the_one_after_it():
    case = make_relay_case(cause=Cause.BOT)
    coming = [(NOON, "escalated"), (NOON + timedelta(days=3), "limit_25"), (NOON + timedelta(days=10), "quarantine")]
    text = flat(queued(case, "notify", coming=coming))
    assert "we will block outgoing mail on your line (TCP port 25)" in text
    assert "your line is put in quarantine on" in text


def test_the_solved_letter_says_that_the_measure_is_lifted():
    case = make_relay_case(state=CaseState.ESCALATED)
    make_measure(case, in_force_at=NOON)
    case.state, case.closed_at, case.resolution = CaseState.CLOSED, NOON, Resolution.FIXED_VERIFIED
    case.save()
    assert "what was limited is free again" in flat(queued(case, "solved"))


def test_a_login_at_our_relay_is_called_a_mailbox_and_not_a_line():
    case = make_case(cause=Cause.STOLEN_MAILBOX)
    LineIdentifier.objects.create(contract=case.contract, kind="smtp_user", value="anna@brenn.example")
    make_complaint(case, method="smtp_user", evidence={"accounts": ["anna@brenn.example", "other@isp.example"]})
    assert (place_of(case).kind, place_of(case).name) == ("mailbox", "anna@brenn.example")
    for step in ("notify", "remind", "escalated", "still_open", "solved"):
        notice = queued(case, step)
        assert "your mailbox anna@brenn.example" in notice.subject
        assert "your line 192" not in notice.text + notice.subject


def test_the_login_of_somebody_else_is_not_named():
    case = make_case(cause=Cause.STOLEN_MAILBOX)
    make_complaint(case, method="smtp_user", evidence={"accounts": ["other@isp.example"]})
    assert place_of(case).name == ""
    assert "one of your mailboxes" in queued(case).subject


@pytest.mark.parametrize(
    ("method", "what", "kind"),
    [
        ("smtp_user", None, "mailbox"),
        ("header", None, "mailbox"),
        ("header", "mail", "mailbox"),
        ("header", "web", "site"),
        ("domain", "web", "site"),
        ("external", "mail", "mailbox"),
        ("external", "web", "site"),
        ("external", None, "line"),
        ("static", None, "line"),
    ],
)
def test_what_is_named_follows_from_how_the_owner_was_found(method, what, kind):
    case = make_case()
    make_complaint(case, method=method)
    if what:
        make_shared_machine("192.0.2.8/29", what)
    assert place_of(case).kind == kind


def test_a_hosted_site_is_named_by_its_host_and_its_addresses_cannot_be_opened():
    case = make_case(category=Category.PHISHING)
    HostedName.objects.create(contract=case.contract, name="brenn.example")
    uris = ["https://elsewhere.example/a", "https://shop.brenn.example/bank/login.php?to=victim@reporter.example"]
    make_complaint(case, method="domain", evidence={"reported_uris": uris})
    notice = queued(case)
    assert "your web site shop.brenn.example" in notice.subject
    assert "hxxps://shop[.]brenn[.]example/bank/login.php" in notice.text
    assert "victim" not in notice.text + notice.html
    assert "https://shop" not in notice.html


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.example/x?y=z#f", "hxxp://a[.]example/x"),
        ("javascript:alert(1)", ""),
        ("https://u:p@a.example/victim@mail.example/<b>", "hxxps://a[.]example/…@…/b"),
        ("https://[broken/", ""),
        ("", ""),
    ],
)
def test_an_address_is_shown_inert(url, shown):
    assert inert(url) == shown


def test_the_technician_gets_the_latest_times_with_zone_address_and_port_each_once():
    case = make_case(category=Category.SCAN)
    for minutes, port, exactly in ((0, 4711, True), (0, 4711, True), (5, 0, True), (9, 1, False)):
        make_complaint(case, seen_at=NOON + timedelta(minutes=minutes), port=port, seen_exactly=exactly)
    assert [(each.at, each.port) for each in events(case)] == [
        ("2026-03-10 12:05:00 UTC", 0),
        ("2026-03-10 12:00:00 UTC", 4711),
    ]
    assert "    2026-03-10 12:00:00 UTC  192.0.2.10  port 4711" in queued(case).text


def test_measures_are_named_in_every_kind():
    case = make_case(state=CaseState.ESCALATED)
    for kind in MeasureKind:
        make_measure(case, kind=kind, in_force_at=NOON)
    text = flat(queued(case, "escalated"))
    assert text.count("Measure:") == len(MeasureKind)


def flat(notice: Any) -> str:
    return " ".join(notice.text.split())
