"""Every Celery task, a few lines each. Rows are the queue; a task is the alarm clock, and may ring twice or never."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from celery import Task
from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from abusedesk.celery import app
from complaints import blacklists, bulk, checking, intake, interventions, pipeline, waiting
from complaints.attribution import foreign
from complaints.attribution.importing.leases.sessions import forget_stops
from complaints.cases import (
    campaigns,
    counting,
    feeds,
    floods,
    reads,
    reattribution,
    reporters,
    reweighing,
    ripening,
    rises,
    rules_audit,
    tallies,
    waits,
    words,
)
from complaints.cases.touched import Span, complaints_touched
from complaints.cases.transitions import MACHINE
from complaints.interventions import proposals
from complaints.models import Case, CheckRun, Complaint, Contract, Forward, Notice, Reading, ReporterMail
from complaints.notices import delivery, outcomes
from complaints.playbooks import runner
from complaints.reporting import _kept_offenders
from complaints.vocabulary import Answer

log = logging.getLogger(__name__)
LATER = 500  # of a flood, while other mail waits as well: it must not wait for ever
SWEPT = 2000  # rows of a kind that one sweep rings for
STALE_S = 120  # the sweep rings for a row again and again while it waits: an old bell is worth nothing
READING_S = 540  # a mail that is read for longer ends its worker, and is read alone the next time
RECENT = timedelta(seconds=5)  # younger rows have their own wake-up on the way


def wake(task: Task, ids: Iterable[int | None]) -> None:
    """Ring after the commit. Without a broker nothing is lost: the sweep finds the rows."""
    found = sorted({pk for pk in ids if pk is not None})
    if found:
        transaction.on_commit(lambda: ring(task, found))


def ring(task: Task, ids: list[int], *, most: int = waiting.BATCH, **routing: Any) -> None:
    for start in range(0, len(ids), most):
        try:
            task.apply_async((ids[start : start + most],), expires=STALE_S + routing.get("countdown", 0), **routing)
        except OperationalError as exc:
            log.warning("broker away (%s): the sweep will do %s", exc, task.name)
            return


@app.task(time_limit=READING_S)
def process_messages(ids: list[int]) -> None:
    done = pipeline.process_messages(ids)
    wake(advance_cases, done.cases)
    wake(deliver_reporter_mails, done.mails)


@app.task
def advance_cases(ids: list[int]) -> None:
    for case_id in ids:
        after = advance_one(case_id)
        wake_checks(after.checks)
        wake(deliver_notices, after.notices)
        wake(carry_out_measures, after.measures)


def advance_one(case_id: int) -> runner.Advanced:
    """A case that cannot be advanced is put aside for a minute; the others go on."""
    try:
        return runner.advance_case(case_id)
    except Case.DoesNotExist:
        return runner.Advanced()
    except Exception:  # one case's fault must not hold up the batch; it is logged and tried again
        log.exception("case %s cannot be advanced; trying again in a minute", case_id)
        Case.objects.filter(pk=case_id).update(due_at=timezone.now() + timedelta(minutes=1))
        return runner.Advanced()


@app.task
def carry_out_measures(ids: list[int]) -> None:
    wake(advance_cases, interventions.carry_out_due(ids))


@app.task
def run_checks(ids: list[int]) -> None:
    for cases in checking.work_off(ids):
        wake(advance_cases, cases)


def wake_checks(ids: Iterable[int]) -> None:
    """Slow mail servers and quick DNS have workers of their own: neither holds the other up."""
    for queue, found in checking.by_queue(list(ids)).items():
        transaction.on_commit(partial(ring, run_checks, found, most=checking.IN_FLIGHT, queue=f"checks-{queue}"))


@app.task
def carry_out_actions(ids: list[int]) -> None:
    """What people did to cases, once the minute is over in which it can be taken back."""
    done = bulk.carry_out_due(ids, now=timezone.now())
    wake(advance_cases, done.cases)
    wake_checks(done.checks)
    wake(deliver_notices, done.notices)


def wake_at(task: Task, ids: list[int], at: datetime) -> None:
    """Ring when its time has come; the sweep would be a little later."""
    wait_s = max(0.0, (at - timezone.now()).total_seconds()) + 0.5
    transaction.on_commit(partial(ring, task, ids, countdown=wait_s))


@app.task
def deliver_notices(ids: list[int]) -> None:
    delivery.deliver_due(ids)
    # A customer who was not told is an analyst's turn.
    failed = list(Notice.objects.filter(pk__in=ids, state=Notice.State.FAILED).values_list("case", flat=True))
    if failed:
        Case.objects.active().filter(pk__in=failed).update(due_at=timezone.now())
        wake(advance_cases, failed)


@app.task
def ask_again(ids: list[int]) -> None:
    """Complaints whose owner could not be known: is it known now?"""
    wake(advance_cases, reattribution.ask_due(ids, now=timezone.now()).cases)


def look_again_at(spans: Iterable[Span], *, because: str, actor: str = MACHINE) -> reattribution.Looked:
    """After assignments were changed: whose are the complaints of these spans now? Here and at once, whoever calls."""
    ids = complaints_touched(spans)
    looked = reattribution.propose_reattributions(ids, because=because, actor=actor, now=timezone.now())
    wake(advance_cases, looked.cases)
    return looked


@app.task
def deliver_reporter_mails(ids: list[int]) -> None:
    delivery.deliver_due(ids, model=ReporterMail)


@app.task
def deliver_forwards(ids: list[int]) -> None:
    delivery.deliver_due(ids, model=Forward)


@app.task
def learn_dictionary() -> None:
    """Once a night: a better dictionary for the raw mail, when the site's own mail allows one."""
    intake.train_dictionary()


