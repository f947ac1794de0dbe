"""Many sessions at once, a database in trouble, and the end."""

from __future__ import annotations

import sys
import threading
from traceback import walk_stack

import pytest
from django.db import connection

from complaints.intake import Arrival, StorageUnavailable, Stored
from complaints.listeners.group_commit import commit
from complaints.listeners.sessions import DeskLMTP
from complaints.models import Message
from tests.listeners.client import Client, message_id, stop, wait_until
from tests.listeners.conftest import database_gone, database_locked

MAIL = b"Subject: spam\r\n\r\nplease stop\r\n"


def hand_in(client: Client, data: bytes) -> None:
    """Send a mail without waiting for what the server says of it."""
    client.begin()
    client.write(data + b".\r\n")


def is_committing(listener) -> bool:
    frame = sys._current_frames().get(listener.commits.writer.ident)
    return any(each.f_code.co_name == "commit" for each, _ in walk_stack(frame)) if frame else False


def test_mails_that_arrive_during_a_commit_are_stored_together_by_the_next(start, connect):
    listener = start()
    clients = [connect(listener) for _ in range(10)]
    with database_locked():
        for number, client in enumerate(clients):
            hand_in(client, b"mail %d\r\n" % number)
            if not number:
                wait_until(lambda: is_committing(listener))
        wait_until(lambda: listener.commits.waiting.qsize() == 9)
    ids = [message_id(client.reply()) for client in clients]

    assert [Message.objects.get(pk=pk).raw for pk in ids] == [b"mail %d\r\n" % number for number in range(10)]
    assert len(set(Message.objects.values_list("received_at"))) == 2


def test_nobody_gets_a_250_while_the_database_waits(start, connect):
    client = connect(start())
    client.socket.settimeout(0.3)
    with database_locked():
        hand_in(client, MAIL)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
    client.socket.settimeout(20)

    assert client.socket.recv(100) == b"250 2.0.0 stored as message %d\r\n" % Message.objects.get().pk


def test_without_a_database_the_client_is_told_to_come_again(start, connect, told):
    listener = start(DeskLMTP)
    client = connect(listener, b"LHLO client.example")
    with database_gone():
        reply = client.send(MAIL, to=(b"one@isp.example", b"two@isp.example"))
        assert reply == client.reply() == "451 4.3.0 the mail could not be stored, try again later"

    assert message_id(client.send(MAIL)) == Message.objects.get().pk
    wait_until(lambda: listener.held == 0)


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_a_lost_connection_to_the_database_is_opened_again(start, connect):
    client = connect(start())
    message_id(client.send(b"before\r\n"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    replies = [client.send(b"after\r\n")[:3] for _ in range(2)]

    assert replies in (["451", "250"], ["250", "250"])


def test_too_much_waiting_mail_is_refused_for_the_moment(start, connect):
    listener = start(max_bytes=100_000, held_bytes=0)  # so that two of the largest mails may wait
    clients = [connect(listener) for _ in range(4)]
    with database_locked():
        hand_in(clients[0], b"a" * 90_000 + b"\r\n")
        hand_in(clients[1], b"b" * 90_000 + b"\r\n")
        clients[2].begin()
        wait_until(lambda: listener.held > 180_000)
        clients[2].write(b"c" * 90_000 + b"\r\n.\r\n")
        assert clients[2].reply() == "451 4.3.1 too much mail waits to be stored, try again later"
        listener.hold(50_000)
        assert clients[3].say(b"MAIL FROM:<a@b.example>").startswith("452 4.3.1 ")
        listener.release(50_000)

    assert [message_id(client.reply()) > 0 for client in clients[:2]] == [True, True]
    assert message_id(clients[2].send(b"c" * 90_000 + b"\r\n"))
    wait_until(lambda: listener.held == 0)


def test_one_session_too_many_is_turned_away(start, connect):
    listener = start(max_sessions=2)
    clients = [connect(listener, b"") for _ in range(3)]

    assert [client.greeting[:9] for client in clients[2:]] == ["421 4.3.2"]
    clients[0].close()
    wait_until(lambda: len(listener.sessions) == 1)
    assert connect(listener, b"").greeting.startswith("220 ")


def test_clients_that_say_nothing_give_way_to_others_the_longest_silent_first(start, connect):
    listener = start(max_sessions=2, idle_s=0)
    silent, talking = connect(listener), connect(listener)
    silent.say(b"NOOP")
    talking.say(b"NOOP")

    assert connect(listener, b"").greeting.startswith("220 ")
    assert silent.reply() == "421 4.3.2 silent for too long, and others wait"
    assert talking.say(b"NOOP").startswith("250 ")


def test_a_silent_client_is_dropped(start, connect):
    client = connect(start(timeout_s=0.2))

    assert client.reply() == ""


def test_readers_are_told_of_new_mails_after_the_commit(start, connect, told):
    client = connect(start())
    ids = [message_id(client.send(b"mail %d\r\n" % number)) for number in range(3)]
    wait_until(lambda: [pk for group in told for pk in group] == ids)


def test_a_waker_that_fails_or_hangs_holds_no_answer_back(start, connect):
    hanging = threading.Event()

    def on_stored(ids: list[int]) -> None:
        hanging.wait(5)
        raise ConnectionError("the broker is gone")

    client = connect(start(on_stored=on_stored))
    replies = [client.send(b"mail %d\r\n" % number) for number in range(5)]
    hanging.set()

    assert len({message_id(reply) for reply in replies}) == 5


def test_a_stop_answers_who_handed_in_a_mail_and_sends_the_others_away(start, connect):
    listener = start()
    idle, halfway, waiting = (connect(listener) for _ in range(3))
    halfway.begin()
    halfway.write(b"half a mail\r\n")
    with database_locked():
        hand_in(waiting, MAIL)
        wait_until(lambda: any(session.answering for session in listener.sessions))
        stopping = stop(listener)
        assert idle.reply() == halfway.reply() == "421 4.3.2 the server stops"
    stopping.join()

    assert message_id(waiting.reply()) == Message.objects.get().pk
    assert waiting.reply() == "421 4.3.2 the server stops"
    with pytest.raises(ConnectionError):
        connect(listener)


def test_a_mail_that_breaks_the_writer_is_refused_alone(transactional_db):
    """No mail is known that does; a recipient that cannot be joined stands in for it."""
    bad = Arrival(b"bad", "smtp", envelope_to=(b"not text",))  # type: ignore[arg-type]
    answers = commit([Arrival(b"one", "smtp"), bad, Arrival(b"two", "smtp")])

    assert [type(answer) for answer in answers] == [Stored, StorageUnavailable, Stored]
