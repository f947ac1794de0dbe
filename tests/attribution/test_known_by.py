"""Nobody complains of what has not happened yet: who came to the address after the mail was there cannot be meant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.addresses import address_key
from complaints.attribution import Question, attribute
from complaints.attribution.decision import MOMENT, window
from complaints.vocabulary import Answer
from tests.factories import NOON, make_assignment, make_contract, make_network

HOUR, HALF_A_DAY = timedelta(hours=1), timedelta(hours=14)


@pytest.mark.parametrize(
    ("known_by", "until"),
    [
        (None, NOON + HALF_A_DAY),
        (NOON + HOUR, NOON + HOUR),
        (NOON + 2 * HALF_A_DAY, NOON + HALF_A_DAY),  # an old log: its zone is as unknown as before
        (NOON - HOUR, NOON),  # the reporter's clock is ahead: its own word still counts
    ],
)
def test_the_time_that_could_be_meant_ends_when_the_mail_was_there(known_by, until):
    question = Question(address_key("192.0.2.7"), None, NOON, slack=HALF_A_DAY, known_by=known_by)
    assert window(question) == (NOON - HALF_A_DAY, until + MOMENT)


@pytest.mark.django_db
def test_who_comes_to_the_line_after_the_mail_makes_nobody_unsure():
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.7/32", valid_from=NOON - timedelta(days=9), valid_until=NOON + 3 * HOUR)
    make_assignment("C-2", "192.0.2.7/32", valid_from=NOON + 4 * HOUR)
    asked = [
        Question(address_key("192.0.2.7"), None, NOON, slack=HALF_A_DAY, known_by=known_by)
        for known_by in (NOON + HOUR, NOON + 5 * HOUR)
    ]
    sure, unsure = attribute(asked)
    assert (sure.answer, sure.contract_id) == (Answer.OWNER, make_contract("C-1").pk)
    assert (unsure.answer, set(unsure.candidates)) == (Answer.UNSURE, {"C-1", "C-2"})
