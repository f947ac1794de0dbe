"""SMTP as Django speaks it, and one more thing: whether a lost connection leaves a doubt.

Until the end of the content is sent a broken connection means that nothing was delivered (RFC 5321 section 4.1.1.4).
After it the server may have taken the mail before its answer was lost (RFC 1047): trying again could deliver it twice.
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail.backends import smtp

END = b"\r\n.\r\n"


class AnswerLost(smtplib.SMTPException):
    """The content was sent to its end, and the connection broke before the server said yes or no."""


class Watched:
    """Mixed into smtplib's clients."""

    is_content_out = False

    def data(self, msg: Any) -> Any:
        self.is_content_out = False
        try:
            return super().data(msg)  # type: ignore[misc]
        except OSError as exc:  # smtplib's own errors are such too
            if self.is_content_out:
                raise AnswerLost(f"the connection broke while the mail was handed over: {exc}") from exc
            raise

    def send(self, s: Any) -> None:
        super().send(s)  # type: ignore[misc]
        self.is_content_out = isinstance(s, bytes) and s.endswith(END)


class WatchedSMTP(Watched, smtplib.SMTP):
    pass


class WatchedSMTPS(Watched, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return WatchedSMTPS if self.use_ssl else WatchedSMTP
