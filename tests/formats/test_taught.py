"""Mails of senders whose format a person has shown: found by the words before a value, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from complaints.formats import read_message
from complaints.formats.taught import BadPattern, TaughtField, TaughtRule, compiled
from complaints.vocabulary import Category
from tests.services.pace import cpu_within

MAIL = "From: CERT Nord <report@cert-nord.example>\nSubject: {subject}\nDate: Tue, 3 Mar 2026 12:30:00 +0000\n\n{text}"
TEXT = "Vorfall 4711\nVerursacher -> 192.0.2.7 (Quellport 51234)\nZeitpunkt -> 2026-03-03 11:58:10 +0000\n"
RULE = TaughtRule(
    7,
    "report@cert-nord.example",
    (
        TaughtField("source_ip", before="Verursacher -> "),
        TaughtField("source_port", before="(Quellport "),
        TaughtField("arrival_date", before="Zeitpunkt ->"),
    ),
    Category.SCAN,
)


def read(text: str = TEXT, *, rule: TaughtRule = RULE, subject: str = "Hinweis"):
    return read_message(MAIL.format(subject=subject, text=text).encode(), taught=[rule])


def test_fields_are_found_behind_the_words_that_were_shown():
    parsed = read()
    (complaint,) = parsed.complaints

    assert (parsed.format, complaint.category) == ("taught", "scan")
    assert (complaint.source_ip, complaint.source_port) == ("192.0.2.7", 51234)
    assert complaint.arrival_date == datetime(2026, 3, 3, 11, 58, 10, tzinfo=UTC)
    assert complaint.reporter == "report@cert-nord.example"
    assert complaint.source_reason == "read by rule 7, which a person taught for report@cert-nord.example"


def test_each_address_is_a_complaint_of_its_own_with_the_values_that_belong_to_it():
    two = TEXT + TEXT.replace("192.0.2.7", "192.0.2.8").replace("51234", "51235")
    found = [(each.source_ip, each.source_port) for each in read(two).complaints]
    assert found == [("192.0.2.7", 51234), ("192.0.2.8", 51235)]

    one_port = TEXT + "Verursacher -> 192.0.2.8\nVerursacher -> 192.0.2.9\n(Quellport 1\n"
    assert [each.source_port for each in read(one_port).complaints] == [None] * 3  # two ports for three: no guess


@pytest.mark.parametrize(
    "text",
    [
        "Verursacher -> niemand\n",
        "Verursacher -> siehe 192.0.2.7\n",  # words between: not what was shown
        "Verursacher ->  \n192.0.2.7\n",
        "nothing at all\n",
    ],
)
def test_what_is_not_found_is_not_guessed(text: str):
    assert read(text).format != "taught"


def test_time_that_is_not_found_is_before_the_mail():
    (complaint,) = read("Verursacher -> 192.0.2.7\n").complaints
    assert complaint.time_stated is False


def test_only_that_sender_and_those_words_are_meant():
    other = MAIL.replace("report@", "sales@")
    assert read_message(other.format(subject="x", text=TEXT).encode(), taught=[RULE]).format != "taught"
    house = TaughtRule(8, "@cert-nord.example", RULE.fields, RULE.category)
    assert read_message(other.format(subject="x", text=TEXT).encode(), taught=[house]).format == "taught"
    picky = TaughtRule(9, RULE.sender, RULE.fields, RULE.category, phrase="hinweis 2026")
    assert read(rule=picky).format != "taught"
    assert read(rule=picky, subject="Hinweis 2026").format == "taught"


def test_expression_may_stand_in_place_of_the_words():
    rule = TaughtRule(7, RULE.sender, (TaughtField("source_ip", pattern=r"Verursacher\s+->\s+(\S+)"),))
    assert [each.source_ip for each in read(rule=rule).complaints] == ["192.0.2.7"]


def test_expression_without_end_is_stopped_and_the_mail_is_shown():
    rule = TaughtRule(7, RULE.sender, (TaughtField("source_ip", pattern=r"((a+)+)+b"),))
    with cpu_within(2):
        parsed = read("a" * 5_000, rule=rule)

    assert (parsed.disposition, parsed.problem) == ("unreadable", "rule 7: its expression took longer than 0.1 s")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "cannot be read"),
        ("x" * 301, "longer than 300"),
        ("a*", "matches an empty text"),
        ("a{100000000}", "repeats too often"),
        ("(?:(?:a{1000}){1000}){1,1000}", "repeats too often"),
    ],
)
def test_expression_that_cannot_be_used_says_why(pattern: str, why: str):
    with pytest.raises(BadPattern, match=why):
        compiled(pattern)


def test_expression_may_count_the_digits_of_an_address_and_a_time():
    pattern = r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}) at \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
    assert compiled(pattern).search("192.0.2.7 at 2026-03-10 11:50:00")[1] == "192.0.2.7"
