"""What a reporter is asked for when it cannot be told whose address it was: pure, by the table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.attribution.answers import Question
from complaints.attribution.decision import decide, missing
from tests.attribution.test_decision import ADDRESS, HIGH, LOW, A, B, C, claim, levels
from tests.factories import NOON

TOLERANCE = timedelta(minutes=5)
NEAR = timedelta(minutes=1)
SHARED = [claim(A, ports=LOW), claim(B, ports=HIGH)]
HANDED_OVER = [claim(A, until=NEAR), claim(B, since=NEAR)]
OTHER_NEIGHBOUR = [claim(A, ports=LOW), claim(B, until=NEAR, ports=HIGH), claim(C, since=NEAR, ports=HIGH)]
TABLE = [
    ("shared", SHARED, None, True, ("port",)),
    ("shared, the port is known", SHARED, LOW[0], True, ()),
    ("handed over within the tolerance", HANDED_OVER, None, True, ("time",)),
    ("handed over, no time at all", HANDED_OVER, None, False, ()),
    ("handed over an hour before, no time at all", [claim(A, until=-1), claim(B, since=-1)], None, False, ("time",)),
    ("shared, and a neighbour changed", OTHER_NEIGHBOUR, None, True, ("port", "time")),
    ("shared, and the neighbour's port is known", OTHER_NEIGHBOUR, HIGH[0], True, ("time",)),
    ("two hold the same: our own fault", [claim(A), claim(B)], None, True, ()),
    ("held by one", [claim(A)], None, True, ()),
    ("held by nobody", [], None, True, ()),
]


@pytest.mark.parametrize(("name", "claims", "port", "exactly", "wanted"), TABLE, ids=[row[0] for row in TABLE])
def test_what_would_decide_it(name, claims, port, exactly, wanted):
    slack = TOLERANCE if exactly else timedelta(0)
    question = Question(ADDRESS, port, NOON, exactly, slack)
    assert missing(question, decide(question, levels(*claims))) == wanted
