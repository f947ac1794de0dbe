"""Deciding a mail to the customer: once, complete, and without a word about who complained."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from complaints.models import Notice, PortalLink
from complaints.notices.compose import NoSuchLetter, queue_notice
from complaints.notices.letter import LINK_MARK, fill_link
from complaints.notices.links import portal_url, token_of
from complaints.vocabulary import Cause, EventKind
from tests.factories import NOON, make_case, make_contract
from tests.notices.rows import (
    BACK,
    REPORTER,
    TOKEN,
    TRAP,
    make_complaint,
    make_proof,
    make_relay_case,
    make_run,
    queued,
)

pytestmark = pytest.mark.django_db
STEPS = ["notify", "remind", "still_open", "escalated", "solved"]


@pytest.fixture(autouse=True)
def site(settings):
    settings.BASE_URL, settings.DESK_EMAIL = "https://abuse.isp.example", "abuse@isp.example"
    settings.DESK_NAME, settings.DISPLAY_TIME_ZONE = "Example Net", "Europe/Paris"


def full_case(**columns):
    case = make_relay_case(**columns)
    make_proof(case)
    make_run(case, "dnsbl", verdict="bad")
    make_complaint(case)
    return case


def test_a_step_and_occurrence_is_decided_once():
    case = full_case()
    first = queued(case)
    assert queue_notice(case, "notify", occurrence=1, now=NOON + timedelta(hours=1)) == first
    assert Notice.objects.count() == PortalLink.objects.count() == 1
    assert case.events.filter(kind=EventKind.NOTICE_QUEUED).count() == 1


def test_another_occurrence_is_another_mail():
    case = full_case()
    numbers = [queued(case, "remind", occurrence=number).message_id for number in (1, 2)]
    assert len(set(numbers)) == 2


def test_without_an_address_nothing_is_queued_and_the_history_says_why_once():
    case = make_case(make_contract(email=""))
    assert [queue_notice(case, "notify", occurrence=1, now=NOON) for _ in range(3)] == [None] * 3
    event = case.events.get(kind=EventKind.NOTICE_FAILED)
    assert event.data["problem"] == "the contract has no contact with an e-mail address"


def test_an_address_that_is_none_is_not_written_to():
    case = make_relay_case()
    case.owner["contact_email"] = "marie at brenn"
    assert queue_notice(case, "notify", occurrence=1, now=NOON) is None
    assert "marie at brenn" in case.events.get(kind=EventKind.NOTICE_FAILED).data["problem"]


def test_the_mail_goes_to_the_contact_frozen_on_the_case():
    case = full_case()
    case.contract.contacts.update(email="new.owner@other.example")
    assert queued(case, "notify").to_email == "m.brenn@brenn.example"


def test_an_unknown_step_is_an_error_that_names_the_files_looked_for():
    with pytest.raises(NoSuchLetter, match=r"notices/en/congratulate\.open_relay\.txt"):
        queue_notice(full_case(), "congratulate", occurrence=1, now=NOON)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("cause", list(Cause))
def test_every_letter_carries_number_address_page_and_the_way_to_check_it(step, cause):
    notice = queued(full_case(cause=cause), step)
    assert notice.case.number in notice.subject
    for body in (notice.text, notice.html):
        flat = " ".join(re.sub(r"<[^>]+>", " ", body).split())
        assert "192.0.2.25" in flat
        assert "never ask you for a password" in flat
        assert "https://abuse.isp.example and nothing else" in flat
        assert LINK_MARK in body
        assert "{" not in notice.text


@pytest.mark.parametrize("step", ["notify", "remind", "still_open"])
def test_the_deadline_is_in_words_with_its_zone_and_what_follows(step):
    notice = queued(full_case(), step)
    flat = " ".join(notice.text.split())
    assert "Please have it fixed by Wednesday 11 March 2026, 12:00 (Europe/Paris)." in flat
    assert "They may limit your line 192.0.2.25 until it is fixed." in flat


def test_a_deadline_promised_with_the_step_wins_over_that_of_the_case():
    notice = queued(full_case(), deadline_at=NOON + timedelta(days=3))
    assert "Friday 13 March 2026, 13:00 (Europe/Paris)" in " ".join(notice.text.split())


def test_a_relay_letter_shows_the_conversation_and_its_time():
    notice = queued(full_case(), "notify")
    assert "    > MAIL FROM:<relaycheck@mail.brenn.example>\n    250 2.1.0 Ok\n" in notice.text
    assert "Tuesday 10 March 2026, 13:00 (Europe/Paris)" in notice.text
    assert "RCPT TO:&lt;probe-k7q2…@PROBE.example&gt;" in notice.html


@pytest.mark.parametrize("step", STEPS)
def test_nothing_of_the_reporter_the_trap_the_spam_or_a_whole_probe_address_is_in_a_letter(step):
    notice = queued(full_case(), step)
    for secret in (REPORTER, "reporter.example", TRAP, "cheap pills", TOKEN, BACK, "anna.privat"):
        assert secret.lower() not in (notice.subject + notice.text + notice.html).lower()


def test_each_cause_has_its_own_words():
    subjects = {
        cause: queued(make_case(f"C-{cause}", cause=cause), "notify").subject
        for cause in (Cause.OPEN_RELAY, Cause.BOT, Cause.UNKNOWN)
    }
    assert subjects[Cause.OPEN_RELAY].startswith("Strangers are sending mail through your server")
    assert subjects[Cause.BOT].startswith("A device on your line")
    assert subjects[Cause.UNKNOWN].startswith("We have received complaints")


def test_a_language_without_letters_falls_back_to_english():
    case = full_case()
    case.owner["language"] = "rm-CH"
    assert queued(case, "notify").language == "en"


def test_a_hostile_language_reads_no_other_file():
    case = full_case()
    case.owner["language"] = "../../../etc"
    assert queued(case, "notify").language == "en"


def test_still_open_says_what_exactly_failed():
    case = full_case(fixed_claimed_at=NOON - timedelta(minutes=5))
    assert "still passes on mail for strangers" in queued(case, "still_open").text


def test_still_open_does_not_show_a_proof_older_than_the_repair():
    case = full_case(fixed_claimed_at=NOON + timedelta(minutes=5))
    make_complaint(case, seen_at=NOON + timedelta(hours=1))
    text = queued(case, "still_open", now=NOON + timedelta(hours=2)).text
    assert "still passes on mail" not in text
    assert "New complaints have come in since you told us it was fixed: 1." in text
    assert "MAIL FROM" not in text


def test_the_link_is_in_no_stored_row():
    notice = queued(full_case(), "notify")
    token, url = token_of(notice.link), portal_url(notice.link)
    assert token
    assert url
    stored = repr(Notice.objects.values_list().get()) + repr(PortalLink.objects.values_list().get())
    assert token not in stored
    assert url in fill_link(notice.text, url)


def test_hostile_names_stay_data_in_text_and_html():
    case = make_relay_case()
    case.owner["contact_name"] = "Eve\n\n## Free money <script>alert(1)</script>"
    notice = queued(case, "notify")
    assert "<script" not in notice.html
    assert "&lt;script&gt;" in notice.html
    assert "Hello Eve ## Free money" in notice.text
    assert "\n" not in notice.to_name


def test_the_html_brings_its_styles_and_loads_nothing():
    html = queued(full_case(), "notify").html
    assert 'style="' in html
    assert "prefers-color-scheme: dark" in html
    assert 'name="color-scheme" content="light dark"' in html
    assert not re.findall(r"<img|<link|<script|@import|url\(", html)
    assert set(re.findall(r'(?:href|src)="([^"]+)"', html)) == {LINK_MARK}


def test_a_language_is_added_by_a_file(settings, tmp_path):
    letter = tmp_path / "notices" / "nl" / "notify.txt"
    letter.parent.mkdir(parents=True)
    letter.write_text("Subject: Dossier {{ number }}\n\nGraag oplossen voor {{ deadline }}.\n")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    case = full_case()
    case.owner["language"] = "nl-BE"
    notice = queued(case)
    assert notice.language == "nl"
    assert "voor woensdag 11 maart 2026, 12:00 (Europe/Paris)" in notice.text
    assert '<html lang="nl">' in notice.html


def test_without_a_proof_an_open_relay_is_called_likely_and_not_certain():
    case = make_relay_case()
    assert "In all likelihood, the mail server" in queued(case).html
    make_proof(case)
    assert "By all signs" not in queued(case, occurrence=2).html
