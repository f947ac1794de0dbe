from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from complaints.intake import store_messages
from complaints.models import CompressionDictionary
from tests.intake.test_intake import arrival, report

pytestmark = pytest.mark.django_db(transaction=True)


def train() -> dict[str, int | None]:
    out = io.StringIO()
    call_command("train_dictionary", stdout=out, stderr=io.StringIO())
    found: dict[str, int | None] = json.loads(out.getvalue())
    return found


def test_the_command_says_which_dictionary_it_made():
    assert train() == {"dictionary": None}
    store_messages([arrival(report(number)) for number in range(500)])

    assert train() == {"dictionary": CompressionDictionary.objects.get().pk, "trained_on": 500}
