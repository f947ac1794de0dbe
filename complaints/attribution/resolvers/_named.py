"""What the resolvers share that know a contract by a name: rows with times become claims, and decide() decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import PORTS, Claim, Finding, Why, decide
from complaints.attribution.lookup import names_of
from complaints.attribution.times import EARLIEST, length_text, utc_text
from complaints.attribution.wording import HOURS, in_words, less_by_time
from complaints.vocabulary import Answer

NAMES_A_STATEMENT = 5_000
Row = tuple[str, int, datetime | None, datetime | None]  # name, contract, from, until before
ANYBODY = (Why.NOBODY, Why.PORT_OF_NOBODY)


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A name that decided, as its contract has it registered, and what decide() made of it."""

    name: str
    finding: Finding


def rows_of(names: Iterable[str], ask: Callable[[list[str]], Iterable[Row]]) -> dict[str, list[Claim]]:
    """Claims by name; `ask` gets as many names at once as a statement may carry."""
    wanted, found = sorted(set(names)), dict[str, list[Claim]]()
    for start in range(0, len(wanted), NAMES_A_STATEMENT):
        for name, contract_id, since, until in ask(wanted[start : start + NAMES_A_STATEMENT]):
            found.setdefault(name, []).append(Claim(b"", contract_id, "", since or EARLIEST, until, 0, PORTS[1]))
    return found


def decide_by(question: Question, levels: Sequence[str], claims: dict[str, list[Claim]]) -> Named | None:
    """The first of the levels (names, most specific first) that somebody had then; None where nobody had any."""
    held = [(name, claims[name]) for name in levels if name in claims]
    finding = decide(question, [each for _, each in held])
    if finding.why in ANYBODY:
        return None
    name = next(name for name, each in held if finding.possible[0] in each)
    return Named(name, finding)


def answer_of(
    question: Question, found: Sequence[Named], *, method: str, confidence: float, what: str
) -> Holding | None:
    """One answer for all names that a report gave: an owner only if each of them leads to the same contract.

    what: what such a name is, as "registered site".
    """
    possible = {claim.contract_id: claim for each in found for claim in each.finding.possible}
    if not possible:
        return None
    names = names_of(possible) if len(possible) > 1 else {}
    if len(possible) == 1 and all(each.finding.why is Why.HELD for each in found):
        return owner(question, found[0], method=method, confidence=confidence, what=what)
    names = names or names_of(possible)
    return unsure(names, why_unsure(question, found, names, what))


def owner(question: Question, named: Named, *, method: str, confidence: float, what: str) -> Holding:
    claim = named.finding.claims[0]
    return Holding(
        Answer.OWNER,
        contract_id=claim.contract_id,
        method=method,
        confidence=less_by_time(question, confidence),
        valid_from=claim.valid_from if claim.valid_from > EARLIEST else None,
        valid_until=claim.valid_until,
        reason=f"{named.name} is the contract's {what} {held_when(claim)}",
    )


def held_when(claim: Claim) -> str:
    since = f"since {utc_text(claim.valid_from)}" if claim.valid_from > EARLIEST else "since ever"
    return f"{since}, {f'until {utc_text(claim.valid_until)}' if claim.valid_until else 'and still is'}"


def unsure(names: dict[int, str], reason: str) -> Holding:
    meant = sorted((name, pk) for pk, name in names.items())
    return Holding(
        Answer.UNSURE,
        candidates=tuple(name for name, _ in meant),
        candidate_ids=tuple(pk for _, pk in meant),
        reason=reason,
    )


def why_unsure(question: Question, found: Sequence[Named], names: dict[int, str], what: str) -> str:
    doubtful = next((each for each in found if each.finding.why is not Why.HELD), None)
    if doubtful is None:
        said = [f"{each.name} is a {what} of {names[each.finding.claims[0].contract_id]}" for each in found]
        return f"The report names what belongs to several contracts: {in_words(said)}"
    meant = sorted({names[claim.contract_id] for claim in doubtful.finding.possible})
    if doubtful.finding.why is Why.CONFLICT:
        return f"Our data is wrong: {doubtful.name} is a {what} of {in_words(meant)} at once"
    if doubtful.finding.why is Why.CHANGED:
        when = f"The report gives no time, and in the {HOURS} before"
    else:
        when = f"The time may be off by {length_text(question.slack)}, and within that"
    return f"{when} {doubtful.name} was a {what} of {in_words(meant, 'or')}"
