from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abusedesk.environment import BadSetting, Environment


def test_a_variable_that_is_not_set_or_empty_has_its_default() -> None:
    assert Environment({}).text("NAME", "x") == "x"
    assert Environment({"NAME": ""}).whole("NAME", 7, low=0, high=9) == 7


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (lambda env: env.yes("X"), "maybe", "X='maybe': allowed is 1, 0, true, false, yes, no, on, off"),
        (
            lambda env: env.whole("X", 25, low=1, high=65535),
            "99999",
            "X='99999': allowed is a whole number from 1 to 65535 (out of range)",
        ),
        (
            lambda env: env.listen("X", "127.0.0.1:8025"),
            "8025",
            "X='8025': allowed is host:port, as 127.0.0.1:8025 or [::1]:8025 (host or port is missing)",
        ),
        (
            lambda env: env.url("X", "http://a", ("http", "https")),
            "ftp://a",
            "X='ftp://a': allowed is an URL that begins with one of http, https (scheme 'ftp')",
        ),
        (
            lambda env: env.domain("X", ""),
            "probe isp",
            "X='probe isp': allowed is a host or domain name, as probe.isp.example "
            "(not a name of letters, digits, hyphens and dots)",
        ),
        (
            lambda env: env.choices("X", ["domain", "assignment"]),
            "assignment,radius",
            "X='assignment,radius': allowed is some of assignment, domain, parted by commas (unknown: radius)",
        ),
        (
            lambda env: env.choices("X", ["domain", "assignment"]),
            "domain,domain",
            "X='domain,domain': allowed is some of assignment, domain, parted by commas (one is named twice)",
        ),
        (
            lambda env: env.headers("X"),
            "X-Customer-Id, Received",
            "X='X-Customer-Id, Received': allowed is names of header fields parted by commas, as X-Customer-Id "
            "('received' is no field of your own)",
        ),
        (
            lambda env: env.service("X"),
            "https://user:secret@leases.example/",
            "X='https://user:secret@leases.example/': allowed is an http:// or https:// URL without user, query and "
            "fragment (scheme, host, port and path only)",
        ),
        (
            lambda env: env.mailbox("X", ""),
            "abuse",
            "X='abuse': allowed is one mail address, as abuse@isp.example (not local@domain)",
        ),
    ],
)
def test_nonsense_is_refused_with_name_value_and_what_is_allowed(
    read: Callable[[Environment], Any], text: str, told: str
) -> None:
    env = Environment({"X": text})
    read(env)
    with pytest.raises(BadSetting) as caught:
        env.seal()
    assert str(caught.value) == f"settings refused:\n  {told}"


def test_every_fault_is_told_at_once() -> None:
    env = Environment({"A": "maybe", "B": "-1"})
    env.yes("A")
    env.whole("B", 1, low=0, high=9)
    assert [fault.partition("=")[0] for fault in env.faults] == ["A", "B"]


def test_a_refused_secret_is_not_shown() -> None:
    env = Environment({"DATABASE_URL": "mysql://root:hunter2@db"})
    env.url("DATABASE_URL", "sqlite:///x", ("sqlite", "postgresql"), secret=True)
    assert env.faults == ["DATABASE_URL=(hidden): allowed is an URL that begins with one of sqlite, postgresql"]


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    assert Environment({"KEY_FILE": str(tmp_path / "key")}).text("KEY") == "s3cret"


def test_a_secret_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    env = Environment({"KEY_FILE": str(tmp_path / "none")})
    env.text("KEY")
    assert env.faults[0].startswith(f"KEY_FILE={str(tmp_path / 'none')!r}: cannot be read")


def test_a_variable_and_its_file_together_are_refused() -> None:
    env = Environment({"KEY": "a", "KEY_FILE": "b"})
    env.text("KEY")
    assert env.faults[0] == "KEY and KEY_FILE are both set: keep one"


def test_listening_on_ipv6() -> None:
    assert Environment({"X": "[::1]:25"}).listen("X", "127.0.0.1:1") == ("::1", 25)


WEB, DATABASE, MAIL = ("http", "https"), ("sqlite", "postgresql"), ("smtp", "file")


@pytest.mark.parametrize(
    ("schemes", "text", "why"),
    [
        (WEB, "https://", "host is missing"),
        (WEB, "https://desk.example/sub", "scheme, host and port only"),
        (WEB, "https://desk.example?x", "scheme, host and port only"),
        (WEB, "https://me@desk.example", "scheme, host and port only"),
        (WEB, "https://desk.example:99999", "Port out of range 0-65535"),
        (DATABASE, "sqlite://", "path is missing"),
        (DATABASE, "sqlite:///", "path is missing"),
        (DATABASE, "postgresql://db", "name of the database is missing"),
        (MAIL, "smtp://h:abc", "Port could not be cast to integer value as 'abc'"),
        (MAIL, "smtp://:25", "host is missing"),
        (MAIL, "file://", "path is missing"),
    ],
)
def test_an_url_that_leads_nowhere_is_refused(schemes: tuple[str, ...], text: str, why: str) -> None:
    env = Environment({"X": text})
    env.url("X", "", schemes)
    assert env.faults == [f"X={text!r}: allowed is an URL that begins with one of {', '.join(schemes)} ({why})"]


@pytest.mark.parametrize(
    ("schemes", "text"),
    [
        (WEB, "https://desk.example"),
        (WEB, "http://[::1]:8080/"),
        (DATABASE, "sqlite:////var/lib/desk.sqlite3"),
        (DATABASE, "postgresql://u:p@db:5432/desk"),
        (DATABASE, "postgresql:///desk"),
        (MAIL, "smtp://127.0.0.1:25"),
        (MAIL, "file:///tmp/mail"),
    ],
)
def test_an_url_that_leads_somewhere_is_taken(schemes: tuple[str, ...], text: str) -> None:
    env = Environment({"X": text})
    assert (env.url("X", "", schemes), env.faults) == (text, [])


def test_a_name_of_two_lines_would_be_a_second_header_in_every_mail() -> None:
    env = Environment({"X": "Desk\nBcc: all@customers.example"})
    env.text("X")
    assert env.faults == [
        "X='Desk\\nBcc: all@customers.example': allowed is any text in one line (it has control characters)"
    ]


def test_a_resolver_is_an_address() -> None:
    env = Environment({"X": "127.0.0.1:53,ns.example:53"})
    env.hosts("X")
    assert env.faults[0].startswith("X='127.0.0.1:53,ns.example:53': allowed is address:port")


def test_a_list_without_names_is_refused() -> None:
    env = Environment({"X": " , "})
    env.names("X", ["localhost"])
    assert env.faults == ["X=' , ': allowed is names parted by commas (none is named)"]


def test_sources_headers_and_services_are_read() -> None:
    env = Environment({"A": "domain, assignment", "B": "X-Customer-Id, x-auth", "C": "https://leases.example/v1 "})

    assert env.choices("A", ["assignment", "domain"]) == ("domain", "assignment")
    assert env.headers("B") == ("x-customer-id", "x-auth")
    assert env.service("C") == "https://leases.example/v1"
    assert (env.choices("D", []), env.headers("D"), env.service("D")) == ((), (), "")
    env.seal()
