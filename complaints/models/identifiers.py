"""What else than an address names a contract: the ISP's identifiers of lines and accounts, and hosted names."""

from __future__ import annotations

import re
from typing import Any

import idna
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from complaints.models.customers import Contract


class HeldBetween(models.Model):
    """Something that one contract has at a time. Two contracts with the same at once are refused by the imports."""

    valid_from = models.DateTimeField(null=True, blank=True, help_text="Empty: since ever")
    valid_until = models.DateTimeField(null=True, blank=True, help_text="First moment it no longer holds; empty: open")

    class Meta:
        abstract = True

    def refuse_second_holder(self, same: models.QuerySet[Any], what: str) -> None:
        """In words what the database would refuse. same: the rows of this value, whoever has it."""
        others = same.exclude(pk=self.pk).exclude(contract=self.contract_id).select_related("contract")  # type: ignore[attr-defined]
        if self.valid_until is not None:
            others = others.filter(Q(valid_from=None) | Q(valid_from__lt=self.valid_until))
        if self.valid_from is not None:
            others = others.filter(Q(valid_until=None) | Q(valid_until__gt=self.valid_from))
        other = others.first()
        if other is not None:
            raise ValidationError(f"{other.contract} has {what} at that time too. End the one first.")


class LineIdentifier(HeldBetween):
    """A name under which the ISP's own systems know a contract's line or account."""

    class Kind(models.TextChoices):
        RADIUS_USER = "radius_user", "RADIUS User-Name"
        MAC = "mac", "hardware address"
        CIRCUIT_ID = "circuit_id", "DHCP option 82 circuit id"
        REMOTE_ID = "remote_id", "DHCP option 82 remote id"
        CLIENT_ID = "client_id", "DHCPv4 client identifier"
        DUID = "duid", "DHCPv6 client identifier"
        SMTP_USER = "smtp_user", "SMTP-AUTH user of our relay"
        HEADER = "header", "header that our systems write into outgoing mail"

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    value = models.CharField(max_length=255, help_text="As identifier_value writes it, so that equality finds it")

    class Meta:
        constraints = [
            # NULL equals nothing in a unique constraint, hence two.
            models.UniqueConstraint(fields=["value", "kind", "valid_from", "contract"], name="identifier_once"),
            models.UniqueConstraint(
                fields=["value", "kind", "contract"], condition=Q(valid_from=None), name="identifier_once_since_ever"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="identifier_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    def clean(self) -> None:
        try:
            self.value = identifier_value(self.kind, self.value)
        except ValueError as exc:
            raise ValidationError({"value": str(exc)}) from exc
        same = LineIdentifier.objects.filter(kind=self.kind, value=self.value)
        self.refuse_second_holder(same, f"{self.kind} {self.value}")


class HostedName(HeldBetween):
    """A host or domain name that a contract's web space answers for; names below it are its own too."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="hosted_names")
    name = models.CharField(max_length=253, help_text="As host_name writes it: lower case, A-labels, no dot at the end")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "valid_from", "contract"], name="hosted_name_once"),
            models.UniqueConstraint(
                fields=["name", "contract"], condition=Q(valid_from=None), name="hosted_name_once_since_ever"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="hosted_name_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            self.name = host_name(self.name)
        except ValueError as exc:
            raise ValidationError({"name": str(exc)}) from exc
        self.refuse_second_holder(HostedName.objects.filter(name=self.name), self.name)


HEX_PAIRS = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2})*")


def identifier_value(kind: str, value: str) -> str:
    """The one way a value of this kind is written, whoever wrote it. Raises ValueError.

    Only where systems are known to write the same thing in several ways: hardware addresses and the octets of
    DHCP identifiers, and mail accounts, which servers compare without case. A RADIUS User-Name keeps its case
    (RFC 2865 section 5.1 has octets): taking Anna for anna could accuse the wrong line, the other way round
    nobody is named.
    """
    value = value.strip()
    if kind == LineIdentifier.Kind.MAC:
        return hex_pairs(value, octets=6)
    if kind in (LineIdentifier.Kind.CLIENT_ID, LineIdentifier.Kind.DUID):
        return hex_pairs(value)
    if not value or not value.isprintable():
        raise ValueError(f"{value!r} is not a value of printable characters")
    return value.lower() if kind == LineIdentifier.Kind.SMTP_USER else value


def hex_pairs(value: str, octets: int = 0) -> str:
    """`00:11:22:aa:bb:cc` of 00-11-22-AA-BB-CC, 0011.22aa.bbcc or 001122AABBCC."""
    digits = re.sub("[:. -]", "", value.lower())
    pairs = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    if not HEX_PAIRS.fullmatch(pairs) or (octets and len(digits) != 2 * octets):
        wanted = f"{octets} octets" if octets else "octets"
        raise ValueError(f"{value!r} is not {wanted} in hexadecimal, such as 00:11:22:aa:bb:cc")
    return pairs


def host_name(text: str) -> str:
    """`www.xn--bcher-kva.example` of "www.Bücher.example." (IDNA 2008 with UTS 46 mapping). Raises ValueError."""
    name = text.strip().rstrip(".")
    try:
        name = idna.encode(name, uts46=True, transitional=False).decode().lower()
    except idna.IDNAError as exc:
        raise ValueError(f"{text!r} is not a host name: {exc}") from None
    if len(name) > 253 or "." not in name:
        raise ValueError(f"{text!r} is not a full host name, such as www.shop.example")
    return name
