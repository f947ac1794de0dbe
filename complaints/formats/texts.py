"""What stands to be read in a mail, as one text: its text parts, or its pages without their markup."""

from __future__ import annotations

from datetime import datetime

from .dates import MAIL_TIME, read_mail_date
from .mail import Mail
from .reporter_words import MOST_PARTS_READ, MOST_TEXT_READ, TEXT_TYPES, without_tags


def text_of(mail: Mail) -> str:
    """Read once and kept on the mail: every format that knows its mails by their text asks for it.

    Raises:
        MalformedComplaint: the parts cannot be told apart.
    """
    if mail.text is None:
        parts = [part for part in mail.parts[:MOST_PARTS_READ] if part.content_type in (*TEXT_TYPES, "text/html")]
        plain = "\n".join(part.text for part in parts if part.content_type != "text/html")
        if not plain.strip():
            plain = "\n".join(filter(str.strip, "\n".join(without_tags(part.text) for part in parts).split("\n")))
        mail.text = plain[:MOST_TEXT_READ].replace("\r\n", "\n").replace("\xa0", " ")
    return mail.text


def subject_of(mail: Mail) -> str:
    return mail.headers.readable("subject") or ""


def sent_at(mail: Mail) -> datetime | None:
    """When the mail says that it was written; read once and kept on the mail."""
    if mail.sent is None:
        mail.sent = (read_mail_date(mail.headers.first("date")),)
    return mail.sent[0]


def done_before(mail: Mail) -> datetime | None:
    """The time of the mail where the report says none of the deed: marked, as nobody knows how long before it was."""
    sent = sent_at(mail)
    return sent and sent.replace(tzinfo=MAIL_TIME)
