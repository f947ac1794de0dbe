"""What a person reads, puts aside, writes down and teaches: rows, and the way of every other complaint."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from complaints import by_hand, teaching
from complaints.models import Case, Complaint, Message, Reading, SenderRule
from complaints.pipeline import process_messages, queue_again
from complaints.playbooks.facts import facts_of
from complaints.vocabulary import Category, ParsedComplaint
from tests.factories import NOON, make_assignment, make_message, make_network

pytestmark = pytest.mark.django_db
ODD = "From: report@cert-nord.example\nSubject: Hinweis {n}\nDate: Tue, 10 Mar 2026 11:55:00 +0000\n\n{text}\n"
TEXT = "Verursacher -> 192.0.2.10\nZeitpunkt -> 2026-03-10 11:50:0{n} +0000"
FIELDS = {"source_ip": {"before": "Verursacher -> "}, "arrival_date": {"before": "Zeitpunkt -> "}}


@pytest.fixture(autouse=True)
def line():
    make_network()
    make_assignment("C-1")


def odd_mail(n: int = 1, text: str = TEXT) -> Message:
    message = make_message(ODD.format(n=n, text=text.format(n=n)).encode(), state="unread")
    Reading.objects.filter(pk=message.pk).update(sender="report@cert-nord.example", problem="no format knew it")
    return message


def reading_of(message: Message) -> tuple[str, str]:
    reading = Reading.objects.get(pk=message.pk)
    return reading.state, reading.problem


SPAM = ParsedComplaint(source_ip="192.0.2.10", arrival_date=NOON - timedelta(minutes=10), reporter="lena@x.example")


def test_what_a_person_reads_goes_the_way_of_every_complaint():
    message = odd_mail()

    filed = by_hand.file_by_hand(message, [SPAM], by="ada", now=NOON)

    complaint = Complaint.objects.get()
    assert (complaint.format, complaint.contract.reference, complaint.case_id) == ("by hand", "C-1", filed.touched[0])
    assert reading_of(message) == ("read", "Read by ada")
    assert by_hand.file_by_hand(message, [SPAM], by="ada", now=NOON).complaints == 0
    assert Reading.objects.get(pk=message.pk).complaint_count == 1


def test_mail_that_is_put_aside_can_be_taken_back():
    message = odd_mail()

    assert by_hand.put_aside(message, why="a newsletter", by="ada", now=NOON)
    assert reading_of(message) == ("read", "Put aside by ada: a newsletter")
    assert not by_hand.put_aside(message, why="again", by="bruno", now=NOON)
    assert by_hand.take_back(message, by="bruno", now=NOON)
    assert reading_of(message)[0] == "unread"
    assert not by_hand.take_back(message, by="bruno", now=NOON)


def test_call_is_kept_in_its_words_and_filed_once(settings):
    settings.DESK_EMAIL = "abuse@isp.example"
    message, filed = by_hand.write_down(
        how="telephone", reporter="lena@x.example", words="Ständig Spam!", complaints=[SPAM], by="ada", now=NOON
    )

    assert (message.channel, message.peer, filed.complaints) == ("desk", "ada", 1)
    assert "Ständig Spam!".encode() in message.raw or b"St=C3=A4ndig" in message.raw
    process_messages([message.pk], now=NOON)
    assert Complaint.objects.count() == 1


def test_pasted_mail_is_read_as_any_other():
    pk = by_hand.paste(ODD.format(n=1, text="Please stop the spam. Source IP: 192.0.2.10").encode(), by="ada", now=NOON)
    process_messages([pk], now=NOON)
    assert Complaint.objects.get().format == "freetext"


def propose(message: Message, **changes: object) -> SenderRule:
    words = {
        "sender": "report@cert-nord.example",
        "fields": FIELDS,
        "category": Category.SCAN,
        "by": "ada",
        "now": NOON,
    }
    return teaching.propose_rule(message=message, **{**words, **changes})  # type: ignore[arg-type]


def test_rule_is_tried_on_stored_mails_before_it_decides_anything():
    first, second, other = odd_mail(1), odd_mail(2), odd_mail(3, text="Vielen Dank!")
    rule = propose(first)

    tried = teaching.try_rule(rule)

    assert [each.message.pk for each in tried] == [first.pk, other.pk, second.pk]
    assert [len(each.complaints) for each in tried] == [1, 0, 1]
    assert teaching.taught_rules() == []
    assert Complaint.objects.count() == 0


def test_rule_in_use_reads_the_parked_mails_and_the_next_ones():
    first, other = odd_mail(1), odd_mail(3, text="Vielen Dank!")
    again = teaching.put_in_use(propose(first), by="carla", now=NOON)

    assert again == [first.pk]
    process_messages(queue_again(again), now=NOON)
    later = odd_mail(4)
    process_messages(queue_again([later.pk]), now=NOON)

    assert list(Complaint.objects.values_list("format", "category")) == [("taught", "scan")] * 2
    assert Case.objects.get().complaint_count == 2
    assert reading_of(other)[0] == "unread"


def test_mail_that_was_no_complaint_to_anybody_is_read_again_when_it_taught_the_rule():
    first = odd_mail(1)
    Reading.objects.filter(pk=first.pk).update(state="read", disposition="other", problem="")

    assert teaching.put_in_use(propose(first), by="carla", now=NOON) == [first.pk]


def test_new_version_takes_the_place_of_the_old_one():
    first = odd_mail()
    old = propose(first)
    teaching.put_in_use(old, by="ada", now=NOON)
    new = propose(first, phrase="Hinweis", replaces=old)
    teaching.put_in_use(new, by="ada", now=NOON)

    assert new.version == 2
    assert list(SenderRule.objects.order_by("pk").values_list("state", flat=True)) == ["retired", "active"]
    assert [rule.number for rule in teaching.taught_rules()] == [new.pk]
    assert teaching.put_in_use(old, by="ada", now=NOON) == []  # retired ones stay so
    assert teaching.retire_rule(new, by="ada", now=NOON)
    assert teaching.taught_rules() == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sender": "somebody@else.example"}, "The mail is from report@cert-nord.example"),
        ({"fields": {}}, "Mark the address or the page"),
        ({"fields": {"arrival_date": {"before": "Zeitpunkt -> "}}}, "Mark the address or the page"),
        ({"fields": {"source_ip": {"before": ": "}}}, "must be 3 to 80 characters"),
        ({"fields": {"source_ip": {"pattern": "("}}}, "cannot be read"),
        ({"fields": {**FIELDS, "colour": {"before": "Colour: "}}}, "There is no field colour"),
    ],
)
def test_rule_that_cannot_be_used_says_why(changes, problem):
    with pytest.raises(teaching.BadRule, match=problem):
        propose(odd_mail(), **changes)
    assert not SenderRule.objects.exists()


FORGED = b"""From: report@cert-nord.example
Authentication-Results: mx.isp.example; dkim=pass header.d=cert-nord.example
Subject: Hinweis
Date: Tue, 10 Mar 2026 11:55:00 +0000

