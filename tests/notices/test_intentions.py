"""What a mail seems to say, in three languages. Offering nothing is right wherever a sentence can be read both ways."""

from __future__ import annotations

import pytest

from complaints.notices.intentions import Intention, Read, read_intentions
from tests.services.pace import cpu_within

FIXED, NOT_ME, TIME = Intention.FIXED, Intention.NOT_ME, Intention.NEEDS_TIME


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The problem is fixed.", [FIXED]),
        ("We have cleaned the server and changed all passwords.", [FIXED]),
        ("Relaying has been switched off since this morning.", [FIXED]),
        ("Fixed it today!", [FIXED]),
        ("It is not fixed yet.", []),
        ("It isn't fixed.", []),
        ("It will be fixed on Friday.", []),
        ("We will write again once it is fixed.", []),
        ("Is it fixed now?", []),
        ("Please tell us if it is fixed.", []),
        ("That was not us.", [NOT_ME]),
        ("This is not our server, you have the wrong customer.", [NOT_ME]),
        ("We don't own this address any more.", [NOT_ME]),
        ("We need three more days.", [TIME]),
        ("Our technician comes on Thursday.", [TIME]),
        ("Please give us some time, we are working on it.", [TIME]),
        ("The router is fixed. For the mail server we need until Monday.", [FIXED, TIME]),
        ("Das Problem ist behoben.", [FIXED]),
        ("Wir haben den Rechner neu aufgesetzt.", [FIXED]),
        ("Das ist noch nicht behoben.", []),
        ("Es wird morgen erledigt.", []),
        ("Ist das jetzt erledigt?", []),
        ("Das waren nicht wir, das ist nicht unser Anschluss.", [NOT_ME]),
        ("Diese Adresse gehört uns nicht.", [NOT_ME]),
        ("Wir brauchen noch etwas Zeit.", [TIME]),
        ("Am Donnerstag kommt unser Techniker.", [TIME]),
        ("Le problème est résolu.", [FIXED]),
        ("Nous avons nettoyé le serveur.", [FIXED]),
        ("Le problème n’est pas encore résolu.", []),
        ("Ce sera réglé demain.", []),
        ("Est-ce que c’est réglé ?", []),
        ("Ce n’est pas notre adresse.", [NOT_ME]),
        ("Nous avons besoin de deux semaines.", [TIME]),
        ("Le technicien passera jeudi.", [TIME]),
        ("Thank you for your mail.", []),
        ("Mit freundlichen Grüßen", []),
        ("Cordialement", []),
        ("", []),
    ],
)
def test_what_a_mail_seems_to_say(text, expected):
    assert [read.intention for read in read_intentions(text)] == expected


def test_the_reason_is_the_sentence_as_it_was_written():
    text = "Hello,\n\nthanks. The relay\nis fixed now. Regards"
    assert read_intentions(text) == [Read(FIXED, "The relay is fixed now.")]


def test_a_hostile_text_is_read_in_no_time():
    with cpu_within(1):
        read_intentions("need a b c d " * 200_000 + "is " * 200_000)
