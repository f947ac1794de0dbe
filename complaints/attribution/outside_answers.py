"""What an outside source said of who held an address: kept for the times it spoke of, and put into an answer."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from complaints.adapters.lease_service import ALL_PORTS, Held
from complaints.addresses import MAPPED, address_text
from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import Claim, Finding, Stretch, Why, decide, without
from complaints.attribution.times import utc_text
from complaints.attribution.wording import less_by_time, unsure
from complaints.models import Contract, ResolverAnswer
from complaints.vocabulary import Answer

METHOD = "external"
ROWS_A_STATEMENT = 5_000


class Span(NamedTuple):
    """What is asked: who held it, at any moment of the stretch."""

    address: bytes
    port: int | None
    stretch: Stretch


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A holder by his contract's reference. known_until: of a holding that goes on, when that was said."""

    contract: str
    confidence: float
    claim: Claim  # its contract_id says nothing
    known_until: datetime | None = None

    @classmethod
    def of(cls, span: Span, held: Held) -> Row:
        claim = claim_on(span.address, held.valid_from, held.valid_until, held.port_first, held.port_last)
        return cls(held.contract, held.confidence, claim)


def claim_on(address: bytes, since: datetime, until: datetime | None, first: int, last: int) -> Claim:
    """Of one address: its prefix is as long as it is."""
    packed = address[12:] if address[:12] == MAPPED else address
    return Claim(bytes((len(packed) * 8,)) + packed, 0, METHOD, since, until, first, last)


def look_up(spans: Sequence[Span]) -> dict[Span, list[Row]]:
    """Of each span whose every moment was answered before, who held it then."""
    kept: dict[bytes, list[Row]] = defaultdict(list)
    for row in rows_within(spans):
        kept[bytes(row.address)].append(as_row(row))
    found = {span: on_port(kept.get(span.address, ()), span) for span in spans}
    return {span: rows for span, rows in found.items() if rows and is_answered(span, rows)}


def as_row(row: ResolverAnswer) -> Row:
    until = row.valid_until if row.ends else None
    claim = claim_on(bytes(row.address), row.valid_from, until, row.port_first, row.port_last)
    return Row(row.contract, row.confidence, claim, row.valid_until)


def on_port(rows: Sequence[Row], span: Span) -> list[Row]:
    """Without a port only who had all of them says all, and nobody does where another had some of them."""
    if span.port:
        return [row for row in rows if row.claim.port_first <= span.port <= row.claim.port_last]
    near = [row for row in rows if row.claim.touches(span.stretch)]
    return near if all((row.claim.port_first, row.claim.port_last) == ALL_PORTS for row in near) else []


def is_answered(span: Span, rows: Sequence[Row]) -> bool:
    known = [row.claim._replace(valid_until=row.known_until) for row in rows]
    return not without([span.stretch], known)


def keep(found: Mapping[Span, list[Row]], *, now: datetime) -> None:
    """Let what was said take the place of what was said before about the same times and ports."""
    rows = {
        (span.address, row.claim.valid_from, row.claim.port_first, row.contract): ResolverAnswer(
            address=span.address,
            port_first=row.claim.port_first,
            port_last=row.claim.port_last,
            contract=row.contract,
            valid_from=row.claim.valid_from,
            valid_until=known_until(row, now),
            ends=row.claim.valid_until is not None and row.claim.valid_until <= now,
            confidence=row.confidence,
        )
        for span, answer in found.items()
        for row in answer
        if row.claim.valid_from < known_until(row, now)
    }
    outdated = overlapping(list(found)) if found else []
    if not rows and not outdated:
        return
    with transaction.atomic():
        for start in range(0, len(outdated), ROWS_A_STATEMENT):
            ResolverAnswer.objects.filter(pk__in=outdated[start : start + ROWS_A_STATEMENT]).delete()
        ResolverAnswer.objects.bulk_create(
            list(rows.values()),
            batch_size=500,
            update_conflicts=True,
            unique_fields=["address", "valid_from", "port_first", "contract"],
            update_fields=["port_last", "valid_until", "ends", "confidence"],
        )


