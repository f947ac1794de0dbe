"""What a customer's mail seems to say: fixed, not me, or that they need time. Pure, and never acted upon by itself.

Each sentence is read for itself. A word that turns its meaning ("not fixed yet", "nicht behoben"), a question or a
condition ("once it is fixed") takes the reading away: an analyst who is offered nothing reads the mail, as they must
anyway.
"""

from __future__ import annotations

import dataclasses
import re
from enum import StrEnum

MOST_READ = 5000  # characters
LONGEST_REASON = 160
SENTENCES = re.compile(r"(?<=[.!?…])\s+|\n\s*\n|\n(?=\s*[-*•])")


class Intention(StrEnum):
    FIXED = "fixed"
    NOT_ME = "not_me"
    NEEDS_TIME = "needs_time"


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """because: the sentence that says so, as they wrote it."""

    intention: Intention
    because: str


def words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?:\b(?:{each}))" for each in patterns), re.I)


SAYS = {
    Intention.FIXED: words(
        r"(?:is|are|was|were|been|got|it'?s|now|have|has|we|I|all) (?:\w+ ){0,3}?(?:fixed|resolved|solved"
        r"|repaired|cleaned|removed|closed|secured|disinfected|reinstalled|patched|shut down|switched off|disabled)\b",
        r"(?:problem|issue) solved\b", r"(?:fixed|done) (?:it )?(?:now|today|yesterday|already)\b",
        r"behoben\b", r"erledigt\b", r"beseitigt\b", r"abgeschaltet\b", r"ausgeschaltet\b",
        r"bereinigt\b", r"entfernt\b",
        r"neu (?:installiert|aufgesetzt)\b", r"gelöst\b", r"repariert\b", r"geschlossen\b",
        r"(?:est|a été|sont|ont été|avons|ai) (?:\w+ ){0,2}?(?:résolue?s?|corrigée?s?|réparée?s?|nettoyée?s?|réglée?s?"
        r"|supprimée?s?|désactivée?s?|réinstallée?s?|fermée?s?)\b", r"c’est (?:fait|réglé)|c'est (?:fait|réglé)",
    ),
    Intention.NOT_ME: words(
        r"(?:(?:is|was)(?: not|n['’]t)|not) (?:me|us|ours|mine"
        r"|(?:my|our) (?:address|line|computer|server|ip))\b",
        r"(?:do not|don['’]t|no longer) (?:own|use|have) (?:this|that|the|your)\b",
        r"(?:not|never) (?:been )?(?:a |your )customers?\b", r"wrong (?:person|customer|address|company)\b",
        r"(?:nicht (?:von )?(?:mir|uns|meine?r?|unsere?r?)|nicht (?:meine|unsere))\b",
        r"falsche[rnsm]? (?:person|kunde|kunden|adresse|anschluss|firma|empfänger)\b",
        r"gehört (?:mir|uns) nicht\b", r"kein kunde\b", r"nicht (?:mehr )?(?:ihr|bei ihnen) kunde\b",
        r"(?:n['’]est pas|ce n['’]est pas|pas) (?:moi|nous|à (?:moi|nous)|(?:mon|ma|notre) (?:adresse"
        r"|ligne|serveur|ordinateur|ip))\b",
        r"mauvaise? (?:personne|client|adresse|destinataire)\b", r"ne sommes (?:pas|plus) (?:\w+ )?clients?\b",
    ),
    Intention.NEEDS_TIME: words(
        r"(?:need|want|give us|give me|ask for|takes?|require) (?:\w+ ){0,4}?(?:time|days?|weeks?|until)\b",
        r"(?:technician|engineer|specialist|it (?:company|provider)) (?:is coming|comes|will)\b",
        r"(?:not (?:before|until)|by (?:monday|tuesday|wednesday|thursday|friday|next week|the end of)|next week)\b",
        r"(?:extend|extension|postpone)\b", r"working on it\b",
        r"(?:brauchen?|benötigen?) (?:\w+ ){0,4}?(?:zeit|tage?|wochen?|aufschub)\b", r"(?:mehr|etwas|noch) zeit\b",
        r"techniker (?:\w+ ){0,3}?kommt\b|kommt (?:\w+ ){0,4}?techniker\b", r"(?:erst|bis) (?:am |zum |nächste)",
        r"frist(?:verlängerung)?\b", r"(?:arbeiten|sind) (?:\w+ ){0,2}?daran\b", r"nächste[rn]? woche\b",
        r"(?:besoin de|faut|demandons|donnez[- ](?:nous|moi)) (?:\w+ |d['’]){0,4}?(?:temps|jours?|semaines?|délai)\b",
        r"technicien (?:vient|viendra|passe|passera)\b", r"(?:semaine prochaine|d['’]ici)\b", r"délai supplémentaire\b",
        r"y travaillons\b",
    ),
}  # fmt: skip
# Of "fixed": what turns it around, or puts it off.
TURNED = words(
    r"not\b", r"n['’]t\b", r"never\b", r"un(?:able|til)\b", r"will\b", r"shall\b", r"going to\b", r"once\b", r"when\b",
    r"if\b", r"as soon as\b", r"trying\b", r"should\b", r"must\b", r"has to\b", r"to be\b", r"please\b", r"after\b",
    r"before\b", r"nicht\b", r"noch\b", r"nie\b", r"wird\b", r"werden\b", r"wenn\b", r"sobald\b", r"falls\b",
    r"soll(?:te)?\b", r"muss\b", r"kein\w*\b",
    r"bis\b", r"ob\b", r"bitte\b",
    r"pas\b", r"jamais\b", r"sera\b", r"serons\b", r"seront\b", r"quand\b", r"lorsque\b", r"dès que\b", r"si\b",
    r"doit\b", r"veuillez\b",
)  # fmt: skip
APOSTROPHE = re.compile(r"n['’]t\b", re.I)


def read_intentions(text: str) -> list[Read]:
    """What may be offered to an analyst, in the order of the text; each intention once, with its sentence."""
    found: dict[Intention, Read] = {}
    for sentence in SENTENCES.split(text[:MOST_READ]):
        if sentence.rstrip().endswith("?"):
            continue  # they ask, and say nothing
        for intention in intentions_in(sentence):
            found.setdefault(intention, Read(intention, cut(sentence)))
    return list(found.values())


def intentions_in(sentence: str) -> list[Intention]:
    said = [intention for intention, pattern in SAYS.items() if pattern.search(sentence)]
    is_turned = TURNED.search(sentence) or APOSTROPHE.search(sentence)
    return [each for each in said if not (each is Intention.FIXED and is_turned)]


def cut(sentence: str) -> str:
    line = " ".join(sentence.split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1].rstrip()}…"
