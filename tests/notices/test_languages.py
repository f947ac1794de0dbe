"""The language of an answer: what the reporter's mail says of itself, else its small words, else the site's."""

from __future__ import annotations

import pytest

from complaints.notices.languages import language_of
from complaints.notices.reporter_letter import languages

ENGLISH = "Hello, please stop the spam from your customer. This came today and it is not the first."
GERMAN = "Guten Tag, bitte stoppen Sie den Spam von Ihrem Kunden. Er ist nicht der erste und wir haben die Adresse."
FRENCH = "Bonjour, merci de faire cesser le spam de votre client. Nous vous avons écrit pour cette adresse."
KNOWN = ("en", "de", "fr")


@pytest.mark.parametrize(
    ("text", "stated", "wanted"),
    [
        (ENGLISH, "", "en"),
        (GERMAN, "", "de"),
        (FRENCH, "", "fr"),
        (ENGLISH, "de", "de"),
        (ENGLISH, "de-CH", "de"),
        (ENGLISH, "it, fr", "fr"),
        (GERMAN, "it", "de"),
        (f"{ENGLISH} {GERMAN}", "", "xx"),
        ("198.51.100.7 port 51234", "", "xx"),
        ("spam!", "", "xx"),
        ("", "", "xx"),
        (ENGLISH, "\u0000;;-,", "en"),
    ],
)
def test_the_language(text, stated, wanted):
    assert language_of(text, stated=stated, known=KNOWN, otherwise="xx") == wanted


def test_every_letter_is_there_in_every_language():
    assert languages() == {"en", "de", "fr"}
