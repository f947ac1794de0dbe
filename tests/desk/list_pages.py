"""Every page of the desk that lists rows, with what puts a row there. test_list_pages.py opens each with one and many.

A new page that is shown by GET needs its line: in LISTS, or in SINGLE when it shows one thing, a form or a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from complaints.blacklists import record_findings
from complaints.cases.reads import record_read
from complaints.cases.tasks import open_task
from complaints.cases.transitions import record
from complaints.interventions import decide_measure
from complaints.models import (
    AccessLog,
    AttributionWait,
    Blacklist,
    Campaign,
    CampaignMember,
    Case,
    Complaint,
    Contract,
    DeskAction,
    DeskActionCase,
    Hold,
    Message,
    PlaybookVersion,
    Reading,
    Reattribution,
    ReporterAnswer,
    ReporterMail,
    Rise,
    Rule,
    RuleChange,
    SenderRule,
    User,
)
from complaints.vocabulary import CaseState, EventKind, MeasureKind
from tests.blacklists.rows import make_blacklist
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_customer,
    make_message,
    make_reporter,
    make_rule,
    make_run,
)
from tests.notices.rows import queued

DAY = timedelta(days=1)


@dataclasses.dataclass(frozen=True, slots=True)
class ListPage:
    """One list. make(n) puts row n there, n from 0; path() is asked for when rows are there."""

    name: str  # of the URL
    path: Callable[[], str]
    make: Callable[[int], object]
    most: int = 12  # statements of a page


def at(path: str) -> Callable[[], str]:
    return lambda: path


def of_case(n: int) -> Case:
    case = make_case(make_contract(f"C-{n}", customer=f"K-{n}"), state=CaseState.TRIAGE, address=f"192.0.2.{n + 10}")
    record(
        case, EventKind.MOVED, actor="ada", now=NOON, **{"from": "investigating", "to": "triage", "reason": "unsure"}
    )
    make_run(case)
    make_complaint(case, reporter=f"r{n}@reporter.example", address=f"192.0.2.{n + 10}")
    return case


def assigned(n: int) -> None:
    case = of_case(n)
    case.assignee = User.objects.get(username="root")
    case.save()


def about_to_be_closed(n: int) -> None:
    act = DeskAction.objects.create(
        user=User.objects.get(username="root"), kind="close", state="held", made_at=NOON, due_at=NOON
    )
    DeskActionCase.objects.create(action=act, case=of_case(n), stay=1)


def late(n: int) -> None:
    case = of_case(n)
    Case.objects.filter(pk=case.pk).update(state=CaseState.NOTIFIED, deadline_at=timezone.now() - DAY)


def closed(n: int) -> None:
    case = of_case(n)
    how = {"state": CaseState.CLOSED, "closed_at": timezone.now(), "resolution": "fixed_verified"}
    Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - DAY, **how)


def of_one_customer(n: int) -> None:
    contract = make_contract(f"C-{n}", customer=make_customer("K-one"))
    make_assignment(contract, f"198.51.100.{n}/32")
    queued(make_case(contract, category="spam"))


def lonely(n: int) -> Complaint:
    return make_complaint(answer="unsure", reporter=f"r{n}@reporter.example", address=f"192.0.2.{n + 10}")


def in_vain(n: int) -> None:
    done = {"started_at": NOON, "due_at": NOON, "ended_at": NOON, "outcome": "silent"}
    AttributionWait.objects.create(complaint=lonely(n), why="reporter", **done)


def not_ours(n: int) -> None:
    make_complaint(answer="not-ours", reporter=f"r{n}@reporter.example", address=f"203.0.113.{n + 10}")


def answer(n: int) -> None:
    complaint = lonely(n)
    mail = ReporterMail.objects.create(
        incoming=complaint.message, reporter=complaint.reporter, kind=ReporterMail.Kind.ASK_MISSING, day=NOON.date(),
        thread=str(n), to_email=f"r{n}@reporter.example", subject="?", text="?", message_id=f"<m{n}@isp.example>",
        queued_at=NOON, due_at=NOON, state="sent",
    )  # fmt: skip
    reply = make_message(f"Subject: Re\r\n\r\n{n}".encode())
    ReporterAnswer.objects.create(mail=mail, message=reply, text="It was night.", state="unclear", at=NOON)


def correction(n: int, because: str = "") -> None:
    case = Case.objects.filter(contract__reference="C-was").first() or make_case("C-was")
    answers = {"answer": "owner", "reason": "held", "candidates": [], "contract": "C-was"}
    Reattribution.objects.create(
        complaint=make_complaint(case, subject=f"Watch {n}"), from_case=case, from_contract=case.contract,
        to_contract=make_contract("C-is", customer="K-is"), because=because or f"file {n}", before=answers,
        after=answers | {"contract": "C-is"}, proposed_at=NOON, proposed_by="machine",
    )  # fmt: skip


def review() -> str:
    return f"/corrections/review?group={Reattribution.objects.earliest('pk').pk}"


def decided(n: int) -> None:
    correction(n)
    Reattribution.objects.update(state="applied", decided_at=NOON, decided_by="ada")


def held(n: int) -> None:
    lease = {"kind": "lease", "valid_from": NOON + n * DAY, "valid_until": NOON + (n + 1) * DAY}
    make_assignment(make_contract(f"C-{n}", customer=f"K-{n}"), "192.0.2.10/32", **lease)
    make_complaint(make_case(f"C-{n}"), seen_at=NOON + n * DAY)


def listing(n: int) -> None:
    if not Blacklist.objects.exists():
        make_blacklist()
    row = {"list": "example", "place": f"192.0.2.{n + 10}", "status": "listed", "codes": ["127.0.0.2"], "txt": "",
           "meaning": "trap hit", "cause": "spam-source"}  # fmt: skip
    record_findings([row], now=NOON)


def campaign(n: int) -> None:
    Campaign.objects.create(subject=f"run {n}", first_seen_at=NOON, last_seen_at=NOON, case_count=2)


def in_campaign(n: int) -> None:
    run = Campaign.objects.first() or Campaign.objects.create(subject="run", first_seen_at=NOON, last_seen_at=NOON)
    CampaignMember.objects.create(complaint=of_case(n).complaints.get(), campaign=run, by="id")


def rise(n: int) -> None:
    told = {"metric": "complaints", "began_at": timezone.now(), "last_at": timezone.now()}
    Rise.objects.create(kind="contract", ref=make_contract(f"C-{n}").pk, value=300, usual=5, most=17, **told)


def task(n: int) -> None:
    open_task("rule", str(n), title=f"Task {n}", actor="machine", now=NOON, case=make_case(make_contract(f"C-{n}")))


def proposal(n: int) -> None:
    case = make_case(make_contract(f"C-{n}", customer=f"K-{n}"), state=CaseState.ESCALATED)
    decide_measure(
        case, MeasureKind.SUSPEND, step="x", occurrence=1, actor="bruno", reason="x", now=timezone.now(), undo=DAY
    )


def read(n: int) -> None:
    record_read(f"user{n}", AccessLog.What.SEARCH, f"search {n}", now=NOON)


def hold(n: int) -> None:
    ended = {"ended_at": NOON + (n + 1) * DAY, "ended_by": "carla"}
    Hold.objects.create(what="mail", reason="x", began_at=NOON + n * DAY, began_by="ada", **ended)


def playbook(n: int) -> None:
    PlaybookVersion.objects.create(
        name=f"book {n}", number=1, state="active", document={"name": f"book {n}", "steps": []}, created_at=NOON
    )


def reported(n: int) -> None:
    make_complaint(make_case(make_contract(f"C-{n}")), reporter="one@reporter.example")


def ruled(n: int) -> None:
    rule = Rule.objects.first() or make_rule()
    RuleChange.objects.create(rule=rule, at=NOON, actor="carla", what=RuleChange.What.values[0])
    make_complaint(answer="owner", contract=make_contract(), rule=rule, ruling="ignored")


def sender_rule(n: int) -> None:
    made = {"fields": {}, "category": "spam", "created_by": "carla", "created_at": NOON}
    SenderRule.objects.create(sender=f"s{n}@x.example", state="active", **made)


def of_one_case(n: int) -> None:
    case = Case.objects.first() or make_case(state=CaseState.TRIAGE)
    make_complaint(case, reporter=f"r{n}@reporter.example", subject=f"Watch {n}")


def letter(n: int) -> None:
    queued(Case.objects.first() or make_case(state=CaseState.NOTIFIED), occurrence=n + 1)


def of_one_mail(n: int) -> None:
    mail = Message.objects.first() or make_message(state=Reading.State.READ)
    make_complaint(of_case(n), message=mail, address=f"192.0.2.{n + 100}")


def of_one_act(n: int) -> None:
    user = User.objects.get(username="root")
    act = DeskAction.objects.first() or DeskAction.objects.create(
        user=user, kind="note", state="done", made_at=NOON, due_at=NOON, options={"text": "x"}
    )
    DeskActionCase.objects.create(action=act, case=of_case(n), stay=1, state="done")


LISTS = (
    ListPage("queue", at("/"), of_case),
    ListPage("queue", at("/?tab=mine"), assigned),
    ListPage("queue", at("/?tab=open"), about_to_be_closed),
    ListPage("queue", at("/?tab=late"), late),
    ListPage("queue", at("/?tab=closed"), closed),
    ListPage("queue", at("/?q=192.0.2.0/24"), of_case),
    ListPage("queue", at("/?part=live"), of_case),
    ListPage("bulk-result", lambda: f"/bulk/{DeskAction.objects.get().pk}", of_one_act),
    ListPage("conversation", lambda: f"/case/{Case.objects.get().pk}/conversation", letter, most=20),
    ListPage("regroup", lambda: f"/case/{Case.objects.get().pk}/regroup", of_one_case, most=20),
    ListPage("message", lambda: f"/message/{Message.objects.earliest('pk').pk}", of_one_mail, most=20),
    ListPage("customers", at("/customers"), of_case),
    ListPage("customer", lambda: f"/customers/{Contract.objects.earliest('pk').customer_id}", of_one_customer, most=14),
    ListPage("unread", at("/unread"), lambda n: make_message(str(n).encode(), state="unread")),
    ListPage("unattributed", at("/unattributed"), lonely),
    ListPage("unattributed", at("/unattributed?answer=in-vain"), in_vain),
    ListPage("not-ours", at("/not-ours"), not_ours),
    ListPage("answers", at("/answers"), answer),
    ListPage("corrections", at("/corrections"), correction),
    ListPage("corrections", at("/corrections"), decided),
    ListPage("corrections-review", review, lambda n: correction(n, because="one file"), most=20),
    ListPage("whose", at("/whose?address=192.0.2.10&at=2026-03-20T12:00:00Z&span=year"), held, most=30),
    ListPage("sender-rules", at("/sender-rules"), sender_rule),
    ListPage("blacklists", at("/blacklists"), lambda n: make_blacklist(f"list{n}")),
    ListPage("blacklist", lambda: f"/blacklists/{Blacklist.objects.get().pk}", listing),
    ListPage("campaigns", at("/campaigns"), campaign),
    ListPage("campaign", lambda: f"/campaigns/{Campaign.objects.get().pk}", in_campaign),
    ListPage("watch", at("/watch"), rise, most=20),
    ListPage("contacts", at("/contacts"), lambda n: make_contract(f"C-{n}", email="")),
    ListPage("tasks", at("/tasks"), task),
    ListPage("approvals", at("/approvals"), proposal),
    ListPage("read-log", at("/read-log"), read),
    ListPage("holds", at("/holds"), hold),
    ListPage("playbooks", at("/playbooks"), playbook),
    ListPage("reporters", at("/reporters"), lambda n: make_reporter(f"r{n}@reporter.example")),
    ListPage("reporter", lambda: f"/reporters/{Complaint.objects.latest('pk').reporter_id}", reported, most=20),
    ListPage("rules", at("/rules"), lambda n: make_rule(name=f"rule {n}")),
    ListPage("rule", lambda: f"/rules/{Rule.objects.get().pk}", ruled),
    ListPage("offenders", at("/offenders?days=7"), closed),
)
# Pages that show one thing, a form, a file, or only lead on. The case's own statements: test_case_page.py.
SINGLE = {
    "case",
    "narrow", "next", "case-more", "close", "notice-html", "message-raw", "message-file", "contract", "sender-rule",
    "ask", "tell-not-ours", "resolvers", "playbook", "playbook-yaml", "playbook-try", "playbook-about", "playbook-step",
    "enter", "priority", "rule-new", "offenders-csv",
}  # fmt: skip
