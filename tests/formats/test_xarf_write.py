from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from complaints.cases.accusations import evidence_of
from complaints.formats import read_message
from complaints.formats.json_documents import documents
from complaints.formats.mail import Mail
from complaints.formats.xarf_schema import schema_problems
from complaints.formats.xarf_write import NotWritable, as_xarf4, from_record
from complaints.vocabulary import Category, ParsedComplaint
from tests.formats.sample_files import CORPUS, OWN, name_of
from tests.formats.test_hostile_structures import V4, v4

V4_SAMPLES = [path for path in OWN if path.parent.name == "xarf4"]
OTHERS = sorted(CORPUS.glob("xarf4*/*.json"))
COLUMNS = ("category", "feedback_type", "source_ip", "source_port", "arrival_date", "original_subject",
           "original_message_id", "reporter")  # fmt: skip


def one(raw: bytes) -> ParsedComplaint:
    (complaint,) = read_message(raw).complaints
    return complaint


def filed(complaint: ParsedComplaint) -> ParsedComplaint:
    """Written to the columns of the database and back."""
    evidence = json.loads(json.dumps(evidence_of(complaint), allow_nan=False))
    return from_record({name: getattr(complaint, name) for name in COLUMNS}, evidence)


@pytest.mark.parametrize("path", [*V4_SAMPLES, *OTHERS], ids=name_of)
def test_report_comes_back_whole(path: Path):
    raw = path.read_bytes()
    complaints = read_message(raw).complaints

    reports = documents(Mail(raw))[: len(complaints)]
    assert [as_xarf4(complaint, with_internal=True) for complaint in complaints] == reports


@pytest.mark.parametrize("path", V4_SAMPLES, ids=name_of)
def test_report_comes_back_whole_from_the_database(path: Path):
    complaints = read_message(path.read_bytes()).complaints

    for complaint in complaints:
        written = as_xarf4(complaint, with_internal=True)
        # What no database takes is replaced there: lone surrogates.
        wanted = json.loads(json.dumps(written, ensure_ascii=False).encode("utf-8", "replace"))
        assert as_xarf4(filed(complaint), with_internal=True) == wanted


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "2026-03-03T09:59:41.250+01:00"},
        {"source_identifier": "::ffff:192.0.2.25"},
        {"source_identifier": "HTTP://Kunde.example/"},
        {"source_port": 0},
        {"source_port": "25"},
        {"source_port": True},
        {"source_port": None},
        {"smtp_from": "<Win@Lotterie.example>"},
        {"subject": "  two  blanks "},
        {"message_id": "<1@lotterie.example>"},
        {"category": "content", "type": "phishing", "url": "http://kunde.example/", "urls": ["a", "b"]},
        {"category": "reputation", "type": "blocklist"},
        {"reporter": {"org": "", "contact": None}},
        {"xarf_version": "4"},
        {"extra": {"extra": 1}, "received": [], "version": "x"},
    ],
)
def test_value_is_given_back_in_its_own_words(changes: dict[str, Any]):
    raw = v4(**changes)

    assert as_xarf4(one(raw)) == json.loads(raw)
    assert as_xarf4(filed(one(raw))) == json.loads(raw)


def test_field_that_the_report_lacks_is_not_made_up():
    raw = json.dumps({name: value for name, value in V4.items() if name not in ("sender", "timestamp", "protocol")})

    assert as_xarf4(one(raw.encode())) == json.loads(raw)


def test_internal_notes_of_another_system_are_not_passed_on():
    complaint = one(v4(_internal={"ticket": 7}))

    assert complaint.extra["_internal"] == {"ticket": 7}
    assert as_xarf4(complaint) == V4


def test_who_passes_a_report_on_is_its_sender():
    desk = {"org": "Brenn", "contact": "abuse@brenn.example", "domain": "brenn.example"}

    assert as_xarf4(one(v4()), sender=desk) == V4 | {"sender": desk}


def test_complaint_of_another_format_becomes_a_valid_report():
    path = next(path for path in OWN if name_of(path) == "copyright/same_notice_in_text_and_attached")

    report = as_xarf4(one(path.read_bytes()))

    assert schema_problems(report) == []
    assert (report["category"], report["type"]) == ("copyright", "p2p")
    assert (report["source_identifier"], report["source_port"]) == ("192.0.2.61", 50321)


def test_feedback_loop_report_lacks_only_the_port_that_it_does_not_know():
    path = next(path for path in OWN if name_of(path) == "arf/well_formed")

    assert schema_problems(as_xarf4(one(path.read_bytes()))) == ["report: 'source_port' is a required property"]


def test_writing_twice_gives_the_same_report():
    complaint = ParsedComplaint(source_ip="192.0.2.25", source_port=25, reporter="r@reporter.example")

    assert as_xarf4(complaint) == as_xarf4(complaint)


@pytest.mark.parametrize("category", [Category.NOT_SPAM, Category.OPT_OUT, Category.AUTH_FAILURE, Category.OTHER])
def test_what_accuses_nobody_is_not_written(category: Category):
    with pytest.raises(NotWritable) as refused:
        as_xarf4(ParsedComplaint(category=category, source_ip="192.0.2.25"))

    assert str(refused.value) == f"{category.value}: XARF has no type for it"


def test_complaint_about_nobody_is_not_written():
    with pytest.raises(NotWritable, match=r"^neither an address nor a domain nor a URL to report$"):
        as_xarf4(ParsedComplaint())


def test_v3_report_is_written_as_v4():
    path = next(path for path in OWN if name_of(path) == "xarf3/login_attack_bare")

    report = as_xarf4(one(path.read_bytes()))

    assert schema_problems(report) == ["report: 'protocol' is a required property"]  # v3 does not say it
    assert report["reporter"] == {
        "org": "Haus der Meldungen", "contact": "xarf3@reporter.example", "domain": "reporter.example",
    }  # fmt: skip
    assert (report["destination_ip"], report["destination_port"], report["legacy_version"]) == ("203.0.113.33", 22, "3")
