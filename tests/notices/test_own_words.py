"""Answers as mail programs write them: what is ours in them is cut, what they wrote is kept whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.notices.own_words import MOST_WORDS, own_words
from tests.services.pace import cpu_within

OURS = "> 198.51.100.7  2026-03-10 12:03:44 UTC  port missing\n> Thank you.\n"
ANSWERS = {
    "english": ("Port 51234.\n\nOn Tue, 10 Mar 2026 at 12:00, Abuse <abuse@isp.example> wrote:\n", "Port 51234."),
    "english, wrapped": ("Port 51234.\n\nOn Tue, 10 Mar 2026, Abuse desk\n<abuse@isp.example> wrote:\n", "Port 51234."),
    "german": ("Port 51234.\n\nAm 10.03.26 um 12:00 schrieb Abuse:\n", "Port 51234."),
    "german, long": ("Der Port.\n\nAm Di., 10. März 2026 um 12:00 Uhr schrieb A <a@isp.example>:\n", "Der Port."),
    "french": ("Port 51234.\n\nLe mar. 10 mars 2026 à 12:00, Abuse <abuse@isp.example> a écrit :\n", "Port 51234."),
    "outlook": ("Port 1.\n\nFrom: A <a@isp.example>\nSent: Tuesday\nTo: Lena\nSubject: Auto: x\n\n", "Port 1."),
    "outlook, german": ("Port 1.\n\nVon: A <a@isp.example>\nGesendet: Dienstag\nAn: L\nBetreff: x\n\n", "Port 1."),
    "outlook, french": ("Port 1.\n\nDe : A <a@isp.example>\nEnvoyé : mardi\nÀ : L\nObjet : x\n\n", "Port 1."),
    "separator": ("Port 1.\n\n-----Original Message-----\n", "Port 1."),
    "separator, german": ("Port 1.\n\n-----Ursprüngliche Nachricht-----\n", "Port 1."),
    "below the quote": (
        "On Tue, 10 Mar 2026, Abuse <abuse@isp.example> wrote:\n" + OURS + "Port 51234.\n",
        "Port 51234.",
    ),
    "between the lines": ("Hello,\n> which port?\n51234\n> which time?\n12:00 UTC\n", "Hello,\n51234\n12:00 UTC"),
    "signature": ("Port 51234.\n-- \nLena Hoff, +49 12345\n", "Port 51234."),
    "greeting": ("Port 51234.\n\nBest regards\nLena\n", "Port 51234.\n\nBest regards\nLena"),
    "list": ("- 198.51.100.7 port 51234\n- 198.51.100.8 port 51235\n", None),
    "labels": ("From: 198.51.100.7\nDate: 2026-03-10 12:03:44 UTC\nport 51234\nTo: 203.0.113.5\n", None),
    "log line": ("Mar 10 12:03:44 mx postfix: connect from x[198.51.100.7]:51234\n", None),
    "thanks": ("Thanks, the port is 51234\nand it was 12:00 UTC", None),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_their_own_words_are_left(name):
    text, wanted = ANSWERS[name]
    assert own_words(text + (OURS if wanted and "\n>" not in text else "")) == (wanted or text.strip())


@pytest.mark.parametrize("text", ["", "> only quoted\n", "\n\n"])
def test_where_nothing_else_is_in_it_all_of_it_is_shown(text):
    assert own_words(text) == text.strip()


@given(st.text(alphabet="On wrote:\n> FromDatAm-_,.e\t ", max_size=400))
def test_no_text_is_too_odd(text):
    assert len(own_words(text)) <= MOST_WORDS


HOSTILE = [
    "On ",
    "On a b wrote",
    "From: \n",
    "\n",
    " \n",
    "From: x\n ",
    "Am x schrieb ",
    "> ",
    "_",
    "Le a écrit",
    "a \n",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_answers_take_no_time(piece):
    with cpu_within(1):
        own_words(piece * (1_000_000 // len(piece)))