@app.task
def prove_contacts() -> None:
    """Once a night: every contract is marked reachable or not as its contacts are."""
    wrong = Contract.objects.note_reachable()
    if wrong:
        log.warning("%s contracts were marked wrongly as reachable or not; mended", wrong)


@app.task
def reweigh_cases(ids: list[int]) -> None:
    """After other weights were saved: the open cases, portion by portion. The sweep goes on where this one dies."""
    while reweighing.reweigh(now=timezone.now()):
        pass


@app.task
def tally_reporters() -> None:
    """Once a minute: what reporters sent since the last time is counted, behind the intake."""
    reporters.tally(now=timezone.now())


@app.task
def measure_reporters() -> None:
    """Once a night: counters are proven right, ended cases say how often reporters were, and rules are looked at."""
    now = timezone.now()
    if wrong := reporters.prove_tallies(now=now):
        log.warning("%s counts of reporters' complaints were wrong; mended", wrong)
    reporters.measure_all(now=now)
    rules_audit.audit_rules(now=now)
    rules_audit.tell_ended(now=now)


@app.task
def fetch_network_contacts() -> None:
    """Whom to write to about the newest addresses that are not ours; does nothing unless ABUSEDESK_RDAP_URL is set."""
    foreign.fetch_contacts(now=timezone.now())


@app.task
def prove_counts() -> None:
    """Once a night: the counts of the queue are what one would count."""
    counting.prove_counts()


@app.task
def count_offenders() -> None:
    """Once a minute: the repeat offenders of the usual periods are counted, where the last counting is old."""
    _kept_offenders.count_due(now=timezone.now(), zone=ZoneInfo(settings.DISPLAY_TIME_ZONE))


@app.task
def read_words() -> None:
    """The words by which cases are found, soon after something was filed; and few rows where many were counted."""
    words.read_words()
    counting.sum_up()


@app.task
def tend_blacklists() -> None:
    """Once a minute: self-tests that are due, listings that may be gone, and the next portion of the sweeps."""
    now = timezone.now()
    blacklists.run_due_tests(now=now)
    blacklists.look_again(now=now)
    wake(advance_cases, blacklists.sweep_lists(now=now).cases)
    blacklists.forget_old_answers(now=now)


@app.task
def tend_watch() -> None:
    """Once a minute, behind the filing: what came in is counted, and each feed is heard."""
    now = timezone.now()
    tallies.count_complaints(now=now)
    feeds.watch_feeds(now=now)


@app.task
def find_campaigns() -> None:
    """Once a minute, behind the filing: the next complaints are put into their campaigns."""
    campaigns.find_campaigns(now=timezone.now())


@app.task
def watch_rises() -> None:
    """Every ten minutes: what stands out from the same weekday of the weeks before, and what has calmed down."""
    now = timezone.now()
    rises.watch_rises(now=now)
    reweighing.reweigh_calm(now=now)


@app.task
def tidy_watch() -> None:
    """Once a night: what nobody looks back to any more, and campaigns whose complaints came to other cases."""
    now = timezone.now()
    campaigns.recount_campaigns(now=now)
    campaigns.forget_campaigns(now=now)
    tallies.forget_tallies(now=now)
    feeds.forget_feeds(now=now)
    forget_stops(now=now)
    reads.forget_reads(now=now, days=settings.READ_LOG_DAYS)
    reads.forget_sessions(now=now)


