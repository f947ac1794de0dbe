"""Hosting contracts by their names: whose the site is, where an address is nobody's alone or not named.

The most specific registered name wins: of shop.brenn.example, then brenn.example, and nothing above what somebody can
register (Public Suffix List). Where the address names a line's owner and the site is another contract's, either may be
meant, and nobody is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from publicsuffixlist import PublicSuffixList

from complaints.attribution.answers import Holding, Question
from complaints.attribution.lookup import Surroundings, names_of
from complaints.attribution.resolvers import Fact, Place
from complaints.attribution.resolvers._named import Named, Row, answer_of, decide_by, rows_of, unsure
from complaints.attribution.wording import in_words
from complaints.models import HostedName
from complaints.vocabulary import Answer

NAME = "domain"
RANK = 40
PLACES = frozenset({Place.LINE, Place.WEB_SERVER, Place.OUTSIDE, Place.NO_ADDRESS})
WHAT = "registered site"
CONFIDENCE = 0.9  # on a web server of ours
ADDRESS_SAYS_NOTHING = 0.8  # none is named, or nobody has it
NOT_AT_OURS = 0.6  # the name is a customer's, but the content lies elsewhere
MOST_LEVELS = 10  # of one name


def resolve(questions: Sequence[Question], around: Surroundings) -> list[Holding | None]:
    return [
        doubtful(question, found)
        or answer_of(question, found, method=NAME, confidence=confidence_at(question, around), what=WHAT)
        for question, found in zip(questions, found_for(questions), strict=True)
    ]


def doubtful(question: Question, found: Sequence[Named]) -> Holding | None:
    """A report that names a site of ours beside one of nobody's: a page and what it imitates, or what it links to."""
    if not found or len(found) == len(question.names):
        return None
    names = names_of(claim.contract_id for each in found for claim in each.finding.possible)
    sites = in_words(sorted({each.name for each in found}))
    reason = f"{sites} is a {WHAT} of {in_words(sorted(names.values()))}, but the report names other sites too"
    return unsure(names, f"{reason}, which no contract of ours has")


def review(pairs: Sequence[tuple[Question, Holding | None]], around: Surroundings) -> list[Holding | None]:
    """Doubts an owner whom the address or the login named, where the site is another contract's."""
    doubted = [
        number
        for number, (question, holding) in enumerate(pairs)
        if question.names and holding is not None and holding.answer is Answer.OWNER and holding.method != NAME
    ]
    answers = [holding for _, holding in pairs]
    if not doubted:
        return answers
    for number, found in zip(doubted, found_for([pairs[number][0] for number in doubted]), strict=True):
        holder = pairs[number][1]
        assert holder is not None
        assert holder.contract_id is not None
        meant = {claim.contract_id for each in found for claim in each.finding.possible} | {holder.contract_id}
        if len(meant) > 1:
            answers[number] = either(holder.contract_id, found, names_of(meant))
    return answers


def either(holder: int, found: Sequence[Named], names: dict[int, str]) -> Holding:
    sites = in_words(sorted({each.name for each in found}))
    others = in_words(sorted(name for pk, name in names.items() if pk != holder))
    return unsure(names, f"{names[holder]} had the address, but {sites} is a {WHAT} of {others}")


def confidence_at(question: Question, around: Surroundings) -> float:
    if question.address and not around.is_ours(question.address):
        return NOT_AT_OURS
    return CONFIDENCE if question.address and around.machine(question.address) else ADDRESS_SAYS_NOTHING


def found_for(questions: Sequence[Question]) -> list[list[Named]]:
    """For each question what its names lead to; one query for all, none where no name is given."""
    levels = [[levels_of(name) for name in question.names] for question in questions]
    claims = rows_of((level for each in levels for name in each for level in name), ask_names)
    if not claims:
        return [[] for _ in questions]
    return [
        [named for name in each if (named := decide_by(question, name, claims))]
        for question, each in zip(questions, levels, strict=True)
    ]


def ask_names(names: list[str]) -> Iterable[Row]:
    rows = HostedName.objects.filter(name__in=names)
    return rows.values_list("name", "contract_id", "valid_from", "valid_until")


def levels_of(name: str) -> list[str]:
    """The name and those above it, down to what its owner registered; a public suffix alone leads to itself only."""
    registered = public_suffixes().privatesuffix(name) or name
    above = name[: -len(registered)].rstrip(".").split(".") if len(name) > len(registered) else []
    labels = name.split(".")
    return [".".join(labels[number:]) for number in range(len(above) + 1)][-MOST_LEVELS:]


@cache
def public_suffixes() -> PublicSuffixList:
    """From the package, no network: 30 ms and 5 MB, so at the first name only."""
    return PublicSuffixList()


def health(*, now: datetime) -> list[Fact]:
    if not HostedName.objects.exists():
        return [Fact(True, "No site of a hosting contract is registered: import_names brings them")]
    newest = HostedName.objects.order_by("-pk").values_list("name", flat=True)[0]
    return [Fact(True, f"The newest registered site is {newest}")]
