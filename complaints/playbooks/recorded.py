"""Past cases from the database as records for a replay: a few statements for a batch, and nothing written."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from complaints.blacklists.delisting import addresses_of_case, listings_of
from complaints.cases.answers import CUSTOMER
from complaints.cases.assessment import as_parsed
from complaints.cases.ladder import PastCase
from complaints.cases.protection import contract_kind, is_protected
from complaints.cases.transitions import MACHINE
from complaints.cases.voices import voice_of
from complaints.checking import is_not_theirs_alone
from complaints.diagnosis import look_at
from complaints.models import (
    Case,
    CaseEvent,
    CheckRun,
    Complaint,
    DeskTask,
    Intervention,
    Notice,
    PlaybookChange,
    PlaybookVersion,
)
from complaints.notices.compose import address_problem
from complaints.notices.mail_loops import NO_MACHINE
from complaints.playbooks.actions import load_actions
from complaints.playbooks.documents import parse_steps
from complaints.playbooks.facts import BY_PEOPLE, FINAL, PLAYBOOK_TASK, key_parts
from complaints.playbooks.loading import SHIPPED_BY
from complaints.playbooks.record import Active, Happening, Heard, Outside, Ran, Record, Rules
from complaints.registry import by_name
from complaints.vocabulary import CaseState, Category, EventKind, Resolution, Verdict

MOST_COMPLAINTS = 500  # of a case; what comes after says nothing new
EVER = datetime(1970, 1, 1, tzinfo=UTC)
TOLD = (
    EventKind.MOVED,
    EventKind.CUSTOMER_SAW,
    EventKind.CUSTOMER_ANSWERED,
    EventKind.NOTICE_FAILED,
    *BY_PEOPLE,
)
ENDED = (Intervention.State.RELEASED, Intervention.State.WITHDRAWN, Intervention.State.FAILED)
By = dict[int, list[Any]]


def rules_of(version: PlaybookVersion) -> Rules:
    steps = parse_steps(version.document, by_name(load_actions()))
    return Rules(version.name, version.document, steps, bool(version.seconded_by))


def as_they_were(*, instead: PlaybookVersion | None = None) -> Active:
    """The playbooks that were active at a moment; `instead` in place of those of its name, all the time."""
    spans: dict[str, list[tuple[datetime, Rules | None]]] = defaultdict(list)
    for version in PlaybookVersion.objects.exclude(activated_at=None).order_by("activated_at", "number"):
        shipped = version.number == 1 and version.activated_by == SHIPPED_BY  # came with the program
        spans[version.name].append((EVER if shipped else version.activated_at or EVER, rules_of(version)))
    for name, at in PlaybookChange.objects.filter(what=PlaybookChange.What.RETIRED).values_list("name", "at"):
        spans[name].append((at, None))
    if instead is not None:
        spans[instead.name] = [(EVER, rules_of(instead))]
    for name in spans:
        spans[name].sort(key=lambda span: span[0])

    def active(at: datetime) -> Sequence[Rules]:
        found = []
        for changes in spans.values():
            place = bisect_right(changes, at, key=lambda change: change[0])
            rules = changes[place - 1][1] if place else None
            if rules is not None:
                found.append(rules)
        return found

    return active


def records(ids: Sequence[int], *, now: datetime, with_listings: bool = False) -> list[Record]:
    cases = list(Case.objects.filter(pk__in=ids).select_related("contract__customer").order_by("pk"))
    big = [case for case in cases if case.complaint_count > MOST_COMPLAINTS]
    heard = grouped(complaints_of([case.pk for case in cases if case not in big]))
    for case in big:
        heard[case.pk] = list(complaints_of([case.pk]).order_by("received_at", "id")[:MOST_COMPLAINTS])
    events = grouped(CaseEvent.objects.filter(case__in=ids, kind__in=TOLD).order_by("at", "id"))
    notices = grouped(Notice.objects.filter(case__in=ids).only("case", "step", "occurrence", "state", "queued_at"))
    measures = grouped(Intervention.objects.filter(case__in=ids, decided_by=MACHINE))
    tasks = grouped(DeskTask.objects.filter(case__in=ids, kind=PLAYBOOK_TASK, opened_by=MACHINE))
    runs: By = defaultdict(list)
    columns = ("case_id", "check_name", "occasion", "queued_at", "finished_at", "state", "verdict", "address", "reason")
    for case_id, *values in (
        CheckRun.objects.filter(case__in=ids).order_by("id").values_list(*columns, "details__causes")
    ):
        runs[case_id].append(ran(*values))
    past = past_cases(cases)
    return [
        record(
            case, now=now, heard=heard[case.pk], ran=runs[case.pk], events=events[case.pk], notices=notices[case.pk],
            measures=measures[case.pk], tasks=tasks[case.pk], past=past[case.contract_id], with_listings=with_listings,
        )
        for case in cases
    ]  # fmt: skip


def complaints_of(ids: Sequence[int]) -> Any:
    return Complaint.objects.filter(case__in=ids).select_related("reporter")


def grouped(rows: Iterable[Any]) -> By:
    found: By = defaultdict(list)
    for row in rows:
        found[row.case_id].append(row)
    return found


def past_cases(cases: Sequence[Case]) -> By:
    found: By = defaultdict(list)
    contracts = {case.contract_id for case in cases}
    closed = Case.objects.filter(contract__in=contracts, state=CaseState.CLOSED)
    for contract, category, resolution, at in closed.values_list("contract", "category", "resolution", "closed_at"):
        if at is not None:
            found[contract].append(PastCase(Category(category), Resolution(resolution), at))
    return found


def record(
    case: Case, *, now: datetime, heard: list[Complaint], ran: list[Ran], events: list[CaseEvent],
    notices: list[Notice], measures: list[Intervention], tasks: list[DeskTask], past: Sequence[PastCase],
    with_listings: bool,
) -> Record:  # fmt: skip
    by_person = {
        event.at for event in events if event.kind == EventKind.MOVED and event.actor not in (MACHINE, CUSTOMER)
    }
    return Record(
        case=case.pk,
        number=case.number,
        opened_at=case.opened_at,
        ends_at=case.closed_at or now,
        is_closed=case.closed_at is not None,
        category=Category(case.category),
        contract_kind=contract_kind(case),
        protected=is_protected(case),
        ladder=case.ladder,
        confidence=case.confidence,
        has_contact=address_problem(str(case.owner.get("contact_email") or "")) is None,
        past=past,
        heard=[as_heard(complaint) for complaint in heard],
        ran=ran,
        outside=[*outside_of(events, notices), *bounces_of(events, notices)],
        listings=listings(case) if with_listings else (),
        happened=sorted(happened_of(events, notices, measures, tasks, ran, by_person)),
    )


def as_heard(complaint: Complaint) -> Heard:
    return Heard(
        received_at=complaint.received_at,
        seen_at=complaint.seen_at,
        seen_exactly=complaint.seen_exactly,
        reporter=complaint.reporter_id,
        voice=voice_of(str(complaint.evidence.get("authenticated") or "")),
        by_hand=complaint.format in NO_MACHINE,
        format=complaint.format,
        confidence=complaint.confidence,
        is_mail="received" in complaint.evidence,
        shape=look_at(as_parsed(complaint)),
    )


def ran(
    check: str, occasion: str, queued_at: datetime, finished_at: datetime | None, state: str, verdict: str,
    address: bytes, reason: str, causes: Any,
) -> Ran:  # fmt: skip
    step, _, stay = occasion.rpartition(".")
    by_step = stay.isdigit() and "." not in step and step != "by-hand"
    return Ran(
        check=check,
        step=step if by_step else "",
        stay=int(stay) if by_step else 0,
        queued_at=queued_at,
        finished_at=(finished_at or queued_at) if state in FINAL else None,
        verdict=Verdict(verdict or Verdict.UNKNOWN),
        address=bytes(address),
        causes=tuple(causes) if isinstance(causes, list) else (),
        refused=state == CheckRun.State.REFUSED,
        has_left=state == CheckRun.State.REFUSED and is_not_theirs_alone(reason),
    )


def outside_of(events: list[CaseEvent], notices: list[Notice]) -> Iterable[Outside]:
    """What people did. The move that an answer brought is told by the answer."""
    answers = {(event.at, event.actor) for event in events if event.kind == EventKind.CUSTOMER_ANSWERED}
    for event in events:
        data: Mapping[str, Any] = event.data
        if event.kind in BY_PEOPLE and event.actor not in (MACHINE, CUSTOMER):
            yield Outside(event.at, "taken_up")
        if event.kind == EventKind.CUSTOMER_ANSWERED:
            yield Outside(event.at, "answer", str(data["answer"]))
        elif event.kind == EventKind.CUSTOMER_SAW:
            yield Outside(event.at, "saw")
        elif event.kind == EventKind.MEASURE and data.get("state") in ENDED:
            yield Outside(event.at, "measure_off", str(data["measure"]))
        elif event.kind == EventKind.MEASURE and event.actor != MACHINE and data.get("begins"):
            yield Outside(event.at, "measure_on", str(data["measure"]))
        elif event.kind == EventKind.MOVED and event.actor != MACHINE and (event.at, event.actor) not in answers:
            letters = [notice.step for notice in notices if notice.queued_at == event.at]
            resolution = Resolution(data["resolution"]) if data.get("resolution") else None
            was, to = CaseState(data["from"]), CaseState(data["to"])
            yield Outside(event.at, "person", letters[0] if letters else "", was, to, resolution)


def bounces_of(events: list[CaseEvent], notices: list[Notice]) -> Iterable[Outside]:
    """Letters that reached nobody, when the last of their recipients failed."""
    states: dict[tuple[str, int], set[str]] = defaultdict(set)
    for notice in notices:
        states[notice.step, notice.occurrence].add(notice.state)
    for (step, occurrence), found in states.items():
        about = {"step": step, "occurrence": occurrence}
        failed = [e.at for e in events if e.kind == EventKind.NOTICE_FAILED and about.items() <= e.data.items()]
        if found == {Notice.State.FAILED} and failed:
            yield Outside(max(failed), "bounce", step)


def listings(case: Case) -> list[tuple[datetime, datetime | None]]:
    found = listings_of(addresses_of_case(case))
    return [(each.first_seen_at, each.gone_at) for each in found if each.status == "listed" and each.blacklist.enabled]


def happened_of(
    events: list[CaseEvent], notices: list[Notice], measures: list[Intervention], tasks: list[DeskTask],
    ran: list[Ran], by_person: set[datetime],
) -> Iterable[Happening]:  # fmt: skip
    """What the machine did in the case."""
    for event in events:
        if event.kind == EventKind.MOVED and event.actor == MACHINE:
            yield Happening(event.at, "move", str(event.data["to"]))
    letters: dict[tuple[str, int], datetime] = {}
    for notice in notices:
        at = letters.get((notice.step, notice.occurrence), notice.queued_at)
        letters[notice.step, notice.occurrence] = min(at, notice.queued_at)
    yield from (Happening(at, "letter", step) for (step, _), at in letters.items() if at not in by_person)
    yield from (Happening(measure.decided_at, "measure", measure.kind) for measure in measures)
    yield from (Happening(task.opened_at, "task", key_parts(task.key)[0]) for task in tasks)
    ordered: dict[tuple[str, str, int], datetime] = {}
    for run in ran:
        if run.step:
            ordered.setdefault((run.check, run.step, run.stay), run.queued_at)
    yield from (Happening(at, "check", check) for (check, _, _), at in ordered.items())
