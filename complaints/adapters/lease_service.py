"""The ISP's own service that knows who had an address: the protocol of docs/resolvers.md, without a database.

One POST for many questions, signed; the answer is taken apart piece by piece, and nothing in it is believed that is
not exactly as agreed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .http import NoAnswer, exchange

MOST_ASKED: Final = 2_000  # questions of one POST
MOST_BYTES: Final = 8 * 2**20
MOST_HOLDERS: Final = 200  # of one question
LONGEST_CONTRACT: Final = 100
CONFIDENCE: Final = 0.9  # where the service gives none
ALL_PORTS: Final = (0, 65535)
TIMESTAMP: Final = "X-Abusedesk-Timestamp"
SIGNATURE: Final = "X-Abusedesk-Signature"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who held the address, and the port if it is known, at any moment from `since` until before `until`?"""

    address: str
    port: int | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """valid_until: first moment it no longer held; None: it holds still, at the time of the answer."""

    contract: str
    valid_from: datetime
    valid_until: datetime | None
    confidence: float = CONFIDENCE
    port_first: int = ALL_PORTS[0]
    port_last: int = ALL_PORTS[1]


Answered = list[Held] | str  # who held it, in any order; or what in the answer cannot be used


class Malformed(ValueError):
    """A holder is not as agreed; the text says where."""


def ask_service(questions: Sequence[Asked], *, url: str, key: str, now: datetime, timeout_s: float) -> list[Answered]:
    """One answer a question, in their order; at most MOST_ASKED of them.

    Raises:
        NoAnswer: unreachable, slow, another status than 200, or not the agreed JSON as a whole.
    """
    body = json.dumps({"questions": [as_json(question) for question in questions]}).encode()
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        TIMESTAMP: timestamp,
        SIGNATURE: sign(key, timestamp, body),
    }
    reply = exchange(url, body=body, headers=headers, timeout_s=timeout_s, most_bytes=MOST_BYTES)
    if reply.status != 200:
        raise NoAnswer(f"status {reply.status}")
    answers = read_answers(reply.body)
    if len(answers) != len(questions):
        raise NoAnswer(f"{len(answers)} answers to {len(questions)} questions")
    return [read_answer(answer) for answer in answers]


def as_json(asked: Asked) -> dict[str, Any]:
    since, until = (at.astimezone(UTC).isoformat() for at in (asked.since, asked.until))
    return {"address": asked.address, "port": asked.port, "from": since, "until": until}


def sign(key: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) of the timestamp, a point and the body, in hexadecimal."""
    return "v1=" + hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def read_answers(body: bytes) -> list[Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer("an answer that is no JSON") from None
    answers = document.get("answers") if isinstance(document, dict) else None
    if not isinstance(answers, list):
        raise NoAnswer('JSON without a list "answers"')
    return answers


def read_answer(answer: Any) -> Answered:
    """A list of holders; one holder alone and null are taken for a list of one and of none."""
    holders = [] if answer is None else answer if isinstance(answer, list) else [answer]
    if len(holders) > MOST_HOLDERS:
        return f"{len(holders)} holders of one address, more than {MOST_HOLDERS} are not read"
    try:
        return [read_holder(holder) for holder in holders]
    except Malformed as exc:
        return str(exc)


def read_holder(holder: Any) -> Held:
    if not isinstance(holder, dict):
        raise Malformed("a holder that is no object")
    contract = holder.get("contract")
    if not isinstance(contract, str) or not 0 < len(contract) <= LONGEST_CONTRACT or not contract.isprintable():
        raise Malformed(f"contract: {shown(contract)} is no reference of a contract")
    valid_from, valid_until = read_time(holder, "valid_from"), read_time(holder, "valid_until", may_miss=True)
    if valid_from is None or (valid_until is not None and valid_until <= valid_from):
        raise Malformed("valid_until: not later than valid_from")
    confidence = holder.get("confidence", CONFIDENCE)
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise Malformed(f"confidence: {shown(confidence)} is not from 0 to 1")
    first, last = read_port(holder, "port_first", ALL_PORTS[0]), read_port(holder, "port_last", ALL_PORTS[1])
    if first > last:
        raise Malformed(f"port_last: {last} is below port_first")
    return Held(contract, valid_from, valid_until, float(confidence), first, last)


def read_time(holder: dict[str, Any], name: str, *, may_miss: bool = False) -> datetime | None:
    value = holder.get(name)
    if value is None and may_miss:
        return None
    try:
        at = datetime.fromisoformat(str(value))
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Malformed(f"{name}: {shown(value)} is no ISO 8601 time with its zone")


def read_port(holder: dict[str, Any], name: str, otherwise: int) -> int:
    value = holder.get(name)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise Malformed(f"{name}: {shown(value)} is no port")
    return value


def shown(value: Any) -> str:
    return repr(value)[:60]
