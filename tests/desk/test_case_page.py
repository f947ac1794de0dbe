from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from complaints.cases.regrouping import link_case, split_case
from complaints.cases.story import deciding_line, tell
from complaints.cases.transitions import add_note, move_case, record
from complaints.desk import facts
from complaints.models import Case, CaseViewer, Intervention, ProbeArrival
from complaints.notices.compose import queue_notice
from complaints.vocabulary import CaseState, Cause, CustomerStatus, EventKind, Resolution, Verdict
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_customer,
    make_message,
    make_run,
    make_user,
)

SqlOf = Callable[[Callable[[], object]], list[str]]
CLOSED: dict[str, Any] = {"state": CaseState.CLOSED, "closed_at": NOON, "resolution": Resolution.FIXED_VERIFIED}
TALK = [
    {"dir": "<", "text": "220 mx.example ESMTP"},
    {"dir": ">", "text": "RCPT TO:<one@probe.example>"},
    {"dir": "<", "text": "554 5.7.1 Relay access denied"},
    {"dir": ">", "text": "RCPT TO:<two@probe.example>"},
    {"dir": "<", "text": "250 2.1.5 Ok"},
    {"dir": ">", "text": "QUIT"},
]


def page_of(client: Client, case: Case) -> str:
    return client.get(f"/case/{case.pk}").content.decode()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("investigating", "The machine&#x27;s turn"),
        ("triage", "Your turn: no check has given a clear answer."),
        ("notified", "The customer&#x27;s turn"),
        ("answered", "Your turn: the customer has answered."),
        ("verifying", "The machine&#x27;s turn: it verifies the fix"),
        ("escalated", "The network&#x27;s turn: the deadline passed"),
        ("closed", "Closed: fixed and verified."),
    ],
)
def test_the_page_says_whose_turn_it_is(ada: Client, state: str, sentence: str) -> None:
    case = make_case(**(CLOSED if state == "closed" else {"state": state}))

    assert sentence in page_of(ada, case)


def test_a_case_with_everything_is_told_in_few_queries(ada: Client, sql_of: SqlOf) -> None:
    old = make_case(**CLOSED)
    case = make_case(relapse_of=old, ladder=1)
    for n in range(30):
        make_complaint(case, reporter=f"r{n}@x.example", seen_at=NOON - timedelta(hours=n))
        make_run(case, occasion=f"investigate.{n}", details={"transcript": TALK})
        add_note(case, actor="ada", text=f"note {n}")
    queue_notice(case, "notify", occurrence=1, now=NOON)

    assert len(sql_of(lambda: ada.get(f"/case/{case.pk}"))) <= 12


def test_a_case_with_changes_and_others_at_it_is_told_in_few_queries_too(ada: Client, sql_of: SqlOf) -> None:
    case, other = make_case(complaint_count=3, reporter_count=3), make_case(make_contract("C-2"))
    complaints = [make_complaint(case, reporter=f"r{n}@x.example") for n in range(3)]
    split_case(case, complaints=[complaints[0].pk], actor="bruno", reason="x", now=NOON)
    link_case(case, parent=other, actor="bruno", reason="x", now=NOON)

    assert len(sql_of(lambda: ada.get(f"/case/{case.pk}", headers={"Referer": "http://testserver/"}))) <= 12


def test_the_story_puts_the_youngest_first_and_tells_each_thing_once(db: None) -> None:
    case = make_case()
    record(case, EventKind.OPENED, actor="machine", now=NOON)
    make_complaint(case, seen_at=NOON + timedelta(minutes=1))
    make_run(case, finished_at=NOON + timedelta(minutes=2))
    record(case, EventKind.CHECK_DONE, actor="machine", now=NOON + timedelta(minutes=2))
    queue_notice(case, "notify", occurrence=1, now=NOON + timedelta(minutes=3))
    move_case(case, CaseState.NOTIFIED, actor="machine", reason="sure", now=NOON + timedelta(minutes=4))
    add_note(case, actor="ada", text="called them")

    assert [entry.kind for entry in tell(case).entries] == ["note", "moved", "notice", "check", "complaints", "opened"]


