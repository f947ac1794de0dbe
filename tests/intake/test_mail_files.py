from __future__ import annotations

from pathlib import Path

import pytest

from complaints.listeners.mail_files import FoundMail, read_file, read_maildir, read_mbox, split_mbox

FROM = b"From loop@reporter.example Sat Jan  3 01:05:34 2026\n"


def split(data: bytes, *, max_bytes: int = 1000) -> list[FoundMail]:
    return list(split_mbox(data.splitlines(keepends=True), "box", max_bytes=max_bytes))


def mails(data: bytes) -> list[bytes]:
    return [found.raw for found in split(data)]


@pytest.mark.parametrize(
    ("mbox", "found"),
    [
        (b"", []),
        (b"\n\n", []),
        (FROM + b"A: 1\n\none\n\n" + FROM + b"B: 2\n\ntwo\n\n", [b"A: 1\n\none\n", b"B: 2\n\ntwo\n"]),
        (FROM + b"A: 1\n\none", [b"A: 1\n\none"]),  # cut short
        (FROM + b"A: 1\n\nFrom here on, no date is asked for\n", [b"A: 1\n", b""]),
        (FROM + b"A: 1\n\none\nFrom within a paragraph\n\n", [b"A: 1\n\none\nFrom within a paragraph\n"]),
        (
            FROM + b"A: 1\n\n>From the start\n>>From twice\n> From\n\n",
            [b"A: 1\n\nFrom the start\n>From twice\n> From\n"],
        ),
        (FROM + b"A: 1\n\n\n\n\n" + FROM + b"\n", [b"A: 1\n\n\n\n", b""]),
        (
            FROM.replace(b"\n", b"\r\n") + b"A: 1\r\n\r\none\r\n\r\n" + FROM.replace(b"\n", b"\r\n") + b"B: 2\r\n\r\n",
            [b"A: 1\r\n\r\none\r\n", b"B: 2\r\n"],
        ),
        (FROM + b"\x00\xff\r lone \x0b\x1c\n\n", [b"\x00\xff\r lone \x0b\x1c\n"]),
    ],
)
def test_an_mbox_is_split_at_from_lines_after_empty_lines(mbox, found, tmp_path):
    (tmp_path / "box").write_bytes(mbox)

    assert [mail.raw for mail in read_mbox(tmp_path / "box", max_bytes=1000)] == found


def test_the_from_line_tells_the_envelope_sender():
    senders = [found.envelope_from for found in split(FROM + b"a\n\nFrom MAILER-DAEMON Sat Jan  3\nb\n\nFrom \nc\n")]

    assert senders == ["loop@reporter.example", "", ""]


def test_what_is_no_mbox_is_said_to_be_none():
    assert split(b"Subject: a mail\n\ntext\n") == [
        FoundMail("box", problem="not an mbox: it does not begin with a line 'From …'")
    ]


def test_a_large_mail_of_an_mbox_is_named_and_the_others_are_read():
    found = split(FROM + b"x" * 999 + b"\n\n" + FROM + b"x" * 1000 + b"\n\n" + FROM + b"small\n")

    assert [(mail.name, len(mail.raw), mail.problem) for mail in found] == [
        ("box: mail 1", 1000, ""),
        ("box: mail 2", 0, "larger than 1000 octets (ABUSEDESK_MAX_MESSAGE_BYTES)"),
        ("box: mail 3", 6, ""),
    ]


def test_a_maildir_gives_new_and_cur_and_stays_as_it_is(tmp_path):
    for name in ("new/2.b", "new/1.a", "cur/0.c:2,S", "tmp/3.d", "new/.hidden", "cur/big"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 2000 if name == "cur/big" else name.encode())
    before = sorted(tmp_path.rglob("*"))
    found = list(read_maildir(tmp_path, max_bytes=1000))

    assert [mail.raw for mail in found] == [b"new/1.a", b"new/2.b", b"cur/0.c:2,S", b""]
    assert [mail.name for mail in found if mail.problem] == [str(tmp_path / "cur/big")]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_no_maildir_is_said_to_be_none(tmp_path):
    (found,) = read_maildir(tmp_path, max_bytes=1000)

    assert found.problem == "not a Maildir: there is neither new/ nor cur/ in it"


def test_a_file_that_cannot_be_read_is_a_problem_with_a_reason(tmp_path):
    missing, folder = (read_file(path, max_bytes=10) for path in (tmp_path / "missing", tmp_path))

    assert (missing.problem, folder.problem) == ("No such file or directory", "Is a directory")
    assert [mail.problem for mail in read_mbox(Path(tmp_path / "missing"), max_bytes=10)] == [
        "No such file or directory"
    ]
