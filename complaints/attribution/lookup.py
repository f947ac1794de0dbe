"""The look-up: our networks, the claims on the prefixes around many addresses, and who held one last.

One statement a batch. It is written as SQL because Django's compiler alone costs more than the whole
look-up, and because the set of prefix lengths in use can then travel in the same statement: the lengths
are remembered in the process, and an answer that comes back with other lengths is asked again. So a
length that an import adds in another process is never missed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from complaints.addresses import enclosing_keys, family_of
from complaints.attribution.answers import Question
from complaints.attribution.decision import Claim, window
from complaints.models import Assignment, Contract, Network, PrefixLength, SharedMachine

Lengths = dict[int, tuple[int, ...]]  # by family, most specific first
NO_LENGTHS: Lengths = {4: (), 6: ()}
LOGIN = "login"  # beside SharedMachine.What: its own Received line tells who had logged in

CLAIM_COLUMNS = "key, contract_id, kind, valid_from, valid_until, port_first, port_last"
CLAIMS = f"""
SELECT {CLAIM_COLUMNS} FROM {Assignment._meta.db_table}
WHERE key {{keys}} AND valid_from < %s AND (valid_until IS NULL OR valid_until > %s)
"""  # noqa: S608 - table names of our own models
# Rows of three more kinds, told apart by a contract_id of 0 (ids begin at 1): a length in use, a network of ours, and a
# machine of ours on which many customers act, with what it is and whether its Received line tells the login.
SURROUNDINGS = f"""
UNION ALL SELECT NULL, 0, '', NULL, NULL, family, length FROM {PrefixLength._meta.db_table}
UNION ALL SELECT key, 0, '', NULL, NULL, 0, 0 FROM {Network._meta.db_table}
UNION ALL SELECT key, 0, what, NULL, NULL, 0, CASE WHEN what = 'mail' AND tells_login THEN 1 ELSE 0 END
FROM {SharedMachine._meta.db_table}
"""  # noqa: S608 - table names of our own models
LAST_HELD = f"""
SELECT * FROM (SELECT {{number}}, {CLAIM_COLUMNS} FROM {Assignment._meta.db_table}
WHERE key {{keys}} AND valid_until <= %s ORDER BY valid_until DESC LIMIT 1) AS last{{number}}
"""  # noqa: S608 - table names of our own models
QUESTIONS_A_STATEMENT = 50  # of LAST_HELD: databases limit the parts of a UNION

# An array that PostgreSQL cannot count while it plans: shown 5,000 keys it reads the whole table instead of the
# index (measured at 1,000,000 rows: 85 against 32 µs a look-up). One text is also the quickest to hand over.
KEYS_OF_TEXT = "= ANY(ARRAY(SELECT decode(part, 'hex') FROM unnest(string_to_array(%s, ',')) AS part))"
KEYS_A_STATEMENT = 30_000  # SQLite's own limit of parameters is 32,766

remembered: dict[str, Lengths] = {}  # by database; a hint that each answer verifies


class Surroundings:
    """One batch's answer: claims by prefix key, the lengths in use, and our networks."""

    def __init__(self, lengths: Lengths) -> None:
        self.lengths = lengths
        self.claims: dict[bytes, list[Claim]] = defaultdict(list)
        self.networks: set[bytes] = set()
        self.network_lengths: Lengths = NO_LENGTHS
        self.machines: dict[bytes, set[str]] = {}  # by prefix key: what it is; mail relays that tell the login: LOGIN

    def is_ours(self, address: bytes) -> bool:
        around = enclosing_keys(address, self.network_lengths[family_of(address)])
        return not self.networks.isdisjoint(around)

    def machine(self, address: bytes) -> set[str]:
        """What the machine at this address is, if many customers act on it; most sites have none such."""
        if not self.machines:
            return set()
        lengths = sorted({key[0] for key in self.machines if family_of(key) == family_of(address)}, reverse=True)
        return set().union(*(self.machines.get(key, ()) for key in enclosing_keys(address, lengths)))

    def levels(self, address: bytes) -> list[list[Claim]]:
        """The claims of each prefix around `address`, most specific first."""
        around = enclosing_keys(address, self.lengths[family_of(address)])
        return [self.claims[key] for key in around if key in self.claims]


