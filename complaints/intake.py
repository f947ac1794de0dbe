"""The one door for raw mail: whatever brings it, `store_messages` makes it a committed row first."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import zstandard
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, connection, transaction
from django.utils import timezone

from complaints.models import CompressionDictionary, Message, Reading
from complaints.models.bulk import insert_rows, reserve_ids
from complaints.models.compression import forget_dictionaries, pack, train
from complaints.models.text import storable

TRIES = 5
ASKED_AT_ONCE = 500  # digests in one question; SQLite takes 32,766 parameters, older ones 999
LONGEST_PEER, LONGEST_ADDRESS, LONGEST_RECIPIENTS = 100, 320, 400_000

DICTIONARY_BYTES = 112_640
TRAIN_ON, TRAIN_FROM = 2_000, 500
SAMPLE_BYTES = 32 * 1024  # of one mail: a large attachment teaches nothing
HELD_OUT = 10  # one mail in ten is not trained on and tells what the dictionary is worth
WORTH = 0.95  # a new dictionary must make mails at least this much smaller: they are kept for ever

# sha256 comes first: rows are sorted by it.
MESSAGE_COLUMNS = (
    *("sha256", "id", "packed", "dictionary_id", "size", "channel"),
    *("peer", "envelope_from", "envelope_to", "received_at"),
)
READING_COLUMNS = (
    *("message_id", "state", "claim", "format", "disposition", "problem"),
    *("subject", "sender", "complaint_count"),
)


class StorageUnavailable(Exception):
    """The database cannot take mail now; nothing of the batch was stored. Try again later."""


@dataclasses.dataclass(frozen=True, slots=True)
class Arrival:
    """One mail as it came. channel: a value of Message.Channel. peer: who handed it over, as an address."""

    raw: bytes
    channel: str
    peer: str = ""
    envelope_from: str = ""
    envelope_to: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """new: False when the same bytes were stored before, or earlier in the batch."""

    message_id: int
    new: bool


def store_messages(arrivals: Sequence[Arrival], *, now: datetime | None = None) -> list[Stored]:
    """Store all of `arrivals` or none, each distinct mail once; the answers are in the same order.

    Raises:
        StorageUnavailable: the database takes nothing now.
        django.db.DataError: it will never take one of these.
    """
    digests = [hashlib.sha256(arrival.raw).digest() for arrival in arrivals]
    distinct: dict[bytes, Arrival] = {}
    for digest, arrival in zip(digests, arrivals, strict=True):
        distinct.setdefault(digest, arrival)
    try:
        ids, new = store_distinct(distinct, now or timezone.now())
    except DataError:
        raise
    except (DatabaseError, InterfaceError) as exc:
        raise StorageUnavailable(f"the database refused {len(distinct)} mails: {exc}") from exc
    answers = []
    for digest in digests:
        answers.append(Stored(ids[digest], digest in new))
        new.discard(digest)
    return answers


def store_distinct(mails: Mapping[bytes, Arrival], now: datetime) -> tuple[dict[bytes, int], set[bytes]]:
    """Ids by digest, and the digests that were not there before."""
    for _ in range(TRIES):
        ids = find_stored(list(mails))
        new = {digest: mail for digest, mail in mails.items() if digest not in ids}
        if not new:
            return ids, set()
        try:
            return ids | insert_messages(new, now), set(new)
        except IntegrityError as exc:  # somebody stored one of them since we looked
            failure = exc
    raise failure


def find_stored(digests: Sequence[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(digests), ASKED_AT_ONCE):
            asked = digests[start : start + ASKED_AT_ONCE]
            marks = ", ".join(["%s"] * len(asked))
            cursor.execute(f"SELECT sha256, id FROM complaints_message WHERE sha256 IN ({marks})", asked)  # noqa: S608
            found.update((bytes(digest), pk) for digest, pk in cursor.fetchall())
    return found


def insert_messages(mails: Mapping[bytes, Arrival], now: datetime) -> dict[bytes, int]:
    dictionary = newest_dictionary()
    packed = [pack(mail.raw, dictionary) for mail in mails.values()]  # before the transaction: it stays short
    with transaction.atomic():
        ids = dict(zip(mails, reserve_ids(Message, len(mails)), strict=True))
        rows = [
            (
                *(digest, ids[digest], data, dictionary, len(mail.raw), mail.channel),
                *(storable(mail.peer, LONGEST_PEER), storable(mail.envelope_from, LONGEST_ADDRESS)),
                *(storable("\n".join(mail.envelope_to), LONGEST_RECIPIENTS), now),
            )
            for (digest, mail), data in zip(mails.items(), packed, strict=True)
        ]
        # By digest: two batches that share mails then wait for each other instead of deadlocking.
        insert_rows(Message, MESSAGE_COLUMNS, sorted(rows))
        waiting = ("waiting", "", "", "", "", "", "", 0)
        insert_rows(Reading, READING_COLUMNS, [(pk, *waiting) for pk in ids.values()])
    return ids


def newest_dictionary() -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM complaints_compressiondictionary")
        found: int | None = cursor.fetchone()[0]
    return found


def train_dictionary(now: datetime | None = None) -> CompressionDictionary | None:
    """Train a dictionary on the newest mails; kept, and used from now on, when it packs better than the present one.

    None: there are too few mails, or it would not be worth it.
    """
    mails = [raw[:SAMPLE_BYTES] for raw in newest_mails(TRAIN_ON)]
    if len(mails) < TRAIN_FROM:
        return None
    try:
        data = train([mail for number, mail in enumerate(mails) if number % HELD_OUT], size=DICTIONARY_BYTES)
    except zstandard.ZstdError:  # all alike: plain packing does as well
        return None
    if not is_worth_it(data, mails[::HELD_OUT]):
        return None
    found = CompressionDictionary.objects.create(data=data, trained_on=len(mails), created_at=now or timezone.now())
    forget_dictionaries()
    return found


def newest_mails(n: int) -> Iterator[bytes]:
    for message in Message.objects.order_by("-pk").only("packed", "dictionary_id")[:n].iterator(chunk_size=100):
        yield message.raw


def is_worth_it(data: bytes, mails: Iterable[bytes]) -> bool:
    trained = zstandard.ZstdCompressor(level=3, dict_data=zstandard.ZstdCompressionDict(data))
    present = newest_dictionary()
    pairs = [(len(trained.compress(mail)), len(pack(mail, present))) for mail in mails]
    return sum(ours for ours, _ in pairs) < WORTH * sum(theirs for _, theirs in pairs)
