"""The marks by which complaints of one spam run know each other. Pure: strings in, short digests out.

A mark must be so particular that two strangers hardly share it. So whatever many mails have is none: short or common
subjects, addresses of newsletter services and of unsubscribing, texts of a few words.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from complaints.attribution.evidence import host_in, host_name
from complaints.cases.grouping import suffixes

ID, TEXT, LIKE, URLS, SUBJECT = "id", "text", "like", "urls", "subject"
KINDS = (ID, TEXT, LIKE, URLS, SUBJECT)  # the surest first
# A run lasts days, and a mark that was not seen for so long belongs to the past. Subjects come again soonest.
LASTS = {ID: timedelta(days=14), TEXT: timedelta(days=14), LIKE: timedelta(days=14), URLS: timedelta(days=14)}
LASTS[SUBJECT] = timedelta(days=3)

SHORTEST_TEXT, FEWEST_WORDS = 120, 20
WORDS_READ = 1_500
FEWEST_SUBJECT_WORDS, SHORTEST_SUBJECT = 4, 20
MOST_URLS = 30

PREFIX = re.compile(r"^(?:\s*(?:re|aw|antw|sv|vs|fwd?|wg|tr|rv|doorst)\s*(?:\[\d+\])?\s*:|\s*\[[^\]]{1,40}\])+", re.I)
TOKEN = re.compile(r"[^\W\d_]+|\d+", re.UNICODE)
VARYING = re.compile(r"[0-9a-f]{8,}|[A-Za-z0-9_-]{16,}|\d+", re.I)
LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.I)
MAILBOX = re.compile(r"\S+@\S+")
# What mailers, banks and colleagues write every day. Compared without numbers and signs.
COMMON_SUBJECTS = frozenset(
    {
        "delivery status notification failure",
        "undelivered mail returned to sender",
        "mail delivery failed returning message to sender",
        "returned mail see transcript for details",
        "failure notice",
        "out of office automatic reply",
        "your order has been shipped",
        "your invoice is ready to view",
        "please find attached the invoice",
        "invoice for your recent purchase",
        "notification of payment received",
        "confirm your email address please",
        "please verify your email address",
        "you have received a new message",
        "welcome to our newsletter",
    }
)
# Addresses that any newsletter has: of the services that send them, of social pages and of standards.
COMMON_SITES = frozenset(
    {
        "list-manage.com", "mailchimp.com", "sendgrid.net", "sendgrid.com", "mailgun.org", "mailjet.com",
        "sendinblue.com", "brevo.com", "constantcontact.com", "rs6.net", "exacttarget.com", "amazonses.com",
        "awstrack.me", "mcsv.net", "cmail19.com", "cmail20.com", "createsend.com", "hubspot.com", "hubspotemail.net",
        "klaviyo.com", "klclick.com", "getresponse.com", "rapidmail.com", "cleverreach.com", "inxmail.com",
        "sparkpostmail.com", "mandrillapp.com", "campaign-archive.com", "activehosted.com", "emlnk.com", "w3.org",
        "schema.org", "google.com", "gmail.com", "facebook.com", "twitter.com", "x.com", "linkedin.com",
        "instagram.com", "youtube.com", "youtu.be", "apple.com", "microsoft.com", "outlook.com", "whatsapp.com",
        "t.me", "telegram.org", "paypal.com", "amazon.com",
    }
)  # fmt: skip
LEAVING = re.compile(r"unsub|opt-?out|abmeld|desinscri|desabon|preferences|list-?manage|mailto:|track|/wf/|/ls/", re.I)
SHINGLE, HASHES, BANDS, AGREE = 3, 16, 4, 0.7


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """kind:digest, and of a text that may be like another also its signature."""

    name: str
    signature: str = ""

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]


def marks_of(*, message_id: str, subject: str, urls: Iterable[str], text: str) -> list[Mark]:
    """The surest first; none where nothing is particular."""
    found = [
        *by_message_id(message_id),
        *by_text(text),
        *by_urls([*urls, *LINK.findall(text[:20_000])]),
        *by_subject(subject),
    ]
    return list(dict.fromkeys(found))


def by_message_id(message_id: str) -> list[Mark]:
    """RFC 5322 section 3.6.4: one mail has one, whoever complains. Those that careless programs repeat say nothing."""
    local, _, domain = message_id.strip("<> ").partition("@")
    if len(local) < 8 or "." not in domain or domain.lower() in ("localhost.localdomain", "example.com"):
        return []
    return [Mark(digest(ID, f"{local}@{domain.lower()}"))]


def by_subject(subject: str) -> list[Mark]:
    words = words_of(PREFIX.sub("", subject))
    letters = [word for word in words if not word.isdigit()]
    plain = " ".join(letters)
    long_words = sum(len(word) >= 3 for word in letters)
    if long_words < FEWEST_SUBJECT_WORDS or len(plain) < SHORTEST_SUBJECT or plain in COMMON_SUBJECTS:
        return []
    return [Mark(digest(SUBJECT, plain))]


def by_text(text: str) -> list[Mark]:
    """The whole text without what varies from copy to copy; and its shingles, for a text that was stirred a little."""
    plain = MAILBOX.sub(" ", LINK.sub(" ", text))
    words = [word for word in words_of(plain) if not word.isdigit()][:WORDS_READ]
    if len(words) < FEWEST_WORDS or sum(map(len, words)) < SHORTEST_TEXT or len(set(words)) < FEWEST_WORDS // 2:
        return []
    signature = minhash(words)
    rows = HASHES // BANDS
    bands = (
        Mark(digest(LIKE, f"{band}/{signature[band * rows * 4 : (band + 1) * rows * 4]}"), signature)
        for band in range(BANDS)
    )
    return [Mark(digest(TEXT, " ".join(words))), *bands]


def by_urls(urls: Sequence[str]) -> list[Mark]:
    """The set of places that the mail leads to, without the tokens that name its reader."""
    places = sorted({place for url in urls[:MOST_URLS] if (place := place_of(url))})
    return [Mark(digest(URLS, " ".join(places)))] if places else []


def place_of(url: str) -> str:
    """Host and path, lower case, varying parts as #; empty for what any mail may lead to."""
    name = host_name(host_in(url if "://" in url else f"http://{url}"))
    if name is None or LEAVING.search(url):
        return ""
    site = suffixes().privatesuffix(name)
    if site is None or site in COMMON_SITES:
        return ""
    path = re.split(r"[?#]", url.partition("://")[2].partition("/")[2], maxsplit=1)[0].strip("/.,;>)\"'").lower()
    return f"{VARYING.sub('#', name.removesuffix(site).removeprefix('www.'))}{site}/{VARYING.sub('#', path)}"


def words_of(text: str) -> list[str]:
    return TOKEN.findall(text.casefold())


def digest(kind: str, text: str) -> str:
    return f"{kind}:{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def minhash(words: Sequence[str]) -> str:
    """16 numbers of 4 hex digits: the share of equal ones estimates how many three-word runs two texts share."""
    runs = {" ".join(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}
    least = [0xFFFF] * HASHES
    lowest = [1 << 64] * HASHES
    for run in runs:
        whole = int.from_bytes(hashlib.blake2b(run.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        for number in range(HASHES):
            mixed = (whole ^ SEEDS[number]) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
            if mixed < lowest[number]:
                lowest[number], least[number] = mixed, mixed >> 24 & 0xFFFF
    return "".join(f"{value:04x}" for value in least)


SEEDS = [int.from_bytes(hashlib.blake2b(bytes([n]), digest_size=8).digest(), "big") for n in range(HASHES)]


def alike(first: str, second: str) -> bool:
    """Two signatures agree in so many places that their texts are one text, a little stirred."""
    pairs = [(first[at : at + 4], second[at : at + 4]) for at in range(0, min(len(first), len(second)), 4)]
    return bool(pairs) and sum(one == two for one, two in pairs) >= AGREE * HASHES
