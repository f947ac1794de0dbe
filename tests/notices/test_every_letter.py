"""Each letter that can be written, of each category, cause and language, has what its reader needs."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product

import pytest
from django.template import Context

from complaints.notices.about import theme_of
from complaints.notices.compose import called, facts_of, letter_for
from complaints.notices.letter import LINK_MARK, Block, as_text, read_letter
from complaints.vocabulary import CaseState, Category, Cause
from tests.factories import NOON
from tests.notices.rows import make_proof, make_relay_case, make_run

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LANGUAGES = ("en", "de", "fr")
STEPS = ("notify", "remind", "still_open", "escalated")
COMING = [(NOON + timedelta(days=1), "escalated"), (NOON + timedelta(days=1), "limit_25")]
HEADINGS = {  # why, first, who helps, genuine: in every first letter
    "en": ["Why this matters to you", "What to do first", "Who can help", "Is this message genuine?"],
    "de": ["Warum das für Sie wichtig ist", "Was zuerst zu tun ist", "Wer helfen kann", "Ist diese Nachricht echt?"],
    "fr": ["Pourquoi cela vous concerne", "Que faire en premier", "Qui peut vous aider",
           "Ce message est-il authentique\u00a0?"],
}  # fmt: skip
PLACES = ("line", "mailbox", "site")


def headings(blocks: tuple[Block, ...]) -> list[str]:
    return [block.text for block in blocks if block.kind == "heading"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_says_what_why_what_first_by_when_and_how_it_is_verified(language):
    case = make_relay_case(state=CaseState.NOTIFIED)
    make_proof(case)
    make_run(case, "dnsbl", verdict="bad")
    facts = facts_of(case, language, coming=COMING)
    seen = set()
    for category, cause, step, place in product(Category, Cause, STEPS, PLACES):
        about = theme_of(cause, category)
        template = letter_for(step, cause=cause, category=category, language=language)
        if (template.name, category, about, place) in seen:
            continue
        seen.add((template.name, category, about, place))
        told = facts | {"cause": cause, "category": category, "about": about, "place": place, "place_name": ""}
        told |= called(told, language)
        letter = read_letter(template.render(Context(told, autoescape=False)))
        what, text = (step, category, cause, place), as_text(letter)
        assert template.name.startswith(f"notices/{language}/"), what
        assert [block.kind for block in letter.blocks].count("button") == 1, what
        assert text.count(LINK_MARK) == 1, what
        assert case.number in text, what
        assert str(facts["deadline"]) in " ".join(text.split()) or step == "escalated", what
        assert str(facts["threat"].at) in " ".join(text.split()), what
        assert any(block.kind == "steps" and len(block.items) >= 2 for block in letter.blocks), what
        assert facts["site"] in text, what
        wanted = HEADINGS[language] if step == "notify" else HEADINGS[language][-1:]
        assert [each for each in headings(letter.blocks) if each in wanted] == wanted, what
        assert len(letter.subject) <= 130, what
        assert "  " not in letter.subject, what


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", ["mailbox", "site"])
def test_of_a_mailbox_or_a_site_no_letter_says_line(language, place):
    """A customer of mail or web hosting alone has no line of ours."""
    case = make_relay_case(state=CaseState.NOTIFIED)
    line = {"en": "your line", "de": "Ihr(en|em)? Anschluss", "fr": "votre ligne"}[language]
    kind = {"mailbox": "lock_account", "site": "person"}[place]
    facts = facts_of(case, language, coming=[(NOON, "escalated"), (NOON, kind)]) | {"place": place, "place_name": "x"}
    facts |= called(facts, language)
    for step, cause in product((*STEPS, "solved", "withdrawn", "message"), (*Cause,)):
        if cause == Cause.OPEN_RELAY:
            continue  # a mail server of their own
        told = facts | {"cause": cause, "category": Category.SPAM, "about": theme_of(cause, Category.SPAM)}
        template = letter_for(step, cause=cause, category=Category.SPAM, language=language)
        letter = read_letter(template.render(Context(told, autoescape=False)))
        assert not re.search(line, letter.subject + as_text(letter)), (step, cause)
