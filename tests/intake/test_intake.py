from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, connections

from complaints.intake import Arrival, StorageUnavailable, Stored, store_messages, train_dictionary
from complaints.models import CompressionDictionary, Message, Reading

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def arrival(text: str, **other) -> Arrival:
    return Arrival(text.encode(), "smtp", **other)


def report(number: int) -> str:
    """A feedback report that differs from its neighbours as real ones do."""
    word = hashlib.sha256(str(number).encode()).hexdigest()
    return (
        f"From: loop{number % 7}@reporter.example\r\nTo: abuse@isp.example\r\nSubject: complaint about {word[:20]}\r\n"
        "Content-Type: multipart/report; report-type=feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
        f"Source-IP: 192.0.2.{number % 256}\r\nMessage-ID: <{word}@customer.example>\r\n"
    )


def test_a_mail_is_kept_byte_for_byte_and_waits_to_be_read():
    raw = bytes(range(256)) * 40 + b"\r\n.\r\n\n\n"
    (stored,) = store_messages(
        [Arrival(raw, "lmtp", "192.0.2.1", "a@b.example", ("c@d.example", "e@f.example"))], now=NOON
    )
    message = Message.objects.get(pk=stored.message_id)

    assert stored.new
    assert message.raw == raw
    assert (message.size, message.channel, message.peer, message.received_at) == (len(raw), "lmtp", "192.0.2.1", NOON)
    assert (message.envelope_from, message.envelope_to) == ("a@b.example", "c@d.example\ne@f.example")
    assert bytes(message.sha256) == hashlib.sha256(raw).digest()
    assert message.reading.state == Reading.State.WAITING


def test_answers_come_in_the_order_of_the_arrivals():
    texts = [report(number) for number in range(600)]
    stored = store_messages([arrival(text) for text in texts])

    assert [Message.objects.get(pk=one.message_id).raw.decode() for one in stored[::37]] == texts[::37]
    assert [one.message_id for one in stored] == sorted(one.message_id for one in stored)


def test_the_same_mail_twice_is_one_message():
    (first,) = store_messages([arrival("same", peer="192.0.2.1")])
    again = store_messages([arrival("other"), arrival("same", peer="192.0.2.2"), arrival("other")])

    assert again == [
        Stored(again[0].message_id, new=True),
        Stored(first.message_id, new=False),
        Stored(again[0].message_id, new=False),
    ]
    assert Message.objects.get(pk=first.message_id).peer == "192.0.2.1"
    assert Reading.objects.count() == 2


def test_nothing_in_nothing_out():
    assert store_messages([]) == []


def test_an_empty_mail_is_kept_too():
    (stored,) = store_messages([arrival("")])

    assert Message.objects.get(pk=stored.message_id).raw == b""


def test_an_envelope_that_no_database_takes_is_written_readably():
    (stored,) = store_messages([arrival("x", envelope_from="a\0b\udcff@" + "c" * 400, envelope_to=("ü@é.example",))])
    message = Message.objects.get(pk=stored.message_id)

    assert message.envelope_from.startswith("a\N{REPLACEMENT CHARACTER}b?@ccc")
    assert len(message.envelope_from) == 320
    assert message.envelope_to == "ü@é.example"


def test_writers_that_store_the_same_mails_at_once_all_get_the_same_ids():
    texts = [report(number) for number in range(60)]
    answers: list[dict[str, Stored]] = []

    def store(shift: int) -> None:
        mine = texts[shift:] + texts[:shift]
        answers.append(dict(zip(mine, store_messages([arrival(text) for text in mine]), strict=True)))
        connections.close_all()

    threads = [threading.Thread(target=store, args=(shift,)) for shift in (0, 20, 40, 59)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [{text: one.message_id for text, one in answer.items()} for answer in answers] == [
        {text: answers[0][text].message_id for text in texts}
    ] * 4
    assert sorted(sum(answer[text].new for answer in answers) for text in texts) == [1] * 60
    assert Message.objects.count() == Reading.objects.count() == 60


def test_a_database_that_is_gone_has_its_own_error():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE complaints_message RENAME TO elsewhere")
    try:
        with pytest.raises(StorageUnavailable, match="complaints_message"):
            store_messages([arrival("x")])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO complaints_message")

    assert store_messages([arrival("x")])[0].new


def test_no_dictionary_below_500_mails():
    store_messages([arrival(report(number)) for number in range(499)])

    assert train_dictionary(NOON) is None


def test_a_dictionary_makes_mails_smaller_and_old_mails_stay_readable():
    texts = [report(number) for number in range(700)]
    before = store_messages([arrival(text) for text in texts[:600]])
    dictionary = train_dictionary(NOON)
    after = store_messages([arrival(text) for text in texts[600:]])
    plain, packed = (Message.objects.get(pk=part[-1].message_id) for part in (before, after))

    assert dictionary is not None
    assert (dictionary.trained_on, dictionary.created_at) == (600, NOON)
    assert (plain.dictionary_id, packed.dictionary_id) == (None, dictionary.pk)
    assert len(packed.packed) < 0.7 * len(plain.packed)
    assert [Message.objects.get(pk=one.message_id).raw.decode() for one in before + after] == texts


def test_a_dictionary_that_brings_nothing_new_is_not_kept():
    store_messages([arrival(report(number)) for number in range(600)])
    train_dictionary(NOON)

    assert train_dictionary(NOON) is None
    assert CompressionDictionary.objects.count() == 1


def test_mails_that_teach_nothing_make_no_dictionary():
    store_messages([arrival(str(number)) for number in range(600)])

    assert train_dictionary(NOON) is None
