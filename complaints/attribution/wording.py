"""A finding in words, with method and confidence: what the desk shows and the complaint keeps. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from complaints.addresses import address_text, prefix_text
from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import UNKNOWN_TIME_WINDOW, Claim, Finding, Why
from complaints.attribution.times import utc_text
from complaints.vocabulary import Answer

ALL_PORTS = (0, 65535)
CONFIDENCE = {"static": 0.95, "lease": 0.9, "cgnat": 0.9}
SHARED_BUT_NO_PORT = 0.8  # a shared address of which only one contract's ports are known to us
TIME_UNKNOWN = 0.75  # factor
HOURS = f"{UNKNOWN_TIME_WINDOW.total_seconds() / 3600:g} hours"

NO_ADDRESS_NAMED = Holding(Answer.UNSURE, reason="No address is named, so there is nothing to look up")


def outside(question: Question) -> Holding:
    return Holding(Answer.NOT_OURS, reason=f"{address_text(question.address)} is inside none of our networks")


def owner(question: Question, claim: Claim) -> Holding:
    confidence = CONFIDENCE[claim.kind]
    if ports_of(claim) != ALL_PORTS and not question.port:
        confidence = SHARED_BUT_NO_PORT
    if not question.at_exactly:
        confidence = round(confidence * TIME_UNKNOWN, 4)
    return Holding(
        Answer.OWNER,
        contract_id=claim.contract_id,
        method=claim.kind,
        confidence=confidence,
        valid_from=claim.valid_from,
        valid_until=claim.valid_until,
        reason=why_owner(question, claim),
    )


def why_owner(question: Question, claim: Claim) -> str:
    until = f"until {utc_text(claim.valid_until)}" if claim.valid_until else "and still is"
    text = f"{prefix_text(claim.key)} was assigned ({claim.kind}) from {utc_text(claim.valid_from)} {until}"
    if ports_of(claim) != ALL_PORTS:
        port = f"port {question.port} lies in it" if question.port else "no port is given, but nobody else shared it"
        text += f", with ports {claim.port_first} to {claim.port_last}: {port}"
    if not question.at_exactly:
        text += f". The report gives no time: nobody else held it in the {HOURS} before it came"
    return text


def nobody(question: Question, why: Why, last: tuple[Claim, str] | None) -> Holding:
    """last: the claim that ended last before the question, with its contract's reference."""
    at = utc_text(question.at)
    if why is Why.PORT_OF_NOBODY:
        return Holding(Answer.NOBODY, reason=f"Ours and shared by ports, but nobody had port {question.port} at {at}")
    text = f"Ours, but nobody had it at {at}"
    if last is not None and last[0].valid_until is not None:
        text += f"; last held by {last[1]} until {utc_text(last[0].valid_until)}"
    return Holding(Answer.NOBODY, reason=text)


def unsure(question: Question, finding: Finding, names: Mapping[int, str]) -> Holding:
    """names: references by contract id, of every contract in `finding`."""
    meant = sorted((names[claim.contract_id], claim.contract_id) for claim in finding.claims)
    candidates = tuple(name for name, _ in meant)
    return Holding(
        Answer.UNSURE,
        candidates=candidates,
        candidate_ids=tuple(pk for _, pk in meant),
        reason=why_unsure(question, finding, candidates),
    )


def why_unsure(question: Question, finding: Finding, candidates: tuple[str, ...]) -> str:
    at, prefix = utc_text(question.at), prefix_text(finding.claims[0].key)
    if finding.why is Why.PORT_MISSING:
        return f"{prefix} was shared by {len(candidates)} contracts at {at}, and the report gives no source port"
    if finding.why is Why.CONFLICT:
        what = f"{prefix}, port {question.port}," if question.port else prefix
        return f"Our data is wrong: {what} is assigned to {in_words(candidates)} at once at {at}"
    meant = in_words(candidates, "or")
    return f"The report gives no time, and in the {HOURS} before {at} the holder changed: it could be {meant}"


def in_words(names: tuple[str, ...], conjunction: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {conjunction} {names[-1]}"


def ports_of(claim: Claim) -> tuple[int, int]:
    return claim.port_first, claim.port_last
