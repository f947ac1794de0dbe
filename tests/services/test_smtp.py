"""The mail server that tests send to."""

from __future__ import annotations

import smtplib

import pytest
from django.core.mail import send_mail

from tests.services.smtp import Sink


def test_sink_keeps_the_envelope_and_the_bytes(smtp_sink: Sink):
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as client:
        client.sendmail("a@example.org", ["b@example.net", "c@example.net"], b"Subject: hi\r\n\r\n.dot\r\n")
    [caught] = smtp_sink.messages
    assert (caught.mail_from, caught.rcpt_tos) == ("a@example.org", ["b@example.net", "c@example.net"])
    assert caught.raw == b"Subject: hi\r\n\r\n.dot\r\n"


def test_sink_refuses_whom_the_test_names(smtp_sink: Sink):
    smtp_sink.rcpt_answers["gone@example.net"] = "550 5.1.1 no such user"
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail("a@example.org", ["gone@example.net"], b"\r\n")
        assert refused.value.recipients == {"gone@example.net": (550, b"5.1.1 no such user")}
    assert smtp_sink.messages == []


def test_django_sends_to_the_sink_when_asked_to(real_smtp: Sink):
    send_mail("Your line", "Please look.", "abuse@isp.example", ["anna@customer.example"])
    [caught] = real_smtp.messages
    assert caught.mail["Subject"] == "Your line"
    assert caught.mail.get_content().strip() == "Please look."
