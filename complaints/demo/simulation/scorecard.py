"""The product's rows held against the truth: what went right, what went wrong, and the worst of it by name."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import zip_longest
from statistics import median
from typing import Any

from complaints.addresses import address_text
from complaints.cases.states import TURNS, Turn
from complaints.cases.transitions import MACHINE
from complaints.demo.simulation.troubles import ALSO, Trouble
from complaints.demo.simulation.truth import Read, Told
from complaints.demo.simulation.world import World
from complaints.models import Case, CaseEvent, Complaint, DeskTask, Reading, ReporterAnswer
from complaints.playbooks.facts import PLAYBOOK_TASK
from complaints.vocabulary import Answer, CaseState, EventKind, Resolution

FIXED = (Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE)
DESK = {state for state, turn in TURNS.items() if turn is Turn.ANALYST}
# What is right to say of a case that is nobody's fault: noise.NOISE. Of lies and slips there is nothing right to say.
INNOCENT_CAUSES = {"forged": "forged", "forwarded": "forwarded", "newsletter": "bulk_mail"}
IN_WORDS = "words"  # the style of a source that sends no mail and no log along
WORST = 20  # of each kind, by --explain
A_DAY = timedelta(days=1)
A_GLANCE = timedelta(minutes=1)  # nobody is asked for anything in it


@dataclasses.dataclass(slots=True)
class Card:
    """numbers: the scorecard. worst: by kind, the truth beside what the product did."""

    numbers: dict[str, Any]
    worst: dict[str, list[dict[str, Any]]]


def judge(world: World) -> Card:
    judged = Judge(world)
    return Card(judged.numbers(), {kind: rows[:WORST] for kind, rows in judged.worst.items()})


class Judge:
    def __init__(self, world: World) -> None:
        self.world, self.plan = world, world.plan
        self.worst: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.cases = {case.pk: case for case in Case.objects.select_related("contract").order_by("pk")}
        self.by_number = {case.number: case for case in self.cases.values()}
        self.rows = rows_by_message()
        self.readings = dict(Reading.objects.values_list("pk", "state"))
        self.dispositions = dict(Reading.objects.values_list("pk", "disposition"))
        self.found: dict[int, tuple[Told, Any]] = {}  # by complaint id
        self.troubles_of_case: dict[int, set[int]] = defaultdict(set)
        self.innocent_causes: dict[int, set[str]] = defaultdict(set)
        self.shown: set[int] = set()  # cases with a complaint that shows more than words
        self.sources_of_case: dict[int, set[str | None]] = defaultdict(set)

    def numbers(self) -> dict[str, Any]:
        lost = self.find_complaints()
        attributions = self.attributions()
        cases = self.case_numbers()
        return {
            "seed": self.plan.seed,
            "days": self.plan.days,
            "customers": self.plan.customers,
            "sources": self.plan.sources,
            "complaints": len(self.world.truth.told),
            "complaints_lost": lost,
            "attributions": attributions,
            "causes": self.causes(),
            "notices": self.notices(),
            "cases": cases,
            "untouched_share": self.untouched_share(),
            "human_items_per_1000": self.human_items_per_1000(),
            "human_items": self.human_items(),
            "hours": self.hours(),
        }

    # -- complaints

    def find_complaints(self) -> int:
        """Match what was sent with what was filed. Returns how many are neither filed nor shown as unread."""
        lost = 0
        groups: dict[int | None, list[Told]] = defaultdict(list)
        for told in self.world.truth.told:
            groups[told.message].append(told)
        for message, sent in groups.items():
            rows = list(self.rows.get(message or 0, ()))
            for told in sorted(sent, key=lambda each: each.abuse.at):
                row = next((row for row in rows if row["address_text"] == told.accused), None)
                row = row or (rows[0] if rows and len(sent) == 1 else None)
                if row:
                    rows.remove(row)
                    self.found[row["id"]] = (told, row)
                    if row["case"]:
                        self.sources_of_case[row["case"]].add(told.abuse.contract)
                        self.note_truth(row["case"], told)
                elif self.readings.get(message or 0) != Reading.State.UNREAD:
                    lost += 1
                    self.note("lost", told, disposition=self.dispositions.get(message or 0))
        return lost

    def note_truth(self, case: int, told: Told) -> None:
        """A complaint that names the wrong line says nothing of that line's trouble."""
        trouble = self.world.troubles[told.abuse.trouble - 1] if told.abuse.trouble else None
        if told.source.style != IN_WORDS:
            self.shown.add(case)
        if trouble is None:
            self.innocent_causes[case].add(INNOCENT_CAUSES.get(told.kind, ""))
        elif trouble.customer.contract == self.cases[case].contract.reference:
            self.troubles_of_case[case].add(trouble.number)

    def attributions(self) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        why: Counter[str] = Counter()
        for told, row in self.found.values():
            named = row["contract__reference"] if row["answer"] == Answer.OWNER else None
            if row["address_text"] != told.accused:  # the product believed a Received line instead
                holder = self.world.book.holder(row["address_text"], told.abuse.at, told.abuse.port)
            else:
                holder = told.holder
            if named is None:
                counts["withheld" if holder else "right"] += 1
                if holder:
                    why[self.why_withheld(told, row)] += 1
            elif named == holder:
                counts["right"] += 1
            else:
                counts["wrong"] += 1
                self.note("wrong_owner", told, **shown(row, named, holder), seen_at=told_time(row["seen_at"]))
        return {name: counts[name] for name in ("right", "wrong", "withheld")} | {
            "withheld_share": share(counts["withheld"], counts.total()),
            "withheld_why": dict(why.most_common()),
        }

    def why_withheld(self, told: Told, row: dict[str, Any]) -> str:
        reason = str(row["attribution"].get("reason", ""))
        shared = told.port is None and "shared" in reason
        if shared:
            return "port missing"
        if row["answer"] == Answer.NOBODY:
            return "nobody held it then, by the desk's books"
        if "no time" in reason:
            return "no time"
        return "two holders within what the time may be off" if row["answer"] == Answer.UNSURE else row["answer"]

    # -- cases

    def trouble_then(self, case: Case, at: datetime) -> Trouble | None:
        return self.world.trouble_of(case.contract.reference, at)

    def causes(self) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        for case in self.cases.values():
            true = self.true_causes(case)
            if case.state != CaseState.CLOSED or not true:
                continue
            verdict = "unknown" if case.cause == "unknown" else "right" if case.cause in true else "wrong"
            if verdict == "unknown" and not self.troubles_of_case[case.pk] and case.pk not in self.shown:
                counts["unknowable"] += 1
                continue
            counts[verdict] += 1
            if verdict != "right":
                self.note_case("cause_" + verdict, case, true=sorted(true), reasons=case.cause_reasons[:3])
        known = {name: counts[name] for name in ("right", "wrong", "unknown")}
        right_share = share(counts["right"], sum(known.values()))
        return known | {"unknowable": counts["unknowable"], "right_share": right_share}

    def true_causes(self, case: Case) -> set[str]:
        """Of the trouble; where there was none, of what was complained about. Empty: nobody could say."""
        found = {self.world.troubles[number - 1].cause for number in self.troubles_of_case[case.pk]}
        if found:
            return found | {ALSO[cause, case.category] for cause in found if (cause, case.category) in ALSO}
        innocent = self.innocent_causes[case.pk]
        return set() if "" in innocent else innocent

    def case_numbers(self) -> dict[str, Any]:
        closed = [case for case in self.cases.values() if case.state == CaseState.CLOSED]
        fixed = [case for case in closed if case.resolution in FIXED]
        broken = [case for case in fixed if case.closed_at and self.is_broken(case, case.closed_at)]
        for case in broken:
            self.note_case("closed_while_broken", case, closed_at=told_time(case.closed_at))
        missed = self.missed()
        problems = len(self.true_problems())
        return {
            "opened": len(self.cases),
            "closed_fixed": len(fixed),
            "closed_while_broken": len(broken),
            "missed": len(missed),
            "problems": problems,
            "missed_share": share(len(missed), problems),
            "closed_otherwise": dict(Counter(case.resolution for case in closed if case.resolution not in FIXED)),
            "open": dict(Counter(case.state for case in self.cases.values() if case.state != CaseState.CLOSED)),
        }

    def is_broken(self, case: Case, at: datetime) -> bool:
        trouble = self.trouble_then(case, at)
        return trouble is not None and trouble.number in self.troubles_of_case[case.pk]

    def true_problems(self) -> list[Trouble]:
        """Those about which somebody complained, a day or more before the end."""
        late = self.plan.end - A_DAY
        return [each for each in self.world.troubles if each.first_told and each.first_told < late]

    def missed(self) -> list[Trouble]:
        known = {number for numbers in self.troubles_of_case.values() for number in numbers}
        told_of = {told.abuse.trouble for told, _ in self.found.values()}
        found = [each for each in self.true_problems() if each.number not in known]
        for trouble in found:
            answers = Counter(
                row["answer"] for told, row in self.found.values() if told.abuse.trouble == trouble.number
            )
            self.worst["missed"].append(
                {"trouble": trouble.number, "contract": trouble.customer.contract, "kind": trouble.customer.kind.value,
                 "cause": trouble.cause, "complaints": trouble.told, "answers": dict(answers),
                 "found": trouble.number in told_of}
            )  # fmt: skip
        return found

    # -- notices

    def notices(self) -> dict[str, Any]:
        wrong, needless = [], []
        for mail in self.world.truth.read:
            case = self.by_number.get(mail.case)
            if case is None:
                continue
            if mail.contract not in self.sources_of_case[case.pk] | self.sources_then(mail):
                wrong.append((mail, case))
            elif not mail.had_recent_trouble:
                needless.append((mail, case))
        misled = [each for each in wrong if self.was_misled(*each)]
        wrong = [each for each in wrong if each not in misled]
        for mail, case in wrong:
            self.note_notice("notice_to_wrong_customer", mail, case)
        for mail, case in misled:
            self.note_notice("notice_misled_by_books", mail, case)
        for mail, case in needless:
            self.note_notice("needless_notice", mail, case)
        return {
            "sent": len(self.world.truth.read),
            "wrong_customer": len(wrong),
            "misled_by_books": len(misled),
            "needless": len(needless),
        }

    def sources_then(self, mail: Read) -> set[str | None]:
        """Whose lines did what the case was about when the mail came; a correction may have taken it away since."""
        return {told.abuse.contract for told in self.world.truth.told if told.message in mail.about}

    def was_misled(self, mail: Read, case: Case) -> bool:
        """The ISP's own books still named that contract when the mail went, and the desk took it back when it was told:
        the case has no complaint any more."""
        if case.complaint_count or mail.contract is None:
            return False
        book, told_of = self.world.book, self.world.truth.told
        return any(
            told.holder != mail.contract and told.sent_at <= mail.at
            and self.world.feed.holder_as_told(
                book.around(told.accused), told.abuse.at, told.port, mail.at
            ) == mail.contract
            for told in told_of
        )  # fmt: skip

    # -- people

    def stays_at_desk(self) -> Counter[int]:
        """By case: how often it was a person's turn, or a person was asked to do something about it."""
        asked = (task.case_id for task in self.tasks() if task.case_id)
        return Counter(event.case_id for event in self.moves_to_desk()) + Counter(asked)

    def tasks(self) -> list[DeskTask]:
        return list(DeskTask.objects.filter(kind=PLAYBOOK_TASK).order_by("pk"))

    def moves_to_desk(self) -> list[CaseEvent]:
        """But those that the machine itself took on in that very moment: nobody saw them."""
        moves: dict[int, list[CaseEvent]] = defaultdict(list)
        for event in CaseEvent.objects.filter(kind=EventKind.MOVED).order_by("pk"):
            moves[event.case_id].append(event)
        return [
            event
            for of_case in moves.values()
            for event, then in zip_longest(of_case, of_case[1:])
            if event.data.get("to") in DESK and not is_passed_on(event, then)
        ]

    def untouched_share(self) -> float:
        """Of the closed cases, and of those that wait for a person now: how many never were a person's turn."""
        stays = self.stays_at_desk()
        done = [case for case in self.cases.values() if case.state in (CaseState.CLOSED, CaseState.ESCALATED, *DESK)]
        return share(sum(not stays[case.pk] for case in done), len(done))

    def human_items(self) -> dict[str, int]:
        """By what asked for a person, and why."""
        items = Counter(f"{event.data['to']}: {event.data['reason']}" for event in self.moves_to_desk())
        items.update(f"task: {task.title}" for task in self.tasks())
        items["unread mail"] = sum(state == Reading.State.UNREAD for state in self.readings.values())
        items["unclear answer of a reporter"] = ReporterAnswer.objects.filter(
            state=ReporterAnswer.State.UNCLEAR
        ).count()
        items["correction to confirm"] = self.world.truth.corrections
        return dict(items.most_common())

    def human_items_per_1000(self) -> float:
        return round(1000 * sum(self.human_items().values()) / max(1, len(self.world.truth.told)), 1)

    def hours(self) -> dict[str, float | None]:
        first: dict[int, datetime] = {}
        for told, row in self.found.values():
            if row["case"]:
                first[row["case"]] = min(first.get(row["case"], told.sent_at), told.sent_at)
        noticed: dict[int, datetime] = {}
        for mail in self.world.truth.read:
            case = self.by_number.get(mail.case)
            if case is not None:
                noticed.setdefault(case.pk, mail.at)
        to_notice = [hours_between(first[pk], at) for pk, at in noticed.items() if pk in first]
        to_fix = [
            hours_between(first[case.pk], case.closed_at)
            for case in self.cases.values()
            if case.resolution in FIXED and case.closed_at and case.pk in first
        ]
        return {"to_notice": middle(to_notice), "to_fix": middle(to_fix)}

    # -- what --explain shows

    def note(self, kind: str, told: Told, **more: Any) -> None:
        source = told.source
        self.worst[kind].append(
            {"message": told.message, "kind": told.kind, "style": source.style,
             "clock_off_s": source.skew.total_seconds(), "zone": source.zone,
             "accused": told.accused, "port_told": told.port, "true_port": told.abuse.port,
             "true_at": told_time(told.abuse.at), "true_holder": told.holder, **more}
        )  # fmt: skip

    def note_case(self, kind: str, case: Case, **more: Any) -> None:
        troubles = [self.world.troubles[number - 1] for number in sorted(self.troubles_of_case[case.pk])]
        truth = [
            {"cause": t.cause, "began": told_time(t.began), "ended": told_time(t.ended), "habit": t.customer.habit}
            for t in troubles
        ]
        self.worst[kind].append(
            {"case": case.number, "contract": case.contract.reference, "category": case.category, "cause": case.cause,
             "state": case.state, "resolution": case.resolution, "truth": truth, **more}
        )  # fmt: skip

    def note_notice(self, kind: str, mail: Read, case: Case) -> None:
        told = [
            {"kind": told.kind, "style": told.source.style, "signed": told.source.signed, "true": told.abuse.contract}
            for told, row in self.found.values()
            if row["case"] == case.pk
        ]
        self.worst[kind].append(
            {"case": case.number, "step": mail.step, "to": mail.contract, "cause": case.cause,
             "confidence": case.cause_confidence, "complaints": told[:6]}
        )  # fmt: skip


def is_passed_on(event: CaseEvent, then: CaseEvent | None) -> bool:
    return then is not None and then.actor == MACHINE and then.at - event.at <= A_GLANCE


def rows_by_message() -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    columns = ("message", "address", "port", "seen_at", "answer", "contract__reference", "case", "attribution")
    for row in Complaint.objects.order_by("seen_at", "pk").values("id", *columns):
        found[row["message"]].append(row | {"address_text": address_text(bytes(row["address"]))})
    return found


def shown(row: dict[str, Any], named: str, holder: str | None) -> dict[str, Any]:
    return {"complaint": row["id"], "named": named, "should_be": holder, "case": row["case"],
            "reason": row["attribution"].get("reason")}  # fmt: skip


def told_time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def hours_between(one: datetime, other: datetime) -> float:
    return (other - one).total_seconds() / 3600


def middle(values: Iterable[float]) -> float | None:
    found = sorted(values)
    return round(median(found), 1) if found else None


def share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
