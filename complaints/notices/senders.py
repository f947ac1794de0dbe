"""In whose name a letter or a page speaks: a brand of the ISP's, the default one, or the desk as its settings say."""

from __future__ import annotations

import dataclasses
from email.utils import formataddr

from django.conf import settings
from django.db.models import Q

from complaints.models import Brand, Case, Notice


@dataclasses.dataclass(frozen=True, slots=True)
class Sender:
    """signature: lines. colour: "#rrggbb", or empty for our own. brand: its row; None where the settings speak."""

    name: str
    email: str
    phone: str = ""
    colour: str = ""
    signature: tuple[str, ...] = ()
    brand: Brand | None = None

    @property
    def header(self) -> str:
        """For From: a name is data, and may hold commas or quotes."""
        name = self.name.replace("\\", "").replace('"', "'")
        return f'"{name}" <{self.email}>' if not name.isascii() else formataddr((name, self.email))

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2]

    @property
    def facts(self) -> dict[str, object]:
        """For the templates of letters and pages."""
        return {
            "desk_name": self.name,
            "desk_email": self.email,
            "desk_phone": self.phone,
            "signature": self.signature,
        }


def sender_of(case: Case) -> Sender:
    """Of the brand that the contract had when the case opened."""
    name = str(case.owner.get("brand") or "")
    found = Brand.objects.filter(Q(name=name) | Q(default=True)) if name else Brand.objects.filter(default=True)
    return as_sender(min(found, key=lambda each: each.name != name, default=None))


def sender_of_nobody() -> Sender:
    """Where no contract is known: a link that leads nowhere."""
    return as_sender(Brand.objects.filter(default=True).first())


def sender_of_notice(notice: Notice) -> Sender:
    """Of a letter that is written already: its words name this brand, whatever the contract's is by now."""
    return as_sender(notice.brand)


def as_sender(brand: Brand | None) -> Sender:
    if brand is None:
        return Sender(settings.DESK_NAME, settings.DESK_EMAIL)
    lines = tuple(line.strip() for line in brand.signature.splitlines() if line.strip())
    return Sender(brand.title, brand.email or settings.DESK_EMAIL, brand.phone, brand.colour, lines, brand)


def our_addresses() -> tuple[str, ...]:
    """Every mailbox that is the desk's own."""
    return tuple(dict.fromkeys([settings.DESK_EMAIL, *Brand.objects.exclude(email="").values_list("email", flat=True)]))
