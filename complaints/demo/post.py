"""The reporters' outgoing mail server: hands one mail to the desk's listener, from the reporter's own address."""

from __future__ import annotations

import smtplib

TIMEOUT_S = 10.0


class NotNow(Exception):
    """The other side cannot do it at this moment; ask again later."""


class Refused(Exception):
    """The other side has said no for good."""


def hand_in(listener: tuple[str, int], *, sender: str, to: str, mail: bytes, peer: str) -> None:
    """Raises NotNow, Refused."""
    source = (peer, 0) if listener[0].startswith("127.") else None
    try:
        with smtplib.SMTP(
            *listener, local_hostname="mx.reporters.example", timeout=TIMEOUT_S, source_address=source
        ) as smtp:
            smtp.sendmail(sender, [to], mail)
    except smtplib.SMTPRecipientsRefused as exc:
        code, text = next(iter(exc.recipients.values()))
        raise problem(code, text) from exc
    except smtplib.SMTPResponseException as exc:
        raise problem(exc.smtp_code, exc.smtp_error) from exc
    except OSError as exc:  # smtplib's other errors are OSErrors too
        raise NotNow(f"{listener[0]}:{listener[1]}: {exc}") from exc


def problem(code: int, text: bytes | str) -> Exception:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return (Refused if code >= 500 else NotNow)(f"{code} {said}")
