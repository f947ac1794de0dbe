from __future__ import annotations

from django.db import models

ROLE_ORDER = ("abuse", "holder", "technical")  # who is written to first


class Customer(models.Model):
    reference = models.CharField(max_length=100, unique=True, help_text="The ISP's own number of the customer")
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Contract(models.Model):
    reference = models.CharField(max_length=100, unique=True, help_text="The ISP's own number of the contract")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contracts")
    product = models.CharField(max_length=100, blank=True)
    brand = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return self.reference

    def person_in_charge(self) -> Contact | None:
        """The contact a notice goes to: abuse, else the contract's holder, else technical."""
        contacts = sorted(self.contacts.all(), key=lambda contact: (ROLE_ORDER.index(contact.role), contact.pk))
        return contacts[0] if contacts else None

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

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.HOLDER)
    language = models.CharField(max_length=10, default="en")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contract", "role", "email"], name="contact_once_per_role")]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"
