"""Text → the words it is found by: lower case, without accents, names of machines whole and in parts. Pure.

What is stored and what is asked go through the same function, so they meet on every database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Names of machines, addresses of mail and network, file names: whole, and their parts.
WHOLE = re.compile(r"[^\W_](?:[\w.:@+=/-]*\w)?")
BETWEEN = re.compile(r"[@/:=+]+")
PART = re.compile(r"\w+")
LONGEST = 64  # a longer one is a hash or a token: nobody types it
SHORTEST = 2


def words_of(text: str) -> list[str]:
    """Each word once, in order."""
    return list(dict.fromkeys(marks(text)))


def marks(text: str) -> Iterator[str]:
    for found in WHOLE.finditer(plain(text)):
        whole = found[0]
        if whole.isalnum():
            if len(whole) <= LONGEST:
                yield whole
            continue
        names = [name.strip(".-") for name in BETWEEN.split(whole) if name]
        pieces = [whole, *(upper for name in names for upper in with_uppers(name)), *PART.findall(whole)]
        yield from (piece for piece in pieces if SHORTEST <= len(piece) <= LONGEST)


def with_uppers(name: str) -> Iterator[str]:
    """A name of a machine, and the domains above it: mail.shop.example, shop.example."""
    labels = name.split(".")
    domains = 1 if labels[-1].isdigit() else max(1, len(labels) - 1)  # an address has nothing above it
    for first in range(domains):
        yield ".".join(labels[first:])


def asked_words(text: str) -> list[str]:
    """What a searcher typed: a compound is asked for whole, since its parts are stored beside it."""
    return list(dict.fromkeys(m[0] for m in WHOLE.finditer(plain(text)) if len(m[0]) <= LONGEST))


def plain(text: str) -> str:
    """Case and accents are no difference: "Café" is found by "cafe"."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\0", " ").casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
