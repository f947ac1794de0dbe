"""Undo window, quiet hours, digest, daily limit, kill switch, outages and dying workers, as chance orders them:
no letter is lost, none goes twice, none goes when it may not. Real rows, real SMTP, and a clock of our own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from pytest_django import Settings

from complaints.cases.answers import CUSTOMER
from complaints.cases.holds import begin_hold, end_hold, is_held
from complaints.cases.transitions import record
from complaints.models import Case, Hold, Notice
from complaints.notices.compose import queue_notice
from complaints.notices.delivery import claim_due, deliver_due, hold, release_dead
from complaints.notices.links import portal_url
from complaints.notices.mail import MAY_HAVE_GONE
from complaints.notices.taking_back import TooLate, send_after_all, take_back
from complaints.vocabulary import EventKind
from tests.factories import make_case, make_contact, make_contract
from tests.services.smtp import Sink

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Europe/Paris")
UNDO, A_DAY = timedelta(seconds=60), 2
BEGIN = datetime(2026, 11, 2, 15, tzinfo=UTC)
STEPS = ["notify", "remind", "still_open", "escalated"]
CASES = 4  # of three contracts; two of them are of one person
STALE = timedelta(minutes=11)
State = Notice.State
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.fixture
def desk(settings: Settings, real_smtp: Sink) -> Sink:
    settings.MAIL_UNDO, settings.CUSTOMER_MAILS_A_DAY = int(UNDO.total_seconds()), A_DAY
    settings.QUIET_HOURS, settings.DISPLAY_TIME_ZONE = "21:00-07:00", ZONE.key
    return real_smtp


def test_no_order_of_events_loses_or_doubles_a_letter(desk: Sink) -> None:
    class Here(Letters):
        sink = desk

    run_state_machine_as_test(
        Here,
        settings=hypothesis_settings(
            max_examples=25,
            stateful_step_count=25,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
            deadline=None,
        ),
    )


class Letters(RuleBasedStateMachine):
    """again: how often a person sent a letter after all that may have gone: so many times it may come once more."""

    sink: Sink

    def __init__(self) -> None:
        super().__init__()
        self.rows = transaction.atomic()
        self.rows.__enter__()
        self.now = BEGIN
        self.sink.messages.clear()
        self.sink.hangs_up, self.sink.data_answer = "", "250 2.0.0 caught"
        self.cases = [self.make_case(number) for number in range(CASES)]
        self.again: Counter[int] = Counter()
        self.urgent: set[int] = set()
        self.seen = 0

    def make_case(self, number: int) -> Case:
        contract = make_contract(f"C-{number}", email="")
        make_contact(contract, email="anna@customers.example" if number < 3 else "bruno@customers.example")
        return make_case(contract, opened_at=BEGIN, address=f"192.0.2.{10 + number}")

    def teardown(self) -> None:
        try:
            self.the_world_is_well_again_and_all_is_told()
        finally:
            transaction.set_rollback(True)
            self.rows.__exit__(None, None, None)

    # -- what may happen

    @rule(case=st.integers(0, CASES - 1), step=st.sampled_from(STEPS), occurrence=st.integers(1, 2))
    def a_letter_is_decided(self, case: int, step: str, occurrence: int) -> None:
        first = queue_notice(self.cases[case], step, occurrence=occurrence, now=self.now)
        second = queue_notice(self.cases[case], step, occurrence=occurrence, now=self.now)
        assert first == second

    @rule(minutes=st.sampled_from([0.5, 1, 5, 12, 60, 300, 700]))
    def time_passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(limit=st.sampled_from([1, 100]))
    def a_worker_sends(self, limit: int) -> None:
        release_dead(now=self.now)
        deliver_due(now=self.now, limit=limit)
        self.look_at_what_came()

    @rule(handed=st.booleans())
    def a_worker_dies(self, handed: bool) -> None:
        """With its claim, before it began or while it was handing a letter over that never arrived."""
        for mail in claim_due(None, now=self.now, limit=1)[:1] if handed else claim_due(None, now=self.now):
            if handed:
                hold(mail, now=self.now)
        self.now += STALE

    @rule()
    def all_mail_is_held(self) -> None:
        begin_hold(Hold.What.MAIL, actor="ada", reason="wait", now=self.now)

    @rule()
    def the_hold_ends(self) -> None:
        end_hold(Hold.What.MAIL, actor="ada", now=self.now)

    @rule(where=st.sampled_from(["rcpt", "data", "answer"]))
    def the_mail_server_breaks(self, where: str) -> None:
        self.sink.hangs_up = where

    @rule(answer=st.sampled_from(["250 2.0.0 caught", "451 4.3.0 later"]))
    def the_mail_server_answers(self, answer: str) -> None:
        self.sink.hangs_up, self.sink.data_answer = "", answer

    @rule(case=st.integers(0, CASES - 1))
    def the_customer_answers(self, case: int) -> None:
        record(
            self.cases[case], EventKind.CUSTOMER_ANSWERED, actor=CUSTOMER, now=self.now, answer="needs_help", text=""
        )

    @precondition(lambda self: Notice.objects.filter(state=State.QUEUED).exists())
    @rule(data=st.data())
    def a_person_takes_one_back(self, data: Any) -> None:
        take_back(self.one_of(data, state=State.QUEUED), actor="ada", now=self.now)

    @precondition(lambda self: Notice.objects.filter(state__in=[State.WITHDRAWN, State.FAILED]).exists())
    @rule(data=st.data())
    def a_person_sends_one_after_all(self, data: Any) -> None:
        notice = self.one_of(data, state__in=[State.WITHDRAWN, State.FAILED])
        try:
            send_after_all(notice, actor="ada", now=self.now)
        except TooLate:
            assert not notice.problem.startswith(MAY_HAVE_GONE)
        else:
            self.again[notice.pk] += notice.state == State.FAILED

    def one_of(self, data: Any, **which: Any) -> Notice:
        return data.draw(st.sampled_from(list(Notice.objects.filter(**which).order_by("pk"))), label="letter")

    # -- what must be true of it

    def look_at_what_came(self) -> None:
        """Of each mail that has just come: was it allowed to?"""
        came = self.sink.messages[self.seen :]
        self.seen = len(self.sink.messages)
        if came:
            assert not is_held(Hold.What.MAIL)
        pages = self.pages()
        letters = [(caught, [notice for notice, url in pages if url in text_of(caught)]) for caught in came]
        self.urgent |= {notice.pk for _, told in letters for notice in told if self.is_urgent(notice)}
        for caught, told in letters:
            assert told
            assert {notice.to_email for notice in told} == set(caught.rcpt_tos)
            assert len({notice.case_id for notice in told}) == len(told)
            assert all(notice.queued_at + UNDO <= self.now for notice in told)
            if not {notice.pk for notice in told} <= self.urgent:
                assert not is_night(self.now)
                assert self.mails_today(caught.rcpt_tos[0]) <= A_DAY

    def is_urgent(self, notice: Notice) -> bool:
        lately = {"kind": EventKind.CUSTOMER_ANSWERED, "at__gte": self.now - timedelta(hours=1)}
        return notice.step == "escalated" or notice.case.events.filter(**lately).exists()

    def mails_today(self, address: str) -> int:
        """That had to keep to the limit."""
        today = self.now.astimezone(ZONE).date()
        sent = Notice.objects.filter(to_email=address, carried_by=None, sent_at__isnull=False).exclude(
            pk__in=self.urgent
        )
        return sum(each.sent_at.astimezone(ZONE).date() == today for each in sent if each.sent_at)

    def pages(self) -> list[tuple[Notice, str]]:
        notices = Notice.objects.select_related("case", "link")
        return [(notice, portal_url(notice.link) or "") for notice in notices if notice.link]

    def arrivals(self) -> Counter[int]:
        """By their own links, whatever the rows say."""
        texts = [text_of(caught) for caught in self.sink.messages]
        return Counter(notice.pk for notice, url in self.pages() for text in texts if url in text)

    @invariant()
    def nothing_came_twice_and_what_is_called_sent_came(self) -> None:
        came = self.arrivals()
        for notice in Notice.objects.all():
            assert came[notice.pk] <= 1 + self.again[notice.pk]
            if notice.state == State.SENT:
                assert came[notice.pk] >= 1
            elif not self.again[notice.pk] and not notice.problem.startswith(MAY_HAVE_GONE):
                assert came[notice.pk] == 0

    @invariant()
    def each_was_decided_once(self) -> None:
        keys = Notice.objects.values_list("case", "step", "occurrence", "recipient")
        assert len(set(keys)) == len(keys)

    def the_world_is_well_again_and_all_is_told(self) -> None:
        self.the_mail_server_answers("250 2.0.0 caught")
        self.the_hold_ends()
        for _ in range(60):
            self.now += timedelta(hours=5)
            self.a_worker_sends(100)
        for notice in Notice.objects.all():
            if notice.state != State.SENT:
                assert notice.state == State.WITHDRAWN or (notice.state == State.FAILED and notice.problem)
        self.nothing_came_twice_and_what_is_called_sent_came()


def is_night(at: datetime) -> bool:
    return not 7 <= at.astimezone(ZONE).hour < 21


def text_of(caught: Any) -> str:
    body = caught.mail.get_body(("plain",))
    return "".join(body.get_content().split()) if body else ""
