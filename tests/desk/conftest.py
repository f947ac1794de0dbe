"""A browser's side: log-ins of each kind, and the SQL of a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_user


@pytest.fixture
def ada(db: None) -> Client:
    """An analyst, logged in."""
    client = Client()
    client.force_login(make_user("ada"))
    return client


@pytest.fixture
def carla(db: None) -> Client:
    """A supervisor, logged in."""
    client, user = Client(), make_user("carla")
    user.groups.add(Group.objects.create(name="supervisor"))
    client.force_login(user)
    return client


@pytest.fixture
def sql_of() -> Callable[[Callable[[], object]], list[str]]:
    """The statements that a call sends."""

    def run(call: Callable[[], object]) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            call()
        return [query["sql"] for query in queries.captured_queries]

    return run
