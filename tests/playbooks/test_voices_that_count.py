"""Whose word is enough for a letter that a machine writes: proven, independent, and more than one person's."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from complaints.models import Case, Reporter
from complaints.playbooks.conditions import may_notify
from complaints.playbooks.facts import facts_of
from complaints.vocabulary import Category, Cause
from tests.factories import NOON, make_case, make_complaint
from tests.playbooks.test_conditions import FACTS

UNCLEAR = replace(
    FACTS, category=Category.SPAM, cause=Cause.UNKNOWN, owner_confidence=0.9, has_contact=True, reporters=2
)


@pytest.mark.parametrize(
    ("change", "may"),
    [
        ({"voices": 2, "shown": True}, True),  # the letter leaves the cause open
        ({"voices": 2}, False),  # words alone: two may name the wrong one by a slip
        ({"voices": 3}, True),
        ({"voices": 1}, False),
        ({"voices": 2, "recent": False}, False),
        ({"voices": 2, "owner_confidence": 0.79}, False),
        ({"voices": 2, "only_listed": True}, False),
        ({"voices": 9, "reporters": 9, "cause": Cause.FORGED, "cause_confidence": 0.75}, False),
        ({"voices": 9, "reporters": 9, "cause": Cause.FORWARDED, "cause_confidence": 0.75}, False),
        ({"voices": 9, "reporters": 9, "cause": Cause.OPEN_RELAY, "cause_confidence": 0.75}, False),
    ],
)
def test_two_proven_voices_may_be_heard_though_the_cause_is_not_known(change: dict[str, Any], may: bool) -> None:
    assert may_notify(replace(UNCLEAR, **change)) is may


# Each: (domain that our mail server vouches for, or none; format of the complaint).
@pytest.mark.parametrize(
    ("heard", "trusted", "voices"),
    [
        ([("", "arf")], 0, 0),
        ([("mailhaus.example", "arf")], 1, 1),
        ([("mailhaus.example", "freetext")], 0, 1),  # one person's word, however well signed
        ([("mailhaus.example", "freetext"), ("lists.example", "freetext")], 0, 2),
        ([("a.mailhaus.example", "arf"), ("b.mailhaus.example", "arf")], 1, 1),  # one house, one voice
        ([("mailhaus.example", "arf"), ("", "arf")], 1, 1),
    ],
)
@pytest.mark.django_db
def test_voices_are_counted_by_proven_domain(heard: list[tuple[str, str]], trusted: int, voices: int) -> None:
    case = make_case()
    for minutes, (domain, format_name) in enumerate(heard):
        evidence = {"authenticated": domain} if domain else {}
        make_complaint(case, format=format_name, evidence=evidence, seen_at=NOON + timedelta(minutes=minutes))
    found = facts_of(loaded(case), [], NOON)
    assert (found.trusted_reporters, found.voices) == (trusted, voices)


@pytest.mark.django_db
def test_a_mail_that_only_bears_a_proven_reporters_name_is_not_believed() -> None:
    case = make_case()
    make_complaint(case, reporter="fbl@mailhaus.example")
    Reporter.objects.update(authenticated=True)  # by another mail
    assert facts_of(loaded(case), [], NOON).trusted_reporters == 0


def loaded(case: Case) -> Case:
    return Case.objects.select_related("playbook", "contract__customer").get(pk=case.pk)
