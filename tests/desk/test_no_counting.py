"""No page of the desk counts a table or skips rows: at ten million complaints each of both takes seconds."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from complaints.desk.urls import urlpatterns
from tests.factories import make_case, make_complaint, make_user

PLAIN = sorted(str(p.name) for p in urlpatterns if "<" not in str(p.pattern))
# Counts a whole table; a page that must gives its reason here.
COUNTS = re.compile(r"SELECT COUNT\(|OFFSET \d")


@pytest.mark.django_db
@pytest.mark.parametrize("name", PLAIN)
def test_no_page_counts_a_table_or_skips_rows(
    client: Client, sql_of: Callable[[Callable[[], object]], list[str]], name: str
) -> None:
    make_complaint(make_case(state="triage"))
    make_complaint(answer="unsure")
    client.force_login(make_user("root", is_staff=True, is_superuser=True))

    statements = sql_of(lambda: client.get(reverse(f"desk:{name}")))

    assert [each for each in statements if COUNTS.search(each)] == []
