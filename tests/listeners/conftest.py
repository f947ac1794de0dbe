from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connection, transaction

from complaints.listeners.server import Listener
from complaints.listeners.sessions import DeskLMTP, DeskSMTP
from tests.listeners.client import Client, running

Start = Callable[..., Listener]
Connect = Callable[..., Client]


@pytest.fixture
def told() -> list[list[int]]:
    """What the listener passed on to be read."""
    return []


@pytest.fixture
def start(transactional_db: None, told: list[list[int]]) -> Iterator[Start]:
    """Start a listener on a free port."""
    with ExitStack() as stack:

        def start(session_class: type[DeskSMTP] = DeskSMTP, on_stored=told.append, **limits) -> Listener:
            listener = Listener(session_class, on_stored, **{"max_bytes": 10_000_000, **limits})
            stack.enter_context(running(listener))
            return listener

        yield start


@pytest.fixture
def connect() -> Iterator[Connect]:
    clients: list[Client] = []

    def connect(listener: Listener, hello: bytes = b"EHLO client.example") -> Client:
        clients.append(Client(listener.port, hello=hello))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def smtp(start: Start, connect: Connect) -> Client:
    return connect(start(DeskSMTP))


@pytest.fixture
def lmtp(start: Start, connect: Connect) -> Client:
    return connect(start(DeskLMTP), b"LHLO client.example")


@contextmanager
def database_locked() -> Iterator[None]:
    """Nobody else can store a mail meanwhile, but must wait."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE complaints_message IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def database_gone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE complaints_message RENAME TO elsewhere")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO complaints_message")
