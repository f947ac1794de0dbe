"""Every letter and every page of customers and reporters, spell-checked in its language.

The dictionaries are Hunspell's: Debian's packages hunspell-en-us, hunspell-de-de and hunspell-fr. Words of the trade
that no dictionary has stand in tests/spelling/LANGUAGE.txt.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

Dictionary: Any = pytest.importorskip("spylls.hunspell", reason="spylls is not installed").Dictionary
TEMPLATES = Path(settings.BASE_DIR) / "templates"
OWN_WORDS = Path(__file__).parent / "spelling"
DICTIONARIES = {"en": "en_US", "de": "de_DE", "fr": "fr"}
FOLDERS = (Path("/usr/share/hunspell"), Path("/usr/share/myspell/dicts"))
# Not words of the language: tags of templates and pages, code, foreign passages, addresses, names of settings.
TAGS = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
MARKUP = re.compile(r"<!--.*?-->|<(code|pre|script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)
FOREIGN = re.compile(r"^Subject:|^    .*$|@@.*?@@|https?://\S+|\S+@\S+|\S*[_\d\[\]]\S*", re.MULTILINE)
SPOKEN = re.compile(r'(?:aria-label|title|alt|placeholder)="([^"]*)"')
DEFAULTS = re.compile(r'(?:default|pluralize):"([^"]*)"')
WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
JOINED = re.compile(r"^(?:[cdjlmnstCDJLMNST]|[qQ]u|[lL]orsqu|[pP]uisqu|[jJ]usqu)[’']")  # French elision


def texts() -> Iterator[tuple[str, Path]]:
    for language in DICTIONARIES:
        for folder in (TEMPLATES / "notices" / language, TEMPLATES / "portal" / language):
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                yield language, path


@cache
def dictionary(language: str) -> Any:
    for folder in FOLDERS:
        if (folder / f"{DICTIONARIES[language]}.dic").exists():
            return Dictionary.from_files(str(folder / DICTIONARIES[language]))
    return None


@cache
def own_words(language: str) -> frozenset[str]:
    lines = [*(OWN_WORDS / "all.txt").read_text().split(), *(OWN_WORDS / f"{language}.txt").read_text().split()]
    return frozenset(word.casefold() for word in lines)


@cache
def is_known(language: str, word: str) -> bool:
    if word.casefold() in own_words(language):
        return True
    known = dictionary(language)
    plain = word.replace("’", "'")
    if known.lookup(plain) or known.lookup(plain[:1].lower() + plain[1:]):
        return True
    if language == "fr" and JOINED.match(word):
        return is_known(language, JOINED.sub("", word, count=1))
    return "-" in word and all(is_known(language, part) for part in word.split("-"))


def unknown_words(language: str, source: str) -> list[str]:
    said = DEFAULTS.findall(source)
    bare = TAGS.sub(" ", source)
    plain = html.unescape(FOREIGN.sub(" ", MARKUP.sub(" ", bare)) + " " + " ".join(SPOKEN.findall(bare) + said))
    return sorted({word for word in WORD.findall(plain) if len(word) > 1 and not is_known(language, word)})


@pytest.mark.parametrize(
    ("language", "path"), list(texts()), ids=[str(path.relative_to(TEMPLATES)) for _, path in texts()]
)
def test_no_word_is_misspelt(language: str, path: Path) -> None:
    if dictionary(language) is None:
        pytest.skip(f"no Hunspell dictionary {DICTIONARIES[language]} in {', '.join(map(str, FOLDERS))}")
    assert unknown_words(language, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("language", "source", "found"),
    [
        ("en", "Please <b>forwrad</b> this {{ forwrad }} mail", ["forwrad"]),
        ("de", "Ihr Anschluß ist gesperrrt", ["Anschluß", "gesperrrt"]),
        ("fr", "L’adresse d’un serveur, s’il vous plait-il mesage", ["mesage"]),
    ],
)
def test_a_wrong_word_is_found(language: str, source: str, found: list[str]) -> None:
    if dictionary(language) is None:
        pytest.skip(f"no Hunspell dictionary {DICTIONARIES[language]}")
    assert [word for word in unknown_words(language, source) if word in found] == found
