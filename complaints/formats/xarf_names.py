"""XARF v4's categories and types beside ours, both ways; the reader and the writer share them.

Types that stand only in the test suite of the early 4.0 drafts are still sent and kept here.
"""

from __future__ import annotations

from typing import Final

from ..vocabulary import Category

# Of a type that is not listed, the category decides.
BY_TYPE: Final = {
    ("content", "phishing"): Category.PHISHING,
    ("content", "malware"): Category.MALWARE,
    ("content", "remote_compromise"): Category.MALWARE,
    ("content", "defacement"): Category.MALWARE,
    ("content", "web_hack"): Category.MALWARE,
    ("content", "fraud"): Category.FRAUD,
    ("content", "suspicious_registration"): Category.FRAUD,
    ("content", "brand_infringement"): Category.COPYRIGHT,
    ("content", "spamvertised"): Category.SPAM,
    ("connection", "login_attack"): Category.LOGIN_ATTACK,
    ("connection", "auth_failure"): Category.LOGIN_ATTACK,
    ("connection", "port_scan"): Category.SCAN,
    ("connection", "reconnaissance"): Category.SCAN,
    ("connection", "vulnerability_scan"): Category.SCAN,
    ("connection", "sql_injection"): Category.SCAN,
    ("connection", "scraping"): Category.SCAN,
    ("connection", "ddos"): Category.DDOS,
    ("connection", "ddos_amplification"): Category.DDOS,
    ("connection", "infected_host"): Category.BOT,
    ("infrastructure", "botnet"): Category.BOT,
    ("infrastructure", "compromised_server"): Category.MALWARE,
    ("infrastructure", "compromised_website"): Category.MALWARE,
    ("infrastructure", "compromised_microsoft_exchange"): Category.MALWARE,
}
BY_CATEGORY: Final = {
    "messaging": Category.SPAM,
    "copyright": Category.COPYRIGHT,
    "vulnerability": Category.VULNERABLE,
    "infrastructure": Category.BOT,
}

# Feedback about mail that is no accusation (RFC 6430, RFC 6591) has no type in XARF.
WRITTEN: Final = {
    Category.SPAM: ("messaging", "spam"),
    Category.PHISHING: ("content", "phishing"),
    Category.MALWARE: ("content", "malware"),
    Category.BOT: ("infrastructure", "botnet"),
    Category.LOGIN_ATTACK: ("connection", "login_attack"),
    Category.SCAN: ("connection", "port_scan"),
    Category.DDOS: ("connection", "ddos"),
    Category.VULNERABLE: ("vulnerability", "open_service"),
    Category.COPYRIGHT: ("copyright", "copyright"),
    Category.FRAUD: ("content", "fraud"),
}


def our_category(category: str | None, kind: str | None) -> Category:
    return BY_TYPE.get((category or "", kind or "")) or BY_CATEGORY.get(category or "", Category.OTHER)