def test_complaints_are_grouped_by_day_with_their_reporters(db: None) -> None:
    case = make_case()
    for hours, reporter in ((0, "a@x.example"), (1, "b@x.example"), (2, "a@x.example"), (24, "a@x.example")):
        make_complaint(case, seen_at=NOON - timedelta(hours=hours), reporter=reporter)

    days = [entry.what for entry in tell(case).entries]

    assert [(f"{day.day:%d}", len(day.complaints), day.reporters) for day in days] == [("10", 3, 2), ("09", 1, 1)]


def test_the_line_that_proved_the_relay_is_marked(ada: Client) -> None:
    case = make_case()
    forms = [{"form": "plain", "recipient": "<one@probe.example>"}, {"form": "own", "recipient": "<two@probe.example>"}]
    run = make_run(case, details={"transcript": TALK, "forms": forms})
    ProbeArrival.objects.create(run=run, form="own", message=make_message(), peer="192.0.2.10:1", arrived_at=NOON)

    page = page_of(ada, case)

    assert set(re.findall(r"<mark>(.*?)</mark>", page)) == {"&lt; 250 2.1.5 Ok"}


@pytest.mark.parametrize(
    ("verdict", "recipients", "line"),
    [
        (Verdict.BAD, ["<two@probe.example>"], 4),
        (Verdict.BAD, ["<one@probe.example>"], None),  # refused: it cannot have been this one
        (Verdict.BAD, [], None),
        (Verdict.CLEAN, [], 2),
        (Verdict.UNKNOWN, [], 2),
    ],
)
def test_what_decided(verdict: Verdict, recipients: list[str], line: int | None) -> None:
    said = [(row["dir"], row["text"]) for row in TALK]

    assert deciding_line(said, verdict, recipients) == line


def test_hostile_strings_of_every_source_stay_text(ada: Client) -> None:
    evil = "<script>alert(1)</script>"
    case = make_case(make_contract(customer=make_customer(name=evil)), cause_reasons=[evil], headline=evil)
    make_complaint(case, subject=evil, reporter=f"{evil}@x.example", attribution={"reason": evil})
    make_run(case, reason=evil, details={"transcript": [{"dir": "<", "text": f"250 {evil}"}]})
    lists = [{"list": evil, "status": "listed", "txt": evil, "codes": [evil], "meaning": evil}]
    make_run(case, "dnsbl", details={"lists": lists})
    add_note(case, actor="ada", text=evil)
    record(case, EventKind.CUSTOMER_ANSWERED, actor="customer", answer="not_me", text=evil)

    runs = case.checks.values_list("pk", flat=True)
    more = [f"{kind}-{run}" for kind in ("talk", "lists") for run in runs]
    page = page_of(ada, case) + "".join(ada.get(f"/case/{case.pk}/more/{each}").content.decode() for each in more)

    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 9


def test_the_customers_page_is_one_touch_away(ada: Client) -> None:
    case = make_case()
    queue_notice(case, "notify", occurrence=1, now=timezone.now())

    url = re.search(r'href="(/c/[^"]+)"[^>]*>Open as the customer sees it', page_of(ada, case))

    assert url is not None
    assert ada.get(url[1]).status_code == 200


