from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from abusedesk.celery import app
from complaints.models import Message, Reading

pytestmark = pytest.mark.django_db(transaction=True)
REPORT = b"""From: loop@reporter.example
To: abuse@isp.example
Subject: spam
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

This is spam.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Loop/1.0
Version: 1
Source-IP: 192.0.2.%d

--b
Content-Type: message/rfc822

From: someone@customer.example
Subject: buy

now
--b--
"""


@pytest.fixture(autouse=True)
def broker(monkeypatch):
    """A broker in memory; gives the ids it was asked to have read."""
    monkeypatch.setitem(app.conf, "broker_url", "memory://")
    monkeypatch.setattr(app, "_pool", None)
    app.__dict__.pop("amqp", None)

    def asked() -> list[int]:
        with app.connection("memory://") as link:
            queue = link.SimpleQueue("desk")
            found: list[int] = []
            while queue.qsize():
                found += queue.get_nowait().payload[0][0]
            return found

    asked()
    yield asked
    app.__dict__.pop("amqp", None)


@pytest.fixture
def files(tmp_path) -> list[str]:
    paths = [tmp_path / f"{number}.eml" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(REPORT % number)
    return [str(path) for path in paths]


def receive(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("receive_mail", *arguments, stdout=out)
    return json.loads(out.getvalue())


def receive_and_fail(*arguments: str) -> tuple[dict[str, Any], CommandError]:
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("receive_mail", *arguments, stdout=out)
    return json.loads(out.getvalue()), caught.value


def test_mails_are_stored_and_readers_woken(files, broker):
    summary = receive(*files)
    ids = list(Message.objects.order_by("pk").values_list("pk", flat=True))

    assert summary == {"stored": 3, "duplicates": 0, "failed": [], "messages": ids}
    assert [message.raw for message in Message.objects.order_by("pk")] == [REPORT % number for number in range(3)]
    assert set(Message.objects.values_list("channel", flat=True)) == {"pipe"}
    assert broker() == ids


def test_mails_that_are_known_are_counted_and_not_read_again(files, broker):
    first = receive(files[0])
    broker()
    summary = receive(files[0], files[0], files[1])

    assert (summary["stored"], summary["duplicates"]) == (1, 2)
    assert summary["messages"] == [first["messages"][0], first["messages"][0] + 1]
    assert broker() == [first["messages"][0] + 1]


def test_wait_reads_them_at_once(files, broker):
    summary = receive("--wait", *files)

    assert {name: summary[name] for name in ("read", "unread", "complaints", "not_ours", "cases", "notices")} == {
        "read": 3,
        "unread": 0,
        "complaints": 3,
        "not_ours": 3,
        "cases": 0,
        "notices": 0,
    }
    assert {"attributed", "nobody", "unsure"} <= set(summary)
    assert broker() == []


def test_a_file_that_cannot_be_read_holds_nothing_else_up(files):
    summary, error = receive_and_fail(files[0], "/nowhere/at/all.eml", files[1])

    assert error.returncode == 75
    assert summary["stored"] == 2
    assert summary["failed"] == [{"file": "/nowhere/at/all.eml", "problem": "No such file or directory"}]


def test_a_mail_that_is_too_large_is_named(files, tmp_path, settings):
    settings.MAX_MESSAGE_BYTES = 1000
    (tmp_path / "large").write_bytes(b"x" * 1001)
    (tmp_path / "largest").write_bytes(b"x" * 1000)
    summary, error = receive_and_fail(str(tmp_path / "large"), str(tmp_path / "largest"))

    assert error.returncode == 75
    assert summary["stored"] == 1
    assert summary["failed"] == [
        {"file": str(tmp_path / "large"), "problem": "larger than 1000 octets (ABUSEDESK_MAX_MESSAGE_BYTES)"}
    ]


def test_without_a_database_every_mail_is_named_for_another_try(files):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE complaints_message RENAME TO elsewhere")
    try:
        summary, error = receive_and_fail(*files)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO complaints_message")

    assert error.returncode == 75
    assert [failed["file"] for failed in summary["failed"]] == files
    assert (summary["stored"], summary["messages"]) == (0, [])


def test_maildir_and_mbox_are_read_in_one_go(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1").write_bytes(REPORT % 1)
    (tmp_path / "box").write_bytes(b"From loop@reporter.example Sat Jan  3\n" + REPORT % 2 + b"\n" + b"From x\nB: 3\n")
    summary = receive("--maildir", str(tmp_path), "--mbox", str(tmp_path / "box"))

    assert summary["stored"] == 3
    assert [(message.raw, message.envelope_from) for message in Message.objects.order_by("pk")] == [
        (REPORT % 1, ""),
        (REPORT % 2, "loop@reporter.example"),
        (b"B: 3\n", ""),
    ]


def test_many_mails_are_stored_in_batches_and_their_ids_are_left_out(tmp_path):
    box = b"".join(b"From x@y.example Sat\nMessage-ID: <%d>\n\nspam\n\n" % number for number in range(1201))
    (tmp_path / "box").write_bytes(box)

    assert receive("--mbox", str(tmp_path / "box")) == {"stored": 1201, "duplicates": 0, "failed": []}
    assert Reading.objects.filter(state="waiting").count() == 1201


def test_nothing_named_is_a_mistake():
    with pytest.raises(CommandError, match="name a mail"):
        call_command("receive_mail")


def test_the_standard_input_of_a_real_pipe(tmp_path):
    root = Path(__file__).resolve().parents[2]
    environment = {"ABUSEDESK_DATA_DIR": str(tmp_path), "ABUSEDESK_SECRET_KEY": "test", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "manage.py", "receive_mail", "--wait", "-"]

    def pipe() -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, cwd=root, env=environment, input=REPORT % 1, capture_output=True, timeout=60)

    assert pipe().returncode == 75  # the database is not there yet
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0", "--skip-checks"], cwd=root, env=environment, check=True
    )
    result = pipe()

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["stored"] == 1
