from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q

from complaints.models.mail_address import mail_address
from complaints.vocabulary import ContractKind

ROLE_ORDER = ("abuse", "holder", "technical")  # who is written to first


class Customer(models.Model):
    reference = models.CharField(max_length=100, unique=True, help_text="The ISP's own number of the customer")
    name = models.CharField(max_length=200)
    protected = models.BooleanField(
        default=False, db_default=False, help_text="No machine may ever cut this customer's lines; people may"
    )

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """What the ISP calls a product in its contracts, and how gently such a line is treated."""

    name = models.CharField(max_length=100, unique=True, help_text="As it stands in the contracts")
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in ContractKind], default="business")
    protected = models.BooleanField(default=False, help_text="No machine may ever cut such a line")

    def __str__(self) -> str:
        return self.name


class ContractQuerySet(models.QuerySet["Contract"]):
    def note_reachable(self) -> int:
        """Say of these contracts whether some contact of theirs can be written to; how many were noted wrong."""
        usable = Exists(Contact.objects.filter(contract=OuterRef("pk"), problem=""))
        gained = self.filter(usable, reachable=False).update(reachable=True)
        return gained + self.filter(~usable, reachable=True).update(reachable=False)

    def unreachable(self) -> ContractQuerySet:
        return self.filter(reachable=False)


class Contract(models.Model):
    reference = models.CharField(max_length=100, unique=True, help_text="The ISP's own number of the contract")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contracts")
    product = models.CharField(max_length=100, blank=True)
    brand = models.CharField(max_length=100, blank=True)
    reachable = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Has a contact that can be written to"
    )

    objects = ContractQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="contract_unreachable", condition=Q(reachable=False)),
            models.Index(fields=["brand", "customer"], name="contract_brand"),
        ]

    def __str__(self) -> str:
        return self.reference

    def person_in_charge(self) -> Contact | None:
        """The contact a notice goes to: abuse, else the contract's holder, else technical."""
        return in_charge(self.contacts.all())

    def owner_record(self) -> dict[str, str]:
        """Customer, contract and contact as they are now; frozen on a case when it opens."""
        contact = self.person_in_charge()
        return {
            "customer": self.customer.reference,
            "customer_name": self.customer.name,
            "contract": self.reference,
            "product": self.product,
            "brand": self.brand,
            "contact_name": contact.name if contact else "",
            "contact_email": contact.email if contact else "",
            "contact_role": contact.role if contact else "",
            "language": contact.language if contact else "en",
        }


class Contact(models.Model):
    class Role(models.TextChoices):
        HOLDER = "holder", "contract holder"
        TECHNICAL = "technical", "technical"
        ABUSE = "abuse", "abuse"

    class Problem(models.TextChoices):
        BOUNCED = "bounced", "a mail to it came back"
        UNDELIVERABLE = "undeliverable", "its domain takes no mail"

    class Forwarding(models.TextChoices):
        NONE = "", "letters alone"
        XARF = "xarf", "each complaint as XARF 4"
        ARF = "arf", "each complaint as ARF (RFC 5965)"

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.HOLDER)
    language = models.CharField(max_length=10, default="en")
    problem = models.CharField(
        max_length=20, choices=Problem.choices, blank=True, default="", db_default="", help_text="Empty: usable"
    )
    problem_at = models.DateTimeField(null=True, blank=True, help_text="When the problem was seen")
    problem_reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    forwarding = models.CharField(
        max_length=10, choices=Forwarding.choices, blank=True, default="", db_default="",
        help_text="For the abuse contact of a reseller: complaints are passed on as reports that a program can read",
    )  # fmt: skip

    class Meta:
        indexes = [models.Index(fields=["email"], name="contact_email")]
        constraints = [models.UniqueConstraint(fields=["contract", "role", "email"], name="contact_once_per_role")]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        Contract.objects.filter(pk=self.contract_id).note_reachable()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        done = super().delete(*args, **kwargs)
        Contract.objects.filter(pk=self.contract_id).note_reachable()
        return done

    def clean(self) -> None:
        """One way to write an address; a changed one has no problem known."""
        try:
            self.email = mail_address(self.email)
        except ValueError as exc:
            raise ValidationError({"email": str(exc)}) from exc
        if self.pk and self.problem and not Contact.objects.filter(pk=self.pk, email=self.email).exists():
            self.problem, self.problem_at, self.problem_reason = "", None, ""


class MailDomain(models.Model):
    """Whether a domain takes mail, as its DNS said last. Unknown is a value: no answer is not a no."""

    class Verdict(models.TextChoices):
        TAKES = "takes", "takes mail"
        REFUSES = "refuses", "takes no mail"
        UNKNOWN = "unknown", "not known"

    name = models.CharField(max_length=253, unique=True, help_text="A-labels, lower case")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.CharField(max_length=300)
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.verdict}"


def in_charge(contacts: Iterable[Contact]) -> Contact | None:
    """Of a contract's contacts the one that a notice goes to."""
    return min(
        contacts,
        # One that is known not to work is still better than silence when there is no other.
        key=lambda contact: (contact.problem != "", ROLE_ORDER.index(contact.role), contact.pk),
        default=None,
    )