def test_the_mail_is_shown_in_a_frame_that_may_do_nothing(ada: Client) -> None:
    case = make_case()
    notice = queue_notice(case, "notify", occurrence=1, now=NOON)
    assert notice is not None

    response = ada.get(f"/notice/{notice.pk}/html")

    assert response["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    letter = ada.get(f"/case/{case.pk}/more/notice-{notice.pk}").content.decode()
    assert f'src="/notice/{notice.pk}/html" sandbox' in letter
    assert "<iframe" not in page_of(ada, case)  # it comes when it is opened


def test_contract_relapses_and_other_cases_stand_beside_the_story(ada: Client) -> None:
    contract = make_contract("C-1")
    old = make_case(
        contract, opened_at=NOON - timedelta(days=90), **(CLOSED | {"closed_at": NOON - timedelta(days=80)})
    )
    case = make_case(contract, relapse_of=old, ladder=1, cause=Cause.BOT)
    other = make_case(make_contract("C-2"))  # the same customer's second line
    stranger = make_case(make_contract("C-3", customer="K-3"))

    page = page_of(ada, case)

    assert f'relapse of <a id="relapse-of" class="mono" href="/case/{old.pk}"' in page
    assert f'id="same-{old.pk}"' in page
    assert f'id="other-{other.pk}"' in page
    assert f'/case/{stranger.pk}"' not in page


def test_the_next_step_of_the_playbook_is_named_with_its_time(ada: Client) -> None:
    from complaints.playbooks.loading import activate_playbook, read_playbook

    now = timezone.now()
    playbook = activate_playbook(read_playbook(), now=now)
    case = make_case(state="notified", state_since=now, playbook=playbook, customer_status=CustomerStatus.NOTIFIED)

    page = page_of(ada, case)

    assert f"If nothing changes: Reminder <b>in 1 d</b>, {now + timedelta(hours=36):%-d %b, %H:%M} UTC" in page


# --- live


def live_url(page: str) -> str:
    return re.search(r'hx-get="([^"]+)"', page)[1].replace("&amp;", "&")  # type: ignore[index]


def asked_again(page: str) -> str:
    """The address that the page asks next, with the mark that it carries."""
    mark = re.search(r'id="live-has" name="has" value="([^"]*)"', page)[1]  # type: ignore[index]
    return f"{live_url(page)}&has={mark}"


def test_the_live_part_is_silent_while_nothing_changed(ada: Client) -> None:
    case = make_case()

    assert ada.get(asked_again(page_of(ada, case))).status_code == 204


def test_a_page_with_no_news_is_answered_by_one_small_look(ada: Client, sql_of: SqlOf) -> None:
    case = make_case()
    url = asked_again(page_of(ada, case))
    ada.get(url)  # notes who is here

    statements = sql_of(lambda: ada.get(url))

    assert len([sql for sql in statements if "complaints_case" in sql]) == 1
    assert len(statements) == 4  # session, reader, roles, and the look


@pytest.mark.parametrize(
    "happens",
    [
        lambda case: add_note(case, actor="carla", text="called them"),
        lambda case: move_case(case, CaseState.TRIAGE, actor="machine", reason="unsure"),
        lambda case: make_run(case, state="queued"),
        lambda case: make_run(case, state="waiting"),
        lambda case: Case.objects.update(complaint_count=7),
        lambda case: Case.objects.update(assignee=make_user("dora", "analyst")),
        lambda case: Case.objects.update(priority=99),
        lambda case: Case.objects.update(deadline_at=NOON),
        lambda case: CaseViewer.objects.create(
            case=case, user=make_user("dora", "analyst"), since=timezone.now(), seen_at=timezone.now()
        ),
    ],
)
def test_whatever_happens_to_a_case_reaches_the_open_page(ada: Client, happens: Callable[[Case], object]) -> None:
    case = make_case()
    url = asked_again(page_of(ada, case))
    ada.get(url)

    happens(case)

    assert ada.get(url).status_code == 200


def test_ages_are_told_anew_every_minute_and_the_same_words_move_nothing(ada: Client, time_machine: Any) -> None:
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    day = timedelta(days=1)
    case = make_case(opened_at=now - 3 * day, first_seen_at=now - 3 * day, last_seen_at=now - 3 * day, state_since=now)
    url = asked_again(page_of(ada, case))
    answers = []
    for seconds in (3, 59, 60):
        time_machine.move_to(now + timedelta(seconds=seconds), tick=False)
        answers.append(ada.get(url))

    assert [each.status_code for each in answers] == [204, 204, 200]
    assert answers[2]["HX-Reswap"] == "none"
    mark = re.search(
        r'^<input type="hidden" id="live-has" name="has" value="([^"]+)" hx-swap-oob="true">$',
        answers[2].content.decode().strip(),
    )
    assert mark is not None
    assert ada.get(re.sub("has=.*", f"has={mark[1]}", url)).status_code == 204


@pytest.mark.parametrize("mark", ["", "x", "x.y", ".", "9" * 40, "é.1"])
def test_a_mark_that_says_nothing_is_answered_with_the_page(ada: Client, mark: str) -> None:
    case = make_case()
    url = live_url(page_of(ada, case)).replace("seen=", "seen=x")

    response = ada.get(url, {"part": "live", "has": mark})

    assert 'id="case-head"' in response.content.decode()


def test_a_case_that_is_not_there_is_not_there_for_the_live_part_either(ada: Client) -> None:
    assert ada.get("/case/4711?part=live").status_code == 404


# --- a long story


def test_a_long_story_begins_with_the_newest_and_goes_on_when_asked(ada: Client) -> None:
    case = make_case()
    for n in range(50):
        add_note(case, actor="ada", text=f"note number {n}.")

    first, all_of_it = page_of(ada, case), ada.get(f"/case/{case.pk}?shown=80").content.decode()

    assert (first.count("note number"), all_of_it.count("note number")) == (40, 50)
    assert "note number 49." in first
    assert 'id="older" href="?shown=80"' in first
    assert 'id="older"' not in all_of_it
    assert "shown=80" in live_url(all_of_it)  # what renews itself stays as long as it is


def test_a_day_of_many_complaints_comes_when_it_is_opened(ada: Client) -> None:
    case = make_case(complaint_count=7)
    for hours in (0, 1, 2, 3, 24, 25, 26):
        make_complaint(case, seen_at=NOON - timedelta(hours=hours), reporter=f"r{hours}@x.example")

    page = page_of(ada, case)
    more = re.findall(r'data-later="([^"]+)"', page)

    assert re.findall(r"r\d+@", page) == ["r24@", "r25@", "r26@"]  # few stand open
    assert more == [f"/case/{case.pk}/more/day-20260310"]
    assert re.findall(r"r\d+@", ada.get(more[0]).content.decode()) == ["r0@", "r1@", "r2@", "r3@"]


def test_all_complaints_of_a_day_in_the_desks_own_zone(ada: Client, settings: Any) -> None:
    settings.DISPLAY_TIME_ZONE = "Pacific/Auckland"
    case = make_case()
    for hours in (0, 12, 24):  # 10 March 12:00 UTC is 01:00 of the 11th there
        make_complaint(case, seen_at=NOON - timedelta(hours=hours), reporter=f"r{hours}@x.example")

    day = ada.get(f"/case/{case.pk}/more/day-20260311", headers={"HX-Request": "true"}).content.decode()
    before = ada.get(f"/case/{case.pk}/more/day-20260310", headers={"HX-Request": "true"}).content.decode()

    assert re.findall(r"r\d+@", day + "|" + before) == ["r0@", "r12@", "r24@"]
    assert re.findall(r"r\d+@", day) == ["r0@"]


@pytest.mark.parametrize("what", ["day-20269999", "day-1", "talk-4711", "lists-4711", "notice-4711", "x-1", "day"])
def test_what_is_not_on_the_case_is_not_found(ada: Client, what: str) -> None:
    assert ada.get(f"/case/{make_case().pk}/more/{what}").status_code == 404


def test_the_talk_of_another_case_is_not_found_here(ada: Client) -> None:
    run = make_run(make_case("C-2"), details={"transcript": TALK})

    assert ada.get(f"/case/{make_case().pk}/more/talk-{run.pk}").status_code == 404
    assert "554 5.7.1" in ada.get(f"/case/{run.case_id}/more/talk-{run.pk}").content.decode()


def test_news_come_without_the_panel_so_that_nothing_typed_is_lost(ada: Client) -> None:
    case = make_case()
    url = live_url(page_of(ada, case))
    add_note(case, actor="carla", text="called them")

    fresh = ada.get(url).content.decode()

    assert "called them" in fresh
    assert 'id="actions"' not in fresh


def test_the_panel_comes_along_once_the_case_has_moved(ada: Client) -> None:
    case = make_case()
    url = live_url(page_of(ada, case))
    move_case(case, CaseState.TRIAGE, actor="machine", reason="unsure")

    fresh = ada.get(url).content.decode()

    assert 'id="actions" class="card actions" data-keeps' in fresh
    assert 'hx-swap-oob="true"' in fresh
    assert f'name="stay" value="{case.stay}"' in fresh


def test_a_closed_case_stops_asking(ada: Client) -> None:
    assert "hx-get" not in page_of(ada, make_case(**CLOSED))


def test_times_are_told_with_their_zone_and_age(ada: Client) -> None:
    now = timezone.now()
    case = make_case(opened_at=now - timedelta(minutes=7))
    make_complaint(case, seen_at=now - timedelta(minutes=9))

    page = page_of(ada, case)

    assert f"{case.opened_at:%-d %b %Y, %H:%M} UTC</time>, 7 min ago" in page
    assert "times in UTC</span>" in page
    assert '<span class="ago">9 min ago</span>' in page


@pytest.mark.parametrize(("code", "name"), [("en", "English"), ("pt-BR", "Brazilian Portuguese"), ("xx", "xx")])
def test_a_language_is_told_by_its_name(code: str, name: str) -> None:
    assert facts.language_name(code) == name


def test_a_cause_that_is_not_known_is_no_guess(ada: Client) -> None:
    case = make_case()
    record(case, EventKind.DIAGNOSED, actor="machine", cause="unknown", confidence=0.0, reasons=[])

    assert "<b>Probable cause: not known yet</b>" in page_of(ada, case)


def test_lists_that_do_not_name_the_address_are_counted(ada: Client) -> None:
    case = make_case()
    says = ("listed", "unknown", "not-listed", "not-listed")
    make_run(case, "dnsbl", details={"lists": [{"list": f"L{n}", "status": word} for n, word in enumerate(says)]})

    assert "2 more lists do not name it." in page_of(ada, case)


# --- others at the same case


def look(client: Client, case: Case) -> None:
    """As the page does while it is looked at."""
    client.get(f"/case/{case.pk}?part=live&seen=x&stay={case.stay}")


def test_two_people_on_a_case_see_each_other_and_not_themselves(ada: Client, bruno: Client, olga: Client) -> None:
    case = make_case()
    for client in (ada, olga):  # an auditor looks on, and disturbs nobody
        look(client, case)
    CaseViewer.objects.update(since=timezone.now() - timedelta(minutes=3, seconds=5))

    assert "<b>ada</b> has had this case open for 3 min." in page_of(bruno, case)
    assert 'id="others-here"' not in page_of(ada, case)
    assert list(CaseViewer.objects.values_list("user__username", flat=True)) == ["ada"]


def test_who_has_gone_is_no_longer_announced(ada: Client, bruno: Client) -> None:
    case = make_case()
    look(ada, case)
    CaseViewer.objects.update(seen_at=timezone.now() - timedelta(minutes=1))

    assert 'id="others-here"' not in page_of(bruno, case)


def test_looking_on_writes_one_row_now_and_then(ada: Client, sql_of: SqlOf) -> None:
    case, old = make_case(), make_case("C-2")
    look(ada, old)
    CaseViewer.objects.update(seen_at=timezone.now() - timedelta(hours=2))

    first = sql_of(lambda: look(ada, case))
    second = sql_of(lambda: look(ada, case))

    assert [sum("caseviewer" in sql and not sql.startswith("SELECT") for sql in each) for each in (first, second)] == [
        2,
        0,
    ]
    assert list(CaseViewer.objects.values_list("case", flat=True)) == [case.pk]  # what is long past is forgotten


# --- what is best done next, and why


def best(page: str) -> str:
    found = re.search(r'<(?:a|button)[^>]*id="best"[^>]*>([^<]*)<', page)
    return found[1] if found else ""


def test_the_one_primary_button_does_what_is_best(ada: Client, olga: Client) -> None:
    unsure = make_case(state="triage", confidence=0.2)
    make_complaint(unsure, address="192.0.2.10")
    clean = make_case(make_contract("C-2"), state="triage")
    make_run(clean, "relay", "clean")

    assert best(page_of(ada, unsure)) == "See who had it"
    assert "/whose?address=192.0.2.10&amp;at=" in page_of(ada, unsure)
    assert best(page_of(ada, clean)) == "Close it …"
    assert best(page_of(olga, clean)) == ""  # who looks on is offered nothing


def test_the_head_says_how_much_since_when_and_why(ada: Client) -> None:
    case = make_case(
        complaint_count=57, reporter_count=41, first_seen_at=NOON, ladder=1, cause=Cause.OPEN_RELAY,
        cause_confidence=0.99, cause_reasons=["Our test mail came back"], last_seen_at=timezone.now(),
    )  # fmt: skip

    gist = re.sub(r"<[^>]+>", "", re.search(r'<p class="gist">(.*?)</p>', page_of(ada, case), re.DOTALL)[1])  # type: ignore[index]

    assert " ".join(gist.split()) == (
        "57 complaints from 41 reporters since 10 Mar 2026, the last just now; it came back 1 time. "
        "Probable cause: open relay proven Our test mail came back"
    )


def test_the_head_says_until_when_what_comes_next_and_what_limits_the_line(ada: Client) -> None:
    now = timezone.now()
    case = make_case(state="escalated", deadline_at=now + timedelta(days=3, minutes=1))
    Intervention.objects.create(
        case=case, contract=case.contract, kind="limit_25", step="by-hand-1", state="in_force",
        decided_by="bruno", decided_at=now, due_at=now, in_force_at=now,
    )  # fmt: skip

    head = re.search(r'<ul class="what-next"[^>]*>(.*?)</ul>', page_of(ada, case), re.DOTALL)

    assert head is not None
    assert re.sub(r"<[^>]+>", "", head[1].replace("</li>", "|")) == (
        f"Promise in 3 d|in force Block outgoing tcp/25 since {now:%-d %b, %H:%M} UTC|"
    )
    assert 'class="what-next"' not in page_of(ada, make_case(make_contract("C-9"), **CLOSED))


def test_who_held_the_address_before_stands_beside_the_story_by_reference_alone(ada: Client) -> None:
    case = make_case(make_contract("C-1"), first_seen_at=NOON)
    make_assignment(case.contract, "192.0.2.10/32", valid_from=NOON - timedelta(days=5))
    day = timedelta(days=1)
    before = make_contract("C-2", customer=make_customer("K-2", name="Somebody Else"))
    make_assignment(before, "192.0.2.0/28", valid_from=NOON - 20 * day, valid_until=NOON - 5 * day)
    long_ago = make_contract("C-3", customer="K-3")
    make_assignment(long_ago, "192.0.2.10/32", valid_from=NOON - 90 * day, valid_until=NOON - 31 * day)

    page = page_of(ada, case)

    held = re.search(r'<ul class="reasons small" id="holders">(.*?)</ul>', page, re.DOTALL)
    assert held is not None
    assert re.findall(r"C-\d", held[1]) == ["C-1", "C-2"]
    assert "Somebody Else" not in page
    assert f'href="/contracts/{before.pk}"' in held[1]
