"""Who had logged in at a mail relay of ours: its address is every customer's, the login one's.

A login counts only from the relay's own Received line (formats/accounts.py reads it), if each machine on the way to
that line is a relay of ours as well, or from a header of ABUSEDESK_ACCOUNT_HEADERS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from complaints.addresses import address_key
from complaints.attribution.answers import Holding, Question
from complaints.attribution.lookup import LOGIN, Surroundings
from complaints.attribution.resolvers import Fact, Place
from complaints.attribution.resolvers._named import Row, answer_of, decide_by, rows_of
from complaints.formats.accounts import Account, read_account
from complaints.models import LineIdentifier, SharedMachine
from complaints.models.identifiers import identifier_value

NAME = "smtp_user"
RANK = 20
PLACES = frozenset({Place.RELAY})
CONFIDENCE = 0.9
HEADER, LOGIN_NAME = LineIdentifier.Kind.HEADER.value, LineIdentifier.Kind.SMTP_USER.value
WORDS = {LOGIN_NAME: "login", HEADER: "header"}


def resolve(questions: Sequence[Question], around: Surroundings) -> list[Holding | None]:
    believed = [believed_keys(question, around) for question in questions]
    claims = rows_of((key for keys in believed for key in keys), ask_identifiers)
    answers: list[Holding | None] = []
    for question, keys in zip(questions, believed, strict=True):
        found = [named for key in keys if (named := decide_by(question, [key], claims))]
        kind = found[0].name.partition(" ")[0] if found else LOGIN_NAME
        found = [dataclasses.replace(named, name=named.name.partition(" ")[2]) for named in found]
        answers.append(answer_of(question, found, method=kind, confidence=CONFIDENCE, what=WORDS[kind]))
    return answers


def believed_keys(question: Question, around: Surroundings) -> list[str]:
    """ "kind value" of each account that this machine itself vouches for."""
    found: dict[str, None] = {}
    for account in map(read_account, question.accounts):
        if account.header or (tells_login(question.address, around) and all_ours(account, around)):
            kind = HEADER if account.header else LOGIN_NAME
            try:
                found[f"{kind} {identifier_value(kind, account.name)}"] = None
            except ValueError:
                continue  # nothing that could be registered
    return list(found)


def all_ours(account: Account, around: Surroundings) -> bool:
    return all(tells_login(address_key(machine), around) for machine in account.via)


def tells_login(address: bytes, around: Surroundings) -> bool:
    return LOGIN in around.machine(address)


def ask_identifiers(keys: list[str]) -> Iterable[Row]:
    """Keys are "kind value": the two kinds may bear the same value."""
    wanted = [key.partition(" ") for key in keys]
    rows = LineIdentifier.objects.filter(kind__in={kind for kind, _, _ in wanted}, value__in={v for _, _, v in wanted})
    for kind, value, contract_id, since, until in rows.values_list(
        "kind", "value", "contract_id", "valid_from", "valid_until"
    ):
        yield f"{kind} {value}", contract_id, since, until


def health(*, now: datetime) -> list[Fact]:
    relays = list(SharedMachine.objects.filter(what=SharedMachine.What.MAIL).order_by("name")[:20])
    if not relays:
        return [Fact(True, "No mail relay is registered as shared, so nobody is asked for a login")]
    facts = [Fact(True, f"{relay} {'tells' if relay.tells_login else 'hides'} who had logged in") for relay in relays]
    headers = ", ".join(settings.ACCOUNT_HEADERS) or "none"
    known = LineIdentifier.objects.filter(kind__in=WORDS).exists()
    words = "Logins of contracts are known" if known else "No login of any contract is known: import_identifiers"
    return [*facts, Fact(True, f"Headers that are believed: {headers}"), Fact(known, words)]
