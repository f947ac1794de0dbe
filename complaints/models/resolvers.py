"""What outside sources of attribution said, and whether they answer at all."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from complaints.addresses import address_text


class ResolverState(models.Model):
    """One row a resolver that asks somebody else. All processes share it, so that one of them finds out for all."""

    name = models.CharField(max_length=50, unique=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True, help_text="What was wrong when it failed last")
    failures = models.PositiveIntegerField(default=0, help_text="In a row; 0: it answers")
    ask_again_at = models.DateTimeField(null=True, blank=True, help_text="Nobody asks before; empty: it answers")

    def __str__(self) -> str:
        return self.name


class ResolverAnswer(models.Model):
    """Who held an address and ports, as an outside source said; believed for the times it spoke of, no longer."""

    address = models.BinaryField(max_length=16, editable=False, help_text="16-byte address key")
    port_first = models.PositiveIntegerField()
    port_last = models.PositiveIntegerField()
    contract = models.CharField(max_length=100, help_text="The ISP's own number; the desk need not know it yet")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(
        help_text="First moment of which nothing is known; of a holding that goes on: when the answer was given"
    )
    ends = models.BooleanField(help_text="False: it was still held when the answer was given")
    confidence = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address", "valid_from", "port_first", "contract"], name="resolver_answer_once"
            ),
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="resolver_answer_ends_later"),
            models.CheckConstraint(
                condition=Q(port_last__gte=F("port_first"), port_last__lte=65535), name="resolver_answer_ports_in_order"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="resolver_answer_confidence_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{address_text(self.address)} {self.contract}"