def look_around(questions: Sequence[Question]) -> Surroundings:
    """Everything on the prefixes around the questions' addresses that could matter at their times."""
    while True:
        found = ask(questions, remembered.get(connection.alias, NO_LENGTHS))
        if remembered.get(connection.alias, NO_LENGTHS) == found.lengths:
            return found
        remembered[connection.alias] = found.lengths


def ask(questions: Sequence[Question], lengths: Lengths) -> Surroundings:
    """One look with the lengths as remembered; the answer holds the lengths as they are."""
    keys = list({key for q in questions for key in enclosing_keys(q.address, lengths[family_of(q.address)])})
    windows = [window(question) for question in questions]
    earliest, latest = min(since for since, _ in windows), max(until for _, until in windows)
    found = Surroundings(lengths)
    in_use: list[tuple[int, int]] = []
    for row in rows_on(keys, latest, earliest):
        if row[1]:
            claim = as_claim(row)
            found.claims[claim.key].append(claim)
        elif row[0] is None:
            in_use.append((row[5], row[6]))
        elif row[2]:
            found.machines.setdefault(bytes(row[0]), set()).update((row[2], LOGIN) if row[6] else (row[2],))
        else:
            found.networks.add(bytes(row[0]))
    found.lengths = by_family(in_use)
    found.network_lengths = by_family({(family_of(key), key[0]) for key in found.networks})
    return found


def rows_on(keys: list[bytes], latest: datetime, earliest: datetime) -> Iterator[tuple[Any, ...]]:
    times = [as_parameter(latest), as_parameter(earliest)]
    for number, (condition, parameters) in enumerate(key_conditions(keys)):
        statement = CLAIMS.format(keys=condition) + (SURROUNDINGS if number == 0 else "")
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, *times])
            yield from cursor.fetchall()


def key_conditions(keys: list[bytes]) -> Iterator[tuple[str, list[Any]]]:
    """The keys as one text on PostgreSQL, as lists of what a statement may carry on SQLite; at least one list."""
    if connection.vendor == "postgresql":
        yield KEYS_OF_TEXT, [",".join([key.hex() for key in keys])]
        return
    for start in range(0, max(len(keys), 1), KEYS_A_STATEMENT):
        chunk = keys[start : start + KEYS_A_STATEMENT]
        yield f"IN ({', '.join(['%s'] * len(chunk))})", chunk


def last_holders(questions: Sequence[Question]) -> dict[Question, tuple[Claim, str]]:
    """Who held each address last before its question, with the contract's reference."""
    lengths = remembered.get(connection.alias, NO_LENGTHS)  # look_around has just verified them
    found: dict[Question, Claim] = {}
    for start in range(0, len(questions), QUESTIONS_A_STATEMENT):
        asked = questions[start : start + QUESTIONS_A_STATEMENT]
        parts, parameters = [], []
        for number, question in enumerate(asked):
            keys = enclosing_keys(question.address, lengths[family_of(question.address)])
            condition, values = next(key_conditions(keys))
            parts.append(LAST_HELD.format(number=number, keys=condition))
            parameters += [*values, as_parameter(question.at)]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), parameters)
            for number, *row in cursor.fetchall():
                found[asked[number]] = as_claim(row)
    names = names_of(claim.contract_id for claim in found.values())
    return {question: (claim, names[claim.contract_id]) for question, claim in found.items()}


def names_of(contract_ids: Iterable[int]) -> dict[int, str]:
    """References by id; asks nothing for nobody."""
    wanted = set(contract_ids)
    if not wanted:
        return {}  # even an empty query costs as much as a look-up
    found = Contract.objects.only("reference").in_bulk(wanted)
    return {pk: contract.reference for pk, contract in found.items()}


def as_claim(row: Sequence[Any]) -> Claim:
    key, contract_id, kind, valid_from, valid_until, first, last = row
    return Claim(bytes(key), contract_id, kind, as_time(valid_from), as_time(valid_until), first, last)


def by_family(pairs: Iterable[tuple[int, int]]) -> Lengths:
    lengths: dict[int, list[int]] = {4: [], 6: []}
    for family, length in pairs:
        lengths[family].append(length)
    return {family: tuple(sorted(found, reverse=True)) for family, found in lengths.items()}


def as_time(value: Any) -> Any:
    """A time as the driver gave it (SQLite: text or naive, in UTC) as an aware one."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


def as_parameter(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
