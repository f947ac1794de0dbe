from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from complaints.addresses import prefix_key, prefix_text
from complaints.models.customers import Contract

ALL_PORTS = (0, 65535)


class Assignment(models.Model):
    """A contract holds a prefix, or one address and a port range, from `valid_from` until before `valid_until`."""

    class Kind(models.TextChoices):
        STATIC = "static"
        LEASE = "lease"
        CGNAT = "cgnat"

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="assignments")
    key = models.BinaryField(max_length=17, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.STATIC)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="First moment it no longer holds; empty: open")
    port_first = models.PositiveIntegerField(default=ALL_PORTS[0])
    port_last = models.PositiveIntegerField(default=ALL_PORTS[1])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "valid_from", "port_first", "contract"], name="assignment_once"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="assignment_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(port_last__gte=F("port_first")) & Q(port_last__lte=65535), name="assignment_ports_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} {self.contract_id}"

    @property
    def prefix(self) -> str:
        return prefix_text(self.key)

    @prefix.setter
    def prefix(self, text: str) -> None:
        self.key = prefix_key(text)


class PrefixLength(models.Model):
    """The prefix lengths that assignments use: so few that "who holds it" asks for each by equality."""

    family = models.PositiveSmallIntegerField()  # 4 or 6
    length = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "length"], name="prefix_length_once")]

    def __str__(self) -> str:
        return f"IPv{self.family} /{self.length}"
