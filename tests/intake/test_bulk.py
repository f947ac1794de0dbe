from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from complaints.models import CompressionDictionary, Message, Network, PlaybookVersion, Reading
from complaints.models.bulk import insert_rows, reserve_ids

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MESSAGE = (
    "id",
    "sha256",
    "packed",
    "dictionary_id",
    "size",
    "channel",
    "peer",
    "received_at",
    "envelope_from",
    "envelope_to",
)


def message_row(pk: int, *, sha256: bytes | None = None, peer: str = "") -> tuple[Any, ...]:
    return (pk, sha256 or pk.to_bytes(32, "big"), b"\x00\xff", None, 2, Message.Channel.SMTP, peer, NOON, "", "")


def test_reserved_ids_are_given_once_even_when_nothing_is_inserted():
    first, second = reserve_ids(Network, 3), reserve_ids(Network, 2)

    assert len({*first, *second}) == 5
    assert max(first) < min(second)


def test_the_orm_goes_on_after_the_reserved_ids():
    reserved = reserve_ids(Network, 10)

    assert Network.objects.create(key=b"\x20\xc0\x00\x02\x01").pk == reserved[-1] + 1


def test_reserved_ids_come_after_rows_of_the_orm_and_are_not_those_of_deleted_rows():
    last = Network.objects.create(key=b"\x20\xc0\x00\x02\x01")
    was = last.pk
    last.delete()

    assert list(reserve_ids(Network, 2)) == [was + 1, was + 2]


def test_a_rollback_never_leads_to_an_id_that_is_taken():
    with transaction.atomic():
        reserve_ids(Network, 5)
        transaction.set_rollback(True)
    kept = Network.objects.create(key=b"\x20\xc0\x00\x02\x01").pk

    assert kept not in reserve_ids(Network, 5)


def test_no_ids_are_asked_for_when_none_are_wanted():
    assert list(reserve_ids(Network, 0)) == []


def test_bytes_times_enums_and_nulls_come_back_as_the_orm_stores_them():
    (pk,) = reserve_ids(Message, 1)
    insert_rows(Message, MESSAGE, [message_row(pk, peer="tab\tline\nback\\slash ünï 😀")])
    found = Message.objects.get()

    assert (found.pk, bytes(found.packed), found.dictionary_id) == (pk, b"\x00\xff", None)
    assert (found.received_at, found.channel, found.peer) == (NOON, "smtp", "tab\tline\nback\\slash ünï 😀")
    assert list(Message.objects.filter(received_at=NOON)) == [found]


def test_a_time_of_another_zone_is_the_same_instant():
    data = (b"d", 500, NOON.astimezone(timezone(timedelta(hours=5, minutes=30))))
    insert_rows(CompressionDictionary, ("data", "trained_on", "created_at"), [data])

    assert CompressionDictionary.objects.get(created_at=NOON).created_at == NOON


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(Exception, match=r"zone|naive|timezone"):
        insert_rows(CompressionDictionary, ("data", "trained_on", "created_at"), [(b"d", 1, datetime(2026, 3, 1))])


def test_json_columns_take_dicts_lists_and_texts():
    document = {"a": [1, None, "é", {"b": 1.5}]}
    columns = ("name", "number", "state", "document", "created_at")
    insert_rows(PlaybookVersion, columns, [("spam", 1, "draft", document, NOON), ("spam", 2, "draining", "text", NOON)])

    assert [found.document for found in PlaybookVersion.objects.order_by("number")] == [document, "text"]
    assert PlaybookVersion.objects.get(document__a__3__b=1.5).number == 1


def test_one_bad_row_keeps_all_out():
    first, second = reserve_ids(Message, 2)
    with pytest.raises(IntegrityError):
        insert_rows(Message, MESSAGE, [message_row(first), message_row(second, sha256=first.to_bytes(32, "big"))])

    assert not Message.objects.exists()


def test_an_unknown_column_is_named():
    with pytest.raises(ValueError, match="Reading has no column 'message'"):
        insert_rows(Reading, ("message",), [(1,)])


def test_more_rows_than_a_statement_has_parameters():
    ids = reserve_ids(Message, 5000)
    insert_rows(Message, MESSAGE, (message_row(pk) for pk in ids))

    assert Message.objects.count() == 5000
