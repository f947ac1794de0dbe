"""What each clue is worth: the table by which evidence becomes a cause. Pure.

Weights are log-odds: 3 makes a cause that nothing else speaks for likely (0.6), 4.3 all but sure (0.85), a negative one
speaks against it. They are judgement, not measurement, and each stands here with its reason in words. What comes from
the complaint can be made up by whoever wrote it; only clues of OWN were found by ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..vocabulary import Category
from ..vocabulary import Cause as C


class Clue(NamedTuple):
    """One clue as it was seen. detail: where, in words that name the line or field; empty: the table has said all."""

    name: str
    detail: str = ""


class Meaning(NamedTuple):
    words: str
    weights: Mapping[C, float]


MEANINGS: dict[str, Meaning] = {
    # -- the way of the mail, as the Received lines around the accused address tell it (mail_path.py)
    "logged_in": Meaning(
        "the accused server took the mail from somebody who had logged in",
        {C.STOLEN_MAILBOX: 3.0, C.BULK_MAIL: 0.6, C.OPEN_RELAY: -1.5, C.FORWARDED: -2.0},
    ),
    "relayed": Meaning(
        "the mail came into the accused server from outside, and left again",
        {C.OPEN_RELAY: 3.2, C.FORWARDED: 1.0},
    ),
    "relayed_to_strangers": Meaning(
        "the accused server took it for a recipient who is not of its own domain",
        {C.OPEN_RELAY: 0.8, C.FORWARDED: -2.0},
    ),
    "relayed_unsure": Meaning("a line below may show mail that came in from outside", {C.OPEN_RELAY: 2.2}),
    "sent_on": Meaning(
        "it came in for an address of the customer's own, and was sent on to the reporter",
        {C.FORWARDED: 3.5, C.OPEN_RELAY: -2.5},
    ),
    "direct": Meaning("straight from the accused address, no mail server before it", {C.BOT: 1.0}),
    "home_line": Meaning("its name is that of a dial-in or home line", {C.BOT: 1.4, C.BULK_MAIL: -0.5}),
    "made_up_helo": Meaning("it called itself by a made-up name", {C.BOT: 1.6, C.BULK_MAIL: -1.0}),
    "script_user": Meaning("the web server's own user handed the mail in", {C.WEB_SCRIPT: 3.0, C.BOT: -1.0}),
    "not_from_there": Meaning(
        "the header that was sent along shows no mail that came from the accused address", {C.FORGED: 2.6}
    ),
    "unproven_line": Meaning(
        "the accused address stands only in a line that a stranger's server, or the sender, wrote",
        {C.FORGED: 3.2, C.OPEN_RELAY: -1.5, C.STOLEN_MAILBOX: -1.5},
    ),
    # -- the mail itself
    "script_field": Meaning("a field names the script that sent it", {C.WEB_SCRIPT: 3.4, C.BOT: -1.0}),
    "list_field": Meaning(
        "it can be unsubscribed from, as mailing software writes it",
        {C.BULK_MAIL: 2.0, C.BOT: -1.0, C.STOLEN_MAILBOX: -0.5, C.OPEN_RELAY: -0.5},
    ),
    "own_signature": Meaning(
        "it is signed (DKIM) for the accused machine's own domain",
        {C.BULK_MAIL: 1.8, C.STOLEN_MAILBOX: 0.5, C.BOT: -1.5, C.OPEN_RELAY: -1.0},
    ),
    "own_sender": Meaning(
        "its sender is of the accused machine's own domain",
        {C.BULK_MAIL: 0.8, C.STOLEN_MAILBOX: 0.4, C.BOT: -1.0, C.OPEN_RELAY: -1.0},
    ),
    "verp": Meaning(
        "its envelope sender was made for each recipient, as mailing software does", {C.BULK_MAIL: 2.2, C.BOT: -0.5}
    ),
    "probe": Meaning(
        "it is the test mail of somebody who looks for open relays, and names this address: it found one",
        {C.OPEN_RELAY: 5.0},
    ),
    # -- what the reporter saw, where no mail is needed to know it
    "sinkhole": Meaning("it was seen doing what only infected machines do", {C.BOT: 4.0}),
    "attack_seen": Meaning("the reporter's own logs show the attempts", {C.ATTACK: 3.6}),
    "open_service": Meaning("the reporter reached the service from outside", {C.VULNERABLE_SERVICE: 4.0}),
    "work_claimed": Meaning("somebody says that the work is theirs", {C.COPYRIGHT: 4.0}),
    "page": Meaning("the report names a page or a file there", {C.HARMFUL_CONTENT: 3.6}),
    # -- all complaints of the case together (pattern.py)
    "many_names": Meaning(
        "it calls itself by ever other names", {C.BOT: 1.2, C.BULK_MAIL: -1.0, C.STOLEN_MAILBOX: -0.5}
    ),
    "many_senders": Meaning("hardly two of the mails have the same sender", {C.BULK_MAIL: -2.0}),
    "one_sender": Meaning("all of the mails have the same sender", {C.BULK_MAIL: 0.6, C.BOT: -0.4}),
    "day_and_night": Meaning("it sends at all hours of day and night", {C.BULK_MAIL: -0.7}),
    # -- what we found ourselves
    "listed_bot": Meaning(
        "a blacklist of infected machines names the address", {C.BOT: 4.3, C.FORGED: -2.0, C.FORWARDED: -1.5}
    ),
    "listed_proxy": Meaning("a blacklist of open proxies names the address", {C.BOT: 3.4, C.FORGED: -2.0}),
    "listed_relay": Meaning("a blacklist of open relays names the address", {C.OPEN_RELAY: 3.4, C.FORGED: -2.0}),
    "listed_attack": Meaning("a blacklist of attackers names the address", {C.ATTACK: 1.5, C.BOT: 0.8}),
    "listed_source": Meaning("a blacklist of spam's sources names the address", {C.FORGED: -2.0, C.FORWARDED: -0.8}),
    "relay_refused": Meaning("our relay check was refused everywhere", {C.OPEN_RELAY: -3.6}),
}
OWN = frozenset({"listed_bot", "listed_proxy", "listed_relay", "listed_attack"})  # may make a cause sure by themselves
ONCE = frozenset({"probe"})  # says as much in one complaint of many as in all of them
# "policy" lists say what kind of line it is, "network" and "reputation" lists speak of neighbours: no clue at all.
LISTINGS = {
    "bot": "listed_bot", "proxy": "listed_proxy", "relay": "listed_relay", "attack": "listed_attack",
    "spam-source": "listed_source",
}  # fmt: skip

MAIL = (C.OPEN_RELAY, C.BOT, C.STOLEN_MAILBOX, C.WEB_SCRIPT, C.BULK_MAIL, C.FORWARDED, C.FORGED)
MAIL_OR_PAGE = (*MAIL, C.HARMFUL_CONTENT)
ATTACKS = (C.ATTACK, C.BOT)
# What may be behind a complaint of each category; what is not named has no cause to be found.
POSSIBLE: dict[Category, tuple[C, ...]] = {
    Category.SPAM: MAIL,
    Category.OTHER: MAIL,
    Category.PHISHING: MAIL_OR_PAGE,
    Category.MALWARE: MAIL_OR_PAGE,
    Category.FRAUD: MAIL_OR_PAGE,
    Category.BOT: (C.BOT,),
    Category.LOGIN_ATTACK: ATTACKS,
    Category.SCAN: ATTACKS,
    Category.DDOS: (*ATTACKS, C.VULNERABLE_SERVICE),
    Category.VULNERABLE: (C.VULNERABLE_SERVICE, C.OPEN_RELAY),
    Category.COPYRIGHT: (C.COPYRIGHT,),
}
SEEN_BY_REPORTER = {
    Category.BOT: "sinkhole",
    Category.LOGIN_ATTACK: "attack_seen",
    Category.SCAN: "attack_seen",
    Category.DDOS: "attack_seen",
    Category.VULNERABLE: "open_service",
    Category.COPYRIGHT: "work_claimed",
}
