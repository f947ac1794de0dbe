"""Peers of the look-up: structures in memory, and the query of AbuseIO. Addresses with times in, contracts out.

Those in memory find the prefix, and then by bisect who held it at the time, so that they answer the same question.
"""

from __future__ import annotations

import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.network_plan import NEVER, Plan
from complaints.addresses import address_key, enclosing_keys, prefix_text

PEERS = ("py-radix==1.1.0", "pytricia==1.3.0")
Asked = Sequence[tuple[bytes, int]]
Contestant = Callable[[Asked], list[int | None]]


def get_peers(folder: Path) -> None:
    for peer in PEERS:
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*words, "--target", str(folder), peer], check=False, stderr=subprocess.DEVNULL)


def peers_of(plan: Plan) -> dict[str, Contestant]:
    found = {"dict and bisect": dict_of_prefixes(plan)}
    for name, make in (("py-radix", radix_tree), ("pytricia", patricia_trie)):
        try:
            found[name] = make(plan)
        except ImportError:
            print(f"{name}: not to be had here, left out")
    return found


def dict_of_prefixes(plan: Plan) -> Contestant:
    numbers = plan.numbers

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, at in asked:
            lengths = plan.lengths[4 if address.startswith(bytes(10) + b"\xff\xff") else 6]
            around = (numbers[key] for key in enclosing_keys(address, lengths) if key in numbers)
            found.append(next((holder for n in around if (holder := held(plan, n, at)) is not None), None))
        return found

    return run


def held(plan: Plan, n: int, at: int) -> int | None:
    i = bisect_right(plan.since, at, plan.first[n], plan.first[n + 1]) - 1
    if i < plan.first[n] or not (plan.until[i] == NEVER or at < plan.until[i]):
        return None
    return plan.contract[i]


def radix_tree(plan: Plan) -> Contestant:
    import radix

    tree = radix.Radix()
    for n, key in enumerate(plan.keys):
        tree.add(packed=key[1:], masklen=key[0]).data["n"] = n

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, at in asked:
            node = tree.search_best(packed=address[12:] if address.startswith(bytes(10) + b"\xff\xff") else address)
            while node is not None and (holder := held(plan, node.data["n"], at)) is None:
                node = node.parent
            found.append(holder if node is not None else None)
        return found

    return run


def patricia_trie(plan: Plan) -> Contestant:
    import pytricia

    tries = {5: pytricia.PyTricia(32), 17: pytricia.PyTricia(128)}
    for n, key in enumerate(plan.keys):
        tries[len(key)].insert(key[1:], key[0], n)

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, at in asked:
            is_4 = address.startswith(bytes(10) + b"\xff\xff")
            trie, packed = tries[5 if is_4 else 17], address[12:] if is_4 else address
            prefix = trie.get_key(packed)
            while prefix is not None and (holder := held(plan, trie[prefix], at)) is None:
                prefix = trie.parent(prefix)
            found.append(holder if prefix is not None else None)
        return found

    return run


def abuseio(plan: Plan) -> Contestant:
    """Its table of netblocks as they are now: no history, so the time is not asked."""
    from django.db import connection

    kind = "bytea" if connection.vendor == "postgresql" else "blob"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE peer_netblock (first {kind}, last {kind}, contract integer)")
        rows = [netblock(plan, n) for n in range(plan.statics)]
        for start in range(0, len(rows), 1_000):
            marks = ", ".join(["(%s, %s, %s)"] * len(rows[start : start + 1_000]))
            cursor.execute(f"INSERT INTO peer_netblock VALUES {marks}", sum(rows[start : start + 1_000], ()))
        cursor.execute("CREATE INDEX peer_netblock_range ON peer_netblock (first, last)")
        cursor.execute("ANALYZE peer_netblock")
    driver = connection.connection.cursor()
    mark = "%s" if connection.vendor == "postgresql" else "?"
    sql = (
        f"SELECT contract FROM peer_netblock WHERE first <= {mark} AND last >= {mark} ORDER BY first DESC, last LIMIT 1"
    )

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, _ in asked:
            driver.execute(sql, (address, address))
            row = driver.fetchone()
            found.append(row[0] if row else None)
        return found

    return run


def netblock(plan: Plan, n: int) -> tuple[bytes, bytes, int]:
    key = plan.keys[n]
    first = address_key(prefix_text(key).partition("/")[0])
    free = 8 * (len(key) - 1) - key[0]
    last = (int.from_bytes(first, "big") | ((1 << free) - 1)).to_bytes(16, "big")
    return first, last, plan.contract[plan.first[n + 1] - 1]
