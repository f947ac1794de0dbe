"""Ask attribution again about stored complaints, and keep the history of what it said. Moves nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet

from complaints.attribution import Holding, attribute
from complaints.attribution.records import answer_record
from complaints.cases.accusations import answer_columns
from complaints.cases.questions import question_of
from complaints.models import Complaint, Contract, Reattribution
from complaints.models.text import storable
from complaints.vocabulary import Answer


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A stored complaint, as it was loaded, and what attribution says of it now."""

    complaint: Complaint
    holding: Holding

    @property
    def is_news(self) -> bool:
        """Anything at all differs, if only the reason in words."""
        return answer_columns(self.holding) != answer_columns(stored_holding(self.complaint))

    @property
    def means_others(self) -> bool:
        """Other people are meant than before: a line of history."""
        was, now = stored_holding(self.complaint), self.holding
        return (was.answer, was.contract_id, was.candidates) != (now.answer, now.contract_id, now.candidates)

    @property
    def accuses_another(self) -> bool:
        """The contract that the complaint stands against would be another one, or none. Unknown now is no answer."""
        same = (self.complaint.answer, self.complaint.contract_id) == (self.holding.answer, self.holding.contract_id)
        return not same and self.holding.again_at is None


def ask(complaints: Sequence[Complaint]) -> list[Asked]:
    holdings = attribute([question_of(complaint) for complaint in complaints])
    return [Asked(complaint, holding) for complaint, holding in zip(complaints, holdings, strict=True)]


def with_contracts(complaints: QuerySet[Complaint]) -> QuerySet[Complaint]:
    """What asking and its history need of each row."""
    return complaints.select_related("contract__customer").order_by("pk")


def stored_holding(complaint: Complaint) -> Holding:
    return Holding(
        Answer(complaint.answer),
        contract_id=complaint.contract_id,
        method=complaint.method,
        confidence=complaint.confidence,
        valid_from=complaint.valid_from,
        valid_until=complaint.valid_until,
        candidates=tuple(complaint.attribution.get("candidates", ())),
        reason=complaint.attribution.get("reason", ""),
        missing=tuple(complaint.attribution.get("missing", ())),
    )


def history_rows(
    asked: Iterable[Asked], *, state: Reattribution.State, because: str, actor: str, now: datetime
) -> list[Reattribution]:
    """Unsaved rows, one each, with the answers before and after."""
    asked = list(asked)
    wanted = {each.holding.contract_id for each in asked if each.holding.contract_id}
    contracts = Contract.objects.select_related("customer").in_bulk(wanted) if wanted else {}
    return [
        Reattribution(
            complaint=each.complaint,
            state=state,
            because=storable(because, 200),
            before=answer_record(stored_holding(each.complaint), each.complaint.contract),
            after=answer_record(each.holding, contracts.get(each.holding.contract_id or 0)),
            from_contract_id=each.complaint.contract_id,
            to_contract_id=each.holding.contract_id,
            from_case_id=each.complaint.case_id,
            proposed_at=now,
            proposed_by=storable(actor, 150),
            decided_at=None if state == Reattribution.State.PROPOSED else now,
            decided_by="" if state == Reattribution.State.PROPOSED else storable(actor, 150),
        )
        for each in asked
    ]
