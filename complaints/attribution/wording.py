"""A finding in words, with method and confidence: what the desk shows and the complaint keeps. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from complaints.addresses import address_text, prefix_text
from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import (
    STRANGER,
    UNKNOWN_TIME_WINDOW,
    Claim,
    Finding,
    Why,
    has_part_of_ports,
    is_unplaced,
    missing,
)
from complaints.attribution.feeds import ASK_AGAIN, Told
from complaints.attribution.times import length_text, utc_text
from complaints.vocabulary import Answer

CONFIDENCE = {"static": 0.95, "lease": 0.9, "cgnat": 0.9}
TIME_UNKNOWN = 0.75  # factor
LONG = timedelta(days=30)  # reports are seldom that late: who has had it for so long is meant, time or no time
TIME_UNKNOWN_OF_LONG = 0.9  # factor
ROUGHLY = timedelta(hours=1)  # a time that may be off by more is worth a word, and a little confidence
TIME_ROUGH = 0.9  # factor
FEED_SILENT = 0.75  # factor: no letter is sent of itself then
HOURS = length_text(UNKNOWN_TIME_WINDOW)
MOST_NAMES = 5  # in a sentence; `candidates` has all

NO_ADDRESS_NAMED = Holding(Answer.UNSURE, reason="No address is named, so there is nothing to look up")


def outside(question: Question) -> Holding:
    return Holding(Answer.NOT_OURS, reason=f"{address_text(question.address)} is inside none of our networks")


def less_by_time(question: Question, confidence: float, *, since: datetime | None = None) -> float:
    """What is left of it when the time is not known well. since: when its holder began, if that is known."""
    if not question.at_exactly:
        is_long = since is not None and question.at - since >= LONG
        return round(confidence * (TIME_UNKNOWN_OF_LONG if is_long else TIME_UNKNOWN), 4)
    return round(confidence * TIME_ROUGH, 4) if question.slack > ROUGHLY else confidence


def owner(question: Question, claim: Claim) -> Holding:
    return Holding(
        Answer.OWNER,
        contract_id=claim.contract_id,
        method=claim.kind,
        confidence=less_by_time(question, CONFIDENCE[claim.kind], since=claim.valid_from),
        valid_from=claim.valid_from,
        valid_until=claim.valid_until,
        reason=why_owner(question, claim),
    )


def why_owner(question: Question, claim: Claim) -> str:
    until = f"until {utc_text(claim.valid_until)}" if claim.valid_until else "and still is"
    text = f"{prefix_text(claim.key)} was assigned ({claim.kind}) from {utc_text(claim.valid_from)} {until}"
    if has_part_of_ports(claim):
        text += f", with ports {claim.port_first} to {claim.port_last}: port {question.port} lies in it"
    if not question.at_exactly:
        text += f". The report gives no time: nobody else held it in the {HOURS} before it came"
    elif question.slack > ROUGHLY:
        text += f". The time may be off by {length_text(question.slack)}: nobody else held it so near to it"
    return text


def nobody(question: Question, why: Why) -> Holding:
    at = utc_text(question.at)
    if why is Why.PORT_OF_NOBODY:
        return Holding(Answer.NOBODY, reason=f"Ours and shared by ports, but nobody had port {question.port} at {at}")
    return Holding(Answer.NOBODY, reason=f"Ours, but nobody had it at {at}")


def last_held(reference: str, until: datetime) -> str:
    return f"last held by {reference} until {utc_text(until)}"


def not_yet(question: Question, now: datetime) -> Holding:
    reason = f"{utc_text(question.at)} has not happened yet: it is {utc_text(now)} now"
    return Holding(Answer.UNSURE, reason=reason, missing=("time",))


def owner_as_far_as_told(question: Question, claim: Claim, feed: Told | None) -> Holding:
    """Its feed has told nothing of that time, and not for long of any."""
    holding = owner(question, claim)
    source = f"its feed of leases ({feed.name}) has told nothing since" if feed else "no feed has told of it since"
    since = feed.until if feed else claim.said_at or claim.valid_from
    return dataclasses.replace(
        holding,
        confidence=round(holding.confidence * FEED_SILENT, 4),
        reason=f"{holding.reason}. But {source} {utc_text(since)}: it may have gone to somebody else",
    )


def not_told_yet(question: Question, claim: Claim, feed: Told, names: Mapping[int, str], now: datetime) -> Holding:
    """Its feed is behind, and goes on: asked again, it may know."""
    return Holding(
        Answer.UNSURE,
        candidates=(names[claim.contract_id],),
        candidate_ids=(claim.contract_id,),
        reason=f"{names[claim.contract_id]} had it last, but its feed of leases ({feed.name}) has told only until"
        f" {utc_text(feed.until)}: who had it at {utc_text(question.at)} is not known yet",
        again_at=now + ASK_AGAIN,
    )


def unsure(question: Question, finding: Finding, names: Mapping[int, str]) -> Holding:
    """names: references by contract id, of every contract in `finding`."""
    known = [claim.contract_id for claim in finding.possible if not is_unplaced(claim)]
    meant = sorted((names[pk], pk) for pk in known)
    return Holding(
        Answer.UNSURE,
        candidates=tuple(name for name, _ in meant),
        candidate_ids=tuple(pk for _, pk in meant),
        reason=why_unsure(question, finding, names),
        missing=missing(question, finding),
    )


def why_unsure(question: Question, finding: Finding, names: Mapping[int, str]) -> str:
    if finding.why is Why.STRANGER:
        return why_a_stranger(question, next(claim for claim in finding.possible if is_unplaced(claim)))
    at, prefix = utc_text(question.at), prefix_text(finding.possible[0].key)
    now, possible = (
        sorted(names[claim.contract_id] for claim in claims) for claims in (finding.claims, finding.possible)
    )
    if finding.why is Why.PORT_MISSING and len(now) == 1:
        return (
            f"{prefix} is shared by ports, and the report gives no source port:"
            f" {now[0]} had some of them at {at}, whose the others were is not known"
        )
    if finding.why is Why.PORT_MISSING:
        return f"{prefix} was shared by {len(now)} contracts at {at}, and the report gives no source port"
    if finding.why is Why.CONFLICT:
        what = f"{prefix}, port {question.port}," if question.port else prefix
        return f"Our data is wrong: {what} is assigned to {in_words(now)} at once at {at}"
    if finding.why is Why.CHANGED:
        window = f"The report gives no time, and in the {HOURS} before {at}"
    else:
        window = f"The time may be off by {length_text(question.slack)}, and within that around {at}"
    if not now:
        return f"{window} it was {in_words(possible, 'or')}, but nobody at that time itself"
    return f"{window} the holder changed: it could be {in_words(possible, 'or')}"


def why_a_stranger(question: Question, lease: Claim) -> str:
    until = f"until {utc_text(lease.valid_until)}" if lease.valid_until else "on"
    text = f"{prefix_text(lease.key)} was leased from {utc_text(lease.valid_from)} {until} to {lease.kind}"
    if not lease.covers(question.at):
        text += ", and the time may mean that"
    if lease.contract_id == STRANGER:
        return f"A lease of somebody unknown: {text}. No contract had this identifier; import_identifiers tells whose"
    return f"Our data is wrong: {text}, and by our assignments another contract had it"


def in_words(names: Sequence[str], conjunction: str = "and") -> str:
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], f"{len(names) - MOST_NAMES + 1} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {conjunction} {names[-1]}"


def unheard_of(question: Question) -> Holding:
    """No resolver in use knows lines."""
    return Holding(Answer.NOBODY, reason=f"{address_text(question.address)} is ours, but no source knows who has it")


def shared(question: Question, is_relay: bool) -> Holding:
    address = address_text(question.address)
    if is_relay:
        login = f", and no contract of ours has the login {in_words(question.accounts)}" if question.accounts else ""
        reason = f"{address} is a mail relay of ours, used by many: the report does not show who had logged in"
        return Holding(Answer.UNSURE, reason=reason if not login else reason.partition(":")[0] + login)
    name = f"no contract of ours has {in_words(question.names)}" if question.names else "the report names no site"
    return Holding(Answer.UNSURE, reason=f"{address} is a web server of ours with many sites, and {name}")
