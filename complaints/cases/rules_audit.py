"""Rules that keep out what turned out to be true, or hold what nobody counts any more: every night, said loudly.

The trial before a rule decides knows the past alone. Afterwards others may prove what it ignores.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from complaints.cases.rules_trial import proven_among
from complaints.cases.tasks import open_task
from complaints.cases.transitions import MACHINE
from complaints.models import Case, Complaint, DeskTask, Rule

TASK = "rule"
LOOKS_BACK = timedelta(days=30)
HELD = "-held"  # the tail of such a task's key
ENDED = timedelta(days=7)
MOST = 500  # contracts and categories of one rule


def audit_rules(*, now: datetime) -> list[int]:
    """A task for each active rule that ignored what a case of the same contract and category proved; ids of rules."""
    found = []
    for rule in Rule.objects.filter(active=True, kind=Rule.Kind.IGNORE):
        if (rule.until is None or rule.until > now) and (proven := proven_beside(rule, now=now)):
            found.append(rule.pk)
            warn(rule, proven, now=now)
    return found


def tell_ended(*, now: datetime) -> list[int]:
    """A task for each threshold whose date has passed while it held something: nobody counts that any more; ids."""
    ended = Rule.objects.filter(active=True, kind=Rule.Kind.THRESHOLD, until__gt=now - ENDED, until__lte=now)
    told = set(DeskTask.objects.filter(kind=TASK, key__endswith=HELD).values_list("key", flat=True))
    found = []
    for rule in ended.order_by("pk"):
        held = Complaint.objects.filter(rule=rule, ruling=Complaint.Ruling.HELD)
        if f"{rule.pk}{HELD}" not in told and (count := held[:MOST].count()):
            found.append(rule.pk)
            ask_about(rule, f"{count}{'+' if count == MOST else ''}", now=now)
    return found


def ask_about(rule: Rule, count: str, *, now: datetime) -> None:
    open_task(
        TASK, f"{rule.pk}{HELD}", actor=MACHINE, now=now, url=f"/rules/{rule.pk}",
        title=f"The rule “{rule.name}” has ended and still holds complaints",
        text=f"{count} wait for more of their kind, and nobody counts them any more. File them there, set another date,"
        " or leave them.",
    )  # fmt: skip


def proven_beside(rule: Rule, *, now: datetime) -> list[int]:
    """Ids of proven cases about what the rule ignored at that time."""
    since = now - LOOKS_BACK
    ignored = Complaint.objects.filter(rule=rule, ruling=Complaint.Ruling.IGNORED, received_at__gte=since)
    pairs = set(ignored.exclude(contract=None).order_by().values_list("contract", "category").distinct()[:MOST])
    cases = Case.objects.filter(contract__in={contract for contract, _ in pairs}, last_seen_at__gte=since)
    ids = [pk for pk, *pair in cases.values_list("pk", "contract", "category") if tuple(pair) in pairs]
    return proven_among(Case.objects.filter(pk__in=ids)) if ids else []


def warn(rule: Rule, proven: list[int], *, now: datetime) -> None:
    numbers = ", ".join(case.number for case in Case.objects.filter(pk__in=proven[:5]).order_by("pk"))
    open_task(
        TASK,
        str(rule.pk),
        title=f"The rule “{rule.name}” ignores what was proven",
        text=f"It ignored complaints about what others proved: {numbers}. Look whether it should go on.",
        url=f"/rules/{rule.pk}",
        actor=MACHINE,
        now=now,
    )
