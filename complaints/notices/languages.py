"""Which of our languages a mail is written in: what it says of itself, else its commonest small words. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

LONGEST_READ = 5000
FEWEST = 3  # small words; a single "die" or "on" says nothing
WORD = re.compile(r"[^\W\d_]+")
# Words of one language alone, among these; "die", "des", "on" and the like stand in two.
SMALL_WORDS = {
    "en": "the of to and is from your you this that we have with please was are it our for been",
    "de": "der das und ist von ihr ihre ihrem ihrer ihren sie wir bitte nicht mit auf ein eine einen wurde uns haben",
    "fr": "le la les et est une vous nous votre vos notre pas avec pour sur dans cette merci bonjour avons",
}
LANGUAGE_OF = {word: language for language, words in SMALL_WORDS.items() for word in words.split()}


def language_of(text: str, *, stated: str, known: Collection[str], otherwise: str) -> str:
    """stated: the value of Content-Language (RFC 3282), which may list several. known: the languages we write."""
    for tag in re.split(r"[,\s]+", stated.lower()[:200]):
        if (primary := tag.partition("-")[0]) in known:
            return primary
    counts = Counter(
        LANGUAGE_OF[word] for word in WORD.findall(text[:LONGEST_READ].lower()) if LANGUAGE_OF.get(word) in known
    )
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] < FEWEST or (len(ranked) == 2 and ranked[1][1] * 2 > ranked[0][1]):
        return otherwise  # too little, or two languages in one mail
    return ranked[0][0]