We received spam from 192.0.2.10 at 2026-03-10 11:50:00 +0000
"""
THEIRS = dataclasses.replace(SPAM, reporter="report@cert-nord.example")


def test_what_a_pasted_header_says_of_dkim_is_not_believed(settings):
    settings.AUTHSERV_ID = "mx.isp.example"
    pasted = Message.objects.get(pk=by_hand.paste(FORGED, by="ada", now=NOON))
    by_hand.file_by_hand(pasted, [THEIRS], by="ada", now=NOON)
    process_messages([by_hand.paste(FORGED + b"again\n", by="ada", now=NOON)])

    said = Complaint.objects.values_list("evidence__authenticated", flat=True)
    assert len(said) >= 1
    assert set(said) == {None}


def test_voice_that_a_person_has_read_is_none_of_a_machine(settings):
    settings.AUTHSERV_ID = "mx.isp.example"
    message = make_message(FORGED, state="unread")
    filed = by_hand.file_by_hand(message, [THEIRS], by="ada", now=NOON)

    case = Case.objects.get(pk=filed.opened[0])
    facts = facts_of(case, [], NOON)
    assert (facts.voices, facts.trusted_reporters) == (1, 0)


def test_slow_expression_is_not_tried_on_all_mails_before_they_are_read_again(monkeypatch):
    monkeypatch.setattr(teaching, "PATIENCE_S", 0.0)
    mails = [odd_mail(1), odd_mail(2), odd_mail(3, text="Vielen Dank!")]
    rule = propose(mails[0])

    assert sorted(teaching.put_in_use(rule, by="ada", now=NOON)) == [each.pk for each in mails]
