"""One signed POST a measure, to a service of the ISP: see docs/measures.md for what it gets and must answer."""

from __future__ import annotations

import dataclasses
import json
import time

from complaints.adapters.http import NoAnswer, exchange
from complaints.adapters.lease_service import SIGNATURE, TIMESTAMP, sign
from complaints.adapters.measures import Config, Order, Refused, TryLater

NAME = "webhook"
RANK = 20
TIMEOUT_S = 20.0
MOST_BYTES = 64 * 1024
IDEMPOTENCY_KEY = "Idempotency-Key"
# Busy, or not yet: the same order is welcome later. Everything else from 400 on is a no.
LATER = frozenset({408, 409, 423, 425, 429, *range(500, 600)})


def carry_out(order: Order, config: Config) -> str:
    """A status below 300 means done. The service knows a repeated order by its Idempotency-Key."""
    body = json.dumps(dataclasses.asdict(order)).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        IDEMPOTENCY_KEY: order.key,
        TIMESTAMP: timestamp,
        SIGNATURE: sign(config["key"], timestamp, body),
    }
    try:
        reply = exchange(config["url"], body=body, headers=headers, timeout_s=TIMEOUT_S, most_bytes=MOST_BYTES)
    except NoAnswer as exc:
        raise TryLater(f"the service gave no answer: {exc}") from None
    said = " ".join(reply.body[:300].decode("utf-8", "replace").split())
    if reply.status < 300:
        return f"the service said {reply.status} {said}".strip()
    problem = f"the service said {reply.status} {said}".strip()
    raise (TryLater if reply.status in LATER else Refused)(problem)
