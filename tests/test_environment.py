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
