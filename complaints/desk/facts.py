"""The right-hand side of a case: contract, addresses, blacklists, what comes next, what was before."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language_info

from complaints.addresses import address_text
from complaints.cases.story import Accusation, CheckStory, Story
from complaints.desk import when, words
from complaints.models import Case, CheckRun
from complaints.playbooks.documents import parse_span
from complaints.vocabulary import Verdict

MOST_CASES = 15


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """What one blacklist says of one address, as of the last run."""

    address: str
    name: str
    word: words.Word


@dataclasses.dataclass(frozen=True, slots=True)
class NextStep:
    """A step of the playbook that time alone will bring, when nothing else happens."""

    at: datetime
    text: str
    left: str


def addresses(complaints: Sequence[Accusation]) -> list[tuple[str, int]]:
    """Addresses named by the newest complaints with how often, most often first."""
    return Counter(complaint.address_text for complaint in complaints if complaint.address).most_common(12)


def last_runs(story: Story, check: str) -> list[CheckStory]:
    """The last finished run of `check` for each address."""
    found: dict[bytes, CheckStory] = {}
    for each in story.checks:
        if each.run.check_name == check and each.run.state == CheckRun.State.DONE:
            found.setdefault(bytes(each.run.address), each)
    return list(found.values())


def listings(story: Story) -> list[Listing]:
    return [
        Listing(
            address_text(each.run.address),
            str(row.get("list")),
            words.ON_LIST.get(str(row.get("status")), words.Word("?")),
        )
        for each in last_runs(story, "dnsbl")
        for row in each.lists
        if row.get("status") in ("listed", "policy", "unknown")
    ]


def silent_lists(story: Story) -> int:
    """How many lists do not name an address that they were asked about."""
    rows = [row for each in last_runs(story, "dnsbl") for row in each.lists]
    return sum(row.get("status") in ("not-listed", "allow") for row in rows)


def attribution(complaints: Sequence[Accusation]) -> Accusation | None:
    """The complaint whose attribution says most: the surest, then the youngest."""
    return max(complaints, key=lambda each: (each.confidence, each.seen_at), default=None)


def language_name(code: str) -> str:
    """As a person says it: "en-gb" is British English. A code that nobody knows is shown as it is."""
    try:
        return str(get_language_info(code.lower())["name"])
    except KeyError:
        return code


def is_proven(story: Story) -> bool:
    return any(each.run.verdict == Verdict.BAD for each in last_runs(story, "relay"))


def is_checked(story: Story) -> bool:
    return any(each.run.verdict in (Verdict.BAD, Verdict.CLEAN) for each in story.checks)


def next_steps(case: Case, now: datetime) -> list[NextStep]:
    """What the case's playbook does by time alone while it stays in this state, the next three."""
    document = case.playbook.document if case.playbook else {}
    found = []
    for step in document.get("steps", []):
        if step["in_state"] != case.state or not fits_cause(step.get("when", {}), case.cause):
            continue
        at = case.state_since + parse_span(step.get("after", "0s"))
        if at > now:
            found.append(NextStep(at, step_text(step), when.until(at, now)))
    return sorted(found, key=lambda each: each.at)[:3]


def fits_cause(when: Mapping[str, Any], cause: str) -> bool:
    return cause in when.get("cause_in", [cause]) and cause not in when.get("cause_not_in", [])


def step_text(step: Mapping[str, Any]) -> str:
    given = step.get("with", {})
    if step["action"] == "notify":
        return words.NOTICES.get(given.get("notice"), "A mail to the customer")
    if step["action"] == "check":
        return " and ".join(words.check_title(name) for name in given.get("checks", []))
    return str(given.get("reason") or words.ACTIONS.get(step["action"], step["action"]))


def other_cases(case: Case, visible: QuerySet[Case]) -> QuerySet[Case]:
    """The customer's other cases, the newest first."""
    found = visible.filter(contract__customer=case.contract.customer_id).exclude(pk=case.pk).order_by("-opened_at")
    return found.only("contract", "category", "grouping", "opened_at", "state", "resolution")[:MOST_CASES]


def by_kinship(case: Case, found: Iterable[Case]) -> tuple[list[Case], list[Case]]:
    """Earlier and later cases of the same contract and kind; and the others."""
    same: list[Case] = []
    others: list[Case] = []
    for other in found:
        is_same = other.contract_id == case.contract_id and other.category == case.category
        is_same = is_same and other.grouping == case.grouping
        (same if is_same else others).append(other)
    return same, others
