"""A browser's side: log-ins of each kind, and the SQL of a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_user


def logged_in(username: str, role: str) -> Client:
    client = Client()
    client.force_login(make_user(username, role))
    return client


@pytest.fixture
def ada(db: None) -> Client:
    """An analyst, logged in."""
    return logged_in("ada", "analyst")


@pytest.fixture
def bruno(db: None) -> Client:
    """A senior, logged in."""
    return logged_in("bruno", "senior")


@pytest.fixture
def carla(db: None) -> Client:
    """A supervisor, logged in."""
    return logged_in("carla", "supervisor")


@pytest.fixture
def olga(db: None) -> Client:
    """An auditor, logged in: sees everything, changes nothing."""
    return logged_in("olga", "auditor")


@pytest.fixture
def sql_of() -> Callable[[Callable[[], object]], list[str]]:
    """The statements that a call sends."""

    def run(call: Callable[[], object]) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            call()
        return [query["sql"] for query in queries.captured_queries]

    return run
