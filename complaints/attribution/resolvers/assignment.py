"""Static lines, leases and CGNAT port blocks: all are rows of Assignment, told apart by their kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import Why, decide
from complaints.attribution.lookup import Surroundings, names_of
from complaints.attribution.resolvers import Fact
from complaints.attribution.times import utc_text
from complaints.attribution.wording import nobody, owner, unsure
from complaints.models import Assignment, PrefixLength

NAME = "assignment"
RANK = 10
NOBODY = (Why.NOBODY, Why.PORT_OF_NOBODY)
SURE = (Why.HELD, *NOBODY)


def resolve(questions: Sequence[Question], around: Surroundings) -> list[Holding | None]:
    """Never None: who is not found here was "nobody". One more query where candidates must be named."""
    findings = [decide(question, around.levels(question)) for question in questions]
    doubtful = [finding for finding in findings if finding.why not in SURE]
    names = names_of(claim.contract_id for finding in doubtful for claim in finding.possible) if doubtful else {}
    holdings: list[Holding | None] = []
    for question, finding in zip(questions, findings, strict=True):
        if finding.why is Why.HELD:
            holdings.append(owner(question, finding.claims[0]))
        elif finding.why in NOBODY:
            holdings.append(nobody(question, finding.why))
        else:
            holdings.append(unsure(question, finding, names))
    return holdings


def health(*, now: datetime) -> list[Fact]:
    """Lengths in use, and the youngest row: a feed of leases that stands still shows by its age."""
    lengths = sorted(PrefixLength.objects.values_list("family", "length"))
    newest = Assignment.objects.order_by("-pk").values_list("valid_from", flat=True).first()
    if newest is None:
        return [Fact(False, "No assignment is known: import_assignments brings them")]
    words = ", ".join(f"IPv{family} /{length}" for family, length in lengths)
    return [
        Fact(True, f"Prefix lengths in use: {words}"),
        Fact(True, f"The newest assignment begins {utc_text(newest)}"),
    ]
