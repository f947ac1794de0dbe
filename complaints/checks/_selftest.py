"""Is a list alive? RFC 5782 section 5: 127.0.0.2 must be listed and 127.0.0.1 must not.

Lists die by being emptied, by their domain lapsing into a wildcard that lists the world, or by silence; and
they refuse resolvers they do not know. Only this test tells such a list from an honest one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

from complaints.checks._answers import error_among
from complaints.checks._dns import Answer, IPAddress, NoAnswer, OverLimit
from complaints.checks._lists import DnsblList

LISTED = {4: ipaddress.ip_address("127.0.0.2"), 6: ipaddress.ip_address("::ffff:7f00:2")}
UNLISTED = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::ffff:7f00:1")}
PASSED_S = 3600.0  # how long a test counts
FAILED_S = 300.0


async def test_list(each: DnsblList, version: int, ask: Callable[[IPAddress], Awaitable[Answer]]) -> str | None:
    """Why the list's answers do not count, in words, or None. `ask` raises NoAnswer.

    Raises OverLimit: our own budget forbids the test.
    """
    try:
        listed = (await ask(LISTED[version])).addresses
        unlisted = (await ask(UNLISTED[version])).addresses
    except OverLimit:
        raise
    except NoAnswer as exc:
        return f"self-test: {exc}"
    if not listed:
        return f"self-test: does not list its own test address {LISTED[version]}: emptied, or no list at all"
    if error := error_among(each, listed):
        return f"self-test: {error}"
    if unlisted:
        return f"self-test: lists even {UNLISTED[version]}: it lists the world"
    return None
