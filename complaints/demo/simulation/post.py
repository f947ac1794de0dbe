"""The way of the desk's own mail into the simulated mailboxes: a Django mail backend, as SMTP is one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

Receive = Callable[[str, str, bytes], None]  # envelope sender, recipient, the mail
_receivers: list[Receive] = []
BACKEND = f"{__name__}.Backend"


class Backend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            raw = mail.message().as_bytes()
            for recipient in mail.recipients():
                _receivers[-1](mail.from_email, recipient.rpartition("<")[2].rstrip(">"), raw)
        return len(email_messages)


@contextlib.contextmanager
def delivering_to(receive: Receive) -> Iterator[None]:
    _receivers.append(receive)
    try:
        yield
    finally:
        _receivers.pop()
