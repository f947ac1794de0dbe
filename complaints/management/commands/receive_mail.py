"""The entrance for pipes and archives: store mails, and with --wait do all that follows."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DataError

from abusedesk.start import make_secret_key
from complaints.intake import Arrival, StorageUnavailable, Stored, store_messages
from complaints.listeners.mail_files import FoundMail, read_file, read_maildir, read_mbox, read_stream

LARGEST_BATCH, BATCH_BYTES = 500, 32 * 1024 * 1024
IDS_SHOWN = 100


@dataclasses.dataclass
class Summary:
    stored: list[int] = dataclasses.field(default_factory=list)
    duplicates: list[int] = dataclasses.field(default_factory=list)
    failed: list[dict[str, str]] = dataclasses.field(default_factory=list)

    def fail(self, name: str, problem: str) -> None:
        self.failed.append({"file": name, "problem": problem})

    def add(self, answers: Iterable[Stored]) -> None:
        for answer in answers:
            (self.stored if answer.new else self.duplicates).append(answer.message_id)

    @property
    def messages(self) -> list[int]:
        return sorted({*self.stored, *self.duplicates})

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "stored": len(self.stored),
            "duplicates": len(self.duplicates),
            "failed": self.failed,
        }
        return shown | ({"messages": self.messages} if len(self.messages) <= IDS_SHOWN else {})


class Command(BaseCommand):
    help = "Store mails; prints a JSON summary. Exit code 75 (try again later) when one could not be stored."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", metavar="FILE", help="a mail; - is the standard input")
        parser.add_argument("--maildir", action="append", default=[], metavar="FOLDER", help="its new/ and cur/")
        parser.add_argument("--mbox", action="append", default=[], metavar="FILE")
        parser.add_argument("--wait", action="store_true", help="read the mails, and do what follows, before returning")

    def handle(self, *, files: list[str], maildir: list[str], mbox: list[str], wait: bool, **_options: Any) -> None:
        if not (files or maildir or mbox):
            raise CommandError("name a mail, --maildir FOLDER, --mbox FILE, or - for the standard input")
        summary = Summary()
        for batch in batches(find_mails(files, maildir, mbox), summary):
            store(batch, summary)
        shown = summary.as_json() | follow_up(summary, wait=wait)
        self.stdout.write(json.dumps(shown, ensure_ascii=False))
        if summary.failed:
            raise CommandError(f'not stored: {len(summary.failed)}, see "failed"', returncode=os.EX_TEMPFAIL)


def find_mails(files: list[str], maildirs: list[str], mboxes: list[str]) -> Iterator[FoundMail]:
    most = settings.MAX_MESSAGE_BYTES
    for name in files:
        if name == "-":
            yield read_stream(sys.stdin.buffer, "-", max_bytes=most)
        else:
            yield read_file(Path(name), max_bytes=most)
    for folder in maildirs:
        yield from read_maildir(Path(folder), max_bytes=most)
    for name in mboxes:
        yield from read_mbox(Path(name), max_bytes=most)


def batches(mails: Iterable[FoundMail], summary: Summary) -> Iterator[list[FoundMail]]:
    """What can be stored, some at a time; what cannot is named in the summary."""
    batch: list[FoundMail] = []
    size = 0
    for mail in mails:
        if mail.problem:
            summary.fail(mail.name, mail.problem)
            continue
        batch.append(mail)
        size += len(mail.raw)
        if len(batch) >= LARGEST_BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def store(batch: list[FoundMail], summary: Summary) -> None:
    try:
        summary.add(store_messages([Arrival(m.raw, "pipe", envelope_from=m.envelope_from) for m in batch]))
    except (StorageUnavailable, DataError) as exc:
        if isinstance(exc, DataError) and len(batch) > 1:  # one of them; the others are not held up
            for mail in batch:
                store([mail], summary)
            return
        for mail in batch:
            summary.fail(mail.name, str(exc))


def follow_up(summary: Summary, *, wait: bool) -> dict[str, int]:
    from complaints import tasks

    if wait:
        if make_secret_key():  # the links in the mails that follow are signed with it
            print(f"made a secret key: {settings.KEY_FILE}", file=sys.stderr)
        return tasks.work_until_idle(summary.messages) if summary.messages else tasks.counts([], 0)
    tasks.wake(tasks.process_messages, summary.stored)
    return {}
