"""Sending what was decided, over real SMTP: once, also through outages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from complaints.cases.holds import begin_hold, end_hold
from complaints.cases.transitions import move_case
from complaints.models import Case, Hold, Notice
from complaints.notices.delivery import (
    PAUSES,
    STALE_CLAIM,
    claim_due,
    deliver,
    deliver_due,
    due_mails,
    give_back,
    hold,
    release_dead,
)
from complaints.notices.links import find_link, revoke_link
from complaints.notices.verp import bounce_address, notice_of_bounce
from complaints.vocabulary import CaseState, CustomerStatus, EventKind, Resolution
from tests.factories import NOON, make_case
from tests.notices.rows import make_proof, make_relay_case, queued

pytestmark = pytest.mark.django_db
TO = "m.brenn@brenn.example"
LATER = NOON + timedelta(hours=30)


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL, settings.DESK_NAME = "abuse@isp.example", "Example Net"
    settings.BASE_URL = "https://abuse.isp.example"


def make_notice(step: str = "notify", **columns: Any) -> Any:
    case = make_relay_case(**{"state": CaseState.NOTIFIED, **columns})
    make_proof(case)
    return queued(case, step)


def token_in(text: str) -> str:
    (token,) = re.findall(r"https://abuse\.isp\.example/c/([\w-]{43})", text)[:1]
    return str(token)


def test_a_due_notice_arrives_with_its_headers(real_smtp):
    notice = make_notice()
    assert deliver_due(now=NOON) == 1
    (caught,) = real_smtp.messages
    mail = caught.mail
    assert caught.rcpt_tos == [TO]
    assert mail["To"] == f"Marie Brenn <{TO}>"
    assert mail["From"] == "Example Net <abuse@isp.example>"
    assert mail["Reply-To"] == "abuse@isp.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == notice.message_id
    assert mail["X-Abuse-Case"] == notice.case.number
    assert mail["Date"]
    assert notice.case.number in mail["Subject"]


def test_the_envelope_sender_names_the_notice_and_nobody_can_make_one_up(real_smtp):
    notice = make_notice()
    deliver_due(now=NOON)
    sender = real_smtp.messages[0].mail_from
    assert sender == bounce_address(notice.pk)
    assert notice_of_bounce(f"<{sender.upper()}>") == notice.pk
    assert notice_of_bounce(sender.replace(f"+{notice.pk}-", f"+{notice.pk + 1}-")) is None
    assert notice_of_bounce("abuse@isp.example") is None


def test_both_bodies_carry_the_link_that_opens_the_case(real_smtp):
    notice = make_notice()
    deliver_due(now=NOON)
    mail = real_smtp.messages[0].mail
    tokens = {token_in(mail.get_body((kind,)).get_content()) for kind in ("plain", "html")}
    assert len(tokens) == 1
    link = find_link(tokens.pop(), now=NOON)
    assert link is not None
    assert link.case == notice.case


def test_success_is_one_line_of_history_and_the_customer_counts_as_told(real_smtp):
    notice = make_notice()
    deliver_due(now=NOON)
    notice.refresh_from_db()
    assert (notice.state, notice.sent_at, notice.claim) == (Notice.State.SENT, NOON, "")
    assert notice.case.events.filter(kind=EventKind.NOTICE_SENT).count() == 1
    assert Case.objects.get().customer_status == CustomerStatus.NOTIFIED


def test_a_customer_who_has_answered_is_not_set_back_to_told(real_smtp):
    make_notice("still_open", customer_status=CustomerStatus.CLAIMS_FIXED)
    deliver_due(now=NOON)
    assert Case.objects.get().customer_status == CustomerStatus.CLAIMS_FIXED


def test_what_is_sent_is_not_sent_again(real_smtp):
    make_notice()
    for hours in range(3):
        deliver_due(now=NOON + timedelta(hours=hours))
    assert len(real_smtp.messages) == 1


def test_of_two_workers_one_gets_the_notice():
    make_notice()
    assert [len(claim_due(None, now=NOON)) for _ in range(2)] == [1, 0]


def test_only_the_named_notices_are_claimed():
    first = make_notice()
    second = queued(make_case("C-2"))
    assert [notice.pk for notice in claim_due([second.pk], now=NOON)] == [second.pk]
    assert Notice.objects.get(pk=first.pk).state == Notice.State.QUEUED


def test_a_notice_is_not_claimed_before_it_is_due():
    make_notice()
    assert claim_due(None, now=NOON - timedelta(seconds=1)) == []


def test_a_dead_workers_claim_is_taken_over_and_its_late_return_sends_nothing(real_smtp):
    make_notice()
    (held,) = claim_due(None, now=NOON)
    assert claim_due(None, now=NOON + STALE_CLAIM - timedelta(seconds=1)) == []
    (taken,) = claim_due(None, now=NOON + STALE_CLAIM)
    deliver(held, now=NOON + STALE_CLAIM)
    assert real_smtp.messages == []
    deliver(taken, now=NOON + STALE_CLAIM)
    deliver(held, now=NOON + STALE_CLAIM)
    assert len(real_smtp.messages) == 1


def test_an_outage_loses_and_doubles_nothing(real_smtp, settings, free_port):
    notices = [queued(make_case(f"C-{number}")) for number in range(3)]
    working, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port
    deliver_due(now=NOON)
    waiting = Notice.objects.get(pk=notices[0].pk)
    assert (waiting.state, waiting.tries, waiting.due_at) == (Notice.State.QUEUED, 1, NOON + PAUSES[0])
    assert waiting.problem.startswith("no mail server")
    settings.EMAIL_PORT = working
    for minutes in range(1, 5):
        deliver_due(now=NOON + timedelta(minutes=minutes))
    assert sorted(caught.rcpt_tos[0] for caught in real_smtp.messages) == [f"c-{n}@customer.example" for n in range(3)]
    assert set(Notice.objects.values_list("state", "problem")) == {(Notice.State.SENT, "")}


def test_the_message_id_is_the_same_at_every_try(real_smtp):
    notice = make_notice()
    real_smtp.data_answer = "451 4.3.0 later"
    deliver_due(now=NOON)
    real_smtp.data_answer = "250 2.0.0 ok"
    deliver_due(now=NOON + PAUSES[0])
    assert [caught.mail["Message-ID"] for caught in real_smtp.messages] == [notice.message_id]


def test_the_pauses_grow_and_end_within_a_day():
    assert sorted(PAUSES) == PAUSES
    assert timedelta(hours=20) < sum(PAUSES, timedelta()) < timedelta(hours=24)


def test_after_a_day_of_refusals_it_is_failed_and_said_so(real_smtp):
    notice = make_notice()
    real_smtp.rcpt_answers[TO] = "450 4.2.0 greylisted"
    now = NOON
    while now < LATER:
        deliver_due(now=now)
        now += timedelta(minutes=1)
    notice.refresh_from_db()
    assert (notice.state, notice.tries) == (Notice.State.FAILED, len(PAUSES) + 1)
    event = notice.case.events.get(kind=EventKind.NOTICE_FAILED)
    assert "450 4.2.0 greylisted" in event.data["problem"]


def test_an_address_refused_for_good_fails_at_once_and_the_others_go_out(real_smtp):
    notice = make_notice()
    other = queued(make_case("C-2"))
    real_smtp.rcpt_answers[TO] = "550 5.1.1 no such user"
    deliver_due(now=NOON)
    notice.refresh_from_db()
    assert (notice.state, notice.tries) == (Notice.State.FAILED, 1)
    assert "550 5.1.1 no such user" in notice.problem
    assert Case.objects.get(pk=notice.case_id).customer_status == CustomerStatus.NONE
    assert [caught.rcpt_tos for caught in real_smtp.messages] == [[other.to_email]]


def test_a_mail_that_kills_its_worker_again_and_again_is_given_up(real_smtp):
    notice = make_notice()
    Notice.objects.update(tries=len(PAUSES) + 1)
    deliver_due(now=NOON)
    notice.refresh_from_db()
    assert notice.state == Notice.State.FAILED
    assert real_smtp.messages == []


def test_a_reminder_for_a_case_closed_meanwhile_is_not_sent(real_smtp):
    notice = make_notice("remind")
    move_case(notice.case, CaseState.CLOSED, actor="ada", reason="x", resolution=Resolution.NOT_ABUSE, now=NOON)
    deliver_due(now=NOON)
    notice.refresh_from_db()
    assert notice.state == Notice.State.FAILED
    assert "closed before" in notice.problem
    assert real_smtp.messages == []


def test_the_thanks_for_a_solved_case_are_sent(real_smtp):
    notice = make_notice("solved")
    move_case(notice.case, CaseState.CLOSED, actor="m", reason="x", resolution=Resolution.FIXED_VERIFIED, now=NOON)
    deliver_due(now=NOON)
    assert len(real_smtp.messages) == 1


def test_a_mail_with_a_revoked_link_is_not_sent(real_smtp):
    notice = make_notice()
    revoke_link(notice.link, now=NOON)
    deliver_due(now=NOON)
    assert real_smtp.messages == []
    assert "revoked" in Notice.objects.get().problem


def test_a_secret_key_changed_between_decision_and_sending_gives_a_fresh_link(real_smtp, settings):
    make_notice()
    settings.SECRET_KEY = "another-key-of-the-tests"
    deliver_due(now=NOON)
    token = token_in(real_smtp.messages[0].mail.get_body(("plain",)).get_content())
    assert find_link(token, now=NOON)


@pytest.mark.parametrize(
    "name", ['Eve" <eve@evil.example>, "', "Müller, Groß & Söhne", "a\\", "Eve\r\nBcc: x@evil.example"]
)
def test_a_name_is_never_an_address(real_smtp, name):
    case = make_relay_case(state=CaseState.NOTIFIED)
    case.owner["contact_name"] = name
    queued(case)
    deliver_due(now=NOON)
    (caught,) = real_smtp.messages
    assert caught.rcpt_tos == [TO]
    assert [address.addr_spec for address in caught.mail["To"].addresses] == [TO]
    assert caught.mail["Bcc"] is None


def test_the_kill_switch_holds_all_mail_and_loses_none(real_smtp):
    notice = make_notice()
    begin_hold(Hold.What.MAIL, actor="ada", reason="wrong text", now=NOON)

    assert deliver_due(now=NOON) == 0
    assert due_mails(Notice, NOON, limit=9) == []
    assert real_smtp.messages == []

    end_hold(Hold.What.MAIL, actor="ada", now=NOON)
    assert due_mails(Notice, NOON, limit=9) == [notice.pk]
    assert deliver_due(now=NOON) == 1
    assert Notice.objects.get().tries == 1


def test_the_kill_switch_stops_a_batch_that_is_being_sent(real_smtp):
    make_notice()
    [claimed] = claim_due(None, now=NOON)
    begin_hold(Hold.What.MAIL, actor="ada", reason="wrong text", now=NOON)

    give_back([claimed])

    notice = Notice.objects.get()
    assert (notice.state, notice.claim, notice.tries) == ("queued", "", 0)


def test_a_worker_that_dies_before_it_hands_the_mail_over_leaves_it_to_the_next(real_smtp):
    make_notice()
    Notice.objects.update(claim="here-1-x", state="sending", claimed_at=NOON)
    release_dead(now=NOON + STALE_CLAIM)
    assert deliver_due(now=NOON + STALE_CLAIM) == 1
    assert len(real_smtp.messages) == 1


def test_a_worker_that_dies_while_handing_over_leaves_a_doubt_and_no_second_mail(real_smtp):
    notice = make_notice()
    (claimed,) = claim_due(None, now=NOON)
    assert hold(claimed, now=NOON)
    for minutes in (9, 10, 60):
        release_dead(now=NOON + timedelta(minutes=minutes))
        deliver_due(now=NOON + timedelta(minutes=minutes))
    notice.refresh_from_db()
    assert (notice.state, notice.problem[:24]) == ("failed", "it may have gone or not:")
    assert notice.case.events.filter(kind=EventKind.NOTICE_FAILED).count() == 1
    assert Case.objects.get().due_at == NOON + timedelta(minutes=10)
    assert real_smtp.messages == []


def test_a_connection_lost_after_the_last_line_is_a_doubt_and_before_it_an_outage(real_smtp):
    notice, other = make_notice(), queued(make_case("C-2"))
    real_smtp.hangs_up = "data"
    deliver_due([notice.pk], now=NOON)
    real_smtp.hangs_up = "rcpt"
    deliver_due([other.pk], now=NOON)
    real_smtp.hangs_up = ""
    deliver_due(now=NOON + timedelta(days=1))
    assert [caught.rcpt_tos for caught in real_smtp.messages] == [[other.to_email]]
    assert dict(Notice.objects.values_list("pk", "state")) == {notice.pk: "failed", other.pk: "sent"}


def test_only_what_a_machine_wrote_says_so(real_smtp):
    case = make_relay_case(state=CaseState.NOTIFIED)
    queued(case, "notify")
    queued(case, "message", words="Please call me.")
    deliver_due(now=LATER)
    said = {caught.mail["X-Abuse-Case"] + " " + str(caught.mail["Auto-Submitted"]) for caught in real_smtp.messages}
    assert said == {f"{case.number} auto-generated", f"{case.number} None"}
