"""The words by which a case is found: read in the background, soon after something is filed. Safe to repeat.

Triggers say whose words are due (models/queue_triggers.py). A case's words are few however many complain of the same
run, so they stand once a case; a case that only got more complaints has but the words of those added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Window
from django.db.models.functions import RowNumber

from complaints.cases.word_marks import words_of
from complaints.models import Case, CaseAddress, CaseEvent, CaseText, CaseTextDue, Complaint
from complaints.vocabulary import EventKind

PORTION = 200  # cases in one transaction
YOUNGEST = 200  # complaints of a case that are read at once
MOST_WORDS, MOST_NOTES = 1_500, 50
# What a complaint is found by. Received lines and further fields of the report stand in its evidence.
FIELDS = ("id", "case_id", "subject", "resource", "evidence", "reporter__address")
MOST_EVIDENCE = 4_000  # characters


def read_words(*, most: int = 2_000) -> int:
    """Bring the words of the cases that are due up to date, `most` at once; how many there were."""
    done = 0
    while done < most and (portion := take_portion()):
        done += portion
    return done


def take_portion() -> int:
    due = list(CaseTextDue.objects.order_by("pk").values_list("pk", "case_id", "anew")[: PORTION * 5])
    cases: dict[int, bool] = {}
    taken = []
    for pk, case, anew in due:
        if case not in cases and len(cases) == PORTION:
            continue
        cases[case] = cases.get(case, False) or anew
        taken.append(pk)
    if not cases:
        return 0
    texts = fresh_texts(cases)
    with transaction.atomic():
        if CaseTextDue.objects.filter(pk__in=taken).delete()[0] < len(taken):
            transaction.set_rollback(True)  # somebody else has just read some of them: the rest comes again
            return 0
        CaseText.objects.bulk_create(
            texts, update_conflicts=True, update_fields=["words", "upto"], unique_fields=["case"]
        )
    forget_addresses([case for case, anew in cases.items() if anew])
    return len(cases)


def fresh_texts(cases: dict[int, bool]) -> list[CaseText]:
    """The words of each case as they are now."""
    found = Case.objects.select_related("contract__customer").in_bulk(cases)
    known = {t.case_id: t for t in CaseText.objects.filter(case__in=[pk for pk, anew in cases.items() if not anew])}
    from_scratch = [pk for pk in found if pk not in known]
    notes = notes_of(from_scratch)
    complaints = youngest(Q(case__in=from_scratch) | Q(case__in=list(known), pk__gt=F("case__text__upto")))
    return [
        text_of(case, known.get(pk), notes.get(pk, []), complaints.get(pk, [])) for pk, case in sorted(found.items())
    ]


def youngest(which: Q) -> dict[int, list[Any]]:
    """The columns FIELDS of the youngest complaints of each case, the youngest first."""
    place = Window(RowNumber(), partition_by=[F("case")], order_by=F("pk").desc())
    rows = Complaint.objects.filter(which).annotate(place=place).filter(place__lte=YOUNGEST)
    found: dict[int, list[Any]] = {}
    for row in rows.order_by("-pk").values_list(*FIELDS):
        found.setdefault(row[1], []).append(row)
    return found


def text_of(case: Case, known: CaseText | None, notes: list[str], complaints: list[Any]) -> CaseText:
    words = dict.fromkeys(known.words.split(" ") if known and known.words else case_words(case, notes))
    for row in complaints:
        if len(words) >= MOST_WORDS:
            break
        words |= dict.fromkeys(complaint_words(*row[2:]))
    upto = complaints[0][0] if complaints else known.upto if known else 0
    return CaseText(case=case, words=" ".join(list(words)[:MOST_WORDS]), upto=upto)


def case_words(case: Case, notes: Iterable[str]) -> Iterator[str]:
    owner, contract = case.owner, case.contract
    names = [contract.customer.name, str(owner.get("customer_name", ""))]
    yield from (f"c:{word}" for name in names for word in words_of(name))
    references = [contract.customer.reference, contract.reference, contract.product, contract.brand]
    people = [str(owner.get(key, "")) for key in ("contact_name", "contact_email")]
    for text in [case.number, *names, *references, *people, *notes]:
        yield from words_of(text)


def complaint_words(subject: str, resource: str, evidence: object, reporter: str | None) -> Iterator[str]:
    if reporter:
        yield f"r:{reporter.lower()}"
    for text in (subject, resource, reporter or "", " ".join(texts_in(evidence))[:MOST_EVIDENCE]):
        yield from words_of(text)


def texts_in(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)


def notes_of(cases: list[int]) -> dict[int, list[str]]:
    rows = CaseEvent.objects.filter(case__in=cases, kind=EventKind.NOTE).order_by("-at")
    notes: dict[int, list[str]] = {}
    for case, data in rows.values_list("case_id", "data"):
        kept = notes.setdefault(case, [])
        if len(kept) < MOST_NOTES:
            kept.append(str(data.get("text", ""))[:MOST_EVIDENCE])
    return notes


def forget_addresses(cases: list[int]) -> None:
    """Addresses that no complaint of these cases names any more."""
    named = Complaint.objects.filter(case=OuterRef("case"), address=OuterRef("address"))
    CaseAddress.objects.filter(~Exists(named), case__in=cases).delete()