@app.task
def sweep() -> None:
    """Find what waits without an alarm: after a crash, a lost task, a broker that was away, or by the clock."""
    now = timezone.now()
    wake(process_messages, waiting.release_dead(now=now))
    checking.release_dead()
    delivery.release_dead()
    old_enough = free_messages(now).filter(message__received_at__lt=now - RECENT, later=False)
    waiting_now = list(old_enough.values_list("pk", flat=True)[:SWEPT])
    wake(process_messages, waiting_now)
    wake(process_messages, floods.later_ids(limit=LATER if waiting_now else SWEPT))
    floods.end_floods(now=now)
    reweighing.reweigh_late(now=now)
    wake(reweigh_cases, reweighing.unfinished())
    wake(advance_cases, checking.stop_waiting(now=now))
    wake(
        advance_cases,
        Case.objects.active().filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:SWEPT],
    )
    wake_checks(checking.due_runs(now, limit=SWEPT))
    wake(ask_again, waits.due_waits(now, limit=SWEPT))
    wake(advance_cases, ripening.ripen(now=now))
    wake(deliver_notices, delivery.due_mails(Notice, now, limit=SWEPT))
    outcomes.tell_outcomes(now=now)
    wake(deliver_reporter_mails, delivery.due_mails(ReporterMail, now, limit=SWEPT))
    wake(deliver_forwards, delivery.due_mails(Forward, now, limit=SWEPT))
    wake(carry_out_actions, bulk.due_actions(now, limit=SWEPT))
    interventions.release_dead()
    interventions.release_closed(now=now)
    proposals.end_old(now=now, lasts=timedelta(hours=settings.APPROVAL_HOURS))
    wake(carry_out_measures, interventions.due_interventions(now, limit=SWEPT))


def free_messages(now: datetime) -> QuerySet[Reading]:
    """Messages that wait and that no living worker holds."""
    return Reading.objects.filter(state=Reading.State.WAITING).exclude(claimed_at__gt=now - waiting.CLAIM_LASTS)


def work_until_idle(message_ids: list[int], *, patience_s: float | None = None) -> dict[str, int]:
    """Do here and now what the workers would do for these messages, until nothing is due. Returns counts.

    Runs beside workers as well: every row is claimed. Waits at most `patience_s` for probes on their way.
    """
    opened = pipeline.process_messages(message_ids).opened
    give_up = time.monotonic() + (settings.PROBE_WAIT + 30 if patience_s is None else patience_s)
    cases = cases_of(message_ids)
    while work_once(cases) and time.monotonic() < give_up:
        time.sleep(0.2)
    return counts(message_ids, opened)


def work_once(cases: list[int]) -> bool:
    """One round over the cases; True while something is still under way."""
    close_old_connections()
    now = timezone.now()
    pipeline.process_messages(list(free_messages(now).values_list("pk", flat=True)[: waiting.BATCH]))
    for case_id in cases:
        after = advance_one(case_id)
        for _ in checking.work_off(after.checks):
            pass
        delivery.deliver_due(after.notices)
    delivery.deliver_due(model=ReporterMail)
    delivery.deliver_due(model=Forward)
    checking.stop_waiting(now=now)
    return any(is_under_way(ids, now) for ids in chunks(cases))


def is_under_way(cases: list[int], now: datetime) -> bool:
    runs = CheckRun.objects.filter(case__in=cases)
    started = runs.filter(state__in=[CheckRun.State.RUNNING, CheckRun.State.WAITING])
    queued = runs.filter(state=CheckRun.State.QUEUED, due_at__lte=now + timedelta(seconds=10))
    due = Case.objects.active().filter(pk__in=cases, due_at__lte=timezone.now())
    return started.exists() or queued.exists() or due.exists()


def cases_of(message_ids: list[int]) -> list[int]:
    found = (Complaint.objects.filter(message__in=ids).exclude(case=None) for ids in chunks(message_ids))
    return sorted({case for some in found for case in some.values_list("case", flat=True)})


def counts(message_ids: list[int], opened: int) -> dict[str, int]:
    states, answers = Counter[str](), Counter[str]()
    for ids in chunks(message_ids):
        states.update(Reading.objects.filter(pk__in=ids).values_list("state", flat=True))
        answers.update(Complaint.objects.filter(message__in=ids).values_list("answer", flat=True))
    cases = cases_of(message_ids)
    return {
        "read": states[Reading.State.READ],
        "unread": states[Reading.State.UNREAD],
        "waiting": states[Reading.State.WAITING],
        "complaints": answers.total(),
        "attributed": answers[Answer.OWNER],
        "not_ours": answers[Answer.NOT_OURS],
        "nobody": answers[Answer.NOBODY],
        "unsure": answers[Answer.UNSURE],
        "cases": len(cases),
        "cases_opened": opened,
        "notices": sum(Notice.objects.filter(case__in=ids).count() for ids in chunks(cases)),
    }


def chunks(ids: list[int]) -> Iterator[list[int]]:
    """A database limits the parameters of one statement."""
    return (ids[start : start + waiting.BATCH] for start in range(0, len(ids), waiting.BATCH))
