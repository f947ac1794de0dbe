"""Who may open what: every address of the site, with every role, against the table in permissions.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from complaints.desk.roles import MAY, RESTRICTED, RISKY, Can, Role, allowed, lowest
from tests.desk.permissions import ADMIN, ANYBODY, CONFIRMED, KEY, LOGGED_IN, OPENED, OTHERS, POSTED
from tests.factories import make_case, make_user

SAMPLES = {"int": "1", "slug": "x", "str": "x", "path": "x", "uuid": "00000000-0000-4000-8000-000000000000"}
CONVERTER = re.compile(r"<(?:(\w+):)?(\w+)>")
# Where a word stands for a thing that must exist, or the page is a 404 for everybody.
WORDS = {"desk:hold": {"what": "mail"}, "desk:go-on": {"what": "mail"}}


def every_url(
    patterns: list[URLPattern | URLResolver], space: str = "", above: str = ""
) -> Iterator[tuple[str, dict[str, str]]]:
    """The names of all addresses, with something for each of their parts."""
    for pattern in patterns:
        route = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from every_url(pattern.url_patterns, inner, route)
        elif pattern.name:
            name = space + pattern.name
            parts = {part: SAMPLES[kind or "str"] for kind, part in CONVERTER.findall(route)}
            yield name, parts | WORDS.get(name, {})


URLS = {name: parts for name, parts in every_url(get_resolver().url_patterns) if not name.startswith((*OTHERS, ADMIN))}


def test_every_address_says_who_may_use_it() -> None:
    unknown = sorted(set(URLS) - set(OPENED) - set(POSTED))

    assert not unknown, (
        f"{', '.join(unknown)}: add a line to OPENED (shown by GET) or POSTED (changed by POST) in "
        "tests/desk/permissions.py, with the capability of complaints/desk/roles.py that its view asks for by may(…)"
    )


def test_the_table_names_no_address_that_is_gone() -> None:
    assert sorted((set(OPENED) | set(POSTED)) - set(URLS)) == []


def test_the_table_names_capabilities_alone() -> None:
    assert {*OPENED.values(), *POSTED.values()} - {ANYBODY, LOGGED_IN, KEY} <= set(Can)


def refused(client: Client, method: str, name: str) -> bool:
    response = getattr(client, method)(reverse(name, kwargs=URLS[name]))
    return response.status_code in (403, 405)


def by_capability(table: dict[str, str]) -> dict[str, Can]:
    return {name: Can(needed) for name, needed in table.items() if name in URLS and needed in set(Can)}


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "table"), [("get", OPENED), ("post", POSTED)], ids=["opens", "changes"])
def test_each_role_does_what_it_may_and_nothing_else(role: Role, method: str, table: dict[str, str]) -> None:
    client = Client()
    client.force_login(make_user("somebody", role))
    wrong = {}
    for name, needed in by_capability(table).items():
        if refused(client, method, name) == (needed in MAY[role]):
            did = "refused" if needed in MAY[role] else "granted"
            wrong[name] = f"{method} was {did} to the {role}, but tests/desk/permissions.py says that it takes {needed}"

    assert wrong == {}


@pytest.mark.django_db
def test_what_cuts_lines_or_writes_to_many_asks_again_who_one_is(settings: Settings) -> None:
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 1  # and this log-in, which proved nothing, is older
    case = make_case(pk=1)
    client = Client()
    client.force_login(make_user("dora", Role.ADMINISTRATOR))
    asked = set()
    for name in by_capability(POSTED):
        case.refresh_from_db()  # an act before this one may have moved it
        given = {"stay": str(case.stay), "number": "1", **CONFIRMED.get(name, {})}
        parts = URLS[name] | ({"verb": given.pop("verb")} if "verb" in given else {})
        where = client.post(reverse(name, kwargs=parts), given).get("Location", "")
        if where.startswith(reverse("account_reauthenticate")):
            asked.add(name)

    assert asked == set(CONFIRMED)


@pytest.mark.django_db
def test_who_is_restricted_opens_only_pages_that_show_them_their_part() -> None:
    client = Client()
    client.force_login(make_user("brand", Role.ADMINISTRATOR, only_brands=["Nordlicht"]))
    opened = {name for name in by_capability(OPENED) if not refused(client, "get", name)}
    changed = {name for name in by_capability(POSTED) if not refused(client, "post", name)}

    assert opened == {name for name, needed in by_capability(OPENED).items() if needed in RESTRICTED}
    assert changed <= {name for name, needed in by_capability(POSTED).items() if needed in RESTRICTED}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_the_table_does_not_name_is_refused_to_everybody(method: str) -> None:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    table = OPENED if method == "get" else POSTED

    rest = [name for name in URLS if name not in table and OPENED.get(name) != ANYBODY]

    assert [name for name in rest if not refused(client, method, name)] == []


@pytest.mark.django_db
def test_who_has_no_role_sees_nothing_and_reads_whom_to_ask() -> None:
    client = Client()
    client.force_login(make_user("new", role=""))

    assert [name for name in by_capability(OPENED) if not refused(client, "get", name)] == []
    assert "You have no role yet: ask an administrator" in client.get("/").content.decode()


def test_an_auditor_may_nothing_but_see() -> None:
    assert all(each.startswith("see_") for each in MAY[Role.AUDITOR])
    assert allowed(["auditor", "administrator"]) == MAY[Role.AUDITOR]


def test_each_role_may_what_the_one_before_may() -> None:
    analyst, senior, supervisor, administrator, _ = (MAY[role] for role in Role)

    assert analyst < senior < supervisor < administrator
    assert administrator == set(Can)


def test_who_is_restricted_keeps_what_shows_a_part() -> None:
    assert allowed(["administrator"], restricted=True) == RESTRICTED
    assert Can.SEE_NETWORK not in RESTRICTED


def test_every_capability_belongs_to_somebody() -> None:
    assert [lowest(each) for each in (Can.CLOSE_CASES, Can.CUT_LINES, Can.EDIT_PLAYBOOKS, Can.CONFIGURE)] == [
        Role.ANALYST,
        Role.SENIOR,
        Role.SUPERVISOR,
        Role.ADMINISTRATOR,
    ]
    assert Can.CUT_LINES in RISKY


def test_templates_ask_for_capabilities_that_exist() -> None:
    """Django takes a misspelt {% if can.… %} for no, and nobody would see the button again."""
    asked = {
        (path.name, name)
        for path in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for name in re.findall(r"\bcan\.(\w+)", "".join(re.findall(r"{%.*?%}", path.read_text())))
    }

    assert len(asked) > 20
    assert [each for each in sorted(asked) if each[1] not in set(Can)] == []
