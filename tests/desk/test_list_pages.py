"""No list asks the database more for many rows than for one, counts a table, or skips rows to come to a page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.desk.list_pages import LISTS, SINGLE, ListPage
from tests.desk.permissions import OPENED
from tests.desk.test_no_counting import COUNTS
from tests.factories import make_user

MANY = 30
SqlOf = Callable[[Callable[[], object]], list[str]]


def test_every_page_says_whether_it_is_a_list() -> None:
    pages = {name.removeprefix("desk:") for name in OPENED if name.startswith("desk:")}
    listed = {page.name for page in LISTS}

    assert pages - listed - SINGLE == set(), "add a line to tests/desk/list_pages.py"
    assert (listed | SINGLE) - pages == set(), "tests/desk/list_pages.py names pages that are gone"
    assert not listed & SINGLE


@pytest.mark.django_db
@pytest.mark.parametrize("page", LISTS, ids=lambda page: page.make.__name__.strip("<>") + "-" + page.name)
def test_many_rows_take_as_many_statements_as_one(page: ListPage, sql_of: SqlOf) -> None:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    page.make(0)
    one, few = asked(client, page, sql_of)
    for n in range(1, MANY):
        page.make(n)
    many, statements = asked(client, page, sql_of)

    assert len(many) > len(one)  # the rows are there
    assert len(statements) <= len(few), "\n".join(map(shape, statements))
    assert len(statements) <= page.most
    assert [each for each in statements if COUNTS.search(each)] == []


def asked(client: Client, page: ListPage, sql_of: SqlOf) -> tuple[str, list[str]]:
    """The page, and the statements of a second look: what a process remembers is asked for once."""
    found: list[str] = []
    path = page.path()
    client.get(path)

    def look() -> None:
        response = client.get(path)
        assert response.status_code == 200, path
        found.append(response.content.decode())

    return found[0] if (statements := sql_of(look)) and found else "", statements


def shape(sql: str) -> str:
    return re.sub(r"\s+", " ", sql)[:160]
