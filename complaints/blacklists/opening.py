"""A new listing opens a case before anybody complains. The list is the reporter; the rest goes its usual way."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from complaints.addresses import address_key, prefix_text
from complaints.attribution import Holding, Question, attribute
from complaints.cases.accusations import Accusation, identity_of
from complaints.cases.filing import file_complaints
from complaints.intake import Arrival, store_messages
from complaints.models import Assignment, Complaint, Listing, Message, Reading
from complaints.models.text import storable
from complaints.vocabulary import Answer, Category, Disposition, ParsedComplaint

FORMAT = "listing"
# A bot, a relay and a spam source are one kind of case, as complaints about their mail are; the cause tells them apart.
CATEGORIES = {
    "spam-source": Category.SPAM,
    "relay": Category.SPAM,
    "bot": Category.SPAM,
    "attack": Category.LOGIN_ATTACK,
    "proxy": Category.VULNERABLE,
}
OLDEST = timedelta(days=30)  # so old a listing may be that nobody looked for before: most lists forget by then
FEEDS_LAG = timedelta(minutes=10)  # no list names an address sooner than that after it began to send
BATCH = 200


@dataclasses.dataclass(slots=True)
class Opened:
    """complaints: how many were filed. cases: ids of those they are in. unsure: listings whose holder is not known."""

    complaints: int = 0
    cases: set[int] = dataclasses.field(default_factory=set)
    unsure: int = 0


def has_meaning(listing: Listing) -> bool:
    """Policy, neighbours and a bad reputation alone say nothing that a customer could mend."""
    return listing.status == "listed" and any(cause in CATEGORIES for cause in listing.causes)


def open_for_listings(listings: Sequence[Listing], *, since: datetime | None, now: datetime) -> Opened:
    """File those that mean something as complaints. Safe to repeat: a listing that has its case is left out.

    since: when these lists were seen not to name them yet; None: nobody had looked. Whoever holds an address now
    is accused only if nobody else held it from then on.
    """
    opened = Opened()
    wanted = [each for each in listings if each.case_id is None and has_meaning(each)]
    for start in range(0, len(wanted), BATCH):
        file_some(wanted[start : start + BATCH], opened, since=since or now - OLDEST, now=now)
    return opened


def file_some(listings: Sequence[Listing], opened: Opened, *, since: datetime, now: datetime) -> None:
    addresses = [address_of(each) for each in listings]
    half = (now - min(since, now)) / 2
    questions = [Question(address, None, now - half, slack=half, feeds_lag=FEEDS_LAG) for address in addresses]
    holdings = attribute(questions)
    owned = [
        (listing, address, holding)
        for listing, address, holding in zip(listings, addresses, holdings, strict=True)
        if holding.answer is Answer.OWNER and is_all_theirs(listing, holding)
    ]
    opened.unsure += len(listings) - len(owned)
    if owned:
        file_owned(owned, opened, now=now)


def file_owned(owned: Sequence[tuple[Listing, bytes, Holding]], opened: Opened, *, now: datetime) -> None:
    with transaction.atomic():  # no worker may read these messages as mail, which they are not
        arrivals = [Arrival(evidence_mail(listing), Message.Channel.LISTING) for listing, _, _ in owned]
        ids = [stored.message_id for stored in store_messages(arrivals, now=now)]
        accusations = []
        for message_id, (listing, address, holding) in zip(ids, owned, strict=True):
            parsed = as_complaint(listing)
            identity = identity_of(message_id, parsed, address=address, seen_at=now)
            accusations.append(
                Accusation(identity=identity, received_at=now, format=FORMAT, parsed=parsed, holding=holding)
            )
            Reading.objects.filter(message=message_id).update(
                state=Reading.State.READ, format=FORMAT, disposition=Disposition.COMPLAINT,
                subject=storable(parsed.original_subject, 400), sender=parsed.reporter, complaint_count=1, read_at=now,
            )  # fmt: skip
        filed = file_complaints(accusations, now=now)
        cases = dict(Complaint.objects.filter(message__in=ids).values_list("message_id", "case_id"))
        for message_id, (listing, _, _) in zip(ids, owned, strict=True):
            Listing.objects.filter(pk=listing.pk).update(case=cases.get(message_id))
    opened.complaints += filed.complaints
    opened.cases |= set(filed.touched)


def address_of(listing: Listing) -> bytes:
    return address_key(str(ipaddress.ip_network(prefix_text(listing.key)).network_address))


def is_all_theirs(listing: Listing, holding: Holding) -> bool:
    """A network that is listed as a whole is one customer's matter only if they hold all of it."""
    network = ipaddress.ip_network(prefix_text(listing.key))
    if network.num_addresses == 1:
        return True
    key = bytes(listing.key)
    held = Assignment.objects.filter(contract=holding.contract_id, valid_until__isnull=True, key__in=around(key))
    return held.exists()


def around(key: bytes) -> list[bytes]:
    """The keys of every prefix that encloses this one, itself the last."""
    number, bits = int.from_bytes(key[1:], "big"), (len(key) - 1) * 8
    lengths = range(1, key[0] + 1)
    kept = (number >> (bits - length) << (bits - length) for length in lengths)
    return [bytes((length,)) + masked.to_bytes(bits // 8, "big") for length, masked in zip(lengths, kept, strict=True)]


def as_complaint(listing: Listing) -> ParsedComplaint:
    category = next(CATEGORIES[cause] for cause in CATEGORIES if cause in listing.causes)
    return ParsedComplaint(
        category=category,
        source_ip=str(ipaddress.ip_network(prefix_text(listing.key)).network_address),
        source_reason="the blacklist's own entry",
        original_subject=f"{listing.blacklist.name} lists {listing.prefix}: {listing.meaning}",
        reporter=f"list:{listing.blacklist.name}",
        feedback_type="listing",
        extra={
            "list": listing.blacklist.name,
            "place": listing.prefix,
            "codes": listing.codes,
            "meaning": listing.meaning,
            "causes": listing.causes,
            "text": listing.text,
        },
    )


def evidence_mail(listing: Listing) -> bytes:
    """What is kept as the message: the listing in words, in the shape of a mail. No date of abuse: none is known."""
    lines = [
        f"From: list:{listing.blacklist.name}",
        f"Subject: {one_line(listing.blacklist.name)} lists {listing.prefix}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        "Written by the desk itself: a blacklist began to name this address.",
        "",
        f"List: {listing.blacklist.name} ({listing.blacklist.zone})",
        f"Listed: {listing.prefix}",
        f"Answer: {' '.join(listing.codes)}",
        f"Meaning: {one_line(listing.meaning)}",
        f"Its own words: {one_line(listing.text)}",
        f"First seen: {listing.first_seen_at:%Y-%m-%d %H:%M:%S} UTC, in {source_words(listing)}",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "replace")


def one_line(text: str) -> str:
    return " ".join(text.split())


def source_words(listing: Listing) -> str:
    return "its zone file" if listing.source == Listing.Source.FILE else "its answers by DNS"
