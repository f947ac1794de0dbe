"""What the desk thinks of a case now: its cause, its priority and the line shown in the queue, from all evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from complaints.cases.priority import count
from complaints.cases.transitions import MACHINE, record
from complaints.cases.weighing import weigh
from complaints.diagnosis import diagnose_case, look_at
from complaints.models import Case, CheckRun, Complaint
from complaints.vocabulary import Category, Cause, Diagnosis, EventKind, ParsedComplaint, Verdict

NUMBERS = re.compile(r"\d+")
LOOKED_AT = 50  # the youngest complaints; a thousand more of one run say nothing new


def assess(case: Case, *, now: datetime) -> None:
    """Bring cause, priority and headline up to date; a changed cause gets a history line."""
    complaints = list(case.complaints.order_by("-seen_at", "-pk")[:LOOKED_AT])
    runs = last_runs(case)
    diagnosis = diagnose_case(
        [look_at(as_parsed(complaint)) for complaint in complaints],
        relay=relay_verdict(case, runs),
        listing_causes=[cause for run in runs if run.check_name == "dnsbl" for cause in run.details.get("causes", [])],
    )
    weighed = weigh(case, complaints, runs, now=now)
    columns: dict[str, Any] = {
        **weighed.columns,
        "cause": diagnosis.cause.value,
        "cause_confidence": diagnosis.confidence,
        "cause_reasons": list(diagnosis.reasons),
        "headline": headline(case, diagnosis, weighed.reporters),
    }
    changed = {name: value for name, value in columns.items() if getattr(case, name) != value}
    if not changed:
        return
    seen_as = {"cause": case.cause, "cause_confidence": case.cause_confidence}
    if not Case.objects.filter(pk=case.pk, **seen_as).update(**changed):
        case.refresh_from_db(fields=list(columns))  # another worker has just assessed it, by what came meanwhile
        return
    if "cause" in changed or abs(case.cause_confidence - diagnosis.confidence) >= 0.1:
        told = {"cause": diagnosis.cause, "confidence": diagnosis.confidence, "reasons": list(diagnosis.reasons)}
        because = news_of(case.cause_reasons, diagnosis.reasons)
        record(case, EventKind.DIAGNOSED, actor=MACHINE, now=now, was=case.cause, because=because, **told)
    for name, value in changed.items():
        setattr(case, name, value)


def news_of(before: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """Which of the reasons were not there before, whatever their numbers: what changed the diagnosis."""
    known = {NUMBERS.sub("", reason) for reason in before}
    return [reason for reason in reasons if NUMBERS.sub("", reason) not in known]


def last_runs(case: Case) -> list[CheckRun]:
    """The last finished run of each check and address."""
    runs = case.checks.filter(state=CheckRun.State.DONE).order_by("finished_at")
    return list({(run.check_name, bytes(run.address)): run for run in runs}.values())


def relay_verdict(case: Case, runs: list[CheckRun]) -> Verdict | None:
    """What the relay checks say of the cause; None when none has been finished.

    A relay that was proven stays the cause of the case: the clean checks that follow prove the fix.
    """
    if case.checks.filter(check_name="relay", verdict=Verdict.BAD).exists():
        return Verdict.BAD
    verdicts = {Verdict(run.verdict) for run in runs if run.check_name == "relay"}
    worst = [verdict for verdict in (Verdict.UNKNOWN, Verdict.CLEAN) if verdict in verdicts]
    return worst[0] if worst else None


def as_parsed(complaint: Complaint) -> ParsedComplaint:
    """The part of the complaint's row that diagnosis looks at."""
    return ParsedComplaint(
        category=Category(complaint.category),
        source_ip=complaint.address_text or None,
        original_mail_from=complaint.evidence.get("original_mail_from"),
        original_subject=complaint.subject,
        received=tuple(complaint.evidence.get("received", ())),
        traces=tuple(complaint.evidence.get("traces", ())),
        reported_uris=tuple(complaint.evidence.get("reported_uris", ())),
        arrival_date=complaint.seen_at if complaint.seen_exactly else None,
        reporter=str(complaint.reporter_id or ""),
    )


CAUSE_WORDS = {
    Cause.OPEN_RELAY: "Open relay",
    Cause.BOT: "Infected machine",
    Cause.STOLEN_MAILBOX: "Stolen mailbox",
    Cause.WEB_SCRIPT: "Web form or script that sends",
    Cause.BULK_MAIL: "Unwanted bulk mail",
    Cause.FORWARDED: "Forwarded mail",
    Cause.FORGED: "Forged line",
    Cause.ATTACK: "Attacks",
}


def headline(case: Case, diagnosis: Diagnosis, reporters: int) -> str:
    """The case in one line: what, where, and how many say so."""
    what = CAUSE_WORDS.get(diagnosis.cause, case.category.replace("_", " ").capitalize())
    again = {0: "", 1: " again"}.get(case.ladder, f", time {case.ladder + 1}")
    voices = f"{count(case.complaint_count, 'complaint')} from {count(reporters, 'reporter')}"
    return f"{what}{again} at {case.address_text or 'unknown address'}: {voices}"[:300]
