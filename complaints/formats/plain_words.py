"""Which category a human's words mean: tables of words, weighed by where they stand."""

from __future__ import annotations

import re

from ..vocabulary import Category

SUBJECT_COUNTS = 4  # a word in the Subject weighs as much as four in the text
MOST_TEXT = 20_000  # characters of text that are weighed

# English first, then what German, French, Spanish and Czech reporters write. On a tie the upper line wins.
WORDS: tuple[tuple[Category, str], ...] = (
    (Category.COPYRIGHT, r"copyright|dmca|infring\w+|bittorrent|piracy|urheberrecht\w*|droits? d'auteur"),
    (Category.PHISHING, r"phish\w*|fraudulent (?:web)?site|scam-site|credential harvest\w*|fake (?:login|bank)\w*"),
    (Category.DDOS, r"d?dos[- ]attack\w*|ddos|denial[- ]of[- ]service|(?:syn|udp|icmp)[- ]flood\w*|amplification"),
    (Category.BOT, r"botnet\w*|bot drone|zeroaccess|command[- ]and[- ]control|c&c|sinkhole\w*"
                   r"|infected (?:host|machine|pc)s?"),
    (Category.MALWARE, r"malware|virus(?:es)?|trojan\w*|worm|ransomware|malicious (?:content|code|software|url|file)s?"
                       r"|schadsoftware|malveillant\w*"),
    (Category.LOGIN_ATTACK, r"brute[- ]?forc\w*|failed (?:login|password|auth\w*)s?|login (?:attempt|attack|failure)s?"
                            r"|login_attack|loginattack|ssh\w{0,2}|invalid user|dictionary attack\w*|fail2ban"
                            r"|unauthori[sz]ed (?:access|login)\w*|wp-login(?:\.php)?|xmlrpc(?:\.php)?|attack source"),
    (Category.SCAN, r"port[- ]?scan\w*|scann(?:ing|ed)|network scan|probing|probes?|reconnaissance|vulnerability_scan"),
    (Category.VULNERABLE, r"open[- ]?(?:resolver|proxy|service|relay)s?|vulnerab\w*|amplifier"
                          r"|exposed (?:service|database)s?"),
    (Category.SPAM, r"spam\w*|junk ?mail|unsolicited|uce|ube|unwanted (?:e-?)?mails?|bulk (?:e-?)?mail|spamtrap\w*"
                    r"|unerwünscht\w*|werbe-?mails?|pourriels?|correo no deseado|nevyžádan\w*|uceprotect"),
    (Category.FRAUD, r"fraud\w*|scam\w*|advance[- ]fee|419|betrug\w*|arnaque\w*|estafa\w*"),
    (Category.OTHER, r"abus(?:e|ive|ing)|attack\w*|hack\w*|complaint|incident|malicious|suspicious|intrusion|missbrauch"
                     r"|beschwerde|zneužit\w*|block ?list|black ?list(?:ed)?|harvesting"),
)  # fmt: skip
PATTERNS = tuple((category, re.compile(rf"\b(?:{words})\b", re.I)) for category, words in WORDS)

# Where the text names no address, only words that nobody writes in passing make it a complaint.
STRONG = re.compile(
    r"\b(?:phishing (?:site|attack|page|url|domain|link)|copyright infring\w+"
    r"|infring\w+ (?:notice|material|content|activity)"
    r"|dmca (?:notice|takedown)|malware (?:attack|site|url)|malicious (?:content|url)|hosting a phish\w*"
    r"|take ?down (?:notice|request)|spam from your)",
    re.I,
)


def category_of(subject: str, text: str) -> Category | None:
    """The category most spoken of; None where no word of any table stands."""
    best: tuple[int, Category] | None = None
    for category, pattern in PATTERNS:
        weight = len(pattern.findall(subject)) * SUBJECT_COUNTS + len(pattern.findall(text[:MOST_TEXT]))
        if category is Category.OTHER:
            weight = min(weight, 1)  # general words never outweigh a specific one
        if weight and (best is None or weight > best[0]):
            best = (weight, category)
    return best[1] if best else None
