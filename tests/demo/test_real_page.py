"""The simulated customers understand the product's own mails and pages, not only those of our tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.utils import timezone

from complaints.demo.customers import EVERY_MAIL, HABITS
from complaints.demo.life import Desk
from complaints.demo.small import SmallWorld
from complaints.models import Case
from complaints.notices.compose import queue_notice
from complaints.notices.delivery import deliver_due
from complaints.playbooks.loading import shipped_playbooks
from complaints.vocabulary import CaseState, Cause, CustomerStatus
from tests.factories import make_case
from tests.services.smtp import Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(transactional_db, live_server, settings, smtp_sink: Sink) -> Desk:
    settings.BASE_URL = live_server.url
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    return Desk(live_server.url, (smtp_sink.host, smtp_sink.port), "abuse@isp.example")


@pytest.fixture
def world(request, desk: Desk, settings, free_port: int) -> Iterator[SmallWorld]:
    with SmallWorld(desk, relay_port=free_port, habit=request.param, pace=0.02) as found:
        settings.EMAIL_HOST, settings.EMAIL_PORT = found.mailbox
        found.seed()
        yield found


def told(step: str = "notify") -> Case:
    """A case of the small world's contract, whose customer has just got the mail."""
    now = timezone.now()  # a link opens the page for 90 days from then
    case = make_case("C-1", address="127.77.0.25", state=CaseState.NOTIFIED, cause=Cause.OPEN_RELAY)
    assert queue_notice(case, step, occurrence=1, now=now) is not None
    deliver_due(now=now)
    return case


def eventually(case: Case, **columns: str) -> None:
    until = time.monotonic() + 60
    while not Case.objects.filter(pk=case.pk, **columns).exists():
        found = Case.objects.filter(pk=case.pk).values(*columns)
        assert time.monotonic() < until, f"{list(found)} did not become {columns}"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("world", "state", "status"),
    [
        ("fixes_quickly", CaseState.VERIFYING, CustomerStatus.CLAIMS_FIXED),
        ("disputes", CaseState.ANSWERED, CustomerStatus.DISPUTES),
        ("asks_help", CaseState.ANSWERED, CustomerStatus.ASKS_HELP),
    ],
    indirect=["world"],
)
def test_customer_answers_on_the_page_of_a_real_mail(world, state, status):
    eventually(told(), state=state, customer_status=status)


@pytest.mark.parametrize("world", ["reads_and_ignores"], indirect=True)
def test_customer_who_only_reads_is_seen(world):
    case = told()
    eventually(case, customer_status=CustomerStatus.SEEN)
    assert Case.objects.get(pk=case.pk).state == CaseState.NOTIFIED


@pytest.mark.parametrize("world", ["by_hand"], indirect=True)
@pytest.mark.parametrize("step", [*EVERY_MAIL, "solved"])
def test_every_mail_of_the_playbook_is_understood(world, step):
    told(step)
    assert world.wait_for_notice(step, timeout_s=60).to == "nora@atelier-brenn.example"


def test_habits_know_the_mails_of_the_shipped_playbook():
    steps = [step for document in shipped_playbooks() for step in document["steps"]]
    sent = {step["with"]["notice"] for step in steps if "notice" in step.get("with", {})}
    assert {step for habit in HABITS.values() for step in habit} <= sent
