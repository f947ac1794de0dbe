"""Every letter to customers in every shipped language: the same files, variables, blocks and button, and no leak."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template import Context, Engine

from complaints.models import Case, Intervention
from complaints.notices.compose import facts_of
from complaints.notices.letter import read_letter
from complaints.vocabulary import CaseState, Category, Cause, CustomerStatus
from tests.factories import NOON
from tests.notices.rows import (
    BACK,
    REPORTER,
    TOKEN,
    TRAP,
    make_complaint,
    make_proof,
    make_relay_case,
    make_run,
    queued,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
FOLDER = Path(settings.BASE_DIR) / "templates" / "notices"
LANGUAGES = ("en", "de", "fr")
NAMES = sorted(path.name for path in (FOLDER / "en").glob("*.txt"))
LETTERS = [name for name in NAMES if (FOLDER / "en" / name).read_text().startswith("Subject: ")]
TO_CUSTOMERS = [name for name in LETTERS if not name.startswith("reporter-")]
COMPLETE = [
    name for name in TO_CUSTOMERS if name not in ("withdrawn.txt", "answer.txt", "digest.txt", "message.txt")
]  # with button and deadline
VARIABLE = re.compile(r"{{\s*([a-z_0-9]+)")
TESTED = re.compile(r"{%\s*(?:el)?if ([^%]+)%}|{%\s*for \w+ in ([^%]+)%}")
INCLUDED = re.compile(r'{%\s*include "notices/\w\w/([\w.-]+)"')
CASES = [  # cause, category, place
    *((cause, Category.SPAM) for cause in Cause),
    *((Cause.UNKNOWN, category) for category in Category),
]
FORMS = re.compile(r"called(_\d)?$")  # by the cases of the language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_is_there_in_every_language(language):
    assert sorted(path.name for path in (FOLDER / language).glob("*.txt")) == NAMES


def variables(language: str, name: str) -> set[str]:
    """Those of the letter and of the parts it includes."""
    source = (FOLDER / language / name).read_text()
    found = {name for name in VARIABLE.findall(source) if not FORMS.match(name)}
    for words in TESTED.findall(source):
        plain = re.sub(r'"[^"]*"', "", " ".join(words))
        found |= {
            word.partition(".")[0] for word in re.findall(r"[a-z_][\w.]*", plain) if not FORMS.match(word)
        } - {"and", "or", "not", "in"}  # fmt: skip
    for part in INCLUDED.findall(source):
        found |= variables(language, part)
    return found


@pytest.mark.parametrize(("language", "name"), list(product(LANGUAGES[1:], TO_CUSTOMERS)))
def test_a_translation_speaks_of_the_same_things(language, name):
    assert variables(language, name) == variables("en", name)


def situations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Facts of every case, place and stage of a measure, as templates get them."""
    for cause, category in CASES:
        yield f"{cause}-{category}", {"cause": cause, "category": category}
    for place in ("mailbox", "site"):
        yield place, {"place": place, "place_name": "x.example", "cause": Cause.STOLEN_MAILBOX}


def full_case(cause: str = Cause.OPEN_RELAY, category: str = Category.SPAM) -> Case:
    case = make_relay_case(cause=Cause(cause), category=category, state=CaseState.ESCALATED)
    case.customer_status = CustomerStatus.SEEN
    make_proof(case)
    make_run(case, "dnsbl", verdict="bad")
    complaint = make_complaint(case, seen_at=NOON - timedelta(hours=1))
    complaint.evidence["reported_uris"] = [f"https://x.example/a?to={REPORTER}"]
    complaint.save()
    return case


COMING = [(NOON, "escalated"), (NOON + timedelta(hours=1), "limit_25"), (NOON + timedelta(days=7), "quarantine")]


@pytest.mark.parametrize("name", COMPLETE)
def test_a_translation_has_the_same_blocks_and_one_button(name):
    case = full_case()
    Intervention.objects.create(
        case=case, contract=case.contract, kind="limit_25", step="x", state="in_force", reason="x",
        decided_by="machine", decided_at=NOON, due_at=NOON, in_force_at=NOON,
    )  # fmt: skip
    for what, changes in situations():
        kinds = {language: shape(case, language, name, changes) for language in LANGUAGES}
        assert kinds["en"].count("button") == 1, what
        assert kinds["de"] == kinds["fr"] == kinds["en"], what


def shape(case: Case, language: str, name: str, changes: dict[str, Any]) -> list[str]:
    case.cause, case.category = changes.get("cause", case.cause), changes.get("category", Category.SPAM)
    facts = facts_of(case, language, coming=COMING) | changes
    template = Engine.get_default().get_template(f"notices/{language}/{name}")
    letter = read_letter(template.render(Context(facts, autoescape=False)))
    return [f"{block.kind}{len(block.items) if block.kind in ('steps', 'facts') else ''}" for block in letter.blocks]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", COMPLETE)
def test_no_letter_tells_who_complained_or_shows_a_trap_or_an_open_template(name, language):
    step, _, theme = name.removesuffix(".txt").partition(".")
    cause = theme if theme in set(Cause) else Cause.UNKNOWN
    category = {
        "attack": Category.SCAN,
        "content": Category.PHISHING,
        "service": Category.VULNERABLE,
        "copyright": Category.COPYRIGHT,
    }.get(theme, Category.SPAM)
    case = full_case(cause, category)
    case.owner["language"] = language
    notice = queued(case, step, coming=COMING)
    assert notice.language == language
    for secret in (REPORTER, "reporter.example", TRAP, "cheap pills", TOKEN, BACK, "anna.privat", "{{", "{%"):
        assert secret.lower() not in (notice.subject + notice.text + notice.html).lower()
    assert "None" not in notice.text
    assert case.number in notice.subject
    assert len(notice.subject) < 150
    assert "https://x.example" not in notice.text


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("reporter-")])
def test_french_has_its_no_break_spaces_and_german_its_quotes(name):
    french = re.sub(r"{[{%].*?[%}]}", "", (FOLDER / "fr" / name).read_text())
    assert re.findall(r".{10} [;:?!»]|« .{10}|[^ \n]'[^ \n]", french) == []
    german = re.sub(r"{[{%].*?[%}]}", "", (FOLDER / "de" / name).read_text())
    assert german.count("„") == german.count("“")
    assert "”" not in german
