"""How many independent people say so: a domain is one voice, unless it lets anybody have a mailbox. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from complaints.cases.grouping import suffixes

# Where one domain has millions of strangers, each address is a voice of its own.
MAILBOX_PROVIDERS = frozenset({
    "126.com", "163.com", "aol.com", "bluewin.ch", "comcast.net", "fastmail.com", "free.fr", "gmail.com", "gmx.at",
    "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "laposte.net",
    "libero.it", "live.com", "mac.com", "mail.com", "mail.ru", "mailbox.org", "me.com", "msn.com", "orange.fr",
    "outlook.com", "posteo.de", "proton.me", "protonmail.com", "qq.com", "rocketmail.com", "seznam.cz",
    "t-online.de", "web.de", "wp.pl", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr",
    "yandex.ru", "ymail.com", "zoho.com",
})  # fmt: skip


def voice_of(address: str) -> str:
    """Who speaks when `address` does: the domain that somebody registered, or the address itself; "" for none."""
    address = address.strip().lower()
    domain = address.rpartition("@")[2]
    return address if domain in MAILBOX_PROVIDERS else suffixes().privatesuffix(domain) or domain


def voices_of(addresses: Iterable[str]) -> set[str]:
    """The independent voices among reporters."""
    return {voice for address in addresses if (voice := voice_of(address))}