def known_until(row: Row, now: datetime) -> datetime:
    """An end that has not come yet is when a lease runs out, and the line may change hands before."""
    return min(row.claim.valid_until or now, now)


def overlapping(spans: Sequence[Span]) -> list[int]:
    """Rows that speak of times and ports of these spans."""
    asked: dict[bytes, list[Span]] = defaultdict(list)
    for span in spans:
        asked[span.address].append(span)
    return [row.pk for row in rows_within(spans) if any(speaks_of(row, span) for span in asked[bytes(row.address)])]


def speaks_of(row: ResolverAnswer, span: Span) -> bool:
    since, until = span.stretch
    on_port = span.port is None or row.port_first <= span.port <= row.port_last
    return on_port and row.valid_from < until and since < row.valid_until


def rows_within(spans: Sequence[Span]) -> Iterator[ResolverAnswer]:
    """Of their addresses, and of the time in which all of them lie."""
    addresses = list({span.address for span in spans})
    since, until = min(span.stretch[0] for span in spans), max(span.stretch[1] for span in spans)
    for start in range(0, len(addresses), ROWS_A_STATEMENT):
        portion = addresses[start : start + ROWS_A_STATEMENT]
        yield from ResolverAnswer.objects.filter(address__in=portion, valid_from__lt=until, valid_until__gt=since)


def holdings(
    asked: Sequence[tuple[Question, list[Row] | None, Holding | None]], *, again_at: datetime
) -> list[Holding | None]:
    """asked: each question with what is known of its span, or else why it is not.

    again_at: when to ask again about a contract that the desk does not know yet.
    """
    ids = ids_of({row.contract for _, rows, _ in asked for row in rows or ()})
    return [
        holding_of(question, rows, ids, again_at) if rows is not None else failure for question, rows, failure in asked
    ]


def ids_of(references: set[str]) -> dict[str, int]:
    """Of the contracts that the desk knows."""
    wanted, found = sorted(references), dict[str, int]()
    for start in range(0, len(wanted), ROWS_A_STATEMENT):
        known = Contract.objects.filter(reference__in=wanted[start : start + ROWS_A_STATEMENT])
        found |= dict(known.values_list("reference", "pk"))
    return found


def holding_of(question: Question, rows: Sequence[Row], ids: Mapping[str, int], again_at: datetime) -> Holding:
    numbers = {row.contract: ids.get(row.contract, -place) for place, row in enumerate(rows, start=1)}
    claims = {row.claim._replace(contract_id=numbers[row.contract]): row for row in rows}
    finding = decide(question, [list(claims)])
    strangers = sorted({claims[claim].contract for claim in finding.possible if claim.contract_id < 0})
    if strangers:
        reason = f"The outside source names a contract that the desk does not know: {', '.join(strangers)[:300]}"
        return Holding(Answer.UNSURE, reason=reason, again_at=again_at)
    if finding.why is Why.HELD:
        return owner(question, finding.claims[0], claims[finding.claims[0]])
    if finding.why in (Why.NOBODY, Why.PORT_OF_NOBODY):
        return nobody(question, finding)
    return unsure(question, finding, {number: name for name, number in numbers.items()})


def owner(question: Question, claim: Claim, row: Row) -> Holding:
    until = f"until {utc_text(claim.valid_until)}" if claim.valid_until else "and still did"
    return Holding(
        Answer.OWNER,
        contract_id=claim.contract_id,
        method=METHOD,
        confidence=less_by_time(question, row.confidence),
        valid_from=claim.valid_from,
        valid_until=claim.valid_until,
        reason=f"The outside source says that {row.contract} had {address_text(question.address)}"
        f" from {utc_text(claim.valid_from)} {until}",
    )


def nobody(question: Question, finding: Finding) -> Holding:
    port = f" port {question.port}" if finding.why is Why.PORT_OF_NOBODY else ""
    reason = f"Ours, but the outside source knows nobody who had{port or ' it'} at {utc_text(question.at)}"
    return Holding(Answer.NOBODY, reason=reason)
