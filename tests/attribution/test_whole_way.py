"""From the bytes of a mail to its owner: what the formats read reaches the sources that need it."""

from __future__ import annotations

import pytest

from complaints.models import Complaint, HostedName, LineIdentifier
from complaints.pipeline import process_messages
from tests.factories import (
    NOON,
    make_assignment,
    make_contract,
    make_message,
    make_network,
    make_shared_machine,
)
from tests.formats.test_accounts import REPORT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ours():
    make_network("192.0.2.0/24")


def file(text: str) -> Complaint:
    message = make_message(text.replace("3 Mar 2026", "10 Mar 2026").replace("Tue, 10", "10").encode())
    process_messages([message.pk], now=NOON)
    return Complaint.objects.get(message=message)


def test_a_report_about_our_relay_is_filed_under_the_login(settings):
    make_shared_machine("192.0.2.25/32", "mail")
    LineIdentifier.objects.create(kind="smtp_user", value="anna@isp.example", contract=make_contract("C-1"))
    LineIdentifier.objects.create(kind="header", value="4711", contract=make_contract("C-2"))

    complaint = file(REPORT)
    assert (complaint.contract.reference, complaint.method, complaint.case.contract.reference) == (
        "C-1",
        "smtp_user",
        "C-1",
    )

    settings.ACCOUNT_HEADERS = ("x-customer-id",)  # that says another contract: then nobody is accused
    complaint = file(REPORT.replace("Subject: report", "Subject: report again"))
    assert (complaint.answer, complaint.attribution["candidates"]) == ("unsure", ["C-1", "C-2"])


def test_a_forged_line_below_that_of_an_ordinary_server_accuses_nobody_else():
    make_assignment("C-server", "192.0.2.25/32")
    LineIdentifier.objects.create(kind="smtp_user", value="anna@isp.example", contract=make_contract("C-1"))

    assert file(REPORT).contract.reference == "C-server"


PHISHING = """From: takedown@reporter.example
Subject: phishing site
Date: 10 Mar 2026 11:00:00 +0000

There is a phishing page on your network:
URL: https://www.shop.example/login
{}
"""


def test_a_phishing_page_on_our_web_server_is_filed_under_its_name():
    make_shared_machine("192.0.2.80/32", "web")
    HostedName.objects.create(name="shop.example", contract=make_contract("C-1"))

    complaint = file(PHISHING.format("Source IP: 192.0.2.80"))

    assert (complaint.contract.reference, complaint.method) == ("C-1", "domain")


def test_a_phishing_page_without_an_address_is_filed_under_its_name():
    HostedName.objects.create(name="shop.example", contract=make_contract("C-1"))

    assert file(PHISHING.format("")).contract.reference == "C-1"


@pytest.mark.parametrize(("time", "answer"), [("2026-03-10 11:00:00 UTC", "owner"), ("2026-03-10 11:00:00", "unsure")])
def test_a_time_without_a_zone_may_mean_who_held_it_hours_before(time: str, answer: str):
    change = NOON.replace(hour=8)
    make_assignment("C-1", "192.0.2.10/32", valid_until=change)
    make_assignment("C-2", "192.0.2.10/32", valid_from=change)
    text = (
        f"From: a@reporter.example\nSubject: spam\nDate: 10 Mar 2026 11:30:00 +0000\n\nSpam from 192.0.2.10 at {time}\n"
    )

    assert file(text).answer == answer
